"""The exact rules of a check: what is known of the article around a span, units, bounds, and what holds of all."""

from __future__ import annotations

from datetime import date

import pytest

from rag.checks.verify import verify
from rag.ingest.metadata import article
from rag.schema import Article, Citation, Precision, Published, Statement, Verdict

SUPPORTED, UNSUPPORTED, CONTRADICTED = Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.CONTRADICTED
FALL = "Arlow fell to the rebels on Tuesday, the mayor said."
BEFORE = "Two days earlier they had taken the port of Senn."
MAYOR = "The mayor, Ilse Brandt, left the town by boat and was arrested at the lighthouse."
GOVERNOR = "The governor, Otto Vane, was in the capital."
HEARING = "Judge Ann Crole read the sentence in Marden on Friday."


def news(*sentences: str, day: int = 7, id: str = "news") -> Article:
    published = Published(date(2021, 7, day), Precision.DAY)
    return article(" ".join(sentences), id=id, title="The war in the north", source="Harbour Post", published=published)


def checked(text: str, *citations: Citation) -> Statement:
    return verify(Statement(text, citations), citations)


def cited(source: Article, quote: str) -> Citation:
    start = source.text.index(quote)
    return Citation(1, source, "p", start, start + len(quote), quote)


def alone(text: str, span: str) -> Statement:
    return checked(text, cited(news(span), span))


def test_a_day_that_counts_from_what_was_said_before_is_known() -> None:
    source = news(FALL, BEFORE)
    assert checked("They took the port of Senn on 4 July 2021.", cited(source, BEFORE)).verdict is SUPPORTED
    assert checked("They took the port of Senn on 3 July 2021.", cited(source, BEFORE)).verdict is CONTRADICTED


def test_each_article_has_its_own_day_of_publication() -> None:
    first = news("The rebels now hold five towns.", day=7, id="first")
    second = news("The rebels now hold nine towns.", day=9, id="second")
    spans = cited(first, first.text), cited(second, second.text)
    assert checked("The rebels held five towns on 7 July and nine on 9 July 2021.", *spans).verdict is SUPPORTED


def test_the_year_before_counts_from_the_year_of_its_sentence() -> None:
    span = "Exports came to 18 million euros after 41 million in 2019."
    source = article(f"The yard grew in 2020. {span}", id="yard", title="The yard", source="Harbour Post")
    whole = cited(source, source.text)
    told = "In 2020 exports came to 18 million euros, after 41 million the year before."
    assert checked(told, whole).verdict is SUPPORTED


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("The striker scored in minute 27.", "The striker scored in the 27th minute of the match."),
        ("The rebels took ten towns in June.", "Arlow was the tenth town that the rebels took in June."),
        ("The number of towns that the rebels hold went up to eight.", "The rebels hold eight of the 34 towns."),
        ("The wreck lies about 37 miles off the coast.", "The wreck lies about 60 kilometres off the coast."),
        ("The yard wants up to 200 workers.", "The yard wants as many as 200 workers."),
        ("Yes. The yard wants 200 workers.", "The yard wants 200 workers."),
        ("No, the bridge was not closed.", "The bridge was not closed on Monday."),
        ("The bridge is due to be finished in June.", "The bridge will be finished in June, its builder said."),
        ("The council made the union an offer on pay.", "The union rejected the offer on pay that the council made."),
        ("All flights were cancelled.", "The flights were cancelled on Monday."),
        ("The council voted 4 to 9 against the plan.", "The council rejected the plan by 9 votes to 4."),
        (
            "The council voted 9-4 to close the school.",
            "By nine votes to four the council decided to close the school.",
        ),
        ("Four villages will have no school on Monday.", "Schools in four villages will stay shut on Monday."),
        ("The valley had not seen a major flood since 1978.", "The last great flood in the valley was in 1978."),
        ("Half of the chambers were installed by June.", "Of four required chambers, two had been installed by June."),
        (
            "The yard earned 18 million less than planned.",
            "It earned 612 million, short of the 630 million it had planned.",
        ),
        (
            "Revenue grew 4% to 612 million euros.",
            "Revenue rose by four percent to 612 million, the company said in euros.",
        ),
        ("The plane landed at 20:07.", "The plane came down at 20.07."),
        ("The guards said that the forces had been moved.", "Forces had only been moved, the guards said."),
        (
            "Osten said that the militia gave up after the army had surrendered.",
            "Osten said that the army had surrendered first and that the militia had then given up.",
        ),
        ("Above all the harbour was hit.", "It was mainly the harbour that was hit."),
        ("All 40 passengers got out of the bus.", "The bus carried 40 passengers, and all of them got out."),
        ("All passengers got out.", "The 40 passengers got out before the bus sank."),
        ("The crews will strike for two days.", "The crews will strike for 48 hours."),
        ("Four of those arrested are free again.", "Eleven men were arrested on Friday; four of them are free again."),
        ("The loser gets 200,000 francs.", "The winner gets 300,000 francs, the loser 200,000."),
        ("Costa has 205 ships.", "Marin has 612 ships, and Costa has 205 ships."),
        ("30 soldiers were hurt on Monday.", "On Monday 12 soldiers were killed, and 30 more were hurt."),
        ("34 people were killed.", "Twelve people were killed at first count, and the number later rose to 34."),
        ("One of the five men was a teacher.", "Two of the five men, a teacher and a nurse, were freed."),
        ("Should the vote be lost, the cabinet will resign.", "If the vote is lost, the cabinet will resign."),
        ("The operations were postponed.", "Planned operations were postponed."),
    ],
)
def test_what_says_the_same_passes(text: str, span: str) -> None:
    assert alone(text, span).verdict is SUPPORTED


