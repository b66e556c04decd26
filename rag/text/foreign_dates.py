"""Reads dates with the month names of other languages, of the common and of the solar calendar."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product

from rag.text import TABLES

_FOLDED = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ـ": None, "\u200c": " ", "\u200d": None, "\u200f": None})
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_MARKS = "،, "
_YEAR_WORDS = "(?:سنة|سنه|عام|سال|لسنة)"
# Languages of news whose month names are in Unicode's locale data, as Babel has it. A name that is of different months
# in two of them, as `listopad` is, is of none.
_LOCALES = (
    "af az be bg bn bs ca cs da de de_AT el es et eu fi fr gl gu he hi hr hu id is it kn lt lv mk ml mr ms nb nl pa pl "
    "pt ro ru sk sl sq sr sv sw ta te tr uk uz vi"
)
_DIGITS = re.compile(
    r"(?P<year>\d{4})\s?[年년]\s?(?P<month>\d{1,2})\s?[月월](?:\s?(?P<day>\d{1,2})\s?[日일])?(?!\d).{0,40}"
)


# Years after 1410 are those of the lunar calendar, as papers in Arabic write them.
_SOLAR_DAY = re.compile(r"(1[34]\d\d)[/-](\d\d?)[/-](\d\d?)(?!\d)")
_LAST_SOLAR = 1410


@dataclass(frozen=True, slots=True)
class ForeignDate:
    """The first day that a date names, and whether it has a day of its own."""

    first: date
    has_day: bool


def western_digits(text: str) -> str:
    """The text with the digits of every script as 0 to 9."""
    return "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)


def read_foreign(text: str) -> ForeignDate | None:
    """The date of a text such as `16 تیر 1400`, `1400/04/16` or `mercredi 7 juillet 2021`, a time behind it.

    Years before 1600 are of the solar calendar, whose months have names of their own. None for anything else: months
    of the lunar calendar begin when the moon is seen, and are not reckoned.
    """
    text = " ".join(_folded(western_digits(text)).split())
    if numbers := _SOLAR_DAY.match(text):
        return _solar_day(*map(int, numbers.groups()))
    return _eastern(text) if _ARABIC.search(text) else _western(text.casefold())


def _solar_day(year: int, month: int, day: int) -> ForeignDate | None:
    try:
        return ForeignDate(_solar(year, month, day), has_day=True) if year <= _LAST_SOLAR else None
    except ValueError:
        return None


def _eastern(text: str) -> ForeignDate | None:
    found = _DATE.match(text)
    if not found:
        return None
    year, day = int(found["year"]), int(found["day"] or 1)
    try:
        if found["common"]:
            first = date(year, _COMMON_MONTHS[found["common"]], day)
        else:
            first = _solar(year, _SOLAR_MONTHS[found["solar"]], day)
    except ValueError:
        return None
    return ForeignDate(first, found["day"] is not None)


def _western(text: str) -> ForeignDate | None:
    found = _DIGITS.fullmatch(text) or next((m for shape in _shapes() if (m := shape.fullmatch(text))), None)
    if not found:
        return None
    month = found["month"]
    number = int(month) if month.isdecimal() else _months()[month]
    try:
        return ForeignDate(date(int(found["year"]), number, int(found["day"] or 1)), found["day"] is not None)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    """The number of each month by its names in other languages."""
    found: dict[str, int] = {}
    for name, number in _names():
        found[name] = number if found.get(name, number) == number else 0
    return {name: number for name, number in found.items() if number}


def _names() -> Iterator[tuple[str, int]]:
    from babel.dates import get_month_names

    for locale, width, context in product(_LOCALES.split(), ("wide", "abbreviated"), ("format", "stand-alone")):
        names = get_month_names(width, context, locale)  # type: ignore[arg-type]  # literals, which product widens
        yield from ((_folded(name).casefold().rstrip("."), n) for n, name in names.items() if not name.isdecimal())


@lru_cache(maxsize=1)
def _shapes() -> tuple[re.Pattern[str], ...]:
    """`Mi., 7. Juli 2021 um 10:15`, `липень 7, 2021`, `2021. július 7.`."""
    month, year = rf"(?P<month>{_any(_months())})(?!\w)\.?", r"(?P<year>\d{4})(?!\d)"
    numbered = r"(?:(?P<day>\d{1,2})(?:\.|er|º|ª|°)?[ -]?(?:de |d['’])?)?"
    before, behind = r"(?:[^\W\d]+\.?,?[ ]){0,2}?", r"(?P<rest>[^\d].{0,40})?"
    return (
        re.compile(rf"{before}{numbered}{month},?[ -]?(?:del? )?{year}{behind}"),
        re.compile(rf"{before}{month} (?P<day>\d{{1,2}}),? {year}{behind}"),
        re.compile(rf"{year}\.? {month} (?P<day>\d{{1,2}})\.?{behind}"),
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_FOLDED)


def _numbered(months: Sequence[str]) -> dict[str, int]:
    return {_folded(n.replace("_", " ")): i for i, names in enumerate(months, 1) for n in names.split()}


_COMMON_MONTHS, _SOLAR_MONTHS = _numbered(TABLES["months"]["common"]), _numbered(TABLES["months"]["solar"])


def _any(months: dict[str, int]) -> str:
    return "|".join(sorted(map(re.escape, months), key=len, reverse=True))


_DATE = re.compile(
    rf"(?:[^\W\d]+(?: [^\W\d]+)?[{_MARKS}]+)??(?:(?P<day>\d{{1,2}})[{_MARKS}]+)?"
    rf"(?:(?P<common>{_any(_COMMON_MONTHS)})(?: ?[/(] ?(?:{_any(_COMMON_MONTHS)})\)?)?"
    rf"|(?P<solar>{_any(_SOLAR_MONTHS)}))"
    rf"(?: ماه)?[{_MARKS}]+(?:{_YEAR_WORDS} )?(?P<year>\d{{4}})(?!\d)(?P<rest>.{{0,40}})$"
)


def _solar(year: int, month: int, day: int) -> date:
    from persiantools.jdatetime import JalaliDate

    if not 1100 < year < 1600:
        raise ValueError(f"{year} is no year of the solar calendar")
    return JalaliDate(year, month, day).to_gregorian()  # type: ignore[no-untyped-call]  # its maker has no types
