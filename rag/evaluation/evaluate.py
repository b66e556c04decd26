"""Measures a library with a few lines of Python."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from rag.evaluation.cases import CASE, Case
from rag.evaluation.formats.files import CaseSet, load_set
from rag.evaluation.report import Report, report
from rag.evaluation.run import Plan, run
from rag.library import Library
from rag.progress import Progress

Cases: TypeAlias = str | Path | CaseSet | Case
"""A file of cases, a set that was read, or one case."""


def evaluate(
    cases: Cases | Sequence[Cases], library: Library, plan: Plan = Plan(), *, progress: Progress | None = None
) -> Report:
    """The report on a library's answers to sets of cases; single cases are a set called `cases`.

    Nothing is added to the library, and with no language model nothing is sent anywhere. Use it in a test of your own:
    `rag.evaluate("cases.jsonl", library).assert_gates("gates.toml")`. Raises InputError as `load_set` and `run` do.
    """
    given = list(cases) if isinstance(cases, Sequence) and not isinstance(cases, str) else [cases]
    files = [load_set(Path(c)) for c in given if isinstance(c, str | Path)]
    sets = [c for c in given if isinstance(c, CaseSet)]
    single = tuple(c for c in given if not isinstance(c, str | Path | CaseSet))
    alone = [CaseSet("cases", single, _digest(single))] if single else []
    return report([run(found, library, plan, progress=progress) for found in (*files, *sets, *alone)])


def _digest(cases: Sequence[Case]) -> str:
    return hashlib.sha256(b"\n".join(CASE.dump_json(case) for case in cases)).hexdigest()
