"""Measures sets in libraries of their own, then files what was found."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.errors import InputError
from rag.evaluation import exports
from rag.evaluation.changes import Before, Changes, changes, keep_baseline, load_baseline
from rag.evaluation.formats.files import CaseSet
from rag.evaluation.gates import Gates, load_gates, pinned, save_gates
from rag.evaluation.gold import check_gold
from rag.evaluation.html import html_report
from rag.evaluation.judge import Grader
from rag.evaluation.report import Report, report
from rag.evaluation.results import Run
from rag.evaluation.run import Plan, run
from rag.evaluation.suites import Suite, suites
from rag.library import Library
from rag.models.chat import chat_model
from rag.models.client import Caller
from rag.progress import Progress
from rag.settings import read_settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured: files of cases, or all that a file of gates names; `origins` are added first.

    `judge` names a model that grades. The rest is what is done with the report: `gates` it is held against, `baseline`
    it is compared with, `out` is the folder it is kept in, `pin` writes it to both, `lower` lets it lower floors.
    """

    sets: tuple[Path, ...] = ()
    origins: tuple[str, ...] = ()
    k: int = 10
    workers: int = 1
    repeat: int = 1
    judge: str | None = None
    gates: Path | None = None
    baseline: Path | None = None
    out: Path | None = None
    pin: bool = False
    lower: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The report, what changed since the baseline, and the gates that are missed, a line each.

    `warnings` tell what of the files is no part of the sets.
    """

    report: Report
    changes: tuple[Changes, ...]
    missed: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doors:
    """How a library is opened, with articles added first, in a folder or where the settings say; and a progress."""

    library: Callable[[Path | None, Sequence[str]], AbstractContextManager[Library]]
    progress: Callable[[], AbstractContextManager[Progress]]


def campaign(asked: Asked, doors: Doors) -> Found:
    """Measures all; the files of the gates and of `out` are written. Raises InputError for what cannot be done."""
    if asked.pin and asked.gates is None:
        raise InputError("--pin has no file to write to; name one with --gates")
    baseline = _baseline(asked)
    chosen = suites(asked.sets, asked.gates, asked.origins)
    plan = Plan(asked.k, asked.workers, asked.repeat, _grader(asked.judge), asked.out)
    measured = report([done for suite in chosen for done in _runs(suite, plan, doors)])
    if asked.pin and asked.gates:
        _pin(measured, asked.gates, asked, chosen)
    found = Found(
        measured,
        tuple(changes(measured, baseline)),
        tuple(measured.failures(asked.gates)) if asked.gates else (),
        tuple(warning for suite in chosen for one in suite.sets for warning in one.warnings),
    )
    if asked.pin and asked.baseline:
        keep_baseline(asked.baseline, measured)
    if asked.out:
        _file(found, asked)
    return found


def _baseline(asked: Asked) -> Mapping[str, Before]:
    """What there was before; nothing, if there is no file yet, and this run is to write it."""
    if asked.baseline is None or (asked.pin and not asked.baseline.exists()):
        return {}
    return load_baseline(asked.baseline)


def _runs(suite: Suite, plan: Plan, doors: Doors) -> Iterator[Run]:
    """The runs of a suite; its evidence is looked for before any case is asked."""
    with _filled(suite, doors) as library:
        check_gold((case for found in suite.sets for case in found.cases), library.catalog)
        for found in suite.sets:
            with doors.progress() as progress:
                yield run(found, library, plan, progress=progress)


@contextmanager
def _filled(suite: Suite, doors: Doors) -> Iterator[Library]:
    """A new library of the suite's articles, or the one of the settings if it names none."""
    with TemporaryDirectory() as folder:
        own = Path(folder) if suite.origins or suite.articles else None
        with doors.library(own, suite.origins) as library:
            if suite.articles:
                library.add(*suite.articles)
            yield library


def _file(found: Found, asked: Asked) -> None:
    """Writes the reports to the folder, beside the results."""
    folder = asked.out or Path()
    exports.save(found.report.sets, folder)
    found.report.save(folder / "report.json")
    page = html_report(found.report, found.changes, found.missed if asked.gates else None)
    (folder / "report.html").write_text(page, encoding="utf-8")


def _grader(name: str | None) -> Grader | None:
    """The judge that a name means; a name is always a model, so the settings give one."""
    choice = read_settings(model=name).chat() if name else None
    return Grader(Caller(chat_model(choice), choice)) if choice else None


def _pin(found: Report, path: Path, asked: Asked, chosen: Sequence[Suite]) -> None:
    """Writes the pins of all sets that were measured; what else the file has stays."""
    table = load_gates(path) if path.exists() else {}
    new = {s.name: _gates(s, suite.origins, path) for suite in chosen for s in suite.sets}
    for measured in found.sets:
        before = table.get(measured.name, new[measured.name])
        table[measured.name] = pinned(before, measured.measured, lower=asked.lower)
    save_gates(path, table)


def _gates(found: CaseSet, origins: Sequence[str], path: Path) -> Gates:
    """Where a set and its articles are, as seen from the file of gates."""
    places = [os.path.relpath(place, path.parent).replace(os.sep, "/") for place in (found.path or "", *origins)]
    return Gates(cases=places[0], articles=tuple(places[1:]))
