"""Compares each number of a statement with those of the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

from rag.checks.rules.contrasts import ALLIES, UNITS
from rag.checks.rules.facts import Fact, Ground
from rag.checks.rules.matching import Compared, decide
from rag.checks.rules.reading import Word
from rag.schema import Check
from rag.text.quantities import MEASURES, Measure, Quantity, agree, comparable
from rag.text.words import COUNTRIES, PHRASAL, listed, stem

_MOST_LISTED, _LEAST_SUM, _SLACK, _PARTITIVE_REACH = 5, 20, 0.03, 4.0
_ABOUT = listed("about around approximately nearly almost roughly some estimated over more") | {
    phrase for phrase, verb in PHRASAL.items() if verb in ("maximum", "minimum")
}
_BOUNDS = frozenset(map(stem, listed("maximum minimum")))
_COMPARED = listed("more less fewer than")
_HEDGES, _HEDGE_REACH = listed("under below above over than nearly almost"), 4.0
_HARMED = frozenset(map(stem, listed("die kill injure wound")))
_ANYBODY = frozenset(map(stem, listed("person people man men")))


def check_number(fact: Fact, pair: Compared) -> Iterator[Check]:
    """A check of a number, unless it may count what the evidence lists."""
    stated = fact.value
    assert isinstance(stated, Quantity)
    found = pair.cited.by_kind["number"]
    numbers = [f for f in found if isinstance(f.value, Quantity) and comparable(stated, f.value)]
    fitting = [f for f in numbers if _agrees(fact, f, pair)] or [f for f in found if _is_nth(stated, f)]
    if not fitting and _is_derived(stated, pair.cited):
        yield Check("number", fact.text, fact.text, True)
        return
    rivals = [f for f in numbers if f not in fitting and not _has_part(f, fitting, pair.cited)]
    counted = next((f for f in rivals if _counts_the_same(fact, f, fitting, pair)), None)
    decided = decide(fact, fitting, rivals, pair)
    if fitting and counted:
        yield Check("number", fact.text, counted.text, False)
    elif decided.passed and (bound := _bound(fact, fitting, pair)):
        yield Check("number", fact.text, bound, False)
    elif decided.passed or (not _may_count(stated, counted) and (decided.found or stated.unit != "th")):
        yield decided


def _agrees(fact: Fact, found: Fact, pair: Compared) -> bool:
    """Whether a number says the same, in another unit too; no number of miles is one of kilometres."""
    own, other = _measured(fact, pair.statement), _measured(found, pair.cited)
    if own and other and own.unit != other.unit:
        same = own.measure.kind == other.measure.kind
        return same and abs(own.amount - other.amount) <= _SLACK * own.amount
    if not isinstance(fact.value, Quantity) or not isinstance(found.value, Quantity):
        return False
    return agree(fact.value, found.value, about=_is_about(fact, pair.statement))


def _bound(fact: Fact, fitting: Sequence[Fact], pair: Compared) -> str | None:
    """The bound that the evidence gives wherever it has the number, if the statement gives the number as exact."""
    found = [_bounds(f, pair.cited) for f in fitting]
    if not all(found) or _is_hedged(fact, pair.statement):
        return None
    return next((f"{bound} {f.text}" for bound, f in zip(found, fitting, strict=True)), None)


def _is_hedged(fact: Fact, of: Ground) -> bool:
    """Whether anything before a number, or just behind it, keeps it from being the exact one."""
    before = of.before(fact.words[0], _HEDGE_REACH)
    hedged = any(w.stem in _BOUNDS or w.text.lower() in _HEDGES for w in before)
    return hedged or _is_about(fact, of) or _bounds(fact, of) is not None


def _bounds(fact: Fact, of: Ground) -> str | None:
    """The words beside a number that make it a bound: at least, more than, or fewer."""
    after = of.after(fact.words[-1])
    before = [w for w in of.before(fact.words[0], 2.1) if w.sentence == fact.words[0].sentence]
    bound = next((w.text for w in (*before[-1:], *([after] if after else ())) if w.stem in _BOUNDS), None)
    compared = [w.text for w in before if w.text.lower() in _COMPARED]
    return bound or (" ".join(compared) if len(compared) > 1 and before[-1].text == "than" else None)


def _is_about(fact: Fact, of: Ground) -> bool:
    return any(w.text.lower() in _ABOUT for w in of.before(fact.words[0], 3))


@dataclass(frozen=True, slots=True)
class _Measured:
    """An amount in the smallest unit of its measure, and the stem of the unit that it has."""

    amount: float
    measure: Measure
    unit: str


def _measured(fact: Fact, of: Ground) -> _Measured | None:
    """What a number before a unit measures."""
    unit = _head(fact, of) or ""
    measure = MEASURES.get(unit)
    if measure is None or not isinstance(fact.value, Quantity) or not fact.value.exact:
        return None
    return _Measured(fact.value.low * measure.size, measure, unit)


def _is_nth(stated: Quantity, found: Fact) -> bool:
    """Whether one counts to what the other is in order: minute 27, the 27th minute; ten cities, the tenth one."""
    value = found.value
    return isinstance(value, Quantity) and {stated.unit, value.unit} == {"", "th"} and stated.low == value.high


def _has_part(number: Fact, fitting: Sequence[Fact], of: Ground) -> bool:
    """Whether it is what another number is a part of: the 34 in "eight of the 34"."""
    before = of.before(number.words[0], _PARTITIVE_REACH)
    parts = {f.words[-1] for f in fitting}
    return any(w in parts and n.text.lower() == "of" for w, n in pairwise(before))


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
