"""Writes timelines for spreadsheets and calendars."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from rag.render.lines import link, origin, safe
from rag.render.page import title
from rag.render.tables import csv_bytes, rows
from rag.schema import Event, Precision, Published, Timeline

_COLUMNS = (
    *("date", "stated", "importance", "statement", "verdict", "speaker", "differing"),
    *("citation", "quote", "link", "article_id", "title", "source", "published", "url"),
)
_LINE = 75
"""The most octets of a line of a calendar, by RFC 5545, 3.1."""


def csv_timeline(timeline: Timeline) -> bytes:
    """A row for each event with each of its sources, with the columns of `to_pandas()`."""
    cells = ([str("" if row.get(c) is None else row[c]) for c in _COLUMNS] for row in rows(timeline))
    return csv_bytes(_COLUMNS, cells)


def ics_timeline(timeline: Timeline) -> bytes:
    """A calendar (RFC 5545) with an entry for each event: whole days, or the month or year that is known of it.

    The same timeline gives the same calendar: the stamp of an entry is the last day of publication of its sources.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Dispatches//rag timeline//EN"]
    lines.append(f"X-WR-CALNAME:{_text(title(timeline))}")
    for event in timeline.events:
        lines += _entry(event, timeline.differing(event))
    return "".join(f"{_folded(line)}\r\n" for line in (*lines, "END:VCALENDAR")).encode()


def _entry(event: Event, differing: Sequence[str]) -> Iterator[str]:
    statement, last = event.statement, Published(event.date, event.precision).last_day
    published = [c.article.published.last_day for c in statement.citations if c.article.published]
    key = "\n".join((event.day, *(f"{c.article.id} {c.start} {c.end}" for c in statement.citations)))
    doubt = f" ({statement.doubt})" if statement.doubt else ""
    yield "BEGIN:VEVENT"
    yield f"UID:{hashlib.sha256(key.encode()).hexdigest()[:32]}@dispatches"
    yield f"DTSTAMP:{_day(max(published, default=last))}T000000Z"
    yield f"DTSTART;VALUE=DATE:{_day(event.date)}"
    if last < date.max:
        yield f"DTEND;VALUE=DATE:{_day(last + timedelta(days=1))}"
    yield f"SUMMARY:{_text(statement.shown + doubt)}"
    yield f"DESCRIPTION:{_text(*_described(event), *differing)}"
    yield from [f"URL:{url}" for url in map(link, statement.citations) if url][:1]
    yield from ("TRANSP:TRANSPARENT", "END:VEVENT")


def _described(event: Event) -> Iterator[str]:
    """How its date is known, and its sources, in lines."""
    if not event.stated:
        yield "The article gives no date of its own for it; this is the day of its publication."
    elif event.precision in (Precision.MONTH, Precision.YEAR):
        yield f"Only the {event.precision.value} is known: {event.day}."
    for citation in event.statement.citations:
        yield f"“{citation.quote}” {origin(citation.article)}"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}".rjust(8, "0")


def _text(*lines: str) -> str:
    """Lines as one value of type TEXT, without control characters (RFC 5545, 3.3.11)."""
    plain = (" ".join(safe(line).split()) for line in lines)
    escaped = (line.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,") for line in plain)
    return "\\n".join(escaped)


def _folded(line: str) -> str:
    """A line in parts of at most 75 octets, none of which ends inside a character (RFC 5545, 3.1)."""
    parts, size = [""], 0
    for letter in line:
        octets = len(letter.encode())
        if size + octets > _LINE:
            parts.append(" ")
            size = 1
        parts[-1] += letter
        size += octets
    return "\r\n".join(parts)
