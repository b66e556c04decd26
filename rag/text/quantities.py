"""Reads the quantities of a text: figures, words, percentages, money, ordinals and rough amounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest

from rag.text.words import TENS, UNITS, numbered, stem


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount between `low` and `high`, both included, in characters `start` up to, not including, `end` of a text.

    `unit` is `%`, `pp` for percentage points, a currency's sign, `th` for an ordinal, `:` for a time of day, or empty.
    """

    text: str
    start: int
    end: int
    low: float
    high: float
    unit: str

    @property
    def exact(self) -> bool:
        """Whether it is one value."""
        return self.low == self.high


_ORDINALS = numbered(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth",
    1,
) | numbered("twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth", 20, 10)
_SCALES = {
    **dict.fromkeys(("hundred",), 100.0),
    **dict.fromkeys(("thousand", "k"), 1000.0),
    **dict.fromkeys(("million", "mn", "m"), 1000000.0),
    **dict.fromkeys(("billion", "bn", "b"), 1000000000.0),
    **dict.fromkeys(("trillion", "tn"), 1000000000000.0),
    **dict.fromkeys(("lakh", "lakhs"), 100000.0),
    **dict.fromkeys(("crore", "crores"), 10000000.0),
}
_ROUGH = {
    "dozens": (20, 99),
    "scores": (40, 99),
    "hundreds": (200, 999),
    "thousands": (2_000, 9_999),
    "tens of thousands": (20_000, 99_999),
    "hundreds of thousands": (200_000, 999_999),
    "millions": (2e6, 1e9),
    "tens of millions": (2e7, 1e8),
    "hundreds of millions": (2e8, 1e9),
    "billions": (2e9, 1e12),
}
_SHARES = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}
_CURRENCIES = {
    "$": "$", "us$": "$", "dollar": "$", "usd": "$", "€": "€", "euro": "€", "eur": "€", "£": "£", "pound": "£",
    "gbp": "£", "rupee": "rs", "rs": "rs", "afghani": "afn", "rial": "rial", "ruble": "rub", "rouble": "rub",
    "yuan": "cny", "yen": "jpy", "lira": "try", "franc": "chf", "dinar": "din", "dirham": "dir", "riyal": "riyal",
    "peso": "peso", "shekel": "ils", "zloty": "pln", "crown": "kr", "krona": "kr", "krone": "kr", "kronor": "kr",
    "kroner": "kr",
}  # fmt: skip
_MONEY = frozenset(_CURRENCIES.values())


@dataclass(frozen=True, slots=True)
class Measure:
    """What a unit measures, and how much of the smallest one it is."""

    kind: str
    size: float


MEASURES = {
    stem(word): Measure(kind, float(size))
    for kind, table in (
        ("time", {"hour": 1, "day": 24, "week": 168, "month": 730, "year": 8760, "decade": 87600}),
        ("length", {"metre": 1, "meter": 1, "kilometre": 1000, "kilometer": 1000, "km": 1000, "mile": 1609.34}),
        ("length", {"foot": 0.3048, "feet": 0.3048, "yard": 0.9144}),
        ("weight", {"gram": 1, "kilogram": 1e3, "kilo": 1e3, "kg": 1e3, "tonne": 1e6, "ton": 1e6, "pound": 453.6}),
    )
    for word, size in table.items()
}
"""The units of measurement, by the stem of their word."""

