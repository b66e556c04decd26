"""Puts the events that sentences date in order of time."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from rag.embeddings import Vector
from rag.excerpts import Excerpt, Pool
from rag.moments import Moment, moments
from rag.periods import Period
from rag.schema import Event, Precision, Published
from rag.selection import Told, repeats, told
from rag.summarization import Check, corroborated, priority, ranked, shortlist, stated
from rag.topics import Topic, related

MOST_EVENTS = 10
# What may hold a date; to look closer at every sentence takes longer.
_DATED = re.compile(
    r"(?:19|20)\d\d|\b(?:today|tonight|yesterday|tomorrow|ago)\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b(?!s)|"
    r"\b(?:last|next|this) (?:day|week|month|year|morning|afternoon|evening)\b|"
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b",
    re.IGNORECASE,
)
_AHEAD = re.compile(
    r"\b(?:will|shall|won[’']t|going to|scheduled|set to|due to (?:meet|be|start|begin|end)|plans? to|expected to|"
    r"is to|are to|next|coming|upcoming|tomorrow)\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"\b(?:since|until|till|before|after|beyond|prior to|than|from)(?: the| early| late| mid)?\W*$", re.IGNORECASE
)
# Without a year it is the name of the attacks of 2001.
_ATTACKS = re.compile(r"September (?:the )?11(?:th)?|11(?:th)?(?: of)? September|9/11", re.IGNORECASE)
_UNSTATED, _COARSE, _AGAIN, _SALIENT = 0.5, 0.5, 0.6, 0.4
_MOST_UNDATED, _LEAD = 2000, 1200
"""Sentences; characters. Of more sentences than that, only those at the start of an article go by its own date."""


@dataclass(frozen=True, slots=True)
class _When:
    """A date, how much of it is known, and whether the sentence gives it."""

    date: date
    precision: Precision
    stated: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Dated:
    """The place of an excerpt in its pool, and when what it tells happened."""

    place: int
    when: _When


def chronicle(pool: Pool, topic: Topic | None, check: Check, *, most: int) -> list[Event]:
    """The `most` most important events, earliest first, each with a statement that was checked.

    An event has the date that its sentence gives, a relative one worked out from the day of publication; else that day.
    A date counts for more the more sentences and articles refer to it (Kessler et al. 2012; Tran et al. 2015), a
    sentence by LexRank and what it tells. What repeats an event of the same date is cited by it instead.
    """
    dated = list(_dated(pool, topic))
    if not dated:
        return []
    near = pool.only([d.place for d in dated])
    whens = [d.when for d in dated]
    scores = _scores(near, whens, topic)
    chosen = _chosen(near, whens, scores, most)
    events = [_event(near, whens, place, rank, check) for rank, place in enumerate(chosen, start=1)]
    return sorted(events, key=lambda e: (e.date, e.precision is Precision.DAY, e.rank))


def _dated(pool: Pool, topic: Topic | None) -> Iterator[_Dated]:
    """What may become an event."""
    prior = priority(pool, topic)
    places: Sequence[int] = related(prior) if topic else range(len(prior))
    few = len(places) <= _MOST_UNDATED
    found = {}
    for place in places:
        excerpt = pool.excerpts[place]
        when = _stated(excerpt) or (_published(excerpt) if few or excerpt.own <= _LEAD else None)
        if when:
            found[place] = when
    weights = np.array([prior[i] + (1.0 if i in found and found[i].stated else 0.0) for i in range(len(prior))])
    for place in shortlist(sorted(found), weights.astype(np.float32)):
        yield _Dated(place, found[place])


def _stated(excerpt: Excerpt) -> _When | None:
    """The first day that the sentence itself gives, else its first longer period."""
    text = excerpt.sentence
    if not _DATED.search(text):
        return None
    read = moments(text, _day(excerpt.article.published))
    found = [m for m in read if not (_BEFORE.search(text[: m.start]) or _ATTACKS.fullmatch(m.text))]
    whens = [when for moment in found if (when := _when(moment, text))]
    return min(whens, key=lambda when: when.precision is not Precision.DAY, default=None)


def _when(moment: Moment, text: str) -> _When | None:
    """Of a weekday that is past or to come, the one that the tense tells."""
    if not moment.periods or moment.periods[0].first.year < 1900:  # a date whose year nothing tells
        return None
    ahead = len(moment.periods) > 1 and _AHEAD.search(text) and moment.text.lower().startswith(_WEEKDAYS)
    return _known(moment.periods[-1 if ahead else 0])


_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _known(period: Period) -> _When | None:
    """The day, month or year that a period is, or lies in."""
    first, last = period.first, period.last
    if first == last:
        return _When(first, Precision.DAY, True)
    if (first.year, first.month) == (last.year, last.month):
        return _When(first.replace(day=1), Precision.MONTH, True)
    if first.year == last.year:
        return _When(date(first.year, 1, 1), Precision.YEAR, True)
    return None


def _published(excerpt: Excerpt) -> _When | None:
    published = excerpt.article.published
    if not published:
        return None
    precision = Precision.DAY if published.precision is Precision.TIME else published.precision
    return _When(published.day, precision, False)


def _day(published: Published | None) -> date | None:
    known = published and published.precision in (Precision.DAY, Precision.TIME)
    return published.day if published and known else None


def _scores(pool: Pool, whens: Sequence[_When], topic: Topic | None) -> Vector:
    """How important each is as an event."""
    base = ranked(pool, topic)
    referring = Counter(when.date for when in whens)
    articles: dict[date, set[str]] = defaultdict(set)
    for excerpt, when in zip(pool.excerpts, whens, strict=True):
        articles[when.date].add(excerpt.article.id)
    weights = [
        (1.0 if when.stated else _UNSTATED)
        * (1.0 if when.precision is Precision.DAY else _COARSE)
        * (1 + _SALIENT * math.log(referring[when.date] + len(articles[when.date])))
        for when in whens
    ]
    told_ = [_weight(told(excerpt)) for excerpt in pool.excerpts]
    found: Vector = base * np.array(weights, np.float32) * np.array(told_, np.float32)
    return found


def _weight(saying: Told) -> float:
    return saying.clarity * sum(saying.facts.values()) / (8 + saying.length)


def _chosen(pool: Pool, whens: Sequence[_When], scores: Vector, most: int) -> list[int]:
    """The best event of each date first; one more of a date that has some already counts for less."""
    saying = [told(excerpt) for excerpt in pool.excerpts]
    chosen: list[int] = []
    of_date: Counter[date] = Counter()
    left = set(range(len(saying)))
    while left and len(chosen) < most:
        best = max(left, key=lambda i: (float(scores[i]) * _AGAIN ** of_date[whens[i].date], -i))
        left.discard(best)
        if not any(repeats(best, other, pool, saying) for other in chosen):
            chosen.append(best)
            of_date[whens[best].date] += 1
    return chosen


def _event(pool: Pool, whens: Sequence[_When], place: int, rank: int, check: Check) -> Event:
    when = whens[place]
    statement = stated(pool.excerpts[place], check)
    same = [i for i, other in enumerate(whens) if other.date == when.date]
    statement = corroborated(statement, pool, place, check, among=same)
    return Event(when.date, when.precision, replace(statement), when.stated, rank)
