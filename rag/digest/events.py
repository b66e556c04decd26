"""Gathers the sentences of articles into events and weighs them as news."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from rag.digest.excerpts import Excerpt, Pool
from rag.digest.extractive import content, repeats
from rag.models.embeddings import Embedder, Vector
from rag.retrieval.near_duplicates import clusters
from rag.schema import Precision, Published, Span
from rag.text.calendar import Period
from rag.text.relative_dates import event_dates, moments
from rag.text.words import content_words

_SINCE = re.compile(
    r"\b(?:since|until|till|before|after|beyond|prior to|than|from)(?: the| early| late| mid)?\W*$", re.IGNORECASE
)
_FIRST_YEAR, _FRESH, _HISTORY = 1900, 6, 60
"""The first year that is read; days about publication that are news; days before it that are history."""
_ALIKE, _SAME_THING, _WORDS_SHARED, _HEADED = 0.9, 0.7, 0.4, 0.5
"""Cosines that make two sentences one event, alone and with a share of words; the cosine with a headline about it."""
_LATER, _ABOUT_IT = 1, 0.3
"""Days after an event from which a mention is a later one; the cosine that a mention of its day must have."""
_COPY, _OF_HEADLINES, _OF_MENTIONS, _NOT_LEADING = 0.5, 0.5, 0.5, 0.45
_NEWS = (
    "Ten people were killed in an attack on Sunday, officials said.",
    "Fighters took the town in the morning.",
    "The president resigned and left the country.",
    "They won the match 2-1 with a goal in the last minute.",
    "Rescuers found two survivors in the ruins.",
    "The government denied the report.",
    "The court ordered a new trial.",
    "The company will cut 500 jobs.",
    "Thousands of people demonstrated in front of parliament.",
    "The number of dead rose to 200.",
    "The two sides agreed to meet again.",
    "Police arrested three men.",
)
_BACKGROUND = (
    "It lies 80 kilometres south of the capital, on the road to the coast.",
    "The city has 300,000 inhabitants and is the largest of the region.",
    "He was born in a village in the south in 1960.",
    "The company was founded in 1990 and makes furniture.",
    "She has headed the agency since 2010.",
    "She studied medicine at a university abroad.",
    "The club won the title four times, most recently in 1998.",
    "The river forms the border between the two countries.",
    "The building is a former hotel.",
    "The town is known for its wine and its old churches.",
    "The port handles a third of the country's trade.",
    "He owns a shop and has three children.",
)


@dataclass(frozen=True, slots=True)
class When:
    """A date, how much of it is known, and whether the sentence gives it."""

    date: date
    precision: Precision
    stated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Happening:
    """Sentences that report one event, by their places in a pool, the best-formed first; its day and its weight."""

    places: tuple[int, ...]
    when: When | None
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Chronology:
    """The days of each sentence of a pool: on which something happened, and all that it refers to."""

    whens: Sequence[Sequence[When]]
    refers: Sequence[frozenset[date]]

    def day(self, place: int) -> date | None:
        """The day of what a sentence reports, as far as it is known."""
        return self.whens[place][0].date if self.whens[place] else None


def chronology(pool: Pool) -> Chronology:
    """The days of the sentences; one that gives none has that of what its article reports first."""
    first: dict[str, When] = {}
    whens: list[Sequence[When]] = []
    refers: list[frozenset[date]] = []
    for excerpt in pool.excerpts:
        periods = _periods(excerpt)
        found = _stated(excerpt, periods)
        fresh = [when for when in found if _is_fresh(when, excerpt)]
        if excerpt.article.id not in first and (known := fresh[:1] or _published(excerpt)):
            first[excerpt.article.id] = known[0]
        inherited = first.get(excerpt.article.id)
        unstated = [When(inherited.date, inherited.precision, False)] if inherited else []
        whens.append(found or unstated)
        days = frozenset(period.first for period in periods.values() if period.first == period.last)
        refers.append(days | {when.date for when in found})
    return Chronology(whens, refers)


def days_of(excerpt: Excerpt) -> list[date]:
    """The days that a sentence itself gives for what it reports."""
    return [when.date for when in _stated(excerpt, _periods(excerpt)) if when.precision is Precision.DAY]


def happenings(pool: Pool, days: Chronology, titles: Vector | None, given: Vector | None = None) -> list[Happening]:
    """The events that a pool reports, the one of most weight first, or by the weights `given` to its sentences.

    Sentences are one event if they are alike and of about the same days. An event weighs more the more independent
    reports and headlines are about it (as in the ranking of clusters of Gholipour Ghalandari and Ifrim 2020), and the
    more days of publication later refer back to its day (date-wise ranking of Tran et al. 2015, DATEWISE).
    """
    if not pool.excerpts:
        return []
    groups = _groups(pool, days)
    origin = {a.id: copies[0].id for copies in clusters(pool.articles) for a in copies}
    headings = _headings(pool, titles)
    found = [_happening(places, pool, days, origin=origin, headings=headings) for places in groups]
    return sorted(found, key=lambda h: (-h.weight, h.places))


def is_background(pool: Pool, days: Chronology, embeddings: Embedder | None) -> list[bool]:
    """Which sentences are no news: what is told behind the first sentence of days long past, or of none.

    What gives no day is compared with sentences of both kinds, against the mean of its article.
    """
    scores = np.zeros(len(pool.excerpts), np.float32)
    if embeddings and pool.embedded and pool.excerpts:
        probe = _probe(embeddings)
        scores = pool.vectors @ probe
    by_article: dict[str, list[float]] = defaultdict(list)
    for excerpt, score in zip(pool.excerpts, scores.tolist(), strict=True):
        by_article[excerpt.article.id].append(score)
    means = {id: float(np.mean(values)) for id, values in by_article.items()}
    found: list[bool] = []
    for place, excerpt in enumerate(pool.excerpts):
        stated = [when for when in days.whens[place] if when.stated]
        is_old = bool(days.refers[place]) and all(_is_old(day, excerpt) for day in days.refers[place])
        likely = not stated and float(scores[place]) - means[excerpt.article.id] > _LIKELY
        found.append(excerpt.own > 0 and (is_old or likely))
    return found


_LIKELY = 0.12


def title_vectors(pool: Pool, embeddings: Embedder | None) -> Vector | None:
    """The unit vectors of the headlines of a pool's articles, in their order."""
    if not embeddings or not pool.embedded or not pool.articles:
        return None
    found = np.array(embeddings.embed_documents([a.title for a in pool.articles]), np.float32)
    norms: Vector = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(1e-9))
    return norms


