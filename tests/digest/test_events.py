"""The events of a library, in its briefing and on a topic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rag.digest.briefing import unknown_section
from rag.digest.excerpts import of_window
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Length, Summary, Window

CORPORA = Path(__file__).parents[2] / "evals" / "corpora"
BACKGROUND = ("600,000 people", "1968", "founded in 1610", "smallest country", "since 2015", "named after a poet")


@pytest.fixture(scope="module")
def quake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("quake") / "library", offline=True) as library:
        library.add(str(CORPORA / "earthquake"))
        yield library


def said(summary: Summary) -> str:
    return " ".join(statement.text for statement in summary.statements)


@pytest.mark.parametrize("length", [Length.MEDIUM, Length.LONG])
def test_the_biggest_events_are_in_a_briefing_and_no_background(quake: Library, length: Length) -> None:
    text = said(quake.summarize(length=length))
    assert "magnitude 6.9" in text
    assert "1,246 people" in text
    assert not [background for background in BACKGROUND if background in text]


def test_a_topic_has_its_events_in_order_of_time_after_the_first(quake: Library) -> None:
    summary = quake.summarize(topic="the earthquake in Sarvan")
    assert "magnitude 6.9" in said(summary)
    days = [str(s.citations[0].article.published) for s in summary.statements[1:]]
    assert len(days) > 2
    assert days == sorted(days)
    assert not [background for background in BACKGROUND if background in said(summary)]


def test_an_event_of_several_outlets_comes_before_one_of_a_single_outlet(tmp_path: Path) -> None:
    reports = {
        "Coast Post": "Rebels entered the harbour of Marsa on Friday.",
        "Bay News": "Rebels entered the harbour of Marsa on Friday, residents said.",
        "Reef Wire": "The harbour of Marsa was entered by rebels on Friday.",
        "Dune Times": "A baker of Palm Hill sold 300 cakes on Friday.",
    }
    with Library(tmp_path / "library", offline=True) as library:
        for source, text in reports.items():
            library.add(article(text, id=source, title=source, source=source, published="2021-03-05"))
        summary = library.summarize(words=12)
    first = summary.sections[0].statements[0]
    assert "Marsa" in first.text
    assert len(first.outlets) > 1


def test_an_article_is_about_a_topic_by_its_headline(tmp_path: Path) -> None:
    reports = {
        "Fall of Marsa": "Rebels entered the city on Friday. The president left on a boat with 12 guards.",
        "Prices of fish rise": "A kilo of cod cost 14 crowns in Ondal on Monday, traders said.",
        "Match postponed": "The match between Ondal and Riva was postponed on Tuesday because of rain.",
        "New school opens": "A school for 400 children opened in Riva on Wednesday.",
    }
    with Library(tmp_path / "library", offline=True) as library:
        for title, text in reports.items():
            library.add(article(text, id=title, title=title, source="Post", published="2021-03-10"))
        text = said(library.summarize(topic="fall of Marsa"))
    assert "Rebels entered the city" in text
    assert "cod" not in text


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("stories") / "library", offline=True) as library:
        library.add(str(CORPORA / "stories"))
        yield library


def test_a_later_report_of_a_story_is_told_where_there_is_room_though_it_does_not_name_the_topic(
    stories: Library,
) -> None:
    text = said(stories.summarize(topic="the Mellbrook flood", words=250))
    assert "An earth dam above the village of Tarn Hollow broke" in text
    assert "State inspectors reported cracks in the dam at Tarn Hollow" in text
    assert not [other for other in ("Kestrel", "Orwell", "Bale", "Reth") if other in text]


def test_what_somebody_said_is_no_background(stories: Library) -> None:
    text = said(stories.summarize(topic="the money of the casino owner", words=120))
    assert "Bale said that the money had been a loan" in text


def test_the_event_of_another_article_comes_before_a_further_sentence_of_one(stories: Library) -> None:
    text = said(stories.summarize(topic="the election in Vardania", words=120))
    assert "court rejected the request" in text
    assert "Reth stays in office" not in text


def test_what_was_not_known_weeks_ago_is_not_in_a_briefing(tmp_path: Path) -> None:
    reports = {
        "2021-03-05": "The mayor of Marsa, Ida Holm, left her office on Friday. It was not known where she went.",
        "2021-04-20": "Ida Holm, the former mayor of Marsa, teaches at a school in Riva, its head said on Tuesday.",
        "2021-04-21": "A ferry sank off Riva on Wednesday. It was not known how many people were on board.",
    }
    with Library(tmp_path / "library", offline=True) as library:
        for day, text in reports.items():
            library.add(article(text, id=day, title=f"Report of {day}", source="Post", published=day))
        pool = of_window(library.catalog, Window())
    unknown = unknown_section([pool], date(2021, 4, 21), 400, lambda statement: statement, ())
    assert [s.text for s in unknown.statements] == ["It was not known how many people were on board."]
