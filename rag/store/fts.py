"""Indexes the stems and names of passages for BM25."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from rag.schema import Window
from rag.store.database import Database
from rag.store.filters import condition
from rag.text.names import keys, names
from rag.text.words import words

LEXICAL_SCHEMA = """
CREATE VIRTUAL TABLE lexical USING fts5(header, body, names, tokenize = "unicode61 remove_diacritics 2 tokenchars '.'");
CREATE VIRTUAL TABLE lexical_terms USING fts5vocab(lexical, row);
"""
_SEARCH = """
    SELECT p.id FROM lexical JOIN passages p ON p.number = lexical.rowid
    WHERE lexical MATCH ? AND lexical.rowid >= ? AND {window} ORDER BY bm25(lexical, 1.0, 1.0, 1.0), p.id LIMIT ?
"""
_FIRST = "SELECT rowid FROM lexical WHERE lexical MATCH ? ORDER BY rowid DESC LIMIT 1 OFFSET ?"
MOST_SCORED = 10_000
"""Passages; SQLite's BM25 takes 2.4 ms for 1,000."""


@dataclass(frozen=True, slots=True)
class LexicalRow:
    """A passage as the full-text index takes it."""

    number: int
    header: str
    text: str


def tokens_of(row: LexicalRow) -> list[str]:
    """All that a passage is found by: the stems of its header and its text, and the keys of its names."""
    return list(chain.from_iterable(_columns(row)))


class LexicalIndex:
    """FTS5 over stems that were made in Python, so that index, query and answerer see the same ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, tokens: Sequence[str], *, limit: int, window: Window) -> list[str]:
        """The ids of the passages that hold any of the tokens, best BM25 first; ties by id.

        If far more than MOST_SCORED hold one, only about as many that the window admits are looked at, those that were
        added last.
        """
        if not tokens or limit < 1:
            return []
        where = condition(window)
        query = " OR ".join(_quoted(token) for token in dict.fromkeys(tokens))
        parameters = [query, self._first(query, tokens, window), *where.parameters, limit]
        return [row[0] for row in self._database.rows(_SEARCH.format(window=where.sql), parameters)]

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """How many passages hold each term."""
        return {term: self._frequency(term) for term in dict.fromkeys(terms)}

    def insert(self, rows: Iterable[LexicalRow]) -> None:
        """Indexes passages that are not in it yet."""
        columns = ((row.number, *map(" ".join, _columns(row))) for row in rows)
        self._database.many("INSERT INTO lexical (rowid, header, body, names) VALUES (?, ?, ?, ?)", columns)

    def delete(self, numbers: Iterable[int]) -> None:
        self._database.many("DELETE FROM lexical WHERE rowid = ?", ((number,) for number in numbers))

    def clear(self) -> None:
        """Empties it, even if it is damaged."""
        for table in ("lexical_terms", "lexical"):
            self._database.rows(f"DROP TABLE {table}")
        self._database.run(LEXICAL_SCHEMA)

    def _first(self, query: str, tokens: Sequence[str], window: Window) -> int:
        """The first number that is looked at."""
        if sum(self.frequencies(tokens).values()) <= 2 * MOST_SCORED:
            return 0
        count, where = "SELECT count(*) FROM passages p WHERE {}", condition(window)
        admitted = self._database.value(count.format(where.sql), where.parameters)
        reach = MOST_SCORED * self._database.value(count.format("TRUE")) // max(1, admitted)
        return int(self._database.value(_FIRST, [query, reach]) or 0)

    def _frequency(self, term: str) -> int:
        if term.isascii():
            return int(self._database.value("SELECT doc FROM lexical_terms WHERE term = ?", [term]) or 0)
        # With diacritics, which the index leaves out.
        return int(self._database.value("SELECT count(*) FROM lexical WHERE lexical MATCH ?", [_quoted(term)]))


def _quoted(token: str) -> str:
    return '"' + token.replace('"', '""').replace("\0", "") + '"'


def _columns(row: LexicalRow) -> tuple[Sequence[str], ...]:
    found = [*names(row.header), *names(row.text)]
    return words(row.header), words(row.text), [key for name in found for key in keys(name.text)]
