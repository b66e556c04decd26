"""Keeps vectors in Chroma, in files of this machine or on a server."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import DamagedError, LibraryError, ServerError
from rag.files import file_digest, write_private
from rag.models.embeddings import Vector
from rag.store.database import ChromaServer
from rag.store.embedding_table import PendingVector
from rag.store.sqlite import is_readable

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection


MOST_WRITTEN = 5_000
"""How many vectors, or ids, are sent at once; Chroma takes at most 5,461."""

_NAME = "passages"
_BY_COSINE: CreateHNSWConfiguration = {"space": "cosine"}
_IN_FILES: CreateHNSWConfiguration = {
    # Every batch goes to the files at once: what is only in the log, each reader indexes by itself when it opens them.
    **_BY_COSINE,
    "batch_size": 2,
    "sync_threshold": 2,
}


class Chroma:
    """A collection of vectors by id; `failures()` is what its methods raise.

    Its files crash who reads them if they are not whole, so they are sealed when they are, and others are not opened;
    `quiet` and `undisturbed` keep those who read and who writes apart. A server does all of that itself.
    """

    def __init__(self, place: Path | ChromaServer) -> None:
        self._place = place
        self._opened: Collection | None = None
        self._opened_at = -1

    @property
    def name(self) -> str:
        """Where it is, as a person calls it."""
        return str(self._place) if isinstance(self._place, Path) else self._place.name

    @property
    def is_server(self) -> bool:
        return isinstance(self._place, ChromaServer)

    def open(self, version: int, library: str) -> bool:
        """Opens the collection of a library, unless it is open; returns whether it did.

        With another version it is opened again: Chroma would go on with the files of before.
        """
        if self._opened is not None and version == self._opened_at:
            return False
        self._opened = None
        if isinstance(self._place, Path) and (file := broken(self._place)):
            raise DamagedError(f"{file} is not as it was left")
        self._opened = _open(self._place).get_or_create_collection(
            self._collection_name(library),
            embedding_function=None,
            configuration={"hnsw": _BY_COSINE if self.is_server else _IN_FILES},
        )
        self._opened_at = version
        return True

    def is_now(self, version: int) -> None:
        """Takes what is open to be of this version, which it has been brought up to."""
        self._opened_at = version

    def close(self) -> None:
        """Lets go of it."""
        self._opened = None

    def count(self) -> int:
        return self._collection.count()

    def nearest(self, query: Vector, limit: int) -> list[str]:
        """The ids of about the nearest vectors by cosine."""
        found: Any = self._collection.query(query_embeddings=query[np.newaxis], n_results=limit, include=[])
        return list(found["ids"][0])

    def upsert(self, rows: Sequence[PendingVector]) -> None:
        self._collection.upsert(ids=[row.id for row in rows], embeddings=np.stack([row.vector for row in rows]))

    def delete(self, ids: Sequence[str]) -> None:
        self._collection.delete(ids=list(ids))

    def seal(self) -> None:
        """Says that all is written."""
        if isinstance(self._place, Path):
            seal(self._place)

    def remove(self, library: str) -> None:
        """Removes the collection of a library. Files may be damaged, so they are not opened any more."""
        self.close()
        if isinstance(self._place, Path):
            shutil.rmtree(self._place, ignore_errors=True)
            return
        client, name = _open(self._place), self._collection_name(library)
        client.get_or_create_collection(name, embedding_function=None)  # else there is none to be deleted
        client.delete_collection(name)

    def quiet(self) -> AbstractContextManager[bool]:
        """Whether nobody writes its files; if so, nobody begins to."""
        return quiet(_lock_file(self._place)) if isinstance(self._place, Path) else nullcontext(True)

    def undisturbed(self) -> AbstractContextManager[None]:
        """Nobody reads its files."""
        return undisturbed(_lock_file(self._place)) if isinstance(self._place, Path) else nullcontext()

    def explained(self, error: Exception) -> LibraryError:
        """The error that says what to do about one of `failures()`."""
        told = " ".join(str(error).split())
        if isinstance(self._place, Path):
            return DamagedError(
                f"the vector index in {self.name} cannot be used: {told}; check the space on disk and the permissions, "
                "then run `rag reindex`"
            )
        if isinstance(error, DamagedError):
            return DamagedError(f"the vector index at {self.name} is not whole: {told}; run `rag reindex`")
        return ServerError(
            f"the Chroma server at {self.name} fails: {told}; what is added waits in the catalog until `rag work` or "
            "the next `rag add` finds it well"
        )

    @property
    def _collection(self) -> Collection:
        if self._opened is None:
            raise DamagedError("it is not open")
        return self._opened

    def _collection_name(self, library: str) -> str:
        """A server may keep the vectors of several libraries."""
        return f"{_NAME}-{library}" if self.is_server else _NAME


def chroma_errors() -> tuple[type[Exception], ...]:
    """What is raised over files, or a server, that cannot be used."""
    import httpx
    from chromadb.errors import ChromaError

    return ChromaError, OSError, DamagedError, httpx.HTTPError


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


@contextmanager
def quiet(path: Path) -> Iterator[bool]:
    """Whether nobody is in `undisturbed` of this file; if so, nobody gets there before the end.

    Windows has no such locks: there it is always so.
    """
    file = _opened(path, os.O_RDONLY)
    try:
        yield file is None or _shared(file)
    finally:
        if file is not None:
            os.close(file)


@contextmanager
def undisturbed(path: Path) -> Iterator[None]:
    """Waits for all that are in `quiet` of this file, and lets none in before the end."""
    file = _opened(path, os.O_RDONLY | os.O_CREAT)
    try:
        if file is not None and sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        if file is not None:
            os.close(file)


def _shared(file: int) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(path: Path, flags: int) -> int | None:
    """The lock's file; None if it is not there, which it is before anybody writes, or may not be opened."""
    try:
        return os.open(path, flags, 0o600)
    except OSError:
        return None


