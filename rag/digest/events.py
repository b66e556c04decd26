"""Gathers the sentences of articles into events and weighs them as news."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from rag.digest.days import Chronology, When
from rag.digest.excerpts import Excerpt, Pool, is_leading
from rag.digest.extractive import Budget, Content, content, repeats
from rag.models.embeddings import Embedder, Vector
from rag.text.words import content_words

_REDUNDANT, _REDUNDANT_APART, _AGAIN = 0.7, 0.5, 0.35
"""How much less an event counts for being like another of its day, or of another day; the weight of a further one of an
article."""
_ALIKE, _SAME_THING, _WORDS_SHARED, _HEADED = 0.9, 0.7, 0.4, 0.5
"""Cosines that make two sentences one event, alone and with a share of words; the cosine with a headline about it."""
_APART = 1
"""Days between two sentences of one event, if one of them does not give its day."""
_OF_HEADLINES, _NOT_LEADING, _OF_FACTS = 0.5, 0.45, 0.2
"""The weights of headlines and of a sentence that begins no article; the power of the weight of its facts."""


@dataclass(frozen=True, slots=True, eq=False)
class Happening:
    """Sentences that report one event, by their places in a pool, the best-formed first; its day and its weight."""

    places: tuple[int, ...]
    when: When | None
    weight: float


def happenings(pool: Pool, days: Chronology, titles: Vector | None) -> list[Happening]:
    """The events that a pool reports, the one of most weight first.

    Sentences are one event if they are alike and of the same day. An event weighs more the more reports and headlines
    are about it (as in the ranking of clusters of Gholipour Ghalandari and Ifrim 2020).
    """
    if not pool.excerpts:
        return []
    headings = _headings(pool, titles)
    found = [_happening(places, pool, days, float(headings[places].max())) for places in _groups(pool, days)]
    return sorted(found, key=lambda h: (-h.weight, h.places))


def title_vectors(pool: Pool, embeddings: Embedder | None) -> Vector | None:
    """The unit vectors of the headlines of a pool's articles, in their order."""
    if not embeddings or not pool.embedded or not pool.articles:
        return None
    found = np.array(embeddings.embed_documents([a.title for a in pool.articles]), np.float32)
    norms: Vector = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(1e-9))
    return norms


def _groups(pool: Pool, days: Chronology) -> list[list[int]]:
    """The places of sentences that report one event; the best-formed of each draws in what is like it."""
    cosines = pool.vectors @ pool.vectors.T
    stems = [frozenset(content_words(excerpt.sentence)) for excerpt in pool.excerpts]
    order = sorted(range(len(stems)), key=lambda i: _form(pool.excerpts[i], days.whens[i]), reverse=True)
    left = set(order)
    found: list[list[int]] = []
    for leader in order:
        if leader not in left:
            continue
        near = [i for i in np.flatnonzero(cosines[leader] >= _SAME_THING).tolist() if i in left and i != leader]
        near = [i for i in near if _is_of_its_days(leader, i, pool, days)]
        same = [i for i in near if cosines[leader, i] >= _ALIKE or _overlap(stems[leader], stems[i]) >= _WORDS_SHARED]
        found.append([leader, *same])
        left.difference_update(found[-1])
    return found


def _is_of_its_days(one: int, other: int, pool: Pool, days: Chronology) -> bool:
    """Whether two sentences of different articles may be of one day; those of one article must repeat each other."""
    if pool.excerpts[one].article.id == pool.excerpts[other].article.id:
        return repeats(one, other, pool)
    first, second = (next(iter(days.whens[place]), None) for place in (one, other))
    if first is None or second is None:
        return True
    return abs((first.date - second.date).days) <= (0 if first.stated and second.stated else _APART)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (min(len(one), len(other)) or 1)


def _form(excerpt: Excerpt, whens: Sequence[When]) -> tuple[float, str, int]:
    """How well a sentence tells an event: it begins its article, gives the day, is clear alone, and is not long."""
    own = content(excerpt)
    stated = bool(whens) and whens[0].stated
    found = own.clarity + is_leading(excerpt) + 0.5 * stated - max(0, own.length - 25) / 25
    return round(found, 3), str(excerpt.article.published or ""), -excerpt.own


def _headings(pool: Pool, titles: Vector | None) -> Vector:
    """For each sentence how many headlines of articles are about it, those of its own article included."""
    if titles is None:
        return np.ones(len(pool.excerpts), np.float32)
    found: Vector = np.maximum(0, pool.vectors @ titles.T - np.float32(_HEADED)).sum(axis=1) / np.float32(1 - _HEADED)
    return found


def _happening(places: Sequence[int], pool: Pool, days: Chronology, headings: float) -> Happening:
    reports = len({pool.excerpts[i].article.id for i in places})
    own = content(pool.excerpts[places[0]])
    weight = (1 + math.log(1 + reports)) * (1 + _OF_HEADLINES * math.log1p(headings))
    weight *= (own.clarity * sum(own.facts.values()) / (8 + own.length)) ** _OF_FACTS
    found = Happening(tuple(places), next(iter(days.whens[places[0]]), None), weight)
    return found if begins(found, pool) else replace(found, weight=weight * _NOT_LEADING)


def begins(happening: Happening, pool: Pool) -> bool:
    """Whether an article begins with it."""
    return any(is_leading(pool.excerpts[place]) for place in happening.places)


def chosen(found: Sequence[Happening], pool: Pool, room: Budget, *, taken: Sequence[Content] = ()) -> list[Happening]:
    """The events of most weight that fit; none repeats another or what is `taken`.

    One counts for less if it is like another, above all one of its day (maximal marginal relevance, Carbonell and
    Goldstein 1998), or if its article has one already.
    """
    picked, words = list[Happening](), room.words
    left = [h for h in found if not _repeats_any(pool, h, taken)]
    while len(picked) < room.most and (left := [h for h in left if _shown(h, pool).length <= words]):
        best = max(left, key=lambda h: (h.weight * _freshness(h, picked, pool), -h.places[0]))
        picked.append(best)
        words -= _shown(best, pool).length
        left = [h for h in left if h is not best and not repeats(h.places[0], best.places[0], pool)]
    return picked


def _freshness(happening: Happening, picked: Sequence[Happening], pool: Pool) -> float:
    """How much an event adds to those already chosen: 1 if it is like none of them."""
    place = happening.places[0]
    like = [float(pool.vectors[place] @ pool.vectors[h.places[0]]) * _redundancy(happening, h) for h in picked]
    is_further = any(pool.excerpts[h.places[0]].article.id == pool.excerpts[place].article.id for h in picked)
    return float((1 - max(like, default=0.0)) * (_AGAIN if is_further else 1))


def _redundancy(one: Happening, other: Happening) -> float:
    is_apart = one.when and other.when and abs((one.when.date - other.when.date).days) > _APART
    return _REDUNDANT_APART if is_apart else _REDUNDANT


def _shown(happening: Happening, pool: Pool) -> Content:
    return content(pool.excerpts[happening.places[0]])


def _repeats_any(pool: Pool, happening: Happening, taken: Sequence[Content]) -> bool:
    return any(_shown(happening, pool).repeats(other) for other in taken)


def ordered(found: Sequence[Happening]) -> list[Happening]:
    """Events in order of time; what has no date comes last."""
    return sorted(found, key=lambda h: (h.when is None, h.when.date if h.when else date.min, h.places))
