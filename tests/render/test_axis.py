"""The axis of a timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from rag.ingest.metadata import article
from rag.render.page import WIDTH, Axis, axis
from rag.schema import Event, Precision, Statement, Timeline


def drawn(published: list[str | None], happened: Sequence[str] = (), precision: Precision = Precision.DAY) -> Axis:
    articles = tuple(article(f"Text {n}.", id=f"a{n}", published=day) for n, day in enumerate(published))
    events = tuple(Event(date.fromisoformat(day), precision, Statement("Kunduz fell.", ())) for day in happened)
    found = axis(Timeline(None, articles, events))
    assert found
    return found


def test_bars_stand_at_their_days_to_scale() -> None:
    found = drawn(["2021-08-01", "2021-08-01", "2021-08-04", "2021-08-10"])
    assert [(bar.label, bar.x, bar.width, bar.count, bar.height) for bar in found.bars] == [
        ("2021-08-01", 0, 68, 2, 56),
        ("2021-08-04", 204, 68, 1, 28),
        ("2021-08-10", 612, 68, 1, 28),
    ]
    assert (found.unit, found.most) == ("day", 2)


def test_events_are_in_the_middle_of_their_days() -> None:
    found = drawn(["2021-08-01", "2021-08-10"], ["2021-08-04", "2021-08-04"])
    (mark,) = found.events
    assert (mark.label, mark.x) == ("2021-08-04", pytest.approx(238))
    assert found.outside == 0


def test_what_is_far_from_all_articles_or_of_no_known_day_is_counted_and_not_drawn() -> None:
    found = drawn(["2021-08-01", "2021-08-10", "2021", None], ["1996-09-27", "2021-07-20"])
    assert [mark.label for mark in found.events] == ["2021-07-20"]
    assert (found.outside, found.undated) == (1, 2)
    month = drawn(["2021-08-01", "2021-08-10"], ["2021-08-01"], Precision.MONTH)
    assert (month.events, month.outside) == ((), 1)


def test_too_many_days_are_added_up_by_month() -> None:
    days = [str(date(2020, 1, 15) + timedelta(days=n)) for n in range(500)]
    found = drawn([*days])
    assert found.unit == "month"
    assert [(bar.label, bar.count) for bar in found.bars][:2] == [("2020-01", 17), ("2020-02", 29)]
    assert found.bars[0].x == 0
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH + 1e-9 for bar in found.bars)


@pytest.mark.parametrize(
    ("last", "labels"),
    [
        ("2021-08-01", ["2021-08-01"]),
        ("2021-08-03", ["2021-08-01", "2021-08-02", "2021-08-03"]),
        ("2021-10-15", ["2021-08-01", "2021-08-15", "2021-08-29", "2021-09-12", "2021-09-26", "2021-10-10"]),
        ("2022-02-01", ["2021-08", "2021-09", "2021-10", "2021-11", "2021-12", "2022-01", "2022-02"]),
        ("2027-01-01", ["2022", "2023", "2024", "2025", "2026", "2027"]),
        ("2090-01-01", ["2030", "2040", "2050", "2060", "2070", "2080", "2090"]),
    ],
)
def test_labels_are_evenly_apart_and_few(last: str, labels: list[str]) -> None:
    assert [label.label for label in drawn(["2021-08-01", last]).labels] == labels


def test_without_days_of_publication_the_events_alone_make_the_axis() -> None:
    found = drawn([None], ["1996-09-27", "2021-07-20"])
    assert (found.bars, [mark.label for mark in found.events]) == ((), ["1996-09-27", "2021-07-20"])
    assert axis(Timeline(None, (article("Text.", id="a"),))) is None
