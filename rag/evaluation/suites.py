"""Says which sets are asked about which articles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import InputError
from rag.evaluation.formats.files import CaseSet, load_set
from rag.evaluation.gates import Gates, load_gates
from rag.schema import Article


@dataclass(frozen=True, slots=True)
class Suite:
    """Sets that are asked about the same articles: `origins`, which are added first, and those that they bring."""

    sets: tuple[CaseSet, ...]
    origins: tuple[str, ...]

    @property
    def articles(self) -> tuple[Article, ...]:
        return tuple(article for found in self.sets for article in found.articles)


def suites(paths: Sequence[Path], gates: Path | None, origins: Sequence[str]) -> list[Suite]:
    """The sets of files, or all that a file of gates has, grouped by their articles: `origins`, else what gates say.

    Raises InputError if there are none, or two of one name.
    """
    table = load_gates(gates) if gates and gates.exists() else {}
    base = gates.parent if gates else Path()
    files = list(paths) or [base / found.cases for found in table.values() if found.cases]
    if not files:
        raise InputError(
            "there is no set to measure; name a file of cases, or give --gates with a file that names some"
        )
    sets = [load_set(path) for path in files]
    name, times = Counter(found.name for found in sets).most_common(1)[0]
    if times > 1:
        raise InputError(f"{times} sets are called {name!r}; give their files names of their own")
    return _grouped(sets, {s.name: tuple(origins) or _origins(s, table, base) for s in sets})


def _grouped(sets: Sequence[CaseSet], origins: Mapping[str, tuple[str, ...]]) -> list[Suite]:
    """Sets that bring articles stand alone: what they ask must not be answered from another's."""
    alone = [Suite((found,), origins[found.name]) for found in sets if found.articles]
    rest = [found for found in sets if not found.articles]
    groups = dict.fromkeys(origins[found.name] for found in rest)
    return [Suite(tuple(s for s in rest if origins[s.name] == group), group) for group in groups] + alone


def _origins(found: CaseSet, table: Mapping[str, Gates], base: Path) -> tuple[str, ...]:
    return tuple(str(base / place) for place in table[found.name].articles) if found.name in table else ()
