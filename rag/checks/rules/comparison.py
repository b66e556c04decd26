"""Compares each fact of a statement with the evidence, saying what differs."""

from __future__ import annotations

from collections.abc import Sequence

from rag.checks.rules.date_checks import check_date
from rag.checks.rules.directions import check_direction
from rag.checks.rules.facts import Evidence
from rag.checks.rules.matching import paired
from rag.checks.rules.name_checks import check_name
from rag.checks.rules.number_checks import check_number
from rag.schema import Check

_CHECKS = {"number": check_number, "date": check_date, "name": check_name, "contrast": check_direction}


def compare(text: str, evidence: Sequence[Evidence]) -> list[Check]:
    """A check for each number, date, name and contrast of a statement."""
    pair = paired(text, evidence)
    return [check for fact in pair.statement.facts for check in _CHECKS[fact.kind](fact, pair)]
