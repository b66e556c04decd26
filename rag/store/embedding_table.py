"""Keeps the embeddings of passages."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import DamagedError, EmbeddingError
from rag.models.embeddings import Embedded, HeadedText, ModelIdentity, Vector
from rag.schema import Article, Passage, Window
from rag.store.database import LISTED, SET_META, Database, Row, listed, misplaced, stored_number
from rag.store.filters import condition
from rag.text.relative_dates import EventDate

VECTOR_SCHEMA = """
CREATE TABLE embeddings (key TEXT PRIMARY KEY, vector BLOB NOT NULL, sentences BLOB);
CREATE TABLE deletions (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_VECTORS = "SELECT p.id, e.vector FROM {passages} p JOIN embeddings e ON e.key = p.embedding WHERE {where}"
# The limit keeps SQLite from looking through all that a window admits for the few that are listed.
_OF_IDS = f"(SELECT * FROM passages WHERE id {LISTED} LIMIT ?)"
_OF_NUMBERS = "(SELECT * FROM passages WHERE number BETWEEN ? AND ? LIMIT ?)"
_WAITING = """
    SELECT p.id, e.key, e.vector, NULL AS sentences
    FROM passages p JOIN embeddings e ON e.key = p.embedding WHERE p.indexed = 0 ORDER BY p.number LIMIT ?
"""
_INSERT = "INSERT INTO embeddings (key, vector, sentences) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_PART_OF_ALL = "SELECT key, vector, sentences FROM embeddings WHERE rowid BETWEEN ? AND ?"
_PART = 500
_PART_BY_KEY = """
    SELECT key, vector, sentences FROM embeddings
    WHERE key > ? AND EXISTS (SELECT 1 FROM passages WHERE embedding = key) ORDER BY key LIMIT ?
"""
_DANGLING = """
    SELECT DISTINCT embedding FROM passages
    WHERE embedding IS NOT NULL AND embedding NOT IN (SELECT key FROM embeddings)
"""
_UNIT = 0.02
"""How far the square of a length may be from 1: float16 has three digits."""

_log = logging.getLogger(__name__)
_UNUSED = "key NOT IN (SELECT embedding FROM passages WHERE embedding IS NOT NULL)"


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Passage ids, sorted, and their unit vectors: `matrix[i]` is that of `ids[i]`; empty if there are none."""

    ids: tuple[str, ...]
    matrix: Vector


@dataclass(frozen=True, slots=True, eq=False)
class StoredPassage:
    """A passage with its dates, its unit vector and those of its sentences; None while no such model embedded it."""

    passage: Passage
    vector: Vector | None
    sentences: NDArray[np.float16] | None
    events: tuple[EventDate, ...] = ()

    def of_sentences(self, count: int) -> Vector | None:
        """The vectors of its sentences; None unless it was embedded with so many: an earlier version had others."""
        known = self.sentences is not None and len(self.sentences) == count
        return np.asarray(self.sentences, np.float32) if known else None


@dataclass(frozen=True, slots=True)
class StoredModel:
    """The embedding model of a library, and the length of its vectors."""

    model: ModelIdentity
    dimensions: int


@dataclass(frozen=True, slots=True, eq=False)
class PendingVector:
    """A passage that the vector index has yet to take."""

    id: str
    vector: Vector


class VectorTable:
    """The embeddings by key, which passages have them, and what the vector index has not seen of it yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def model(self) -> StoredModel | None:
        """The embedding model that the vectors are of; None before the first one, or if its record is damaged."""
        rows = self._database.rows("SELECT key, value FROM meta WHERE key LIKE 'model_%'")
        found = {row["key"]: row["value"] for row in rows}
        try:
            return StoredModel(ModelIdentity(found["model_id"], found["model_digest"]), int(found["model_dimensions"]))
        except (KeyError, TypeError, ValueError):
            return None

    def check_model(self, model: ModelIdentity) -> None:
        """Raises EmbeddingError if the vectors are of another model."""
        stored = self.model
        if stored and stored.model != model:
            raise EmbeddingError(
                f"the library was made with the embedding model {stored.model.id}, this is {model.id}; "
                "use that one, or embed all anew with `rag reindex`"
            )

    def forget_model(self) -> None:
        """Takes the embeddings of a model that is not used any more from all passages."""
        self._database.rows("DELETE FROM meta WHERE key LIKE 'model_%'")
        self._database.rows("UPDATE passages SET embedding = NULL, indexed = 0")

    def set_model(self, stored: StoredModel) -> None:
        """Records the model; after this the vectors of another one must not stay."""
        model = stored.model
        rows = [("model_id", model.id), ("model_digest", model.digest), ("model_dimensions", stored.dimensions)]
        self._database.many(SET_META, rows)

    def count(self, window: Window) -> int:
        """How many passages that a window admits have a vector."""
        where = condition(window)
        sql = f"SELECT count(*) FROM passages p WHERE p.embedding IS NOT NULL AND {where.sql}"
        return int(self._database.value(sql, where.parameters))

    @property
    def index_version(self) -> int:
        """Grows by one when writing to the vector index begins and by one when it ends: odd means in between."""
        return stored_number(self._database, "index_version")

    def set_index_version(self, version: int) -> None:
        self._database.rows("UPDATE meta SET value = ? WHERE key = 'index_version'", [version])

    def indexed_count(self) -> int:
        """How many passages the vector index should hold."""
        return int(self._database.value("SELECT count(*) FROM passages WHERE indexed = 1"))

    def has_indexed(self) -> bool:
        """Whether the vector index should hold anything."""
        return bool(self._database.rows("SELECT 1 FROM passages WHERE indexed = 1 LIMIT 1"))

    def select(self, window: Window, *, ids: Collection[str] | None = None) -> Vectors:
        """The vectors that a window admits, of all passages or of those of these ids."""
        where = condition(window)
        passages, among = ("passages", []) if ids is None else (_OF_IDS, [listed(ids), len(ids)])
        sql = _VECTORS.format(passages=passages, where=where.sql)
        return self._sound(self._database.rows(sql, [*among, *where.parameters]))

    def slices(self, window: Window, size: int) -> Iterator[Vectors]:
        """The vectors that a window admits, of `size` passages at a time."""
        where = condition(window)
        last = int(self._database.value("SELECT coalesce(max(number), 0) FROM passages"))
        sql = _VECTORS.format(passages=_OF_NUMBERS, where=where.sql)
        for first in range(0, last + 1, size):
            if rows := self._database.rows(sql, [first, first + size - 1, size, *where.parameters]):
                yield self._sound(rows)

    def known(self, keys: Collection[str]) -> set[str]:
        """Those of these keys that have an embedding."""
        rows = self._database.rows(f"SELECT key FROM embeddings WHERE key {LISTED}", [listed(keys)])
        return {row[0] for row in rows}

    def insert(self, embedded: Mapping[str, Embedded]) -> None:
        """Keeps embeddings by their keys; raises EmbeddingError if one is not of finite numbers and of length 1."""
        if bad := sum(not _is_sound(e) for e in embedded.values()):
            raise EmbeddingError(
                f"the embedding model gave {bad} of {len(embedded)} vectors that are zero or no numbers; "
                "try again, or name another model with RAG_EMBEDDINGS"
            )
        in_order = sorted(embedded.items())  # so that no two wait for each other
        blobs = ((e.vector.tobytes(), None if e.sentences is None else e.sentences.tobytes()) for _, e in in_order)
        self._database.many(_INSERT, ((key, *blob) for (key, _), blob in zip(in_order, blobs, strict=True)))

    def assign(self, keys: Mapping[str, str]) -> None:
        """Gives passages, by id, the embeddings of these keys."""
        rows = ((key, id) for id, key in keys.items())
        self._database.many("UPDATE passages SET embedding = ?, indexed = 0 WHERE id = ?", rows)

    def readable(self) -> Iterator[dict[str, Embedded]]:
        """The embeddings by key, in parts, without those parts that are damaged. Only of a catalog in a file."""
        try:
            last = int(self._database.value("SELECT max(rowid) FROM embeddings") or 0)
        except DamagedError:
            return
        for first in range(0, last + 1, _PART):
            try:
                rows = self._database.rows(_PART_OF_ALL, [first, first + _PART - 1])
            except DamagedError:
                continue
            dimensions = self.dimensions
            found = {row["key"]: sound(row, dimensions) for row in rows}
            yield {key: embedded for key, embedded in found.items() if embedded}

    def damaged(self) -> list[str]:
        """The keys of passages' embeddings that are gone, not of finite numbers, or not of length 1; reads all."""
        found, last = [row[0] for row in self._database.rows(_DANGLING)], ""
        dimensions = self.dimensions
        while rows := self._database.rows(_PART_BY_KEY, [last, _PART]):
            found += [row["key"] for row in rows if sound(row, dimensions) is None]
            last = rows[-1]["key"]
        return found

    def forget(self, keys: Collection[str]) -> None:
        """Removes embeddings, so that their passages are embedded again."""
        among = [listed(keys)]
        self._database.rows(f"UPDATE passages SET embedding = NULL, indexed = 0 WHERE embedding {LISTED}", among)
        self._database.rows(f"DELETE FROM embeddings WHERE key {LISTED}", among)

    def missing(self, limit: int) -> list[str]:
        """Passages that have no embedding, and that nobody else has claimed."""
        sql = f"SELECT id FROM passages WHERE embedding IS NULL ORDER BY number LIMIT ? {self._database.claim}"
        return [row[0] for row in self._database.rows(sql, [limit])]

    def prune(self) -> None:
        """Forgets the embeddings that no passage has."""
        self._database.rows(f"DELETE FROM embeddings WHERE {_UNUSED}")

    def waiting(self, limit: int) -> list[PendingVector]:
        """Passages that the vector index has yet to take; what is damaged of them has to be embedded anew."""
        while rows := self._database.rows(_WAITING, [limit]):
            dimensions = self.dimensions
            found = [(row["id"], sound(row, dimensions)) for row in rows]
            if kept := [PendingVector(id, embedded.vector) for id, embedded in found if embedded]:
                return kept
            self.forget({row["key"] for row in rows})
        return []

    def waiting_ids(self) -> list[str]:
        """All passages that the vector index has yet to take."""
        rows = self._database.rows("SELECT id FROM passages WHERE indexed = 0 AND embedding IS NOT NULL")
        return [row[0] for row in rows]

    def set_indexed(self, ids: Collection[str]) -> None:
        """Records that the vector index has taken these."""
        self._database.many("UPDATE passages SET indexed = 1 WHERE id = ?", ((id,) for id in ids))

    def set_unindexed(self) -> None:
        """Records that the vector index is empty."""
        self._database.rows("UPDATE passages SET indexed = 0")
        self._database.rows("DELETE FROM deletions")

    def has_changes(self) -> bool:
        """Whether the vector index has yet to take or to drop something, or may be damaged."""
        return bool(self.index_version % 2 or self._database.rows(_WAITING, [1]) or self.deletions())

    @property
    def dimensions(self) -> int | None:
        """How many numbers each vector has; None before the first one."""
        return model.dimensions if (model := self.model) else None

    def _sound(self, rows: Sequence[Row]) -> Vectors:
        """Sorted here: a database that is to give them in the order of their ids reads all of them by id."""
        dimensions = self.dimensions
        size = 4 * dimensions if dimensions else None
        whole = sorted((row for row in rows if _is_blob(row["vector"], size)), key=lambda row: str(row["id"]))
        matrix = np.frombuffer(b"".join(row["vector"] for row in whole), np.float32)
        if not whole:
            return Vectors((), matrix)
        matrix = matrix.reshape(len(whole), -1)
        are_unit = _are_unit(matrix)
        if damaged := len(rows) - int(are_unit.sum()):
            _log.warning("%d vectors are damaged and are not searched; run `rag reindex`", damaged)
            whole, matrix = list(compress(whole, are_unit)), matrix[are_unit]
        return Vectors(tuple(row["id"] for row in whole), matrix)

    def deletions(self) -> list[str]:
        """Passages that are gone, which the vector index may still have."""
        return [row[0] for row in self._database.rows("SELECT id FROM deletions ORDER BY id")]

    def set_deleted(self, ids: Collection[str]) -> None:
        """Records that the vector index does not have these any more."""
        self._database.many("DELETE FROM deletions WHERE id = ?", ((id,) for id in ids))


def embedding_key(model: ModelIdentity, text: HeadedText) -> str:
    """The same for the same text under the same header by the same model."""
    return hashlib.sha256("\0".join((model.digest, text.header, text.text)).encode("utf-8", "replace")).hexdigest()


def stored(row: Row, article: Article, events: tuple[EventDate, ...], dimensions: int | None) -> StoredPassage:
    """The passage of a row, with its embedding; raises DamagedError if it is not in the text of the article."""
    start, stop = row["start"], row["stop"]
    try:
        passage = Passage(row["id"], article.id, start, stop, article.text[start:stop])
    except (TypeError, ValueError) as error:
        raise misplaced(str(error), article.id) from error
    embedded = sound(row, dimensions)
    vector, sentences = (embedded.vector, embedded.sentences) if embedded else (None, None)
    return StoredPassage(passage, vector, sentences, events)


def sound(row: Row, dimensions: int | None) -> Embedded | None:
    """The embedding of a row; None if there is none, or if it is not of finite numbers and of length 1.

    Vectors of sentences that are damaged make all of it damaged.
    """
    blob, of_sentences = row["vector"], row["sentences"]
    if not _is_blob(blob, 4 * dimensions if dimensions else None):
        return None
    vector, matrix = np.frombuffer(blob, np.float32), None
    if of_sentences is not None:
        if not isinstance(of_sentences, bytes) or len(of_sentences) % (2 * len(vector)):
            return None
        matrix = np.frombuffer(of_sentences, np.float16).reshape(-1, len(vector))
    embedded = Embedded(vector, matrix)
    return embedded if _is_sound(embedded) else None


def _is_blob(value: object, size: int | None) -> bool:
    return isinstance(value, bytes) and bool(value) and (len(value) == size if size else len(value) % 4 == 0)


def _is_sound(embedded: Embedded) -> bool:
    sentences = embedded.sentences
    return bool(_are_unit(embedded.vector[np.newaxis]).all() and (sentences is None or _are_unit(sentences).all()))


def _are_unit(matrix: NDArray[Any]) -> NDArray[np.bool_]:
    """Which rows are of finite numbers and of length 1."""
    rows = matrix.astype(np.float32, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        are_unit: NDArray[np.bool_] = (
            np.abs(np.einsum("ij,ij->i", rows, rows) - 1) < _UNIT
        )  # false of what is no number
    return are_unit
