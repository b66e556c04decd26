"""Shows in a summary where articles differ, or report the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from rag.answer.annotate import dated
from rag.checks.quotes import cited
from rag.compare.articles import conflicts, contention, reply
from rag.compare.reconcile import annotated
from rag.compare.relation import LEAST_COSINE, ReportedSentence
from rag.digest.excerpts import Excerpt, Pool, is_sentence, of_passages
from rag.digest.extractive import Budget, Check
from rag.digest.figures import revisions
from rag.retrieval.near_duplicates import outlets
from rag.retrieval.retriever import Searcher
from rag.schema import NO_CONFLICT, Answer, Citation, Conflict, Dispute, Section, Statement, Verdict, Window

_LEAST_REPLY = 0.5
"""The cosine from which a sentence may deny another, or tell what came of it."""
_BEFORE = re.compile(r"\b(?:at first|initially|originally)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NumberedConflicts:
    """The conflicts that statements are part of, and the citations of both, numbered through."""

    conflicts: tuple[Conflict, ...]
    citations: tuple[Citation, ...]


def contested(searcher: Searcher, topic: str | None, *, k: int, window: Window) -> tuple[Conflict, ...]:
    """What the articles of a window say differently, the latest first; on a topic those of its `k` nearest passages.

    Citations are numbered from 1 through all conflicts. Raises EmptyLibraryError if there is no article.
    """
    searcher.check_filled()
    catalog = searcher.index.catalog
    hits = () if topic is None else searcher.find(searcher.query(topic, window), k=k, window=window).hits[:k]
    near = dict.fromkeys(hit.article.id for hit in hits)
    read = catalog.admitted(window) if topic is None else [id for a in near for id in catalog.passage_ids(a)]
    return _revised(conflicts(catalog, read), of_passages(catalog, read).excerpts)


def differing(pools: Sequence[Pool]) -> tuple[Conflict, ...]:
    """What gathered sentences say differently from one another, the latest first."""
    embedded = [pool for pool in pools if pool.embedded]
    found = contention([pool.report(place) for pool in embedded for place in range(len(pool.excerpts))])
    return _revised(found, [e for pool in embedded for e in pool.excerpts])


def differing_from(statements: Sequence[Statement], pool: Pool) -> tuple[Conflict, ...]:
    """What the sentences of a pool say differently from those that statements cite, the latest first."""
    cited = {(c.article.id, c.start, c.end) for s in statements for c in s.citations}
    spans = ((e.article.id, e.span.start, e.span.end) for e in pool.excerpts)
    places = [place for place, span in enumerate(spans) if span in cited]
    near = pool.vectors @ pool.vectors[np.array(places, int)].T
    alike = np.flatnonzero(near.max(axis=1, initial=0) >= LEAST_COSINE).tolist()
    return differing([pool.only(alike)])


def with_replies(
    conflicts: Sequence[Conflict], statements: Sequence[Statement], pools: Sequence[Pool]
) -> tuple[Conflict, ...]:
    """What other articles say to what statements cite first, and the conflicts, one between the same two sentences.

    They say that something is not so, or what came of a plan.
    """
    cited = {(c.article.id, c.start, c.end) for s in statements for c in s.citations[:1]}
    known = [pool for pool in pools if pool.embedded]
    own = {
        (e.article.id, e.own): pool.report(place)
        for pool in known
        for place, e in enumerate(pool.excerpts)
        if (e.article.id, e.span.start, e.span.end) in cited
    }
    found = [reply(report, _near(report, known)) for report in own.values()]
    return tuple({_between(c): c for c in (*conflicts, *filter(None, found))}.values())


def is_overtaken(statement: Statement, others: Sequence[Statement], conflicts: Sequence[Conflict]) -> bool:
    """Whether it tells a plan, and one of the others what came of it; both by what they cite first."""
    plans = [c for c in conflicts if c.kind is Dispute.SUPERSEDED and len({p.value for p in c.positions}) == 1]
    ends = [c.positions[0].citation for c in plans if statement.citations[0].contains(c.positions[-1].citation)]
    return any(other.citations[0].contains(end) for other in others for end in ends)


def current(
    statements: Sequence[Statement], conflicts: Sequence[Conflict], check: Check, *, others: Sequence[Statement] = ()
) -> list[Statement]:
    """The statements, each replaced by the later report that superseded it; nothing that `others` already have."""
    found: list[Statement] = []
    for statement in statements:
        later = _superseding(statement, conflicts)
        new = check(Statement(_shown(later), (later,))) if later else statement
        if not later or new.verdict is not Verdict.SUPPORTED:
            found.append(statement)
        elif not any(other.cites(later) for other in (*statements, *others, *found)):
            found += dated([new])
    return found


def compared(statements: Sequence[Statement], conflicts: Sequence[Conflict]) -> NumberedConflicts:
    """The conflicts that statements are part of, as an answer has them."""
    answer = Answer("", "", tuple(statements), citations=cited(statements))
    found = annotated(answer, conflicts)
    return NumberedConflicts(found.conflicts, found.citations)


def with_outlets(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements with the outlets of their citations; copies of one report count once, as the first of them."""
    return tuple(
        replace(s, outlets=outlets({c.article.id: c.article for c in s.citations}.values())) for s in statements
    )