@pytest.mark.parametrize(
    ("text", "span", "kind"),
    [
        ("The striker scored in minute 28.", "The striker scored in the 27th minute of the match.", "number"),
        ("The wreck lies about 60 miles off the coast.", "The wreck lies about 60 kilometres off the coast.", "number"),
        ("The panel cost two million euros.", "The panel cost two million francs.", "number"),
        ("170 people were killed in the flood.", "At least 170 people were killed in the flood.", "number"),
        ("The yard wants 200 workers.", "The yard wants more than 200 workers.", "number"),
        ("The plane landed at 20:17.", "The plane landed at 20.07.", "number"),
        ("A third of the chambers were installed by June.", "Of four required chambers, two were installed.", "number"),
        ("Rahm did not order troops to the border.", "Rahm ordered 20,000 troops to the border.", "negation"),
        ("The rebels took every district of the north.", "The rebels took most districts of the north.", "direction"),
        ("The winner gets 200,000 francs.", "The winner gets 300,000 francs, the loser 200,000.", "number"),
        ("Marin has 205 ships.", "Marin has 612 ships; Costa has 205 ships.", "number"),
        ("Four men were arrested on Friday.", "Eleven men were arrested on Friday; four of them are free.", "number"),
        ("Three of the nine boats sank.", "Two of the nine boats sank on Friday.", "number"),
        ("All of the boats sank on Friday.", "Two of the nine boats sank on Friday.", "quantity"),
        ("None of the boats sank on Friday.", "Two of the nine boats sank on Friday.", "quantity"),
        ("All divers came back to the harbour.", "About 20 divers came back to the harbour.", "quantity"),
    ],
)
def test_what_says_more_fails(text: str, span: str, kind: str) -> None:
    statement = alone(text, span)
    assert statement.verdict is not SUPPORTED
    assert kind in {check.kind for check in statement.checks if not check.passed}


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("The mayor, Otto Vane, left the town by boat and was arrested at the lighthouse.", MAYOR, "Ilse Brandt"),
        ("Judge Ann Crole read the sentence in Arlow on Friday.", HEARING, "Marden"),
    ],
)
def test_a_name_from_elsewhere_in_the_article_contradicts_where_the_span_has_another(
    text: str, quote: str, found: str
) -> None:
    statement = checked(text, cited(news(FALL, MAYOR, GOVERNOR, HEARING), quote))
    assert statement.verdict is CONTRADICTED
    assert next(c.found for c in statement.checks if c.kind == "name" and not c.passed) == found


