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
from rag.digest.extractive import Budget, Content, content, repeats
from rag.models.embeddings import Embedder, Vector
from rag.retrieval.near_duplicates import clusters
from rag.schema import Precision, Published, Span
from rag.text.calendar import Period
from rag.text.relative_dates import event_dates, moments
from rag.text.words import content_words

_SINCE = re.compile(
    r"\b(?:since|until|till|before|after|beyond|prior to|than|from)(?: the| early| late| mid)?\W*$", re.IGNORECASE
)
_REDUNDANCY = 0.7
_FIRST_YEAR, _FRESH, _HISTORY = 1900, 6, 60
"""The first year that is read; days about publication that are news; days before it that are history."""
_ALIKE, _SAME_THING, _WORDS_SHARED, _HEADED = 0.9, 0.7, 0.4, 0.5
"""Cosines that make two sentences one event, alone and with a share of words; the cosine with a headline about it."""
_LATER, _ABOUT_IT = 1, 0.3
"""Days after an event from which a mention is a later one; the cosine that a mention of its day must have."""
_COPY, _OF_HEADLINES, _OF_MENTIONS, _NOT_LEADING, _OF_FACTS = 0.5, 0.5, 0.5, 0.45, 0.25
"""The weights of a copy of a report, of headlines, of later mentions and of a sentence that begins no article; the
power of the weight of its facts."""
_NEWS = (
    "The president resigned and left the country.",
    "The minister said that the talks would go on next week.",
    "Ten people were killed in an attack on Sunday, officials said.",
    "Fighters took the town in the morning.",
    "The court ordered a new trial.",
    "They won the match 2-1 with a goal in the last minute.",
    "Rescuers found two survivors in the ruins.",
    "The government denied the report.",
    "The company will cut 500 jobs.",
    "A group claimed the attack.",
    "Thousands of people demonstrated in front of parliament.",
    "The first aircraft with aid landed in the evening.",
    "She told reporters that nobody had been hurt.",
    "The central bank raised its rate.",
    "Police arrested three men.",
    "He was elected chairman with 55 percent of the votes.",
    "The number of dead rose to 200.",
    "The two sides agreed to meet again.",
)
_BACKGROUND = (
    "It lies 80 kilometres south of the capital, on the road to the coast.",
    "The city has 300,000 inhabitants and is the largest of the region.",
    "He was born in a village in the south in 1960.",
    "The company was founded in 1990 and makes furniture.",
    "She has headed the agency since 2010.",
    "She studied medicine at a university abroad.",
    "The club won the title four times, most recently in 1998.",
    "The bridge was opened in 2001 and paid for by donors.",
    "The law dates from the 1970s.",
    "The river forms the border between the two countries.",
    "The building is a former hotel.",
    "The town is known for its wine and its old churches.",
    "The country became independent after the war.",
    "The port handles a third of the country's trade.",
    "The programme is called New Start.",
    "He won a prize for his first book in 2012.",
    "The last flood of this size was in 1954.",
    "He owns a shop and has three children.",
)
_NEAREST, _LEAST = 3, -0.05
"""How many sentences of each kind count, and how much nearer to background a sentence may be to be news."""


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
    past: Sequence[bool]
    """Whether all that a sentence refers to is long past."""

    def day(self, place: int) -> date | None:
        """The day of what a sentence reports, as far as it is known."""
        return self.whens[place][0].date if self.whens[place] else None


def chronology(pool: Pool) -> Chronology:
    """The days of the sentences; one that gives none has that of what its article reports first."""
    first: dict[str, When] = {}
    whens: list[Sequence[When]] = []
    refers: list[frozenset[date]] = []
    past: list[bool] = []
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
        past.append(bool(periods) and all(_is_long_past(period, excerpt) for period in periods.values()))
    return Chronology(whens, refers, past)


