"""Asks a library what a case asks, to a Result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TypeAlias

from rag.checks.document import checked, whole
from rag.checks.verify import verify
from rag.errors import EmptyLibraryError, KeyRefusedError, NoModelError, RagError
from rag.evaluation.baselines import rivals
from rag.evaluation.cases import Case, CheckCase, QaCase, SearchCase, SummaryCase, TimelineCase
from rag.evaluation.gold import places, quotes
from rag.evaluation.results import Cited, Found, Laid, Result, Told
from rag.ingest.metadata import article
from rag.library import Library, entailment
from rag.progress import Clock
from rag.schema import (
    Answer,
    Article,
    Citation,
    Conflict,
    Hit,
    Precision,
    Published,
    Statement,
    Status,
    Summary,
    Timeline,
    Turn,
    Verdict,
)

Texts: TypeAlias = Callable[[str], str | None]
"""The text of the article with an id, as the library has it; None if it has none."""


def observe(case: Case, library: Library, *, k: int) -> Result:
    """What came of a case, in how many seconds; a fault of the model or of the case is the `error` of its result.

    Raises EmptyLibraryError, KeyRefusedError and NoModelError, which would be the same for each.
    """
    clock = Clock()
    try:
        found = _observed(case, library, k, clock)
    except (EmptyLibraryError, KeyRefusedError, NoModelError):
        raise
    except RagError as error:
        found = Result(case.id, error=f"{type(error).__name__}: {error}")
    return replace(found, gold=places(case, library.catalog), seconds=clock.times.get("run", 0.0))


def _observed(case: Case, library: Library, k: int, clock: Clock) -> Result:
    texts = partial(_text, library)
    match case:
        case QaCase():
            history = _conversation(case, library, k)
            with clock.time("run"):
                answer = library.ask(case.question, k=k, window=case.window, history=history)
            return of_answer(case, answer, texts)
        case SearchCase():
            with clock.time("run"):
                hits = library.search(case.question, k=k, window=case.window, history=case.told).hits
            return Result(case.id, hits=tuple(map(_found, hits)))
        case SummaryCase():
            with clock.time("run"):
                summary = library.summarize(*case.articles, topic=case.topic, words=case.words, window=case.window)
            return replace(of_digest(case, summary, texts), rivals=rivals(case, library))
        case TimelineCase():
            most = case.max_events
            with clock.time("run"):
                timeline = library.timeline(*case.articles, topic=case.topic, max_events=most, window=case.window)
            return replace(of_digest(case, timeline, texts), events=_by_day(timeline))
        case CheckCase():
            with clock.time("run"):
                verdict = _checked(case, library)
            return Result(case.id, text=case.text, status=Status.ANSWERED, verdict=verdict)


def of_answer(case: Case, answer: Answer, texts: Texts) -> Result:
    """The result of an answer."""
    positions = [p.citation.article for c in answer.conflicts for p in c.positions]
    nearest = [c.article for c in answer.nearest]
    outside = [p.published.last_day if p.published else None for p in answer.outside]
    return replace(
        of_digest(case, answer, texts),
        hits=tuple(map(_found, answer.hits)),
        conflicts=tuple(map(_laid, answer.conflicts)),
        seen=(*map(_last_day, (*positions, *nearest)), *outside),
    )


def of_digest(case: Case, digest: Answer | Summary | Timeline, texts: Texts) -> Result:
    """The result of what has statements."""
    return Result(
        case=case.id,
        text=digest.text,
        status=digest.status,
        reason=digest.reason,
        statements=tuple(map(_told, digest.statements)),
        citations=tuple(_cited(c, texts) for c in digest.citations),
        mode=digest.mode,
        model=digest.model,
        usage=digest.usage,
        warnings=digest.warnings,
    )


def _conversation(case: QaCase, library: Library, k: int) -> tuple[Turn, ...]:
    """The turns before the question: those that are given, then those that are asked."""
    history = case.told
    for question in case.turns:
        answer = library.ask(question, k=k, window=case.window, history=history)
        history = (*history, Turn(question, answer.text, answer.citations))
    return history


def _checked(case: CheckCase, library: Library) -> Verdict:
    """The verdict on a claim: against what it cites, or against what is nearest to it in its text."""
    check = partial(verify, entailment=library.entailment)
    if case.against is None:
        cited = [*quotes(case, library.catalog), *_standing_alone(case)]
        return check(Statement(case.text, ()), cited).verdict
    regions = whole([article(case.against)])
    found = checked(case.text, lambda _: regions, check)
    return Verdict.SUPPORTED if found.status is Status.ANSWERED else Verdict.UNSUPPORTED


def _standing_alone(case: CheckCase) -> list[Citation]:
    """Each quote that is of no article as one of its own, with the title and the day."""
    alone = [
        article(e.quote, title=e.title, published=Published(e.published, Precision.DAY) if e.published else None)
        for e in case.evidence
        if e.article is None
    ]
    return [Citation(n, a, "", 0, len(a.text), a.text) for n, a in enumerate(alone, start=1)]


def _told(statement: Statement) -> Told:
    cited = statement.citations
    anew = _verified(statement, cited)
    return Told(
        text=statement.text,
        shown=statement.shown,
        verdict=statement.verdict,
        speaker=statement.speaker,
        outlets=len(statement.outlets),
        cites=tuple(c.number for c in cited),
        checks=anew.checks,
        entailed=anew.verdict is Verdict.SUPPORTED,
        needed=tuple(_needed(statement, place) for place in range(len(cited))),
    )


def _needed(statement: Statement, place: int) -> bool:
    """Whether a citation supports the statement alone, or the others do not without it (Gao et al. 2023, ALCE)."""
    cited = statement.citations
    others = cited[:place] + cited[place + 1 :]
    return _supports(statement, cited[place : place + 1]) or not _supports(statement, others)


def _supports(statement: Statement, spans: Sequence[Citation]) -> bool:
    return bool(spans) and _verified(statement, spans).verdict is Verdict.SUPPORTED


def _verified(statement: Statement, spans: Sequence[Citation]) -> Statement:
    return verify(statement, spans, entailment=entailment())


def _cited(citation: Citation, texts: Texts) -> Cited:
    text, start, end = texts(citation.article.id), citation.start, citation.end
    valid = text is not None and text[start:end] == citation.quote
    published = _last_day(citation.article)
    return Cited(citation.number, citation.article.id, published, start, end, citation.quote, valid)


def _found(hit: Hit) -> Found:
    return Found(hit.article.id, _last_day(hit.article), hit.passage.start, hit.passage.end, hit.score)


def _laid(conflict: Conflict) -> Laid:
    return Laid(conflict.kind, tuple(f"{p.value} {p.citation.quote}" for p in conflict.positions))


def _by_day(timeline: Timeline) -> dict[date, str]:
    found: dict[date, str] = {}
    for event in timeline.events:
        if event.precision is Precision.DAY:
            found[event.date] = f"{found.get(event.date, '')} {event.statement.text}".strip()
    return found


def _last_day(article: Article) -> date | None:
    return article.published.last_day if article.published else None


def _text(library: Library, id: str) -> str | None:
    return next((a.text for a in library.catalog.articles([id])), None)
