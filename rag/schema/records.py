"""Makes results from the JSON that their `to_dict` gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from rag.errors import InputError
from rag.schema.answers import Answer, Mode, Pointer, Reason, Status, Usage
from rag.schema.articles import (
    AddReport,
    Article,
    Failure,
    Hit,
    Passage,
    Precision,
    Published,
    SearchResult,
    Span,
    Window,
)
from rag.schema.digests import Event, Figure, Figures, Section, Series, Summary, Timeline
from rag.schema.statements import (
    Check,
    Citation,
    Conflict,
    Dispute,
    Note,
    Opinion,
    Position,
    Statement,
    Verdict,
)

T = TypeVar("T")

_PRECISIONS = {4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}


def result(kind: type[T], record: Mapping[str, Any]) -> T:
    """The result of that type; raises InputError if the record is not one of it."""
    try:
        found = _READERS[kind.__name__](record)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        seen = f"{type(error).__name__}: {error}"
        raise InputError(f"the record is no {kind.__name__} ({seen}); wanted what its to_dict() gives") from None
    assert isinstance(found, kind)
    return found


def _answer(record: Mapping[str, Any]) -> Answer:
    shared, cited = _shared(record), _citations(record)
    near = _numbered(record["nearest"], _articles((*record["citations"], *record["nearest"])))
    return Answer(
        record["question"],
        record["standalone_question"],
        tuple(_statement(s, cited) for s in record["statements"]),
        nearest=tuple(near),
        conflicts=_conflicts(record, cited),
        outside=tuple(Pointer(p["title"], _published(p["published"])) for p in record.get("outside", ())),
        window=Window(
            shared["as_of"], _day(record.get("since")), _day(record.get("until")), tuple(record.get("sources", ()))
        ),
        premises=tuple(record.get("premises", ())),
        citations=tuple(cited.values()),
        **shared,
    )


def _summary(record: Mapping[str, Any]) -> Summary:
    cited = _citations(record)
    return Summary(
        record["topic"],
        _listed(record, cited),
        tuple(_statement(s, cited) for s in record["statements"]),
        tuple(
            Section(s["heading"], tuple(_statement(x, cited) for x in s["statements"]), s["note"])
            for s in record["sections"]
        ),
        _conflicts(record, cited),
        citations=tuple(cited.values()),
        **_shared(record),
    )


def _timeline(record: Mapping[str, Any]) -> Timeline:
    cited = _citations(record)
    events = (
        Event(_at(e["date"]).day, Precision(e["precision"]), _statement(e["statement"], cited), e["stated"], e["rank"])
        for e in record["events"]
    )
    return Timeline(
        record["topic"],
        _listed(record, cited),
        tuple(events),
        _conflicts(record, cited),
        citations=tuple(cited.values()),
        **_shared(record),
    )


def _figures(record: Mapping[str, Any]) -> Figures:
    cited = _citations(record)
    series = (
        Series(s["counts"], tuple(_figure(f, cited) for f in s["figures"]), s.get("happened")) for s in record["series"]
    )
    return Figures(record["topic"], tuple(series), citations=tuple(cited.values()), **_shared(record))


def _figure(record: Mapping[str, Any], cited: Mapping[int, Citation]) -> Figure:
    given = {name: record[name] for name in ("text", "low", "high", "unit", "about", "speaker")}
    return Figure(citation=cited[record["citation"]], outlets=tuple(record["outlets"]), **given)


def _search(record: Mapping[str, Any]) -> SearchResult:
    hits = record["hits"]
    spans = [{**h["article"], **h["passage"], "quote": h["passage"]["text"]} for h in hits]
    known = _articles(spans)
    found = (Hit(Passage(**h["passage"]), known[h["passage"]["article_id"]], h["score"]) for h in hits)
    return SearchResult(record["question"], tuple(found), dict(record["timings"]), tuple(record["warnings"]))


def _report(record: Mapping[str, Any]) -> AddReport:
    failed = tuple(Failure(**failure) for failure in record["failed"])
    told = {name: tuple(record.get(name, ())) for name in ("warnings", "left_out")}
    return AddReport(**{**record, "failed": failed, **told})


_READERS = {
    "Answer": _answer,
    "Summary": _summary,
    "Timeline": _timeline,
    "Figures": _figures,
    "SearchResult": _search,
    "AddReport": _report,
}


def _shared(record: Mapping[str, Any]) -> dict[str, Any]:
    """What answers, summaries and timelines have in common, but for the citations."""
    return {
        "status": Status(record["status"]),
        "reason": Reason(record["reason"]) if record["reason"] else None,
        "as_of": _day(record["as_of"]),
        "mode": Mode(record["mode"]),
        "model": record["model"],
        "usage": Usage(**record["usage"]),
        "timings": dict(record["timings"]),
        "warnings": tuple(record["warnings"]),
    }


def _citations(record: Mapping[str, Any]) -> dict[int, Citation]:
    spans = record["citations"]
    return {citation.number: citation for citation in _numbered(spans, _articles(spans))}


def _numbered(spans: Iterable[Mapping[str, Any]], known: Mapping[str, Article]) -> Iterable[Citation]:
    for span in spans:
        answer = Span(**span["answer"]) if span["answer"] else None
        article = known[span["article_id"]]
        yield Citation(span["number"], article, "", span["start"], span["end"], span["quote"], answer)


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


def _listed(record: Mapping[str, Any], cited: Mapping[int, Citation]) -> tuple[Article, ...]:
    """The articles that were read; of one that is not cited only the id is known."""
    known = {citation.article.id: citation.article for citation in cited.values()}
    return tuple(known.get(id) or Article(id, "", "", "") for id in record["articles"])


def _statement(record: Mapping[str, Any], cited: Mapping[int, Citation]) -> Statement:
    judge = record.get("judge")
    return Statement(
        record["text"],
        tuple(cited[number] for number in record["citations"]),
        Verdict(record["verdict"]),
        tuple(Check(**check) for check in record["checks"]),
        record["speaker"],
        Opinion(judge["model"], Verdict(judge["verdict"]), judge["reason"]) if judge else None,
        tuple(record.get("outlets", ())),
        tuple(Note(**note) for note in record.get("notes", ())),
        record.get("unsure", False),
        record.get("side"),
    )


def _conflicts(record: Mapping[str, Any], cited: Mapping[int, Citation]) -> tuple[Conflict, ...]:
    return tuple(
        Conflict(
            Dispute(conflict["kind"]),
            conflict["topic"],
            tuple(Position(p["value"], cited[p["citation"]], p["speaker"]) for p in conflict["positions"]),
        )
        for conflict in record.get("conflicts", ())
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _at(text: str) -> Published:
    return Published(date.fromisoformat(f"{text}-01-01"[:10]), _PRECISIONS[len(text)])


def _published(text: str | None) -> Published | None:
    return _at(text) if text else None
