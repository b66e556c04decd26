"""Compares each number of a statement with those of the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from rag.checks.rules.contrasts import ALLIES, UNITS
from rag.checks.rules.facts import Fact, Ground
from rag.checks.rules.matching import Compared, decide
from rag.checks.rules.reading import Word
from rag.schema import Check
from rag.text.quantities import Quantity, agree, comparable
from rag.text.words import COUNTRIES, PHRASAL, listed, stem

_MOST_LISTED, _LEAST_SUM, _SLACK = 5, 20, 0.03
_IN_HOURS = {
    stem(unit): hours
    for unit, hours in {
        "hour": 1.0,
        "day": 24.0,
        "week": 168.0,
        "month": 730.0,
        "year": 8760.0,
        "decade": 87600.0,
    }.items()
}
_ABOUT = listed("about around approximately nearly almost roughly some estimated over more") | {
    phrase for phrase, verb in PHRASAL.items() if verb in ("maximum", "minimum")
}
_HARMED = frozenset(map(stem, listed("die kill injure wound")))
_ANYBODY = frozenset(map(stem, listed("person people man men")))


def check_number(fact: Fact, pair: Compared) -> Iterator[Check]:
    """A check of a number, unless it may count what the evidence lists."""
    stated = fact.value
    assert isinstance(stated, Quantity)
    numbers = [f for f in pair.cited.by_kind["number"] if isinstance(f.value, Quantity) and comparable(stated, f.value)]
    fitting = [f for f in numbers if _agrees(fact, f, pair)]
    if not fitting and _is_derived(stated, pair.cited):
        yield Check("number", fact.text, fact.text, True)
        return
    rivals = [f for f in numbers if f not in fitting]
    counted = next((f for f in rivals if _counts_the_same(fact, f, fitting, pair)), None)
    decided = decide(fact, fitting, rivals, pair)
    if fitting and counted:
        yield Check("number", fact.text, counted.text, False)
    elif decided.passed or (not _may_count(stated, counted) and (decided.found or stated.unit != "th")):
        yield decided


def _agrees(fact: Fact, found: Fact, pair: Compared) -> bool:
    """Whether a number says the same, one of a time by its length."""
    own, other = _hours(fact, pair.statement), _hours(found, pair.cited)
    if own and other:
        return abs(own - other) <= _SLACK * own
    if not isinstance(fact.value, Quantity) or not isinstance(found.value, Quantity):
        return False
    return agree(fact.value, found.value, about=_is_about(fact, pair.statement))


def _is_about(fact: Fact, of: Ground) -> bool:
    return any(w.text.lower() in _ABOUT for w in of.before(fact.words[0], 3))


def _hours(fact: Fact, of: Ground) -> float | None:
    """The hours of a number before a unit of time."""
    head, value = _head(fact, of), fact.value
    known = head in _IN_HOURS and isinstance(value, Quantity) and value.exact
    return value.low * _IN_HOURS[head] if known and head and isinstance(value, Quantity) else None


def _is_derived(stated: Quantity, cited: Ground) -> bool:
    """Whether it is the sum of two numbers of a sentence, or half of one where a half is spoken of."""
    numbers = [(f.value, f.words[0].sentence) for f in cited.by_kind["number"] if isinstance(f.value, Quantity)]
    exact = [(number.low, sentence) for number, sentence in numbers if number.exact and number.unit == stated.unit]
    if any(number.text.lower() == "half" for number, _ in numbers) and any(a == 2 * stated.low for a, _ in exact):
        return True
    pairs = combinations(exact, 2) if stated.low >= _LEAST_SUM else ()
    return any(a + b == stated.low and first == second for (a, first), (b, second) in pairs)


def _may_count(stated: Quantity, counted: Fact | None) -> bool:
    """Whether it is a small number in words, which may count what the evidence lists, unless that counts it itself."""
    return counted is None and stated.exact and stated.high <= _MOST_LISTED and stated.text.isalpha()


def _counts_the_same(fact: Fact, other: Fact, fitting: Sequence[Fact], pair: Compared) -> bool:
    """Whether another number, and none that agrees, stands before the very word that this one does: 44 Italians."""
    head = _head(fact, pair.statement)
    if head is None or head in UNITS or head in _ANYBODY or _head(other, pair.cited) != head:
        return False
    heads = {_head(f, pair.cited) for f in fitting}
    return heads.isdisjoint(ALLIES.get(head, {head}) | _HARMED | {None})


@lru_cache(maxsize=1 << 13)
def _head(number: Fact, of: Ground) -> str | None:
    """The stem of the noun that follows a number at once; in 44 Italian soldiers, that is the soldiers."""
    following = _adjacent(number.words[-1], of)
    if following and following.stem in COUNTRIES:
        following = _adjacent(following, of) or following
    return following.stem if following else None


def _adjacent(word: Word, of: Ground) -> Word | None:
    """The next word if it is a content word and nothing is between."""
    following = of.after(word)
    if following is None or following.place > word.place + 1:
        return None
    return following if following.is_content and following.text.isalpha() else None