def _open(place: Path | ChromaServer) -> ClientAPI:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    SharedSystemClient.clear_system_cache()  # else it gives the client of before, and its view of the files
    settings = Settings(anonymized_telemetry=False)
    if isinstance(place, Path):
        return chromadb.PersistentClient(str(place), settings=settings)
    try:
        return chromadb.HttpClient(
            host=place.host,
            port=place.port,
            ssl=place.ssl,
            headers={"x-chroma-token": place.key.reveal()} if place.key else None,
            settings=settings,
            tenant=place.tenant,
            database=place.database,
        )
    except ValueError as error:  # what it makes of a connection that fails
        raise ConnectionError(str(error)) from error


_SEAL, _TABLES = "seal.json", "chroma.sqlite3"
_OF_VECTORS = "embedding"
"""What the names of tables begin with that have a row for each vector."""
_MOST_CHECKED = 50_000_000  # bytes


@dataclass(frozen=True, slots=True)
class _SealedFile:
    """A file as it was left; `time` is in nanoseconds."""

    size: int
    time: int
    digest: str


def seal(folder: Path) -> None:
    """Writes down what all files in the folders of a folder hold; reads only those that were written since last.

    Only its user may read them from then on.
    """
    known = _sealed(folder) or {}
    left = {name: _left(folder / name, known.get(name)) for name in _names(folder)}
    write_private(folder / _SEAL, json.dumps({name: asdict(file) for name, file in left.items()}))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def broken(folder: Path) -> str | None:
    """A file that is not as it was sealed, or is damaged; None if all are well, or if there is nothing yet.

    A file that nobody has written to since is taken as it is; another one, such as that of a copy, is read. Chroma's
    own tables change whenever they are opened, so that they have no seal.
    """
    sealed = _sealed(folder)
    if sealed is None:
        return _SEAL if folder.exists() and any(folder.iterdir()) else None
    changed = next((name for name, file in sealed.items() if not _holds(folder / name, file)), None)
    return changed or (None if is_readable(folder / _TABLES, most=_MOST_CHECKED, but=_OF_VECTORS) else _TABLES)


def _holds(path: Path, file: _SealedFile) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    return path.stat().st_mtime_ns == file.time or file_digest(path) == file.digest


def _left(path: Path, known: _SealedFile | None) -> _SealedFile:
    size, time = path.stat().st_size, path.stat().st_mtime_ns
    same = known is not None and (known.size, known.time) == (size, time)
    return known if known and same else _SealedFile(size, time, file_digest(path))


def _sealed(folder: Path) -> dict[str, _SealedFile] | None:
    """What was written down; None if nothing was, or if it cannot be read."""
    try:
        read = json.loads((folder / _SEAL).read_text(encoding="utf-8"))
        return {name: _SealedFile(**file) for name, file in read.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*") if path.is_file())
