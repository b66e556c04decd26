"""Lays results out as rows, for tables of other programs."""

from __future__ import annotations

from typing import Any

from rag.render.links import link
from rag.schema import Answer, Article, Citation, SearchResult, Statement, Summary, Timeline
from rag.schema.articles import article_record


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
                | {"differing": "; ".join(result.differing(event)) or None}
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
