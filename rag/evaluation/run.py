"""Asks libraries the cases of sets, and writes what came of it."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, TypeAlias

from pydantic import ValidationError

from rag.errors import InputError, KeyRefusedError, NoModelError, RagError, ShapeError
from rag.evaluation.cases import CASE, Case, CaseSet, QaCase, SummaryCase
from rag.evaluation.formats import load_set
from rag.evaluation.gates import Gates, load_gates, pinned, save_gates
from rag.evaluation.observe import check_gold, observe
from rag.evaluation.report import Changes, Report, changes, keep_baseline, load_baseline, report, save_views
from rag.evaluation.results import RESULT, Grades, Identity, Result, Run
from rag.library import Library
from rag.models.budget import Terms
from rag.models.chat import chat_model
from rag.models.client import Account, Call, Caller
from rag.models.embeddings import identity as embedding_identity
from rag.models.prompts import INTEGER, TEXT, array_schema, data, fence, load_prompt, object_schema, prompts_folder
from rag.progress import Progress
from rag.schema import Article
from rag.settings import read_settings

_SCHEMA = object_schema(grades=array_schema(number=INTEGER, words=TEXT, made={"type": "boolean"}))


@dataclass(frozen=True, slots=True)
class Plan:
    """How a set is run.

    `k` hits are read; `workers` cases run at once; `judge` grades answers, and is not the
    model that answers; results are kept in the folder `out`, from which a run that was stopped goes on.
    """

    k: int = 10
    workers: int = 1
    judge: Caller | None = None
    out: Path | None = None


def run(cases: CaseSet, library: Library, plan: Plan = Plan(), *, progress: Progress | None = None) -> Run:
    """The results of all cases; a case that fails is a result with an error.

    Raises InputError if the articles do not contain the evidence or the judge is the model that answers; and
    KeyRefusedError and NoModelError, which would be the same for any case.
    """
    if library.writer and not library.terms.strict:
        raise InputError("a fault of the model would pass as an answer; make the library with Terms(strict=True)")
    check_gold(cases.cases, library.catalog)
    library.load()
    identity = _identity(library, plan)
    if identity.judge and identity.judge == identity.model:
        raise InputError(f"{identity.judge} would judge its own answers; name another model with --judge")
    kept = _ResultFile(plan.out / f"{cases.name}.results.jsonl") if plan.out else None
    say = progress or (lambda done, total, text: None)

    def done(case: Case) -> Result:
        key = _key(case, identity)
        result = kept.get(key) if kept else None
        if result is None:
            result = _graded(case, observe(case, library, k=plan.k), plan.judge)
            if kept:
                kept.put(key, result)
        return result

    results: list[Result] = []
    with ThreadPoolExecutor(plan.workers) as pool:
        try:
            for number, result in enumerate(pool.map(done, cases.cases), start=1):
                results.append(result)
                say(number, len(cases.cases), result.case)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Run(cases, identity, tuple(results))


class _ResultFile:
    """Results by key, a line of JSON each; threads may use it. A line that a kill cut is left out, and asked anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8") if path.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{path} cannot hold the results of a run: {error}; name another folder with --out"
            ) from error
        if text and not text.endswith("\n"):
            path.write_text(text := text[: text.rfind("\n") + 1], encoding="utf-8")
        self._results = dict(entry for line in text.split("\n") for entry in _entry(line))

    def get(self, key: str) -> Result | None:
        """The cached result; None for one that is an error, so that it is asked again."""
        found = self._results.get(key)
        return found if found and found.error is None else None

    def put(self, key: str, result: Result) -> None:
        """Keeps a result; when this returns, it is in the file."""
        line = json.dumps({"key": key, "result": RESULT.dump_python(result, mode="json")}, ensure_ascii=False)
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def _entry(line: str) -> list[tuple[str, Result]]:
    try:
        record = json.loads(line)
        return [(record["key"], RESULT.validate_python(record["result"]))]
    except (ValueError, KeyError, TypeError, ValidationError):
        return []


def _key(case: Case, identity: Identity) -> str:
    """What a result is of: the case as it is written, and what gave it."""
    made_by = _digest(f"{name}={value}" for name, value in asdict(identity).items())
    return _digest((CASE.dump_json(case).decode(), made_by))[:32]


def _identity(library: Library, plan: Plan) -> Identity:
    embeddings, writer = library.embeddings, library.writer
    articles = (f"{a.id} {a.sha256} {a.title} {a.source} {a.published}" for a in library.articles())
    return Identity(
        version=version("dispatches"),
        code=_files_digest(Path(__file__).parents[1], ".py", ".toml"),  # the word lists are TOML
        prompts=_files_digest(prompts_folder(), ".toml"),
        corpus=_digest(articles),
        embeddings=embedding_identity(embeddings).id if embeddings else None,
        model=writer.caller.choice.id if writer else None,
        judge=plan.judge.choice.id if plan.judge else None,
        k=plan.k,
    )


def _files_digest(folder: Path, *endings: str) -> str:
    named = {f.relative_to(folder).as_posix(): f for ending in endings for f in folder.rglob(f"*{ending}")}
    return _digest(f"{name}\n{file.read_text(encoding='utf-8')}" for name, file in sorted(named.items()))


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _graded(case: Case, result: Result, judge: Caller | None) -> Result:
    """The result with what the judge makes of it; a fault of the judge makes it an error."""
    if judge is None or result.error or not isinstance(case, QaCase | SummaryCase) or not result.statements:
        return result
    try:
        return replace(result, grades=_grades(case, result, judge))
    except (KeyRefusedError, NoModelError):
        raise
    except RagError as error:
        return replace(result, error=f"judge: {type(error).__name__}: {error}")


def _grades(case: QaCase | SummaryCase, result: Result, judge: Caller) -> Grades:
    """Which claims the statements make, then which forbidden ones; raises ModelError."""
    claims, size = (*case.claims, *case.forbidden), len(case.claims)
    if not claims:
        return Grades(judge.choice.id, (), ())
    question = case.question if isinstance(case, QaCase) else case.topic or "a summary of the articles"
    rows = [{"number": number, "claim": data(claim.text)} for number, claim in enumerate(claims, start=1)]
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    texts = {"question": data(question), "answer": data(result.said), "claims": lines}
    inputs = texts | {"fence": fence(*texts.values())}
    call = Call(load_prompt("grade", *inputs), inputs, _SCHEMA)
    made = judge.json(call, Account(Terms(cache=False)), lambda reply: _read_grades(reply, len(claims)))
    return Grades(judge.choice.id, made[:size], made[size:])


def _read_grades(reply: dict[str, Any], size: int) -> tuple[bool, ...]:
    """Whether each claim is made, by its number; raises ShapeError if one has no grade, or several."""
    grades = reply.get("grades")
    rows = grades if isinstance(grades, list) else []
    made = {row["number"]: row["made"] for row in rows if isinstance(row, dict) and {"number", "made"} <= row.keys()}
    if len(rows) != size or any(not isinstance(made.get(n), bool) for n in range(1, size + 1)):
        raise ShapeError(f"the reply grades {sorted(map(str, made))}; wanted each of 1 to {size} once, true or false")
    return tuple(made[n] for n in range(1, size + 1))


# Campaigns

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
