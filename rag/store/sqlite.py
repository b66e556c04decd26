"""Opens a SQLite file that many processes read while one writes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from threading import RLock
from typing import Any

from rag.errors import DamagedError, LibraryError, LockedError
from rag.store.database import Database, OnWait, check_version

_BUSY = 30_000  # milliseconds
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
_REFUSED = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_AUTH")


class SQLite(Database):
    """A Database in a file, which one process at a time writes to.

    Opening a file that has the schema writes nothing, so one in a folder that cannot be written opens too.
    """

    is_shared = False
    claim = ""
    begin_writing, begin_reading = "BEGIN IMMEDIATE", "BEGIN"

    def __init__(self, path: Path, schema: str, *, version: int) -> None:
        self.path = path
        self._lock = RLock()
        with self._errors():
            self._connection = _connect(path)
            self._prepare(schema, version)

    @property
    def name(self) -> str:
        return str(self.path.absolute())

    @property
    def version(self) -> int:
        return int(self.value("PRAGMA user_version"))

    def upgrade(self, schema: str, version: int) -> None:
        with self.transaction():
            self.run(f"{schema};PRAGMA user_version = {version}")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[sqlite3.Row]:
        with self._lock, self._errors():
            return self._connection.execute(sql, parameters).fetchall()

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        with self.transaction(), self._errors():
            self._connection.executemany(sql, rows)

    def claiming(self) -> AbstractContextManager[None]:
        return nullcontext()  # nobody else writes

    def alone(self, what: str, *, wait: float, on_wait: OnWait) -> AbstractContextManager[None]:
        """One lock for all, in the folder of the file."""
        return locked(self.path.with_name("write.lock"), wait=wait, on_wait=on_wait)

    def check(self) -> None:
        found = self.value("PRAGMA quick_check(1)")
        if found != "ok":
            raise _damaged(self.path, found)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _is_begun(self) -> bool:
        return self._connection.in_transaction

    def _prepare(self, schema: str, version: int) -> None:
        found = self._version()
        check_version(self.path, found, version)
        if found == 0:
            with self.transaction():
                if self._version() == 0:  # no other process was faster
                    self.upgrade(schema, version)
            self._share()

    def _share(self) -> None:
        """Lets others read during a write; if another process is just opening it, that one does it."""
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _code(error).startswith(_LOCKED):
                raise

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise _explained(error, self.path) from error


@contextmanager
def locked(path: Path, *, wait: float, on_wait: OnWait) -> Iterator[None]:
    """Holds the lock inside; says so if it has to wait, and raises LockedError after `wait` seconds.

    The operating system releases it when the process ends, however it ends.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, mode=0o600)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait(f"waiting for another process that is writing to {path.parent}")
            lock.acquire(timeout=wait)
    except Timeout:
        raise LockedError(
            f"another process has been writing to {path.parent} for {wait:g} s; try again when it is done, "
            "or wait longer with `--wait`"
        ) from None
    except OSError as error:
        raise LibraryError(
            f"{path.parent} cannot be written: {error.strerror or error}; check its permissions, or choose another "
            "folder with `--library`"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _connect(path: Path) -> sqlite3.Connection:
    with suppress(OSError):  # of which SQLite tells
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # its log gets the same mode
    try:
        return _tried(path, "rwc")
    except sqlite3.OperationalError as error:
        log = path.with_name(f"{path.name}-wal")
        if not _code(error).startswith(_REFUSED) or not path.is_file() or (log.is_file() and log.stat().st_size):
            raise
        return _tried(path, "ro&immutable=1")  # no other process can be writing to it


def _tried(path: Path, mode: str) -> sqlite3.Connection:
    """A connection that was read from once: SQLite opens the file, and its log, no earlier."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {_BUSY}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _explained(error: sqlite3.DatabaseError, path: Path) -> LibraryError:
    code = _code(error)
    if code.startswith(_LOCKED):
        return LockedError(
            f"{path} has been locked by another process for {_BUSY // 1000} s; try again when it is done"
        )
    if code.startswith(_REFUSED):
        return LibraryError(f"{path} cannot be used: {error}; check the folder, its permissions and the space on disk")
    return _damaged(path, error)


def _damaged(path: Path, seen: object) -> DamagedError:
    return DamagedError(
        f"{path} is damaged: {' '.join(str(seen).split())}; run `rag reindex`, which mends it if its articles can be "
        "read; if not, restore it from a backup, or move it away and run `rag add` on the articles again"
    )


def _code(error: sqlite3.DatabaseError) -> str:
    return getattr(error, "sqlite_errorname", None) or ""


def is_readable(path: Path, *, most: int, but: str) -> bool:
    """Whether a database of others is sound; reads it without tables whose names begin so.

    Of one that is larger than `most` bytes only that is read, and the rest is not checked.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in (row for row in names if not row[0].startswith(but)):
                database.execute(f'SELECT * FROM "{name}"').fetchall()
            return path.stat().st_size > most or database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except (sqlite3.Error, UnicodeDecodeError, OSError):
        return False
