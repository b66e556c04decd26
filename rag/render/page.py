"""Writes results as HTML, and fills the templates of other pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from rag.render.axis import axis
from rag.render.lines import origin, safe
from rag.render.links import link
from rag.schema import Event, Timeline

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
    shown = {"heading": title(timeline), "reach": reach(timeline), "axis": axis(timeline)}
    named = ": ".join(filter(None, (shown["heading"], shown["reach"])))
    return rendered("render/timeline.html", title=named, timeline=timeline, link=link, origin=origin, **shown)


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
