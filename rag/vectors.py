"""Searches the vectors of passages, with Chroma where they are many."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.catalog import Catalog
from rag.embeddings import Vector, unit
from rag.errors import DamagedError, EmbeddingError
from rag.schema import Window
from rag.vectortable import Vectors, Waiting
from rag.windows import chroma_filter

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

EXACT = 20_000
"""Up to this many candidates are compared one by one, in milliseconds; importing Chroma takes two seconds."""

_NAME = "passages"
_BATCH = 1024
_MOST_CACHED = 3
_NO_DAY_FIRST, _NO_DAY_LAST = 0, 99_999_999  # outside of any window that has a day

_log = logging.getLogger(__name__)


class VectorIndex:
    """A Chroma index that is derived from the catalog, and never trusted over it.

    What it does not have yet is compared one by one, what it still has but the catalog has not is dropped, and the
    similarities are the catalog's. While it cannot be read, all passages are compared one by one. Threads may share it.

    Chroma writes its files in place, so a process that is killed meanwhile leaves files that can crash who reads them.
    The catalog's `index_version` is odd for that time: then readers keep away, and the next writer starts anew.
    """

    def __init__(self, folder: Path, catalog: Catalog, *, exact: int = EXACT) -> None:
        self._folder = folder
        self._most = exact
        self.catalog = catalog
        self._lock = RLock()
        self._client: ClientAPI | None = None
        self._opened_at = -1
        self._exact: dict[Window, Vectors | None] = {}
        self._exact_at = -1

    def search(self, query: Vector, *, limit: int, window: Window) -> list[str]:
        """The ids of the passages nearest to the query by cosine, the nearest first; ties by id."""
        with self._lock:
            vectors = self._few(window)
            if vectors is None:
                vectors = self._near(query, limit, window)
        return nearest(vectors, query, limit)

    def synchronize(self) -> None:
        """Brings the index up to the catalog; makes it anew if it is damaged. Only for the one writer."""
        if not self.catalog.embedded.has_changes():
            return
        with self._lock:
            version = self.catalog.embedded.index_version
            try:
                self._update(version)
            except _failures() as error:
                _log.info("the vector index in %s is made anew: %s", self._folder, error)
                self._start_anew(version + 2)

    def rebuild(self) -> None:
        """Makes the index anew from the catalog. Only for the one writer."""
        with self._lock:
            self._start_anew(self.catalog.embedded.index_version)

    def close(self) -> None:
        """Lets go of the index; the next search opens it again."""
        with self._lock:
            self._client = None

    def _few(self, window: Window) -> Vectors | None:
        """The vectors that a window admits, unless they are many."""
        if self._exact_at != (generation := self.catalog.generation):
            self._exact, self._exact_at = {}, generation
        if window not in self._exact:
            if len(self._exact) >= _MOST_CACHED:
                self._exact.pop(next(iter(self._exact)))
            few = self.catalog.embedded.count(window) <= self._most
            self._exact[window] = self.catalog.vectors(window) if few else None
        return self._exact[window]

    def _near(self, query: Vector, limit: int, window: Window) -> Vectors:
        table = self.catalog.embedded
        version = table.index_version
        if version % 2:
            return self.catalog.vectors(window)
        try:
            found = self._query(query, limit + len(table.deletions()), window)
        except _failures() as error:
            _log.warning("the vector index in %s cannot be read: %s; run `rag reindex`", self._folder, error)
            return self.catalog.vectors(window)
        if table.index_version != version:
            return self.catalog.vectors(window)
        return table.select(window, ids={*found, *table.waiting_ids()})

    def _query(self, query: Vector, limit: int, window: Window) -> list[str]:
        collection = self._collection()
        if collection.count() < (wanted := self.catalog.embedded.indexed_count()):
            raise DamagedError(f"it lacks some of {wanted} entries")
        found: Any = collection.query(
            query_embeddings=query[np.newaxis], n_results=limit, where=chroma_filter(window), include=[]
        )
        return list(found["ids"][0])

    def _update(self, version: int) -> None:
        if version % 2:
            raise DamagedError("a process ended while it wrote it")
        collection = self._collection()
        self.catalog.embedded.set_index_version(version + 1)
        self._write(collection, version + 2)

    def _start_anew(self, version: int) -> None:
        """Leaves the old files unopened; a stop at any point leaves the version odd."""
        version += 1 - version % 2
        self.close()
        with self.catalog.writing():
            self.catalog.embedded.set_index_version(version)
            self.catalog.embedded.set_unindexed()
        shutil.rmtree(self._folder, ignore_errors=True)
        try:
            self._write(self._collection(), version + 1)
        except _failures() as error:
            raise DamagedError(
                f"the vector index in {self._folder} cannot be written: {error}; check the space on disk and the "
                "permissions, then run `rag reindex`"
            ) from error

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

    def _collection(self) -> Collection:
        """Opened again after another process has written: Chroma would go on with the old index."""
        version = self.catalog.embedded.index_version
        if self._client is None or version != self._opened_at:
            self._client, self._opened_at = _open(self._folder), version
        return self._client.get_or_create_collection(
            _NAME, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )


def _open(folder: Path) -> ClientAPI:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    SharedSystemClient.clear_system_cache()  # else it gives the client of before, and its view of the files
    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


def _failures() -> tuple[type[Exception], ...]:
    from chromadb.errors import ChromaError

    return ChromaError, OSError, DamagedError


def _upsert(collection: Collection, rows: Sequence[Waiting]) -> None:
    stamps = [row.stamp for row in rows]
    collection.upsert(
        ids=[row.id for row in rows],
        embeddings=np.stack([row.vector for row in rows]),
        metadatas=[
            {
                "day_first": stamp.day_first or _NO_DAY_FIRST,
                "day_last": stamp.day_last or _NO_DAY_LAST,
                "source": stamp.source or "",
            }
            for stamp in stamps
        ],
    )


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
