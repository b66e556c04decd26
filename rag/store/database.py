"""Says what the catalog needs of a database, and reads the addresses of the servers that a library may be kept on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Protocol, TypeAlias, overload
from urllib.parse import urlsplit

from rag.errors import DamagedError, InputError, LibraryError
from rag.models.chat import Secret

SET_META = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
"""Keeps a value of a library by its key."""

LISTED = "IN (SELECT value FROM json_each(?))"
"""What a column is compared by with a list, which is given as `listed` of it."""
_META = "SELECT value FROM meta WHERE key = ?"

OnWait: TypeAlias = Callable[[str], None]
"""Is told, once, that something is waited for."""


class Row(Protocol):
    """A row of a result: its values by number or by the name of their column."""

    @overload
    def __getitem__(self, key: int | str, /) -> Any: ...
    @overload
    def __getitem__(self, key: slice, /) -> Sequence[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """A connection that threads share, in turn; what fails is a LibraryError that says what to do.

    SQL is written for SQLite, with `?` for a parameter; text is ordered by its code points.
    """

    claim: str
    """What a query ends in whose rows shall be nobody else's; empty where only one process writes."""
    begin_writing: str
    begin_reading: str
    """The statements by which a transaction begins, and one that sees one state."""
    _lock: RLock

    @property
    def name(self) -> str:
        """What a person calls it; without a password."""

    @property
    def is_shared(self) -> bool:
        """Whether several processes may write at once, from several machines."""

    @property
    def version(self) -> int:
        """The version of its schema."""

    def upgrade(self, schema: str, version: int) -> None:
        """Adds to the schema of an earlier version, in one transaction."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Row]:
        """All rows of a query, or none for a statement that gives none."""

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None if there is no row."""
        rows = self.rows(sql, parameters)
        return rows[0][0] if rows else None

    def run(self, statements: str) -> None:
        """Runs statements that end in a semicolon each."""
        for statement in filter(str.strip, statements.split(";")):
            self.rows(statement)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Runs a statement once for each row of parameters, in one transaction."""

    def transaction(self) -> AbstractContextManager[None]:
        """All of the writes inside, or none; one inside of another is a part of it."""
        return self._begun(self.begin_writing)

    def snapshot(self) -> AbstractContextManager[None]:
        """All of the reads inside see one state, whatever others write."""
        return self._begun(self.begin_reading)

    def claiming(self) -> AbstractContextManager[None]:
        """What is read inside by a query that ends in `claim` is nobody else's until the end."""
        return self.transaction()

    def alone(self, what: str, *, wait: float, on_wait: OnWait) -> AbstractContextManager[None]:
        """Keeps others from doing the same thing inside; raises LockedError after `wait` seconds.

        It is let go of when the process ends, however it ends.
        """

    def check(self) -> None:
        """Raises DamagedError if what it is kept in is damaged, as far as that can be seen from here."""

    def close(self) -> None: ...

    def _is_begun(self) -> bool:
        """Whether a transaction is under way."""

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


def is_address(place: Path | str) -> bool:
    """Whether a place is a PostgreSQL database, and no file."""
    return isinstance(place, str) and place.startswith(("postgresql://", "postgres://"))


def check_version(name: object, found: int, most: int) -> None:
    """Raises LibraryError if the schema of a catalog is of a later version of this program."""
    if found > most:
        raise LibraryError(
            f"{name} has version {found} of the catalog, wanted at most {most}; "
            "upgrade with `pip install --upgrade dispatches`"
        )


def listed(values: Iterable[str]) -> str:
    """Values as the parameter of LISTED."""
    return json.dumps(list(values))


def misplaced(seen: str, article: str) -> DamagedError:
    """The error over what is kept of an article and does not agree with its text."""
    return DamagedError(f"the catalog is damaged: {seen}; run `rag remove {article}` and add the article again")


def stored_number(database: Database, key: str) -> int:
    """A number that is kept by its key; raises DamagedError if there is none."""
    value = database.value(_META, [key])
    try:
        return int(value)
    except (TypeError, ValueError):
        raise DamagedError(
            f"the catalog is damaged: its {key} is {value!r}, wanted a number; restore the file from a backup, or move "
            "it away and run `rag add` on the articles again"
        ) from None


_PORTS = {"http": 8000, "https": 443}
_TENANT, _DATABASE = "default_tenant", "default_database"  # Chroma's own


@dataclass(frozen=True, slots=True)
class ChromaServer:
    """Where a Chroma server is, and the key that it wants, if any."""

    host: str
    port: int
    ssl: bool
    tenant: str = _TENANT
    database: str = _DATABASE
    key: Secret | None = None

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{'https' if self.ssl else 'http'}://{self.host}:{self.port}"


def chroma_server(address: str, *, origin: str, key: Secret | None = None) -> ChromaServer:
    """The server of an address such as `http://host:8000` or `https://host/tenant/database`."""
    parts, port = urlsplit(address), _port(address)
    path = [part for part in parts.path.split("/") if part]
    if parts.scheme not in _PORTS or not parts.hostname or port == -1 or len(path) not in (0, 2):
        raise InputError(f"{origin} is {address!r}; wanted http://HOST:PORT, or that and /TENANT/DATABASE")
    if parts.username or parts.password:
        raise InputError(f"{origin} holds a password; keep the key in the variable CHROMA_API_KEY alone")
    tenant, database = path or (_TENANT, _DATABASE)
    return ChromaServer(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "https", tenant, database, key)


def catalog_address(address: str, *, origin: str) -> str:
    """The address of a PostgreSQL database, as it was given; raises InputError, without it, if it is none."""
    if not is_address(address) or _port(address) == -1 or len(urlsplit(address).path) < 2:
        raise InputError(f"{origin} is no address of a database; wanted postgresql://USER@HOST/DATABASE")
    return address


def _port(address: str) -> int | None:
    """-1 if it has one that is none."""
    try:
        return urlsplit(address).port
    except ValueError:
        return -1
