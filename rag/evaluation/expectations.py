"""Tells whether an answer has what a case expects besides its claims."""

from __future__ import annotations

from rag.evaluation.cases import Case
from rag.schema import Answer, Statement


def meets(case: Case, answer: Answer) -> bool:
    """Whether an answer has the reason, the number of outlets and the speaker that a case expects, where it says."""
    return _has_reason(case, answer) and _has_outlets(case, answer) and _has_speaker(case, answer)


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


def _telling(case: Case, answer: Answer) -> list[Statement]:
    """The statements that make all vital claims."""
    vital = [claim for claim in case.claims if claim.vital]
    return [s for s in answer.statements if all(claim.is_in(s.shown) for claim in vital)]
