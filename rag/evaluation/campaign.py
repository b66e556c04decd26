"""Measures sets in libraries of their own, then writes what came of it."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from rag.errors import InputError
from rag.evaluation.cases import CASE, Case, CaseSet
from rag.evaluation.formats import load_set
from rag.evaluation.gates import Gates, load_gates, pinned, save_gates
from rag.evaluation.observe import check_gold
from rag.evaluation.report import Changes, Report, changes, keep_baseline, load_baseline, report
from rag.evaluation.results import Run
from rag.evaluation.run import Plan, run
from rag.evaluation.views import save_views
from rag.library import Library
from rag.models.chat import chat_model
from rag.models.client import Caller
from rag.progress import Progress
from rag.schema import Article
from rag.settings import read_settings

Cases: TypeAlias = str | Path | CaseSet | Case
"""A file of cases, a set that was read, or one case."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is to be measured: files of cases, or all that a file of gates names; `origins` are added first.

    `judge` names a model that grades. The rest is what is done with the report: `gates` it is held against, `baseline`
    it is compared with, `out` is the folder it is kept in, `pin` writes it to both, `lower` lets it lower floors.
    """

    sets: tuple[Path, ...] = ()
    origins: tuple[str, ...] = ()
    k: int = 10
    workers: int = 1
    judge: str | None = None
    gates: Path | None = None
    baseline: Path | None = None
    out: Path | None = None
    pin: bool = False
    lower: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report, what changed since the baseline, and the gates that are missed, a line each.

    `warnings` say what of the files is not part of the sets.
    """

    report: Report
    changes: tuple[Changes, ...]
    missed: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a library is opened, with articles added first, in a folder or where the settings say; and a progress."""

    library: Callable[[Path | None, Sequence[str]], AbstractContextManager[Library]]
    progress: Callable[[], AbstractContextManager[Progress]]


@dataclass(frozen=True, slots=True)
class _Suite:
    """Sets that are asked about the same articles: `origins`, which are added first, and those that they bring."""

    sets: tuple[CaseSet, ...]
    origins: tuple[str, ...]

    @property
    def articles(self) -> tuple[Article, ...]:
        return tuple(article for one in self.sets for article in one.articles)


def evaluate(
    cases: Cases | Sequence[Cases], library: Library, plan: Plan = Plan(), *, progress: Progress | None = None
) -> Report:
    """The report on a library's answers to sets of cases; single cases are a set called `cases`.

    Nothing is added to the library, and with no language model nothing is sent anywhere. Use it in a test of your own:
    `rag.evaluate("cases.jsonl", library).assert_gates("gates.toml")`. Raises InputError as `load_set` and `run` do.
    """
    given = list(cases) if isinstance(cases, Sequence) and not isinstance(cases, str) else [cases]
    sets = [load_set(Path(c)) for c in given if isinstance(c, str | Path)]
    sets += [c for c in given if isinstance(c, CaseSet)]
    single = tuple(c for c in given if not isinstance(c, str | Path | CaseSet))
    if single:
        digest = hashlib.sha256(b"\n".join(CASE.dump_json(case) for case in single)).hexdigest()
        sets.append(CaseSet("cases", single, digest))
    return report([run(one, library, plan, progress=progress) for one in sets])


def measure(campaign: Campaign, around: Surroundings) -> Outcome:
    """Measures all; the files of the gates and of `out` are written. Raises InputError for what cannot be done."""
    if campaign.pin and campaign.gates is None:
        raise InputError("--pin has no file to write to; name one with --gates")
    is_first = campaign.pin and campaign.baseline and not campaign.baseline.exists()  # which this run is to write
    before = load_baseline(campaign.baseline) if campaign.baseline and not is_first else {}
    chosen = _suites(campaign)
    choice = read_settings(model=campaign.judge).chat() if campaign.judge else None
    plan = Plan(campaign.k, campaign.workers, Caller(chat_model(choice), choice) if choice else None, campaign.out)
    measured = report([done for suite in chosen for done in _runs(suite, plan, around)])
    if campaign.pin and campaign.gates:
        _pin(measured, campaign.gates, campaign, chosen)
    outcome = Outcome(
        measured,
        tuple(changes(measured, before)),
        tuple(measured.failures(campaign.gates)) if campaign.gates else (),
        tuple(warning for suite in chosen for one in suite.sets for warning in one.warnings),
    )
    if campaign.pin and campaign.baseline:
        keep_baseline(campaign.baseline, measured)
    if campaign.out:
        save_views(measured, outcome.changes, outcome.missed if campaign.gates else None, campaign.out)
    return outcome


def _suites(campaign: Campaign) -> list[_Suite]:
    """The sets of files, or all that a file of gates has, grouped by their articles: `origins`, else what gates say."""
    table = load_gates(campaign.gates) if campaign.gates and campaign.gates.exists() else {}
    base = campaign.gates.parent if campaign.gates else Path()
    files = list(campaign.sets) or [base / gates.cases for gates in table.values() if gates.cases]
    if not files:
        raise InputError(
            "there is no set to measure; name a file of cases, or give --gates with a file that names some"
        )
    sets = [load_set(path) for path in files]
    name, times = Counter(one.name for one in sets).most_common(1)[0]
    if times > 1:
        raise InputError(f"{times} sets are called {name!r}; give their files names of their own")

    def origins(one: CaseSet) -> tuple[str, ...]:
        pinned_to = table[one.name].articles if one.name in table else ()
        return campaign.origins or tuple(str(base / place) for place in pinned_to)

    # Sets that bring articles are asked alone: their questions must not be answered from another's articles.
    alone = [_Suite((one,), origins(one)) for one in sets if one.articles]
    rest = [one for one in sets if not one.articles]
    groups = dict.fromkeys(map(origins, rest))
    return [_Suite(tuple(one for one in rest if origins(one) == group), group) for group in groups] + alone


def _runs(suite: _Suite, plan: Plan, around: Surroundings) -> Iterator[Run]:
    """The runs of a suite; its evidence is looked for before any case is asked."""
    with _filled(suite, around) as library:
        check_gold((case for one in suite.sets for case in one.cases), library.catalog)
        for one in suite.sets:
            with around.progress() as progress:
                yield run(one, library, plan, progress=progress)


@contextmanager
def _filled(suite: _Suite, around: Surroundings) -> Iterator[Library]:
    """A new library of the suite's articles, or the one of the settings if it names none."""
    with TemporaryDirectory() as folder:
        own = Path(folder) if suite.origins or suite.articles else None
        with around.library(own, suite.origins) as library:
            if suite.articles:
                library.add(*suite.articles)
            yield library


def _pin(measured: Report, path: Path, campaign: Campaign, chosen: Sequence[_Suite]) -> None:
    """Writes the pins of all sets that were measured, with places as seen from the file; what else it has stays."""
    table = load_gates(path) if path.exists() else {}
    for suite in chosen:
        for one in suite.sets:
            places = (os.path.relpath(place, path.parent) for place in (one.path or "", *suite.origins))
            cases, *articles = (place.replace(os.sep, "/") for place in places)
            table.setdefault(one.name, Gates(cases=cases, articles=tuple(articles)))
    for found in measured.sets:
        table[found.name] = pinned(table[found.name], found.measured, lower=campaign.lower)
    save_gates(path, table)
