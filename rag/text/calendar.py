"""Reads dates without guessing, and the periods that phrases name."""

from __future__ import annotations

import re
from calendar import day_name, month_abbr, month_name, monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, TypeAlias

from rag.errors import InputError
from rag.schema import Precision, Published, Window
from rag.text import TABLES
from rag.text.foreign_dates import read_foreign, western_digits

Stamp: TypeAlias = str | int | float | date | datetime
"""A date as files hold it: text, epoch seconds or milliseconds, or Python's own."""

FIRST_YEAR, LAST_YEAR = 1800, 2200
_LONGEST = 80

MONTHS = {
    **{name.casefold(): i for names in (month_name, month_abbr) for i, name in enumerate(names) if name},
    "sept": 9,
}
"""The number of each month by its lower-case name or abbreviation."""
WEEKDAYS = {name.casefold(): i for i, name in enumerate(day_name)}
"""The number of each day of the week by its lower-case name; Monday is 0."""
ANY_MONTH, ANY_WEEKDAY = "|".join(sorted(MONTHS, key=len, reverse=True)), "|".join(WEEKDAYS)
"""Patterns of their names, to be matched without regard to case."""
_MONTH = rf"(?P<month>{ANY_MONTH})\b(?:(?<=\b[a-zA-Z]{{3}})(?<!\b[Mm]ay)\.|(?<=[Ss]ept)\.)?"
_WEEKDAY = (
    r"(?P<weekday>(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?(?:,\s*|\s+)|[a-z]{2,10}\.?,\s+)?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_CLOCK = r"\d{1,2}(?:[:.]\d\d(?::\d\d(?:\.\d+)?)?)?\s*(?:[ap]\.?m\.?)?"
_ZONE = r"\(?(?:[a-z]{1,5})?(?:[+-]\d\d:?\d\d)?\)?(?:\s*\([a-z ]{1,40}\))?"
_TIME = rf"(?:,?(?:\s+at)?\s+{_CLOCK}(?:\s*{_ZONE})?)?"
_FLAGS = re.ASCII | re.IGNORECASE

# Only shapes in which no part can be taken for another.
_SHAPES = tuple(
    re.compile(shape, _FLAGS)
    for shape in (
        rf"{_YEAR}",
        rf"{_YEAR}[-/.](?P<month>\d\d)",
        rf"{_YEAR}(?P<separator>[-/.])(?P<month>\d{{1,2}})(?P=separator)(?P<day>\d{{1,2}})(?:(?:t\d|\s\d{{1,2}}:).{{0,38}})?",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:t?\d{4}(?:\d\d)?.{0,20})?",
        rf"{_WEEKDAY}(?:{_DAY}[\s-]+(?:of\s+)?)?{_MONTH},?[\s-]*{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_DAY}[\s-]+{_MONTH}[\s-]+(?P<short_year>\d\d){_TIME}",  # RFC 822 and RFC 850
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY}(?:,\s*|\s+){_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_CLOCK}(?:\s+(?:[a-z]{{3,4}}|[+-]\d{{4}}))?\s+{_YEAR}",
    )
)
_NUMERIC = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2{_YEAR}(?:,?\s+{_CLOCK})?", _FLAGS)
_TIME_OF_DAY = re.compile(
    r"(?<![\d.])(\d{1,2})[:h.](\d\d)(?!\.?\d{3})(?::(\d\d))?(?:\.\d+)?\s*(?:([ap])\.?m\b)?", re.ASCII | re.I
)
_NAMED_OFFSET = re.compile(r"\b(?:GMT|UTC)(?=[+-]\d)|\s\([A-Za-z ]+\)$")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?|\d{12,13}", re.ASCII)
_FOREIGN = re.compile(r"[^\W\d_].*\d{4}|\d{4}.*[^\W\d_]|\d{4}[/-]\d")  # a word and a year, or a solar day
_IN_NAME = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?!\d)", re.ASCII)

