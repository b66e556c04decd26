"""Verification: a statement against the spans it cites, through `verify`, as answers and checks have it done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date

import pytest

from rag.checks.exact import Evidence, compare
from rag.checks.verify import check, evidence, reason, status, verdict, verify, warnings
from rag.ingest.metadata import article
from rag.models.reader import Pair, Probabilities
from rag.schema import Article, Check, Citation, Precision, Published, Statement, Verdict

SUPPORTED, UNSUPPORTED, CONTRADICTED = Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.CONTRADICTED
WEDNESDAY = Published(date(2021, 7, 7), Precision.DAY)

ARMY = (
    "On Monday about 1,000 Afghan soldiers crossed the river into Tajikistan, the Tajik border service said. "
    "President Emomali Rahmon ordered 20,000 reservists to the frontier, and the Taliban captured 10 percent of the "
    "districts."
)
AID = (
    "The World Bank approved $5.2 billion for clinics in Herat. Of the 27 clinics, between 12 and 15 were closed in "
    "June, and dozens of nurses left."
)
TALKS = (
    "Abbas Stanikzai met Javed Zarif in Tehran on Wednesday. Zarif warned that “the people must make difficult "
    "decisions for the future of their country”. The Taliban did not agree to a ceasefire."
)
PLANS = (
    "Germany may withdraw its 1,100 soldiers in August. The government plans to reopen the airport at Kandahar. "
    "Prices of wheat rose by a fifth in Kabul after the road was closed. Turkey sold drones to Qatar."
)


def source(text: str, *, published: Published | None = WEDNESDAY) -> Article:
    return article(text, id="news", title="The week in Afghanistan", source="Dispatch", published=published)


def cited(text: str, quote: str | None = None, *, number: int = 1, published: Published | None = WEDNESDAY) -> Citation:
    """The citation of a quote in an article, or of the whole article."""
    origin, quote = source(text, published=published), quote or text
    start = origin.text.index(quote)
    return Citation(number, origin, "p", start, start + len(quote), quote)


class Reads:
    """A reader that judges every pair the same way, and keeps them."""

    def __init__(self, entailment: float, contradiction: float = 0.0) -> None:
        self.judged = Probabilities(entailment, 1 - entailment - contradiction, contradiction)
        self.pairs: list[Pair] = []

    def entail(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        self.pairs += pairs
        return [self.judged] * len(pairs)


SAYS_YES, SAYS_NO = 0.995, 0.004


def verified(
    text: str, *spans: str, published: Published | None = WEDNESDAY, entailment: float = SAYS_YES
) -> Statement:
    """A statement held against spans, by a reader that says yes, unless told otherwise."""
    cites = [cited(span, published=published) for span in spans]
    return verify(Statement(text, ()), cites, entailment=Reads(entailment))


def failed(statement: Statement) -> dict[str, str | None]:
    """What was found instead, by the kind of the check."""
    return {c.kind: c.found for c in statement.checks if not c.passed}


def exact(kind: str, text: str, span: str, published: Published | None = WEDNESDAY) -> list[bool]:
    """Whether each exact check of a kind passed."""
    return [c.passed for c in compare(text, [evidence(cited(span, published=published))]) if c.kind == kind]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("On Monday about a thousand Afghan soldiers crossed the river into Tajikistan.", ARMY),
        ("President Emomali Rahmon ordered twenty thousand reservists to the frontier.", ARMY),
        ("The Taliban captured a tenth of the districts.", ARMY),
        ("The Taliban captured ten per cent of the districts.", ARMY),
        ("The World Bank approved 5.2 billion dollars for clinics in Herat.", AID),
        ("Between 12 and 15 of the 27 clinics were closed in June.", AID),
        ("The road is 3 km long.", "The road is 3,000 metres long."),
        ("The talks took two days.", "The talks took 48 hours."),
        ("Prices rose from 7.4 percent to 8.1 percent.", "Prices rose 8.1 percent after 7.4 in July."),
        ("The hall had stood for 130 years.", "The hall, opened in 1891, burned down on Monday."),
    ],
)
def test_numbers_may_be_written_otherwise(text: str, span: str) -> None:
    assert all(exact("number", text, span))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("The agency counted 53,423 refugees.", "The agency counted 53,323 refugees."),
        ("The quake killed 171 people.", "The quake killed at least 170 people."),
        ("The World Bank approved $5.2 million for clinics.", "The World Bank approved $5.2 billion for clinics."),
        ("The bank gave €5 billion to Herat.", "The bank gave $5 billion to Herat."),
        ("The Taliban captured 10 of the districts.", "The Taliban captured 10% of the districts."),
        ("The talks took 48 days.", "The talks took 48 hours."),
        ("Exports rose 4.1 percent.", "Exports rose 4.7 percent."),
        ("Three bridges were closed.", "Two bridges were closed."),
    ],
)
def test_a_near_number_another_unit_or_scale_never_passes(text: str, span: str) -> None:
    assert exact("number", text, span) == [False]
    assert verified(text, span).verdict is not SUPPORTED


@pytest.mark.parametrize(
    ("text", "span", "passed"),
    [
        ("About 1,000 soldiers crossed the river.", "The service counted 1,037 soldiers at the river.", True),
        ("More than 1,000 soldiers crossed the river.", "The service counted 1,037 soldiers at the river.", True),
        ("Fewer than 1,100 soldiers crossed the river.", "The service counted 1,037 soldiers at the river.", True),
        ("About 2,000 soldiers crossed the river.", "The service counted 1,037 soldiers at the river.", False),
        ("More than 1,100 soldiers crossed the river.", "The service counted 1,037 soldiers at the river.", False),
        ("Fewer than 1,000 soldiers crossed the river.", "More than 1,000 soldiers crossed the river.", False),
        ("Soldiers, 1,000 of them, crossed the river.", "The service counted 1,037 soldiers at the river.", False),
    ],
)
def test_only_a_hedge_makes_room(text: str, span: str, passed: bool) -> None:
    assert exact("number", text, span) == [passed]


@pytest.mark.parametrize(
    ("text", "span", "kind", "found"),
    [
        ("President Emomali Rahmon ordered 12,000 reservists to the frontier.", ARMY, "number", "20,000"),
        ("Between 12 and 15 of the 29 clinics were closed in June.", AID, "number", "27"),
        (
            "Troops crossed the river near the town on 6 July.",
            "Troops crossed the river near the town on Monday.",
            "date",
            "Monday",
        ),
        ("Zarif warned that the people “must make easy decisions”.", TALKS, "quote", "must make difficult decisions"),
    ],
)
def test_another_value_of_the_same_thing_is_a_contradiction(text: str, span: str, kind: str, found: str) -> None:
    statement = verified(text, span)
    assert failed(statement)[kind] == found
    assert statement.verdict is CONTRADICTED


def test_a_number_of_another_thing_contradicts_nothing() -> None:
    statement = verified(
        "Nine soldiers deserted in spring.", "The army sent nineteen soldiers to the airport of Kabul."
    )
    assert failed(statement) == {"number": None}
    assert statement.verdict is UNSUPPORTED


@pytest.mark.parametrize(
    ("text", "span", "passed"),
    [
        ("On 5 July soldiers crossed the river.", "On Monday soldiers crossed the river.", True),
        ("On 6 July soldiers crossed the river.", "On Monday soldiers crossed the river.", False),
        ("Stanikzai met Zarif in Tehran in early July.", TALKS, True),
        ("Stanikzai met Zarif in Tehran between 10 and 12 July.", TALKS, False),
        ("The delegates will meet again on 9 July.", "The delegates will meet again on Friday.", True),
        ("Fighters took the town between 28 June and 4 July.", "Fighters took the town last week.", True),
        ("Fighters took the town in May.", "Fighters took the town last week.", False),
    ],
)
def test_a_date_is_held_against_the_days_that_a_relative_date_means(text: str, span: str, passed: bool) -> None:
    assert exact("date", text, span) == [passed]


def test_without_a_day_of_publication_a_weekday_denies_no_date() -> None:
    text, span = "Troops crossed the river on 6 July.", "Troops crossed the river on Monday."
    month = Published(date(2021, 7, 1), Precision.MONTH)
    for published in (None, month):
        assert CONTRADICTED is not verified(text, span, published=published).verdict


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("President Emomali Rakhmon ordered 20,000 reservists to the frontier.", ARMY),
        ("Rahmon ordered 20,000 reservists to the frontier.", ARMY),
        ("On 7 July Abbas Stanekzai met Mohammad Javad Zarif in Tehran.", TALKS),
        ("The Taliban attacked Qala-i-Naw for the first time.", "The Taliban attacked Kalat-e-Nav for the first time."),
        ("The UN counted the dead.", "The United Nations counted the dead."),
        ("The Dispatch reports on the Taliban.", "The Taliban captured the districts."),
    ],
)
def test_names_may_be_spelled_otherwise_lack_titles_or_stand_in_the_header(text: str, span: str) -> None:
    assert all(exact("name", text, span))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("President Ashraf Ghani ordered 20,000 reservists to the frontier.", ARMY),
        ("About 1,000 Afghan soldiers crossed the river into Uzbekistan.", ARMY),
        ("Abbas Stanikzai met Javed Zarif in Doha on Wednesday.", TALKS),
        ("The EU approved $5.2 billion for clinics in Herat.", AID),
    ],
)
def test_a_name_that_is_nowhere_is_told_and_counts_against_it(text: str, span: str) -> None:
    assert False in exact("name", text, span)
    said = verified(text, span)
    alike = verified(text.replace("Uzbekistan", "Tajikistan"), span)
    assert support_of(said) <= support_of(alike)


def support_of(statement: Statement) -> float:
    return float((statement.checks[-1].found or "").split(":")[0])


def test_a_word_that_opens_a_sentence_is_no_name_unless_it_is_one_elsewhere() -> None:
    span = "The railway was cut near Herat, and Shams crossed the river."
    assert exact("name", "Gratitude was shown to the crews.", span) == []
    assert exact("name", "Trains were stopped near Herat.", span) == [True]
    assert exact("name", "Shams crossed the river.", span) == [True]


def test_a_name_may_be_near_a_span_but_a_number_must_be_in_it() -> None:
    text = "The governor of Herat met 12 elders. They asked him to open the road to the border."
    span = [cited(text, "They asked him to open the road to the border.")]
    named = verify(Statement("They asked the governor of Herat to open the road to the border.", ()), span)
    counted = verify(Statement("The 12 asked him to open the road to the border.", ()), span)
    assert ("nearby", "Herat", True) in [(c.kind, c.expected, c.passed) for c in named.checks]
    assert "number" in failed(counted)


def test_the_reader_decides_what_is_not_exact() -> None:
    text, span = "Wheat became dearer in the capital.", "Prices of wheat rose in Kabul after the road was closed."
    assert verified(text, span).verdict is SUPPORTED
    assert verified(text, span, entailment=0.01).verdict is UNSUPPORTED


def test_only_a_sure_denial_of_the_reader_contradicts() -> None:
    text, spans = "The Taliban agreed to a ceasefire in the talks.", [cited(TALKS)]
    sure, unsure = (verify(Statement(text, ()), spans, entailment=Reads(SAYS_NO, no)) for no in (0.99, 0.6))
    assert (sure.verdict, unsure.verdict) == (CONTRADICTED, UNSUPPORTED)
    assert "contradiction" in failed(sure)


def test_the_reader_sees_title_outlet_date_and_the_label_that_governs_the_span() -> None:
    text = "MS. PSAKI: The flights will go on.\nQ And then?\nMR. PRICE: We will see.\nThat is all for today."
    reader = Reads(SAYS_YES)
    verify(Statement("Price had nothing more to say.", ()), [cited(text, "That is all for today.")], entailment=reader)
    (pair,) = reader.pairs
    assert pair.header == "The week in Afghanistan, Dispatch, 2021-07-07"
    assert pair.premise == "Mr. Price: That is all for today."


def test_of_long_evidence_the_nearest_sentences_are_read() -> None:
    text = " ".join(f"Village {n} had no rain in spring." for n in range(60)) + " Turkey sold drones to Qatar."
    reader = Reads(SAYS_YES)
    verify(Statement("Drones were bought from Turkey.", ()), [cited(text)], entailment=reader)
    assert [len(pair.premise.split()) < 60 for pair in reader.pairs] == [True, True, True]
    assert all("Turkey sold drones" in pair.premise for pair in reader.pairs)


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("Price said that the flights would go on.", True),
        ("According to the Dispatch, the flights will go on.", True),
        ("Psaki said that the flights would go on.", False),
    ],
)
def test_a_speaker_is_looked_for_in_span_label_and_header_and_never_changes_the_verdict(
    text: str, passed: bool
) -> None:
    told = "MS. PSAKI: Good evening.\nMR. PRICE: Thank you.\nThe flights will go on. Nobody is left behind."
    statement = verify(Statement(text, ()), [cited(told, "The flights will go on.")], entailment=Reads(SAYS_YES))
    assert [c.passed for c in statement.checks if c.kind == "speaker"] == [passed]
    assert statement.verdict is SUPPORTED


def test_nothing_cited_is_unsupported() -> None:
    statement = verify(Statement("Zarif said that the talks had begun.", ()), [])
    assert statement.verdict is UNSUPPORTED
    assert statement.checks == (Check("citation", "a cited span", None, False),)
    assert statement.speaker == "Zarif"


@pytest.mark.parametrize("text", ["", "...", "—", "!?"])
def test_what_has_no_words_is_unchecked(text: str) -> None:
    statement = verified(text, ARMY)
    assert statement.verdict is Verdict.UNCHECKED
    assert statement.doubt == "not checked"


@pytest.mark.parametrize(
    "text",
    [
        "The Taliban did not agree to a ceasefire.",
        "the Taliban did not  agree to a ceasefire",
        "Turkey sold drones to Qatar.",
    ],
)
def test_a_sentence_of_the_span_is_supported_as_it_is(text: str) -> None:
    assert verified(text, f"{TALKS} {PLANS}").verdict is SUPPORTED


def test_a_part_of_a_sentence_is_no_sentence() -> None:
    span = "Officials denied that the Taliban agreed to a ceasefire in Doha."
    assert verified("The Taliban agreed to a ceasefire in Doha.", span, entailment=0.01).verdict is UNSUPPORTED


def test_several_spans_support_a_statement_together() -> None:
    text = "Abbas Stanikzai met Javed Zarif in Tehran on Wednesday, but the Taliban did not agree to a ceasefire."
    first, second = (
        cited(TALKS, "Abbas Stanikzai met Javed Zarif in Tehran on Wednesday."),
        cited(TALKS, "The Taliban did not agree to a ceasefire.", number=2),
    )
    assert verify(Statement(text, ()), [first, second]).verdict is SUPPORTED
    assert verify(Statement(text, ()), [second, first]).verdict is SUPPORTED


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Turkey sold drones to Qatar, and wheat rose by a fifth in Kabul.", SUPPORTED),
        ("Schools in Kabul will stay closed until the end of the winter.", UNSUPPORTED),
        ("Germany may withdraw its 1,900 soldiers in August.", CONTRADICTED),
    ],
)
def test_without_weights_shared_words_and_exact_values_decide(text: str, verdict: Verdict) -> None:
    statement = verify(Statement(text, ()), [cited(PLANS)])
    assert statement.verdict is verdict
    assert statement.checks[-1].kind == "support"


def test_a_statement_keeps_its_text_and_citations() -> None:
    before = Statement("The Taliban captured a tenth of the districts.", (cited(ARMY),))
    after = verify(before, before.citations)
    assert (after.text, after.citations) == (before.text, before.citations)
    assert before.verdict is Verdict.UNCHECKED


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([Check("number", "5", "5", True), Check("support", "0.5", "0.9", True)], SUPPORTED),
        ([Check("number", "5", "6", False), Check("support", "0.5", "0.9", True)], CONTRADICTED),
        ([Check("number", "5", None, False), Check("support", "0.5", "0.9", True)], UNSUPPORTED),
        ([Check("name", "Ghani", None, False), Check("support", "0.5", "0.9", True)], SUPPORTED),
        ([Check("support", "0.5", "0.1: Troops left.", False)], UNSUPPORTED),
        ([Check("speaker", "Ghani", "Rahmon", False), Check("support", "0.5", "0.9", True)], SUPPORTED),
    ],
)
def test_only_another_value_contradicts(checks: list[Check], expected: Verdict) -> None:
    assert verdict(checks) is expected


def test_the_last_check_is_of_the_support_with_the_text_that_was_read() -> None:
    last = check("The Taliban captured a tenth of the districts.", [Evidence(ARMY), Evidence(TALKS)])[-1]
    assert last.kind == "support"
    assert "10 percent of the districts" in (last.found or "")


def test_what_is_left_of_an_answer_is_told() -> None:
    good = verified("The Taliban captured a tenth of the districts.", ARMY)
    bad = verified("President Emomali Rahmon ordered 12,000 reservists to the frontier.", ARMY)
    assert [str(status(s)) for s in ([good], [good, bad], [bad], [])] == [
        "answered",
        "partial",
        "abstained",
        "abstained",
    ]
    assert (reason([good]), str(reason([good, bad]))) == (None, "unsupported")
    assert warnings([good, bad]) == ("1 of 2 statements contradicted by what is cited",)


def test_the_same_input_gives_the_same_checks_in_any_process() -> None:
    code = (
        "from rag.checks.exact import Evidence; from rag.checks.verify import check; import sys; "
        "print(check(sys.argv[1], [Evidence(sys.argv[2]), Evidence(sys.argv[3])]))"
    )
    text = "On 6 July 12,000 Afghan soldiers fled and the Taliban agreed to a “lasting ceasefire”, Zarif said."
    command = [sys.executable, "-c", code, text, ARMY, TALKS]
    other = subprocess.check_output(command, text=True, env=os.environ | {"PYTHONHASHSEED": "7"})
    assert other.strip() == str(check(text, [Evidence(ARMY), Evidence(TALKS)]))


@pytest.mark.xfail(reason="the words between the two parts of a quotation are in the way")
def test_a_quotation_may_go_on_after_who_said_it() -> None:
    text = "“We don't have any more time, and the world knows it,” Zarif said."
    span = "“We don't have any more time,” Zarif said, “and the world knows it.” The talks began."
    assert verified(text, span).verdict is SUPPORTED
