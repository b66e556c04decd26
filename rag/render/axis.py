"""Lays a timeline out along an axis of time, to scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from dateutil.rrule import DAILY, MONTHLY, YEARLY, rrule

from rag.schema import Precision, Published, Timeline

WIDTH, HEIGHT = 680.0, 56.0
"""The size of the picture above the axis."""
_NEAR = 31
"""Days: an event farther than this from all days of publication is not in the picture."""
_MOST_BARS, _MOST_LABELS, _THINNEST = 400, 8, 1.5
_STEPS = (
    *((DAILY, n, 1, 10) for n in (1, 2, 7, 14)),
    *((MONTHLY, n, 30, 7) for n in (1, 2, 3, 6)),
    *((YEARLY, n, 365, 4) for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
)
"""What labels may be apart: a unit, how many, its days and the length of its ISO 8601."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something on the axis, from `x` on; `count` and `height` are 0 for a label and for an event."""

    label: str
    x: float
    width: float = 0.0
    count: int = 0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Axis:
    """Days from left to right: bars of articles per day (`unit`), the days of events, and labels.

    `outside` counts the events that are not on it, `undated` the articles whose day is not known.
    """

    unit: str
    bars: tuple[Mark, ...]
    events: tuple[Mark, ...]
    labels: tuple[Mark, ...]
    outside: int
    undated: int

    @property
    def most(self) -> int:
        """The most articles of a bar."""
        return max((bar.count for bar in self.bars), default=0)


def axis(timeline: Timeline) -> Axis | None:
    """The axis of a timeline; None if no day is known to put on it."""
    published = [day for article in timeline.articles if (day := article.known_day)]
    happened = [event.date for event in timeline.events if event.precision is Precision.DAY]
    if published:
        low, high = min(published).toordinal() - _NEAR, max(published).toordinal() + _NEAR
        happened = [day for day in happened if low <= day.toordinal() <= high]
    if not published and not happened:
        return None
    first, last = min(published + happened), max(published + happened)
    scale = _Scale(first, (last - first).days + 1)
    unit, precision = _unit(published)
    return Axis(
        unit,
        tuple(_bars(published, precision, scale)),
        tuple(Mark(str(day), scale.x(day, 0.5)) for day in sorted(set(happened))),
        tuple(_labels(first, last, scale)),
        len([e for e in timeline.events if e.precision is not Precision.DAY or e.date not in happened]),
        len(timeline.articles) - len(published),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    first: date
    days: int

    def x(self, day: date, part: float = 0.0) -> float:
        return ((day - self.first).days + part) / self.days * WIDTH


def _unit(published: Sequence[date]) -> tuple[str, Precision]:
    """What a bar is of: a day, or a month or year if there would be too many."""
    for precision in (Precision.DAY, Precision.MONTH):
        if len({str(Published(day, precision)) for day in published}) <= _MOST_BARS:
            return precision.value, precision
    return Precision.YEAR.value, Precision.YEAR


def _bars(published: Sequence[date], precision: Precision, scale: _Scale) -> Iterator[Mark]:
    length = {Precision.MONTH: 7, Precision.YEAR: 4}.get(precision, 10)
    counts = Counter(day.isoformat()[:length] for day in published)
    for label in sorted(counts):
        start = date.fromisoformat(f"{label}-01-01"[:10])
        end = Published(start, precision).last_day
        left, right = max(0.0, scale.x(start)), min(WIDTH, scale.x(end, 1.0))
        height = counts[label] / max(counts.values()) * HEIGHT
        yield Mark(label, left, max(_THINNEST, right - left), counts[label], height)


def _labels(first: date, last: date, scale: _Scale) -> Iterator[Mark]:
    """As many days as there is room for, evenly apart: the first of a month or a year if they are far apart."""
    unit, apart, _, length = next(s for s in _STEPS if scale.days <= _MOST_LABELS * s[1] * s[2] or s is _STEPS[-1])
    start = first if unit == DAILY else date(first.year - first.year % (apart if unit == YEARLY else 1) or 1, 1, 1)
    for moment in rrule(unit, interval=apart, dtstart=start, until=last):
        if moment.date() >= first:
            yield Mark(moment.date().isoformat()[:length], scale.x(moment.date()))