def open_conflicts(conflicts: Sequence[Conflict], room: Budget, check: Check) -> Section:
    """Both sides of what no later article settles, the latest first, as far as there is room."""
    statements: list[Statement] = []
    left = room.words
    for conflict in filter(_is_open, conflicts):
        sides = [check(Statement(_shown(p.citation), (p.citation,), speaker=p.speaker)) for p in conflict.positions]
        left -= sum(len(side.text.split()) for side in sides)
        if left < 0 or len(statements) + len(sides) > room.most:
            break
        statements += [side for side in sides if side.text not in {s.text for s in statements}]
    note = None if statements else NO_CONFLICT
    return Section("Open conflicts", dated(statements), note)


def _revised(found: Sequence[Conflict], excerpts: Sequence[Excerpt]) -> tuple[Conflict, ...]:
    """The conflicts with the figures that a later day revises, the latest first, and no part of those again."""
    revised = revisions(excerpts)
    new = [[p.citation for p in conflict.positions] for conflict in revised]
    others = (
        c for c in found if not any(all(any(n.contains(p.citation) for n in r) for p in c.positions) for r in new)
    )
    every = sorted(
        (*revised, *others), key=lambda c: str(c.positions[0].citation.article.published or ""), reverse=True
    )
    numbers = count(1)
    return tuple(
        replace(c, positions=tuple(replace(p, citation=replace(p.citation, number=next(numbers))) for p in c.positions))
        for c in every
    )


def _near(report: ReportedSentence, pools: Sequence[Pool]) -> list[ReportedSentence]:
    """The reports that may say something to one, the nearest first."""
    near = [p.report(i) for p in pools for i in np.flatnonzero(p.vectors @ report.vector >= _LEAST_REPLY).tolist()]
    return sorted(near, key=lambda r: (-float(r.vector @ report.vector), r.article.id, r.span.start))


def _between(conflict: Conflict) -> frozenset[tuple[str, int]]:
    return frozenset((p.citation.article.id, p.citation.start) for p in conflict.positions)


def _superseding(statement: Statement, conflicts: Sequence[Conflict]) -> Citation | None:
    """The later report of a number in the statement that no longer holds."""
    for conflict in conflicts:
        latest, *earlier = conflict.positions
        is_old = any(statement.cites(p.citation) and p.value in statement.text for p in earlier)
        if conflict.kind is Dispute.SUPERSEDED and is_old and not statement.cites(latest.citation):
            return latest.citation if is_sentence(_shown(latest.citation)) else None
    return None


def _is_open(conflict: Conflict) -> bool:
    """Whether its sides can be read alone, and none is reported as what was only said before."""
    texts = [_shown(position.citation) for position in conflict.positions]
    return conflict.kind is Dispute.CONFLICT and all(is_sentence(text) and not _BEFORE.search(text) for text in texts)


def _shown(citation: Citation) -> str:
    return " ".join(citation.quote.split())
