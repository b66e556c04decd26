"""Timelines, through the Library."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.errors import EmptyLibraryError, InputError
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Precision, Reason, Status, Verdict, Window


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("seeded") / "library", offline=True) as library:
        library.add("seeds")
        yield library


@pytest.fixture
def of(tmp_path: Path) -> Iterator[Any]:
    """A library of texts by the day of their publication."""
    with Library(tmp_path / "library", offline=True) as library:

        def filled(*texts: tuple[str | None, str]) -> Library:
            library.add(
                *(article(text, id=f"a{i}", title=f"Report {i}", published=day) for i, (day, text) in enumerate(texts))
            )
            return library

        yield filled


def days(library: Library, **options: Any) -> list[str]:
    return [event.day for event in library.timeline(**options).events]


def test_events_have_their_own_dates(seeded: Library) -> None:
    events = {event.statement.text: event for event in seeded.timeline(max_events=20).events}
    order = next(event for text, event in events.items() if "20,000 reserve troops" in text)
    meeting = next(event for text, event in events.items() if "met Taliban leaders" in text)
    assert (order.date, order.precision, order.stated) == (date(2021, 7, 5), Precision.DAY, True)
    assert (meeting.date, meeting.precision, meeting.stated) == (date(2021, 7, 7), Precision.DAY, True)


def test_what_gives_no_date_has_that_of_its_article_and_says_so(seeded: Library) -> None:
    events = seeded.timeline(max_events=20).events
    fall = next(event for event in events if "captured 10%" in event.statement.text)
    assert (fall.day, fall.stated) == ("2021-07-07", False)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Militants attacked the town of Ghazni on Monday.", "2021-07-05"),
        ("Militants attacked the town of Ghazni yesterday evening.", "2021-07-06"),
        ("Delegates will meet again in Doha on Friday.", "2021-07-09"),
        ("The army will defend the town of Ghazni, its spokesman said on Friday.", "2021-07-02"),
        ("Militants attacked the town of Ghazni on 12 June.", "2021-06-12"),
        ("Militants attacked the town of Ghazni in March 2020.", "2020-03"),
        ("Militants attacked the town of Ghazni last month.", "2021-06"),
        ("Militants attacked the town of Ghazni in 2018.", "2018"),
        ("Since 2001 militants have attacked the town of Ghazni.", "2021-07-07"),
        ("Militants left the town of Ghazni after Monday's attack.", "2021-07-07"),
    ],
)
def test_a_date_is_worked_out_from_the_day_of_publication_and_no_more_precise_than_it_is(
    of: Any, text: str, day: str
) -> None:
    assert days(of(("2021-07-07", text))) == [day]


def test_days_that_the_sentences_before_tell_are_worked_out(of: Any) -> None:
    text = "Farah fell to the Taliban on Tuesday. The town of Aybak had been taken a day earlier."
    assert days(of(("2021-08-10", text))) == ["2021-08-09", "2021-08-10"]


def test_what_is_admitted_weeks_later_is_an_event_of_the_day_on_which_it_is_admitted(of: Any) -> None:
    text = "The drone strike in Kabul on 29 August killed ten civilians, the Pentagon admitted on Friday."
    assert days(of(("2021-09-17", text)), max_events=1) == ["2021-09-17"]


def test_what_has_neither_a_date_nor_a_name_nor_a_number_is_no_event(of: Any) -> None:
    text = "Seven people died in Ghazni on Sunday. The evacuation went on during the day without them."
    assert days(of(("2021-08-22", text))) == ["2021-08-22"]


def test_without_a_day_of_publication_only_whole_dates_count(of: Any) -> None:
    library = of((None, "Militants attacked Ghazni on Monday. Militants left the town of Ghazni on 12 June 2021."))
    assert days(library) == ["2021-06-12"]


def test_what_several_articles_tell_of_a_day_is_one_event_that_cites_them(of: Any) -> None:
    library = of(
        ("2021-08-08", "Taliban fighters captured the city of Kunduz on Sunday."),
        ("2021-08-09", "Taliban fighters captured the city of Kunduz on 8 August."),
        ("2021-08-15", "Taliban fighters captured the city of Kabul on Sunday."),
    )
    events = library.timeline().events
    assert [event.day for event in events] == ["2021-08-08", "2021-08-15"]
    assert {citation.article.id for citation in events[0].statement.citations} == {"a0", "a1"}


def test_of_too_many_events_the_most_important_are_shown_in_order(of: Any) -> None:
    library = of(
        (
            "2021-08-08",
            "Taliban fighters captured the city of Kunduz on Sunday, and 40 soldiers died. A bus was late today.",
        ),
        ("2021-08-09", "On Sunday 40 soldiers died when Kunduz fell. The street lamps were repaired today."),
        ("2021-08-15", "President Ashraf Ghani left Kabul on Sunday with 200 aides. A shop was opened today."),
    )
    found = library.timeline(max_events=2)
    assert [event.day for event in found.events] == ["2021-08-08", "2021-08-15"]
    assert sorted(event.rank for event in found.events) == [1, 2]
    assert len(library.timeline(max_events=20).events) > 2


def test_every_event_is_checked_and_cited_to_an_exact_span(seeded: Library) -> None:
    timeline = seeded.timeline()
    assert [c.number for c in timeline.citations] == list(range(1, len(timeline.citations) + 1))
    for statement in timeline.statements:
        assert statement.verdict is Verdict.SUPPORTED
        for citation in statement.citations:
            assert citation.article.text[citation.start : citation.end] == citation.quote


def test_a_topic_and_a_window_limit_it(of: Any) -> None:
    library = of(
        ("2021-08-08", "Taliban fighters captured the city of Kunduz on Sunday."),
        ("2021-08-10", "Delegations resumed the negotiations in Doha on Tuesday."),
    )
    assert days(library, topic="negotiations") == ["2021-08-10"]
    assert days(library, window=Window(as_of=date(2021, 8, 9))) == ["2021-08-08"]
    assert days(library, topic="football") == []


_HARBOUR = (
    ("2021-03-02", "Rebels attacked two villages near Marsa on Tuesday."),
    ("2021-03-05", "Rebels entered the harbour of Marsa on Friday."),
    ("2021-03-09", "Rebels closed the courts of Marsa on Tuesday."),
)


@pytest.mark.parametrize(
    ("clause", "told"),
    [
        ("after they entered the harbour", ["2021-03-05", "2021-03-09"]),
        ("before they entered the harbour", ["2021-03-02"]),
        ("until they entered the harbour", ["2021-03-02", "2021-03-05"]),
    ],
)
def test_a_topic_may_go_from_an_event_on_or_up_to_one(of: Any, clause: str, told: list[str]) -> None:
    assert days(of(*_HARBOUR), topic=f"rebels {clause}") == told


def test_an_event_that_no_article_tells_limits_no_topic(of: Any) -> None:
    told = days(of(*_HARBOUR), topic="rebels near Marsa after the rebels left Marsa")
    assert told == ["2021-03-02", "2021-03-05", "2021-03-09"]


def test_the_day_of_the_event_that_a_topic_goes_from_is_that_of_most_outlets(tmp_path: Path) -> None:
    with Library(tmp_path / "library", offline=True) as library:
        for source, text in (
            ("Coast Post", "Rebels entered the harbour of Marsa on 4 March 2021."),
            ("Bay News", "Rebels entered the harbour of Marsa on 5 March 2021."),
            ("Reef Wire", "Rebels entered the harbour of Marsa on 5 March 2021, a captain said."),
        ):
            library.add(article(text, id=source, title=source, source=source, published="2021-03-06"))
        told = days(library, topic="rebels in Marsa after the rebels entered the harbour")
    assert told == ["2021-03-05"]


def test_a_report_begins_the_event_though_a_later_sentence_names_the_topic(of: Any) -> None:
    library = of(
        ("2021-03-02", "Four rockets landed beside the palace of Marsa on Tuesday. The Dune Front claimed the attack."),
        ("2021-03-05", "Gunmen killed 12 guards in an attack on the bridge of Marsa on Friday."),
        ("2021-03-09", "Traders opened 20 new shops at the market of Marsa on Tuesday."),
    )
    told = {event.day: event.statement.text for event in library.timeline(topic="attacks", max_events=2).events}
    assert told.keys() == {"2021-03-02", "2021-03-05"}
    assert "Four rockets landed" in told["2021-03-02"]


def test_nothing_is_told_with_its_reason(seeded: Library) -> None:
    off_topic = seeded.timeline(topic="football")
    outside = seeded.timeline(window=Window(since=date(2022, 1, 1)))
    assert (off_topic.status, off_topic.reason) == (Status.ABSTAINED, Reason.NOT_IN_ARTICLES)
    assert (outside.status, outside.reason) == (Status.ABSTAINED, Reason.OUTSIDE_DATES)


def test_the_json_has_a_date_a_precision_and_one_statement_for_each_event(seeded: Library) -> None:
    record = seeded.timeline(max_events=2).to_dict()
    assert [sorted(event) for event in record["events"]] == [["date", "precision", "rank", "stated", "statement"]] * 2
    assert record["events"][0]["date"] == "2021-07-05"
    assert record["events"][0]["precision"] == "day"
    assert record["events"][0]["statement"]["citations"] == [1]
    assert len(record["citations"]) == 2


def test_an_empty_library_and_no_room_are_errors(tmp_path: Path, seeded: Library) -> None:
    with Library(tmp_path / "library") as library, pytest.raises(EmptyLibraryError):
        library.timeline()
    with pytest.raises(InputError, match="max_events is 0"):
        seeded.timeline(max_events=0)


def test_the_one_liner_makes_a_timeline_of_files() -> None:
    assert rag.timeline("seeds", max_events=1).events[0].day == "2021-07-07"


def test_an_event_that_a_later_article_corrects_has_both_reports(of: Any) -> None:
    library = of(
        ("2021-07-06", "The Taliban now control 150 of the districts of Afghanistan, the government said."),
        ("2021-07-21", "The Taliban now control 200 of the districts of Afghanistan, the government said."),
    )
    for found in (library.timeline(), library.timeline(topic="districts of Afghanistan")):
        (event,) = found.events
        (told,) = found.differing(event)
        other = "Reported later: “The Taliban now control 200 of"
        if event.day == "2021-07-21":
            other = "Reported before: “The Taliban now control 150 of"
        assert told.startswith(other)
        assert type(found).from_dict(found.to_dict()).to_dict() == found.to_dict()


def test_what_is_not_found_to_differ_is_not_said_to(of: Any) -> None:
    library = of(
        ("2021-07-06", "The Taliban now control 150 of the districts of Afghanistan, the government said."),
        ("2021-07-21", "The Taliban now control 20 of the airports of Tajikistan, the ministry in Dushanbe said."),
    )
    found = library.timeline()
    assert found.conflicts == ()
    assert "conflicts" not in found.to_dict()


LEAK = "Solvent from the Brell plant leaked into Lake Aran on Monday, the water board said."
NO_LEAK = "The company Brell said on Tuesday that no solvent had leaked from its plant into Lake Aran."


def test_what_another_article_denies_has_both_sides(of: Any) -> None:
    library = of(("2024-06-03", LEAK), ("2024-06-04", NO_LEAK))
    found = library.timeline()
    lines = {event.statement.text: found.differing(event) for event in found.events}
    assert lines[LEAK] == ["Sources differ.", f"- “{NO_LEAK}” [2] 4 June 2024"]
    summary = library.summarize(topic="solvent in Lake Aran")
    assert {LEAK, NO_LEAK} == {s.text for s in summary.statements}
    assert summary.text.endswith("Sources differ: [2], [1].")


def test_a_sentence_comes_with_the_one_behind_it_that_denies_it(of: Any) -> None:
    claim = "Opposition deputy Hugo Sand said that the dam of Pell burst on 3 June."
    denial = "Governor Celine Abadie denied this and said that nobody had opened a gate of it."
    library = of(("2024-06-04", f"{claim} {denial} The lake of Pell was empty on 4 June, the farmers there said."))
    assert f"{claim} {denial}" in [event.statement.text for event in library.timeline().events]
    assert f"{claim} {denial}" in [s.text for s in library.summarize(topic="dam of Pell").statements]


def test_a_plan_that_a_later_article_overtakes_is_marked_or_left_out(of: Any) -> None:
    plan, end = (
        "A festival at Lake Aran is planned for 15 June.",
        "The town called off the festival at Lake Aran on 15 June.",
    )
    library = of(("2024-06-03", plan), ("2024-06-10", end))
    assert [event.statement.text for event in library.timeline().events] == [end]
    found = library.timeline(max_events=1)
    assert found.events[0].statement.text == end or found.differing(found.events[0])[0].startswith("Reported later")
    assert plan not in library.summarize(topic="festival at Lake Aran").text
