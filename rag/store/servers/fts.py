"""Indexes the stems and names of passages for BM25 in PostgreSQL's full text."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from rag.schema import Window
from rag.store.database import LISTED, Database, listed
from rag.store.filters import condition
from rag.store.fts import LexicalRow, tokens_of

TEXT_SCHEMA = """
CREATE TABLE lexical (number INTEGER PRIMARY KEY, words TSVECTOR NOT NULL, length INTEGER NOT NULL)
    WITH (toast_tuple_target = 8160);
ALTER TABLE lexical ALTER COLUMN words SET STORAGE MAIN;
CREATE INDEX lexical_words ON lexical USING gin (words);
CREATE TABLE lexical_terms (term TEXT PRIMARY KEY, passages INTEGER NOT NULL);
CREATE TABLE lexical_days (day INTEGER PRIMARY KEY, passages INTEGER NOT NULL, length INTEGER NOT NULL);
"""
"""`length` counts tokens; `day` is that of publication as in the passages, 0 if there is none."""
_SEARCH = """
    SELECT id FROM (
        SELECT p.id, l.length, {counts} FROM lexical l JOIN passages p ON p.number = l.number
        WHERE l.words @@ CAST(? AS tsquery) AND {window}) AS found
    ORDER BY CAST(1e12 * ({score}) AS BIGINT) DESC, id LIMIT ?
"""
_COUNT = "width_bucket(CAST(ts_rank(l.words, CAST(? AS tsquery)) AS FLOAT8), CAST(? AS FLOAT8[])) AS n{i}"
_GAIN = "CAST(? AS FLOAT8) * n{i} * {top} / (n{i} + {k1} * ({rest} + {b} * length / CAST(? AS FLOAT8)))"
_OF_DAYS = """
    SELECT coalesce(p.day_last, 0) AS day, count(*) AS passages, sum(l.length) AS length
    FROM lexical l JOIN passages p ON p.number = l.number WHERE l.number = ANY(?) GROUP BY 1
"""
_OF_TERMS = """
    SELECT u.lexeme AS term, count(*) AS passages FROM lexical l, unnest(l.words) u
    WHERE l.number = ANY(?) GROUP BY 1
"""
_ADD_DAYS = f"""
    INSERT INTO lexical_days {_OF_DAYS} ON CONFLICT (day) DO UPDATE
    SET passages = lexical_days.passages + excluded.passages, length = lexical_days.length + excluded.length
"""
_ADD_TERMS = f"""
    INSERT INTO lexical_terms {_OF_TERMS} ON CONFLICT (term) DO UPDATE
    SET passages = lexical_terms.passages + excluded.passages
"""
_TAKE_DAYS = f"""
    UPDATE lexical_days d SET passages = d.passages - o.passages, length = d.length - o.length
    FROM ({_OF_DAYS}) o WHERE o.day = d.day
"""
_TAKE_TERMS = f"""
    UPDATE lexical_terms t SET passages = t.passages - o.passages
    FROM ({_OF_TERMS}) o WHERE o.term = t.term
"""
K1, B, LEAST = 1.2, 0.75, 1e-6  # those of bm25() of FTS5
_MOST_POSITIONS = 255  # of a word in a tsvector
_LONGEST = 500  # characters of a word; 2,046 bytes is the most


class TextSearch:
    """BM25 (Robertson and Zaragoza 2009) with the numbers of FTS5, so that both catalogs give the same order.

    `ts_rank` of one word grows with its count alone; `_steps` are the values between two counts.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, tokens: Sequence[str], *, limit: int, window: Window) -> list[str]:
        """The passages that hold any of the tokens, best BM25 first; ties by id."""
        if not tokens or limit < 1:
            return []
        with self._database.snapshot():  # else counts and totals may be of two states
            return self._found(tokens, limit, window)

    def _found(self, tokens: Sequence[str], limit: int, window: Window) -> list[str]:
        held = {token: n for token, n in self.frequencies(tokens).items() if n}
        if not held:
            return []
        sums = "SELECT coalesce(sum(passages), 0), coalesce(sum(length), 0) FROM lexical_days"
        passages, length = map(int, self._database.rows(sums)[0])
        mean, where = length / max(1, passages) or 1.0, condition(window)
        sql = _SEARCH.format(
            counts=", ".join(_COUNT.format(i=i) for i in range(len(held))),
            window=where.sql,
            score=" + ".join(_GAIN.format(i=i, top=K1 + 1, k1=K1, b=B, rest=1 - B) for i in range(len(held))),
        )
        counting = [value for token in held for value in (_quoted(token), list(_steps()))]
        gains = [value for n in held.values() for value in (_rarity(n, passages), mean)]
        any_of = " | ".join(map(_quoted, held))
        return [row[0] for row in self._database.rows(sql, [*counting, any_of, *where.parameters, *gains, limit])]

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """How many passages hold each term."""
        wanted = list(dict.fromkeys(terms))
        sql = f"SELECT term, passages FROM lexical_terms WHERE term {LISTED}"
        rows = self._database.rows(sql, [listed(map(_bare, wanted))])
        known = {row["term"]: row["passages"] for row in rows}
        return {term: known.get(_bare(term), 0) for term in wanted}

    def insert(self, rows: Iterable[LexicalRow]) -> None:
        """Indexes passages that are in the catalog and not in it yet."""
        held = [(row.number, tokens_of(row)) for row in rows]
        values = ((number, _vector(tokens), len(tokens)) for number, tokens in held)
        self._database.many("INSERT INTO lexical VALUES (?, CAST(? AS tsvector), ?)", values)
        for sql in (_ADD_DAYS, _ADD_TERMS):
            self._database.rows(sql, [[number for number, _ in held]])

    def delete(self, numbers: Iterable[int]) -> None:
        """Takes out passages that are in the catalog still."""
        taken = list(numbers)
        for sql in (_TAKE_DAYS, _TAKE_TERMS, "DELETE FROM lexical WHERE number = ANY(?)"):
            self._database.rows(sql, [taken])

    def clear(self) -> None:
        """Empties it."""
        self._database.rows("TRUNCATE lexical, lexical_terms, lexical_days")


def _rarity(frequency: int, total: int) -> float:
    return max(LEAST, math.log((max(0, total - frequency) + 0.5) / (frequency + 0.5)))


def _steps() -> Iterable[float]:
    """What `ts_rank` gives for a count of 0, 1, 2 and so on is between two of these; its weights are its defaults."""
    ranks = accumulate((0.1 / 1.64493406685 / (n * n) for n in range(1, _MOST_POSITIONS + 1)), initial=0.0)
    return ((a + b) / 2 for a, b in pairwise(ranks))


def _vector(tokens: Sequence[str]) -> str:
    """The tsvector of a passage, each word with its places."""
    places: dict[str, list[str]] = {}
    for place, token in enumerate(tokens, start=1):
        places.setdefault(_bare(token), []).append(str(place))
    return " ".join(f"{_quoted(token)}:{','.join(found[:_MOST_POSITIONS])}" for token, found in places.items())


def _quoted(token: str) -> str:
    return "'" + _bare(token).replace("\\", "\\\\").replace("'", "''") + "'"


def _bare(token: str) -> str:
    """The token without diacritics, as FTS5 has it."""
    if not token.isascii():
        token = "".join(c for c in unicodedata.normalize("NFD", token) if not unicodedata.combining(c))
    return token.replace("\0", "")[:_LONGEST]
