"""Kinds of claims that were once judged wrongly: links between sentences, voices of quotations, what did not happen."""

from __future__ import annotations

import pytest

from rag.checks.document import checked, whole
from rag.checks.verify import verify
from rag.ingest.metadata import article
from rag.schema import Statement, Verdict

STRIKE = (
    "Union leader Karl Osei rejected the appeal on Monday. Norlund said it had lost 2.4 million crowns since "
    "the strike began. The dockers of Velmora want the company to withdraw a pay cut."
)
PIER = (
    "“We found cracks in 14 pillars,” harbour master Odile Brandt told reporters. “It is not safe. Nobody will "
    "be allowed on the pier before spring.” The mayor, Ada Lindqvist, disagreed. “It could open in April,” she "
    "said."
)
SPEECH = (
    "The minister spoke in Lenz on Friday.\n\n“The harvest will fail in the north,” said Jonas Keel, who leads "
    "the farmers. “We need help from the state by June.\n\n“Without it our farms will close.”\n\nEnergy "
    "minister Pavla Reiss said: “The state has no money for new aid.”"
)
DAM = (
    "The government of Tarvia ordered engineers on Tuesday to empty the Orsk dam after a crack was found in "
    "its northern wall. Farmers led by Jonas Keel asked the ministry to wait until the harvest ends. A man "
    "drowned on Sunday when a boat overturned below the dam, and the police questioned its owner, Mika Dorn, "
    "before they released him. If the rain returns, the engineers may open the lower gate."
)
SALE = (
    "Health group Calyx agreed on Thursday to sell three hospitals in Brenland to its rival Medora. Nurses at "
    "the Sankt Olav hospital walked out on Monday after the group cut night shifts. Union chief Dana Fries "
    "said jobs were at risk unless Medora signs a guarantee. Ruben Lund, who took over from Greta Moen in March, "
    "denied that the company was bankrupt."
)
AID = "The province sent 30 tents to the coast, the minister said. The town has 12 schools."


def judged(claim: str, told: str) -> Statement:
    source = article(told, title="News")
    return checked(claim, lambda _: whole([source]), verify, given=[source]).statements[0]


@pytest.mark.parametrize(
    "link",
    [
        *("However, ", "Meanwhile, ", "Additionally, ", "Nonetheless, ", "In addition, ", "By contrast, ", "But "),
        *("Unfortunately, ", "On the other hand, ", "For its part, ", "Meanwhile "),
    ],
)
@pytest.mark.parametrize(
    "claim",
    ["Karl Osei rejected the appeal on Monday.", "Norlund said it had lost 2.4 million crowns since the strike began."],
)
def test_what_links_a_sentence_does_not_change_its_verdict(link: str, claim: str) -> None:
    assert judged(f"{link}{claim}", STRIKE).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize("opening", ["Nowadays, ", "Regrettably, ", "Yesterday ", "Afterwards "])
def test_an_adverb_that_opens_a_sentence_is_no_name(opening: str) -> None:
    checks = judged(f"{opening}Karl Osei rejected the appeal on Monday.", STRIKE).checks
    assert [c.expected for c in checks if c.kind == "name"] == ["Karl Osei"]


def test_a_name_that_opens_a_sentence_is_still_checked() -> None:
    assert judged("However, Karl Petty rejected the appeal on Monday.", STRIKE).verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("“It could open in April,” Ada Lindqvist said.", PIER),
        ("“Nobody will be allowed on the pier before spring,” Odile Brandt said.", PIER),
        ("“Without it our farms will close,” Jonas Keel said.", SPEECH),
        ("“The state has no money for new aid,” Pavla Reiss said.", SPEECH),
    ],
)
def test_a_quotation_by_who_said_it_is_supported(claim: str, told: str) -> None:
    assert judged(claim, told).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "told", "who"),
    [
        ("“Nobody will be allowed on the pier before spring,” Ada Lindqvist said.", PIER, "Brandt"),
        ("“It could open in April,” Odile Brandt said.", PIER, "Lindqvist"),
        ("“Without it our farms will close,” Pavla Reiss said.", SPEECH, "Keel"),
        ("“The state has no money for new aid,” said Jonas Keel.", SPEECH, "Reiss"),
    ],
)
def test_a_quotation_by_another_is_a_contradiction_that_names_who_said_it(claim: str, told: str, who: str) -> None:
    statement = judged(claim, told)
    assert statement.verdict is Verdict.CONTRADICTED
    assert any(who in (c.found or "") for c in statement.checks if c.kind == "quote" and not c.passed)