# RFC 822 defines these; other zone names mean several zones and are left unknown.
_ZONES = {"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5}
_ZONES |= {"MST": -7, "MDT": -6, "PST": -8, "PDT": -7}


def parse_published(stamp: Stamp | None) -> Published | None:
    """The date with the precision that was written, or None if it is unclear.

    A time without a zone counts for its day only, and is kept beside it. `07/08/2021`, a date without a year, and years
    outside 1800 to 2200 are unknown. A year of two digits, as in RFC 822, is one from 1950 to 2049. Numbers are epoch
    seconds or milliseconds (from 1973), a year, or `20210707`. `1400/04/16` is a day of the solar calendar.
    """
    match stamp:
        case None | bool():
            return None
        case datetime():
            return _from_datetime(stamp)
        case date():
            return _calendar(stamp.year, stamp.month, stamp.day)
        case int() | float():
            return _from_number(stamp)
        case _:
            return _from_text(stamp)


def why_unread(text: str) -> str:
    """Why `parse_published` gives nothing for a text, as a clause: which can be two days, which no calendar has."""
    text = " ".join(western_digits(text[: _LONGEST + 1]).split())
    numeric = _NUMERIC.fullmatch(text)
    if numeric:
        readings = _readings(int(numeric[1]), int(numeric[3]), int(numeric["year"]))
        return f"which can be {' or '.join(sorted(map(str, readings)))}" if readings else "which is no day"
    return "which is no day" if any(shape.fullmatch(text) for shape in _SHAPES) else "which is not understood"


def date_in_name(name: str) -> Published | None:
    """The one `2021-07-07` or `20210707` in a file name; None if there is none or several that differ."""
    found = {_calendar(int(y), int(m), int(d)) for y, _, m, d in _IN_NAME.findall(name)} - {None}
    return found.pop() if len(found) == 1 else None


def _from_datetime(moment: datetime) -> Published | None:
    if moment.tzinfo is None or moment.utcoffset() is None:
        found = _calendar(moment.year, moment.month, moment.day)
        return replace(found, clock=moment.time()) if found and moment.time() != time() else found
    return Published(moment, Precision.TIME) if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _from_number(number: float) -> Published | None:
    if isinstance(number, int) and abs(number) < 10**9:
        return _from_text(str(number))
    if not 1e8 <= number <= 7.2e12:
        return None
    seconds = number / 1000 if number >= 1e11 else number
    if seconds > 7.2e9:
        return None
    return _from_datetime(datetime.fromtimestamp(seconds, UTC))


def _from_text(text: str) -> Published | None:
    text = " ".join(western_digits(text[: _LONGEST + 1]).split())
    if len(text) > _LONGEST:
        return None
    if _EPOCH.fullmatch(text):
        return _from_number(float(text))
    if numeric := _NUMERIC.fullmatch(text):
        readings = _readings(int(numeric[1]), int(numeric[3]), int(numeric["year"]))
        return _timed(readings.pop(), text) if len(readings) == 1 else None
    found = next((m for shape in _SHAPES if (m := shape.fullmatch(text))), None)
    return (found and _from_shape(found, text)) or _from_foreign(text)


def _from_foreign(text: str) -> Published | None:
    found = read_foreign(text) if _FOREIGN.search(text) else None
    if found is None or not FIRST_YEAR <= found.first.year <= LAST_YEAR:
        return None
    return _timed(Published(found.first, Precision.DAY if found.has_day else Precision.MONTH), text)


def _readings(first: int, second: int, year: int) -> set[Published]:
    """Day and month in either order."""
    return {found for found in (_calendar(year, first, second), _calendar(year, second, first)) if found}


def _from_shape(found: re.Match[str], text: str) -> Published | None:
    parts = found.groupdict()
    month, day = parts.get("month"), parts.get("day")
    day_of = _calendar(_year(parts), _month(month) if month else None, int(day) if day else None)
    moment = _moment(text[len(parts.get("weekday") or "") :]) if day_of and day else None
    if day_of and moment and moment.tzinfo and moment.date() == day_of.day:
        return _from_datetime(moment)
    return _timed(day_of, text) if day_of and day else day_of


def _year(parts: Mapping[str, str | None]) -> int:
    """A year of two digits is one from 1950 to 2049, as RFC 5322 has it."""
    short = parts.get("short_year")
    return int(short) + (2000 if int(short) < 50 else 1900) if short else int(parts["year"] or 0)


def _timed(found: Published, text: str) -> Published:
    """The day with the time of day that the text gives, if it gives one."""
    given = _TIME_OF_DAY.search(text)
    if not given or found.precision is not Precision.DAY:
        return found
    hour, minute, second = (int(part or 0) for part in given.groups()[:3])
    half = (given[4] or "").lower()
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    return replace(found, clock=time(hour, minute, second)) if hour < 24 and minute < 60 and second < 60 else found


def _month(text: str) -> int:
    return int(text) if text.isdigit() else MONTHS[text[:3].lower()]


def _calendar(year: int, month: int | None = None, day: int | None = None) -> Published | None:
    precision = Precision.DAY if day else Precision.MONTH if month is not None else Precision.YEAR
    if not FIRST_YEAR <= year <= LAST_YEAR or day == 0:
        return None
    try:
        return Published(date(year, 1 if month is None else month, day or 1), precision)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    """Date, time and zone; the caller compares the day with its own reading, as dateutil takes 7-8 July for 20:21."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        from dateutil import parser
    text = _NAMED_OFFSET.sub("", text)
    try:
        return parser.parse(text, default=datetime(1900, 1, 1), tzinfos=_zone)
    except (ValueError, OverflowError):
        return None


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    hours = _ZONES.get(name or "")
    seconds = offset if offset is not None else None if hours is None else hours * 3600
    return None if seconds is None or abs(seconds) >= 86400 else timezone(timedelta(seconds=seconds))


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


_PHRASE_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_PHRASE_YEAR = r"(?P<year>(?:19|20)\d\d)\b"
_SEASONS: dict[str, list[int]] = TABLES["seasons"]
_OF_MONTH: dict[str, list[int]] = TABLES["parts_of_month"]
_OF_YEAR: dict[str, list[int]] = TABLES["parts_of_year"]
_PART = rf"(?:\b(?P<part>{'|'.join(_OF_MONTH)})[ -]+)?"
_BEFORE_MONTH = "in|of|since|during|by|until|before|after|last|this|that|early|mid|late"
_LAST = r"(?P<last>[0-3]?\d)(?:st|nd|rd|th)?"
_LAST_MONTH = _MONTH.replace("<month>", "<last_month>")
_DASH, _TO, _AND = r"\s?[-‐‑–—]\s?", " (?:to|through|until|till) (?:the )?", " and (?:the )?"
_UP_TO = " (?:to|through|until|till) "
_BETWEEN, _FROM = r"\bbetween (?:the )?", r"\bfrom (?:the )?"
_NO_AMOUNT = r"\b(?!,\d|[.:]\d)"
# Days of two months, days before their month, days behind it; each with what may stand before it and in it.
_RANGES = (
    rf"\b{_MONTH} {_PHRASE_YEAR}(?:{_DASH}|{_UP_TO}){_LAST_MONTH} (?P<last_year>(?:19|20)\d\d)\b",
    *(
        rf"{opening}\b{_PHRASE_DAY}(?: of)? {_MONTH}{joint}{_LAST}(?: of)? {_LAST_MONTH}(?:,? {_PHRASE_YEAR})?"
        for opening, joint in (("", _DASH), ("", _TO), (_BETWEEN, _AND))
    ),
    *(
        rf"{opening}\b{_MONTH} {_PHRASE_DAY}{joint}{_LAST_MONTH} {_LAST}{_NO_AMOUNT}(?:,? {_PHRASE_YEAR})?"
        for opening, joint in (("", _DASH), ("", _TO), (_BETWEEN, _AND))
    ),
    *(
        rf"{opening}\b{_PHRASE_DAY}{joint}{_LAST}(?: of)? {_MONTH}(?:,? {_PHRASE_YEAR})?"
        for opening, joint in (("", _DASH), ("", _TO), (_BETWEEN, _AND))
    ),
    *(
        rf"{opening}\b{_MONTH} {_PHRASE_DAY}{joint}{_LAST}{_NO_AMOUNT}(?:,? {_PHRASE_YEAR})?"
        for opening, joint in (("", _DASH), (_FROM, _TO), (_BETWEEN, _AND))
    ),
)
_PHRASES = [
    re.compile(phrase, re.IGNORECASE)
    for phrase in (
        *_RANGES,
        rf"\bweek of (?P<week>){_PHRASE_DAY}(?: of)? {_MONTH}(?:,? {_PHRASE_YEAR})?",
        rf"\bweek of (?P<week>){_MONTH} {_PHRASE_DAY}{_NO_AMOUNT}(?:,? {_PHRASE_YEAR})?",
        r"\b(?P<year>(?:19|20)\d\d)-(?P<number>[01]\d)-(?P<day>[0-3]\d)\b",
        *(
            rf"{opening}\b{_PHRASE_YEAR}{joint}(?P<last_year>(?:19|20)\d\d)\b(?!-\d)"
            for opening, joint in (("", rf"(?:{_DASH}|/)"), (_FROM, _UP_TO), (_BETWEEN, _AND))
        ),
        r"\b(?P<century>19|20)(?P<short>\d\d)[-‐‑–—/](?P<last_short>\d\d)\b(?![-/.]?\d)",
        r"\b(?P<year>(?:19|20)\d\d)-(?P<number>[01]\d)\b",
        rf"\b{_PHRASE_DAY}(?: of)? {_MONTH}(?:,? {_PHRASE_YEAR})?",
        rf"\b{_MONTH} (?:the )?{_PHRASE_DAY}{_NO_AMOUNT}(?:,? {_PHRASE_YEAR})?",
        rf"{_PART}\b{_MONTH}(?: of)? {_PHRASE_YEAR}",
        rf"\b(?P<season>{'|'.join(_SEASONS)})(?: of)? {_PHRASE_YEAR}",
        rf"{_PART}\b{_PHRASE_YEAR}",
        rf"\b(?P<part>{'|'.join(_OF_MONTH)})[ -]+(?-i:(?=[A-Z])){_MONTH}",
        rf"\b(?:{_BEFORE_MONTH})[ -](?P<part>(?:early|mid|late)[ -])?(?-i:(?=[A-Z])){_MONTH}",
    )
]

# Without a month or a year there is none: most sentences need no closer look.
_HINT = re.compile(rf"\b(?:{ANY_MONTH})\b|(?:19|20)\d\d", re.IGNORECASE)


def phrases(text: str) -> list[re.Match[str]]:
    """The date phrases of a text in order; `named` gives the periods of each."""
    if not _HINT.search(text):
        return []
    taken: list[re.Match[str]] = []
    for pattern in _PHRASES:
        taken += [
            m
            for m in pattern.finditer(text)
            if not any(m.start() < t.end() and t.start() < m.end() for t in taken) and _is_phrase(m)
        ]
    return sorted(taken, key=re.Match.start)


def _is_phrase(match: re.Match[str]) -> bool:
    """Whether years of which the second has two digits are a range: 2007-11 and 1999-00 are, 2007-06 is a month."""
    short, last = (match.groupdict().get(name) for name in ("short", "last_short"))
    return not short or not last or short < last or (short, last) == ("99", "00")


def named(phrase: re.Match[str], years: Sequence[int]) -> Iterator[Period]:
    """The period that a date phrase names: one, or without a year that of each of `years`."""
    groups = phrase.groupdict()
    given = groups.get("year") or f"{groups.get('century') or ''}{groups.get('short') or ''}"
    for year in [int(given)] if given else years:
        try:
            yield _period(groups, year)
        except ValueError:  # 31 June
            continue


def _period(groups: dict[str, str | None], year: int) -> Period:
    season, day, last = groups.get("season"), groups.get("day"), _last_year(groups, year)
    if last:
        end = MONTHS[(groups.get("last_month") or "dec").casefold()]
        return Period(date(year, _month_of(groups) or 1, 1), date(last, end, monthrange(last, end)[1]))
    part = (groups.get("part") or "").casefold().strip(" -")
    if season:
        return _months(year, *_SEASONS[season.casefold()])
    month = _month_of(groups)
    if not month:
        return _months(year, *_OF_YEAR.get(part, (1, 12)))
    if day:
        return _days(groups, date(year, month, int(day)))
    first, last = _OF_MONTH.get(part, (1, 31))
    return Period(date(year, month, first), date(year, month, min(last, monthrange(year, month)[1])))


def _last_year(groups: Mapping[str, str | None], first: int) -> int | None:
    """The year that a range of years ends with; raises ValueError if that is not a later one."""
    whole, short = groups.get("last_year"), groups.get("last_short")
    if not whole and not short:
        return None
    last = int(whole) if whole else first + (int(short or 0) - first) % 100
    if last <= first:
        raise ValueError(f"{last} is not after {first}; wanted a later year")
    return last


def is_year_range(phrase: re.Match[str]) -> bool:
    """Whether a date phrase names years from one to another: 2007-11, from 1991 to 2000."""
    groups = phrase.groupdict()
    return bool(groups.get("last_year") or groups.get("last_short"))


def _days(groups: dict[str, str | None], first: date) -> Period:
    """The day, the week that begins with it, or the days up to another one; raises ValueError if that is earlier."""
    name, last = groups.get("last_month"), groups.get("last")
    if not last:
        return Period(first, first + timedelta(days=6 if groups.get("week") is not None else 0))
    end = date(first.year, MONTHS[name.casefold()] if name else first.month, int(last))
    if name and end < first:  # the year that is named is that of the end
        first = first.replace(year=first.year - 1)
    if end < first:
        raise ValueError(f"{end} is before {first}; wanted a later day")
    return Period(first, end)


def _month_of(groups: dict[str, str | None]) -> int | None:
    number, name = groups.get("number"), groups.get("month")
    return int(number) if number else MONTHS[name.casefold()] if name else None


def _months(year: int, first: int, last: int) -> Period:
    return Period(date(year, first, 1), date(year, last, monthrange(year, last)[1]))


_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?", re.ASCII)


def window(
    as_of: str | date | None = None,
    since: str | date | None = None,
    until: str | date | None = None,
    sources: Sequence[str] = (),
) -> Window:
    """The window of dates or ISO texts: `since` a month or year is its first day; `as_of` and `until`, its last.

    Raises InputError for what is no date, or a window that ends before it starts.
    """
    first = _date("since", since)
    return ordered(Window(_last("as_of", as_of), first.day if first else None, _last("until", until), tuple(sources)))


def ordered(window: Window) -> Window:
    """The same window; raises InputError if it ends before it starts."""
    if window.since and window.last and window.since > window.last:
        raise InputError(f"since {window.since} is after the last day, {window.last}; wanted the earlier day in since")
    return window


def _last(name: str, text: str | date | None) -> date | None:
    found = _date(name, text)
    return found.last_day if found else None


def _date(name: str, text: Any) -> Published | None:
    if text is None:
        return None
    if isinstance(text, date):
        return Published(text.date() if isinstance(text, datetime) else text, Precision.DAY)
    found = parse_published(text) if isinstance(text, str) and _DATE.fullmatch(text) else None
    if not found:
        raise InputError(f"{name} is {text!r}; wanted a date such as 2021-07-07, 2021-07 or 2021")
    return found
