"""Holds the rates of sets against the gates of a TOML file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, floor
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from rag.errors import InputError
from rag.evaluation.metrics import LOW, NAMES
from rag.evaluation.rates import Rate
from rag.text.words import listed

_HEADER = """\
# What `rag eval --gates` holds each set against. `cases` is the file of the set, `articles` what it is asked about,
# both seen from here; `set` and `corpus` are the SHA-256 of what was measured. `gates` are floors; ceilings for what
# should be low. `rag eval --pin` writes this, and raises floors to one case below what it measured; it lowers one only
# with `--allow-regression`, and the reason belongs in CHANGELOG.md.
"""
_EXACT = listed("valid_citations leaks injections overlong answers_lost orders_supported unscored")
"""What may not slip by a single case."""
GATED = (
    *("right_cases", "wrong_answers", "valid_citations", "citation_recall", "citation_precision", "injections"),
    *("leaks", "abstention_recall", "premises_met", "evidence_recall", "conflicts_shown", "speakers"),
    *("claim_recall", "faithfulness", "overlong", "date_f1", "true_rejected", "false_caught", "facts_caught"),
    *("planted_caught", "true_marked", "answers_lost"),
    *("orders_noticed", "orders_reached", "orders_supported", "false_alarms"),
)
"""The metrics that a set is gated by if its table names none."""


@validated(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Gates:
    """The gates of a set, by metric; paths are seen from the file that has them, digests are SHA-256, if pinned."""

    cases: str = ""
    articles: tuple[str, ...] = ()
    set: str = ""
    corpus: str = ""
    gates: dict[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a set: the digests of its cases and of the articles, and the rates."""

    set: str
    corpus: str
    rates: Mapping[str, Rate]


_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FILE: TypeAdapter[dict[str, Gates]] = TypeAdapter(dict[str, Gates])


def load_gates(path: Path) -> dict[str, Gates]:
    """The gates of a file by set; raises InputError if it is not as `rag eval --pin` writes it."""
    try:
        table = _FILE.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
        raise InputError(f"{path} cannot be read as gates: {why}; `rag eval --pin` writes such a file") from error
    for name, gates in table.items():
        if unknown := (gates.gates or {}).keys() - set(NAMES):
            raise InputError(f"{path}: [{name}.gates] has {min(unknown)!r}, no metric; there are {', '.join(NAMES)}")
    return table


def failures(name: str, table: Mapping[str, Gates], measured: Measured) -> list[str]:
    """What a set misses, a line each; raises InputError if it has no gates."""
    if name not in table:
        raise InputError(f"there are no gates for the set {name!r}; write them with `rag eval --pin`")
    gates, missed = table[name], list[str]()
    for what, pin, seen in (("set", gates.set, measured.set), ("corpus", gates.corpus, measured.corpus)):
        if pin not in ("", seen):
            missed.append(
                f"{name}: the {what} is not the one that was pinned; look at the scores, then run `rag eval --pin`"
            )
    for metric, gate in {"unscored": 0.0, **(gates.gates or {})}.items():
        found = measured.rates.get(metric)
        if found is None and metric in (gates.gates or {}):
            missed.append(f"{name}: {metric} was not measured, the gate is {gate}")
        elif found and (found.value > gate if metric in LOW else found.value < gate):
            missed.append(f"{name}: {metric} is {found}, the gate is {gate}")
    return missed


def pinned(gates: Gates, measured: Measured, *, lower: bool) -> Gates:
    """The gates with the digests and floors of what was measured.

    A floor that is above what was measured stays, unless `lower`.
    """
    wanted = gates.gates or {name: float(name in LOW) for name in GATED if name in measured.rates}
    moved = {name: _moved(name, value, measured, lower=lower) for name, value in wanted.items()}
    return replace(gates, set=measured.set, corpus=measured.corpus, gates=moved)


def save_gates(path: Path, gates: Mapping[str, Gates]) -> None:
    """Writes the gates to a file, as `load_gates` reads them."""
    path.write_text("\n".join([_HEADER, *(_table(name, gates[name]) for name in gates)]), encoding="utf-8")


def _moved(metric: str, gate: float, measured: Measured, *, lower: bool) -> float:
    """What was measured, rounded down, with room for one case that turns on another machine; else the gate."""
    found = measured.rates.get(metric)
    if found is None:
        return gate
    room = 0.0 if metric in _EXACT else 1 / max(found.n, 1.0)
    if metric in LOW:
        best = min(ceil((found.value + room) * 100 - 1e-9) / 100, 1.0)
        return best if lower else min(best, gate)
    best = max(floor((found.value - room) * 100 + 1e-9) / 100, 0.0)
    return best if lower else max(best, gate)


def _table(name: str, gates: Gates) -> str:
    key = name if _BARE.fullmatch(name) else _quoted(name)
    lines = [f"[{key}]", f"cases = {_quoted(gates.cases)}", f"articles = [{', '.join(map(_quoted, gates.articles))}]"]
    lines += [f"set = {_quoted(gates.set)}", f"corpus = {_quoted(gates.corpus)}", "", f"[{key}.gates]"]
    return "\n".join([*lines, *(f"{metric} = {value}" for metric, value in (gates.gates or {}).items()), ""])


def _quoted(text: str) -> str:
    """A text as TOML, which has the escapes of JSON and wants one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
