"""Puts what sources say differently into an answer: the latest first, each position cited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.schema import Answer, Citation, Conflict, Dispute, Position, Statement, Verdict

MOST_STATEMENTS = 3


def reconciled(answer: Answer, conflicts: Sequence[Conflict]) -> Answer:
    """The answer with the conflicts that its statements are a part of; of their sentences the latest leads.

    What is a side of a conflict comes last, so that the other sides can follow it.
    What supersedes another number of the things that are counted leads even if the statements lack both.
    Its citations are numbered anew, those of the positions behind those of the statements.
    """
    superseded = [c for c in conflicts if c.kind is Dispute.SUPERSEDED and _is_counted(c)]
    concerned = [c for c in conflicts if any(_stands_in(p, answer.statements) for p in c.positions)] or superseded
    statements: Sequence[Statement] = answer.statements
    for conflict in concerned:
        if conflict.kind is Dispute.SUPERSEDED:
            statements = _led(statements, conflict.positions)
    disputed = [p for c in concerned if c.kind is Dispute.CONFLICT for p in c.positions]
    sides = [replace(s, side="") for s in statements if any(s.cites(p.citation) for p in disputed)]
    others = [s for s in statements if not any(s.cites(p.citation) for p in disputed)]
    return _numbered(replace(answer, statements=(*others, *sides)), concerned)


def sided(answer: Answer) -> Answer:
    """The answer with the conflict that its statements are the sides of, if they are."""
    sides = [s for s in answer.statements if s.side and s.verdict is Verdict.SUPPORTED]
    if len(sides) < 2 or answer.conflicts:
        return answer
    positions = tuple(Position(s.text, s.citations[0], s.speaker) for s in sides)
    return replace(answer, conflicts=(Conflict(Dispute.CONFLICT, sides[0].side or "", positions),))


def annotated(answer: Answer, conflicts: Sequence[Conflict]) -> Answer:
    """The same for statements that were shown already: their order and numbers stay."""
    concerned = [c for c in conflicts if any(_stands_in(p, answer.statements) for p in c.positions)]
    return _cited(answer, concerned)


def _led(statements: Sequence[Statement], positions: Sequence[Position]) -> list[Statement]:
    """The statements with that of the latest position before those of earlier ones, added if it is not there."""
    latest, *earlier = positions
    first = next((i for i, s in enumerate(statements) if any(s.cites(p.citation) for p in earlier)), None)
    place = next((i for i, s in enumerate(statements) if s.cites(latest.citation)), None)
    if place is not None and (first is None or place < first):
        return list(statements)
    lead = _statement(latest) if place is None else statements[place]
    rest = [s for i, s in enumerate(statements) if i != place]
    return [*rest[: first or 0], lead, *rest[first or 0 :]][:MOST_STATEMENTS]


def _statement(position: Position) -> Statement:
    return Statement(" ".join(position.citation.quote.split()), (position.citation,))


def _numbered(answer: Answer, conflicts: Sequence[Conflict]) -> Answer:
    numbers: dict[tuple[str, int, int], Citation] = {}
    for citation in (c for s in answer.statements for c in s.citations):
        numbers.setdefault(_key(citation), replace(citation, number=len(numbers) + 1))
    statements = tuple(replace(s, citations=tuple(numbers[_key(c)] for c in s.citations)) for s in answer.statements)
    return _cited(replace(answer, statements=statements, citations=tuple(numbers.values())), conflicts)


def _cited(answer: Answer, conflicts: Sequence[Conflict]) -> Answer:
    """The answer with the conflicts, and with the citations of their positions that it does not have."""
    citations, made = list(answer.citations), list[Conflict]()
    for conflict in conflicts:
        citations += _missing(conflict, citations)
        known = [next(c for c in citations if c.contains(p.citation)) for p in conflict.positions]
        positions = (replace(p, citation=c) for p, c in zip(conflict.positions, known, strict=True))
        made.append(replace(conflict, positions=tuple(positions)))
    return replace(answer, citations=tuple(citations), conflicts=tuple(made))


def _missing(conflict: Conflict, citations: Sequence[Citation]) -> list[Citation]:
    """The citations of its positions that there are not, with the numbers that follow."""
    new = [p.citation for p in conflict.positions if not any(c.contains(p.citation) for c in citations)]
    first = max((c.number for c in citations), default=0) + 1
    return [replace(citation, number=number) for number, citation in enumerate(new, start=first)]


def _is_counted(conflict: Conflict) -> bool:
    """Whether the positions are numbers, not sides."""
    return not any(position.value in ("so", "not so") for position in conflict.positions)


def _stands_in(position: Position, statements: Sequence[Statement]) -> bool:
    return any(statement.cites(position.citation) for statement in statements)


def _key(citation: Citation) -> tuple[str, int, int]:
    return citation.article.id, citation.start, citation.end
