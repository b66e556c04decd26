"""Ranks passages by BM25 as on an earlier day, by what was published until then alone."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.schema import Window
from rag.store.cache import Kept
from rag.store.database import Database
from rag.store.filters import condition, day_number

Numbers: TypeAlias = NDArray[np.int64]

_INSTANCES = "CREATE VIRTUAL TABLE IF NOT EXISTS temp.lexical_instances USING fts5vocab(main, lexical, instance)"
_COUNTS = "SELECT group_concat(doc) FROM temp.lexical_instances WHERE term = ?"
_MATCHES = "SELECT group_concat(rowid) FROM lexical WHERE lexical MATCH ?"
_LENGTHS = """
    SELECT
        count(*), min(p.number), max(p.number), group_concat(p.day_last + 1000000000, ''), group_concat(hex(d.sz), '')
    FROM passages p JOIN lexical_docsize d ON d.id = p.number WHERE p.day_last IS NOT NULL AND p.number BETWEEN ? AND ?
"""
_NUMBERS = """
    SELECT group_concat(p.number)
    FROM passages p JOIN lexical_docsize d ON d.id = p.number WHERE p.day_last IS NOT NULL AND p.number BETWEEN ? AND ?
"""
# The limit keeps SQLite from looking through all that a window admits for the few that are listed.
_ADMITTED = """
    SELECT p.number, p.id
    FROM (SELECT * FROM passages WHERE number IN (SELECT value FROM json_each(?)) LIMIT ?) p WHERE {window}
"""
K1, B, LEAST = 1.2, 0.75, 1e-6  # those of bm25() of FTS5
_ONE_TOKEN = re.compile(r"[\w.]+")
_AT_ONCE = 65_536  # passages
_FURTHER = 4
_MOST_CACHED = 48
_MOST_COUNTED = 10_000
_MANY = 1_000  # passages; fewer are read again as fast
_NEVER = 99_999_999
_COLUMNS = 3
_MARK, _SEVEN = 0x80, 7


@dataclass(frozen=True, slots=True, eq=False)
class _Shelf:
    """When each passage was published, as a number such as 20210707, and its length in tokens, by its number."""

    days: NDArray[np.int32]
    lengths: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """The numbers of passages, rising, and how often each has a token."""

    passages: NDArray[np.int32]
    counts: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class _Total:
    """How many passages there are, and how long they are in the mean."""

    passages: int
    mean: float


class Hindsight:
    """BM25 (Robertson and Zaragoza 2009) whose every number is of the passages up to a day.

    The one of FTS5 counts words in the whole index, so that an article of a later day would change the order. SQLite
    gives whole columns as one text, which takes a fifth of the time of rows. Of each passage 8 bytes are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shelves = Kept(1)
        self._totals = Kept(_MOST_CACHED)
        self._counted = Kept(_MOST_CACHED)
        self._frequencies = Kept(_MOST_COUNTED)

    def search(self, tokens: Sequence[str], *, limit: int, window: Window) -> list[str]:
        """The passages that hold any of the tokens, best BM25 first; ties by id. The window has an `as_of`."""
        if not tokens or limit < 1 or window.as_of is None or window.last is None:
            return []
        generation = self._generation()
        shelf, total = self._shelf(generation), self._total(generation, window.as_of)
        held = [self._until(token, window.as_of, generation) for token in dict.fromkeys(tokens)]
        scored = _scored(held, shelf, total)
        scored = scored.of(shelf.days[scored.passages] <= day_number(window.last))
        return self._best(scored, limit, window)

    def frequencies(self, terms: Iterable[str], as_of: date) -> dict[str, int]:
        """How many passages of that time hold each term."""
        generation = self._generation()
        return {term: self._frequency(term, as_of, generation) for term in dict.fromkeys(terms)}

    def _best(self, scored: _Scored, limit: int, window: Window) -> list[str]:
        """The ids of the best that the window admits, which are looked up in parts."""
        found: list[tuple[float, str]] = []
        where = condition(window)
        for part in scored.parts(limit):
            listed = json.dumps(part.passages.tolist())
            rows = self._database.rows(
                _ADMITTED.format(window=where.sql), [listed, len(part.passages), *where.parameters]
            )
            scores = dict(zip(part.passages.tolist(), part.scores.tolist(), strict=True))
            found += sorted((-scores[row["number"]], row["id"]) for row in rows)
            if len(found) >= limit:
                break
        return [id for _, id in found[:limit]]

    def _frequency(self, term: str, as_of: date, generation: int) -> int:
        return self._frequencies.get(
            generation, (term, as_of), lambda: len(self._until(term, as_of, generation).passages)
        )

    def _until(self, token: str, as_of: date, generation: int) -> _Counts:
        """How often each passage of that time has a token."""
        days, counts = self._shelf(generation).days, self._counts(token, generation)
        known = counts.passages < len(days)  # others may be adding
        passages, numbers = counts.passages[known], counts.counts[known]
        early = days[passages] <= day_number(as_of)
        return _Counts(passages[early], numbers[early])

    def _counts(self, token: str, generation: int) -> _Counts:
        """How often each passage has a token; once, where the index has it in parts."""
        return self._counted.get(
            generation, token, lambda: self._read_counts(token), worth=lambda read: len(read.passages) > _MANY
        )

    def _read_counts(self, token: str) -> _Counts:
        if _ONE_TOKEN.fullmatch(token):
            self._database.rows(_INSTANCES)
            listed = self._database.value(_COUNTS, [_bare(token)])
        else:
            listed = self._database.value(_MATCHES, ['"' + token.replace('"', '""').replace("\0", "") + '"'])
        passages, counts = np.unique(_integers(listed), return_counts=True)
        return _Counts(passages.astype(np.int32), counts.astype(np.uint16))

    def _total(self, generation: int, as_of: date) -> _Total:
        return self._totals.get(generation, as_of, lambda: _total(self._shelf(generation), as_of))

    def _shelf(self, generation: int) -> _Shelf:
        return self._shelves.get(generation, "shelf", self._read_shelf)

    def _read_shelf(self) -> _Shelf:
        last = int(self._database.value("SELECT coalesce(max(number), 0) FROM passages"))
        days, lengths = np.full(last + 1, _NEVER, np.int32), np.zeros(last + 1, np.int32)
        for first in range(0, last + 1, _AT_ONCE):
            count, low, high, listed, sizes = self._database.rows(_LENGTHS, [first, first + _AT_ONCE - 1])[0]
            if count:
                at = slice(low, high + 1) if high - low < count else self._numbers(low, high)
                days[at], lengths[at] = _days(listed), _sizes(sizes)
        return _Shelf(days, lengths)

    def _numbers(self, first: int, last: int) -> Numbers:
        return _integers(self._database.value(_NUMBERS, [first, last]))

    def _generation(self) -> int:
        return int(self._database.value("SELECT value FROM meta WHERE key = 'generation'"))


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """The numbers of passages, and their scores."""

    passages: NDArray[np.int32]
    scores: NDArray[np.float64]

    def of(self, chosen: NDArray[Any]) -> _Scored:
        """Some of them."""
        return _Scored(self.passages[chosen], self.scores[chosen])

    def parts(self, size: int) -> Iterator[_Scored]:
        """The best first, four times as many each time; those of one score are never apart."""
        ordered = self.of(np.argsort(-self.scores, kind="stable"))
        start, end = 0, size
        while start < len(ordered.scores):
            last = ordered.scores[min(end, len(ordered.scores)) - 1]
            end = int(np.searchsorted(-ordered.scores, -last, side="right"))
            yield ordered.of(np.arange(start, end))
            start, end = end, end + _FURTHER * (end - start)


