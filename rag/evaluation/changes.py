"""Holds a report against an earlier one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from rag.errors import InputError
from rag.evaluation.report import Report, SetReport


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
        told = [f"{self.name}: {len(self.fixed)} fixed, {len(self.broken)} broken, {self.same} same"]
        told += [f"  fixed: {', '.join(self.fixed)}"] * bool(self.fixed)
        told += [f"  broken: {', '.join(self.broken)}"] * bool(self.broken)
        told += [f"  {len(self.added)} new cases, {len(self.removed)} gone"] * bool(self.added or self.removed)
        return "\n".join(told)


@dataclass(frozen=True, slots=True)
class _Rate:
    value: float


@dataclass(frozen=True, slots=True)
class _Case:
    id: str
    right: bool | None


@dataclass(frozen=True, slots=True)
class Before:
    """What a baseline keeps of a set."""

    cases: tuple[_Case, ...]
    rates: dict[str, _Rate]


_SETS: TypeAdapter[dict[str, Before]] = TypeAdapter(dict[str, Before])


def load_baseline(path: Path) -> dict[str, Before]:
    """The sets of a file that `rag eval --out` or `--save-baseline` wrote; raises InputError if it is none."""
    try:
        return _SETS.validate_python(json.loads(path.read_text(encoding="utf-8"))["sets"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        told = " ".join(str(error).split())[:200]
        raise InputError(f"{path} is no baseline: {told}; give the report.json of an earlier `--out`") from error


def keep_baseline(path: Path, report: Report) -> None:
    """Writes the rates, and which cases are right, to a file; sets that the file has besides stay."""
    before = _SETS.dump_python(load_baseline(path), mode="json") if path.exists() else {}
    sets = before | {found.name: _kept(found) for found in report.sets}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{_lines({'schema': 1, 'sets': sets})}\n", encoding="utf-8")


def changes(report: Report, baseline: Mapping[str, Before]) -> list[Changes]:
    """What changed in each set that both have."""
    return [_changes(found, baseline[found.name]) for found in report.sets if found.name in baseline]


def _changes(found: SetReport, before: Before) -> Changes:
    now = {s.case.id: s.right for s in found.cases}
    then = {case.id: case.right for case in before.cases}
    both = [id for id in now if id in then]
    return Changes(
        name=found.name,
        fixed=tuple(id for id in both if now[id] and not then[id]),
        broken=tuple(id for id in both if then[id] and not now[id]),
        same=sum(bool(now[id]) is bool(then[id]) for id in both),
        added=_only(now, then),
        removed=_only(then, now),
        rates={n: found.rates[n].value - before.rates[n].value for n in found.rates if n in before.rates},
    )


def _kept(found: SetReport) -> dict[str, Any]:
    return {
        "cases": [{"id": s.case.id, "right": s.right} for s in found.cases],
        "rates": {name: {"value": round(rate.value, 4)} for name, rate in found.rates.items()},
    }


def _lines(record: dict[str, Any]) -> str:
    """JSON of which a change shows as a few lines."""
    text = json.dumps(record, indent=1, ensure_ascii=False)
    return re.sub(r"\{\s+([^{}\[\]]*?)\s+\}", lambda flat: "{" + " ".join(flat[1].split()) + "}", text)


def _only(ids: Mapping[str, object], others: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(id for id in ids if id not in others)