def days_of(excerpt: Excerpt) -> list[date]:
    """The days that a sentence itself gives for what it reports."""
    return [when.date for when in _stated(excerpt, _periods(excerpt)) if when.precision is Precision.DAY]


def happenings(pool: Pool, days: Chronology, titles: Vector | None) -> list[Happening]:
    """The events that a pool reports, the one of most weight first.

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


def without_background(
    found: Sequence[Happening], pool: Pool, days: Chronology, embeddings: Embedder | None
) -> list[Happening]:
    """The events without those that are no news: what stands behind the first sentence, of days long past or of none.

    What gives no day is embedded by itself and compared with sentences of both kinds, by the mean cosine of the
    nearest of each. On 36 sentences of background and 85 of news in two corpora that finds 35, and 3 wrongly; the
    sentences of both kinds are of no corpus.
    """
    behind = [h for h in found if not is_leading(pool.excerpts[h.places[0]])]
    behind = [h for h in behind if not _tells_a_fresh_day(pool.excerpts[h.places[0]], days.whens[h.places[0]])]
    left_out = {h.places for h in behind if days.past[h.places[0]]}
    undated = [h for h in behind if h.places not in left_out]
    if embeddings and pool.embedded and undated:
        vectors = np.array(embeddings.embed_documents([pool.excerpts[h.places[0]].sentence for h in undated]))
        left_out |= {h.places for h, score in zip(undated, _leaning(vectors, embeddings), strict=True) if score > _LEAST}
    return [h for h in found if h.places not in left_out]


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


def _leaning(vectors: Vector, embeddings: Embedder) -> Vector:
    """How much nearer sentences are to background than to news."""
    news, background = _kinds(embeddings)
    nearest = [np.sort(vectors @ kind.T, axis=1)[:, -_NEAREST:].mean(axis=1) for kind in (background, news)]
    found: Vector = (nearest[0] - nearest[1]).astype(np.float32)
    return found


@cache
def _kinds(embeddings: Embedder) -> tuple[Vector, Vector]:
    """The vectors of sentences of news and of background."""
    news, background = (np.array(embeddings.embed_documents(list(texts)), np.float32) for texts in (_NEWS, _BACKGROUND))
    return news, background


def _is_long_past(period: Period, excerpt: Excerpt) -> bool:
    published = excerpt.article.published
    return published is not None and (published.day - period.last).days > _HISTORY


def _tells_a_fresh_day(excerpt: Excerpt, whens: Sequence[When]) -> bool:
    return any(when.stated and _is_fresh(when, excerpt) for when in whens)


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
    own = content(pool.excerpts[places[0]])
    weight *= (own.clarity * sum(own.facts.values()) / (8 + own.length)) ** _OF_FACTS
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


def chosen(
    found: Sequence[Happening], pool: Pool, room: Budget, *, taken: Sequence[Content] = ()
) -> list[Happening]:
    """The events of most weight that fit, the first first; none is told twice, and one like another counts for less."""
    picked: list[Happening] = []
    words, left = room.words, [h for h in found if not _repeats_any(pool, h, taken)]
    similar = np.zeros(len(pool.excerpts), np.float32)
    while left and len(picked) < room.most:
        left = [h for h in left if content(pool.excerpts[h.places[0]]).length <= words]
        if not left:
            break
        best = max(left, key=lambda h: (h.weight * (1 - _REDUNDANCY * float(similar[h.places[0]])), -h.places[0]))
        picked.append(best)
        own = pool.vectors @ pool.vectors[best.places[0]]
        similar = np.maximum(similar, np.maximum(0, own))
        words -= content(pool.excerpts[best.places[0]]).length
        left = [h for h in left if h is not best and not repeats(h.places[0], best.places[0], pool)]
    return picked


def _repeats_any(pool: Pool, happening: Happening, taken: Sequence[Content]) -> bool:
    own = content(pool.excerpts[happening.places[0]])
    return any(own.repeats(other) for other in taken)


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
