"""Searches the vectors of passages, with Chroma where they are many."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.catalog import Catalog
from rag.embeddings import Vector, unit
from rag.errors import DamagedError, EmbeddingError, LibraryError, ServerError
from rag.schema import Window
from rag.servers import ChromaServer
from rag.vectortable import Vectors, Waiting

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateHNSWConfiguration
    from chromadb.api.models.Collection import Collection

EXACT = 20_000
"""Up to this many candidates are compared one by one, in milliseconds; importing Chroma takes two seconds."""

_NAME = "passages"
_BATCH = 5_000  # Chroma takes at most 5,461 at once
_BY_COSINE: CreateHNSWConfiguration = {"space": "cosine"}
_IN_FILES: CreateHNSWConfiguration = {
    # Every batch goes to the files at once: what is only in the log, each reader indexes by itself when it opens them.
    **_BY_COSINE,
    "batch_size": 2,
    "sync_threshold": 2,
}
_MARGIN = 1.5  # more than the share of a window would ask for: it is not the same everywhere
_FURTHER = 4  # times as many are asked for if too few were admitted
_MOST_ASKED = 12_000  # a tenth of a second
_LEAST = 10
_MOST_CACHED = 3

_log = logging.getLogger(__name__)


class VectorIndex:
    """A Chroma index that is derived from the catalog, and never trusted over it.

    What it does not have yet is compared one by one, what it still has but the catalog has not is dropped, and the
    similarities and windows are the catalog's. While it cannot be read, all passages are compared one by one. Threads
    may share it.

    Chroma writes its files in place, so a process that is killed meanwhile leaves files that can crash who reads them.
    The catalog's `index_version` is odd for that time: then readers keep away, and the next writer starts anew. A
    server keeps its files itself, so there it is odd only while the index is made anew.
    """

    def __init__(self, place: Path | ChromaServer, catalog: Catalog, *, exact: int = EXACT) -> None:
        self._place = place
        self._most = exact
        self.catalog = catalog
        self._lock = RLock()
        self._opened: Collection | None = None
        self._opened_at = -1
        self._exact: dict[Window, Vectors | None] = {}
        self._exact_at = -1

    @property
    def name(self) -> str:
        """Where it is, as a person calls it."""
        return str(self._place) if isinstance(self._place, Path) else self._place.name

    def search(self, query: Vector, *, limit: int, window: Window) -> list[str]:
        """The ids of the passages nearest to the query by cosine, the nearest first; ties by id.

        They are fewer than `limit` where a window admits fewer of those that are near at all.
        """
        with self._lock:
            vectors = self._few(window)
            if vectors is None:
                vectors = self._near(query, limit, window)
        return nearest(vectors, query, limit)

    def synchronize(self) -> None:
        """Brings the index up to the catalog; makes it anew if it is damaged. Only for the one writer.

        Raises ServerError if it is on a server that fails; what it lacks is then made up for by the next try.
        """
        if not self.catalog.embedded.has_changes():
            return
        with self._lock:
            version = self.catalog.embedded.index_version
            try:
                self._update(version)
            except _failures() as error:
                if isinstance(self._place, ChromaServer) and not isinstance(error, DamagedError):
                    raise self._explained(error) from error
                _log.info("the vector index in %s is made anew: %s", self.name, error)
                self._start_anew(version + 2)

    def rebuild(self) -> None:
        """Makes the index anew from the catalog. Only for the one writer."""
        with self._lock:
            self._start_anew(self.catalog.embedded.index_version)

    def check(self) -> None:
        """Raises DamagedError if it has not what it should have, ServerError if its server fails."""
        with self._lock:
            try:
                self._counted(self._collection())
            except _failures() as error:
                raise self._explained(error) from error

    def close(self) -> None:
        """Lets go of the index; the next search opens it again."""
        with self._lock:
            self._opened = None

    def _few(self, window: Window) -> Vectors | None:
        """The vectors that a window admits, unless they are many."""
        if self._exact_at != (generation := self.catalog.generation):
            self._exact, self._exact_at = {}, generation
        if window not in self._exact:
            if len(self._exact) >= _MOST_CACHED:
                self._exact.pop(next(iter(self._exact)))
            few = self.catalog.passage_count(window) <= self._most
            self._exact[window] = self.catalog.vectors(window) if few else None
        return self._exact[window]

    def _near(self, query: Vector, limit: int, window: Window) -> Vectors:
        table = self.catalog.embedded
        version = table.index_version
        if version % 2:
            return self._compared(query, limit, window)
        try:
            found = self._admitted(query, limit, window)
        except _failures() as error:
            _log.warning("the vector index in %s cannot be read: %s; run `rag reindex`", self.name, error)
            return self._compared(query, limit, window)
        if table.index_version != version or len(found.ids) < min(limit, _LEAST):
            return self._compared(query, limit, window)
        return found

    def _admitted(self, query: Vector, limit: int, window: Window) -> Vectors:
        """Asks for as many as hold `limit` that the window admits: a filter of Chroma takes far longer than that."""
        table, total = self.catalog.embedded, self.catalog.passage_count(Window())
        more, waiting = len(table.deletions()), table.waiting_ids()
        asked = math.ceil(limit * (_MARGIN * total / self.catalog.passage_count(window) if window.limits else 1))
        most = min(total, max(_MOST_ASKED, limit))
        while True:
            found = self._query(query, min(asked, most) + more)
            vectors = table.select(window, ids={*found, *waiting})
            if len(vectors.ids) >= limit or asked >= most:
                return vectors
            asked *= _FURTHER

    def _compared(self, query: Vector, limit: int, window: Window) -> Vectors:
        """The nearest ones, by comparing all that the window admits; a slice at a time, since they may be many."""
        best = Vectors((), query[:0])
        for part in self.catalog.embedded.slices(window, self._most):
            best = _nearest_of(best, part, query, limit)
        return best

    def _query(self, query: Vector, limit: int) -> list[str]:
        collection = self._collection()
        if not isinstance(self._place, Path):
            self._counted(collection)  # others write to it without this version's growing
        found: Any = collection.query(query_embeddings=query[np.newaxis], n_results=limit, include=[])
        return list(found["ids"][0])

    def _counted(self, collection: Collection) -> None:
        if collection.count() < (wanted := self.catalog.embedded.indexed_count()):
            raise DamagedError(f"it lacks some of {wanted} entries")

    def _update(self, version: int) -> None:
        if version % 2:
            raise DamagedError("a process ended while it wrote it")
        collection = self._collection()
        if isinstance(self._place, Path):
            self.catalog.embedded.set_index_version(version + 1)
        self._write(collection, version + 2)

    def _start_anew(self, version: int) -> None:
        """Leaves the old files unopened; a stop at any point leaves the version odd."""
        version += 1 - version % 2
        self.close()
        with self.catalog.writing():
            self.catalog.embedded.set_index_version(version)
            self.catalog.embedded.set_unindexed()
        try:
            self._remove()
            self._write(self._collection(), version + 1)
        except _failures() as error:
            raise self._explained(error) from error

    def _write(self, collection: Collection, version: int) -> None:
        table = self.catalog.embedded
        for ids in _sliced(table.deletions()):
            collection.delete(ids=ids)
            table.set_deleted(ids)
        while rows := table.waiting(_BATCH):
            _upsert(collection, rows)
            table.set_indexed([row.id for row in rows])
        self._check(collection)
        with self.catalog.writing():
            table.set_index_version(version)
        self._opened_at = version

    def _check(self, collection: Collection) -> None:
        seen, wanted = collection.count(), self.catalog.embedded.indexed_count()
        if seen != wanted:
            raise DamagedError(f"it has {seen} entries, wanted {wanted}")

    def _remove(self) -> None:
        """Files that may be damaged are not opened any more; a server is told."""
        if isinstance(self._place, Path):
            shutil.rmtree(self._place, ignore_errors=True)
        else:
            client, name = _open(self._place), self._collection_name()
            client.get_or_create_collection(name, embedding_function=None)  # else there is none to be deleted
            client.delete_collection(name)

    def _collection(self) -> Collection:
        """Opened again after another process has written: Chroma would go on with the old index."""
        version = self.catalog.embedded.index_version
        if self._opened is None or version != self._opened_at:
            self._opened = None
            hnsw = _IN_FILES if isinstance(self._place, Path) else _BY_COSINE
            opened = _open(self._place).get_or_create_collection(
                self._collection_name(), embedding_function=None, configuration={"hnsw": hnsw}
            )
            self._counted(opened)
            self._opened, self._opened_at = opened, version
        return self._opened

    def _collection_name(self) -> str:
        """A server may keep the vectors of several libraries."""
        return _NAME if isinstance(self._place, Path) else f"{_NAME}-{self.catalog.identity()}"

    def _explained(self, error: Exception) -> LibraryError:
        if isinstance(self._place, Path):
            return DamagedError(
                f"the vector index in {self.name} cannot be used: {error}; check the space on disk and the "
                "permissions, then run `rag reindex`"
            )
        if isinstance(error, DamagedError):
            return DamagedError(f"the vector index at {self.name} is not whole: {error}; run `rag reindex`")
        return ServerError(
            f"the Chroma server at {self.name} fails: {' '.join(str(error).split())}; what is added waits in the "
            "catalog until `rag work` or the next `rag add` finds it well"
        )


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


def _failures() -> tuple[type[Exception], ...]:
    import httpx
    from chromadb.errors import ChromaError

    return ChromaError, OSError, DamagedError, httpx.HTTPError


def _upsert(collection: Collection, rows: Sequence[Waiting]) -> None:
    collection.upsert(ids=[row.id for row in rows], embeddings=np.stack([row.vector for row in rows]))


def _nearest_of(a: Vectors, b: Vectors, query: Vector, limit: int) -> Vectors:
    """The vectors of both that are nearest to the query, by id."""
    if a.ids:
        matrix, ids = np.vstack([a.matrix, b.matrix]), (*a.ids, *b.ids)
        order = sorted(range(len(ids)), key=lambda i: ids[i])
        b = Vectors(tuple(ids[i] for i in order), matrix[order])
    kept = set(nearest(b, query, limit))
    places = [i for i, id in enumerate(b.ids) if id in kept]
    return Vectors(tuple(b.ids[i] for i in places), b.matrix[places])


def nearest(vectors: Vectors, query: Vector, limit: int) -> list[str]:
    """The ids of the vectors nearest to the query by cosine, the nearest first; ties by id."""
    if not vectors.ids:
        return []
    if vectors.matrix.shape[1] != len(query):
        raise EmbeddingError(
            f"the vectors have {vectors.matrix.shape[1]} numbers, and the embedding model gives {len(query)} now; "
            "use the one it was made with, or embed all anew with `rag reindex`"
        )
    order = np.argsort(-(vectors.matrix @ unit(query)), kind="stable")
    return [vectors.ids[i] for i in order[:limit]]


def _sliced(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
