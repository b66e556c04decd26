"""Checks that what a statement joins in a clause is joined in the evidence: a value, who has it, and what it is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from rag.checks.rules.contrasts import OPPOSITES
from rag.checks.rules.facts import Fact, Ground
from rag.checks.rules.matching import fits
from rag.checks.rules.namesakes import TITLES, alike, kind_of
from rag.checks.rules.reading import Word, is_past
from rag.checks.rules.wordvectors import rarity
from rag.schema import Check
from rag.text.words import listed, stem

_COVERED, _ELSEWHERE = 0.75, 0.4
"""The share of a clause's words that the nearest one has, and the most that the one with the value may have of it."""
_KINDS = ("number", "contrast")
_FEWEST = 2
_DETERMINERS = listed("the a an another his her its their")
_WITHIN, _COMPLEMENT = listed("of in at near"), listed("of in for at")
_NEXT, _BESIDE, _LONGEST = 1.0, 4.0, 8
_DONE = listed("was were is are been")
_PRONOUNS = listed("he she it they him her them who which that we i you")
_HOLDERS = frozenset(map(stem, TITLES | listed("head wife son")))
_OF_PEOPLE = ("er", "or", "ist", "ian", "man", "woman", "yst", "ant", "ent")


@dataclass(frozen=True, slots=True, eq=False)
class _Clause:
    """The words of a clause, with the stems of those that say something, and those of names."""

    words: tuple[Word, ...]
    stems: frozenset[str]
    named: frozenset[Word]

    @property
    def head(self) -> frozenset[str]:
        """The stems that it begins with: all of a name, or a noun behind its article or in the plural; else none."""
        opens = sum(w.text.lower() in _DETERMINERS for w in self.words[:1])
        first = self.words[opens] if len(self.words) > opens else None
        if first is None or not first.is_content or not first.text.isalpha() or first.stem in OPPOSITES:
            return frozenset()
        run = [first]
        for word in self.words[opens + 1 :] if first.text[0].isupper() else ():
            if not word.text[0].isupper() or word.place - run[-1].place > _NEXT:
                break
            run.append(word)
        is_noun = opens or len(run) > 1 or first.text.endswith("s") or first in self.named
        return frozenset(w.stem for w in run) if is_noun else frozenset()


@lru_cache(maxsize=512)
def _clauses(ground: Ground) -> dict[int, _Clause]:
    parted = ((number, tuple(words)) for number, words in groupby(ground.words, key=lambda w: w.clause))
    named = frozenset(w for name in ground.by_kind["name"] for w in name.words)
    return {n: _Clause(words, frozenset(w.stem for w in words if w.is_content), named) for n, words in parted}


