"""Reads dates without guessing: what a source did not say stays unknown."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import TypeAlias

from rag.schema import Precision, Published

Stamp: TypeAlias = str | int | float | date | datetime
"""A date as files hold it: text, epoch seconds or milliseconds, or Python's own."""

FIRST_YEAR, LAST_YEAR = 1800, 2200
_LONGEST = 80

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAME = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_CLOCK = r"\d{1,2}(?::\d\d(?::\d\d(?:\.\d+)?)?)?\s*(?:[ap]\.?m\.?)?"
_TIME = rf"(?:,?(?:\s+at)?\s+{_CLOCK}(?:\s*\(?(?:[a-z]{{1,5}}|[+-]\d\d:?\d\d|z)\)?)?)?"
_FLAGS = re.ASCII | re.IGNORECASE

# Only shapes in which no part can be taken for another.
_SHAPES = tuple(
    re.compile(shape, _FLAGS)
    for shape in (
        rf"{_YEAR}",
        rf"{_YEAR}[-/.](?P<month>\d\d)",
        rf"{_YEAR}(?P<separator>[-/.])(?P<month>\d{{1,2}})(?P=separator)(?P<day>\d{{1,2}})(?:(?:t\d|\s\d{{1,2}}:).{{0,38}})?",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:t?\d{4}(?:\d\d)?.{0,20})?",
        rf"{_WEEKDAY}(?:{_DAY}[\s-]+(?:of\s+)?)?{_MONTH_NAME},?[\s-]*{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_MONTH_NAME}\s+{_DAY},?\s+{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_MONTH_NAME}\s+{_DAY}\s+{_CLOCK}(?:\s+[a-z]{{3,4}})?\s+{_YEAR}",
    )
)
_NUMERIC = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2{_YEAR}(?:,?\s+{_CLOCK})?", _FLAGS)
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?|\d{12,13}", re.ASCII)
_IN_NAME = re.compile(r"(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?!\d)", re.ASCII)

# RFC 822 defines these; other zone names mean several zones and are left unknown.
_ZONES = {"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5}
_ZONES |= {"MST": -7, "MDT": -6, "PST": -8, "PDT": -7}


def parse_published(stamp: Stamp | None) -> Published | None:
    """The date with the precision that was written, or None if that cannot be told.

    A time without a zone counts for its day only. `07/08/2021`, a date without a year, and years outside 1800 to 2200
    are unknown. Numbers are epoch seconds or milliseconds (from 1973), a year, or `20210707`.
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


def date_in_name(name: str) -> Published | None:
    """The one `2021-07-07` or `20210707` in a file name; None if there is none or several that differ."""
    found = {_calendar(int(y), int(m), int(d)) for y, _, m, d in _IN_NAME.findall(name)} - {None}
    return found.pop() if len(found) == 1 else None


def _from_datetime(moment: datetime) -> Published | None:
    if moment.tzinfo is None or moment.utcoffset() is None:
        return _calendar(moment.year, moment.month, moment.day)
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
    text = " ".join(text[: _LONGEST + 1].split())
    if len(text) > _LONGEST:
        return None
    if _EPOCH.fullmatch(text):
        return _from_number(float(text))
    if numeric := _NUMERIC.fullmatch(text):
        return _from_numeric(int(numeric[1]), int(numeric[3]), int(numeric["year"]))
    found = next((m for shape in _SHAPES if (m := shape.fullmatch(text))), None)
    return _from_shape(found, text) if found else None


def _from_numeric(first: int, second: int, year: int) -> Published | None:
    """Day and month in either order; unknown if both orders give a date, and not the same one."""
    readings = {_calendar(year, first, second), _calendar(year, second, first)} - {None}
    return readings.pop() if len(readings) == 1 else None


def _from_shape(found: re.Match[str], text: str) -> Published | None:
    parts = found.groupdict()
    month, day = parts.get("month"), parts.get("day")
    day_of = _calendar(int(parts["year"]), _month(month) if month else None, int(day) if day else None)
    moment = _moment(text) if day_of and day else None
    if day_of and moment and moment.tzinfo and moment.date() == day_of.day:
        return _from_datetime(moment)
    return day_of


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text[:3].lower()) + 1


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
    try:
        return parser.parse(text, default=datetime(1900, 1, 1), tzinfos=_zone)
    except (ValueError, OverflowError):
        return None


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    hours = _ZONES.get(name or "")
    seconds = offset if offset is not None else None if hours is None else hours * 3600
    return None if seconds is None or abs(seconds) >= 86400 else timezone(timedelta(seconds=seconds))
