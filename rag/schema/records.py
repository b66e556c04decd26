"""Makes results from the JSON that their `to_dict` gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from rag.errors import InputError
from rag.schema.articles import Article, Precision, Published, Span
from rag.schema.statements import Citation

T = TypeVar("T")

_PRECISIONS = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}


def result(kind: type[T], record: Mapping[str, Any]) -> T:
    """The result of that type; raises InputError if the record is not one of it."""
    try:
        found: T = _adapter(kind).validate_python(_READERS[kind.__name__](record))  # type: ignore[arg-type]  # hashable
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        seen = f"{type(error).__name__}: {error}"
        raise InputError(f"the record is no {kind.__name__} ({seen}); wanted what its to_dict() gives") from None
    return found


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _answer(record: Mapping[str, Any]) -> dict[str, Any]:
    cited = _citations(record)
    near = _numbered(record["nearest"], _articles((*record["citations"], *record["nearest"])))
    outside = [{**pointer, "published": _published(pointer["published"])} for pointer in record.get("outside", ())]
    window = {name: record[name] for name in ("as_of", "since", "until", "sources") if name in record}
    return _cited(record, cited) | {"nearest": near, "outside": outside, "window": window}


def _summary(record: Mapping[str, Any]) -> dict[str, Any]:
    cited = _citations(record)
    sections = [{**s, "statements": [_statement(x, cited) for x in s["statements"]]} for s in record["sections"]]
    return _cited(record, cited) | {"articles": _listed(record, cited), "sections": sections}


def _timeline(record: Mapping[str, Any]) -> dict[str, Any]:
    cited = _citations(record)
    events = [
        {**event, "date": _at(event["date"]).day, "statement": _statement(event["statement"], cited)}
        for event in record["events"]
    ]
    return _cited(record, cited) | {"articles": _listed(record, cited), "events": events}


def _figures(record: Mapping[str, Any]) -> dict[str, Any]:
    cited = _citations(record)
    series = [{**s, "figures": [_attached(figure, cited) for figure in s["figures"]]} for s in record["series"]]
    return _cited(record, cited) | {"series": series}


def _search(record: Mapping[str, Any]) -> dict[str, Any]:
    hits = record["hits"]
    known = _articles([{**h["article"], **h["passage"], "quote": h["passage"]["text"]} for h in hits])
    return {**record, "hits": [{**h, "article": known[h["passage"]["article_id"]]} for h in hits]}


_READERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "Answer": _answer,
    "Summary": _summary,
    "Timeline": _timeline,
    "Figures": _figures,
    "SearchResult": _search,
    "AddReport": dict,
}
"""What gives the fields of each type, with the articles and citations that its record only names."""


def _cited(record: Mapping[str, Any], cited: Mapping[int, Citation]) -> dict[str, Any]:
    """The record with its citations, and those of the statements and conflicts that it may have."""
    conflicts = [
        {**c, "positions": [_attached(position, cited) for position in c["positions"]]}
        for c in record.get("conflicts", ())
    ]
    statements = [_statement(s, cited) for s in record.get("statements", ())]
    return {**record, "citations": list(cited.values()), "statements": statements, "conflicts": conflicts}


def _statement(record: Mapping[str, Any], cited: Mapping[int, Citation]) -> dict[str, Any]:
    citations = [cited[number] for number in record["citations"]]
    return {**record, "citations": citations, "opinion": record.get("judge")}


def _attached(record: Mapping[str, Any], cited: Mapping[int, Citation]) -> dict[str, Any]:
    return {**record, "citation": cited[record["citation"]]}


def _citations(record: Mapping[str, Any]) -> dict[int, Citation]:
    spans = record["citations"]
    return {citation.number: citation for citation in _numbered(spans, _articles(spans))}


def _numbered(spans: Iterable[Mapping[str, Any]], known: Mapping[str, Article]) -> list[Citation]:
    return [
        Citation(
            number=span["number"],
            article=known[span["article_id"]],
            passage_id="",
            start=span["start"],
            end=span["end"],
            quote=span["quote"],
            answer=Span(**span["answer"]) if span["answer"] else None,
        )
        for span in spans
    ]


def _articles(spans: Iterable[Mapping[str, Any]]) -> dict[str, Article]:
    """The articles by id; the text of one is what was quoted of it, each quote at its place, and spaces between."""
    texts: dict[str, str] = {}
    named: dict[str, Mapping[str, Any]] = {}
    for span in spans:
        text = texts.get(span["article_id"], "").ljust(span["end"])
        texts[span["article_id"]] = text[: span["start"]] + span["quote"] + text[span["end"] :]
        named[span["article_id"]] = span
    return {
        id: Article(id, s["title"], texts[id], "", s["source"], _published(s["published"]), s["url"])
        for id, s in named.items()
    }


def _listed(record: Mapping[str, Any], cited: Mapping[int, Citation]) -> list[Article]:
    """The articles that were read; of one that is not cited only the id is known."""
    known = {citation.article.id: citation.article for citation in cited.values()}
    return [known.get(id) or Article(id, "", "", "") for id in record["articles"]]


def _at(text: str) -> Published:
    return Published(date.fromisoformat(f"{text}-01-01"[:10]), _PRECISIONS[len(text)])


def _published(text: str | None) -> Published | None:
    return _at(text) if text else None
