"""Writes results as HTML from templates, a timeline with its axis to scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from dateutil.rrule import DAILY, MONTHLY, YEARLY, rrule

from rag.render.lines import differences, link, notice, origin, safe
from rag.schema import AddReport, Answer, Event, Figures, Precision, Published, SearchResult, Summary, Timeline, heading

if TYPE_CHECKING:
    from jinja2 import Environment

_MOST_BARS, _MOST_OUTLETS = 40, 4


@dataclass(frozen=True, slots=True)
class Bar:
    """How many events a day, a month or a year has; `label` is its ISO 8601."""

    label: str
    count: int


def bars(events: Sequence[Event]) -> list[Bar]:
    """The events by day; by month, or by year, if these are too many. What is empty is left out."""
    by_length = [Counter(event.day[:length] for event in events) for length in (10, 7, 4)]
    counts = next((found for found in by_length if len(found) <= _MOST_BARS), by_length[-1])
    return [Bar(label, counts[label]) for label in sorted(counts)]


def rendered(template: str, **values: Any) -> str:
    """The page of a template in `rag`, which needs nothing else: no script, no font, no picture from elsewhere.

    Each text is escaped, and put on one line without terminal sequences or invisible characters.
    """
    return _environment().get_template(template).render(**values)


def html_page(timeline: Timeline) -> str:
    """The timeline as HTML, with the articles by day on an axis to scale, and its sources folded in."""
    named, around = title(timeline), reach(timeline)
    shown = {"title": ": ".join(filter(None, (named, around))), "heading": named, "reach": around}
    return rendered("render/timeline.html", timeline=timeline, axis=axis(timeline), link=link, origin=origin, **shown)


def html(result: Answer | Summary | Timeline | SearchResult | Figures | AddReport) -> str:
    """The result as a part of a page, with its sources as links that mark the quotes."""
    kind = type(result).__name__.lower()
    told = notice(result) if isinstance(result, Answer) and result.question else None
    named = {"differences": differences, "heading": heading, "link": link, "origin": origin}
    return rendered("render/notebook.html", kind=kind, result=result, notice=told, **named)


def title(timeline: Timeline) -> str:
    """The heading of a timeline."""
    return f"Timeline: {timeline.topic}" if timeline.topic else "Timeline"


def reach(timeline: Timeline) -> str:
    """The first and last day of the events, and the outlets of their sources."""
    days = [event.day for event in timeline.events]
    cited = (c.article.source for event in timeline.events for c in event.statement.citations)
    outlets = list(dict.fromkeys(outlet for outlet in cited if outlet))
    more = [f"{len(outlets) - _MOST_OUTLETS} more"] if len(outlets) > _MOST_OUTLETS else []
    period = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else ""
    return "; ".join(filter(None, (period, ", ".join((*outlets[:_MOST_OUTLETS], *more)))))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader

    def finalize(value: Any) -> Any:
        return " ".join(safe(value).split()) if type(value) is str else value  # markup has a type of its own

    return Environment(
        loader=PackageLoader("rag", ""),
        autoescape=True,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


WIDTH, HEIGHT = 680.0, 56.0
"""The size of the picture above the axis."""
_NEAR = 31
"""Days: an event farther than this from all days of publication is not in the picture."""
_MOST_COLUMNS, _MOST_LABELS, _THINNEST = 400, 8, 1.5


@dataclass(frozen=True, slots=True)
class _Step:
    """How far labels are apart: so many of a unit, the days of one, and the length of its ISO 8601."""

    unit: Literal[0, 1, 3]
    count: int
    days: int
    length: int


_STEPS = (
    *(_Step(DAILY, n, 1, 10) for n in (1, 2, 7, 14)),
    *(_Step(MONTHLY, n, 30, 7) for n in (1, 2, 3, 6)),
    *(_Step(YEARLY, n, 365, 4) for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
)


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
        if len({str(Published(day, precision)) for day in published}) <= _MOST_COLUMNS:
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
    step = next(s for s in _STEPS if scale.days <= _MOST_LABELS * s.count * s.days or s is _STEPS[-1])
    whole = first.year - first.year % (step.count if step.unit == YEARLY else 1)
    start = first if step.unit == DAILY else date(whole or 1, 1, 1)
    for moment in rrule(step.unit, interval=step.count, dtstart=start, until=last):
        if moment.date() >= first:
            yield Mark(moment.date().isoformat()[: step.length], scale.x(moment.date()))
