"""Tells whether an answer has what a case expects besides its claims."""

from __future__ import annotations

from collections.abc import Sequence

from rag.evaluation.cases import Case
from rag.schema import Answer, Conflict, Statement


def meets(case: Case, answer: Answer) -> bool:
    """Whether an answer has the reason, outlets, speaker and conflict that a case expects, where it says."""
    return (
        _has_reason(case, answer)
        and _has_outlets(case, answer)
        and _has_speaker(case, answer)
        and _has_conflict(case, answer)
    )


def _has_reason(case: Case, answer: Answer) -> bool:
    return case.expected.reason in (None, answer.reason)


def _has_outlets(case: Case, answer: Answer) -> bool:
    if case.expected.independent is None:
        return True
    telling = _telling(case, answer)
    return bool(telling) and len(telling[0].outlets) == case.expected.independent


def _has_speaker(case: Case, answer: Answer) -> bool:
    said_by = [s.speaker or "" for s in _telling(case, answer)[:1]]
    return not case.expected.speaker or any(name in said for said in said_by for name in case.expected.speaker)


def _has_conflict(case: Case, answer: Answer) -> bool:
    """Whether one conflict of the kind has a position for each of the expected values."""
    wanted = case.expected.conflict
    found = [c for c in answer.conflicts if wanted and c.kind.value == wanted.kind]
    return wanted is None or any(all(_has_position(c, values) for values in wanted.values) for c in found)


def _has_position(conflict: Conflict, values: Sequence[str]) -> bool:
    told = [f"{p.value} {p.citation.quote}".casefold() for p in conflict.positions]
    return any(value.casefold() in text for text in told for value in values)


def _telling(case: Case, answer: Answer) -> list[Statement]:
    """The statements that make all vital claims."""
    vital = [claim for claim in case.claims if claim.vital]
    return [s for s in answer.statements if all(claim.is_in(s.shown) for claim in vital)]
