"""Adds up runs to the rates of their sets, compares them with earlier ones, and shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter

from rag.errors import InputError
from rag.evaluation.cases import CASE, Case, CheckCase, OrderCase, QaCase, ReplyCase, SearchCase
from rag.evaluation.gates import GATED, Measured, failures, load_gates
from rag.evaluation.metrics import CHIEF, LOW, answering, has_speaker, is_right, meet, passes, rates, shares, shows
from rag.evaluation.rates import Rate, Share, percentile
from rag.evaluation.results import RESULT, Identity, Result, Run
from rag.render.page import rendered
from rag.schema import Usage


@dataclass(frozen=True, slots=True)
class Scored:
    """A case with its result, what it counts for, and whether it is right: None if it is unscored."""

    case: Case
    result: Result
    shares: Mapping[str, Share]
    right: bool | None


@dataclass(frozen=True, slots=True)
class SetReport:
    """The rates of a set, and its cases; `types` are the rates by type of case, `p50` and `p95` seconds a case."""

    name: str
    digest: str
    identity: Identity
    cases: tuple[Scored, ...]
    rates: Mapping[str, Rate]
    types: Mapping[str, Mapping[str, Rate]]
    p50: float
    p95: float
    usage: Usage

    @property
    def measured(self) -> Measured:
        """What gates are held against."""
        return Measured(self.digest, self.identity.corpus, self.rates)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "digest": self.digest,
            "identity": asdict(self.identity),
            "rates": _record(self.rates),
            "types": {name: _record(found) for name, found in self.types.items()},
            "seconds": {"p50": self.p50, "p95": self.p95},
            "usage": asdict(self.usage),
            "cases": [_case_record(scored) for scored in self.cases],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The reports on sets, in the order they were run."""

    sets: tuple[SetReport, ...]

    @property
    def usage(self) -> Usage:
        """The tokens of all, and their cost."""
        return reduce(Usage.__add__, (s.usage for s in self.sets), Usage())

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag eval --json`."""
        return {"schema": 1, "sets": {s.name: s.to_dict() for s in self.sets}}

    def failures(self, gates: str | Path) -> list[str]:
        """The gates of a TOML file that are missed; raises InputError if it has none for a set."""
        table = load_gates(Path(gates))
        return [problem for s in self.sets for problem in failures(s.name, table, s.measured)]

    def assert_gates(self, gates: str | Path) -> None:
        """Raises AssertionError with a line for each gate of a TOML file that is missed."""
        if missed := self.failures(gates):
            raise AssertionError("\n".join(missed))


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed in a set since a baseline: ids of cases that are right now and were not, and the other way round.

    `same` is how many are as they were, `added` and `removed` are the ids that only one of both has; `rates` are the
    differences of the rates that both have.
    """

    name: str
    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    same: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    rates: Mapping[str, float]

    def __str__(self) -> str:
        lines = [f"{self.name}: {len(self.fixed)} fixed, {len(self.broken)} broken, {self.same} same"]
        lines += [f"  fixed: {', '.join(self.fixed)}"] * bool(self.fixed)
        lines += [f"  broken: {', '.join(self.broken)}"] * bool(self.broken)
        lines += [f"  {len(self.added)} new cases, {len(self.removed)} gone"] * bool(self.added or self.removed)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _RateBefore:
    value: float


@dataclass(frozen=True, slots=True)
class _CaseBefore:
    id: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class Before:
    """What a baseline keeps of a set."""

    cases: tuple[_CaseBefore, ...]
    rates: dict[str, _RateBefore]


_BASELINE: TypeAdapter[dict[str, Before]] = TypeAdapter(dict[str, Before])


def report(runs: Sequence[Run]) -> Report:
    """The report on runs."""
    return Report(tuple(map(_set_report, runs)))


def load_baseline(path: Path) -> dict[str, Before]:
    """The sets of a file that `rag eval --out` or `--pin` wrote; raises InputError for any other."""
    try:
        return _BASELINE.validate_python(json.loads(path.read_text(encoding="utf-8"))["sets"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        why = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no baseline: {why}; give the report.json of an earlier `--out`") from error


def keep_baseline(path: Path, report: Report) -> None:
    """Writes the rates, and which cases are right, to a file; other sets that the file has stay."""
    sets = _BASELINE.dump_python(load_baseline(path), mode="json") if path.exists() else {}
    for one in report.sets:
        cases = [{"id": s.case.id, "right": s.right} for s in one.cases]
        sets[one.name] = {"cases": cases, "rates": {n: {"value": round(r.value, 4)} for n, r in one.rates.items()}}
    text = json.dumps({"schema": 1, "sets": sets}, indent=1, ensure_ascii=False)
    # One line for each case and rate, so that a change shows as a few lines.
    text = re.sub(r"\{\s+([^{}\[\]]*?)\s+\}", lambda flat: "{" + " ".join(flat[1].split()) + "}", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n", encoding="utf-8")


def changes(report: Report, baseline: Mapping[str, Before]) -> list[Changes]:
    """What changed in each set that both have."""
    return [_changes(one, baseline[one.name]) for one in report.sets if one.name in baseline]


def _changes(one: SetReport, before: Before) -> Changes:
    now = {s.case.id: s.right for s in one.cases}
    then = {case.id: case.right for case in before.cases}
    both = [id for id in now if id in then]
    return Changes(
        name=one.name,
        fixed=tuple(id for id in both if now[id] and not then[id]),
        broken=tuple(id for id in both if then[id] and not now[id]),
        same=sum(bool(now[id]) is bool(then[id]) for id in both),
        added=tuple(id for id in now if id not in then),
        removed=tuple(id for id in then if id not in now),
        rates={n: one.rates[n].value - before.rates[n].value for n in one.rates if n in before.rates},
    )


def _set_report(run: Run) -> SetReport:
    every = [Scored(c, r, shares(c, r), is_right(c, r)) for c, r in zip(run.set.cases, run.results, strict=True)]
    seconds = [s.result.seconds for s in every if s.result.error is None] or [0.0]
    types = sorted({s.case.type for s in every})
    return SetReport(
        name=run.set.name,
        digest=run.set.digest,
        identity=run.identity,
        cases=tuple(every),
        rates=_rates(every),
        types={t: _rates([s for s in every if s.case.type == t]) for t in types} if len(types) > 1 else {},
        p50=percentile(seconds, 0.5),
        p95=percentile(seconds, 0.95),
        usage=reduce(Usage.__add__, (s.result.usage for s in every), Usage()),
    )


def _rates(scored: Sequence[Scored]) -> dict[str, Rate]:
    return rates([s.shares for s in scored])


def _record(found: Mapping[str, Rate]) -> dict[str, Any]:
    return {name: asdict(rate) for name, rate in found.items()}


def _case_record(scored: Scored) -> dict[str, Any]:
    return {
        "id": scored.case.id,
        "type": scored.case.type,
        "right": scored.right,
        "case": CASE.dump_python(scored.case, mode="json", exclude_defaults=True),
        "result": RESULT.dump_python(scored.result, mode="json"),
    }


_HEAD = ("set", "cases", "chief metric", "value", "95 % interval", "unscored", "p50 s", "p95 s")


def score_lines(report: Report, changes: Sequence[Changes] = (), *, all_rates: bool = False) -> Iterator[str]:
    """A line a set, then the other rates of each, if there is one set or all are wanted; then what changed."""
    yield from _table([_HEAD, *map(_row, report.sets)])
    for one in report.sets if all_rates or len(report.sets) == 1 else ():
        yield from ("", f"{one.name}:")
        yield from _table([(f"  {n}", *_value(rate)) for n, rate in one.rates.items()])
        types = [(f"    {t or '(no type)'}", n, *_value(of[n])) for t, of in one.types.items() if (n := _chief(of))]
        if types:
            yield "  by type:"
            yield from _table(types)
        wrong = [s.case.id for s in one.cases if s.right is False]
        unscored = [s.case.id for s in one.cases if s.result.error]
        yield from (f"  {t}: {', '.join(ids)}" for t, ids in (("not right", wrong), ("unscored", unscored)) if ids)
    if report.usage.input_tokens:
        used = report.usage
        yield f"{used.input_tokens:,} tokens in, {used.output_tokens:,} out, {used.price}"
    yield from map(str, changes)


def html_report(report: Report, changes: Sequence[Changes] = (), failures: Sequence[str] | None = None) -> str:
    """A page that needs nothing else: the verdict, the rates of each set, what changed, and every case.

    `failures` are the gates that are missed, a line each; None if no gates were looked at.
    """
    return rendered(
        "evaluation/report.html",
        title="Evaluation",
        report=report,
        changes={change.name: change for change in changes},
        failures=failures,
        columns=[n for n in GATED if any(n in one.rates for one in report.sets)],
        low=LOW,
        chief=_chief,
        anchor=_anchor,
        asked=_asked,
        meet=meet,
        answering=answering,
        has_speaker=has_speaker,
        passes=passes,
        shows=shows,
    )


def save_views(report: Report, changes: Sequence[Changes], failures: Sequence[str] | None, folder: Path) -> None:
    """Writes `report.json` for other tools, `report.html` for people."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(f"{json.dumps(report.to_dict(), ensure_ascii=False)}\n", encoding="utf-8")
    (folder / "report.html").write_text(html_report(report, changes, failures), encoding="utf-8")


def _row(one: SetReport) -> tuple[str, ...]:
    name = _chief(one.rates)
    value, unscored = _value(one.rates.get(name, Rate())), f"{one.rates['unscored'].hits:g}"
    return one.name, str(len(one.cases)), name, *value, unscored, f"{one.p50:.3f}", f"{one.p95:.3f}"


def _chief(rates: Iterable[str]) -> str:
    """The first of CHIEF that there is; empty if there is none."""
    return next((name for name in CHIEF if name in rates), "")


def _value(rate: Rate) -> tuple[str, ...]:
    counts = f" ({rate.hits:g}/{rate.n:g})" if rate.hits == int(rate.hits) else ""
    return f"{rate.value:.2f}{counts}", f"[{rate.low:.2f}, {rate.high:.2f}]"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _anchor(name: str, id: str = "") -> str:
    """The id of a case in the page, safe to link to; no other of the page is the same."""
    return f"{quote(name, safe='')}/{quote(id, safe='')}"


def _asked(case: Case) -> str:
    """The question, the claim to check, or the topic."""
    match case:
        case QaCase() | SearchCase() | ReplyCase():
            return case.question
        case CheckCase() | OrderCase():
            return case.text
        case _:
            return case.topic or ", ".join(case.articles) or "the whole library"
