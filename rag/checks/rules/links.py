"""Checks that the evidence joins what a statement joins: this because of that, this after that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.checks.rules.contrasts import UNITS
from rag.checks.rules.facts import Ground
from rag.checks.rules.reading import Word, is_past, read_text
from rag.schema import Check, Span
from rag.text.sentences import sentences
from rag.text.speakers import SAYING
from rag.text.words import COUNTS, listed

_CAUSAL = re.compile(
    r"\b(?:because(?: of)?|due to(?! be\b)|owing to|as a result(?: of)?|therefore|thereby|thanks to|on account of|"
    r"consequently)\b",
    re.IGNORECASE,
)
_LOOSELY_CAUSAL = re.compile(
    rf"{_CAUSAL.pattern}|\b(?:amid|after|following|since|over|so|for|as|by|with|reason|caus(?:e[sd]?|ing)|given|"
    r"in the face of|out of|fear(?:s|ed|ing)?|prompt(?:s|ed|ing)?|led|lead(?:s|ing)?|response|retaliation|return|"
    r"to avoid|to prevent|in protest|thus|makes?|made|blam(?:e|ed|ing)|mean[st]?|drove|driv(?:e|en|ing)|behind|why|"
    r"result(?:s|ed|ing)?|trigger(?:s|ed|ing)?|forc(?:es?|ed|ing)|stem(?:s|med|ming) from)\b",
    re.IGNORECASE,
)
_AFTER = re.compile(r"\b(?:after|following)\b", re.IGNORECASE)
_BEFORE = re.compile(r"\b(?:before|prior to|ahead of)\b", re.IGNORECASE)
_ORDER = re.compile(rf"{_AFTER.pattern}|{_BEFORE.pattern}", re.IGNORECASE)
_SAID = re.compile(rf"\b(?:{SAYING})\W*$")
_SAYS = re.compile(rf"\b(?:{SAYING})\b")
_AUXILIARIES = listed("had has have was were set put cut hit shut")
"""With what a past tense is made of, and verbs that have no form of their own for it."""
_FEWEST, _COVERED = 2, 0.5
_END = rf"(?:(?:[$€£] ?)?(\d[\d,.]*(?<=\d)|(?:{'|'.join(COUNTS)})\b)|([A-Z][\w'’-]*))(?: [\w%]+){{0,2}}"
_FROM_TO = re.compile(rf"\bfrom {_END} to {_END}")
_TO_FROM = re.compile(rf"\bto {_END},? from {_END}")


def cause(statement: Ground, text: str, evidence: Sequence[str]) -> Iterator[Check]:
    """A check for a statement that gives a reason: a sentence of the evidence must join both of its sides."""
    found = _CAUSAL.search(text)
    if found:
        sides = _sides(statement, found, text)
        told = (s for passage in evidence for s in _split(passage) if _LOOSELY_CAUSAL.search(s.text))
        joined = any(not sides.left.isdisjoint(s.places) and not sides.right.isdisjoint(s.places) for s in told)
        yield Check("cause", found[0], found[0] if joined else None, joined)


def turned(text: str, evidence: Sequence[str]) -> Iterator[Check]:
    """A check for what goes from one number, day or place to another, if the evidence has it the other way round."""
    told = {ends for passage in evidence for ends in _ends(passage)}
    for first, last in _ends(text):
        if (last, first) in told and (first, last) not in told:
            yield Check("direction", f"from {first} to {last}", f"from {last} to {first}", False)


def _ends(text: str) -> Iterator[tuple[str, str]]:
    for pattern in (_FROM_TO, _TO_FROM):
        for found in pattern.finditer(text):
            first, last = (found[1] or found[2], found[3] or found[4])
            yield (first, last) if pattern is _FROM_TO else (last, first)


def order(statement: Ground, text: str, evidence: Sequence[str]) -> Iterator[Check]:
    """A check for a statement that tells what came before what, if the evidence has both.

    A sentence must have both in that order: by a word for it between them, or else as it tells them. In two sentences
    they may have come in any order.
    """
    found = _ORDER.search(text)
    sides = _sides(statement, found, text, near=True) if found else None
    if not found or not sides or not sides.left or not sides.right or _SAID.search(text[: found.start()]):
        return
    earlier, later = (sides.right, sides.left) if _AFTER.fullmatch(found[0]) else (sides.left, sides.right)
    parts = [s for passage in evidence for s in _split(passage)]
    told = [s for s in parts if _has(s, earlier) and _has(s, later)]
    if any(_is_ordered(s, earlier, later) for s in told):
        yield Check("sequence", found[0], found[0], True)
        return
    cues = [cue[0] for s in told for cue in _ORDER.finditer(s.text)]
    turned = cues[0] if len(cues) == 1 or (cues and sides.told) else None
    if (turned and text[: found.start()].strip()) or (
        sides.told and (told or (_tells_of(earlier, parts) and _tells_of(later, parts)))
    ):
        yield Check("sequence", found[0], turned, False)


def _tells_of(side: frozenset[str], parts: Sequence[_Sentence]) -> bool:
    return len(side) >= _FEWEST and any(_has(s, side) for s in parts)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The stems of the content words before a word that joins, and behind it; if it comes first, a comma parts them.

    The right side is told as an event if it has such a word and is in the past tense.
    """

    left: frozenset[str]
    right: frozenset[str]
    told: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Sentence:
    """A sentence, with the place of the first occurrence of each stem in it."""

    text: str
    places: dict[str, int]


