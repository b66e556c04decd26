"""Asks a library the questions of a set."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter

from rag.evaluation.cases import Case
from rag.evaluation.metrics import Scored
from rag.library import Library


def run(cases: Iterable[Case], library: Library, *, k: int = 10) -> list[Scored]:
    """Each case with the answer of the library, in order."""
    return [_scored(case, library, k) for case in cases]


def _scored(case: Case, library: Library, k: int) -> Scored:
    start = perf_counter()
    answer = library.ask(case.question, k=k, window=case.window, history=case.history)
    return Scored(case, answer, perf_counter() - start)