def misplaced(statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for each value that stands in another clause of the evidence than what the statement says of it."""
    for fact in statement.facts:
        found = [f for f in cited.by_kind[fact.kind] if _is_same(fact, f)]
        clauses = _clauses(cited)
        own = [clauses[f.words[0].clause] for f in found]
        if not own or fact.kind not in _KINDS:
            continue
        other = (_owner if fact.kind == "number" else _opposite)(fact, own, statement, cited)
        if other:
            yield Check("role" if fact.kind == "number" else "direction", fact.text, other, False)


def _is_same(stated: Fact, found: Fact) -> bool:
    return stated.value == found.value if stated.kind == "contrast" else fits(stated, found)


def _opposite(fact: Fact, own: Sequence[_Clause], statement: Ground, cited: Ground) -> str | None:
    """What the clause with most of the statement's has in place of a value, which is in another one."""
    clause = _clauses(statement)[fact.words[0].clause]
    facts = [f for f in statement.by_kind[fact.kind] if f.words[0] in clause.words]
    rest = [w for w in clause.words if w.is_content and w not in fact.words and _nearest(w, facts) is fact]
    weights = {w.stem: rarity(w.text.lower()) for w in rest}
    if len(weights) < _FEWEST:
        return None

    def cover(other: _Clause) -> float:
        return sum(weight for s, weight in weights.items() if any(w in other.words for w in cited.at(s)))

    best = max(_clauses(cited).values(), key=cover)
    if cover(best) < _COVERED * sum(weights.values()) or max(map(cover, own)) > _ELSEWHERE * cover(best):
        return None
    against = OPPOSITES.get(str(fact.value), frozenset())
    return next((f.text for f in cited.by_kind["contrast"] if f.words[0] in best.words and f.value in against), None)


def _nearest(word: Word, facts: Sequence[Fact]) -> Fact:
    return min(facts, key=lambda f: min(abs(word.place - w.place) for w in f.words))


def _owner(fact: Fact, own: Sequence[_Clause], statement: Ground, cited: Ground) -> str | None:
    """Who has a number in the evidence, if that is another one than in the statement, of whom it says other things."""
    clause = _clauses(statement)[fact.words[0].clause]
    if not clause.head or any(clause.head & other.stems for other in own):
        return None
    if not any(clause.head & other.head for other in _clauses(cited).values()):
        return None
    heads = [other.head for other in own]
    if not all(heads) or any(head & clause.stems for head in heads):
        return None
    return next(w.text for w in own[0].words if w.stem in heads[0])


def patients(statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for each name to which something is done, if the evidence has that done, but to others each time."""
    for name in statement.by_kind["name"]:
        place = statement.order[name.words[-1]] + 1
        following = statement.words[place : place + 2]
        if len(following) < 2 or following[0].text.lower() not in _DONE or not is_past(following[1].text):
            continue
        told = [_sentence(w, cited) for w in cited.by_stem.get(following[1].stem, ()) if is_past(w.text)]
        if told and all(_is_of_others(name, words, cited) for words in told):
            yield Check("role", f"{name.text} {following[1].text}", None, False)


def _sentence(word: Word, ground: Ground) -> list[Word]:
    return [w for w in ground.words if w.sentence == word.sentence]


def _is_of_others(name: Fact, words: Sequence[Word], cited: Ground) -> bool:
    named = [f for f in cited.by_kind["name"] if f.words[0] in words]
    known = any(alike(name, f) for f in cited.by_kind["name"])
    return known and bool(named) and not any(alike(name, f) for f in named) and not any(map(_is_pronoun, words))


def _is_pronoun(word: Word) -> bool:
    return word.text.lower() in _PRONOUNS


@dataclass(frozen=True, slots=True)
class _Office:
    """What a name is called in an apposition: its noun, and the stems of what that is of."""

    name: Fact
    noun: str
    of: frozenset[str]

    def is_that_of(self, other: _Office) -> bool:
        """Whether it may be the same."""
        return self.noun == other.noun and (not self.of or not other.of or bool(self.of & other.of))


def holders(statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for each name that a statement calls what the evidence calls another one alone."""
    told = _offices(cited)
    plain = {w.stem for w in (*statement.words, *cited.words) if w.text.islower()}
    for stated in _offices(statement):
        if stated.noun not in plain | _HOLDERS:
            continue
        same = [office for office in told if stated.is_that_of(office)]
        if (
            same
            and not any(alike(stated.name, o.name) for o in same)
            and not _is_beside(stated.name, stated.noun, cited)
        ):
            yield Check("role", f"{stated.noun} {stated.name.text}", same[0].name.text, False)


def _is_beside(name: Fact, noun: str, cited: Ground) -> bool:
    named = [w for f in cited.by_kind["name"] if alike(name, f) for w in f.words]
    return any(abs(w.place - n.place) <= _BESIDE for w in cited.by_stem.get(noun, ()) for n in named)


@lru_cache(maxsize=512)
def _offices(ground: Ground) -> tuple[_Office, ...]:
    return tuple(office for name in ground.by_kind["name"] for office in _of(name, ground))


def _of(name: Fact, ground: Ground) -> Iterator[_Office]:
    if len(name.words) > 1 and (name.words[0].stem in _HOLDERS or len(name.words) > 2):
        yield _Office(name, name.words[0].stem, frozenset())
    first, last = ground.order[name.words[0]], ground.order[name.words[-1]]
    before = ground.words[max(0, first - _LONGEST) : first]
    if before and before[-1].is_content and name.words[0].place - before[-1].place <= _NEXT and _is_office(before[-1]):
        yield _Office(name, before[-1].stem, frozenset())
    elif before and _parts(before[-1], name.words[0]):
        opening = next((i for i, w in enumerate(before) if w.text.lower() in _DETERMINERS), len(before))
        yield from _called(name, before[opening:], whole=True)
    after = ground.words[last + 1 : last + 1 + _LONGEST]
    if after and _parts(name.words[-1], after[0]) and after[0].text.lower() in _DETERMINERS:
        yield from _called(name, after)


def _is_noun(word: Word) -> bool:
    return word.is_content and word.text.isalpha() and word.text.islower() and not word.text.endswith(("ed", "ing"))


def _is_office(word: Word) -> bool:
    """Whether it is what somebody can be: a title, or a noun made as those of people are."""
    return word.stem in _HOLDERS or (word.text[1:].islower() and word.text.endswith(_OF_PEOPLE))


def _parts(left: Word, right: Word) -> bool:
    """Whether a comma, and no more, is between two words."""
    return left.sentence == right.sentence and left.clause == right.clause and 2 < right.place - left.place < 3


def _called(name: Fact, words: Sequence[Word], *, whole: bool = False) -> Iterator[_Office]:
    """What a name is called in a phrase that begins with its article, up to the next comma; `whole` has none within."""
    run = list(words[:1])
    for word in words[1:]:
        if word.place - run[-1].place > _NEXT or word.clause != run[-1].clause:
            break
        run.append(word)
    end = next((i for i, w in enumerate(run) if w.text.lower() in _COMPLEMENT), len(run))
    if end > 1 and _is_noun(run[end - 1]) and not (whole and len(run) < len(words)):
        yield _Office(name, run[end - 1].stem, frozenset(w.stem for w in run[end + 1 :] if w.is_content))


def possessors(statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for each thing of a name, as in "the governor of Helmand": the evidence must not have that of another."""
    told = list(_belongings(cited))
    for stated in _belongings(statement):
        same = [b for b in told if (b.noun, b.preposition) == (stated.noun, stated.preposition)]
        if (
            same
            and not any(alike(stated.name, b.name) for b in same)
            and not _is_beside(stated.name, stated.noun, cited)
        ):
            yield Check("role", f"{stated.noun} {stated.preposition} {stated.name.text}", same[0].name.text, False)


@dataclass(frozen=True, slots=True)
class _Belonging:
    """A noun with a preposition and a name behind it."""

    noun: str
    preposition: str
    name: Fact


def _belongings(ground: Ground) -> Iterator[_Belonging]:
    for name in ground.by_kind["name"]:
        before = [w for w in ground.before(name.words[0], _BESIDE) if w.text.lower() != "the"]
        if kind_of(name, ground) == "country":
            continue
        near = [w for w in before[-2:] if name.words[0].place - w.place <= _BESIDE - 1]
        if len(near) > 1 and near[1].text.lower() in _WITHIN and _is_noun(near[0]):
            yield _Belonging(near[0].stem, near[1].text.lower(), name)
