"""Renders the rates of checked claims, group by group, against their gates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rag.evaluation.metrics import Outcome, Rate, balanced_accuracy, false_caught, true_rejected, verdict_agrees

MAIN = ("number", "date", "person", "place", "organization", "negation", "quote")
"""The kinds of facts that must never be wrong."""
_MAIN, _ALL = "numbers, dates, names, negations, quotes", "all"
_HEADS = ("true rejected", "false caught", "verdict agrees", "balanced")


@dataclass(frozen=True, slots=True)
class Scores:
    """The rates of a group of claims."""

    rejected: Rate
    caught: Rate
    agrees: Rate
    balanced: float

    def __str__(self) -> str:
        return _columns([str(rate) if rate.n else "-" for rate in self.rates.values()] + [f"{self.balanced:.2f}"])

    @property
    def rates(self) -> dict[str, Rate]:
        """The rates by their names in JSON."""
        return {"true_rejected": self.rejected, "false_caught": self.caught, "verdict_agrees": self.agrees}

    def to_dict(self) -> dict[str, Any]:
        """The rates with their counts."""
        rates = {name: asdict(rate) | {"value": rate.value} for name, rate in self.rates.items()}
        return rates | {"balanced_accuracy": self.balanced}


GATES: Mapping[str, Callable[[Scores, Scores], Rate]] = {
    "max_rejected": lambda every, _: every.rejected,
    "min_caught": lambda every, _: every.caught,
    "min_caught_main": lambda _, main: main.caught,
}
"""What each gate limits: of all claims, or of those of the main kinds."""


@dataclass(frozen=True, slots=True)
class ClaimsReport:
    """The scores of each group of a set in order, of the main kinds together, and of all; with what went wrong."""

    groups: dict[str, Scores]
    main: Scores
    all: Scores
    wrong: tuple[Outcome, ...]

    def failures(self, gates: Mapping[str, float]) -> list[str]:
        """The gates that are missed: floors that start with `min`, and ceilings with `max`."""
        found = {name: GATES[name](self.all, self.main) for name in gates}
        return [f"{name} is {gate}, found {found[name]}" for name, gate in gates.items() if _misses(name, gate, found)]

    def __str__(self) -> str:
        main = {_MAIN: self.main} if self.main.rejected.n or self.main.caught.n else {}
        rows = {"": _columns(_HEADS)} | {n: str(s) for n, s in (self.groups | main | {_ALL: self.all}).items()}
        width = max(map(len, rows)) + 2
        return "\n".join(f"{name:<{width}}{columns}".rstrip() for name, columns in rows.items())

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "schema": 1,
            "groups": {name: scores.to_dict() for name, scores in self.groups.items()},
            "main": self.main.to_dict(),
            "all": self.all.to_dict(),
            "wrong": [asdict(outcome) for outcome in self.wrong],
        }


def claims_report(outcomes: Sequence[Outcome]) -> ClaimsReport:
    """The report on the claims of a set."""
    groups = {name: [o for o in outcomes if o.group == name] for name in dict.fromkeys(o.group for o in outcomes)}
    return ClaimsReport(
        groups={name: _scores(members) for name, members in groups.items()},
        main=_scores([o for o in outcomes if o.group in MAIN]),
        all=_scores(outcomes),
        wrong=tuple(o for o in outcomes if o.is_true is not o.passed),
    )


def _scores(outcomes: Sequence[Outcome]) -> Scores:
    return Scores(
        true_rejected(outcomes), false_caught(outcomes), verdict_agrees(outcomes), balanced_accuracy(outcomes)
    )


def _misses(name: str, gate: float, found: Mapping[str, Rate]) -> bool:
    return found[name].value > gate if name.startswith("max") else found[name].value < gate


def _columns(values: Sequence[str]) -> str:
    return "".join(f"{value:<17}" for value in values)