def _scored(held: Sequence[_Counts], shelf: _Shelf, total: _Total) -> _Scored:
    passages = np.unique(np.concatenate([counts.passages for counts in held]))
    scores = np.zeros(len(passages))
    for counts in held:
        scores[np.searchsorted(passages, counts.passages)] += _gains(counts, shelf, total)
    return _Scored(passages, scores)


def _gains(counts: _Counts, shelf: _Shelf, total: _Total) -> NDArray[np.float64]:
    found = len(counts.passages)
    rarity = max(LEAST, math.log((max(0, total.passages - found) + 0.5) / (found + 0.5)))
    number = counts.counts.astype(np.float64)
    share = shelf.lengths[counts.passages] / (total.mean or 1.0)
    gains: NDArray[np.float64] = rarity * number * (K1 + 1) / (number + K1 * (1 - B + B * share))
    return gains


def _total(shelf: _Shelf, as_of: date) -> _Total:
    early = shelf.days <= day_number(as_of)
    passages = int(np.count_nonzero(early))
    return _Total(passages, int(shelf.lengths[early].sum(dtype=np.int64)) / max(1, passages))


def _integers(listed: str | None) -> Numbers:
    """The numbers of a text such as `3,4,4`."""
    return np.fromstring(listed or "", dtype=np.int64, sep=",")


def _days(listed: str) -> Numbers:
    """The numbers of a text of ten digits each, the first of which only makes them as long."""
    digits = np.frombuffer(listed.encode(), np.uint8).reshape(-1, 10)[:, 2:] - ord("0")
    return digits @ 10 ** np.arange(7, -1, -1)


def _sizes(listed: str) -> Numbers:
    """The sum of the tokens in the columns of each passage, which FTS5 keeps as integers of seven bits a byte."""
    held = np.frombuffer(bytes.fromhex(listed), np.uint8)
    ends = np.flatnonzero(held < _MARK)  # the last byte of an integer has no mark
    if not len(ends):
        return np.zeros(0, np.int64)
    behind = np.repeat(ends, np.diff(ends, prepend=-1)) - np.arange(len(held))
    parts = (held & (_MARK - 1)).astype(np.int64) << (_SEVEN * behind)
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes: Numbers = np.add.reduceat(parts, starts).reshape(-1, _COLUMNS).sum(axis=1)
    return sizes


def _bare(token: str) -> str:
    """The token without diacritics, as the index has it."""
    if token.isascii():
        return token
    return "".join(c for c in unicodedata.normalize("NFD", token) if not unicodedata.combining(c))
