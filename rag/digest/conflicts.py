"""Tells where the articles of a summary differ, or bear one another out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from rag.answer.annotate import dated
from rag.checks.quotes import cited
from rag.compare.articles import contention
from rag.compare.reconcile import annotated
from rag.compare.relation import Report
from rag.digest.excerpts import Pool, stands
from rag.digest.extractive import Check
from rag.digest.select import Budget
from rag.models.reader import Entailment
from rag.retrieval.near_duplicates import clusters
from rag.schema import Answer, Citation, Conflict, Dispute, Section, Span, Statement, Verdict

_BEFORE = re.compile(r"\b(?:at first|initially|originally)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Compared:
    """The conflicts that statements are a part of, and the citations of both, numbered through."""

    conflicts: tuple[Conflict, ...]
    citations: tuple[Citation, ...]


def differing(pools: Sequence[Pool], reader: Entailment | None) -> tuple[Conflict, ...]:
    """What gathered sentences say differently from one another, the latest first."""
    found = [
        Report(e.article, e.passage_id, Span(e.own, e.span.end), e.sentence, vector)
        for pool in pools
        if pool.embedded
        for e, vector in zip(pool.excerpts, pool.vectors, strict=True)
    ]
    return contention(found, reader)


def current(
    statements: Sequence[Statement], conflicts: Sequence[Conflict], check: Check, *, told: Sequence[Statement] = ()
) -> list[Statement]:
    """The statements with what a later article says in the place of what it superseded; none that `told` has."""
    found: list[Statement] = []
    for statement in statements:
        later = _superseding(statement, conflicts)
        new = check(Statement(_shown(later), (later,))) if later else statement
        if not later or new.verdict is not Verdict.SUPPORTED:
            found.append(statement)
        elif not any(_cites(other, later) for other in (*statements, *told, *found)):
            found += dated([new])
    return found


def fitted(statements: Sequence[Statement], words: int) -> list[Statement]:
    """As many of the statements, from the first on, as there is room for."""
    sums = accumulate(len(statement.text.split()) for statement in statements)
    return [statement for statement, total in zip(statements, sums, strict=True) if total <= words]


def _superseding(statement: Statement, conflicts: Sequence[Conflict]) -> Citation | None:
    """What says anew, later, what the statement says with a number that no longer holds."""
    for conflict in conflicts:
        latest, *earlier = conflict.positions
        is_old = any(_cites(statement, p.citation) and p.value in statement.text for p in earlier)
        if conflict.kind is Dispute.SUPERSEDED and is_old and not _cites(statement, latest.citation):
            return latest.citation if stands(_shown(latest.citation)) else None
    return None


def _cites(statement: Statement, inner: Citation) -> bool:
    return any(
        c.article.id == inner.article.id and c.start <= inner.start and inner.end <= c.end for c in statement.citations
    )


def compared(statements: Sequence[Statement], conflicts: Sequence[Conflict]) -> Compared:
    """Of the conflicts those that statements are a part of, as an answer has them."""
    told = Answer("", "", tuple(statements), citations=cited(statements))
    found = annotated(told, conflicts)
    return Compared(found.conflicts, found.citations)


def borne_out(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements with the outlets of what they cite; copies of one report count once, as the first of them."""
    return tuple(replace(statement, outlets=_outlets(statement)) for statement in statements)


def open_conflicts(conflicts: Sequence[Conflict], room: Budget, check: Check) -> Section:
    """Both sides of what no later article settles, the latest first, as much of it as there is room for."""
    statements: list[Statement] = []
    left = room.words
    for conflict in filter(_is_open, conflicts):
        sides = [check(Statement(_shown(p.citation), (p.citation,), speaker=p.speaker)) for p in conflict.positions]
        left -= sum(len(side.text.split()) for side in sides)
        if left < 0 or len(statements) + len(sides) > room.most:
            break
        statements += [side for side in sides if side.text not in {s.text for s in statements}]
    note = None if statements else "No articles were found to say different things of the same."
    return Section("Open conflicts", tuple(statements), note)


def _is_open(conflict: Conflict) -> bool:
    """Whether its sides can stand alone, and none is told as what was only said before."""
    texts = [_shown(position.citation) for position in conflict.positions]
    return conflict.kind is Dispute.CONFLICT and all(stands(text) and not _BEFORE.search(text) for text in texts)


def _shown(citation: Citation) -> str:
    return " ".join(citation.quote.split())


def _outlets(statement: Statement) -> tuple[str, ...]:
    articles = {citation.article.id: citation.article for citation in statement.citations}
    firsts = [cluster[0] for cluster in clusters(list(articles.values()))]
    ordered = sorted(firsts, key=lambda a: (str(a.published), a.id))
    return tuple(dict.fromkeys(article.source or article.title for article in ordered))
