"""Puts the events that sentences date in order of time."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from rag.digest.centrality import lexrank, scaled, similarities
from rag.digest.day_relevance import day_relevance
from rag.digest.excerpts import Excerpt, Pool
from rag.digest.extractive import Check, corroborated, shortlist, stated
from rag.digest.select import WORD, Told, lead, repeats, told
from rag.digest.topic import Topic, related
from rag.models.embeddings import Vector
from rag.schema import Event, Precision, Published, Span
from rag.text.calendar import Period
from rag.text.relative_dates import EventDate, event_dates, moments

MOST_EVENTS = 10
# What may hold a date; to look closer at every sentence takes longer.
_DATED = re.compile(
    r"(?:19|20)\d\d|\b(?:today|tonight|yesterday|tomorrow|ago|earlier|later)\b|"
    r"\b(?:(?:next|same|following|previous|that) day|day before)\b|"
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b(?!s)|"
    r"\b(?:last|next|this) (?:day|week|month|year|morning|afternoon|evening)\b|"
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\b(?:earlier|later|before|after|day)\b", re.IGNORECASE)
_SINCE = re.compile(
    r"\b(?:since|until|till|before|after|beyond|prior to|than|from)(?: the| early| late| mid)?\W*$", re.IGNORECASE
)
# Without a year it is the name of the attacks of 2001.
_ATTACKS = re.compile(r"September (?:the )?11(?:th)?|11(?:th)?(?: of)? September|9/11", re.IGNORECASE)
_UNSTATED, _COARSE, _AGAIN, _SALIENT = 0.4, 0.5, 0.5, 1.0
_FIRST_YEAR, _FRESH = 1900, 6
_SECOND, _PLANNED, _TELLING = 0.7, 0.6, 0.5
"""How much less counts what is dated by its second day, or was still to come; the power of how much it tells."""
_ALIKE, _OPENING, _ABOUT = 0.8, 0.1, 3.0
"""The weights of LexRank and of where a sentence stands; the power of how much it is about the topic."""
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
    """The place of an excerpt in its pool, when what it tells happened, and all days that it refers to."""

    place: int
    when: _When
    refers: frozenset[date]
    is_first: bool = True


def chronicle(
    pool: Pool, topic: Topic | None, check: Check, *, most: int, admits: Callable[[date], bool] = lambda _: True
) -> list[Event]:
    """The `most` most important events of the days admitted, earliest first, each with a statement that was checked.

    An event has the date that its sentence gives, a relative one worked out from the day of publication; else that day.
    A date counts for more the more sentences and articles refer to it, those of other days above all (Kessler et al.
    2012; Tran et al. 2015; Ghalandari and Ifrim 2020), a sentence by LexRank and what it tells. What repeats an event
    of the same date is cited by it instead.
    """
    read = [[d for d in row if admits(d.when.date)] for row in _read(pool, topic)]
    prior = day_relevance(pool, topic, [{d.when.date for d in row} for row in read]) if topic else lead(pool)
    dated = list(_likely(read, prior, topic))
    if not dated:
        return []
    places = [d.place for d in dated]
    near = pool.only(places)
    whens = [d.when for d in dated]
    scores = _scores(near, dated, prior[places], topic)
    chosen = _chosen(near, whens, scores, most)
    events = [_event(near, whens, place, rank, check) for rank, place in enumerate(chosen, start=1)]
    return sorted(events, key=lambda e: (e.date, e.precision is Precision.DAY, e.rank))


def days_of(excerpt: Excerpt) -> list[date]:
    """The days that a sentence itself gives for what it tells."""
    return [when.date for when in _stated(list(_moments(excerpt))) if when.precision is Precision.DAY]


def _read(pool: Pool, topic: Topic | None) -> list[list[_Dated]]:
    """What each excerpt may become an event of."""
    few = topic is not None or len(pool.excerpts) <= _MOST_UNDATED
    return [list(_dated(place, excerpt, few)) for place, excerpt in enumerate(pool.excerpts)]


def _dated(place: int, excerpt: Excerpt, few: bool) -> Iterator[_Dated]:
    named = list(_moments(excerpt))
    undated = _published(excerpt) if (few or excerpt.own <= _LEAD) and _tells(excerpt) else None
    whens = _newest_first(_stated(named), excerpt) or ([undated] if undated else [])
    days = frozenset(m.period.first for m in named if m.period.first == m.period.last)
    for when in whens:
        yield _Dated(place, when, days | {when.date}, when is whens[0])


def _likely(read: Sequence[Sequence[_Dated]], prior: Vector, topic: Topic | None) -> Iterator[_Dated]:
    """What is about the topic, and of too much that whose date is stated first."""
    places = related(prior) if topic else range(len(prior))
    weights = [prior[i] + (1.0 if any(d.when.stated for d in row) else 0.0) for i, row in enumerate(read)]
    for place in shortlist([i for i in places if read[i]], np.array(weights, np.float32)):
        yield from read[place]


@dataclass(frozen=True, slots=True)
class _Moment:
    """A period that a sentence names, and whether what it tells may have happened then."""

    period: Period
    own: bool


def _moments(excerpt: Excerpt) -> Iterator[_Moment]:
    """The periods that a sentence names, a relative one as the sentences around it tell."""
    text = excerpt.article.text[excerpt.own : excerpt.span.end]
    if not _DATED.search(text):
        return
    relative = _relative(excerpt, text)
    found = [(d.start, d.end, d.period) for d in relative if not d.about]
    taken = [(d.start, d.end) for d in relative]
    for moment in moments(text, _day(excerpt.article.published)):
        known = moment.periods and moment.periods[0].first.year >= _FIRST_YEAR  # else nothing tells the year
        if known and not any(moment.start < end and start < moment.end for start, end in taken):
            found.append((moment.start, moment.end, moment.periods[0]))
    for start, end, period in sorted(found):
        yield _Moment(period, not (_SINCE.search(text[:start]) or _ATTACKS.fullmatch(text[start:end])))


def _relative(excerpt: Excerpt, text: str) -> list[EventDate]:
    """The relative dates by their places in the sentence; what is before it is read only if one counts from there."""
    published, own = excerpt.article.published, excerpt.own
    if not _COUNTED.search(text):
        return list(event_dates(text, Span(0, len(text)), published))
    found = event_dates(excerpt.article.text, Span(own, excerpt.span.end), published)
    return [replace(one, start=one.start - own, end=one.end - own) for one in found]


def _stated(found: Sequence[_Moment]) -> list[_When]:
    """The days that the sentence itself gives, the first one first, else its first longer period."""
    whens = list(dict.fromkeys(when for moment in found if moment.own and (when := _known(moment.period))))
    return [when for when in whens if when.precision is Precision.DAY] or whens[:1]


def _newest_first(whens: list[_When], excerpt: Excerpt) -> list[_When]:
    """The days, the one that is news first: what was admitted on Friday of a day three weeks before is of Friday."""
    published = _day(excerpt.article.published)
    fresh = [when for when in whens if published and abs((published - when.date).days) <= _FRESH]
    return [*fresh, *(when for when in whens if when not in fresh)]


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


def _tells(excerpt: Excerpt) -> bool:
    """Whether it has a name or a number: "The evacuation went on during the day" is no event."""
    return any(weight > WORD for weight in told(excerpt).facts.values())


def _day(published: Published | None) -> date | None:
    known = published and published.precision in (Precision.DAY, Precision.TIME)
    return published.day if published and known else None


def _scores(pool: Pool, dated: Sequence[_Dated], prior: Vector, topic: Topic | None) -> Vector:
    """How important each is as an event."""
    base = _central(pool, prior)
    if topic:
        base = base * scaled(prior) ** _ABOUT
    salient = _salience(pool, dated)
    weights = [
        (1.0 if d.when.stated else _UNSTATED)
        * (1.0 if d.when.precision is Precision.DAY else _COARSE)
        * (1.0 if d.is_first else _SECOND)
        * (_PLANNED if _is_ahead(d.when, excerpt) else 1.0)
        * salient[d.when.date]
        for d, excerpt in zip(dated, pool.excerpts, strict=True)
    ]
    told_ = [_weight(told(excerpt)) ** _TELLING for excerpt in pool.excerpts]
    found: Vector = base * np.array(weights, np.float32) * np.array(told_, np.float32)
    return found


def _central(pool: Pool, prior: Vector) -> Vector:
    """How much others tell of it: LexRank in which the sentences of its own article, if there are more, say nothing."""
    ids = np.array([excerpt.article.id for excerpt in pool.excerpts])
    similar = similarities(pool.vectors)
    if len(set(ids)) > 1:
        similar[ids[:, None] == ids[None, :]] = 0
    ranks = lexrank(similar, prior)
    found: Vector = (1 - _ALIKE - _OPENING + _ALIKE * ranks + _OPENING * lead(pool)).astype(np.float32)
    return found


def _is_ahead(when: _When, excerpt: Excerpt) -> bool:
    published = excerpt.article.published
    return published is not None and when.date > published.last_day


def _salience(pool: Pool, dated: Sequence[_Dated]) -> dict[date, float]:
    """How important each date is, by the sentences and the articles that refer to it."""
    referring: Counter[date] = Counter()
    articles: dict[date, set[str]] = defaultdict(set)
    for excerpt, one in zip(pool.excerpts, dated, strict=True):
        for day in one.refers:
            referring[day] += 1
            articles[day].add(excerpt.article.id)
    return {day: 1 + _SALIENT * math.log(referring[day] + len(articles[day])) for day in referring}


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
