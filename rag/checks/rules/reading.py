"""Reads a text as words with their distances, polarity and force."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from rag.text.sentences import sentences
from rag.text.words import PHRASAL, STOP_WORDS, base, listed, stem


class Force(IntEnum):
    """How firmly something is said to be so, the weakest last."""

    FACT = 0
    SET = 1
    PLAN = 2
    MAYBE = 3
    CLAIM = 4
    UNKNOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """A word, characters `start` up to, not including, `end` of its text.

    `place` grows by 1 a word, and by more over punctuation, conjunctions and ends of sentences, so that the difference
    of two is how far apart they are in sense. `sentence` and `clause` are numbers.
    """

    text: str
    stem: str
    start: int
    end: int
    place: float
    sentence: int
    clause: int
    negated: bool
    force: Force

    @property
    def is_content(self) -> bool:
        """Whether it is not a stop word."""
        return self.stem not in STOP_WORDS


@dataclass(frozen=True, slots=True, eq=False)
class ReadText:
    """A text and its words."""

    text: str
    words: tuple[Word, ...]


_WORD = re.compile(
    rf"\b(?i:{'|'.join(PHRASAL)})\b|"
    r"\bUnited States(?: of America)?\b|\bUnited Kingdom\b|\b(?:[A-Z]\.){2,}|\b[A-Z]\.[A-Z]\b|"
    r"[^\W_]+(?:[.,]\d+)*(?:['’](?!s\b)[^\W_]+)?"
)
_COUNTRIES = {"united states": "usa", "united states of america": "usa", "us": "usa", "usa": "usa"} | dict.fromkeys(
    ("united kingdom", "uk"), "britain"
)
_GAPS = ((re.compile(r"[;:—–()]| - "), 3.0), (re.compile(","), 1.5))
_CONJUNCTIONS = dict.fromkeys(("and", "or", "as"), 1.0) | dict.fromkeys(
    listed("but while whereas although though because after before when which who since until unless"), 2.0
)
_SENTENCE = 12.0
_STRONG = re.compile("[;:—–]")
_PARTING = listed("but while whereas although")

NEGATORS = listed("not no never neither nor none nobody nothing without cannot nowhere")
NEGATING = frozenset(map(stem, listed("deny refuse decline fail reject unable avert avoid")))
"""Stems that negate what follows them."""
_DETERMINERS = listed("the a an this that these those his her its their our my your")
"""What is refused, rejected or denied as a thing is there: the offer that they refused."""
_NEGATING_PAIRS = frozenset({("yet", "to"), ("short", "of"), ("no", "longer")})
_NOT_ONLY = listed("only just least doubt")
_SCOPE, _CLAUSE = 7, 14
_QUANTIFIERS = listed("none nobody nothing neither no")
_ASKED = frozenset(map(stem, listed("say know ask tell sure clear see decide wonder")))
_ASKING = listed("whether when how why where")

_SET = listed("will would shall 'll vow pledge promise agree")
_PLANS = listed("""
    intend plan hope aim expect offer want seek try must should urge
    demand call propose consider threaten prepare order decide ready willing
