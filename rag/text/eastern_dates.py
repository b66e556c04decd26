"""Reads dates with Arabic and Persian month names, of the common and of the solar calendar."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

_COMMON = (
    "يناير كانون_الثاني جانفي ژانویه جنوری ینایر",
    "فبراير شباط فيفري فوریه فبروری",
    "مارس آذار اذار مارچ",
    "أبريل ابريل إبريل نيسان أفريل آوریل اپریل اپریل",
    "مايو أيار ايار ماي مه می ماه_مه",
    "يونيو يونيه حزيران جوان ژوئن جون",
    "يوليو يوليه تموز جويلية ژوئیه ژوییه جولای جولایی",
    "أغسطس اغسطس آب أوت اوت آگوست اگست آگست",
    "سبتمبر أيلول ايلول سپتامبر سپتمبر",
    "أكتوبر اكتوبر تشرين_الأول تشرين_الاول اکتبر اکتوبر",
    "نوفمبر تشرين_الثاني نوامبر نومبر",
    "ديسمبر كانون_الأول كانون_الاول دسامبر دسمبر",
)
_SOLAR = (
    "فروردین حمل وری",
    "اردیبهشت ثور غویی",
    "خرداد جوزا غبرگولی",
    "تیر سرطان چنگاښ",
    "مرداد امرداد اسد زمری",
    "شهریور سنبله وږی",
    "مهر میزان تله",
    "آبان عقرب لړم",
    "آذر قوس لیندۍ",
    "دی جدی مرغومی",
    "بهمن دلو سلواغه",
    "اسفند حوت کب",
)
_FOLDED = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "ـ": None, "\u200c": " ", "\u200d": None, "\u200f": None})
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_MARKS = "،, "
_YEAR_WORDS = "(?:سنة|سنه|عام|سال|لسنة)"


@dataclass(frozen=True, slots=True)
class EasternDate:
    """The first day that a date names, and whether it has a day of its own."""

    first: date
    has_day: bool


def is_eastern(text: str) -> bool:
    """Whether a text has letters or digits of the Arabic script."""
    return bool(_ARABIC.search(text))


def western_digits(text: str) -> str:
    """The text with the digits of every script as 0 to 9."""
    return "".join(str(unicodedata.digit(c)) if c.isdecimal() else c for c in text)


def read_eastern(text: str) -> EasternDate | None:
    """The date of a text such as `16 تیر 1400` or `7 يوليو 2021`, a weekday before it, a time behind it.

    Years before 1600 are of the solar calendar, whose months have names of their own. None for anything else: months
    of the lunar calendar begin when the moon is seen, and are not reckoned.
    """
    found = _DATE.match(" ".join(_folded(western_digits(text)).split()))
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
    return EasternDate(first, found["day"] is not None)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).translate(_FOLDED)


def _numbered(months: tuple[str, ...]) -> dict[str, int]:
    return {_folded(n.replace("_", " ")): i for i, names in enumerate(months, 1) for n in names.split()}


_COMMON_MONTHS, _SOLAR_MONTHS = _numbered(_COMMON), _numbered(_SOLAR)


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
