"""Reads the events of a pool, of all that is news or of a topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.digest.background import without_background
from rag.digest.days import chronology
from rag.digest.events import Happening, begins, chosen, happenings, ordered, title_vectors
from rag.digest.excerpts import Pool, lexical_vectors
from rag.digest.extractive import Budget, Check, Content, corroborated, stated
from rag.digest.topic import Topic, related, relevance, shares
from rag.models.embeddings import Embedder, Vector
from rag.schema import Statement

_RELATED, _LEADING, _ABOUT, _NEWS = 0.55, 0.35, 3.0, 0.7
"""The share of the highest relevance that an event must have, and one that begins an article; the powers of its
relevance and its weight as news."""
_NAMED, _LINKED, _DIMENSIONS = 0.5, 0.12, 2**14
"""The share of a topic's words, and the cosine with an article on it, of what is beside it;
enough dimensions for the words of articles to have one each."""
_MOST_WEIGHED = 200
"""How many events, of most weight, may be found to be background."""


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """The events that a pool reports, the one of most weight first; the vectors of the headlines, if there are any.

    `further` has what is beside a topic.
    """

    pool: Pool
    events: Sequence[Happening]
    titles: Vector | None = None
    further: Sequence[Happening] = ()


def news(pool: Pool, topic: Topic | None, embeddings: Embedder | None) -> News:
    """The events of a pool that are news, on a topic if there is one; the first of all is never background."""
    days, titles = chronology(pool), title_vectors(pool, embeddings)
    found, further = happenings(pool, days, titles), list[Happening]()
    if topic:
        found, others = _split(found, relevance(pool, topic, titles), pool)
        further = without_background(_beside(others, found, pool, topic)[:_MOST_WEIGHED], pool, days, embeddings)
    others = without_background(found[1:_MOST_WEIGHED], pool, days, embeddings)
    return News(pool, [*found[:1], *others], titles, further)


def told(found: News, room: Budget, check: Check, *, taken: Sequence[Content] = ()) -> list[Statement]:
    """The events of most weight that fit: the first of all first, the others in order of time."""
    picked = chosen([*found.events, *found.further], found.pool, room, taken=taken)
    rows = [*picked[:1], *ordered(picked[1:])]
    return [statement_of(happening, found.pool, check) for happening in rows]


def statement_of(happening: Happening, pool: Pool, check: Check) -> Statement:
    """The best-formed sentence of an event, with the articles that confirm it."""
    place = happening.places[0]
    return corroborated(stated(pool.excerpts[place], check), pool, place, check)


def _split(found: Sequence[Happening], near: Vector, pool: Pool) -> tuple[list[Happening], list[Happening]]:
    """The events that are about a topic, and the others, each weighed by the best of its sentences."""
    best = np.array([near[list(h.places)].max() for h in found], np.float32).clip(min=0)
    share = (best / (float(best.max(initial=0)) or 1.0)).tolist()
    sure = frozenset(related(best, _RELATED))
    is_about = [i in sure or (share[i] >= _LEADING and begins(h, pool)) for i, h in enumerate(found)]
    weighed = [replace(h, weight=h.weight**_NEWS * share[i] ** _ABOUT) for i, h in enumerate(found)]
    order = sorted(range(len(weighed)), key=lambda i: (-weighed[i].weight, weighed[i].places))
    return [weighed[i] for i in order if is_about[i]], [weighed[i] for i in order if not is_about[i]]


def _beside(others: Sequence[Happening], about: Sequence[Happening], pool: Pool, topic: Topic) -> list[Happening]:
    """What has words of a topic, or begins an article that has many words of one that begins with the topic."""
    own = shares(pool, topic)
    rows = {article.id: row for row, article in enumerate(pool.articles)}
    row_of = [rows[excerpt.article.id] for excerpt in pool.excerpts]
    texts = lexical_vectors([f"{article.title}. {article.text}" for article in pool.articles], _DIMENSIONS)
    on = sorted({row_of[place] for h in about if begins(h, pool) for place in h.places})
    linked = (texts @ texts[on].T).max(axis=1, initial=0) >= _LINKED
    return [
        h
        for h in others
        if own[list(h.places)].max() >= _NAMED or (begins(h, pool) and linked[[row_of[i] for i in h.places]].any())
    ]
