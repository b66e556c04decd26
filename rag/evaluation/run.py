"""Asks a library the cases of a set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import ValidationError

from rag.errors import InputError, KeyRefusedError, NoModelError, RagError, ShapeError
from rag.evaluation.cases import CASE, Case, CaseSet, QaCase, SummaryCase
from rag.evaluation.observe import check_gold, observe
from rag.evaluation.results import RESULT, Grades, Identity, Result, Run
from rag.library import Library
from rag.models.budget import Terms
from rag.models.client import Account, Call, Caller
from rag.models.embeddings import identity as embedding_identity
from rag.models.prompts import INTEGER, TEXT, array_schema, data, fence, load_prompt, object_schema, prompts_folder
from rag.progress import Progress

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
