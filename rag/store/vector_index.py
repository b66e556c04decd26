"""Searches the vectors of passages, with Chroma where there are many."""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from pathlib import Path
from threading import RLock

import numpy as np

from rag.errors import DamagedError, EmbeddingError
from rag.models.embeddings import Vector, unit_vector
from rag.schema import Window
from rag.store.catalog import Catalog
from rag.store.chroma import MOST_WRITTEN, Chroma, chroma_errors
from rag.store.database import ChromaServer
from rag.store.embedding_table import Vectors

EXACT = 20_000
"""Up to this many candidates are compared one by one, in milliseconds; a library of no more has no Chroma index."""

_MARGIN = 1.5  # more than the share of a window would ask for: it is not the same everywhere
_FURTHER = 4  # times as many are asked for if too few were admitted
_MOST_ASKED = 12_000  # a tenth of a second
_LEAST = 10
_MOST_CACHED = 3
_INTERRUPTED = "a process ended while it wrote it"

_log = logging.getLogger(__name__)


class VectorIndex:
    """A Chroma index that is derived from the catalog, and never trusted over it.

    Up to `exact` passages it is neither made nor kept up: nothing asks it, and importing Chroma takes seconds. The
    change that passes this number makes it of all that the catalog has.

    What it does not have yet is compared one by one, what it still has but the catalog has not is dropped, and the
    similarities and windows are the catalog's. While it cannot be read, all passages are compared one by one. Threads
    may share it.

    Chroma writes its files in place, so a process that is killed meanwhile leaves files that can crash who reads them.
    The catalog's `index_version` is odd for that time: then readers keep away, and the next writer starts anew. It
    waits for those that are at it still, and in the end it seals the files: others than those are not opened. A server
    keeps its files itself, so there the version is odd only while the index is made anew.
    """

    def __init__(self, place: Path | ChromaServer, catalog: Catalog, *, exact: int = EXACT) -> None:
        self.catalog = catalog
        self._chroma = Chroma(place)
        self.exact = exact
        self._lock = RLock()
        self._exact: dict[Window, Vectors | None] = {}
        self._exact_at = -1

    @property
    def name(self) -> str:
        """Where it is, as a person calls it."""
        return self._chroma.name

    def search(self, query: Vector, *, limit: int, window: Window) -> list[str]:
        """The ids of the passages nearest to the query by cosine, the nearest first; ties by id.

        They are fewer than `limit` where a window admits fewer of those that are near at all.
        """
        with self._lock:
            vectors = self._few(window)
            if vectors is None:
                vectors = self._near(query, limit, window)
        return nearest(vectors, query, limit)

    @property
    def is_asked(self) -> bool:
        """Whether there are so many passages that a search may ask the index."""
        return self.catalog.passage_count(Window()) > self.exact

    @property
    def is_behind(self) -> bool:
        """Whether the index lacks something, or may be damaged, that a search may ask for."""
        return self.is_asked and self.catalog.embedded.has_changes()

    def synchronize(self) -> None:
        """Brings an index that is asked up to the catalog; rebuilds it if it is damaged. Only for the one writer.

        Raises ServerError if it is on a server that fails; what it lacks is then made up for by the next try.
        """
        if not self.is_behind:
            return
        with self._lock:
            version = self.catalog.embedded.index_version
            try:
                self._update(version)
            except chroma_errors() as error:
                if self._chroma.is_server and not isinstance(error, DamagedError):
                    raise self._chroma.explained(error) from error
                _log.info("the vector index in %s is made anew: %s", self.name, error)
                self._start_anew(version + 2)

    def rebuild(self) -> None:
        """Rebuilds the index from the catalog; removes one that is not asked. Only for the one writer."""
        with self._lock:
            self._start_anew(self.catalog.embedded.index_version)

    def check(self) -> None:
        """Raises DamagedError if it has not what it should have, ServerError if its server fails.

        While another process writes its files nothing is looked at.
        """
        with self._lock, self._chroma.quiet() as is_quiet:
            try:
                if is_quiet:
                    self._complete()
            except chroma_errors() as error:
                raise self._chroma.explained(error) from error

    def load(self) -> None:
        """Opens the index where a search needs it, so that the first one does not wait; a search reports what fails."""
        with self._lock:
            if not self._is_ready():
                return
            with self._chroma.quiet() as is_quiet, suppress(*chroma_errors()):
                if is_quiet:
                    self._checked()

    def close(self) -> None:
        """Closes the index; the next search opens it again."""
        with self._lock:
            self._chroma.close()

    def _few(self, window: Window) -> Vectors | None:
        """The vectors that a window admits, unless they are many."""
        if self._exact_at != (generation := self.catalog.generation):
            self._exact, self._exact_at = {}, generation
        if window not in self._exact:
            if len(self._exact) >= _MOST_CACHED:
                self._exact.pop(next(iter(self._exact)))
            few = self.catalog.passage_count(window) <= self.exact
            self._exact[window] = self.catalog.vectors(window) if few else None
        return self._exact[window]

    def _near(self, query: Vector, limit: int, window: Window) -> Vectors:
        version = self.catalog.embedded.index_version
        if not self._is_ready():
            return self._compared(query, limit, window)
        with self._chroma.quiet() as is_quiet:
            found = self._found(query, limit, window) if is_quiet else None
        if not found or self.catalog.embedded.index_version != version or len(found.ids) < min(limit, _LEAST):
            return self._compared(query, limit, window)
        return found

    def _is_ready(self) -> bool:
        """Whether a search may ask the index: nobody writes it, and something was ever put into it."""
        table = self.catalog.embedded
        return self.is_asked and table.index_version % 2 == 0 and table.has_indexed()

    def _found(self, query: Vector, limit: int, window: Window) -> Vectors | None:
        """What Chroma finds; None if it cannot be read, which is told."""
        try:
            self._checked()
            return self._admitted(query, limit, window)
        except chroma_errors() as error:
            todo = "check that it runs" if self._chroma.is_server else "run `rag reindex`"
            _log.warning("the vector index in %s cannot be read: %s; %s", self.name, error, todo)
            return None

    def _admitted(self, query: Vector, limit: int, window: Window) -> Vectors:
        """Asks for as many as hold `limit` that the window admits: a filter of Chroma takes far longer than that."""
        table, total = self.catalog.embedded, self.catalog.passage_count(Window())
        more, waiting = len(table.deletions()), table.waiting_ids()
        asked = math.ceil(limit * (_MARGIN * total / self.catalog.passage_count(window) if window.limits else 1))
        most = min(total, max(_MOST_ASKED, limit))
        while True:
            found = self._chroma.nearest(query, min(asked, most) + more)
            vectors = table.select(window, ids={*found, *waiting})
            if len(vectors.ids) >= limit or asked >= most:
                return vectors
            asked *= _FURTHER

    def _compared(self, query: Vector, limit: int, window: Window) -> Vectors:
        """The nearest ones, by comparing all that the window admits; a slice at a time, since they may be many."""
        best = Vectors((), query[:0])
        for part in self.catalog.embedded.slices(window, self.exact or EXACT):
            best = _nearest_of(best, part, query, limit)
        return best

    def _checked(self) -> None:
        """Opens it, but not if it lacks something."""
        if self._open() or self._chroma.is_server:  # to which others write without its version's growing
            try:
                self._counted()
            except DamagedError:
                self._chroma.close()
                raise

    def _open(self) -> bool:
        return self._chroma.open(self.catalog.embedded.index_version, self._library())

    def _library(self) -> str:
        return self.catalog.identity() if self._chroma.is_server else ""

    def _complete(self) -> None:
        if self.catalog.embedded.index_version % 2:
            raise DamagedError(_INTERRUPTED)
        self._open()
        self._counted()

    def _counted(self) -> None:
        if self._chroma.count() < (wanted := self.catalog.embedded.indexed_count()):
            raise DamagedError(f"it lacks some of {wanted} entries")

    def _update(self, version: int) -> None:
        if version % 2:
            raise DamagedError(_INTERRUPTED)
        self._open()
        if not self._chroma.is_server:
            self.catalog.embedded.set_index_version(version + 1)
        with self._chroma.undisturbed():
            self._write(version + 2)

    def _start_anew(self, version: int) -> None:
        """Leaves the old files unopened; a stop at any point leaves the version odd."""
        version += 1 - version % 2
        self.close()
        with self.catalog.writing():
            self.catalog.embedded.set_index_version(version)
            self.catalog.embedded.set_unindexed()
        try:
            with self._chroma.undisturbed():
                self._chroma.remove(self._library())
                if self.is_asked:
                    self._open()
                    self._write(version + 1)
                else:
                    self._finish(version + 1)
        except chroma_errors() as error:
            raise self._chroma.explained(error) from error

    def _write(self, version: int) -> None:
        table, chroma = self.catalog.embedded, self._chroma
        for ids in _sliced(table.deletions()):
            chroma.delete(ids)
            table.set_deleted(ids)
        while rows := table.waiting(MOST_WRITTEN):
            chroma.upsert(rows)
            table.set_indexed([row.id for row in rows])
        self._check()
        chroma.seal()
        self._finish(version)

    def _finish(self, version: int) -> None:
        with self.catalog.writing():
            self.catalog.embedded.set_index_version(version)
        self._chroma.is_now(version)

    def _check(self) -> None:
        """Of a shared catalog, others may have removed what was just indexed: the next time drops it."""
        seen, wanted = self._chroma.count(), self.catalog.embedded.indexed_count()
        if seen < wanted or (seen > wanted and not self.catalog.is_shared):
            raise DamagedError(f"it has {seen} entries, wanted {wanted}")


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
    if not np.isfinite(query).all():
        raise EmbeddingError("the embedding model gave no numbers for the question; try again, or use another model")
    order = np.argsort(-(vectors.matrix @ unit_vector(query)), kind="stable")
    return [vectors.ids[i] for i in order[:limit]]


def _sliced(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + MOST_WRITTEN] for start in range(0, len(ids), MOST_WRITTEN)]
