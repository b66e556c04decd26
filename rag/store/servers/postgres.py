"""A PostgreSQL database that many processes read and write at once, and its full text."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise
from threading import RLock
from typing import TYPE_CHECKING, Any, SupportsIndex, overload
from urllib.parse import urlsplit

from rag.errors import DamagedError, LibraryError, LockedError, ServerError
from rag.schema import Window
from rag.store.database import LISTED, Database, OnWait, check_version, listed
from rag.store.filters import condition
from rag.store.fts import LexicalRow, tokens_of

if TYPE_CHECKING:
    from psycopg import Connection, Cursor, Error

_TIMEOUT = 10  # seconds, to connect
_LOCK = "hashtext('dispatches'), hashtext(current_schema() || '/' || %s)"
_BUSY = 30  # seconds
_TABLE = (  # what SQLite writes in another way, of tables and of queries
    (re.compile(r"\bTEXT\b"), 'TEXT COLLATE "C"'),
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r"\bWITHOUT ROWID\b"), ""),
)
_QUERY = (("%", "%%"), ("SELECT value FROM json_each(?)", "SELECT jsonb_array_elements_text(?::jsonb)"), ("?", "%s"))


class Postgres(Database):
    """A Database on a server. A connection that broke is made again, unless something was being written.

    The address is one of libpq, such as `postgresql://user@host/database`. Needs the package psycopg.
    """

    is_shared = True
    claim = "FOR UPDATE SKIP LOCKED"
    begin_writing, begin_reading = "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

    def __init__(self, address: str, schema: str, *, version: int) -> None:
        self._address = address
        self._lock = RLock()
        self._alone = 0
        with self._errors():
            self._connection = self._connect()
            self._prepare(schema, version)

    @property
    def name(self) -> str:
        parts = urlsplit(self._address)
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def version(self) -> int:
        return int(self.value("SELECT value FROM meta WHERE key = 'schema'") or 0)

    def upgrade(self, schema: str, version: int) -> None:
        with self.transaction():
            self._run(schema)
            self.rows("UPDATE meta SET value = ? WHERE key = 'schema'", [version])

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[_NamedRow]:
        with self._lock, self._errors():
            cursor = self._executed(_query(sql), parameters)
            return cursor.fetchall() if cursor.description else []

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self.transaction(), self._errors(), self._connection.cursor() as cursor:
            cursor.executemany(_query(sql), rows)

    @contextmanager
    def alone(self, what: str, *, wait: float, on_wait: OnWait) -> Iterator[None]:
        """An advisory lock, which the server releases when the connection ends."""
        with self._errors(), self._connect() as held:
            self._take(held, what, wait, on_wait)
            self._alone += 1
            try:
                yield
            finally:
                self._alone -= 1

    def check(self) -> None:
        """Its server looks after its own files."""

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _is_begun(self) -> bool:
        from psycopg.pq import TransactionStatus

        return self._connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def _executed(self, sql: bytes, parameters: Sequence[Any]) -> Cursor[_NamedRow]:
        """What only reads is tried once more where the server was started anew."""
        from psycopg import OperationalError

        bound = self._is_begun() or self._alone
        try:
            return self._connection.execute(sql, parameters)
        except OperationalError:
            if bound or not self._connection.closed:
                raise
        self._connection = self._connect()
        return self._connection.execute(sql, parameters)

    def _take(self, held: Connection[_NamedRow], what: str, wait: float, on_wait: OnWait) -> None:
        from psycopg.errors import LockNotAvailable

        if held.execute(f"SELECT pg_try_advisory_lock({_LOCK})", [what]).fetchall()[0][0]:
            return
        on_wait(f"waiting for another process that is writing {what} to {self.name}")
        held.execute("SELECT set_config('lock_timeout', %s, false)", [str(max(1, int(wait * 1000)))])
        try:
            held.execute(f"SELECT pg_advisory_lock({_LOCK})", [what])
        except LockNotAvailable:
            raise LockedError(
                f"another process has been writing {what} to {self.name} for {wait:g} s; try again when it is done, "
                "or wait longer with `--wait`"
            ) from None

    def _prepare(self, schema: str, version: int) -> None:
        if self._version() == 0:
            with self.alone("the schema", wait=_BUSY, on_wait=lambda _: None), self.transaction():
                if self._version() == 0:  # no other process was faster
                    self._run(schema)
                    self.rows("INSERT INTO meta VALUES ('schema', ?)", [version])
        check_version(self.name, self._version(), version)

    def _run(self, schema: str) -> None:
        for pattern, instead in _TABLE:
            schema = pattern.sub(instead, schema)
        self.run(schema)

    def _version(self) -> int:
        return self.version if self.value("SELECT to_regclass('meta')") else 0

    def _connect(self) -> Connection[_NamedRow]:
        import psycopg

        return psycopg.connect(
            self._address, autocommit=True, connect_timeout=_TIMEOUT, row_factory=_named, application_name="dispatches"
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from psycopg import Error

        try:
            yield
        except Error as error:
            raise _explained(error, self.name) from error


class _NamedRow(tuple[Any, ...]):
    """The values of a row, and where each column stands."""

    columns: dict[str, int]

    @overload
    def __getitem__(self, key: SupportsIndex | str, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Any, ...]: ...
    def __getitem__(self, key: SupportsIndex | str | slice, /) -> Any:
        return super().__getitem__(self.columns[key] if isinstance(key, str) else key)


def _named(cursor: Cursor[Any]) -> Callable[[Sequence[Any]], _NamedRow]:
    columns = {column.name: i for i, column in enumerate(cursor.description or ())}

    def row(values: Sequence[Any]) -> _NamedRow:
        made = _NamedRow(values)
        made.columns = columns
        return made

    return row


def _query(sql: str) -> bytes:
    for text, instead in _QUERY:
        sql = sql.replace(text, instead)
    return sql.encode()  # psycopg takes no text that a type checker cannot see to be literal


def _explained(error: Error, name: str) -> LibraryError:
    from psycopg import OperationalError
    from psycopg.errors import DataCorrupted, DiskFull, IndexCorrupted, InsufficientPrivilege, ReadOnlySqlTransaction

    told = " ".join((error.diag.message_primary or str(error)).split())
    match error:
        case DiskFull() | InsufficientPrivilege() | ReadOnlySqlTransaction():
            return LibraryError(f"{name} cannot be written: {told}; check its rights and the space on its disk")
        case IndexCorrupted() | DataCorrupted():
            return DamagedError(f"{name} is damaged: {told}; `rag reindex`, or restore it from a backup")
        case OperationalError():
            return ServerError(f"{name} cannot be reached: {told}; check that the server runs, and RAG_CATALOG")
    return LibraryError(f"{name} refuses what it was asked: {told}; check that it is a library of this version")


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
