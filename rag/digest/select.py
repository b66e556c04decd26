"""Chooses the excerpts that tell most within a number of words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rag.digest.excerpts import Excerpt, Pool
from rag.digest.trim import trimmed
from rag.models.embeddings import Vector
from rag.text.names import names
from rag.text.quantities import quantities
from rag.text.relative_dates import moments
from rag.text.words import alike, words

_TITLE = re.compile(
    r"\b(?:President|Minister|Secretary|General|Ambassador|Chancellor|Director|King|Prince|Senator|Governor|Colonel|"
    r"Mullah|Mr|Mrs|Ms|Dr|Gen|Lt|Sen|Gov)\.? $"
)
# Who, how many, when, where: a summary is asked for these first.
PERSON, NUMBER, DATE, NAME, WORD = 2.0, 2.5, 1.0, 0.75, 0.08
_LENGTH, _SHORT = 0.75, 12
_SAME_WORDS, _CONTAINED = 0.6, 0.8
_REDUNDANCY = 0.35
_MOST_SWAPS, _MOST_SWAPPED, _WORTH_A_SWAP = 4, 150, 1.02
_POINTS = re.compile(r"\b(?:this|that|these|those|such) (?!week|month|year|morning|is|was|the|it)[a-z]{4,}")
_REFERS = re.compile(
    r"\b(?:that|this|it|them|those|there|so)\W*$|\b(?:after|about|of|on) (?:that|this)\b|"
    r"\b(?:next|same) day\b|\bhim\b"
)
_FIRST_PERSON = re.compile(r"\b(?:[Ww]e|[Oo]urs?|us)\b")
# What somebody says of what happened, in the place of what happened.
_SPEAKS = re.compile(
    r"(?:[^\s,.]+ ){0,6}?(?:said|says|told|added|wrote|called|blamed|asked|urged|regretted|condemned|welcomed|thanked|"
    r"praised|complained|warned|noted|insisted|stressed)\b(?! on\b)"
)
_POINTING, _WE, _SPEAKING = 0.7, 0.7, 0.75


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
        speaking = _SPEAKING if _SPEAKS.match(self.text) and not any(map(str.isdigit, self.text)) else 1.0
        return pointing * speaking * (_WE if _FIRST_PERSON.search(self.text) else 1.0)


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

    Maximum coverage of facts within a budget (Gillick and Favre 2009; Lin and Bilmes 2011): each step takes the most of
    what is new for its length, weighed by its score, less what it is like the chosen ones (maximal marginal relevance,
    Carbonell and Goldstein 1998); then each chosen one is put back as long as others in its room tell more. What nearly
    repeats one of them, or of `taken`, is left out.
    """
    choice = _Choice(pool, scores, [told(excerpt) for excerpt in pool.excerpts], budget)
    known = {fact for other in taken for fact in other.facts}
    repeated = {i for i, saying in enumerate(choice.saying) if any(_within(saying, other) for other in taken)}
    fits = first is not None and first not in repeated and choice.saying[first].length <= budget.words
    kept = [first] if first is not None and fits and budget.most > 0 else []
    return _improved(_filled(kept, choice, known, repeated), len(kept), choice, known, repeated)


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """What there is to choose from, and what of it fits."""

    pool: Pool
    scores: Vector
    saying: Sequence[Told]
    budget: Budget

    def worth(self, chosen: Sequence[int], known: Set[str]) -> float:
        """The weight of all facts that are told, each by the best score of those that tell it."""
        best: dict[str, float] = {}
        for i in chosen:
            for fact, weight in self.saying[i].facts.items():
                if fact not in known:
                    best[fact] = max(best.get(fact, 0.0), weight * float(self.scores[i]) * self.saying[i].clarity)
        return sum(best.values())


def _filled(kept: Sequence[int], choice: _Choice, known: Set[str], closed: Set[int]) -> list[int]:
    """Those that are kept, and the best that there is room for besides."""
    saying, chosen = choice.saying, list(kept)
    told_ = set(known).union(*(saying[i].facts for i in chosen))
    left = choice.budget.words - sum(saying[i].length for i in chosen)
    open_places = [i for i in range(len(saying)) if i not in closed and not _repeated(i, chosen, choice)]
    while len(chosen) < choice.budget.most:
        fitting = [i for i in open_places if saying[i].length <= left]
        if not fitting:
            break
        best = max(
            fitting, key=lambda i: (_gain(saying[i], told_) * choice.scores[i] * _new(i, choice.pool, chosen), -i)
        )
        chosen.append(best)
        open_places = [i for i in fitting if not _repeated(i, [best], choice)]
        told_ |= set(saying[best].facts)
        left -= saying[best].length
    return chosen


def _improved(chosen: list[int], fixed: int, choice: _Choice, known: Set[str], closed: Set[int]) -> list[int]:
    """The chosen ones with any of them, after the fixed first, replaced as long as all then tell more."""
    worth, rounds = choice.worth(chosen, known), 0
    weights = [_gain(saying, set(known)) * float(choice.scores[i]) for i, saying in enumerate(choice.saying)]
    low = set(sorted(range(len(weights)), key=lambda i: (-weights[i], i))[_MOST_SWAPPED:])
    while rounds < _MOST_SWAPS:
        swaps = [_filled([j for j in chosen if j != i], choice, known, closed | low | {i}) for i in chosen[fixed:]]
        best = max(swaps, key=lambda s: choice.worth(s, known), default=chosen)
        if choice.worth(best, known) <= worth * _WORTH_A_SWAP:
            break
        chosen, worth, rounds = best, choice.worth(best, known), rounds + 1
    return chosen


def _repeated(place: int, chosen: Sequence[int], choice: _Choice) -> bool:
    return any(place == j or repeats(place, j, choice.pool, choice.saying) for j in chosen)


def _gain(saying: Told, known: Set[str]) -> float:
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