@lru_cache(maxsize=1024)
def _split(passage: str) -> tuple[_Sentence, ...]:
    found = []
    for span in sentences(passage):
        text = passage[span.start : span.end]
        found.append(_Sentence(text, {w.stem: w.start for w in reversed(read_text(text).words)}))
    return tuple(found)


def _sides(ground: Ground, cue: re.Match[str], text: str, *, near: bool = False) -> _Sides:
    """Both sides of a word that joins; if `near`, only up to the next comma, and without numbers."""
    comma = text.find(",", cue.end())
    if not text[: cue.start()].strip() and comma >= 0:
        left, right = Span(comma, _end(text, comma + 1, near)), Span(cue.end(), comma)
    else:
        first = max(text.rfind(mark, 0, cue.start()) for mark in ",;") + 1 if near else 0
        left, right = Span(first, cue.start()), Span(cue.end(), _end(text, cue.end(), near))
    said = next((m.end() for m in _SAYS.finditer(text, left.start, left.end)), left.start) if near else left.start
    left = Span(said, left.end)
    before, after = ([w for w in ground.words if span.start <= w.start < span.end] for span in (left, right))
    return _Sides(_stems(before, near), _stems(after, near), _tells(after))


def _end(text: str, start: int, near: bool) -> int:
    return next((m.start() for m in re.finditer("[,;]", text) if near and m.start() > start), len(text))


def _stems(side: Sequence[Word], near: bool) -> frozenset[str]:
    return frozenset(w.stem for w in side if _says(w, near))


def _says(word: Word, near: bool) -> bool:
    return word.is_content and not (near and (word.stem[0].isdigit() or word.stem in UNITS))


def _tells(words: Sequence[Word]) -> bool:
    past = any(
        w.text.lower().split()[0] in _AUXILIARIES or (w.is_content and w.text.islower() and is_past(w.text))
        for w in words
    )
    return past and any(_says(w, True) for w in words)


def _has(sentence: _Sentence, side: frozenset[str]) -> bool:
    return sum(stem in sentence.places for stem in side) >= _COVERED * len(side)


def _is_ordered(sentence: _Sentence, earlier: frozenset[str], later: frozenset[str]) -> bool:
    """Whether a sentence has the one before the other, by its own word for that or else by how it tells them."""
    first, second = _middle(sentence, earlier - later), _middle(sentence, later - earlier)
    between = _ORDER.search(sentence.text)
    if between is None or not min(first, second) < between.start() < max(first, second):
        opening = between is not None and between.start() < min(first, second)
        return first < second or opening
    return (second < first) if _AFTER.fullmatch(between[0]) else (first < second)


def _middle(sentence: _Sentence, side: frozenset[str]) -> float:
    places = [place for stem, place in sentence.places.items() if stem in side]
    return sum(places) / len(places) if places else 0.0
