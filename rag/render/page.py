"""Writes timelines as pages of Markdown and HTML, and fills the templates of other pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from rag.render.lines import origin, safe
from rag.schema import Event, Timeline

if TYPE_CHECKING:
    from jinja2 import Environment

MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")
"""What Markdown may read as more than text."""
_MOST_BARS = 40


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
    """The timeline as HTML, with a picture of the events by date, and its sources folded in."""
    return rendered(
        "render/timeline.html", title=_title(timeline), timeline=timeline, bars=bars(timeline.events), origin=origin
    )


def markdown_page(timeline: Timeline) -> str:
    """Headings, a picture in characters, the events, and the sources below."""
    lines = [f"# {plain(_title(timeline))}", ""]
    if not timeline.events:
        return "\n".join((*lines, plain(timeline.text), ""))
    lines += ["```text", *(f"{bar.label:10} {'█' * bar.count} {bar.count}" for bar in bars(timeline.events)), "```", ""]
    for event in timeline.events:
        note = "" if event.stated else " *(day of publication)*"
        marks = "".join(f"\\[{citation.number}\\]" for citation in event.statement.citations)
        doubt = f" **({event.statement.doubt})**" if event.statement.doubt else ""
        lines.append(f"- **{event.day}**{note} {plain(event.statement.text)} {marks}{doubt}")
    lines += ["", "<details><summary>Sources</summary>", ""]
    lines += [f"{c.number}. {plain(origin(c.article))}: “{plain(c.quote)}”" for c in timeline.citations]
    return "\n".join((*lines, "", "</details>", ""))


def plain(text: str) -> str:
    """A text from outside as Markdown that shows it as it is, on one line."""
    return MARKUP.sub(r"\\\1", " ".join(safe(text).split()))


def _title(timeline: Timeline) -> str:
    return f"Timeline: {timeline.topic}" if timeline.topic else "Timeline"


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
