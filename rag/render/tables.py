"""Lays results out as rows, for tables of other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.render.lines import link, safe
from rag.schema import (
    AddReport,
    Answer,
    Article,
    Citation,
    Figure,
    Figures,
    SearchResult,
    Series,
    Statement,
    Summary,
    Timeline,
)
from rag.schema.articles import article_record

if TYPE_CHECKING:
    import pandas

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take a cell for a formula by (OWASP, CSV injection)."""


def rows(result: Answer | Summary | Timeline | SearchResult | Figures) -> list[dict[str, Any]]:
    """A row for each hit, figure, or statement with each of its sources; in the order of the result."""
    match result:
        case SearchResult():
            return [
                {"rank": rank, "score": hit.score, **_article(hit.article), "text": hit.passage.text}
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
    return told | _article(citation.article)


def _article(article: Article) -> dict[str, Any]:
    record = article_record(article)
    return {"article_id": record.pop("id"), **record}
