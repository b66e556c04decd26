"""Tells whether an answer has what a case expects besides its claims."""

from __future__ import annotations

from rag.evaluation.cases import Case
from rag.schema import Answer


def meets(case: Case, answer: Answer) -> bool:
    """Whether an answer abstains for the right reason and counts the right number of outlets, where a case says."""
    return _has_reason(case, answer) and _has_outlets(case, answer)


def _has_reason(case: Case, answer: Answer) -> bool:
    return case.expected.reason in (None, answer.reason)


def _has_outlets(case: Case, answer: Answer) -> bool:
    if case.expected.independent is None:
        return True
    vital = [claim for claim in case.claims if claim.vital]
    telling = [s for s in answer.statements if all(claim.is_in(s.text) for claim in vital)]
    return bool(telling) and len(telling[0].outlets) == case.expected.independent
