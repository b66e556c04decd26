"""Compares each fact of a statement with the evidence, saying what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import combinations, pairwise, permutations

from rag.checks.rules.contrasts import ALLIES, OPPOSITES, UNITS
from rag.checks.rules.facts import Evidence, Fact, Ground, bind, surroundings
from rag.checks.rules.matching import NEAR, Compared, best, bound, decide, fits, free, is_placed, kind_of, paired
from rag.checks.rules.name_checks import check_name
from rag.checks.rules.reading import Word, is_past
from rag.checks.rules.wordvectors import RAREST, rarity, vector
from rag.schema import Check
from rag.text.quantities import CURRENCIES, Quantity, agree, bounds, comparable, conversion, leaves_open, limited
from rag.text.relative_dates import Moment, covers, overlap
from rag.text.words import COUNTRIES, listed, stem

_OPPOSED, _DENIED = 0.25, 1.2
"""The bind from which an opposite is taken to be said of the same thing; the ratio for what follows a denial."""
_DENYING = frozenset(map(stem, listed("deny confirm reject accept acknowledge refuse agree admit")))
_MOST_LISTED, _LEAST_SUM, _PARTITIVE_REACH = 5, 20, 4.0
_HALF, _TWICE = 50.0, ("twice", "double")
_ALIKE = 0.55
"""The likeness of two nouns from which they may be of the same thing: houses and homes, troops and soldiers."""
_FAR = 50
"""How many times another amount must be as large to be of something else, if the stated one is there too."""
_SAID = 0.7
"""The share of what a statement says around a value that the sentence of another value must have."""
_ROOT = 6
"""The letters that two words of one root share."""
_HARMED = frozenset(map(stem, listed("die kill injure wound")))
_EACH = listed("all every everyone everybody each whole entire both")
_NONE = listed("none no nobody neither never not without")
_LONGEST = 6  # words
_THE = listed("the its their his her these those")
_ANYBODY = frozenset(map(stem, listed("person people man men")))


def compare(text: str, evidence: Sequence[Evidence]) -> list[Check]:
    """A check for each number, date, name and contrast of a statement."""
    pair = paired(text, evidence)
    return [*_check_all(pair), *(check for fact in pair.statement.facts for check in _CHECKS[fact.kind](fact, pair))]


def is_of_the_same(check: Check, pair: Compared) -> bool:
    """Whether what a failed check of a number, date or name found is said of the same thing, in one sentence.

    That has most of what the statement says around the value, and all verbs in the past tense; a number counts the
    same, a name is of the same kind.
    """
    fact, other = _compared(check, pair)
    if not fact or not other or check.found == check.expected or not _is_said_around(fact, other, pair):
        return False
    if check.kind == "number":
        return _is_count_of_same(fact, other, pair)
    return check.kind != "name" or _slot(fact, pair.statement) == _slot(other, pair.cited)


def is_instead(check: Check, pair: Compared) -> bool:
    """Whether what it found is of the same thing, and no other value of the sentence could be meant."""
    fact, other = _compared(check, pair)
    if not fact or not other or not is_of_the_same(check, pair):
        return False
    beside = [f for f in pair.cited.by_kind[check.kind] if f.words[0].sentence == other.words[0].sentence]
    stated = [f for f in pair.statement.by_kind[check.kind] if f is not fact]
    rivals = [f for f in beside if not any(fits(s, f) for s in (other, fact, *stated))]
    if check.kind == "number":
        return not any(_is_rival(f, other, pair.cited) for f in rivals)
    if check.kind == "name":
        rivals = [f for f in rivals if _slot(f, pair.cited) == _slot(other, pair.cited)]
    return not rivals and not any(fits(s, other) for s in stated)


def _compared(check: Check, pair: Compared) -> tuple[Fact | None, Fact | None]:
    """The value that a check is of, and the one that it found."""
    found = check.found or ""
    fact = next((f for f in pair.statement.by_kind[check.kind] if check.expected.startswith(f.text)), None)
    others = [f for f in pair.cited.by_kind[check.kind] if found.startswith(f.text) or found.endswith(f.text)]
    return fact, max(others, key=lambda f: bound(fact, f, pair), default=None) if fact else None


def _is_said_around(fact: Fact, other: Fact, pair: Compared) -> bool:
    """Whether the sentence of another value has most content words of the one of a value, and all past tenses.

    What a number counts, and in which unit, is compared on its own.
    """
    is_number = isinstance(fact.value, Quantity)
    aside = {*(_counted(fact, pair.statement) if is_number else ()), *fact.words}
    unit = fact.value.whole.split() if isinstance(fact.value, Quantity) else []
    there = _stems_beside(other.words[0], pair.cited)
    around = [w for w in pair.statement.words if w.sentence == fact.words[0].sentence and w not in aside]
    own = [
        w for w in around if w.text not in unit and w.is_content and not w.stem[0].isdigit() and w.stem not in _ANYBODY
    ]
    missing = [w for w in own if there.isdisjoint({w.stem, *ALLIES.get(w.stem, ())})]
    return len(missing) <= (1 - _SAID) * len(own) and not any(w.text.islower() and is_past(w.text) for w in missing)


def _is_count_of_same(fact: Fact, other: Fact, pair: Compared) -> bool:
    """Whether two numbers are amounts of money, or of a measure, or stand before the same noun, or before none."""
    if not isinstance(fact.value, Quantity) or not isinstance(other.value, Quantity):
        return False
    own, there = _counted(fact, pair.statement), _counted(other, pair.cited)
    is_related = bool(own and there and _is_related(own, there))
    if (fact.value.measure and other.value.measure) or {fact.value.unit, other.value.unit} <= CURRENCIES:
        return True
    is_same = is_related or _noun(fact, pair.statement) == _noun(other, pair.cited)
    return is_same and comparable(fact.value, other.value)


def _is_rival(fact: Fact, other: Fact, of: Ground) -> bool:
    """Whether a number could be meant as well as another one."""
    if not isinstance(fact.value, Quantity) or not isinstance(other.value, Quantity):
        return False
    return comparable(fact.value, other.value) and _noun(fact, of) == _noun(other, of)


def _noun(number: Fact, of: Ground) -> str | None:
    """What a number stands before, other than people, or what is said of them: nine people died, seven died."""
    head = _head(number, of)
    return None if head in _ANYBODY | _HARMED else head


def _slot(name: Fact, of: Ground) -> tuple[bool, str]:
    return is_placed(name, of), kind_of(name, of)


def _check_all(pair: Compared) -> Iterator[Check]:
    """A check of each word for all or none of something of which the evidence has a number, and no such word."""
    if any(w.text.lower() in _EACH | _NONE for w in pair.cited.words):
        return
    numbers = [f.words for f in pair.cited.by_kind["number"] if _is_some(f, pair.cited)]
    counted = [run for words in numbers if (run := [*words, *_quantified(words[-1], pair.cited)])]
    for word in (w for w in pair.statement.words if w.text.lower() in _EACH | _NONE):
        meant = _quantified(word, pair.statement)
        if word.text.lower() in _EACH and any(w.stem[0].isdigit() for w in meant):
            continue  # all nine: the number has a check of its own
        stems = {w.stem for w in meant if w.is_content and not w.stem[0].isdigit()}
        rest = {w.stem for w in pair.statement.words if w.is_content} - stems
        same = (run for run in counted if not stems.isdisjoint(w.stem for w in run))
        if found := next((run for run in same if not rest.isdisjoint(_stems_beside(run[0], pair.cited))), None):
            yield Check("quantity", _joined([word, *meant]), _joined(found), False)


def _quantified(word: Word, of: Ground) -> list[Word]:
    """The words behind one that counts, as far as what it counts: all | of the Afghan interpreters."""
    found: list[Word] = []
    for after in of.words[(first := of.order[word] + 1) : first + _LONGEST]:
        links = after.text.lower() in _THE | {"of"}
        if after.place - (found[-1] if found else word).place > 1 or not (links or after.is_content):
            break
        found.append(after)
    return found


def _stems_beside(word: Word, of: Ground) -> frozenset[str]:
    return frozenset(w.stem for w in of.words if w.sentence == word.sentence)


def _joined(words: Sequence[Word]) -> str:
    return " ".join(w.text for w in words)


def _is_some(number: Fact, of: Ground) -> bool:
    """Whether it may be a part of what there is: "the 40 passengers" are all of them."""
    before = of.before(number.words[0], 1.1)[-1:]
    return not (before and before[0].text.lower() in _THE)


def _check_date(fact: Fact, pair: Compared) -> Iterator[Check]:
    """A check of a date, unless it cannot be compared."""
    stated = fact.value
    assert isinstance(stated, Moment)
    dates = [f for f in pair.cited.by_kind["date"] if isinstance(f.value, Moment)]
    fitting = [f for f in dates if isinstance(f.value, Moment) and covers(stated, f.value)]
    rivals = [f for f in dates if not isinstance(f.value, Moment) or not overlap(stated, f.value)]
    published = _publication(stated, pair)
    if not fitting and published and not any(bound(fact, f, pair) > 3 * NEAR for f in dates):
        yield Check("date", fact.text, str(published), True)
    elif fitting or not any(_incomparable(stated, f.value) for f in rivals if isinstance(f.value, Moment)):
        yield decide(fact, fitting, rivals, pair)


def _publication(stated: Moment, pair: Compared) -> date | None:
    """The day of publication of one of the articles, if the date is that."""
    return next((day for day in pair.published if any(p.first <= day <= p.last for p in stated.periods)), None)


def _incomparable(a: Moment, b: Moment) -> bool:
    """Whether one of them is relative to a day that is not known, and the other is not."""
    return bool(a.periods) != bool(b.periods)


def _check_direction(fact: Fact, pair: Compared) -> Iterator[Check]:
    """A check of such a word, if the evidence has one that excludes it."""
    said = fact.words[0].stem
    opposites = pair.cited.by_kind["contrast"]
    fitting = [f for f in opposites if f.value in ALLIES[said]]
    against = [f for f in opposites if f.value in OPPOSITES[said]]
    if fitting and against:
        decided = (_denied if said in _DENYING else decide)(fact, fitting, against, pair)
        yield Check("direction", decided.expected, decided.found, decided.passed)
        return
    opposed = best(fact, free(fact, against, pair), pair)
    if opposed and opposed.bind > _OPPOSED and not pair.cited.by_stem.get(said):
        yield Check("direction", fact.text, opposed.fact.text, False)


def _denied(fact: Fact, fitting: Sequence[Fact], against: Sequence[Fact], pair: Compared) -> Check:
    """A check of what follows a verb such as to deny, since who does may do both."""
    near = [n for n in surroundings(fact, pair.statement, pair.cited) if not n.leads]
    own = max(bind(near, f.words) for f in fitting)
    other = max(against, key=lambda f: bind(near, f.words))
    denied = bind(near, other.words) > max(own * _DENIED, NEAR)
    return Check(fact.kind, fact.text, other.text if denied else fact.text, not denied)


def _check_number(fact: Fact, pair: Compared) -> Iterator[Check]:
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
    rivals = [f for f in rivals if not any(_is_later(own, f, pair.cited) for own in fitting)]
    counted = next(
        (f for f in rivals if _counts_the_same(fact, f, fitting, pair) or _owns(f, fact, fitting, pair)), None
    )
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
    return head is not None and _head(found, pair.cited) in ALLIES.get(head, {head}) and bounds(stated, other)


def _left_out(stated: Quantity, fitting: Sequence[Fact]) -> str | None:
    """The bound that the evidence gives wherever it has the number, if the statement gives the number as exact."""
    found = [limited(f.value) for f in fitting if isinstance(f.value, Quantity)]
    return found[0] if found and all(found) and not stated.bound else None


def _is_apart(fact: Fact, found: Fact, fitting: Sequence[Fact], pair: Compared) -> bool:
    """Whether another number does not exclude this one: it counts something else, is a bound, or the whole."""
    assert isinstance(fact.value, Quantity)
    if isinstance(found.value, Quantity) and (
        leaves_open(fact.value, found.value) or (fitting and _is_far(fact.value, found.value))
    ):
        return True
    own, other = _counted(fact, pair.statement), _counted(found, pair.cited)
    if not own or not other or _is_related(own, other):
        return _has_part(found, fitting, pair.cited)
    noun, another = own[-1].text.lower(), other[-1].text.lower()
    return max(rarity(noun), rarity(another)) >= RAREST or float(vector(noun) @ vector(another)) < _ALIKE


def _is_far(stated: Quantity, found: Quantity) -> bool:
    """Whether an amount is of another size: 24.50 euros a share and 4.9 billion euros for all."""
    small, large = sorted((stated.high, found.high))
    return large > _FAR * small > 0


def _is_related(own: Sequence[Word], other: Sequence[Word]) -> bool:
    """Whether two nouns say the same, or one has the root of the other: reservists, reserve troops."""
    if own[-1].stem in ALLIES.get(other[-1].stem, {other[-1].stem}):
        return True
    pairs = [*((own[-1], word) for word in other), *((other[-1], word) for word in own)]
    return any(a.stem[:_ROOT] == b.stem[:_ROOT] for a, b in pairs)


def _counted(fact: Fact, of: Ground) -> list[Word]:
    """The noun in the plural that a number counts, with what is before it: 44 soldiers, 44 Italian servicemen."""
    assert isinstance(fact.value, Quantity)
    words = [fact.words[-1]]
    while not fact.value.unit and not fact.value.measure and (following := _adjacent(words[-1], of)):
        words.append(following)
        if following.text.endswith(("s", "men", "children")):
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
    """Whether it comes from two numbers: their sum or difference, in one sentence, or the one's share of the other.

    Between two shares there are points, no percent.
    """
    told = [(f.words[0].sentence, v) for f in cited.by_kind["number"] if isinstance(v := f.value, Quantity) and v.exact]
    if _is_share_in_words(stated):
        parts = [value for _, value in told if value.low > 0]
        doubled = stated.low == _HALF and any(w.text.lower() in _TWICE for w in cited.words)
        return doubled or any(_has_share(stated, a, b) for a, b in permutations(parts, 2))
    if any(v.text.lower() == "half" for _, v in told) and any(
        v.low == 2 * stated.low and comparable(stated, v) for _, v in told
    ):
        return True
    unit = replace(stated, unit="%") if stated.unit == "pp" else stated
    pairs = [
        (a, b) for (x, a), (y, b) in combinations(told, 2) if x == y and comparable(unit, a) and comparable(unit, b)
    ]
    if stated.low < _LEAST_SUM and len(pairs) > 1:
        return False
    apart = stated.unit != "%" and any(abs(a.low - b.low) == stated.low for a, b in pairs)
    return apart or (stated.low >= _LEAST_SUM and any(a.low + b.low == stated.low for a, b in pairs))


def _is_share_in_words(stated: Quantity) -> bool:
    return stated.unit == "%" and not any(c.isdigit() for c in stated.text)


def _has_share(stated: Quantity, part: Quantity, whole: Quantity) -> bool:
    """Whether a number is the stated share of another one: two of four are half."""
    share = 100 * part.low / whole.low
    found = replace(stated, low=share, high=share, bound="", measure=None)
    return comparable(part, whole) and (agree(stated, found, about=stated.bound == "about") or bounds(stated, found))


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


def _owns(other: Fact, fact: Fact, fitting: Sequence[Fact], pair: Compared) -> bool:
    """Whether the part of the sentence with another number has all that is said of this one, and none with this one."""
    own, here = _said_of(fact, pair.statement), [_said_of(f, pair.cited) for f in fitting]
    if len(own) <= (not fitting) or not own <= _said_of(other, pair.cited) or not free(fact, [other], pair):
        return False
    beside = all(f.words[0].sentence == other.words[0].sentence for f in fitting)
    return beside and not any(own <= words for words in here)


def _is_later(number: Fact, other: Fact, of: Ground) -> bool:
    """Whether a sentence says what another number came to: twelve at first, and then it rose to 34."""
    reached = [any(w.text.lower() == "to" for w in of.before(f.words[0], 1.1)) for f in (number, other)]
    return number.words[0].sentence == other.words[0].sentence and reached == [True, False]


def _said_of(number: Fact, of: Ground) -> frozenset[str]:
    """The stems of the content words of its part of a sentence, between commas and conjunctions."""
    first = last = of.order[number.words[0]]
    while first and of.words[first].place - of.words[first - 1].place <= 1:
        first -= 1
    while last + 1 < len(of.words) and of.words[last + 1].place - of.words[last].place <= 1:
        last += 1
    return frozenset(w.stem for w in of.words[first : last + 1] if w.is_content and not w.stem[0].isdigit())


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


_CHECKS = {"number": _check_number, "date": _check_date, "name": check_name, "contrast": _check_direction}
