"""Gathers what a summary or a timeline may be made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rag.digest.excerpts import Pool, gather
from rag.ingest.pipeline import cut
from rag.models.embeddings import Embedder, embed_passages
from rag.schema import Article, Hit, Window
from rag.store.catalog import Catalog, StoredPassage
from rag.store.filters import admits


def of_window(catalog: Catalog, window: Window) -> Pool:
    """All sentences of the articles that a window admits."""
    return of_passages(catalog, catalog.admitted(window))


def of_articles(catalog: Catalog, embeddings: Embedder | None, articles: Sequence[Article], window: Window) -> Pool:
    """The sentences of those of the articles that a window admits; an article that is not stored is embedded here."""
    admitted = [article for article in articles if admits(window, article)]
    rows = [row for article in admitted for row in _stored(catalog, article) or _read(embeddings, article)]
    return gather(rows, {article.id: article for article in admitted})


def of_hits(catalog: Catalog, hits: Iterable[Hit]) -> Pool:
    """The sentences of retrieved passages."""
    found = sorted((hit.passage for hit in hits), key=lambda p: (p.article_id, p.start))
    return of_passages(catalog, [passage.id for passage in found])


def of_passages(catalog: Catalog, ids: Sequence[str]) -> Pool:
    """The sentences of passages, in the order of their ids, which is that of reading."""
    with catalog.snapshot():
        rows = catalog.passages(ids)
        articles = catalog.articles(row.passage.article_id for row in rows)
    return gather(rows, {article.id: article for article in articles})


def _stored(catalog: Catalog, article: Article) -> list[StoredPassage]:
    with catalog.snapshot():
        known = catalog.articles([article.id])
        return catalog.passages(catalog.passage_ids(article.id)) if known == [article] else []


def _read(embeddings: Embedder | None, article: Article) -> list[StoredPassage]:
    (read,) = cut([article], embeddings)
    if not embeddings:
        return [StoredPassage(passage, None, None) for passage in read.passages]
    found = embed_passages(embeddings, list(read.texts))
    return [StoredPassage(p, e.vector, e.sentences) for p, e in zip(read.passages, found, strict=True)]
