"""Reads the dates of a text, relative ones too, against the day it was published."""

from __future__ import annotations

import re
from calendar import day_name, month_name, monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from rag.text.periods import Period, named, phrases

ANY_YEAR = 4
"""The year of a date whose year nothing tells; a leap year in the calendar that no article is from."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date phrase, characters `start` up to, not including, `end` of a text, with the periods that it can mean."""

    text: str
    start: int
    end: int
    periods: tuple[Period, ...]
    likely: Period | None = None
    """That of them which its sentence means, if that is known."""

    @property
    def meant(self) -> tuple[Period, ...]:
        """The likely period, else all that it can mean."""
        return (self.likely,) if self.likely else self.periods


_DAYS = {name.lower(): i for i, name in enumerate(day_name)}
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
_RELATIVE = re.compile(
    rf"\b(?:(?P<near>today|tonight|yesterday|tomorrow|this (?:morning|afternoon|evening))"
    rf"|(?:(?P<which>last|next|this|the past|past|coming) )?(?P<weekday>{'|'.join(_DAYS)})\b(?!s)"
    rf"|(?<!the )(?P<shift>last|next|this) (?P<unit>day|week|month|year)\b"
    rf"|(?P<part>beginning|start|middle|end) of (?:the|this) month"
    rf"|(?P<count>\d+|{'|'.join(_COUNTS)}) (?P<units>day|week|month|year)s? ago)\b",
    re.IGNORECASE,
)
_NEAR = {"yesterday": -1, "tomorrow": 1}
_SHIFTS = {"last": -1, "next": 1, "this": 0}


@lru_cache(maxsize=4096)
def moments(text: str, published: date | None = None) -> tuple[Moment, ...]:
    """The dates of a text in order. Without `published`, relative ones mean nothing, and have no periods."""
    years = range(published.year - 1, published.year + 2) if published else (ANY_YEAR,)
    found = [_absolute(match, tuple(named(match, years)), published) for match in phrases(text)]
    relative = [m for m in _RELATIVE.finditer(text) if not any(m.start() < f.end and f.start < m.end() for f in found)]
    found += [Moment(m[0], m.start(), m.end(), tuple(_meant(m, published))) for m in relative]
    return tuple(sorted(found, key=lambda moment: moment.start))


def covers(stated: Moment, found: Moment) -> bool:
    """Whether a stated date is the found one, or a longer period around what that means."""
    if stated.text.casefold() == found.text.casefold():
        return True
    return any(_within(inner, outer) for inner in found.meant for outer in stated.periods)


def overlap(stated: Moment, found: Moment) -> bool:
    """Whether they have a day in common, so that neither makes the other untrue."""
    pairs = [(outer, inner) for outer in stated.periods for inner in found.meant]
    return any(outer.first <= inner.last and inner.first <= outer.last for outer, inner in pairs)


def _absolute(match: re.Match[str], meant: tuple[Period, ...], published: date | None) -> Moment:
    """A date without a year is that nearest to the publication."""
    if published and not match.groupdict().get("year"):
        meant = tuple(sorted(meant, key=lambda p: p.distance(published))[:1])
    return Moment(match[0], match.start(), match.end(), meant)


def _within(inner: Period, outer: Period) -> bool:
    if ANY_YEAR in (inner.first.year, outer.first.year):
        inner, outer = _yearless(inner), _yearless(outer)
    return outer.first <= inner.first and inner.last <= outer.last


def _yearless(period: Period) -> Period:
    return Period(period.first.replace(year=ANY_YEAR), period.last.replace(year=ANY_YEAR))


def _meant(match: re.Match[str], published: date | None) -> Iterator[Period]:
    if published is None:
        return
    near, weekday, shift = match["near"], match["weekday"], match["shift"]
    if near:
        yield _day(published, _NEAR.get(near.lower(), 0))
    elif weekday:
        back = (published.weekday() - _DAYS[weekday.lower()]) % 7
        yield from (_day(published, days) for days in _weekdays((match["which"] or "").lower(), back))
    elif shift:
        yield shifted(published, match["unit"].lower(), _SHIFTS[shift.lower()])
    elif match["part"]:
        for phrase in phrases(f"{match['part']} of {month_name[published.month]}"):
            yield from named(phrase, (published.year,))
    else:
        count = match["count"].lower()
        yield shifted(published, match["units"].lower(), -(_COUNTS.get(count) or int(count)))


def _weekdays(which: str, back: int) -> tuple[int, ...]:
    """The days from the publication that a weekday can mean, `back` days before it the last one."""
    match which:
        case "last" | "past" | "the past":
            return (-(back or 7), -back - 7)
        case "next" | "coming":
            return (7 - back, 14 - back)
        case _:
            return (-back, 7 - back)


def _day(published: date, days: int) -> Period:
    day = published + timedelta(days=days)
    return Period(day, day)


def shifted(published: date, unit: str, count: int) -> Period:
    """The day, week, month or year that is `count` of them after that of the publication."""
    match unit:
        case "day":
            return _day(published, count)
        case "week":
            monday = published + timedelta(days=7 * count - published.weekday())
            return Period(monday, monday + timedelta(days=6))
        case "month":
            year, month = divmod(published.year * 12 + published.month - 1 + count, 12)
            return Period(date(year, month + 1, 1), date(year, month + 1, monthrange(year, month + 1)[1]))
        case _:
            return Period(date(max(1, published.year + count), 1, 1), date(max(1, published.year + count), 12, 31))
