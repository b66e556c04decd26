"""Rebuilds a damaged catalog from what can still be read of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from rag.errors import DamagedError
from rag.ingest.pipeline import cut
from rag.models.embeddings import Embedder
from rag.progress import Meter
from rag.schema import Article
from rag.store.catalog import Catalog, PreparedArticle
from rag.store.embedding_table import StoredModel

_BATCH = 100  # articles


def mend(catalog: Catalog, path: Path, embeddings: Embedder | None, *, meter: Meter, wait: float) -> Path | None:
    """Replaces a damaged catalog by a sound one; returns where the damaged one is kept, None if nothing was damaged.

    The given one is closed then. Raises DamagedError if it cannot be made anew; a server's never is.
    """
    try:
        catalog.check()
    except DamagedError:
        if catalog.is_shared:
            raise
        with catalog.alone("articles", wait=wait, on_wait=meter.say):
            meter.say("making the damaged catalog anew")
            catalog.close()
            return _remade(path, embeddings)
    return None


def _remade(path: Path, embeddings: Embedder | None) -> Path:
    """Puts a sound catalog in the place of a damaged one; returns where that is kept.

    All articles and their revisions must be readable, and be what they were; all else is made from them, except for
    their places and the embeddings, of which what can be read is taken. Raises DamagedError, and changes nothing, if
    that is not so.
    """
    made, kept = path.with_name(f"{path.name}.new"), path.with_name(f"{path.name}.damaged")
    _discard(made)
    damaged = Catalog(path)
    try:
        sound = Catalog(made)
        try:
            _copy(damaged, sound, embeddings)
        finally:
            sound.close()
    except DamagedError:
        _discard(made)
        raise
    finally:
        damaged.close()
    _keep(path, kept)
    made.replace(path)
    return kept


def _copy(damaged: Catalog, sound: Catalog, embeddings: Embedder | None) -> None:
    editions = damaged.editions()
    while batch := list(islice(editions, _BATCH)):
        places = _places(damaged, batch)
        placed = (replace(article, place=places.get(article.id)) for article in batch)
        sound.save([_prepared(damaged, article, embeddings) for article in placed], {})
    if model := _model(damaged):
        sound.embedded.set_model(model)
        for embedded in damaged.embedded.readable():
            sound.embedded.insert(embedded)


def _prepared(damaged: Catalog, article: Article, embeddings: Embedder | None) -> PreparedArticle:
    (found,) = cut([damaged.unchanged(article)], embeddings)
    return PreparedArticle(article, found.passages, (None,) * len(found.passages))


def _places(damaged: Catalog, articles: Sequence[Article]) -> dict[str, str]:
    """Where articles were read; without that, one that has changed there is taken for another."""
    try:
        return damaged.places.of(article.id for article in articles)
    except DamagedError:
        return {}


def _model(damaged: Catalog) -> StoredModel | None:
    """Which model the embeddings are of; without that they cannot be used."""
    try:
        return damaged.embedded.model
    except DamagedError:
        return None


def _keep(path: Path, kept: Path) -> None:
    """The damaged file under another name, with its log, which must not be taken for that of the new one."""
    kept.unlink(missing_ok=True)
    try:
        os.link(path, kept)
    except OSError:
        shutil.copyfile(path, kept)
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        log.replace(kept.with_name(f"{kept.name}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)


def _discard(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(f"{path.name}{end}").unlink(missing_ok=True)