def test_a_name_from_elsewhere_in_the_article_passes_where_the_span_has_none() -> None:
    source = news(MAYOR, "She said that the town was lost without a fight.")
    span = cited(source, "She said that the town was lost without a fight.")
    assert checked("Ilse Brandt said that the town was lost without a fight.", span).verdict is SUPPORTED


def test_nothing_happens_in_a_capital_because_its_country_is_named() -> None:
    source = news("China's minister received the envoys in Tianjin on Monday.", "Beijing has not commented.")
    span = cited(source, "China's minister received the envoys in Tianjin on Monday.")
    assert checked("The minister received the envoys in Beijing.", span).verdict is CONTRADICTED
    assert checked("Beijing's minister received the envoys in Tianjin.", span).verdict is SUPPORTED


def test_whose_somebody_is_may_be_said_by_a_pronoun_before() -> None:
    coach = "Her coach, Otto Vane, complained about the noise."
    statement = checked(
        "Roth's coach complained about the noise.", cited(news("Anna Roth lost the game.", coach), coach)
    )
    assert statement.verdict is SUPPORTED


def test_other_words_are_enough_in_a_short_span() -> None:
    short = "Several villages laid down their arms without a fight, while troops crossed the river to guard the ford."
    assert alone("Several villages surrendered their weapons without fighting.", short).verdict is SUPPORTED


@pytest.mark.parametrize(
    ("text", "span", "kind"),
    [
        ("The mayor of Senn fled.", "The mayor of Arlow fled. Senn was shelled.", "role"),
        ("The bridge will open in May.", "The bridge is expected to open in May.", "modality"),
        ("The law has been signed.", "The law still has to be signed.", "modality"),
        ("The alarm rang an hour before the flood.", "The alarm rang an hour after the flood.", "sequence"),
        ("Karl Osten said that the dam was safe.", "Mira Falk said that the dam was safe.", "role"),
    ],
)
def test_what_is_joined_is_joined_in_the_evidence(text: str, span: str, kind: str) -> None:
    statement = alone(text, span)
    assert statement.verdict is not SUPPORTED
    assert kind in {check.kind for check in statement.checks if not check.passed}


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("Brell runs 340 pharmacies.", "Brell runs 340 pharmacies; Orla Health has 90 pharmacies."),
        ("The governor of Arlow fled.", "Arlow's governor fled on Monday, and so did the mayor of Senn."),
        ("The bridge will open in May.", "The city has agreed to open the bridge in May."),
        ("The trial lasted a year and a half.", "The trial lasted 18 months."),
        ("It was tried on children younger than 12 months.", "It was tried on children under 12 months."),
        ("The sale will not begin before June.", "The sale will not begin before June, Hasko said."),
        ("Ticket sales start in June at the earliest.", "Ticket sales will not start before June."),
        ("The number of members rose by 300.", "The number of members rose from 500 to 800."),
        ("Support for the party fell by 3 points.", "Support for the party fell by three points to 31 percent."),
    ],
)
def test_what_is_joined_otherwise_is_supported_all_the_same(text: str, span: str) -> None:
    assert alone(text, span).verdict is SUPPORTED


TALK = "MR. KARSTEN: We have hired 300 drivers.\nDR. MOOR: They leave again.\nMR. KARSTEN: Few of them do."


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("Mr. Karsten said that 300 drivers had been hired.", SUPPORTED), ("Dr. Moor hired 300 drivers.", UNSUPPORTED)],
)
def test_who_speaks_is_whom_the_label_names(text: str, verdict: Verdict) -> None:
    assert checked(text, cited(news(TALK), "We have hired 300 drivers.")).verdict is verdict
