"""Reads the events of a pool, of all that is news or of a topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.digest.background import without_background
from rag.digest.days import chronology
from rag.digest.events import Happening, begins, chosen, happenings, ordered, title_vectors
from rag.digest.excerpts import Pool
from rag.digest.extractive import Budget, Check, Content, corroborated, stated
from rag.digest.topic import Topic, related, relevance
from rag.models.embeddings import Embedder, Vector
from rag.schema import Statement

_RELATED, _LEADING, _ABOUT, _NEWS = 0.55, 0.35, 3.0, 0.7
"""The share of the highest relevance that an event must have, and one that begins an article; the powers of its
relevance and its weight as news."""
_MOST_WEIGHED = 200
"""How many events, of most weight, may be found to be background."""


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """The events that a pool reports, the one of most weight first; the vectors of the headlines, if there are any."""

    pool: Pool
    events: Sequence[Happening]
    titles: Vector | None = None


def news(pool: Pool, topic: Topic | None, embeddings: Embedder | None) -> News:
    """The events of a pool that are news, on a topic if there is one; the first of all is never background."""
    days, titles = chronology(pool), title_vectors(pool, embeddings)
    found = happenings(pool, days, titles)
    if topic:
        found = _about(found, relevance(pool, topic, titles), pool)
    others = without_background(found[1:_MOST_WEIGHED], pool, days, embeddings)
    return News(pool, [*found[:1], *others], titles)


def told(found: News, room: Budget, check: Check, *, taken: Sequence[Content] = ()) -> list[Statement]:
    """The events of most weight that fit: the first of all first, the others in order of time."""
    picked = chosen(found.events, found.pool, room, taken=taken)
    rows = [*picked[:1], *ordered(picked[1:])]
    return [statement_of(happening, found.pool, check) for happening in rows]


def statement_of(happening: Happening, pool: Pool, check: Check) -> Statement:
    """The best-formed sentence of an event, with the articles that confirm it."""
    place = happening.places[0]
    return corroborated(stated(pool.excerpts[place], check), pool, place, check)


def _about(found: Sequence[Happening], near: Vector, pool: Pool) -> list[Happening]:
    """The events that are about a topic, each by the best of its sentences, weighed by that."""
    best = np.array([near[list(h.places)].max() for h in found], np.float32)
    shares = (best / (float(best.max(initial=0)) or 1.0)).tolist()
    sure = frozenset(related(best, _RELATED))
    kept = [i for i, h in enumerate(found) if i in sure or (shares[i] >= _LEADING and begins(h, pool))]
    weighed = (replace(found[i], weight=found[i].weight ** _NEWS * shares[i] ** _ABOUT) for i in kept)
    return sorted(weighed, key=lambda h: (-h.weight, h.places))