def is_leading(excerpt: Excerpt) -> bool:
    """Whether it is the first sentence of its article."""
    return excerpt.own == 0 or not excerpt.article.text[: excerpt.own].strip()


@cache
def _probe(embeddings: Embedder) -> Vector:
    """The direction from news to background."""
    news, background = (np.array(embeddings.embed_documents(list(texts))) for texts in (_NEWS, _BACKGROUND))
    found: Vector = (background.mean(axis=0) - news.mean(axis=0)).astype(np.float32)
    return found


def _is_old(day: date, excerpt: Excerpt) -> bool:
    published = excerpt.article.published
    return published is not None and (published.day - day).days > _HISTORY


def _is_fresh(when: When, excerpt: Excerpt) -> bool:
    published = _day(excerpt.article.published)
    return when.precision is Precision.DAY and (published is None or abs((published - when.date).days) <= _FRESH)


def _published(excerpt: Excerpt) -> list[When]:
    published = excerpt.article.published
    if not published:
        return []
    precision = Precision.DAY if published.precision is Precision.TIME else published.precision
    return [When(published.day, precision, False)]


def _periods(excerpt: Excerpt) -> dict[int, Period]:
    """The periods that a sentence names, by where in the article; a relative one as the sentences around it say."""
    article, own, end = excerpt.article, excerpt.own, excerpt.span.end
    relative = event_dates(article.text, Span(own, end), article.published)
    found = {d.start: d.period for d in relative if not d.about}
    for moment in moments(article.text[own:end], _day(article.published)):
        start, stop = own + moment.start, own + moment.end
        known = moment.periods and moment.periods[0].first.year >= _FIRST_YEAR  # else the year is not known
        if known and not any(start < d.end and d.start < stop for d in relative):
            found[start] = moment.periods[0]
    return dict(sorted(found.items()))


