"""Shows results in a notebook: as part of a page, and as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.render.lines import differences, notice, origin
from rag.render.links import link
from rag.render.page import rendered
from rag.schema import AddReport, Answer, Article, Citation, SearchResult, Statement, Summary, Timeline, heading
from rag.schema.articles import article_record

if TYPE_CHECKING:
    import pandas


def html(result: Answer | Summary | Timeline | SearchResult | AddReport) -> str:
    """The result as a part of a page, with its sources as links that mark the quotes."""
    kind = type(result).__name__.lower()
    told = notice(result) if isinstance(result, Answer) and result.question else None
    named = {"differences": differences, "heading": heading, "link": link, "origin": origin}
    return rendered("render/notebook.html", kind=kind, result=result, notice=told, **named)


def frame(result: Answer | Summary | Timeline | SearchResult | AddReport) -> pandas.DataFrame:
    """The rows of a result as a DataFrame; raises InputError if pandas is not installed, or there can be no rows."""
    if isinstance(result, AddReport):
        raise InputError("a report of what was added has no rows; its numbers are in to_dict()")
    try:
        import pandas
    except ModuleNotFoundError:
        raise InputError("pandas is not installed; install it with `pip install pandas`") from None
    return pandas.DataFrame(rows(result))


def rows(result: Answer | Summary | Timeline | SearchResult) -> list[dict[str, Any]]:
    """A row for each hit, or for each statement with each of its sources; in the order of the result."""
    match result:
        case SearchResult():
            return [
                {"rank": rank, "score": hit.score, **_article(hit.article), "text": hit.passage.text}
                for rank, hit in enumerate(result.hits, start=1)
            ]
        case Timeline():
            return [
                {"date": event.day, "stated": event.stated, "importance": event.rank, **row}
                for event in result.events
                for row in _statement(event.statement)
            ]
        case Answer() | Summary():
            return [row for statement in result.statements for row in _statement(statement)]


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
