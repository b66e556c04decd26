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
from rag.errors import DamagedError
from rag.schema import Window
from rag.vectortable import Vectors, Waiting
from rag.windows import chroma_filter

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

EXACT = 4096
"""Up to this many candidates are compared one by one, in milliseconds; importing Chroma takes two seconds."""

_NAME = "passages"
_BATCH = 1024
_MOST_CACHED = 8
_NO_DAY_FIRST, _NO_DAY_LAST = 0, 99_999_999  # outside of any window that has a day

_log = logging.getLogger(__name__)


class VectorIndex:
    """A Chroma index that is derived from the catalog, and never trusted over it.

    What it does not have yet is compared one by one, what it still has but the catalog has not is dropped, and the
    similarities are the catalog's. If it cannot be read, all passages are compared one by one. Threads may share it.
    """

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self._folder = folder
        self._catalog = catalog
        self._lock = RLock()
        self._client: Client | None = None
        self._opened_at = -1
        self._exact: dict[Window, Vectors | None] = {}
        self._exact_at = -1

    def search(self, query: Vector, *, limit: int, window: Window) -> list[str]:
        """The ids of the passages nearest to the query by cosine, the nearest first; ties by id."""
        with self._lock:
            vectors = self._few(window)
            if vectors is None:
                vectors = self._near(query, limit, window)
        return _nearest(vectors, query, limit)

    def synchronize(self) -> None:
        """Brings the index up to the catalog; makes it anew if it is damaged. Only for the one writer."""
        if not self._catalog.embedded.has_changes():
            return
        with self._lock:
            try:
                self._update()
            except _failures() as error:
                _log.info("the vector index in %s is made anew: %s", self._folder, error)
                self._start_anew()

    def rebuild(self) -> None:
        """Makes the index anew from the catalog. Only for the one writer."""
        with self._lock:
            self._start_anew()

    def close(self) -> None:
        """Lets go of the files; the next search opens them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _few(self, window: Window) -> Vectors | None:
        """The vectors that a window admits, unless they are many."""
        if self._exact_at != (generation := self._catalog.generation):
            self._exact, self._exact_at = {}, generation
        if window not in self._exact:
            if len(self._exact) >= _MOST_CACHED:
                self._exact.pop(next(iter(self._exact)))
            few = self._catalog.embedded.count(window) <= EXACT
            self._exact[window] = self._catalog.vectors(window) if few else None
        return self._exact[window]

    def _near(self, query: Vector, limit: int, window: Window) -> Vectors:
        table = self._catalog.embedded
        try:
            found = self._query(query, limit + len(table.deletions()), window)
        except _failures() as error:
            _log.warning("the vector index in %s cannot be read: %s; run `rag reindex`", self._folder, error)
            return self._catalog.vectors(window)
        return table.select(window, ids={*found, *table.waiting_ids()})

    def _query(self, query: Vector, limit: int, window: Window) -> list[str]:
        collection = self._collection()
        found: Any = collection.query(
            query_embeddings=[query.tolist()], n_results=limit, where=chroma_filter(window), include=[]
        )
        return list(found["ids"][0])

    def _update(self) -> None:
        table, collection = self._catalog.embedded, self._collection()
        for ids in _sliced(table.deletions()):
            collection.delete(ids=ids)
            with self._catalog.writing():
                table.set_deleted(ids)
        while rows := table.waiting(_BATCH):
            _upsert(collection, rows)
            with self._catalog.writing():
                table.set_indexed([row.id for row in rows])
        self._opened_at = self._catalog.generation
        self._check(collection)

    def _check(self, collection: Collection) -> None:
        """A process that was killed while Chroma wrote can leave an index that opens and misses entries."""
        seen, wanted = collection.count(), self._catalog.embedded.indexed_count()
        if seen != wanted:
            raise DamagedError(f"it has {seen} entries, wanted {wanted}")
        if wanted and (stored := self._catalog.embedded.model):
            collection.query(query_embeddings=np.ones((1, stored.dimensions), np.float32), n_results=1, include=[])

    def _start_anew(self) -> None:
        self.close()
        with self._catalog.writing():
            self._catalog.embedded.set_unindexed()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._update()

    def _collection(self) -> Collection:
        """Opened again after another process has written: Chroma would go on with the old index."""
        generation = self._catalog.generation
        if self._client is None or generation != self._opened_at:
            self.close()
            self._client, self._opened_at = _open(self._folder), generation
        return self._client.get_or_create_collection(
            _NAME, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )


def _open(folder: Path) -> Client:
    from chromadb.api.client import Client
    from chromadb.config import Settings

    return Client(settings=Settings(is_persistent=True, persist_directory=str(folder), anonymized_telemetry=False))


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


def _nearest(vectors: Vectors, query: Vector, limit: int) -> list[str]:
    if not vectors.ids:
        return []
    order = np.argsort(-(vectors.matrix @ unit(query)), kind="stable")
    return [vectors.ids[i] for i in order[:limit]]


def _sliced(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH)]
