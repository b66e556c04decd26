"""Renders the scores of a set against its gates."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation import metrics
from rag.evaluation.metrics import Rate, Scored

RATES = {
    "full_answers": metrics.full_answers,
    "evidence_recall": metrics.evidence_recall,
    "abstention_precision": metrics.abstention_precision,
    "abstention_recall": metrics.abstention_recall,
    "wrong_answers": metrics.wrong_answers,
    "forbidden_claims": metrics.forbidden_claims,
    "valid_citations": metrics.valid_citations,
    "right_cases": metrics.right_cases,
}
GATE_FAILED = 10
"""The exit code when a gate is missed."""
_CEILINGS = frozenset(("wrong_answers", "forbidden_claims"))


@dataclass(frozen=True, slots=True)
class Report:
    """The rates of a set, and how long the answers took."""

    rates: Mapping[str, Rate]
    p50: float
    p95: float

    def failures(self, gates: Mapping[str, float]) -> list[str]:
        """The gates that are missed: floors, and ceilings for what should be low."""
        return [
            f"{name} is {self.rates[name]}, the gate is {gate}"
            for name, gate in gates.items()
            if self._misses(name, gate)
        ]

    def __str__(self) -> str:
        lines = [f"{name:<22}{rate}" for name, rate in self.rates.items()]
        return "\n".join([*lines, f"{'seconds':<22}p50 {self.p50:.3f}, p95 {self.p95:.3f}"])

    def _misses(self, name: str, gate: float) -> bool:
        value = self.rates[name].value
        return value > gate if name in _CEILINGS else value < gate


def report(scored: Sequence[Scored]) -> Report:
    """The report on a set that was run; at least one case."""
    seconds = [s.seconds for s in scored]
    rates = {name: rate(scored) for name, rate in RATES.items()}
    return Report(rates, metrics.percentile(seconds, 0.5), metrics.percentile(seconds, 0.95))


def load_gates(path: Path, name: str, *, known: Collection[str] = RATES) -> dict[str, float]:
    """The gates of a set; raises InputError if there are none, or one is for a metric that is not `known`."""
    gates: Any = _tables(path)
    for part in name.split("."):
        gates = gates.get(part, {})
    if not gates:
        raise InputError(f"{path} has no gates for the set {name!r}; add a table [{name}]")
    if unknown := gates.keys() - known:
        raise InputError(f"{path}: {min(unknown)!r} is no metric; there are {', '.join(known)}")
    return dict(gates)


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as gates: {error}; give a TOML file") from error
