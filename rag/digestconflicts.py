"""Tells where the articles of a summary differ, or bear one another out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.citations import cited
from rag.contention import contention
from rag.copies import clusters
from rag.excerpts import stands
from rag.reconciling import annotated
from rag.schema import Answer, Article, Citation, Conflict, Dispute, Section, Statement, Status
from rag.selection import Budget
from rag.summarization import Check

_BEFORE = re.compile(r"\b(?:at first|initially|originally)\b", re.IGNORECASE)
_MOST_READ = 200_000
"""Characters of articles that are held against one another, those read first before others."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The conflicts that statements are a part of, and the citations of both, numbered through."""

    conflicts: tuple[Conflict, ...]
    citations: tuple[Citation, ...]


def differing(articles: Sequence[Article]) -> tuple[Conflict, ...]:
    """What articles say differently from one another, the latest first; of long ones only some are read."""
    return contention(list(_read(articles))) if len(articles) > 1 else ()


def compared(statements: Sequence[Statement], conflicts: Sequence[Conflict]) -> Compared:
    """Of the conflicts those that statements are a part of, as an answer has them."""
    told = Answer("", "", Status.ANSWERED, statements=tuple(statements), citations=cited(statements))
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


def _read(articles: Sequence[Article]) -> Iterator[Article]:
    left = _MOST_READ
    for article in articles:
        left -= len(article.text)
        if left >= 0:
            yield article


def _shown(citation: Citation) -> str:
    return " ".join(citation.quote.split())


def _outlets(statement: Statement) -> tuple[str, ...]:
    articles = {citation.article.id: citation.article for citation in statement.citations}
    firsts = [cluster[0] for cluster in clusters(list(articles.values()))]
    ordered = sorted(firsts, key=lambda a: (str(a.published), a.id))
    return tuple(dict.fromkeys(article.source or article.title for article in ordered))
