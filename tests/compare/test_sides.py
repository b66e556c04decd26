"""What articles answer differently to one question: numbers, days and names that the reader points at."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rag.compare.sides import Side, latest, sides
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.reader import Reading
from rag.retrieval.rerank import Sentence
from rag.retrieval.retriever import Retrieved
from rag.schema import Article, Citation, Dispute, Hit, Passage, Span, Statement


def told(text: str, source: str, day: str = "2021-08-16") -> Article:
    return article(text, title=f"News of {source}", source=source, published=day)


def read(answers: Sequence[tuple[Article, str, float]]) -> Retrieved:
    """What was retrieved: each article is a sentence, with an answer in it and its reading."""
    hits, sentences = [], []
    for place, (written, answer, score) in enumerate(answers):
        whole, at = Span(0, len(written.text)), written.text.index(answer)
        passage = Passage(f"p{place}", written.id, 0, len(written.text), written.text)
        hits.append(Hit(passage, written, 1.0))
        reading = Reading(score, Span(at, at + len(answer)), score)
        sentences.append(Sentence(passage.id, whole, written.text, frozenset(), {}, 10.0 - place, reading=reading))
    return Retrieved(tuple(hits), tuple(sentences), frozenset(), {})


def found(answers: Sequence[tuple[Article, str, float]]) -> list[Side]:
    """The sides of the first article's statement."""
    first = answers[0][0]
    citation = Citation(1, first, "p0", 0, len(first.text), first.text)
    return sides([Statement(first.text, (citation,))], read(answers))


def later(answers: Sequence[tuple[Article, str, float]], asked: str) -> str | None:
    """What the latest article says otherwise than the first one."""
    retrieved = read(answers)
    sentence = latest(retrieved.sentences[0], asked, retrieved)
    return sentence and sentence.text


def values(answers: Sequence[tuple[Article, str, float]]) -> list[str]:
    return [side.value for side in found(answers)]


FIVE = told("At least five people were killed in the crush at Bala airport on Monday, witnesses said.", "Pamir Wire")
SEVEN = told(
    "At least seven people were killed in the crush at Bala airport on Monday, officials said.", "Kabul Ledger"
)


def test_two_numbers_of_one_thing_are_sides() -> None:
    assert values([(FIVE, "five", 2.0), (SEVEN, "seven", 1.5)]) == ["At least five", "At least seven"]


def test_one_that_the_reader_does_not_hold_for_an_answer_is_none() -> None:
    assert values([(FIVE, "five", 2.0), (SEVEN, "seven", 0.4)]) == []


def test_what_is_said_of_another_thing_is_no_side() -> None:
    other = told(
        "At least seven people were killed in another crush at Bala airport on Monday, officials said.", "Ledger"
    )
    assert values([(FIVE, "five", 4.0), (other, "seven", 4.0)]) == []


def test_what_each_day_costs_is_no_side_of_what_all_cost() -> None:
    whole = told("The strike at Bala airport cost the line 15 million crowns, it said.", "Pamir Wire", "2021-08-20")
    day = told("Each day of the strike at Bala airport cost the line 1.2 million crowns, it said.", "Kabul Ledger")
    later = told("The strike at Bala airport cost the line 17 million crowns, it said.", "Ledger", "2021-08-24")
    assert values([(whole, "15 million", 4.0), (day, "1.2 million", 4.0)]) == []
    assert values([(whole, "15 million", 4.0), (later, "17 million", 4.0)]) == [
        "15 million crowns",
        "17 million crowns",
    ]


def test_two_articles_of_one_outlet_and_day_are_not_compared() -> None:
    again = told(SEVEN.text, "Pamir Wire")
    assert values([(FIVE, "five", 2.0), (again, "seven", 2.0)]) == []


@pytest.mark.parametrize(
    "other",
    [
        "At least seven soldiers were killed in the crush at Bala airport on Monday, officials said.",
        "At least seven people were killed in the crush at Bala airport on Sunday, officials said.",
        "Seven of the nine people were killed in the crush at Bala airport on Monday, officials said.",
        "At least seven people are missing since the crush at Bala airport on Monday, officials said.",
    ],
)
def test_what_counts_something_else_is_no_side(other: str) -> None:
    answer = "seven" if "seven" in other else "Seven"
    assert values([(FIVE, "five", 4.0), (told(other, "Kabul Ledger"), answer, 4.0)]) == []


