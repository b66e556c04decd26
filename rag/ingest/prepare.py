"""Prepares loaded articles for the catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from rag.ingest.chunk import Count, chunk
from rag.models.embeddings import (
    WINDOW,
    Embedded,
    Embedder,
    HeadedText,
    OnBatch,
    count_tokens,
    embed_passages,
    identity,
)
from rag.schema import AddReport, Article, Failure, Passage
from rag.store.catalog import Catalog, Draft
from rag.store.embedding_table import embedding_key

_BATCH_CHARACTERS = 500_000  # about 512 passages: enough to sort by length, little enough to lose or to hold
_BATCH_ARTICLES = 512
_LONGEST_HEADER, _SMALLEST_BUDGET = 96, 128  # tokens


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of what is loaded."""

    articles: tuple[Article, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """The articles of a batch that are new or differ, in their order, with their final ids and revisions."""

    articles: tuple[Article, ...]
    report: AddReport


@dataclass(frozen=True, slots=True)
class Cut:
    """An article in passages; `texts[i]` is what is embedded of `passages[i]`."""

    article: Article
    passages: tuple[Passage, ...]
    texts: tuple[HeadedText, ...]


def batches(loaded: Iterable[Article | Failure]) -> Iterator[Batch]:
    """What is loaded, in parts that fit into memory."""
    articles: list[Article] = []
    failures: list[Failure] = []
    for item in loaded:
        if isinstance(item, Failure):
            failures.append(item)
            continue
        articles.append(item)
        if len(articles) >= _BATCH_ARTICLES or sum(len(a.text) for a in articles) >= _BATCH_CHARACTERS:
            yield Batch(tuple(articles), tuple(failures))
            articles, failures = [], []
    if articles or failures:
        yield Batch(tuple(articles), tuple(failures))


def deduplicate(catalog: Catalog, articles: Iterable[Article], earlier: Collection[str]) -> Changes:
    """Tells what is new, what is a new revision, and what is there already.

    The same id is the same article. So is the same URL, unless the other one came in this same run, which `earlier` has
    the ids of: some outlets give all of their articles one URL. The same text under another id is a duplicate.
    """
    pending: dict[str, Article] = {}
    changed: list[Article] = []
    kinds: Counter[str] = Counter()
    for article in articles:
        like = [*(a for a in catalog.like(article) if a.id not in pending), *pending.values()]
        found = _found(article, like, {*earlier, *pending})
        kinds[found.kind] += 1
        if found.kind in ("added", "updated"):
            pending[found.article.id] = found.article
            changed.append(found.article)
    report = AddReport(kinds["added"], kinds["updated"], kinds["unchanged"], kinds["duplicates"])
    return Changes(tuple(changed), report)


def cut(articles: Iterable[Article], embeddings: Embedder | None) -> list[Cut]:
    """Cuts articles into passages that fit, under their header, into the window of the embedding model."""
    return [_cut(article, partial(count_tokens, embeddings)) for article in articles]


def embed(
    catalog: Catalog, embeddings: Embedder, texts: Iterable[HeadedText], on_batch: OnBatch
) -> dict[str, Embedded]:
    """The embeddings, by key, of those texts that the catalog has none of."""
    keyed = {embedding_key(identity(embeddings), text): text for text in texts}
    known = catalog.embedded.known(keyed)
    missing = {key: text for key, text in keyed.items() if key not in known}
    on_batch(len(keyed) - len(missing))
    found = embed_passages(embeddings, list(missing.values()), on_batch) if missing else []
    return dict(zip(missing, found, strict=True))


def draft(article: Cut, catalog: Catalog, embeddings: Embedder | None) -> Draft:
    """What the catalog saves; a passage that it has no embedding for gets none."""
    keys = [embedding_key(identity(embeddings), text) for text in article.texts] if embeddings else []
    known = catalog.embedded.known(keys)
    found = (key if key in known else None for key in keys or [""] * len(article.passages))
    return Draft(article.article, article.passages, tuple(found))


def unembedded(catalog: Catalog, embeddings: Embedder, ids: Sequence[str]) -> dict[str, HeadedText]:
    """What is to be embedded of stored passages, by their ids."""
    stored = [row.passage for row in catalog.passages(ids)]
    articles = {article.id: article for article in catalog.articles(p.article_id for p in stored)}
    count = partial(count_tokens, embeddings)
    headers = {id: _header(article, count) for id, article in articles.items()}
    return {p.id: HeadedText(headers[p.article_id], p.text) for p in stored}


@dataclass(frozen=True, slots=True)
class _Found:
    kind: Literal["added", "updated", "unchanged", "duplicates"]
    article: Article


def _found(article: Article, like: Sequence[Article], earlier: Collection[str]) -> _Found:
    known = next((a for a in like if a.id == article.id), None) or next(
        (a for a in like if article.url and a.url == article.url and a.id not in earlier), None
    )
    if known:
        same = replace(article, id=known.id, revision=known.revision)
        if same == known:
            return _Found("unchanged", known)
        return _Found("updated", replace(same, revision=known.revision + 1))
    if any(a.sha256 == article.sha256 for a in like):
        return _Found("duplicates", article)
    return _Found("added", replace(article, revision=1))


def _cut(article: Article, count: Count) -> Cut:
    top = _header(article, count)
    budget = max(_SMALLEST_BUDGET, WINDOW - 2 - count([top])[0])
    passages = tuple(chunk(article, count, budget=budget))
    return Cut(article, passages, tuple(HeadedText(top, p.text) for p in passages))


def _header(article: Article, count: Count) -> str:
    """The header of its passages, cut if it would take too much of the window."""
    top = article.header
    while count([top])[0] > _LONGEST_HEADER:
        top = top[: len(top) * 9 // 10].rstrip()
    return top
