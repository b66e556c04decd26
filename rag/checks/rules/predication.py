"""Compares the way in which a statement says a thing with that of its evidence: denied, done, planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.checks.rules.facts import Fact, Ground, bind, surroundings
from rag.checks.rules.reading import NEGATING, NEGATORS, Force, Word, is_past
from rag.schema import Check
from rag.text.calendar import WEEKDAYS
from rag.text.words import UNITS, listed, stem

_FORCE_NAMES = {
    Force.FACT: "done",
    Force.SET: "certain",
    Force.PLAN: "planned",
    Force.MAYBE: "possible",
    Force.CLAIM: "claimed",
    Force.UNKNOWN: "not known",
}
_PHRASE_REACH = 4.0
_NEAR, _NEARLY = 0.12, 0.6
_NEGATION_REACH, _NEGATED_WITHIN = 9.0, 7
_LIGHT = listed("among also yet even ever one any anyone anything longer single immediately further so much")
_NEGATIVES = listed("""
    unsure unable unknown unclear unwilling unlikely uncertain unconfirmed lack absence absent forbid ban prohibit
    dismiss only except exclude prevent stop halt instead rather fewer few less oppose avoid miss empty abandon lose
    ignore illegal impossible little unchanged until unless nor loss dispute contest block bar quit
""")
_NEGATIVE = frozenset(map(stem, _NEGATIVES))
_COMPARING = listed("fewer less more later longer")
_SAYING = frozenset(map(stem, listed("say tell")))
_MODALS = listed("will would shall may might could")
_REQUESTING = frozenset(map(stem, listed("ask tell beg press")))
_ACHIEVED = listed("managed began started")
_CERTAIN = listed(
    "certainly definitely surely undoubtedly inevitably bound settled obliged guaranteed undertaken proved"
)
_PEOPLE = listed("people men women children")
_SOONER = listed("before until till")
_ADJECTIVAL = listed("""
    be to the a an of in on at by for with from and or its their his her this that these those
""")


@dataclass(frozen=True, slots=True)
class _Pair:
    """A word of a statement, and the words of the evidence that it can be taken from, the nearest first."""

    stated: Word
    cited: tuple[Word, ...]


def polarity(statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for each word that the evidence negates, and the statement does not, or the reverse.

    A statement may deny in words of its own what the evidence tells ("not one was spared"), so only "not" and "never"
    count, before a word of evidence that denies nothing.
    """
    for head in _negated(statement):
        pair = None if _has_negation(cited.words) else _paired(head, statement, cited)
        if pair and any(_is_not(w) for w in statement.before(head, _PHRASE_REACH)) and not _is_pending(head, statement):
            yield Check("negation", f"not {head.text}", pair.cited[0].text, False)
    for head in _negated(cited):
        pair = _paired(head, cited, statement)
        stated = pair.cited[0] if pair else None
        if (
            stated
            and not stated.negated
            and not _is_around_negation(stated, statement)
            and not _is_bounded(head, cited)
        ):
            back = _paired(stated, statement, cited)
            if back and back.cited[0] is head:
                yield Check("negation", stated.text, f"not {head.text}", False)


def _is_pending(word: Word, ground: Ground) -> bool:
    return any(w.text.lower() == "yet" for w in _clause_of(word, ground))


def _is_bounded(word: Word, ground: Ground) -> bool:
    """Whether what is denied is only that it is so sooner: it will not begin before June."""
    i = ground.order[word]
    near = (w for w in ground.words[i + 1 : i + 4] if w.clause == word.clause)
    return any(w.text.lower() in _SOONER for w in near)


