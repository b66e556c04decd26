"""Lays results out for other programs: tables, spreadsheets, calendars."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.render.lines import link, origin, safe
from rag.render.page import title
from rag.schema import (
    AddReport,
    Answer,
    Citation,
    Event,
    Figure,
    Figures,
    Precision,
    Published,
    SearchResult,
    Series,
    Statement,
    Summary,
    Timeline,
)
from rag.schema.articles import article_record

if TYPE_CHECKING:
    import pandas

_COLUMNS = (
    *("date", "stated", "importance", "statement", "verdict", "speaker", "differing"),
    *("citation", "quote", "link", "article_id", "title", "source", "published", "url"),
)
_LINE = 75
"""The most octets of a line of a calendar, by RFC 5545, 3.1."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take a cell for a formula by (OWASP, CSV injection)."""


def rows(result: Answer | Summary | Timeline | SearchResult | Figures) -> list[dict[str, Any]]:
    """A row for each hit, figure, or statement with each of its sources; in the order of the result."""
    match result:
        case SearchResult():
            return [
                {
                    "rank": rank,
                    "score": hit.score,
                    **article_record(hit.article, key="article_id"),
                    "text": hit.passage.text,
                }
                for rank, hit in enumerate(result.hits, start=1)
            ]
        case Timeline():
            return [
                {"date": event.day, "stated": event.stated, "importance": event.rank, **row}
                | {"differing": "; ".join(result.differing(event)) or None}
                for event in result.events
                for row in _statement(event.statement)
            ]
        case Figures():
            return [_figure(series, figure) for series in result.series for figure in series.figures]
        case Answer() | Summary():
            return [row for statement in result.statements for row in _statement(statement)]


def frame(result: Answer | Summary | Timeline | SearchResult | Figures | AddReport) -> pandas.DataFrame:
    """The rows of a result as a DataFrame; raises InputError if pandas is not installed, or there can be no rows."""
    if isinstance(result, AddReport):
        raise InputError("a report of what was added has no rows; its numbers are in to_dict()")
    try:
        import pandas
    except ModuleNotFoundError:
        raise InputError("pandas is not installed; install it with `pip install pandas`") from None
    return pandas.DataFrame(rows(result))


def csv_text(result: Figures) -> str:
    """The rows of a ledger as CSV with a heading; no spreadsheet computes a cell. It is empty if there are no rows."""
    text, found = io.StringIO(), rows(result)
    if found:
        writer = csv.DictWriter(text, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in found)
    return text.getvalue()


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table in which no cell is computed; with a byte order mark, which a spreadsheet needs to read UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def inert(cell: str) -> str:
    """A cell that no spreadsheet computes, on one line."""
    text = " ".join(safe(cell).split())
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.15g}" if isinstance(value, float) else inert(str(value))


def _figure(series: Series, figure: Figure) -> dict[str, Any]:
    """The ledger's columns; `low` and `high` are None where the article gives no bound."""
    return {
        "counts": series.counts,
        "happened": series.happened,
        "day": figure.day or None,
        "figure": figure.text,
        "low": figure.low,
        "high": figure.high,
        "unit": figure.unit,
        "about": figure.about,
        "speaker": figure.speaker,
        "origins": len(figure.outlets),
        "outlets": "; ".join(figure.outlets),
        **_citation(figure.citation),
    }


def _statement(statement: Statement) -> list[dict[str, Any]]:
    said = {"statement": statement.shown, "verdict": statement.verdict.value, "speaker": statement.speaker}
    return [said | _citation(citation) for citation in statement.citations or (None,)]


def _citation(citation: Citation | None) -> dict[str, Any]:
    if citation is None:
        return {}
    told = {"citation": citation.number, "quote": citation.quote, "link": link(citation)}
    return told | article_record(citation.article, key="article_id")


# Timelines


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