def test_a_bound_agrees_with_what_it_holds_of_and_a_rounding_with_its_number() -> None:
    exact = told("Six people were killed in the crush at Bala airport on Monday, officials said.", "Kabul Ledger")
    assert values([(FIVE, "five", 2.0), (exact, "Six", 2.0)]) == []
    about = told("About 2,000 people fled from Bala airport on Monday, aid workers said.", "Pamir Wire")
    count = told("1,960 people fled from Bala airport on Monday, the ministry said.", "Kabul Ledger")
    assert values([(about, "2,000", 2.0), (count, "1,960", 2.0)]) == []


def test_a_plain_answer_may_be_in_other_words() -> None:
    first = told("The ferry went over at 7:40 in the evening, halfway to Rusk.", "Pamir Wire")
    other = told("It sank at 6:10 in the evening, after it had left the harbour.", "Kabul Ledger")
    assert values([(first, "7:40", 4.0), (other, "6:10", 2.0)]) == []
    assert values([(first, "7:40", 4.0), (other, "6:10", 3.5)]) == ["7:40", "6:10"]


def test_names_differ_if_little_else_does() -> None:
    first = told("The aircraft of the adviser, Hamid Mohib, landed in Tashkent on Sunday, a guard said.", "Pamir Wire")
    other = told(
        "An aircraft with the adviser, Hamid Mohib, landed in Dushanbe on Sunday, a worker said.", "Kabul Ledger"
    )
    alien = told("The adviser, Hamid Mohib, has been seen in Dushanbe with a group of his men.", "Kabul Ledger")
    assert values([(first, "Tashkent", 2.0), (other, "Dushanbe", 0.5)]) == ["Tashkent", "Dushanbe"]
    assert values([(first, "Tashkent", 4.0), (alien, "Dushanbe", 4.0)]) == []


def test_a_day_to_come_can_be_put_off_and_one_that_is_past_cannot() -> None:
    planned = told("The third round of the talks in Ula is planned for 2 March.", "Pamir Wire", "2021-02-09")
    later = told("The third round of the talks in Ula is planned for 9 March.", "Pamir Wire", "2021-02-12")
    assert all(side.is_revisable for side in found([(planned, "2 March", 2.0), (later, "9 March", 2.0)]))
    fell = told("The port of Ula was lost on 22 June, a member of the council said.", "Pamir Wire", "2021-07-03")
    other = told("The port of Ula was lost on 21 June, traders said.", "Kabul Ledger", "2021-07-04")
    assert [side.is_revisable for side in found([(fell, "22 June", 2.0), (other, "21 June", 2.0)])] == [False, False]


def test_an_answer_has_the_sides_as_a_conflict(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        library.add(FIVE, SEVEN)
        answer = library.ask("How many people were killed in the crush at Bala airport?")
    (conflict,) = answer.conflicts
    assert conflict.kind is Dispute.CONFLICT
    assert {position.value for position in conflict.positions} == {"At least five", "At least seven"}


BURNED = told("The fire in the Orrin hills has burned 340 hectares.", "Pamir Wire")
IN_ALL = told("In all 5,350 hectares burned and 94 houses were destroyed.", "Kabul Ledger", "2021-10-19")


def test_the_latest_article_may_give_another_number_long_after() -> None:
    assert later([(BURNED, "340 hectares", 0.1), (IN_ALL, "94 houses", 0.0)], "hectar") == IN_ALL.text


def test_an_earlier_number_and_one_of_another_thing_do_not_lead() -> None:
    assert later([(IN_ALL, "5,350", 0.1), (BURNED, "340", 0.0)], "hectar") is None
    assert later([(BURNED, "340 hectares", 0.1), (IN_ALL, "94 houses", 0.0)], "tree") is None


def test_a_later_number_that_the_reader_does_not_hold_for_an_answer_does_not_lead() -> None:
    assert later([(BURNED, "340 hectares", 0.1), (IN_ALL, "5,350", -3.0)], "hectar") is None


def test_a_later_number_of_another_place_does_not_lead() -> None:
    other = told("A fire near Kander has burned 900 hectares.", "Kabul Ledger", "2021-08-20")
    assert later([(BURNED, "340 hectares", 0.1), (other, "900", 0.0)], "hectar") is None
