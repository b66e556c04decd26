"""Asks a library the cases of a set, as often as is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from rag.errors import InputError, KeyRefusedError, NoModelError, RagError
from rag.evaluation.cases import Case, QaCase, SummaryCase
from rag.evaluation.formats.files import CaseSet
from rag.evaluation.gold import check_gold
from rag.evaluation.identity import Identity, identify
from rag.evaluation.observe import observe
from rag.evaluation.results import Grades, Result, Run
from rag.evaluation.results_file import ResultFile, key
from rag.library import Library
from rag.progress import Progress


class Grade(Protocol):
    """Tells which claims an answer makes; `id` is the name of the model that does."""

    id: str

    def __call__(self, case: QaCase | SummaryCase, result: Result) -> Grades: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How a set is run.

    `k` hits are read; `workers` cases run at once; each is asked `repeat` times; `grade` is a judge, who is not the
    model that answers; results are kept in the folder `out`, from which a run that was stopped goes on.
    """

    k: int = 10
    workers: int = 1
    repeat: int = 1
    grade: Grade | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    case: Case
    repeat: int


def run(cases: CaseSet, library: Library, plan: Plan = Plan(), *, progress: Progress | None = None) -> Run:
    """The results of all cases.

    A case that fails is a result with an error. Raises InputError if gold evidence does not stand in the articles or
    the judge is the model that answers; and KeyRefusedError and NoModelError, which would be the same for any case.
    """
    if library.writer and not library.terms.strict:
        raise InputError("a fault of the model would pass as an answer; make the library with Terms(strict=True)")
    check_gold(cases.cases, library.catalog)
    library.load()
    identity = identify(library, judge=plan.grade.id if plan.grade else None, k=plan.k)
    if identity.judge and identity.judge == identity.model:
        raise InputError(f"{identity.judge} would judge its own answers; name another model with --judge")
    kept = ResultFile(plan.out / f"{cases.name}.results.jsonl") if plan.out else None
    jobs = [_Job(case, repeat) for repeat in range(plan.repeat) for case in cases.cases]
    found = _all(jobs, _Bench(library, plan, identity, kept), progress)
    size = len(cases.cases)
    return Run(cases, identity, tuple(tuple(found[n * size : (n + 1) * size]) for n in range(plan.repeat)))


@dataclass(frozen=True, slots=True)
class _Bench:
    """What each job needs."""

    library: Library
    plan: Plan
    identity: Identity
    kept: ResultFile | None

    def done(self, job: _Job) -> Result:
        """The result of a job, as it was kept, or else from the library."""
        name = key(job.case, self.identity, repeat=job.repeat)
        before = self.kept.get(name) if self.kept else None
        if before:
            return before
        result = _graded(job.case, observe(job.case, self.library, k=self.plan.k), self.plan.grade)
        if self.kept:
            self.kept.put(name, result)
        return result


def _all(jobs: list[_Job], bench: _Bench, progress: Progress | None) -> list[Result]:
    with ThreadPoolExecutor(bench.plan.workers) as pool:
        try:
            return list(_told(pool.map(bench.done, jobs), jobs, progress))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _told(results: Iterator[Result], jobs: list[_Job], progress: Progress | None) -> Iterator[Result]:
    for number, result in enumerate(results, start=1):
        if progress:
            progress(number, len(jobs), result.case)
        yield result


def _graded(case: Case, result: Result, grade: Grade | None) -> Result:
    """The result with what the judge makes of it; a fault of the judge makes it an error."""
    if grade is None or result.error or not isinstance(case, QaCase | SummaryCase) or not result.statements:
        return result
    try:
        return replace(result, grades=grade(case, result))
    except (KeyRefusedError, NoModelError):
        raise
    except RagError as error:
        return replace(result, error=f"judge: {type(error).__name__}: {error}")
