"""Event dates: which day a relative date is, and how an answer shows it."""

from collections.abc import Iterator
from datetime import date

import pytest

from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Precision, Published
from rag.text.relative_dates import event_dates
from rag.text.sentences import sentences

WEDNESDAY = Published(date(2021, 7, 7), Precision.DAY)


def days(text: str, published: Published = WEDNESDAY) -> list[str]:
    """What the relative dates of the last sentence mean."""
    return [str(found) for found in event_dates(text, sentences(text)[-1], published)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They met on Wednesday.", ["7 July 2021"]),
        ("They met on Monday.", ["5 July 2021"]),
        ("They met on Thursday.", ["1 July 2021"]),
        ("They will meet on Thursday.", ["8 July 2021"]),
        ("Another meeting was planned for Friday.", ["9 July 2021"]),
        ("He invited both sides to Tehran for Friday.", ["9 July 2021"]),
        ("The trial was postponed to Friday.", ["9 July 2021"]),
        ("The planned cleaning did not begin on Friday.", ["2 July 2021"]),
        ("Of the flights scheduled for the day two were cancelled on Monday.", ["5 July 2021"]),
        ("They hope to resume flights on Sunday.", ["11 July 2021"]),
        ("He apologised for Monday's delay.", ["5 July 2021"]),
        ("The city fell yesterday.", ["6 July 2021"]),
        ("They will meet soon, he said on Monday.", ["5 July 2021"]),
        ("The city fell two days ago.", ["5 July 2021"]),
        ("The city fell last week.", ["28 June–4 July 2021"]),
        ("The city fell last month.", ["June 2021"]),
        ("The city fell on Tuesday. The fort had been lost a day earlier.", ["5 July 2021"]),
        ("The city fell on Tuesday. Three days earlier the fort was lost.", ["3 July 2021"]),
        ("Three weeks earlier they had gone to Moscow.", ["about 16 June 2021"]),
        ("The city fell on 20 June. The army left the next day.", ["21 June 2021"]),
        ("The city fell on Tuesday. A judge was shot earlier on the same day.", ["6 July 2021"]),
        ("On Mondays they rest.", []),
        ("He offered a truce of ten days, to begin on Saturday.", []),
        ("They sentenced her, a former clerk, to seven years in prison on Monday.", ["5 July 2021"]),
        ("The relief that should arrive on Thursday is small.", []),
        ("They need at least until Friday night.", []),
        ("The exchange planned for Wednesday was put off until Friday.", ["9 July 2021"]),
        ("He will stay: the board refused to let him go on Tuesday.", ["6 July 2021"]),
        ("They will strike after talks broke down on Tuesday.", []),
        ("They will face each other in a runoff after Sunday's vote.", []),
        ("It denied that the notice of 20 May had been known on that day.", ["20 May 2021"]),
        ("They met from Monday to Tuesday.", ["5 July 2021", "6 July 2021"]),
        ("The city fell on 5 July.", []),
    ],
)
def test_a_relative_date_means_a_day(text: str, expected: list[str]) -> None:
    assert days(text) == expected


def test_without_the_day_of_the_article_a_weekday_means_nothing() -> None:
    assert days("They met on Monday.", Published(date(2021, 7, 1), Precision.MONTH)) == []


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("days")) as made:
        made.add(
            article(
                "The bridge of Kunduz was blown up on Sunday,\nofficers said. The river carried it away.",
                title="Bridge destroyed",
                published="2021-08-10",
            )
        )
        yield made


def test_an_answer_shows_the_day_as_a_mark_outside_of_the_quote(library: Library) -> None:
    answer = library.ask("When was the bridge of Kunduz blown up?")
    assert "blown up on Sunday [8 August 2021], officers said. [1]" in answer.text
    assert "2021" not in answer.statements[0].text
    assert "2021" not in answer.citations[0].quote
    note = answer.to_dict()["statements"][0]["notes"][0]
    assert note == {"at": answer.statements[0].text.index(", officers"), "text": "8 August 2021"}
