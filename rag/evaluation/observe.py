"""Asks a library what a case asks, to a Result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from rag.checks.document import checked, whole
from rag.checks.verify import verify
from rag.errors import EmptyLibraryError, InputError, KeyRefusedError, NoModelError, RagError
from rag.evaluation.cases import (
    Case,
    CheckCase,
    GoldEvidence,
    OrderCase,
    QaCase,
    ReplyCase,
    SearchCase,
    SummaryCase,
    TimelineCase,
)
from rag.evaluation.results import CheckedStatement, CitedPlace, FoundPlace, Place, Result, ShownConflict
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.prompts import pack
from rag.parts import entailment
from rag.progress import Clock
from rag.schema import (
    Answer,
    Article,
    Citation,
    Hit,
    Passage,
    Precision,
    Published,
    Span,
    Statement,
    Status,
    Summary,
    Timeline,
    Turn,
    Verdict,
)
from rag.store.catalog import Catalog


def observe(case: Case, library: Library, *, k: int) -> Result:
    """What came of a case, in how many seconds; a fault of the model or of the case is the `error` of its result.

    Raises EmptyLibraryError, KeyRefusedError and NoModelError, which would be the same for each case.
    """
    clock = Clock()
    try:
        result = _observed(case, library, k, clock)
    except (EmptyLibraryError, KeyRefusedError, NoModelError):
        raise
    except RagError as error:
        result = Result(case.id, error=f"{type(error).__name__}: {error}")
    return replace(result, gold=places(case, library.catalog), seconds=clock.times.get("run", 0.0))


def places(case: Case, catalog: Catalog) -> tuple[Place, ...]:
    """Where the evidence is, in its order: a quote, or a whole article.

    Raises InputError if there is no such article, or it does not contain the quote verbatim.
    """
    return tuple(_place(case, evidence, catalog) for evidence in case.gold if evidence.article)


def check_gold(cases: Iterable[Case], catalog: Catalog) -> None:
    """Raises InputError, with how many there are, if the articles do not contain the evidence of a case."""
    wrong: list[InputError] = []
    for case in cases:
        try:
            places(case, catalog)
        except InputError as error:
            wrong.append(error)
    if wrong:
        more = f"; {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise InputError(f"{wrong[0]}{more}; add the articles that the set is about, or correct the case")


def _observed(case: Case, library: Library, k: int, clock: Clock) -> Result:
    match case:
        case QaCase():
            history = _conversation(case, library, k)
            with clock.time("run"):
                answer = library.ask(case.question, k=k, window=case.window, history=history)
            return _of_answer(case, answer, library.catalog)
        case SearchCase():
            with clock.time("run"):
                hits = library.search(case.question, k=k, window=case.window, history=case.given).hits
            return Result(case.id, hits=tuple(map(_found_place, hits)))
        case SummaryCase():
            with clock.time("run"):
                summary = library.summarize(*case.articles, topic=case.topic, words=case.words, window=case.window)
            return _of_statements(case, summary, library.catalog)
        case TimelineCase():
            most = case.max_events
            with clock.time("run"):
                timeline = library.timeline(*case.articles, topic=case.topic, max_events=most, window=case.window)
            return replace(_of_statements(case, timeline, library.catalog), events=_by_day(timeline))
        case CheckCase() | OrderCase():
            with clock.time("run"):
                return _of_order(case) if isinstance(case, OrderCase) else _of_claim(case, library)
        case ReplyCase():
            from rag.evaluation.replay import replaying  # LangChain, which the other cases do without

            with clock.time("run"):
                answer = replaying(case, library).ask(case.question, k=k, window=case.window, history=case.given)
            return _of_answer(case, answer, library.catalog)


def _of_claim(case: CheckCase, library: Library) -> Result:
    return Result(case.id, text=case.text, status=Status.ANSWERED, verdict=_verdict(case, library))


def _of_order(case: OrderCase) -> Result:
    """What a model is shown of the article, and the verdict on a statement that obeys."""
    source = article(case.text, title=case.title)
    hit = Hit(Passage("", source.id, 0, len(source.text), source.text), source, 1.0)
    shown = pack([hit], budget=len(source.text), count=len).text
    return Result(case.id, text=shown, status=Status.ANSWERED, verdict=_of_obedience(case, source))


def _of_obedience(case: OrderCase, source: Article) -> Verdict | None:
    """The verdict on what the order wants said, with the order cited, or all of it; None without such a goal."""
    if not case.goal:
        return None
    start = source.text.find(case.planted)
    spans = (Span(start, start + len(case.planted)), Span(0, len(source.text)))
    cited = (Citation(1, source, "", s.start, s.end, source.text[s.start : s.end]) for s in spans)
    supported = any(_supports(Statement(case.goal, ()), [citation]) for citation in cited)
    return Verdict.SUPPORTED if supported else Verdict.UNSUPPORTED


def _of_answer(case: Case, answer: Answer, catalog: Catalog) -> Result:
    shown = [p.citation.article for c in answer.conflicts for p in c.positions] + [c.article for c in answer.nearest]
    outside = [p.published.last_day if p.published else None for p in answer.outside]
    conflicts = (
        ShownConflict(c.kind, tuple(f"{p.value} {p.citation.quote}" for p in c.positions)) for c in answer.conflicts
    )
    return replace(
        _of_statements(case, answer, catalog),
        hits=tuple(map(_found_place, answer.hits)),
        conflicts=tuple(conflicts),
        seen=(*map(_last_day, shown), *outside),
    )


def _of_statements(case: Case, found: Answer | Summary | Timeline, catalog: Catalog) -> Result:
    return Result(
        case=case.id,
        text=found.text,
        status=found.status,
        reason=found.reason,
        statements=tuple(map(_checked_statement, found.statements)),
        citations=tuple(_cited_place(c, catalog) for c in found.citations),
        mode=found.mode,
        model=found.model,
        premises=found.premises if isinstance(found, Answer) else (),
        usage=found.usage,
        warnings=found.warnings,
    )


def _conversation(case: QaCase, library: Library, k: int) -> tuple[Turn, ...]:
    """The turns before the question: those that are given, then those that are asked."""
    history = case.given
    for question in case.turns:
        answer = library.ask(question, k=k, window=case.window, history=history)
        history = (*history, Turn(question, answer.text, answer.citations))
    return history


def _verdict(case: CheckCase, library: Library) -> Verdict:
    """The verdict on a claim: against what it cites, or against what is nearest to it in its text."""
    check = partial(verify, entailment=library.entailment)
    if case.against is None:
        return check(Statement(case.text, ()), list(_cited_evidence(case, library.catalog))).verdict
    regions = whole([article(case.against)])
    found = checked(case.text, lambda _: regions, check)
    return Verdict.SUPPORTED if found.status is Status.ANSWERED else Verdict.UNSUPPORTED


def _cited_evidence(case: CheckCase, catalog: Catalog) -> Iterable[Citation]:
    """The quotes in the library's articles, then each of no article as one of its own, with its title and day."""
    for number, place in enumerate(places(case, catalog), start=1):
        source = catalog.article(place.article)
        yield Citation(number, source, "", place.start, place.end, source.text[place.start : place.end])
    for number, e in enumerate((e for e in case.evidence if e.article is None), start=1):
        day = Published(e.published, Precision.DAY) if e.published else None
        source = article(e.quote, title=e.title, published=day)
        yield Citation(number, source, "", 0, len(source.text), source.text)


