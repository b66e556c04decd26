"""Writes a timeline as one page of Markdown or HTML, with its sources folded in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from rag.render.html import Html, element, html, page
from rag.render.lines import origin, safe
from rag.schema import Citation, Event, Statement, Timeline

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")
_MOST_BARS = 40
_WIDTH, _HEIGHT, _BASE, _WIDEST = 680, 90, 66, 26
_UNDATED = "The article gives no date of its own for it; this is the day of its publication."
_STYLE = """
svg { width: 100%; height: auto; } svg rect { fill: var(--mark); } svg text { fill: var(--pale); font-size: 11px; }
svg line { stroke: var(--line); }
ol { list-style: none; margin: 1.5rem 0; padding: 0 0 0 1.2rem; border-left: 2px solid var(--line); }
li { position: relative; margin: 0 0 1.4rem; overflow-wrap: anywhere; }
li::before { content: ""; position: absolute; left: -1.63rem; top: .45rem; width: .6rem; height: .6rem;
  border-radius: 50%; background: var(--mark); border: 2px solid var(--mark); }
li.published::before { background: Canvas; }
"""


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


def html_page(timeline: Timeline) -> str:
    """A page that needs nothing else: no script, no font, no picture from elsewhere."""
    reason = [] if timeline.events else [element("p", html(timeline.text))]
    events = [Html("<ol>"), *map(_item, timeline.events), Html("</ol>")] if timeline.events else []
    return page(_title(timeline), *reason, *map(Html, _picture(bars(timeline.events))), *events, style=_STYLE)


def markdown_page(timeline: Timeline) -> str:
    """Headings, a picture in characters, the events, and the sources below."""
    lines = [f"# {_plain(_title(timeline))}", ""]
    if not timeline.events:
        return "\n".join((*lines, _plain(timeline.text), ""))
    counts = bars(timeline.events)
    lines += ["```text", *(f"{bar.label:10} {'█' * bar.count} {bar.count}" for bar in counts), "```", ""]
    for event in timeline.events:
        note = "" if event.stated else " *(day of publication)*"
        lines.append(f"- **{event.day}**{note} {_plain(event.statement.text)} {_marks(event.statement)}")
    lines += ["", "<details><summary>Sources</summary>", ""]
    lines += [f"{c.number}. {_plain(origin(c.article))}: “{_plain(c.quote)}”" for c in timeline.citations]
    return "\n".join((*lines, "", "</details>", ""))


def _title(timeline: Timeline) -> str:
    return f"Timeline: {timeline.topic}" if timeline.topic else "Timeline"


def _plain(text: str) -> str:
    """A text from outside as Markdown that shows it as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(safe(text).split()))


def _marks(statement: Statement) -> str:
    marks = "".join(f"\\[{citation.number}\\]" for citation in statement.citations)
    return f"{marks} **({statement.doubt})**" if statement.doubt else marks


def _item(event: Event) -> Html:
    statement = event.statement
    doubt = f' <span class="doubt">({escape(statement.doubt)})</span>' if statement.doubt else ""
    note = "" if event.stated else f' <span class="pale" title="{_UNDATED}">published</span>'
    sources = "".join(map(_source, statement.citations))
    count = f"{len(statement.citations)} source{'s' if len(statement.citations) > 1 else ''}"
    return Html(
        f'<li class="{"stated" if event.stated else "published"}"><time datetime="{event.day}">{event.day}</time>{note}'
        f"<p>{html(statement.text)}{doubt}</p><details><summary>{count}</summary>{sources}</details></li>"
    )


def _source(citation: Citation) -> str:
    named, url = html(origin(citation.article)), citation.article.url
    is_link = url is not None and url.startswith(("https://", "http://"))
    cite = f'<a href="{escape(url or "")}" rel="noreferrer">{named}</a>' if is_link else named
    return f"<blockquote>{html(citation.quote)}<br><cite>[{citation.number}] {cite}</cite></blockquote>"


def _picture(counts: Sequence[Bar]) -> Iterator[str]:
    """The events of each day as bars, with the first and the last day below."""
    if not counts:
        return
    step, most = _WIDTH / len(counts), max(bar.count for bar in counts)
    width = min(_WIDEST, step * 0.7)
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Events by date">'
    yield f'<line x1="0" y1="{_BASE}" x2="{_WIDTH}" y2="{_BASE}"/>'
    for place, bar in enumerate(counts):
        middle, height = (place + 0.5) * step, bar.count / most * (_BASE - 16)
        yield (
            f'<rect x="{middle - width / 2:.1f}" y="{_BASE - height:.1f}" width="{width:.1f}" height="{height:.1f}">'
            f"<title>{bar.label}: {bar.count}</title></rect>"
            f'<text x="{middle:.1f}" y="{_BASE - height - 4:.1f}" text-anchor="middle">{bar.count}</text>'
        )
    every = max(1, round(70 / step))
    for place in range(0, len(counts), every):
        yield f'<text x="{(place + 0.5) * step:.1f}" y="{_BASE + 16}" text-anchor="middle">{counts[place].label}</text>'
    yield "</svg>"