_WORDS = "|".join(sorted([*UNITS, *TENS], key=len, reverse=True))
_LONG_SCALES = "hundred|thousand|million|billion|trillion|lakhs?|crores?"
# Thousands parted by commas, by spaces or apostrophes, or as in India: 20,000; 20 000; 1'200; 1,50,000.
_FIGURE = (
    r"\d{1,3}(?:,[ ]?\d{3})+(?!\d)(?:\.\d+)?|[1-9]\d{0,2}(?:[ \u00a0\u2009\u202f'’]\d{3})+(?![\d%])(?:\.\d+)?"
    r"|\d{1,2}(?:,\d\d)+,\d{3}(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?"
)
_FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3}
_NUMBER = re.compile(
    rf"""
    (?P<clock>\b\d{{1,2}}[:.]\d\d(?=\s*(?:[ap]\.?m\b|gmt|local|utc|hours))|\b\d{{1,2}}:\d\d\b)
    | (?P<rough>\b(?:(?:tens|hundreds)\s+of\s+(?:thousands|millions)|(?<!two\s)dozens|scores(?=\s+of\b)|hundreds
      |thousands|millions|billions)\b)
    | (?P<share>\b(?:(?P<parts>a|an|one|two|three|four)[\s-]+)?(?P<part>half|thirds?|quarters?|fifths?|tenths?)
      (?=\s+(?:of|the)\b)
      |\b(?P<lone>(?:two|three)[\s-]+(?:thirds|quarters|fifths)\b
      |(?<=by[ ])(?:a|one)[\s-]+(?:third|quarter|fifth)\b
      |(?:a|one)[\s-]+(?:third|quarter|fifth)\b(?=\s*[,.;]|\s+(?:more|less|fewer|as|higher|lower
      |has|have|is|are|was|were)\b)))
    | \b(?P<ratio>(?:one|two|three|four|six|seven|eight|nine|\d)\s+(?:in|out\s+of)\s+(?:every\s+)?
      (?:two|three|four|five|ten))\b
    | (?P<halved>\bhalf\b(?!-))
    | (?:(?P<sign>(?:US)?[$€£]|\b(?:Rs\.?|USD|EUR|GBP)(?=\s?\d))\s?)?(?<![\w.,])(?P<figure>{_FIGURE})
      (?P<fraction>[½¼¾⅓⅔])?
      (?P<ordinal>(?:st|nd|rd|th)\b)?
      (?:[\s-]?(?P<scale>(?:{_LONG_SCALES})\b|(?:[kKmMbB]|bn|mn|tn)\b(?![-.']?\w)))?
    | \b(?P<nth>(?:(?:{"|".join(TENS)})[\s-])?(?:{"|".join(sorted(_ORDINALS, key=len, reverse=True))}))\b
    | \b(?P<words>(?:{_WORDS}|dozen|a\s+dozen|(?:a\s+)?(?:hundred|thousand|million|billion))
      (?:[\s-]+and[\s-]+a[\s-]+half\b|[\s-]+(?:and[\s-]+)?(?:{_WORDS}|dozen|{_LONG_SCALES}))*)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PERCENT = re.compile(r"\s?%|[\s-]per\s?cent\b|[\s-]percentage\b|[\s-]percent\b", re.IGNORECASE)
_POINTS = re.compile(r"[\s-]percentage[\s-]points?\b", re.IGNORECASE)
_CURRENCY = re.compile(
    r"\s?[€£$]|[\s-](?:u\.?s\.?\s+|american\s+)?(dollar|euro|pound|rupee|afghani|rial|r(?:o)?uble|yuan|yen|lira|usd|eur|franc|dinar|dirham|riyal|peso|shekel|zloty|crown|kron(?:a|e|or|er))s?\b",
    re.IGNORECASE,
)
_HALF_DAY = re.compile(r"\s*([ap])\.?m\b\.?", re.IGNORECASE)
_RANGE = re.compile(r"\s?(?:to|and|or|-|–)\s?", re.IGNORECASE)
_SCALE = re.compile(r"thousand|million|billion|trillion|bn\b|mn\b", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:a|an)\s+", re.IGNORECASE)


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text in order; those of dates too, which `moments` knows better."""
    return tuple(_with_ranged_units(text))


def agree(stated: Quantity, found: Quantity, *, about: bool = False) -> bool:
    """Whether a stated amount is covered by a found one; `about` lets it be a rounding within 3 %.

    A rough one ("dozens") covers an exact one within it, not the other way round.
    """
    if not _like(stated.unit, found.unit):
        return False
    slack = 0.03 * max(abs(found.high), abs(stated.high)) if about else 1e-9 * abs(found.high)
    if _is_fraction(stated) or _is_fraction(found):
        slack = max(slack, 1.0)
    return stated.low - slack <= found.low and found.high <= stated.high + slack


def comparable(stated: Quantity, found: Quantity) -> bool:
    """Whether one could stand in the other's place."""
    return _like(stated.unit, found.unit)


def _like(a: str, b: str) -> bool:
    """The same unit; an amount of money may lack its sign, a share of something is in percent."""
    return a == b or ("" in (a, b) and not _MONEY.isdisjoint((a, b)))


def _is_fraction(quantity: Quantity) -> bool:
    return quantity.unit == "%" and not any(c.isdigit() for c in quantity.text)


def _with_ranged_units(text: str) -> Iterator[Quantity]:
    """The quantities, with the unit of a range given to its first end too: from 10.4 to 2.4 percent."""
    found = list(_single(text))
    for this, following in zip_longest(found, found[1:]):
        ranged = following and not this.unit and _RANGE.fullmatch(text, this.end, following.start)
        yield _like_the_second(this, following) if following and ranged else this


def _like_the_second(first: Quantity, second: Quantity) -> Quantity:
    """The first end of a range, with the unit of the second, and its scale: two to three million."""
    scale = _SCALES.get((_SCALE.search(second.text) or [""])[0].lower(), 1.0)
    times = scale if first.high < 1000 <= second.low and not _SCALE.search(first.text) else 1.0
    return replace(first, low=first.low * times, high=first.high * times, unit=second.unit)


def _single(text: str) -> Iterator[Quantity]:
    for match in _NUMBER.finditer(text):
        amount = _amount(match)
        if not amount:
            continue
        unit, end = amount.unit, match.end()
        if unit == ":" and (half := _HALF_DAY.match(text, end)):
            amount, end = _in_half(amount, half[1].lower() == "p"), half.end()
        if unit == "" and (after := _POINTS.match(text, end)):
            unit, end = "pp", after.end()
        elif unit == "" and (after := _PERCENT.match(text, end)):
            unit, end = "%", after.end()
        elif unit == "" and (after := _CURRENCY.match(text, end)):
            unit, end = _CURRENCIES[(after[1] or after[0].strip()).lower()], after.end()
        yield Quantity(text[match.start() : end], match.start(), end, amount.low, amount.high, unit)


@dataclass(frozen=True, slots=True)
class _Amount:
    low: float
    high: float
    unit: str


def _amount(match: re.Match[str]) -> _Amount | None:
    groups = match.groupdict()
    if groups["clock"]:
        hours, minutes = re.split("[:.]", groups["clock"])
        return _exact_amount(int(hours) * 60 + int(minutes), ":")
    if groups["rough"]:
        low, high = _ROUGH[" ".join(groups["rough"].lower().split())]
        return _Amount(low, high, "")
    if groups["ratio"]:
        return _ratio(groups["ratio"].lower().split())
    if groups["share"] or groups["halved"]:
        return _share(groups)
    if groups["figure"]:
        return _figure(groups)
    return _in_words(groups)


def _in_words(groups: dict[str, str | None]) -> _Amount | None:
    if not groups["words"]:
        return _exact_amount(_ordinal(groups["nth"] or ""), "th")
    value = _value(groups["words"])
    return None if value is None else _exact_amount(value, "")


def _exact_amount(value: float, unit: str) -> _Amount:
    return _Amount(value, value, unit)


def _ratio(words: list[str]) -> _Amount:
    """One in three, as a percentage."""
    return _exact_amount(100 * (int(words[0]) if words[0].isdigit() else UNITS[words[0]]) / UNITS[words[-1]], "%")


def _in_half(clock: _Amount, afternoon: bool) -> _Amount:
    """The minutes of the day of a time in its first or second half."""
    return _exact_amount(clock.low % 720 + (720 if afternoon else 0), ":")


def _share(groups: dict[str, str | None]) -> _Amount:
    named = (groups["lone"] or "").lower().replace("-", " ").split() or [
        groups["parts"] or "",
        groups["part"] or "half",
    ]
    part = named[-1].lower()
    parts = {"two": 2, "three": 3, "four": 4}.get(named[0].lower(), 1)
    return _exact_amount(parts * _SHARES[part if part in _SHARES else part.rstrip("s")], "%")


def _figure(groups: dict[str, str | None]) -> _Amount:
    value = float(re.sub(r"[^\d.]", "", groups["figure"] or "")) + _FRACTIONS.get(groups["fraction"] or "", 0.0)
    if groups["ordinal"]:
        return _exact_amount(value, "th")
    sign = (groups["sign"] or "").lower().rstrip(".").strip()
    return _exact_amount(value * _SCALES.get((groups["scale"] or "").lower(), 1), _CURRENCIES.get(sign, ""))


def _value(phrase: str) -> float | None:
    """The value of number words; None for a lone "one", which is more often a pronoun."""
    total, current, seen = 0.0, 0.0, False
    words = re.findall(r"[a-z]+", _ARTICLE.sub("", phrase.lower()))
    if words == ["one"]:
        return None
    for word in words:
        if word in UNITS or word in TENS:
            current += UNITS.get(word, TENS.get(word, 0))
        elif word == "dozen":
            current = (current or 1) * 12
        elif word == "half":
            current += 0.5
        elif word == "hundred":
            current = (current or 1) * 100
        elif word in _SCALES:
            total, current = total + (current or 1) * _SCALES[word], 0.0
        seen = True
    return total + current if seen else None


def _ordinal(phrase: str) -> float:
    *tens, last = re.findall(r"[a-z]+", phrase.lower())
    return (TENS[tens[0]] if tens else 0) + _ORDINALS[last]
