"""Compares what can be compared exactly: the numbers, dates, names and quotations of a statement with its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from rag.checks.quotes import check_quotes, quotations
from rag.schema import Check
from rag.text.names import names, occurs
from rag.text.quantities import Quantity, comparable, quantities
from rag.text.relative_dates import Moment, covers, moments, overlap
from rag.text.words import CAPITALS, COUNTRIES, stem, words

_ROUGH = re.compile(
    r"\b(?:about|around|approximately|nearly|almost|roughly|some|an estimated|close to|circa)\W+$", re.I
)
_OVER = re.compile(r"\b(?:over|more than|above|upwards of|exceed(?:ed|ing|s)?|at least|no fewer than)\W+$", re.I)
_UNDER = re.compile(r"\b(?:under|fewer than|less than|below|at most|up to|no more than)\W+$", re.I)
_ROUNDING = 0.03
_COUNTED_BY_HAND = 5
"""Small numbers in words may count what the evidence lists."""
_HOURS = {"hour": 1, "day": 24, "week": 168, "month": 730, "year": 8760, "decade": 87600}
_LENGTHS = {
    "metre": 1,
    "meter": 1,
    "kilometre": 1000,
    "kilometer": 1000,
    "km": 1000,
    "mile": 1609.34,
    "foot": 0.3048,
    "feet": 0.3048,
    "yard": 0.9144,
}
_WEIGHTS = {"gram": 1, "kilogram": 1000, "kilo": 1000, "kg": 1000, "tonne": 1e6, "ton": 1e6, "pound": 453.6}
_UNITS = {
    stem(word): (kind, size)
    for kind, table in (("time", _HOURS), ("length", _LENGTHS), ("weight", _WEIGHTS))
    for word, size in table.items()
}
_AROUND = 24  # characters before a number


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span with what governs it: its article's title, outlet and speaker label, and the day of publication."""

    text: str
    frame: str = ""
    published: date | None = None


def compare(text: str, evidence: Sequence[Evidence]) -> list[Check]:
    """A check for each quotation, number, date and name of a statement.

    `found` is what the evidence has in its place; None if it has nothing of the kind there.
    """
    texts = [item.text for item in evidence]
    rest = text
    for quote in quotations(text):
        rest = rest.replace(quote, " " * len(quote))
    return [
        *check_quotes(text, texts),
        *_numbers(rest, texts),
        *_dates(rest, evidence),
        *_names(rest, evidence),
    ]


def _numbers(text: str, texts: Sequence[str]) -> Iterator[Check]:
    found = [number for source in texts for number in _counted(source)]
    for stated in _counted(text):
        like = [n for n in found if n.unit == stated.unit and comparable(stated.value, n.value)]
        fitting = [n for n in like if _agree(stated, n)]
        if fitting:
            yield Check("number", stated.value.text, fitting[0].value.text, True)
        elif _may_be_derived(stated, like):
            continue
        else:
            same = [n for n in like if n.head and n.head == stated.head]
            yield Check("number", stated.value.text, same[0].value.text if len(same) == 1 else None, False)


@dataclass(frozen=True, slots=True)
class _Number:
    """A quantity, the stem of the noun behind it, its measure, and how it is hedged: `~`, `>`, `<` or nothing."""

    value: Quantity
    head: str
    unit: str
    size: float
    hedge: str


@lru_cache(maxsize=4096)
def _counted(text: str) -> tuple[_Number, ...]:
    """The numbers of a text that are no part of a date."""
    dates = [(m.start, m.end) for m in moments(text, date(2000, 1, 1))]
    found = []
    for quantity in quantities(text):
        if any(a < quantity.end and quantity.start < b for a, b in dates) or quantity.unit == "th":
            continue
        head = next(iter(words(re.match(r"[\s-]*((?:[^\W\d_]|[’'])*)", text[quantity.end :])[1])), "")  # type: ignore[index]
        unit, size = _UNITS.get(head, ("", 1.0))
        before = text[max(0, quantity.start - _AROUND) : quantity.start]
        hedges = ((_ROUGH, "~"), (_OVER, ">"), (_UNDER, "<"))
        hedge = next((mark for pattern, mark in hedges if pattern.search(before)), "")
        found.append(_Number(quantity, head, unit, float(size), hedge))
    return tuple(found)


def _agree(stated: _Number, found: _Number) -> bool:
    """Equal, unless the statement hedges: then near, or on the side of the bound that it gives."""
    scale = stated.size / found.size
    low, high = stated.value.low * scale, stated.value.high * scale
    slack = 1e-9 * max(abs(high), 1.0)
    in_words = stated.value.unit == "%" and not any(c.isdigit() for c in stated.value.text)
    if stated.size != found.size or in_words:
        slack = _ROUNDING * max(abs(high), abs(found.value.high))
    if low - slack <= found.value.low and found.value.high <= high + slack:
        return True
    match stated.hedge:
        case "~":
            return abs(found.value.low - low) <= _ROUNDING * max(abs(low), abs(found.value.low))
        case ">":
            return found.value.low >= low and found.hedge != "<"
        case "<":
            return found.value.high <= high and found.hedge != ">"
        case _:
            return False


def _may_be_derived(stated: _Number, like: Sequence[_Number]) -> bool:
    """Whether it may count what is listed, be the sum of two numbers, or a share of them."""
    value = stated.value
    if value.exact and value.high <= _COUNTED_BY_HAND and value.text.isalpha():
        return True
    lows = [n.value.low for n in like]
    return any(abs(a + b - value.low) < 0.5 or abs(a - b) == value.low for i, a in enumerate(lows) for b in lows[:i])


def _dates(text: str, evidence: Sequence[Evidence]) -> Iterator[Check]:
    published = next((item.published for item in evidence if item.published), None)
    found = [m for item in evidence for m in moments(item.text, item.published)]
    for stated in moments(text, published):
        if not stated.periods or any(covers(stated, m) for m in found):
            if stated.periods:
                yield Check("date", stated.text, stated.text, True)
            continue
        if any(item.published and _on(stated, item.published) for item in evidence):
            yield Check("date", stated.text, str(published), True)
            continue
        others = [m for m in found if m.periods and not overlap(stated, m)]
        yield Check("date", stated.text, others[0].text if len(others) == 1 and len(found) == 1 else None, False)


def _on(stated: Moment, day: date) -> bool:
    return any(period.first <= day <= period.last for period in stated.periods)


def _names(text: str, evidence: Sequence[Evidence]) -> Iterator[Check]:
    held = " . ".join(f"{item.frame} . {item.text}" for item in evidence)
    there = _named_words(held)
    for name in names(text):
        parts = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", name.text)
        if all(_is_there(part, there, held) for part in parts) or occurs(name.text, held):
            yield Check("name", name.text, name.text, True)
        else:
            yield Check("name", name.text, None, False)


@lru_cache(maxsize=1024)
def _named_words(text: str) -> frozenset[str]:
    return frozenset(words(text))


def _is_there(part: str, there: frozenset[str], held: str) -> bool:
    """Whether a word of a name is in the evidence: itself, its country for its people or capital, or its letters."""
    own = stem(part.lower())
    if own in there or set(words(part)) <= there:
        return True
    if CAPITALS.get(part.lower()) and stem(CAPITALS[part.lower()]) in there:
        return True
    if any(stem(country) == own and stem(capital) in there for capital, country in CAPITALS.items()):
        return True
    if own in COUNTRIES and own in {stem(w) for w in there}:
        return True
    lowered = part.lower()
    return len(lowered) > 3 and any(len(w) > 3 and (w.startswith(lowered[:-1]) or lowered.startswith(w)) for w in there)
