"""Compares what can be compared exactly: the numbers, dates, names and quotations of a statement with its evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from rag.checks.quotes import check_quotes, quotations
from rag.checks.rules.facts import Evidence
from rag.schema import Check
from rag.text.names import Name, names, occurs
from rag.text.quantities import Quantity, agree, bounds, comparable, quantities
from rag.text.relative_dates import covers as covers_date
from rag.text.relative_dates import moments, overlap
from rag.text.sentences import sentences
from rag.text.words import CAPITALS, COUNTRIES, content_words, stem, words

_COUNTED_BY_HAND = 5
"""Small numbers in words may count what the evidence lists."""
_ALIGNED = 0.6
_NOUN = re.compile(r"[\s-]*((?:[^\W\d_]|[’'])*)")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_PART = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_ACRONYM = re.compile(r"\b[A-Z]{2,6}\b")
_OPENS = re.compile(r"(?:^|[.!?:;—\n])[\s\"'“”‘(\[]*$")


def compare(text: str, evidence: Sequence[Evidence]) -> list[Check]:
    """A check for each quotation, number, date and name of a statement.

    `found` is what the evidence has instead; None if it has nothing of the kind. A name that is only near the evidence
    passes as `nearby`.
    """
    rest = text
    for quote in quotations(text):
        rest = rest.replace(quote, " " * len(quote))
    texts = [item.text for item in evidence]
    compared = (*_numbers(rest, evidence), *_dates(rest, evidence), *check_names(rest, evidence))
    return [*check_quotes(text, texts), *compared]


def _numbers(text: str, evidence: Sequence[Evidence]) -> Iterator[Check]:
    found = [number for item in evidence for part in _split(item.text) for number in counted(part)]
    years = [float(year) for item in evidence for year in _YEAR.findall(f"{item.text} {item.published or ''}")]
    for stated in counted(text):
        like = [n for n in found if comparable(stated.value, n.value)]
        same = [n for n in like if n.noun and n.noun == stated.noun]
        fitting = [n for n in like if _agree(stated, n)] or [n for n in found if _is_bare(stated, n)]
        bound = any(n.noun == stated.noun or _is_aligned(text, n.sentence) for n in fitting)
        sure = len(same) == 1 and not _is_counted(stated) and _is_aligned(text, same[0].sentence)
        if fitting and (bound or not sure):
            yield Check("number", stated.value.text, fitting[0].value.text, True)
        elif fitting or not _may_be_derived(stated, [*(n.value.low for n in like), *years], same):
            yield Check("number", stated.value.text, same[0].value.text if sure else None, False)


@lru_cache(maxsize=4096)
def _split(text: str) -> tuple[str, ...]:
    return tuple(text[span.start : span.end] for span in sentences(text))


def _is_aligned(text: str, sentence: str) -> bool:
    """Whether a sentence has so many of a statement's words that another value in it is about the same thing."""
    wanted = [word for word in content_words(text) if not word[0].isdigit()]
    there = _word_set(sentence)
    return sum(word in there for word in wanted) >= _ALIGNED * len(wanted)


@dataclass(frozen=True, slots=True)
class Number:
    """A quantity, the stem of the noun behind it, and its sentence."""

    value: Quantity
    noun: str
    sentence: str


@lru_cache(maxsize=4096)
def counted(text: str) -> tuple[Number, ...]:
    """The numbers of a text that are no part of a date."""
    dates = [(m.start, m.end) for m in moments(text, date(2000, 1, 1))]
    found = []
    for quantity in quantities(text):
        if any(a < quantity.end and quantity.start < b for a, b in dates) or quantity.unit == "th":
            continue
        after = _NOUN.match(text, quantity.end)
        found.append(Number(quantity, next(iter(words(after[1])), "") if after else "", text))
    return tuple(found)


def _agree(stated: Number, found: Number) -> bool:
    """Equal, unless the statement hedges: then near, or on the side of the bound that it gives."""
    about = stated.value.bound == "about"
    return agree(stated.value, found.value, about=about) or bounds(stated.value, found.value)


def _is_bare(stated: Number, found: Number) -> bool:
    """The same figure, without its percent: from 7.4 percent in July to 8.1 in August."""
    return (stated.value.unit, found.value.unit) == ("%", "") and stated.value.low == found.value.low


