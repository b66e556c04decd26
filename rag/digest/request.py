"""What is to be summarized, what a library gives to it, and the sentences and topic that these have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.checks import verify
from rag.checks.judge import Judge
from rag.digest.excerpts import Pool, of_articles, of_hits, of_window
from rag.digest.extractive import BUDGETS, Budget
from rag.digest.generative import Model
from rag.digest.sections import headings
from rag.digest.topic import Topic
from rag.errors import InputError
from rag.models.client import Account
from rag.models.embeddings import Embedder
from rag.models.injection import left_out
from rag.models.reader import Entailment
from rag.retrieval.retriever import Searcher
from rag.schema import Article, Hit, Length, Statement, Window
from rag.store.catalog import Catalog
from rag.text.clean import clean
from rag.text.words import content_words

MOST_PASSAGES = 80
"""How many passages are read on a topic."""
_OUTDATED = "sentences are weighed by words only, since an earlier version embedded some; run `rag reindex`"


@dataclass(frozen=True, slots=True)
class Request:
    """What to summarize: articles, or all if there are none; on a topic; in how much room; within a window.

    `hits` are the passages retrieved for the topic, and `names` the names in it; `sections` are the headings asked for.
    """

    articles: tuple[Article, ...]
    topic: str | None
    room: Budget
    window: Window
    hits: tuple[Hit, ...] = ()
    names: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resources:
    """What a library gives to a request: its articles, its models, and the account of the request."""

    catalog: Catalog
    embeddings: Embedder | None
    entailment: Entailment | None
    judge: Judge | None
    model: Model | None
    account: Account

    def check(self, statement: Statement) -> Statement:
        """The statement with its verdict by what it cites."""
        return verify.verify(statement, statement.citations, entailment=self.entailment)

    def judged(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """The statements, those that are open with the verdict of the judge, if there is one."""
        if not self.judge:
            return tuple(statements)
        with self.account.clock.time("judge"):
            return self.judge.judged(statements, self.account)


def requested(  # noqa: PLR0913  # each is a choice of its own
    searcher: Searcher,
    articles: Sequence[str | Article],
    topic: str | None,
    *,
    room: Budget,
    window: Window,
    sections: Sequence[str] = (),
) -> Request:
    """The request for articles, each given or by its id, with the passages nearest to a topic if there are none.

    Raises EmptyLibraryError for none of an empty library.
    """
    if not articles:
        searcher.check_filled()
    named = tuple(a if isinstance(a, Article) else searcher.index.catalog.article(a) for a in articles)
    request = Request(named, topic and clean(topic), room, window, sections=headings(sections))
    if not request.topic or named or not content_words(request.topic):
        return request
    query = searcher.query(request.topic, window)
    hits = searcher.find(query, k=MOST_PASSAGES, window=window).hits[:MOST_PASSAGES]
    return replace(request, hits=hits, names=tuple(query.names))


def room(length: Length, words: int | None) -> Budget:
    """The room of a length, or that of so many words; raises InputError if nothing fits into them."""
    if words is None:
        return BUDGETS[Length(length)]
    if words < 1:
        raise InputError(f"words is {words}; wanted at least 1, such as 120")
    return Budget(words, max(3, words // 10))


def gathered(request: Request, resources: Resources) -> tuple[Pool, Topic | None]:
    """The sentences of a request, and its topic; the account is warned of what was left out."""
    with resources.account.clock.time("gather"):
        pool, topic = _pool(request, resources), request.topic
        found = None if topic is None else embedded(topic, request.names, resources)
    warn(resources.account, pool)
    return pool, found


def _pool(request: Request, resources: Resources) -> Pool:
    """The sentences of the articles named, of the passages on the topic, or of all that the window admits."""
    catalog, topic = resources.catalog, request.topic
    if topic is not None and not content_words(topic):
        raise InputError(f"the topic {topic[:40]!r} has no words in it; name one, such as elections")
    if request.articles:
        return of_articles(catalog, resources.embeddings, request.articles, request.window)
    return of_window(catalog, request.window) if topic is None else of_hits(catalog, request.hits)


def embedded(text: str, names: Sequence[str], resources: Resources) -> Topic:
    """A topic with its vector and the stems of the names in it."""
    embeddings = resources.embeddings
    vector = np.array(embeddings.embed_query(text), np.float32) if embeddings else None
    return Topic(text, frozenset(stem for name in names for stem in content_words(name)), vector)


def warn(account: Account, *pools: Pool) -> None:
    """Tells the account what of the pools was left out, and whether their vectors are outdated."""
    if any(pool.outdated for pool in pools):
        account.warn(_OUTDATED)
    for warning in left_out(article for pool in pools for article in pool.left_out):
        account.warn(warning)