def force(statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for each verb that is said to be done, planned or possible by one, and something else by the other."""
    for word in statement.words:
        if not _is_asserted(word, statement) or (word.negated and _is_pending(word, statement)):
            continue
        pair = _paired(word, statement, cited)
        if pair and not any(_as_firm(word, w, cited) or _is_counted(w, cited) for w in pair.cited):
            seen = pair.cited[0]
            expected, found = _FORCE_NAMES[word.force], _FORCE_NAMES[seen.force]
            yield Check("modality", f"{word.text} ({expected})", f"{seen.text} ({found})", False)
    sure = next((w for w in statement.words if w.text.lower() in _CERTAIN and not w.negated), None)
    if sure and not any(w.text.lower() in _CERTAIN or w.stem == sure.stem for w in cited.words):
        yield from _unsure(sure, statement, cited)


def _unsure(sure: Word, statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for a word that makes a thing certain which the evidence calls planned, possible or claimed."""
    for word in statement.words:
        pair = _paired(word, statement, cited) if word.is_content and abs(word.place - sure.place) < 9 else None
        if pair and pair.cited[0].force > Force.FACT:
            found = _FORCE_NAMES[pair.cited[0].force]
            yield Check("modality", f"{sure.text} {word.text}", f"{pair.cited[0].text} ({found})", False)
            return


@lru_cache(maxsize=512)
def _negated(ground: Ground) -> tuple[Word, ...]:
    """The first content word after each negator."""
    return tuple(_after_negators(ground))


def _after_negators(ground: Ground) -> Iterator[Word]:
    for i, word in enumerate(ground.words):
        if word.text.lower() in _COMPARING:
            continue
        if word.negated and (i == 0 or not ground.words[i - 1].negated or _is_negator(ground.words[i - 1])):
            following = [
                w
                for w in ground.words[i : i + _NEGATED_WITHIN]
                if w.negated and (w.is_content or w.stem in _SAYING) and not _is_light(w) and not _is_number_or_day(w)
            ]
            yield from following[:1]
        if word.negated and i and ground.words[i - 1].text.lower() == "been" and is_past(word.text):
            yield word


def _is_not(word: Word) -> bool:
    return word.text.lower() in ("not", "never", "cannot") or word.text.lower().endswith(("n't", "n’t"))


def _is_negator(word: Word) -> bool:
    return word.text.lower() in NEGATORS or word.stem in NEGATING or _is_not(word)


def _has_negation(words: Sequence[Word]) -> bool:
    return any(_is_negator(w) or w.stem in _NEGATIVE for w in words)


def _is_light(word: Word) -> bool:
    return word.text.lower() in _LIGHT or word.text.endswith("ly")


def _is_number_or_day(word: Word) -> bool:
    return word.stem[0].isdigit() or word.text.lower() in WEEKDAYS


def _is_around_negation(word: Word, ground: Ground) -> bool:
    """Whether something near it in its clause negates, or is negative and comes before it."""
    near = [w for w in _clause_of(word, ground) if abs(w.place - word.place) <= _NEGATION_REACH and w is not word]
    return any(_is_negator(w) for w in near) or _has_negation([w for w in near if w.place < word.place])


def _clause_of(word: Word, ground: Ground) -> list[Word]:
    return [w for w in ground.words if w.clause == word.clause]


def _is_asserted(word: Word, ground: Ground) -> bool:
    """Whether a word is a past tense or participle after a noun or auxiliary, or the verb that a modal is about."""
    if not word.is_content or not word.text.islower() or not word.stem.isalpha() or word.text in _PEOPLE:
        return False
    before = [w.text.lower() for w in ground.before(word, _PHRASE_REACH)]
    if not before:
        return False
    if word.force is Force.FACT:
        done = before[-1] == "to" and not _ACHIEVED.isdisjoint(before[-2:])
        return done or (is_past(word.text) and before[-1] not in _ADJECTIVAL)
    return before[-1] in _MODALS or (before[-1] in ("to", "be") and _opens_force(word, ground))


def _opens_force(word: Word, ground: Ground) -> bool:
    before = ground.before(word, _PHRASE_REACH)[-2:]
    return len(before) > 1 and before[0].force < word.force


def _as_firm(stated: Word, found: Word, cited: Ground) -> bool:
    """Whether the evidence says it as firmly; an infinitive is a plan whatever stands before it."""
    before = cited.before(found, _PHRASE_REACH)
    infinitive = bool(before) and before[-1].text.lower() == "to"
    if stated.force is Force.FACT and infinitive and any(w.stem in _REQUESTING for w in before):
        return False
    return stated.force >= found.force or found.negated or (stated.force is Force.PLAN and infinitive)


def _is_counted(word: Word, ground: Ground) -> bool:
    """Whether a number stands before it, so that it is a noun: nine votes."""
    return any(w.stem[0].isdigit() or w.text.lower() in UNITS for w in ground.before(word, 1))


def _paired(word: Word, own: Ground, other: Ground) -> _Pair | None:
    """The word with the other text's occurrences of it whose surroundings are nearest, if any are near."""
    found = other.at(word.stem)
    near = surroundings(Fact("word", word.text, word.text, (word,)), own, other) if found else []
    bound = {w: bind(near, (w,)) for w in found}
    best = max(bound.values(), default=0.0)
    if best < _NEAR:
        return None
    ranked = sorted(found, key=lambda w: -bound[w])
    return _Pair(word, tuple(w for w in ranked if bound[w] >= _NEARLY * best))
