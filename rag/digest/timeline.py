"""Puts the events that sentences date in order of time."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from rag.digest.days import When, periods_of, published_whens, stated_whens
from rag.digest.excerpts import Excerpt, Pool
from rag.digest.extractive import (
    WORD,
    Check,
    content,
    corroborated,
    lead,
    lexrank,
    repeats,
    scaled,
    shortlist,
    similarities,
    stated,
)
from rag.digest.topic import Topic, day_relevance, related
from rag.models.embeddings import Vector
from rag.schema import Event, Precision

_UNSTATED, _COARSE, _AGAIN, _SALIENT = 0.4, 0.5, 0.5, 1.0
"""The weights of a date that only the article has, of a month or year, of a further event of a date; of salience."""
_FACTS = 0.5
"""The power of the weight of facts."""
_ALIKE, _OPENING = 0.8, 0.1
"""The weights of LexRank and of the position in the article."""
_MOST_UNDATED, _LEAD = 2000, 1200
"""Sentences; characters. Of more sentences than that, only those at the start of an article go by its own date."""


@dataclass(frozen=True, slots=True, eq=False)
class _Dated:
    """An excerpt by its place in a pool, when what it reports happened, and all days that it refers to."""

    place: int
    when: When
    refers: frozenset[date]


def chronicle(
    pool: Pool, topic: Topic | None, check: Check, *, most: int, admits: Callable[[date], bool] = lambda _: True
) -> list[Event]:
    """The `most` most important events of the days admitted, earliest first, each with a statement that was checked.

    An event has the date that its sentence gives, a relative one worked out from the day of publication; else that day.
    A date counts for more the more sentences and articles refer to it (Kessler et al. 2012; Tran et al. 2015;
    Ghalandari and Ifrim 2020), a sentence by LexRank and its facts. What repeats an event of the same date is cited by
    it instead.
    """
    few = topic is not None or len(pool.excerpts) <= _MOST_UNDATED
    rows = [[d for d in _dated(place, e, few) if admits(d.when.date)] for place, e in enumerate(pool.excerpts)]
    prior = day_relevance(pool, topic, [{d.when.date for d in row} for row in rows]) if topic else lead(pool)
    dated = list(_likely(rows, prior, topic))
    if not dated:
        return []
    places = [d.place for d in dated]
    near, whens = pool.only(places), [d.when for d in dated]
    chosen = _chosen(near, whens, _scores(near, dated, prior[places], topic), most)
    events = [_event(near, whens, place, rank, check) for rank, place in enumerate(chosen, start=1)]
    return sorted(events, key=lambda e: (e.date, e.precision is Precision.DAY, e.rank))


def _dated(place: int, excerpt: Excerpt, few: bool) -> Iterator[_Dated]:
    """What an excerpt may become an event of."""
    is_read = (few or excerpt.own <= _LEAD) and _has_facts(excerpt)
    periods = periods_of(excerpt)
    whens = stated_whens(excerpt, periods) or (published_whens(excerpt) if is_read else [])
    days = frozenset(period.first for period in periods.values() if period.first == period.last)
    for when in whens:
        yield _Dated(place, when, days | {when.date})


def _likely(rows: Sequence[Sequence[_Dated]], prior: Vector, topic: Topic | None) -> Iterator[_Dated]:
    """What is about the topic; of too much, first what gives a date."""
    places = related(prior) if topic else range(len(prior))
    weights = [prior[i] + (1.0 if any(d.when.stated for d in row) else 0.0) for i, row in enumerate(rows)]
    for place in shortlist([i for i in places if rows[i]], np.array(weights, np.float32)):
        yield from rows[place]


def _has_facts(excerpt: Excerpt) -> bool:
    """Whether it has a name or a number: "The evacuation went on during the day" is no event."""
    return any(weight > WORD for weight in content(excerpt).facts.values())


def _scores(pool: Pool, dated: Sequence[_Dated], prior: Vector, topic: Topic | None) -> Vector:
    """How important each is as an event."""
    about = scaled(prior) if topic else np.float32(1)
    salient = _salience(pool, dated)
    rows = zip(dated, pool.excerpts, strict=True)
    weights = [_weight(d, excerpt) * salient[d.when.date] for d, excerpt in rows]
    found: Vector = _central(pool, prior) * about * np.array(weights, np.float32)
    return found


def _weight(dated: _Dated, excerpt: Excerpt) -> float:
    """The weight of an event by how its date is known and how many facts it has."""
    when, own = dated.when, content(excerpt)
    found = 1.0 if when.stated else _UNSTATED
    found *= 1.0 if when.precision is Precision.DAY else _COARSE
    return float(found * (own.clarity * sum(own.facts.values()) / (8 + own.length)) ** _FACTS)


def _central(pool: Pool, prior: Vector) -> Vector:
    """How much other articles report it: LexRank without the edges inside an article, if there are several."""
    ids = np.array([excerpt.article.id for excerpt in pool.excerpts])
    similar = similarities(pool.vectors)
    if len(set(ids)) > 1:
        similar[ids[:, None] == ids[None, :]] = 0
    found: Vector = 1 - _ALIKE - _OPENING + _ALIKE * lexrank(similar, prior) + _OPENING * lead(pool)
    return found


def _salience(pool: Pool, dated: Sequence[_Dated]) -> dict[date, float]:
    """How important each date is, by the sentences and the articles that refer to it."""
    sentences: Counter[date] = Counter()
    articles: dict[date, set[str]] = defaultdict(set)
    for excerpt, one in zip(pool.excerpts, dated, strict=True):
        for day in one.refers:
            sentences[day] += 1
            articles[day].add(excerpt.article.id)
    return {day: 1 + _SALIENT * math.log(sentences[day] + len(articles[day])) for day in sentences}


def _chosen(pool: Pool, whens: Sequence[When], scores: Vector, most: int) -> list[int]:
    """The best event of each date first; a further one of the same date counts for less."""
    chosen: list[int] = []
    of_date: Counter[date] = Counter()
    left = set(range(len(whens)))
    while left and len(chosen) < most:
        best = max(left, key=lambda i: (float(scores[i]) * _AGAIN ** of_date[whens[i].date], -i))
        left.discard(best)
        if not any(repeats(best, other, pool) for other in chosen):
            chosen.append(best)
            of_date[whens[best].date] += 1
    return chosen


def _event(pool: Pool, whens: Sequence[When], place: int, rank: int, check: Check) -> Event:
    when = whens[place]
    same = [i for i, other in enumerate(whens) if other.date == when.date]
    statement = corroborated(stated(pool.excerpts[place], check), pool, place, check, among=same)
    return Event(when.date, when.precision, statement, when.stated, rank)
