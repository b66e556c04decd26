"""Reads the quantities of a text: figures, words, percentages, money, measures, ordinals and rough amounts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from rag.text import TABLES
from rag.text.words import TENS, UNITS, numbered


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


_FAR = 4
"""How many times the limit of "more than 200" an amount may be that it is said of."""
_ZEROS = {"degree Fahrenheit": -32.0}
_SIGN = (
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


@lru_cache(maxsize=4096)
def _measure(text: str, place: int) -> re.Match[str] | None:
    """The unit of measure at a place behind an amount."""
    return _MEASURE.match(text, place)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount between `low` and `high`, both included, in characters `start` up to, not including, `end` of a text.

    `unit` is `%`, `pp` for percentage points, a currency's code, `th` for an ordinal, `:` for a time of day, or empty.
    `bound` is `about`, `over`, `least`, `under` or `most` by the words before or behind it; `from` or `to` at the ends
    of what is between two. `begin` is where a bound before it begins. `measure` is the unit of measure behind it, and
    `whole` its text with that.
    """

    text: str
    start: int
    end: int
    low: float
    high: float
    unit: str
    bound: str = ""
    begin: int = 0
    measure: Unit | None = None
    whole: str = ""

    @property
    def exact(self) -> bool:
        """Whether it is one value."""
        return self.low == self.high