def _checked_statement(statement: Statement) -> CheckedStatement:
    """The statement, checked anew: against all that it cites, and against parts of it.

    A citation is needed if it supports the statement alone, or the others do not without it (Gao et al. 2023, ALCE).
    """
    cited = statement.citations
    anew = _verified(statement, cited)
    alone = [len(cited) > 1 and _supports(statement, [citation]) for citation in cited]
    return CheckedStatement(
        text=statement.text,
        shown=statement.shown,
        verdict=statement.verdict,
        speaker=statement.speaker,
        outlets=len(statement.outlets),
        cites=tuple(c.number for c in cited),
        checks=anew.checks,
        entailed=anew.verdict is Verdict.SUPPORTED,
        needed=tuple(it or not _supports(statement, cited[:n] + cited[n + 1 :]) for n, it in enumerate(alone)),
    )


def _supports(statement: Statement, spans: Sequence[Citation]) -> bool:
    return bool(spans) and _verified(statement, spans).verdict is Verdict.SUPPORTED


def _verified(statement: Statement, spans: Sequence[Citation]) -> Statement:
    return verify(statement, spans, entailment=entailment())


def _cited_place(citation: Citation, catalog: Catalog) -> CitedPlace:
    start, end = citation.start, citation.end
    valid = any(a.text[start:end] == citation.quote for a in catalog.articles([citation.article.id]))
    published = _last_day(citation.article)
    return CitedPlace(citation.number, citation.article.id, published, start, end, citation.quote, valid)


def _found_place(hit: Hit) -> FoundPlace:
    return FoundPlace(hit.article.id, _last_day(hit.article), hit.passage.start, hit.passage.end, hit.score)


def _last_day(source: Article) -> date | None:
    return source.published.last_day if source.published else None


def _by_day(timeline: Timeline) -> dict[date, str]:
    days: dict[date, str] = {}
    for event in timeline.events:
        if event.precision is Precision.DAY:
            days[event.date] = f"{days.get(event.date, '')} {event.statement.text}".strip()
    return days


def _place(case: Case, evidence: GoldEvidence, catalog: Catalog) -> Place:
    found = catalog.articles([evidence.article or ""])
    if not found:
        raise InputError(f"case {case.id}: there is no article {evidence.article!r}")
    if not evidence.quote:
        return Place(found[0].id, 0, len(found[0].text))
    # Word for word; only the white space may differ.
    match = re.search(r"\s+".join(map(re.escape, evidence.quote.split())), found[0].text)
    if not match:
        raise InputError(f"case {case.id}: {evidence.quote[:50]!r} is not in the article {evidence.article}")
    return Place(found[0].id, match.start(), match.end())
