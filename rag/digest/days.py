"""Finds the days of what sentences report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rag.digest.excerpts import Excerpt, Pool
from rag.schema import Precision, Span
from rag.text.calendar import Period
from rag.text.relative_dates import event_dates, moments

_SINCE = re.compile(
    r"\b(?:since|until|till|before|after|beyond|prior to|than|from|"
    r"(?:into|over|about|against) (?:(?:an?|the|its|his|her|their) )?[\w-]+ of)(?: the| early| late| mid)?\W*$",
    re.IGNORECASE,
)
"""What stands before the day of something else: "the inquiry into the notice of 20 May"."""
_FIRST_YEAR, _FRESH, _HISTORY = 1900, 6, 60
"""The first year that is read; days about publication that are news; days before it that are history."""


@dataclass(frozen=True, slots=True)
class When:
    """A date, how much of it is known, and whether the sentence gives it."""

    date: date
    precision: Precision
    stated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Chronology:
    """The days of each sentence of a pool on which something happened."""

    whens: Sequence[Sequence[When]]
    past: Sequence[bool]
    """Whether all that a sentence refers to is long past."""


def chronology(pool: Pool) -> Chronology:
    """The days of the sentences; one that gives none has that of what its article reports first."""
    first: dict[str, When] = {}
    whens: list[Sequence[When]] = []
    past: list[bool] = []
    for excerpt in pool.excerpts:
        periods = periods_of(excerpt)
        found = stated_whens(excerpt, periods)
        fresh = [when for when in found if is_fresh(when, excerpt)]
        if excerpt.article.id not in first and (known := fresh[:1] or published_whens(excerpt)):
            first[excerpt.article.id] = known[0]
        inherited = first.get(excerpt.article.id)
        unstated = [When(inherited.date, inherited.precision, False)] if inherited else []
        whens.append(found or unstated)
        past.append(bool(periods) and all(is_long_past(period, excerpt) for period in periods.values()))
    return Chronology(whens, past)


def days_of(excerpt: Excerpt) -> list[date]:
    """The days that a sentence itself gives for what it reports."""
    return [when.date for when in stated_whens(excerpt, periods_of(excerpt)) if when.precision is Precision.DAY]


def is_long_past(period: Period, excerpt: Excerpt) -> bool:
    """Whether a period ended long before the publication."""
    published = excerpt.article.published
    return published is not None and (published.day - period.last).days > _HISTORY


def is_fresh(when: When, excerpt: Excerpt) -> bool:
    """Whether it is a day of about the publication."""
    published = excerpt.article.known_day
    return when.precision is Precision.DAY and (published is None or abs((published - when.date).days) <= _FRESH)


def published_whens(excerpt: Excerpt) -> list[When]:
    """The day, month or year of publication, which the sentence does not give; none if it is not known."""
    published = excerpt.article.published
    if not published:
        return []
    precision = Precision.DAY if published.precision is Precision.TIME else published.precision
    return [When(published.day, precision, False)]


def periods_of(excerpt: Excerpt) -> dict[int, Period]:
    """The periods that a sentence names, by where in the article; a relative one as the sentences around it say."""
    article, own, end = excerpt.article, excerpt.own, excerpt.end
    relative = event_dates(article.text, Span(own, end), article.published)
    found = {d.start: d.period for d in relative if not d.about}
    for moment in moments(article.text[own:end], article.known_day):
        start, stop = own + moment.start, own + moment.end
        # a weekday that is not among `relative` can be two days; of other days the year may not be known
        known = len(moment.periods) == 1 and moment.periods[0].first.year >= _FIRST_YEAR
        if known and not any(start < d.end and d.start < stop for d in relative):
            found[start] = moment.periods[0]
    return dict(sorted(found.items()))


def stated_whens(excerpt: Excerpt, periods: Mapping[int, Period]) -> list[When]:
    """The days on which a sentence says that something happened, else its first longer period.

    Of several days those in the week of publication come first: they are the news. Beside a day that was, one to come
    is not when it happened: "the court on Friday halted the election of 24 May".
    """
    text = excerpt.article.text
    known = [p for start, p in periods.items() if not _SINCE.search(text[excerpt.own : start])]
    whens = list(dict.fromkeys(when for period in known if (when := _known(period))))
    days = [when for when in whens if when.precision is Precision.DAY]
    published = excerpt.article.known_day
    days = [when for when in days if published and when.date <= published] or days
    return sorted(days, key=lambda when: not is_fresh(when, excerpt)) or whens[:1]


def _known(period: Period) -> When | None:
    """The day, month or year that a period is, or is part of."""
    first, last = period.first, period.last
    if first == last:
        return When(first, Precision.DAY, True)
    if (first.year, first.month) == (last.year, last.month):
        return When(first.replace(day=1), Precision.MONTH, True)
    return When(date(first.year, 1, 1), Precision.YEAR, True) if first.year == last.year else None
