"""Units of measure by dimension, and currencies by country."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rag.text import TABLES


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, worth `low` to `high` base units of its dimension; they differ where its size does: US and UK gallons."""

    name: str
    dimension: str
    low: float
    high: float
    zero: float = 0.0

    def base(self, value: float) -> tuple[float, float]:
        """The least and most that an amount in it can be, in base units."""
        return (value + self.zero) * self.low, (value + self.zero) * self.high


_ZEROS = {"degree Fahrenheit": -32.0}
SIGN = (
    r"(?:\b(?:US|CA?|AU?|NZ|HK|S|NT|R|MX)\$|[$€£¥₹₽₩₪₴₺₦]"
    r"|\b(?:Rs\.?|USD|EUR|GBP|CAD|AUD|INR|PKR|CHF|SEK|NOK|DKK|CNY|JPY)(?=\s?\d))"
)
"""The pattern of what stands before an amount of money."""


def _units() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for dimension, units in TABLES["measures"].items():
        for name, listed in units.items():
            size, *spellings = listed.split()
            low, _, high = size.partition("|")
            called = name.replace("_", " ")
            unit = Unit(called, dimension, float(low), float(high or low), _ZEROS.get(called, 0.0))
            found |= dict.fromkeys((_plain(s) for s in (name, *spellings)), unit)
    return found


def _plain(spelling: str) -> str:
    return re.sub(r"[\s_-]", " ", spelling).lower()


_UNITS = _units()
_CURRENCIES = {_plain(name): code for code, names in TABLES["money"].items() for name in names.split()}
_SIGNS = {sign: code for code, signs in TABLES["signs"].items() for sign in signs.split()}
CURRENCIES = frozenset(_CURRENCIES.values()) | frozenset(_SIGNS.values())
"""The codes of the currencies; one without its country, such as `$`, is a code of its own."""


def _spelled(spellings: Iterable[str]) -> str:
    return "|".join(re.escape(s).replace(r"\ ", r"[\s-]") for s in sorted(spellings, key=len, reverse=True))


_MEASURE = re.compile(rf"[\s-]?({_spelled(_UNITS)})(?![\w/])", re.IGNORECASE)
_CURRENCY = re.compile(rf"\s?([€£$])|[\s-]({_spelled(_CURRENCIES)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A unit or the code of a currency, and where it ends."""

    unit: Unit | str
    end: int


@lru_cache(maxsize=4096)
def measure(text: str, place: int) -> Found | None:
    """The unit of measure at a place behind an amount."""
    match = _MEASURE.match(text, place)
    return Found(_UNITS[_plain(match[1])], match.end()) if match else None


def currency(text: str, place: int) -> Found | None:
    """The currency at a place behind an amount."""
    match = _CURRENCY.match(text, place)
    if not match:
        return None
    return Found(match[1] or _CURRENCIES[_plain(match[2])], match.end())


def signed(sign: str) -> str:
    """The currency of what stands before an amount."""
    return _SIGNS.get(sign.lower().rstrip(".").strip(), "")
