"""Reads the periods that the date phrases of a question name."""

from __future__ import annotations

import re
from calendar import month_abbr, month_name, monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def distance(self, day: date) -> int:
        """Days from a day to the nearest day of the period; 0 within it."""
        return max((self.first - day).days, (day - self.last).days, 0)

    def shared(self, other: Period) -> int:
        """How many days are in both."""
        return max((min(self.last, other.last) - max(self.first, other.first)).days + 1, 0)

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
    "second week of": (8, 14),
    "third week of": (15, 21),
    "fourth week of": (22, 28),
    "last week of": (24, 31),
    "first days of": (1, 5),
    "last days of": (26, 31),
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
_LAST = r"(?P<last>[0-3]?\d)(?:st|nd|rd|th)?"
_LAST_MONTH = _MONTH.replace("<month>", "<last_month>")
_DASH, _TO, _AND = r"\s?[-‐‑–—]\s?", " (?:to|through|until|till) (?:the )?", " and (?:the )?"
_BETWEEN, _FROM = r"\bbetween (?:the )?", r"\bfrom (?:the )?"
_NO_AMOUNT = r"\b(?!,\d|[.:]\d)"
# Days of two months, days before their month, days behind it; each with what may stand before it and in it.
_RANGES = (
    *(
        rf"{opening}\b{_DAY}(?: of)? {_MONTH}{joint}{_LAST}(?: of)? {_LAST_MONTH}(?:,? {_YEAR})?"
        for opening, joint in (("", _DASH), ("", _TO), (_BETWEEN, _AND))
    ),
    *(
        rf"{opening}\b{_MONTH} {_DAY}{joint}{_LAST_MONTH} {_LAST}{_NO_AMOUNT}(?:,? {_YEAR})?"
        for opening, joint in (("", _DASH), ("", _TO), (_BETWEEN, _AND))
    ),
    *(
        rf"{opening}\b{_DAY}{joint}{_LAST}(?: of)? {_MONTH}(?:,? {_YEAR})?"
        for opening, joint in (("", _DASH), ("", _TO), (_BETWEEN, _AND))
    ),
    *(
        rf"{opening}\b{_MONTH} {_DAY}{joint}{_LAST}{_NO_AMOUNT}(?:,? {_YEAR})?"
        for opening, joint in (("", _DASH), (_FROM, _TO), (_BETWEEN, _AND))
    ),
)
_PHRASES = [
    re.compile(phrase, re.IGNORECASE)
    for phrase in (
        *_RANGES,
        rf"\bweek of (?P<week>){_DAY}(?: of)? {_MONTH}(?:,? {_YEAR})?",
        rf"\bweek of (?P<week>){_MONTH} {_DAY}{_NO_AMOUNT}(?:,? {_YEAR})?",
        r"\b(?P<year>(?:19|20)\d\d)-(?P<number>[01]\d)(?:-(?P<day>[0-3]\d))?\b",
        rf"\b{_DAY}(?: of)? {_MONTH}(?:,? {_YEAR})?",
        rf"\b{_MONTH} (?:the )?{_DAY}{_NO_AMOUNT}(?:,? {_YEAR})?",
        rf"{_PART}\b{_MONTH}(?: of)? {_YEAR}",
        rf"\b(?P<season>{'|'.join(_SEASONS)})(?: of)? {_YEAR}",
        rf"{_PART}\b{_YEAR}",
        rf"\b(?P<part>{'|'.join(_OF_MONTH)})[ -]+(?-i:(?=[A-Z])){_MONTH}",
        rf"\b(?:{_BEFORE_MONTH})[ -](?P<part>(?:early|mid|late)[ -])?(?-i:(?=[A-Z])){_MONTH}",
    )
]

# Without a month or a year there is none: most sentences need no closer look.
_HINT = re.compile(rf"\b(?:{'|'.join(_MONTHS)})\b|(?:19|20)\d\d", re.IGNORECASE)


def periods(text: str, *, years: Sequence[int] = ()) -> tuple[Period, ...]:
    """The periods in order of their phrases; one without a year is taken in each of `years`."""
    found = [period for match in phrases(text) for period in named(match, years)]
    return tuple(dict.fromkeys(found))


def phrases(text: str) -> list[re.Match[str]]:
    """The date phrases of a text in order; `named` tells the periods of each."""
    if not _HINT.search(text):
        return []
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
        return _days(groups, date(year, month, int(day)))
    first, last = _OF_MONTH.get(part, (1, 31))
    return Period(date(year, month, first), date(year, month, min(last, monthrange(year, month)[1])))


def _days(groups: dict[str, str | None], first: date) -> Period:
    """The day, the week that begins with it, or the days up to another one; raises ValueError if that is earlier."""
    name, last = groups.get("last_month"), groups.get("last")
    if not last:
        return Period(first, first + timedelta(days=6 if groups.get("week") is not None else 0))
    end = date(first.year, _MONTHS[name.casefold()] if name else first.month, int(last))
    if name and end < first:  # the year that is named is that of the end
        first = first.replace(year=first.year - 1)
    if end < first:
        raise ValueError(f"{end} is before {first}; wanted a later day")
    return Period(first, end)


def _month(groups: dict[str, str | None]) -> int | None:
    number, name = groups.get("number"), groups.get("month")
    return int(number) if number else _MONTHS[name.casefold()] if name else None


def _months(year: int, first: int, last: int) -> Period:
    return Period(date(year, first, 1), date(year, last, monthrange(year, last)[1]))
