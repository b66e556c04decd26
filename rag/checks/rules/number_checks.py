"""Compares each number of a statement with those of the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations, pairwise

from rag.checks.rules.contrasts import ALLIES, UNITS
from rag.checks.rules.facts import Fact, Ground
from rag.checks.rules.matching import Compared, decide
from rag.checks.rules.reading import Word
from rag.checks.rules.wordvectors import RAREST, rarity, vector
from rag.schema import Check
from rag.text.quantities import Quantity, agree, bounds, comparable, conversion, leaves_open, limited
from rag.text.words import COUNTRIES, listed, stem

_MOST_LISTED, _LEAST_SUM, _PARTITIVE_REACH = 5, 20, 4.0
_ALIKE = 0.55
"""The likeness of two nouns from which they may be of the same thing: houses and homes, troops and soldiers."""
_ROOT = 6
"""The letters that two words of one root share."""
_HARMED = frozenset(map(stem, listed("die kill injure wound")))
_ANYBODY = frozenset(map(stem, listed("person people man men")))


def check_number(fact: Fact, pair: Compared) -> Iterator[Check]:
    """A check of a number, unless it may count what the evidence lists.

    A number that counts something else neither bears it out nor contradicts it; nor does a bound that leaves it open.
    """
    stated = fact.value
    assert isinstance(stated, Quantity)
    found = pair.cited.by_kind["number"]
    numbers = [f for f in found if isinstance(f.value, Quantity) and comparable(stated, f.value)]
    fitting = [f for f in numbers if _agrees(fact, f, pair)] or [f for f in found if _is_nth(stated, f)]
    if not fitting and _is_derived(stated, pair.cited):
        yield Check("number", fact.text, fact.text, True)
        return
    rivals = [f for f in numbers if f not in fitting and not _is_apart(fact, f, fitting, pair)]
    counted = next((f for f in rivals if _counts_the_same(fact, f, fitting, pair)), None)
    decided = decide(fact, fitting, rivals, pair)
    other = counted or (decided.found if stated.measure and not _is_difference(fact, pair.statement) else None)
    if fitting and counted:
        yield Check("number", fact.text, counted.text, False)
    elif decided.passed and (bound := _left_out(stated, fitting)):
        yield Check("number", fact.text, bound, False)
    elif decided.passed or (not _may_count(stated, other) and (decided.found or stated.unit != "th")):
        yield _with_units(decided, stated, numbers)


def _agrees(fact: Fact, found: Fact, pair: Compared) -> bool:
    """Whether a number says the same, or another one of the same thing is on the side of a bound."""
    stated, other = fact.value, found.value
    if not isinstance(stated, Quantity) or not isinstance(other, Quantity):
        return False
    if agree(stated, other, about=stated.bound != ""):
        return True
    head = _head(fact, pair.statement)
    return head is not None and head == _head(found, pair.cited) and bounds(stated, other)


def _left_out(stated: Quantity, fitting: Sequence[Fact]) -> str | None:
    """The bound that the evidence gives wherever it has the number, if the statement gives the number as exact."""
    found = [limited(f.value) for f in fitting if isinstance(f.value, Quantity)]
    return found[0] if found and all(found) and not stated.bound else None


def _is_apart(fact: Fact, found: Fact, fitting: Sequence[Fact], pair: Compared) -> bool:
    """Whether another number does not exclude this one: it counts something else, is a bound, or the whole."""
    assert isinstance(fact.value, Quantity)
    if isinstance(found.value, Quantity) and leaves_open(fact.value, found.value):
        return True
    own, other = _counted(fact, pair.statement), _counted(found, pair.cited)
    if not own or not other or _is_related(own, other):
        return _has_part(found, fitting, pair.cited)
    noun, another = own[-1].text.lower(), other[-1].text.lower()
    return max(rarity(noun), rarity(another)) >= RAREST or float(vector(noun) @ vector(another)) < _ALIKE


def _is_related(own: Sequence[Word], other: Sequence[Word]) -> bool:
    """Whether two nouns say the same, or one has the root of the other: reservists, reserve troops."""
    if own[-1].stem in ALLIES.get(other[-1].stem, {other[-1].stem}):
        return True
    pairs = [*((own[-1], word) for word in other), *((other[-1], word) for word in own)]
    return any(a.stem[:_ROOT] == b.stem[:_ROOT] for a, b in pairs)


def _counted(fact: Fact, of: Ground) -> list[Word]:
    """The noun in the plural that a number counts, with what is before it: 44 soldiers, 44 Italian soldiers."""
    assert isinstance(fact.value, Quantity)
    words = [fact.words[-1]]
    while not fact.value.unit and not fact.value.measure and (following := _adjacent(words[-1], of)):
        words.append(following)
        if following.text.endswith("s"):
            return words[1:] if following.text.islower() else []
    return []


def _with_units(check: Check, stated: Quantity, numbers: Sequence[Fact]) -> Check:
    """The check with the units of measures, and with the conversion of one that is in another unit."""
    found = next((f.value for f in numbers if f.text == check.found and isinstance(f.value, Quantity)), None)
    if not stated.measure or not found or stated.measure == found.measure:
        return check
    return Check(check.kind, stated.whole, conversion(found, stated), check.passed)


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
    """Whether it is the sum of two numbers of a sentence, the points between two shares, or half of what is halved."""
    numbers = [(f.value, f.words[0].sentence) for f in cited.by_kind["number"] if isinstance(f.value, Quantity)]
    if stated.unit == "pp":
        shares = [(number.low, sentence) for number, sentence in numbers if number.unit == "%"]
        return any(abs(a - b) == stated.low and x == y for (a, x), (b, y) in combinations(shares, 2))
    exact = [(number.low, sentence) for number, sentence in numbers if number.exact and number.unit == stated.unit]
    if any(number.text.lower() == "half" for number, _ in numbers) and any(a == 2 * stated.low for a, _ in exact):
        return True
    pairs = combinations(exact, 2) if stated.low >= _LEAST_SUM else ()
    return any(a + b == stated.low and first == second for (a, first), (b, second) in pairs) or _is_change(
        stated, cited
    )


def _is_change(stated: Quantity, cited: Ground) -> bool:
    """Whether it is how far an amount went: 1,700 for what rose from 5,400 to 7,100."""
    if stated.unit == "%":  # between two shares there are points
        return False
    for a, b in pairwise(cited.by_kind["number"]):
        first, last, told = a.value, b.value, _follows("from", a, cited) and _follows("to", b, cited)
        if told and isinstance(first, Quantity) and isinstance(last, Quantity) and first.unit == stated.unit:
            return last.unit == stated.unit and abs(first.low - last.low) == stated.low
    return False


def _follows(word: str, fact: Fact, of: Ground) -> bool:
    return any(w.text.lower() == word for w in of.before(fact.words[0], 1))


def _is_difference(fact: Fact, of: Ground) -> bool:
    """Whether it is how much more or less one thing is than another: three years shorter."""
    assert isinstance(fact.value, Quantity)
    end = fact.value.start + len(fact.value.whole)
    after = next((w.text.lower() for w in of.words if w.start >= end), "")
    return after.endswith("er") or after in ("more", "less")


def _may_count(stated: Quantity, other: object) -> bool:
    """Whether it is a small number in words, which may count what the evidence lists, unless that counts it itself."""
    return other is None and stated.exact and stated.high <= _MOST_LISTED and stated.text.isalpha()


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
