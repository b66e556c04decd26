"""Reads the periods that the date phrases of a question name."""

from __future__ import annotations

import re
from calendar import month_abbr, month_name, monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def distance(self, day: date) -> int:
        """Days from a day to the nearest day of the period; 0 within it."""
        return max((self.first - day).days, (day - self.last).days, 0)

    @property
    def days(self) -> int:
        """Its length."""
        return (self.last - self.first).days + 1


_NAMES = [(name.casefold(), i) for names in (month_name, month_abbr) for i, name in enumerate(names) if name]
_MONTHS = {**dict(_NAMES), "sept": 9}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)\b"
_SEASONS = {"spring": (3, 5), "summer": (6, 8), "autumn": (9, 11), "fall": (9, 11), "winter": (12, 12)}
# Parts of a month by days of the month, and of a year by its months; 31 stands for the last day.
_OF_MONTH = {
    "early": (1, 10),
    "mid": (10, 20),
    "middle of": (10, 20),
    "late": (20, 31),
    "end of": (24, 31),
    "beginning of": (1, 8),
    "start of": (1, 8),
    "first week of": (1, 7),
    "last week of": (24, 31),
    "first half of": (1, 15),
    "second half of": (15, 31),
}
_OF_YEAR = {
    "early": (1, 4),
    "mid": (5, 8),
    "middle of": (5, 8),
    "late": (9, 12),
    "end of": (11, 12),
    "beginning of": (1, 2),
    "start of": (1, 2),
    "first half of": (1, 6),
    "second half of": (7, 12),
}
_PART = rf"(?:\b(?P<part>{'|'.join(_OF_MONTH)})[ -]+)?"
_BEFORE_MONTH = "in|of|since|during|by|until|before|after|last|this|that|early|mid|late"
_PHRASES = [
    re.compile(phrase, re.IGNORECASE)
    for phrase in (
        r"\b(?P<year>(?:19|20)\d\d)-(?P<number>[01]\d)(?:-(?P<day>[0-3]\d))?\b",
        rf"\b{_DAY}(?: of)? {_MONTH}(?:,? {_YEAR})?",
        rf"\b{_MONTH} (?:the )?{_DAY}\b(?!,\d|[.:]\d)(?:,? {_YEAR})?",
        rf"{_PART}\b{_MONTH}(?: of)? {_YEAR}",
        rf"\b(?P<season>{'|'.join(_SEASONS)})(?: of)? {_YEAR}",
        rf"{_PART}\b{_YEAR}",
        rf"\b(?:{_BEFORE_MONTH})[ -](?P<part>(?:early|mid|late)[ -])?(?-i:(?=[A-Z])){_MONTH}",
    )
]


def periods(text: str, *, years: Sequence[int] = ()) -> tuple[Period, ...]:
    """The periods in order of their phrases; one without a year is taken in each of `years`."""
    found = [period for match in phrases(text) for period in named(match, years)]
    return tuple(dict.fromkeys(found))


def phrases(text: str) -> list[re.Match[str]]:
    """The date phrases of a text in order; `named` tells the periods of each."""
    taken: list[re.Match[str]] = []
    for pattern in _PHRASES:
        taken += [
            m for m in pattern.finditer(text) if not any(m.start() < t.end() and t.start() < m.end() for t in taken)
        ]
    return sorted(taken, key=re.Match.start)


def named(phrase: re.Match[str], years: Sequence[int]) -> Iterator[Period]:
    """The period that a date phrase names: one, or without a year that of each of `years`."""
    groups = phrase.groupdict()
    given = groups.get("year")
    for year in [int(given)] if given else years:
        try:
            yield _period(groups, year)
        except ValueError:  # 31 June
            continue


def _period(groups: dict[str, str | None], year: int) -> Period:
    season, day = groups.get("season"), groups.get("day")
    part = (groups.get("part") or "").casefold().strip(" -")
    if season:
        return _months(year, *_SEASONS[season.casefold()])
    month = _month(groups)
    if not month:
        return _months(year, *_OF_YEAR.get(part, (1, 12)))
    if day:
        return Period(date(year, month, int(day)), date(year, month, int(day)))
    first, last = _OF_MONTH.get(part, (1, 31))
    return Period(date(year, month, first), date(year, month, min(last, monthrange(year, month)[1])))


def _month(groups: dict[str, str | None]) -> int | None:
    number, name = groups.get("number"), groups.get("month")
    return int(number) if number else _MONTHS[name.casefold()] if name else None


def _months(year: int, first: int, last: int) -> Period:
    return Period(date(year, first, 1), date(year, last, monthrange(year, last)[1]))