def test_a_short_quoted_phrase_may_be_of_anybody() -> None:
    told = "An official said Turkey would play “a lead role”, and General Arikan said that no decision was taken."
    assert judged("General Arikan said Turkey would play “a lead role”.", told).verdict is not Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("The harvest has ended.", DAM),
        ("The rain has returned.", DAM),
        ("The engineers opened the lower gate.", DAM),
        ("Medora signed a guarantee.", SALE),
        ("Norlund withdrew a pay cut.", STRIKE),
    ],
)
def test_what_is_wanted_awaited_or_a_condition_has_not_happened(claim: str, told: str) -> None:
    assert judged(claim, told).verdict is not Verdict.SUPPORTED


def test_what_is_told_in_the_past_behind_until_has_happened() -> None:
    told = "The dockers stayed out until the company withdrew the pay cut."
    assert judged("The company withdrew the pay cut.", told).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("Mika Dorn drowned on Sunday when a boat overturned below the dam.", DAM),
        ("Medora agreed to sell three hospitals in Brenland to Calyx.", SALE),
        ("Greta Moen denied that the company was bankrupt.", SALE),
    ],
)
def test_what_somebody_else_did_is_not_supported(claim: str, told: str) -> None:
    assert judged(claim, told).verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("Calyx agreed to sell three hospitals in Brenland to Medora.", SALE),
        ("Lund denied that the company was bankrupt.", SALE),
        ("The police questioned Mika Dorn before they released him.", DAM),
        ("The government ordered engineers to empty the dam after a crack was found.", DAM),
    ],
)
def test_who_did_it_and_in_which_order_may_be_told_otherwise(claim: str, told: str) -> None:
    assert judged(claim, told).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("A boat overturned after the government ordered engineers to empty the dam.", DAM),
        ("The police questioned Mika Dorn after they had released him.", DAM),
        ("The nurses walked out after Calyx agreed to sell three hospitals.", SALE),
    ],
)
def test_an_order_of_events_that_is_not_told_is_not_supported(claim: str, told: str) -> None:
    assert judged(claim, told).verdict is not Verdict.SUPPORTED


@pytest.mark.parametrize(
    "claim",
    [
        "The WHO sent 40 doctors to the coast.",
        "The province sent 9 buses to the coast.",
        "The union represents 600 dockers.",
    ],
)
def test_a_number_of_something_else_neither_supports_nor_contradicts(claim: str) -> None:
    assert judged(claim, AID).verdict is Verdict.UNSUPPORTED


def test_another_number_of_the_same_thing_contradicts() -> None:
    assert judged("The province sent 300 tents to the coast.", AID).verdict is Verdict.CONTRADICTED


DAM = (
    "Brenwick, a town of 14,000 people, lies below the dam. In 1987 a smaller dam in the valley broke and killed 112 "
    "people. The operator denied on Friday that it was preparing the sale of the dam. It raised its forecast to 390 "
    "million crowns from 350 million. The town put off its festival from 27 March to 10 April."
)


@pytest.mark.parametrize(
    ("claim", "true"),
    [
        ("A smaller dam in the valley broke in 1987 and killed 112 people.", True),
        ("A smaller dam in the valley broke in 1987 and killed more than 200 people.", False),
        ("The operator is preparing the sale of the dam.", False),
        ("The operator raised its forecast from 350 million crowns to 390 million.", True),
        ("The operator moved its forecast from 390 million crowns to 350 million.", False),
        ("The town put its festival off from 27 March to 10 April.", True),
        ("The town put its festival off from 10 April to 27 March.", False),
    ],
)
def test_what_stands_beside_a_sentence_does_not_excuse_it(claim: str, true: bool) -> None:
    assert judged(claim, DAM).verdict is (Verdict.SUPPORTED if true else Verdict.CONTRADICTED)


def test_an_outlet_and_date_at_the_end_contradict_nothing() -> None:
    source = article(DAM, title="News", source="Pamir Wire", published="2021-07-02")
    told = "A smaller dam in the valley broke in 1987 and killed {} people (Pamir Wire, 2 July 2021)."
    verdicts = [
        checked(told.format(n), lambda _: whole([source]), verify, given=[source]).statements[0].verdict
        for n in (112, 121)
    ]
    assert verdicts == [Verdict.SUPPORTED, Verdict.CONTRADICTED]