def _stated(excerpt: Excerpt, periods: dict[int, Period]) -> list[When]:
    """The days on which a sentence says that something happened, else its first longer period.

    Of several days those in the week of publication come first: they are the news.
    """
    text = excerpt.article.text
    known = [p for start, p in periods.items() if not _SINCE.search(text[excerpt.own : start])]
    whens = list(dict.fromkeys(when for period in known if (when := _known(period))))
    days = [when for when in whens if when.precision is Precision.DAY]
    return sorted(days, key=lambda when: not _is_fresh(when, excerpt)) or whens[:1]


def _known(period: Period) -> When | None:
    """The day, month or year that a period is, or is part of."""
    first, last = period.first, period.last
    if first == last:
        return When(first, Precision.DAY, True)
    if (first.year, first.month) == (last.year, last.month):
        return When(first.replace(day=1), Precision.MONTH, True)
    return When(date(first.year, 1, 1), Precision.YEAR, True) if first.year == last.year else None


def _day(published: Published | None) -> date | None:
    known = published and published.precision in (Precision.DAY, Precision.TIME)
    return published.day if published and known else None


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
        same = [i for i in near if _is_same(leader, i, pool, days, float(cosines[leader, i]), stems)]
        found.append([leader, *same])
        left.difference_update(found[-1])
    return found


def _is_same(one: int, other: int, pool: Pool, days: Chronology, cosine: float, stems: Sequence[frozenset[str]]) -> bool:
    if pool.excerpts[one].article.id == pool.excerpts[other].article.id:
        return repeats(one, other, pool)
    first, second = days.day(one), days.day(other)
    if first and second and abs((first - second).days) > _LATER:
        return False
    shared = len(stems[one] & stems[other]) / (min(len(stems[one]), len(stems[other])) or 1)
    return cosine >= _ALIKE or shared >= _WORDS_SHARED


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


def _happening(
    places: Sequence[int], pool: Pool, days: Chronology, *, origin: dict[str, str], headings: Vector
) -> Happening:
    articles = {pool.excerpts[i].article.id for i in places}
    origins = {origin.get(id, id) for id in articles}
    reach = len(origins) + _COPY * (len(articles) - len(origins))
    when = next(iter(days.whens[places[0]]), None)
    mentions = _mentions(places[0], when, pool, days)
    weight = 1 + math.log(1 + reach)
    weight *= 1 + _OF_HEADLINES * math.log1p(float(headings[list(places)].max()))
    weight *= 1 + _OF_MENTIONS * math.log1p(mentions)
    leading = any(is_leading(pool.excerpts[i]) for i in places)
    return Happening(tuple(places), when, weight * (1.0 if leading else _NOT_LEADING))


def _mentions(leader: int, when: When | None, pool: Pool, days: Chronology) -> int:
    """On how many later days articles that are about it refer to its day."""
    if when is None or when.precision is not Precision.DAY:
        return 0
    near = pool.vectors @ pool.vectors[leader]
    later: set[date] = set()
    for place, referred in enumerate(days.refers):
        published = _day(pool.excerpts[place].article.published)
        if published and when.date in referred and (published - when.date).days > _LATER and near[place] >= _ABOUT_IT:
            later.add(published)
    return len(later)


def salience(pool: Pool, days: Chronology) -> dict[date, float]:
    """How many sentences and articles refer to each day."""
    sentences: Counter[date] = Counter()
    articles: dict[date, set[str]] = defaultdict(set)
    for excerpt, referred in zip(pool.excerpts, days.refers, strict=True):
        for day in referred:
            sentences[day] += 1
            articles[day].add(excerpt.article.id)
    return {day: math.log(1 + sentences[day] + len(articles[day])) for day in sentences}


def ordered(found: Sequence[Happening]) -> Iterator[Happening]:
    """Events in order of time; what has no date comes last."""
    yield from sorted(found, key=lambda h: (h.when is None, h.when.date if h.when else date.min, h.places))
