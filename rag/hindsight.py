"""Ranks passages by BM25 as on an earlier day, by what was published until then alone."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rag.database import Database
from rag.schema import Window
from rag.windows import condition

_INSTANCES = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.lexical_instances USING fts5vocab(main, lexical, instance)"
_COUNTS = "SELECT doc, count(*) AS number FROM temp.lexical_instances WHERE term = ? GROUP BY doc"
_MATCHES = "SELECT rowid AS doc, 1 AS number FROM lexical WHERE lexical MATCH ?"
_LENGTHS = "SELECT p.number, d.sz FROM passages p JOIN lexical_docsize d ON d.id = p.number WHERE {where}"
K1, B, LEAST = 1.2, 0.75, 1e-6  # those of bm25() of FTS5
_ONE_TOKEN = re.compile(r"[\w.]+")
_MOST_CACHED = 4
_MARK, _SEVEN = 0x80, 7


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """The length in tokens of each passage of that time, by its number."""

    lengths: Mapping[int, int]
    mean: float


class Hindsight:
    """BM25 (Robertson and Zaragoza 2009) whose every number is of the passages up to a day.

    The one of FTS5 counts words in the whole index, so that an article of a later day would change the order.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._states: dict[date, _State] = {}
        self._read_at = -1

    def search(self, tokens: Sequence[str], *, limit: int, window: Window) -> list[str]:
        """The passages that hold any of the tokens, best BM25 first; ties by id. The window has an `as_of`."""
        if not tokens or limit < 1 or window.as_of is None:
            return []
        state, scores = self._state(window.as_of), dict[int, float]()
        for token in dict.fromkeys(tokens):
            _add(scores, self._counts(token, state), state)
        where = condition(window)
        rows = self._database.rows(f"SELECT p.number, p.id FROM passages p WHERE {where.sql}", where.parameters)
        found = [(-scores[row["number"]], row["id"]) for row in rows if row["number"] in scores]
        return [id for _, id in sorted(found)[:limit]]

    def frequencies(self, terms: Iterable[str], as_of: date) -> dict[str, int]:
        """How many passages of that time hold each term."""
        state = self._state(as_of)
        return {term: len(self._counts(term, state)) for term in dict.fromkeys(terms)}

    def _counts(self, token: str, state: _State) -> dict[int, int]:
        """How often each passage of that time has a token; once, where the index has it in parts."""
        if _ONE_TOKEN.fullmatch(token):
            self._database.rows(_INSTANCES)
            rows = self._database.rows(_COUNTS, [_bare(token)])
        else:
            rows = self._database.rows(_MATCHES, ['"' + token.replace('"', '""').replace("\0", "") + '"'])
        return {row["doc"]: row["number"] for row in rows if row["doc"] in state.lengths}

    def _state(self, as_of: date) -> _State:
        generation = int(self._database.value("SELECT value FROM meta WHERE key = 'generation'"))
        if generation != self._read_at:
            self._states, self._read_at = {}, generation
        if as_of not in self._states:
            if len(self._states) >= _MOST_CACHED:
                self._states.pop(next(iter(self._states)))
            self._states[as_of] = self._read(Window(as_of=as_of))
        return self._states[as_of]

    def _read(self, window: Window) -> _State:
        where = condition(window)
        rows = self._database.rows(_LENGTHS.format(where=where.sql), where.parameters)
        lengths = {row["number"]: _length(row["sz"]) for row in rows}
        return _State(lengths, sum(lengths.values()) / max(1, len(lengths)))


def _add(scores: dict[int, float], counts: Mapping[int, int], state: _State) -> None:
    total, found = len(state.lengths), len(counts)
    rarity = max(LEAST, math.log((total - found + 0.5) / (found + 0.5)))
    for number, count in counts.items():
        share = state.lengths[number] / (state.mean or 1.0)
        gain = rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * share))
        scores[number] = scores.get(number, 0.0) + gain


def _length(sizes: bytes) -> int:
    """The sum of the tokens in each column, which FTS5 keeps as variable-length integers of seven bits a byte."""
    total = value = 0
    for byte in sizes:
        value = value << _SEVEN | byte & ~_MARK
        if not byte & _MARK:
            total, value = total + value, 0
    return total


def _bare(token: str) -> str:
    """The token without diacritics, as the index has it."""
    if token.isascii():
        return token
    return "".join(c for c in unicodedata.normalize("NFD", token) if not unicodedata.combining(c))