_ORDINALS = numbered(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth",
    1,
) | numbered("twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth", 20, 10)
_SCALES: dict[str, float] = TABLES["scales"]
_ROUGH: dict[str, list[float]] = TABLES["rough"]
_SHARES = {"half": 50.0, "third": 100 / 3, "quarter": 25.0, "fifth": 20.0, "tenth": 10.0}
_WORDS = "|".join(sorted([*UNITS, *TENS], key=len, reverse=True))
_LONG_SCALES = r"hundred|thousand|million|billion|trillion|lakh[ ]crores?|lakhs?|crores?"
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
    | (?P<portion>\b(?:(?:a|one|three)[\s-]+)?(?:half|quarters?)[\s-]+(?:(?:of[\s-]+)?an?[\s-]+)?
      (?:dozen|{_LONG_SCALES}))\b
    | (?P<share>\b(?:(?P<parts>a|an|one|two|three|four)[\s-]+)?(?P<part>half|thirds?|quarters?|fifths?|tenths?)
      (?=\s+(?:of|the)\b)
      |\b(?P<lone>(?:two|three)[\s-]+(?:thirds|quarters|fifths)\b
      |(?<=by[ ])(?:a|one)[\s-]+(?:third|quarter|fifth)\b
      |(?:a|one)[\s-]+(?:third|quarter|fifth)\b(?=\s*[,.;]|\s+(?:more|less|fewer|as|higher|lower
      |has|have|is|are|was|were)\b)))
    | \b(?P<ratio>(?:one|two|three|four|six|seven|eight|nine|\d)\s+(?:in|out\s+of)\s+(?:every\s+)?
      (?:two|three|four|five|ten))\b
    | (?P<halved>\b(?<!and\sa\s)half\b(?!-))
    | (?:(?P<sign>{_SIGN})\s?)?(?<![\w.,])(?P<figure>{_FIGURE})
      (?P<fraction>[½¼¾⅓⅔])?
      (?P<ordinal>(?:st|nd|rd|th)\b)?
      (?:[\s-]?(?P<scale>(?:{_LONG_SCALES})\b|(?:(?<=[\d½¼¾⅓⅔])[kmb]|bn|mn|tn)\b(?![-.']?\w)
      (?![ ](?:high|tall|long|wide|deep|away|apart|below|above))))?
    | \b(?P<nth>(?:(?:{"|".join(TENS)})[\s-])?(?:{"|".join(sorted(_ORDINALS, key=len, reverse=True))}))\b
    | \b(?P<words>(?:{_WORDS}|dozen|a\s+dozen|(?:a\s+)?(?:hundred|thousand|million|billion))
      (?:[\s-]+and[\s-]+a[\s-]+half\b|[\s-]+(?:and[\s-]+)?(?:{_WORDS}|dozen|{_LONG_SCALES}))*)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PERCENT = re.compile(r"\s?%|[\s-]per\s?cent\b|[\s-]percentage\b|[\s-]percent\b", re.IGNORECASE)
_POINTS = re.compile(r"[\s-]percentage[\s-]points?\b", re.IGNORECASE)
_OF_A_POINT = re.compile(r"(?:\sof)?\sa\spercentage[\s-]point\b", re.IGNORECASE)
_HALF_DAY = re.compile(r"\s*([ap])\.?m\b\.?", re.IGNORECASE)
_RANGE = re.compile(r"\s?(?:to|and|or|-|–)\s?", re.IGNORECASE)
_LIKE_BEFORE = re.compile(r"\s?(?:to|and|-|–)\s?", re.IGNORECASE)
_ENDS_RANGE = re.compile(r"\s*(?:[.,;:)]|$)")
_SCALE = re.compile(r"thousand|million|billion|trillion|bn\b|mn\b", re.IGNORECASE)
_BEFORE = {
    "about": r"about|around|approximately|approx\.?|nearly|almost|roughly|some|an\sestimated|close\sto|circa",
    "over": r"over|(?:more|older|longer)\sthan|above|upwards\sof|exceed(?:s|ed|ing)?|in\sexcess\sof",
    "least": r"at\sleast|no(?:t)?\s(?:fewer|less)\sthan|a\sminimum\sof",
    "under": r"under|(?:fewer|less|younger|shorter)\sthan|below",
    "most": r"at\smost|up\sto|no(?:t)?\smore\sthan|as\s(?:many|much)\sas|a\smaximum\sof",
}
_BOUND = re.compile("|".join(rf"(?P<{name}>\b(?:{told})\s+(?:an?\s|the\s)?$)" for name, told in _BEFORE.items()), re.I)
_LIMITS = {"over": "more than", "least": "at least", "under": "less than", "most": "at most"}
_SIDES = {"over": "over", "least": "over", "under": "under", "most": "under"}
_BEHIND = re.compile(r"(?:\s\w+)?\sor\s(?:(?P<least>more|over|above)|(?P<most>fewer|less|under))\b", re.I)
_CONVERTED = 0.02
_LARGEST_SHARE = 1000  # percent
_DOTTED = re.compile(r"(?:[01]?\d|2[0-3])\.[0-5]\d")
_AROUND = 24  # characters before an amount
_BETWEEN = re.compile(r"\bbetween\W+$", re.I)
_A = re.compile(r"\sa?n?\s", re.I)
_ARTICLE = re.compile(r"^(?:a|an)\s+", re.IGNORECASE)


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text in order; those of dates too, which `moments` knows better."""
    return tuple(_with_ranged_units(text))


def agree(stated: Quantity, found: Quantity, *, about: bool = False) -> bool:
    """Whether a stated amount is covered by a found one; `about` lets it be a rounding within 3 %.

    A rough one ("dozens") covers an exact one within it, not the other way round.
    A measure in another unit agrees if it is the same when it is converted, to the last digit that is stated.
    """
    if not comparable(stated, found) or {_SIDES.get(stated.bound), _SIDES.get(found.bound)} == {"over", "under"}:
        return False
    if ":" in (stated.unit, found.unit):
        return _minutes(stated) == _minutes(found)
    if stated.measure and found.measure and stated.measure != found.measure:
        return _is_converted(stated, found)
    slack = 0.03 * max(abs(found.high), abs(stated.high)) if about else 1e-9 * abs(found.high)
    if _is_fraction(stated) or _is_fraction(found):
        slack = max(slack, 1.0)
    return stated.low - slack <= found.low and found.high <= stated.high + slack


def comparable(stated: Quantity, found: Quantity) -> bool:
    """Whether one could stand in the other's place: of one dimension, of one currency, or one without its unit."""
    if stated.measure and found.measure and stated.measure.dimension != found.measure.dimension:
        return False
    money = CURRENCIES & {stated.unit, found.unit}
    if {stated.unit, found.unit} == {":", ""}:
        return None not in (_minutes(stated), _minutes(found))
    return stated.unit == found.unit or bool(money and "" in (stated.unit, found.unit))


def _minutes(quantity: Quantity) -> float | None:
    """The minute of the day of a time, which may be written with a point: 20.07."""
    if quantity.unit == ":":
        return quantity.low
    hours, _, minutes = quantity.text.partition(".")
    return int(hours) * 60 + int(minutes) if _DOTTED.fullmatch(quantity.text) else None


def bounds(stated: Quantity, found: Quantity) -> bool:
    """Whether a stated bound, such as "at least 10", holds of a found amount; what is far above it is another thing."""
    if not _is_open(stated) or not comparable(stated, found) or (_is_open(found) and stated.bound != found.bound):
        return False
    return bool(stated.measure) == bool(found.measure) and _is_within(stated, found, times=_FAR)


def limited(quantity: Quantity) -> str:
    """A quantity with the bound that it gives, as `at least 46`; empty if it gives none."""
    return f"{_LIMITS[quantity.bound]} {quantity.whole}" if quantity.bound in _LIMITS else ""


def leaves_open(stated: Quantity, found: Quantity) -> bool:
    """Whether a found bound, such as "at least 10", or an end of a range does not exclude a stated amount."""
    if stated.bound or stated.measure != found.measure or not comparable(stated, found):
        return False
    if found.bound in ("from", "to"):
        return stated.low >= found.low if found.bound == "from" else stated.high <= found.high
    return _is_open(found) and _is_within(found, stated)


def conversion(found: Quantity, stated: Quantity) -> str:
    """A measure as it is written, with what it is in the unit of a stated one: 5 miles (8.047 kilometres)."""
    unit = stated.measure
    if not unit or not found.measure or found.measure.dimension != unit.dimension:
        return found.whole
    low, high = (
        value / size - unit.zero
        for value, size in zip(found.measure.base(found.low), (unit.high, unit.low), strict=True)
    )
    amount = f"{low:,.4g}" if f"{low:.4g}" == f"{high:.4g}" else f"{low:,.4g} to {high:,.4g}"
    return f"{found.whole} ({amount} {stated.whole[len(stated.text) :].strip(' -')})"


def _is_open(quantity: Quantity) -> bool:
    return quantity.bound in _SIDES


def _is_within(bound: Quantity, value: Quantity, *, times: float = math.inf) -> bool:
    """Whether an amount is on the side of the bound that it gives, and at most so many times a lower one."""
    if bound.measure and value.measure:
        (limit, _), (least, most) = bound.measure.base(bound.low), value.measure.base(value.low)
    else:
        limit, least, most = bound.low, value.low, value.high
    if bound.bound in ("over", "least"):
        return limit < least <= times * limit or (least == limit and (bound.bound == "least" or value.bound == "over"))
    return most < limit or (most == limit and (bound.bound == "most" or value.bound == "under"))


def _is_converted(stated: Quantity, found: Quantity) -> bool:
    assert stated.measure
    assert found.measure
    low, high = found.measure.base(found.low)
    # What the last digit counts, where the amount is written as a small one: 1 for 62, 0.1 for 8.5.
    decimals = len(stated.text.partition(".")[2]) if stated.text.replace(".", "").isdigit() else 0
    last_digit = 10.0**-decimals if abs(stated.low) < 100 else 0.0
    slack = max(_CONVERTED * abs(stated.low), last_digit / 2)
    return stated.measure.base(stated.low - slack)[0] <= high and low <= stated.measure.base(stated.high + slack)[1]


def _is_fraction(quantity: Quantity) -> bool:
    return quantity.unit == "%" and not any(c.isdigit() for c in quantity.text)


def _with_ranged_units(text: str) -> Iterator[Quantity]:
    """The quantities, with the unit of a range given to its first end too: from 10.4 to 2.4 percent."""
    found = list(_single(text))
    for before, this, following in zip([None, *found], found, [*found[1:], None], strict=False):
        if following and not this.unit and _RANGE.fullmatch(text, this.end, following.start):
            yield _like_the_second(this, following, text)
        elif _ends_shares(text, before, this):
            yield replace(this, unit="%")
        elif before and _is_between(text, before, this):
            yield replace(this, bound="to")
        else:
            yield this


def _ends_shares(text: str, before: Quantity | None, this: Quantity) -> bool:
    """Whether it is the end of a range of shares: from 7 percent to 9; not rose by four percent to 612 million."""
    if before is None or this.unit or before.unit != "%" or this.high >= _LARGEST_SHARE:
        return False
    return bool(_LIKE_BEFORE.fullmatch(text, before.end, this.start) and _ENDS_RANGE.match(text, this.end))


def _is_between(text: str, before: Quantity, this: Quantity) -> bool:
    return bool(
        _BETWEEN.search(text, max(0, before.start - _AROUND), before.start)
        and _RANGE.fullmatch(text, before.end, this.start)
    )


def _like_the_second(first: Quantity, second: Quantity, text: str) -> Quantity:
    """The first end of a range, with the unit of the second, and its scale: two to three million."""
    scale = _SCALES.get((_SCALE.search(second.text) or [""])[0].lower(), 1.0)
    times = scale if first.high < 1000 <= second.low and not _SCALE.search(first.text) else 1.0
    bound = "from" if _is_between(text, first, second) else first.bound
    whole = f"{first.text}{second.whole[len(second.text) :]}"
    unit = first.measure or second.measure
    low, high = first.low * times, first.high * times
    return replace(first, low=low, high=high, unit=second.unit, bound=bound, measure=unit, whole=whole)


def _single(text: str) -> Iterator[Quantity]:
    for match in _NUMBER.finditer(text):
        amount = _amount(match)
        if not amount:
            continue
        unit, end = amount.unit, match.end()
        if unit == ":" and (half := _HALF_DAY.match(text, end)):
            # The minutes of the day of a time in its first or second half.
            amount = _exact_amount(amount.low % 720 + (720 if half[1].lower() == "p" else 0), ":")
            end = half.end()
        if unit == "%" and (after := _OF_A_POINT.match(text, end)):
            amount, unit, end = _exact_amount(amount.low / 100, "pp"), "pp", after.end()
        elif unit == "" and (after := _POINTS.match(text, end)):
            unit, end = "pp", after.end()
        elif unit == "" and (after := _PERCENT.match(text, end)):
            unit, end = "%", after.end()
        elif unit == "" and (money := _CURRENCY.match(text, end)):
            unit, end = money[1] or _CURRENCIES[_plain(money[2])], money.end()
        yield _measured(text, _bounded(text, Quantity("", match.start(), end, amount.low, amount.high, unit)))


def _measured(text: str, found: Quantity) -> Quantity:
    """The quantity with the unit of measure behind it."""
    place = found.end
    if found.text.lower() == "half" and (article := _A.match(text, place)):
        place = article.end() - 1
        found = replace(found, low=0.5, high=0.5, unit="") if _measure(text, place) else found
    after = _measure(text, place) if found.unit == "" else None
    if not after:
        return found
    return replace(found, measure=_UNITS[_plain(after[1])], whole=text[found.start : after.end()])


def _bounded(text: str, found: Quantity) -> Quantity:
    """The quantity with its text, and with the bound that the words around it give."""
    own = text[found.start : found.end]
    before = _BOUND.search(text, max(0, found.start - _AROUND), found.start)
    around = before or _BEHIND.match(text, found.end)
    bound = next((name for name, told in around.groupdict().items() if told), "") if around else ""
    return replace(found, text=own, whole=own, bound=bound, begin=before.start() if before else found.start)


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
    if groups["portion"] or groups["ratio"] or groups["share"] or groups["halved"]:
        return _part(groups)
    if groups["figure"]:
        return _figure(groups)
    return _in_words(groups)


def _in_words(groups: dict[str, str | None]) -> _Amount | None:
    if not groups["words"]:
        *tens, last = re.findall(r"[a-z]+", (groups["nth"] or "").lower())
        return _exact_amount((TENS[tens[0]] if tens else 0) + _ORDINALS[last], "th")
    value = _value(groups["words"])
    return None if value is None else _exact_amount(value, "")


def _exact_amount(value: float, unit: str) -> _Amount:
    return _Amount(value, value, unit)


def _part(groups: dict[str, str | None]) -> _Amount:
    """Half a million, a quarter of a million; one in three or a third, as a percentage."""
    if groups["ratio"]:
        first, *_, last = groups["ratio"].lower().split()
        return _exact_amount(100 * (int(first) if first.isdigit() else UNITS[first]) / UNITS[last], "%")
    if not groups["portion"]:
        return _share(groups)
    phrase = groups["portion"].lower()
    scale = next(size for name, size in {**_SCALES, "dozen": 12.0}.items() if len(name) > 2 and phrase.endswith(name))
    share = 0.5 if "half" in phrase else 0.75 if phrase.startswith("three") else 0.25
    return _exact_amount(share * scale, "")


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
    return _exact_amount(
        value * _SCALES.get((groups["scale"] or "").lower(), 1),
        _SIGNS.get((groups["sign"] or "").lower().rstrip(".").strip(), ""),
    )


def _value(phrase: str) -> float | None:
    """The value of number words; None for a lone "one", which is more often a pronoun."""
    total, current, seen = 0.0, 0.0, False
    words = re.findall(r"[a-z]+", _ARTICLE.sub("", phrase.lower()))
    if words == ["one"]:
        return None
    for last, word in pairwise(["", *words]):
        if (last, word.rstrip("s")) == ("lakh", "crore"):
            total *= _SCALES[word]
        elif word in UNITS or word in TENS:
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