def _may_be_derived(stated: Number, values: Sequence[float], same: Sequence[Number]) -> bool:
    """Whether it may count what is listed, be a share of it, or the sum or the difference of two numbers."""
    if _is_counted(stated) or _is_share_in_words(stated):
        return not same
    return any(stated.value.low in (a + b, abs(a - b)) for i, a in enumerate(values) for b in values[: i + 1])


def _is_counted(stated: Number) -> bool:
    return stated.value.exact and stated.value.high <= _COUNTED_BY_HAND and stated.value.text.isalpha()


def _is_share_in_words(stated: Number) -> bool:
    return stated.value.unit == "%" and not any(c.isdigit() for c in stated.value.text)


def _dates(text: str, evidence: Sequence[Evidence]) -> Iterator[Check]:
    days = [item.published for item in evidence if item.published]
    found = [m for item in evidence for m in moments(item.text, item.published)]
    for stated in moments(text, days[0] if days else None):
        fitting = next((m for m in found if covers_date(stated, m)), None)
        published = next((d for d in days if any(p.first <= d <= p.last for p in stated.periods)), None)
        if fitting or published:
            yield Check("date", stated.text, fitting.text if fitting else str(published), True)
        elif stated.periods:
            other = found[0] if len(found) == 1 and found[0].periods and not overlap(stated, found[0]) else None
            aligned = other and any(_is_aligned(text, part) for item in evidence for part in _split(item.text))
            yield Check("date", stated.text, other.text if other and aligned else None, False)


def check_names(text: str, evidence: Sequence[Evidence]) -> Iterator[Check]:
    """A check for each name of a statement, as `compare` has them."""
    inside = " . ".join(f"{item.header} . {item.text}" for item in evidence)
    near = " . ".join(item.near for item in evidence)
    for name in _named(text, f"{inside} {near}"):
        if _is_named(name, inside):
            yield Check("name", name, name, True)
        elif _is_named(name, near):
            yield Check("nearby", name, name, True)
        else:
            yield Check("name", name, None, False)


def _named(text: str, around: str) -> list[str]:
    """The names of a text; a capitalized word that begins a sentence is one if it is capitalized within another."""
    found = [*names(text), *(Name(m[0], m.start(), m.end()) for m in _ACRONYM.finditer(text))]
    return [
        n.text for n in found if " " in n.text or not _opens(text, n.start) or _is_inside(n.text, f"{text} {around}")
    ]


def _opens(text: str, start: int) -> bool:
    return bool(_OPENS.search(text, max(0, start - 20), start))


def _is_inside(word: str, text: str) -> bool:
    return any(not _opens(text, m.start()) for m in re.finditer(rf"\b{re.escape(word)}\b", text))


def _is_named(name: str, text: str) -> bool:
    there = _word_set(text)
    return all(_is_there(part, there) for part in _PART.findall(name)) or occurs(name, text) or _initials(name, text)


@lru_cache(maxsize=1024)
def _word_set(text: str) -> frozenset[str]:
    return frozenset(words(text))


def _is_there(part: str, there: frozenset[str]) -> bool:
    """Whether a word of a name is in the evidence: itself, its country for its people or capital, or its stem."""
    lowered, own = part.lower(), stem(part.lower())
    if own in there or set(words(part)) <= there:
        return True
    if stem(CAPITALS.get(lowered, "")) in there - {""}:
        return True
    if own in COUNTRIES and any(stem(capital) in there for capital, country in CAPITALS.items() if country == own):
        return True
    return len(lowered) > 3 and any(len(w) > 3 and (w.startswith(lowered[:-1]) or lowered.startswith(w)) for w in there)


def _initials(name: str, text: str) -> bool:
    """Whether an acronym has the first letters of words in a row, or the other way round."""
    if name.isupper():
        return bool(re.search(r"\b" + r"\w*[\s-](?:(?:of|for|and|the|on)\s(?:the\s)?)?".join(name) + r"\w", text))
    letters = "".join(part[0] for part in _PART.findall(name) if part[0].isupper())
    return len(letters) > 1 and bool(re.search(rf"\b{letters}s?\b", text.replace(".", "")))
