"""Chooses the excerpts that tell most within a number of words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rag.embeddings import Vector
from rag.excerpts import Excerpt, Pool
from rag.moments import moments
from rag.names import names
from rag.quantities import quantities
from rag.trimming import trimmed
from rag.words import alike, words

_TITLE = re.compile(
    r"\b(?:President|Minister|Secretary|General|Ambassador|Chancellor|Director|King|Prince|Senator|Governor|Colonel|"
    r"Mullah|Mr|Mrs|Ms|Dr|Gen|Lt|Sen|Gov)\.? $"
)
# Who, how many, when, where: a summary is asked for these first.
PERSON, NUMBER, DATE, NAME, WORD = 2.0, 2.5, 1.0, 0.75, 0.08
_LENGTH, _SHORT = 0.75, 12
_SAME_WORDS, _CONTAINED = 0.6, 0.8
_REDUNDANCY = 0.35
_POINTS = re.compile(r"\b(?:this|that|these|those|such) (?!week|month|year|morning|is|was|the|it)[a-z]{4,}")
_REFERS = re.compile(
    r"\b(?:that|this|it|them|those|there|so)\W*$|\b(?:after|about|of|on) (?:that|this)\b|"
    r"\b(?:next|same) day\b|\bhim\b"
)
_FIRST_PERSON = re.compile(r"\b(?:[Ww]e|[Oo]urs?|us)\b")
_POINTING, _WE = 0.7, 0.7


@dataclass(frozen=True, slots=True)
class Budget:
    """The most words, and the most excerpts, that may be chosen."""

    words: int
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What an excerpt says as it would be shown: its text, the number of its words, its stems, its facts."""

    text: str
    length: int
    stems: frozenset[str]
    facts: Mapping[str, float]

    @property
    def clarity(self) -> float:
        """1, or less if it points to what another sentence tells ("this area"), or does not say who "we" are."""
        pointing = _POINTING if _POINTS.search(self.text) or _REFERS.search(self.text) else 1.0
        return pointing * (_WE if _FIRST_PERSON.search(self.text) else 1.0)


def told(excerpt: Excerpt) -> Told:
    """What an excerpt says when it is shown without its joints."""
    return said(trimmed(excerpt.text))


@lru_cache(maxsize=8192)
def said(text: str) -> Told:
    """What a text says."""
    stems = frozenset(words(text))
    return Told(text, len(text.split()), stems, _facts(text, stems))


def choose(
    pool: Pool, scores: Vector, budget: Budget, *, first: int | None = None, taken: Sequence[Told] = ()
) -> list[int]:
    """The places of excerpts in the order in which they were chosen, from `first` on if it is given and it fits.

    Greedy maximum coverage of facts within a budget: each step takes the most of what is new for its length, weighed by
    its score (Gillick and Favre 2009; Lin and Bilmes 2011), less what it is like the chosen ones (maximal marginal
    relevance, Carbonell and Goldstein 1998). What nearly repeats one of them, or of `taken`, is left out.
    """
    saying = [told(excerpt) for excerpt in pool.excerpts]
    known = {fact for other in taken for fact in other.facts}
    chosen: list[int] = []
    left, open_places = budget.words, set(range(len(saying)))
    open_places -= {i for i in open_places if any(_within(saying[i], other) for other in taken)}
    while len(chosen) < budget.most:
        fitting = [i for i in sorted(open_places) if saying[i].length <= left]
        if not fitting:
            break
        best = max(fitting, key=lambda i: (_gain(saying[i], known) * scores[i] * _new(i, pool, chosen), -i))
        best = first if not chosen and first in fitting else best
        chosen.append(best)
        open_places -= {i for i in open_places if i == best or repeats(i, best, pool, saying)}
        known |= set(saying[best].facts)
        left -= saying[best].length
    return chosen


def _gain(saying: Told, known: set[str]) -> float:
    new = sum(weight for fact, weight in saying.facts.items() if fact not in known)
    return float(saying.clarity * new / max(saying.length, _SHORT) ** _LENGTH)


def _new(place: int, pool: Pool, chosen: Sequence[int]) -> float:
    if not chosen:
        return 1.0
    nearest = float((pool.vectors[list(chosen)] @ pool.vectors[place]).max())
    return 1 - _REDUNDANCY * max(0.0, nearest)


def repeats(place: int, other: int, pool: Pool, saying: Sequence[Told]) -> bool:
    """Whether one excerpt shares its text, or nearly all of its words, with another."""
    return _overlap(pool.excerpts[place], pool.excerpts[other]) or _within(saying[place], saying[other])


def _within(one: Told, other: Told) -> bool:
    if alike(one.stems, other.stems, _SAME_WORDS):
        return True
    fewer = min(len(one.stems), len(other.stems)) or 1
    return len(one.stems & other.stems) / fewer > _CONTAINED


def _overlap(one: Excerpt, other: Excerpt) -> bool:
    if one.article.id != other.article.id:
        return False
    return one.span.start < other.span.end and other.span.start < one.span.end


def _facts(text: str, stems: frozenset[str]) -> dict[str, float]:
    """What it tells, by weight: persons, numbers, dates, other names, and its other words."""
    found = dict.fromkeys(stems, WORD)
    for name in names(text):
        key = " ".join(words(name.text)[-1:])
        is_person = len(name.text.split()) > 1 or bool(_TITLE.search(text[: name.start]))
        found[key] = max(found.get(key, 0.0), PERSON if is_person else NAME)
    for amount in quantities(text):
        found[f"#{amount.low}{amount.unit}"] = NUMBER if any(map(str.isdigit, amount.text)) else WORD
    for moment in moments(text):
        found[f"@{moment.text.casefold()}"] = DATE
    return found


def lead(pool: Pool) -> Vector:
    """How near the start of its article each excerpt stands: 1 for its first words, less in a short article sooner."""
    lengths = [min(max(len(e.article.text), 500), 5000) for e in pool.excerpts]
    return np.array([1 / (1 + 2 * e.own / n) for e, n in zip(pool.excerpts, lengths, strict=True)], np.float32)
