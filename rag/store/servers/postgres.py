"""Opens a PostgreSQL database that many processes read and write at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, SupportsIndex, overload
from urllib.parse import urlsplit

from rag.errors import DamagedError, LibraryError, LockedError, ServerError
from rag.store.database import OnWait

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


class Postgres:
    """A Database on a server. A connection that broke is made again, unless something was being written.

    The address is one of libpq, such as `postgresql://user@host/database`. Needs the package psycopg.
    """

    is_shared = True
    claim = "FOR UPDATE SKIP LOCKED"

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

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self.transaction(), self._errors(), self._connection.cursor() as cursor:
            cursor.executemany(_query(sql), rows)

    def transaction(self) -> AbstractContextManager[None]:
        return self._begun("BEGIN")

    def snapshot(self) -> AbstractContextManager[None]:
        return self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def claiming(self) -> AbstractContextManager[None]:
        return self._begun("BEGIN")

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

    @contextmanager
    def _begun(self, begin: str) -> Iterator[None]:
        with self._lock:
            if self._is_begun():
                yield
                return
            self.rows(begin)
            try:
                yield
                self.rows("COMMIT")
            finally:
                if self._is_begun():
                    self.rows("ROLLBACK")

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
        if (found := self._version()) > version:
            raise LibraryError(
                f"{self.name} has version {found} of the catalog, wanted at most {version}; "
                "upgrade with `pip install --upgrade dispatches`"
            )

    def _run(self, schema: str) -> None:
        for pattern, instead in _TABLE:
            schema = pattern.sub(instead, schema)
        for statement in filter(str.strip, schema.split(";")):
            self.rows(statement)

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
