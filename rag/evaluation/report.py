"""Adds up runs to the rates of their sets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from statistics import stdev
from typing import Any

from rag.evaluation.cases import CASE, Case
from rag.evaluation.gates import Measured, failures, load_gates
from rag.evaluation.identity import Identity
from rag.evaluation.measures import is_right, rates, shares
from rag.evaluation.rates import Rate, Share, percentile
from rag.evaluation.results import RESULT, Result, Run
from rag.schema import Usage


@dataclass(frozen=True, slots=True)
class Scored:
    """A case with its result, what it counts for, and whether it is right: None if unscored, or a matter of degree."""

    case: Case
    result: Result
    shares: Mapping[str, Share]
    right: bool | None


@dataclass(frozen=True, slots=True)
class SetReport:
    """The rates of a set, of all times it was run together; `cases` are those of the first time.

    `types` are the rates by type of case, `spread` the standard deviation of each rate over the times, if there were
    several; `p50` and `p95` are seconds a case.
    """

    name: str
    digest: str
    identity: Identity
    cases: tuple[Scored, ...]
    rates: Mapping[str, Rate]
    types: Mapping[str, Mapping[str, Rate]]
    spread: Mapping[str, float]
    p50: float
    p95: float
    usage: Usage
    repeats: int = 1

    @property
    def measured(self) -> Measured:
        """What gates are held against."""
        return Measured(self.digest, self.identity.corpus, self.rates)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "digest": self.digest,
            "identity": asdict(self.identity),
            "rates": _dict(self.rates),
            "types": {name: _dict(found) for name, found in self.types.items()},
            "spread": dict(self.spread),
            "repeats": self.repeats,
            "seconds": {"p50": self.p50, "p95": self.p95},
            "usage": asdict(self.usage),
            "cases": [_case(scored) for scored in self.cases],
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

    def save(self, path: Path) -> None:
        """Writes the JSON to a file."""
        path.write_text(f"{json.dumps(self.to_dict(), ensure_ascii=False)}\n", encoding="utf-8")

    def failures(self, gates: str | Path) -> list[str]:
        """The gates of a TOML file that are missed; raises InputError if it has none for a set."""
        found = load_gates(Path(gates))
        return [problem for s in self.sets for problem in failures(s.name, found, s.measured)]

    def assert_gates(self, gates: str | Path) -> None:
        """Raises AssertionError with a line for each gate of a TOML file that is missed."""
        if missed := self.failures(gates):
            raise AssertionError("\n".join(missed))


def report(runs: Sequence[Run]) -> Report:
    """The report on runs."""
    return Report(tuple(map(_set_report, runs)))


def _set_report(run: Run) -> SetReport:
    repeats = [[_scored(c, r) for c, r in zip(run.set.cases, results, strict=True)] for results in run.repeats]
    every = [scored for repeat in repeats for scored in repeat]
    seconds = [s.result.seconds for s in every if s.result.error is None] or [0.0]
    types = sorted({s.case.type for s in every})
    return SetReport(
        name=run.set.name,
        digest=run.set.digest,
        identity=run.identity,
        cases=tuple(repeats[0]),
        rates=_rates(every),
        types={t: _rates([s for s in every if s.case.type == t]) for t in types} if len(types) > 1 else {},
        spread=_spread([_rates(repeat) for repeat in repeats]),
        p50=percentile(seconds, 0.5),
        p95=percentile(seconds, 0.95),
        usage=reduce(Usage.__add__, (s.result.usage for s in every), Usage()),
        repeats=len(repeats),
    )


def _scored(case: Case, result: Result) -> Scored:
    return Scored(case, result, shares(case, result), is_right(case, result))


def _rates(scored: Sequence[Scored]) -> dict[str, Rate]:
    return rates([s.shares for s in scored])


def _spread(repeats: Sequence[Mapping[str, Rate]]) -> dict[str, float]:
    if len(repeats) < 2:
        return {}
    names = [name for name in repeats[0] if all(name in found for found in repeats)]
    return {name: stdev(found[name].value for found in repeats) for name in names}


def _dict(found: Mapping[str, Rate]) -> dict[str, Any]:
    return {name: asdict(rate) for name, rate in found.items()}


def _case(scored: Scored) -> dict[str, Any]:
    return {
        "id": scored.case.id,
        "type": scored.case.type,
        "right": scored.right,
        "case": CASE.dump_python(scored.case, mode="json", exclude_defaults=True),
        "result": RESULT.dump_python(scored.result, mode="json"),
    }
