"""Event days: kept with the passages, and what they do for a question."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Window
from rag.store.catalog import VERSION
from rag.text.calendar import Period

ALL = Window()
AUGUST_8 = Period(date(2021, 8, 8), date(2021, 8, 8))
BRIDGE = article(
    "The bridge of Kunduz was blown up on Sunday. Nobody crosses.", id="bridge", title="B", published="2021-08-10"
)
LATER = article("The bridge of Kunduz was blown up on Sunday.", id="bridge", title="B", published="2021-08-20")


@pytest.fixture(params=["sqlite", "postgres"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    catalog = request.getfixturevalue("database") if request.param == "postgres" else None
    with Library(tmp_path / "library", catalog=catalog, offline=True) as made:
        yield made


def during(library: Library, period: Period = AUGUST_8, window: Window = ALL) -> list[str]:
    ids = library.catalog.events.during(period, window, most=10)
    return [row.passage.article_id for row in library.catalog.passages(ids)]


def days(library: Library) -> list[str]:
    ids = library.catalog.admitted(ALL)
    return [str(event) for events in library.catalog.events.of(ids).values() for event in events]


def test_the_day_that_a_weekday_means_is_kept_with_its_passage(library: Library) -> None:
    library.add(BRIDGE)
    assert (days(library), during(library)) == (["8 August 2021"], ["bridge"])
    assert during(library, Period(date(2021, 8, 9), date(2021, 8, 31))) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("They met between 5 and 7 July.", ["5–7 July 2021"]),
        ("They met last week.", ["2–8 August 2021"]),
        ("They met in July 2020, and two days ago.", ["July 2020", "8 August 2021"]),
        ("Three weeks earlier they met.", ["17–23 July 2021"]),
        ("They may meet again.", []),
    ],
)
def test_dates_of_all_kinds_are_kept_with_their_precision(library: Library, text: str, expected: list[str]) -> None:
    library.add(article(text, id="a", title="B", published="2021-08-10"))
    assert days(library) == expected


def test_a_window_hides_the_days_of_what_it_hides(library: Library) -> None:
    library.add(BRIDGE)
    assert during(library, window=Window(as_of=date(2021, 8, 9))) == []


def test_the_days_of_what_is_removed_are_removed(library: Library) -> None:
    library.add(BRIDGE)
    library.remove("bridge")
    assert library.catalog.events.count() == 0


def test_a_revision_has_its_own_days_and_not_those_of_before(library: Library) -> None:
    library.add(BRIDGE)
    library.add(LATER)
    assert days(library) == ["15 August 2021"]


def test_reindexing_makes_the_days_anew(library: Library) -> None:
    library.add(BRIDGE)
    with library.catalog.writing():
        library.catalog.events.clear()
    library.reindex()
    assert days(library) == ["8 August 2021"]


def test_a_catalog_of_before_answers_and_gets_its_days_with_the_next_change(tmp_path: Path) -> None:
    library = Library(tmp_path, offline=True)
    library.add(BRIDGE)
    library.close()
    with sqlite3.connect(library.path / "catalog.sqlite") as old:
        old.executescript("DROP TABLE event_days; DROP TABLE orders; PRAGMA user_version = 1;")
    old.close()
    assert library.ask("When was the bridge of Kunduz blown up in August?").statements
    assert (library.catalog.version, days(library)) == (1, [])
    library.add(article("Nothing.", id="other", title="Other", published="2021-08-11"))
    assert (library.catalog.version, days(library)) == (VERSION, ["8 August 2021"])


def attack(day: str, killed: int) -> Article:
    return article(
        f"A bomb at the market of Farah killed {killed} people on Saturday, officials said.",
        id=day,
        title="Bomb in Farah",
        published=day,
    )


@pytest.mark.parametrize(
    ("question", "as_of", "first"),
    [
        ("How many people did the bomb in Farah kill on 3 July?", None, "2021-07-06"),
        ("How many people did the bomb in Farah kill on 31 July?", None, "2021-08-03"),
        ("How many people did the bomb in Farah kill in the last days of July?", None, "2021-08-03"),
        ("How many people did the bomb in Farah kill between 10 and 18 July?", None, "2021-07-20"),
        ("How many people did the bomb in Farah kill before the talks on 8 July?", None, "2021-07-06"),
        ("How many people did the bomb in Farah kill on Saturday?", "2021-07-22", "2021-07-20"),
        ("How many people did the bomb in Farah kill last week?", "2021-07-22", "2021-07-20"),
    ],
)
def test_a_question_finds_first_what_happened_on_its_days_though_all_is_found(
    library: Library, question: str, as_of: str | None, first: str
) -> None:
    library.add(attack("2021-07-06", 12), attack("2021-07-20", 23), attack("2021-08-03", 34))
    window = Window(as_of=date.fromisoformat(as_of) if as_of else None)
    found = [hit.article.id for hit in library.search(question, window=window).hits]
    assert found[0] == first
    assert len(found) == (2 if as_of else 3)


def test_what_a_late_article_tells_of_a_day_comes_before_what_an_article_of_that_time_tells_of_another(
    library: Library,
) -> None:
    told = "A bomb at the market of Farah killed {} people on {}, officials said."
    library.add(
        article(told.format(12, "Sunday"), id="near", title="Bomb in Farah", published="2021-08-04"),
        article(told.format(23, "Tuesday"), id="late", title="Bomb in Farah", published="2021-08-09"),
    )
    found = library.search("How many people did the bomb in Farah kill on 3 August?")
    assert [hit.article.id for hit in found.hits] == ["late", "near"]