""")
_MAYBES = listed("may might could possible possibly perhaps likely unlikely probably potentially")
_CLAIMED = listed(
    "reportedly allegedly alleged purportedly purported apparently suspected rumored believed unconfirmed"
)
_FORCES = {
    stem(w): force for force, words in ((Force.PLAN, _PLANS), (Force.MAYBE, _MAYBES), (Force.SET, _SET)) for w in words
}
_HAVE = listed("has have yet")
"""With "to", what is not done yet: it has to be ratified."""
_TOLD = listed("said believed thought reported rumored alleged")
_LASTS = 6
_UNTIL = listed("until till unless once")
"""What follows them has not happened, unless it is in the past tense."""


def is_past(word: str) -> bool:
    """Whether it has the form of a past tense or of a participle of it."""
    lowered = word.lower().split()[0]
    return lowered.endswith("ed") or (base(lowered) != lowered and not lowered.endswith(("s", "ing")))


@lru_cache(maxsize=4096)
def read_text(text: str) -> ReadText:
    """The reading of a text."""
    return ReadText(text, tuple(_words(text)))


def _words(text: str) -> Iterator[Word]:
    place, clause = 0.0, 0
    for number, span in enumerate(sentences(text)):
        scope, clause = _Scope(), clause + 1
        end = span.start
        for match in _WORD.finditer(text, span.start, span.end):
            gap, lowered = text[end : match.start()], match[0].casefold()
            place += 1 + _gap_cost(gap) + _CONJUNCTIONS.get(lowered, 0.0)
            clause += _parts(gap, lowered, scope.last)
            root = _stem(match[0])
            scope = scope.after(gap, lowered)
            force = Force.FACT if scope.awaits and is_past(lowered) else scope.force
            yield Word(match[0], root, match.start(), match.end(), place, number, clause, scope.negates > 0, force)
            scope = scope.opened(lowered, root)
            end = match.end()
        place += _SENTENCE


def _stem(written: str) -> str:
    lowered = written.casefold().replace("’", "'")
    if lowered in PHRASAL:
        return stem(PHRASAL[lowered])
    bare = lowered.rstrip(".").replace(".", "") if "." in lowered and not lowered[0].isdigit() else lowered
    if bare in _COUNTRIES and (bare != "us" or written != lowered):
        return _COUNTRIES[bare]
    return stem(bare)


def _parts(gap: str, lowered: str, last: str) -> bool:
    """Whether a clause ends between two words."""
    return lowered in _PARTING or (lowered == "that" and last == "and") or bool(_STRONG.search(gap))


def _gap_cost(gap: str) -> float:
    return sum(cost for pattern, cost in _GAPS if pattern.search(gap))


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the words so far say of the next one: for how many words it is negated, and how firmly it is said."""

    negates: int = 0
    force: Force = Force.FACT
    lasts: int = 0
    last: str = ""
    awaits: bool = False
    denies: bool = False

    def after(self, gap: str, lowered: str) -> _Scope:
        """The scope over the next word: a strong break or a conjunction ends it, each word shortens it."""
        if _parts(gap, lowered, self.last):
            return _Scope(last=self.last)
        if (lowered == "and" or lowered in _DETERMINERS) and stem(self.last) in NEGATING:
            return _Scope(0, self.force, self.lasts, self.last, self.awaits)
        lasts = self.lasts - (2 if "," in gap else 1)
        negates = self.negates - (4 if "," in gap else 1)
        return _Scope(
            max(0, negates),
            self.force if lasts > 0 else Force.FACT,
            max(0, lasts),
            self.last,
            self.awaits and lasts > 0,
            self.denies and negates > 0,
        )

    def opened(self, lowered: str, root: str) -> _Scope:
        """The scope with what this word itself opens."""
        if lowered == "whether" or (lowered == "if" and stem(self.last) in _ASKED):
            return _Scope(0, Force.UNKNOWN, _CLAUSE, lowered)
        if lowered in _UNTIL or lowered == "if" or (lowered == "should" and not self.last):
            return _Scope(0, Force.PLAN, _CLAUSE, lowered, lowered in _UNTIL)
        opens = self._opens(lowered, root)
        negates = self._negation(lowered, root)
        denies = negates > 0 and (root in NEGATING or self.denies)
        if opens is None or opens < self.force:
            return _Scope(negates, self.force, self.lasts, lowered, self.awaits, denies)
        return _Scope(negates, opens, _LASTS, lowered, denies=denies)

    def _negation(self, lowered: str, root: str) -> int:
        """For how many words it negates from here on; two negations make none."""
        if (self.last in NEGATORS and lowered in _NOT_ONLY) or lowered in _ASKING:
            return 0
        if root in NEGATING and self.negates:
            return 0
        if lowered in _QUANTIFIERS or (lowered == "that" and (self.denies or stem(self.last) in NEGATING)):
            return _CLAUSE
        opens = _negates(lowered, root) or (self.last, lowered) in _NEGATING_PAIRS
        return _SCOPE if opens else self.negates

    def _opens(self, lowered: str, root: str) -> Force | None:
        if lowered == "to" and self.last in _HAVE:
            return Force.PLAN
        if lowered in _CLAIMED or (lowered == "to" and self.last in _TOLD):
            return Force.CLAIM
        if lowered.endswith("ed") and (not self.last or self.last in _DETERMINERS):  # the planned operations
            return None
        return None if lowered == "order" else _FORCES.get(root)


def _negates(lowered: str, root: str) -> bool:
    return lowered in NEGATORS or root in NEGATING or lowered.endswith(("n't", "n’t"))
