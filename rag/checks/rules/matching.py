"""Decides which fact of the evidence a fact of a statement matches, by the words around both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from rag.checks.rules.facts import Evidence, Fact, Ground, bind, ground, surroundings
from rag.schema import Check
from rag.text.names import same
from rag.text.quantities import Quantity, agree
from rag.text.relative_dates import Moment, covers
from rag.text.words import CAPITALS, COUNTRIES, listed

TITLES = listed("""
    president minister prime foreign secretary general ambassador spokesman spokeswoman spokesperson chief director
    commander senator governor mayor king queen prince chancellor chairman chairwoman captain colonel lieutenant major
    judge justice envoy admiral adm rear brigadier brig sergeant corporal inspector superintendent commissioner
    ministers deputy vice former acting sir lord professor doctor mr mrs ms dr gen lt col maj capt sen rep gov sgt
    mullah maulvi mawlawi sheikh haji hajji ex ceo cfo pm mp
""")
_PLACES = listed("island city town village port province district region state bridge")
_PLACED = listed("to into toward towards in at from near across on around outside inside through")
NEAR = 0.09
"""The bind from which another value is taken to be of the same thing."""
_RATIOS = {"number": 2.5, "date": 2.5, "name": 3.2, "contrast": 2.5}
"""How many times nearer another value must be to be what the evidence says instead."""
_NEAREST = {"name": 0.28}
"""The bind that another name must have, since many names stand near most things."""
_CLOSE, _CLOSER = 0.38, 2.0
_ALONE, _FAR = 0.14, 8.0
"""The bind and the ratio from which another value is meant whatever its kind."""
_MARGIN, _CROSSED = 0.04, 1.4
"""How much better two values must fit when they are exchanged."""


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A statement, the cited spans with the days of their publication, and what names may be looked up in.

    `known` is the spans with their headers, `sources` that with the articles around them.
    """

    statement: Ground
    cited: Ground
    published: tuple[date, ...]
    known: str
    sources: str


def paired(text: str, evidence: Sequence[Evidence]) -> Compared:
    """A statement with what it is compared to."""
    known = "\n".join(dict.fromkeys((*(e.text for e in evidence), *(e.header for e in evidence))))
    sources = "\n".join(dict.fromkeys((known, *(e.near for e in evidence))))
    published = tuple(dict.fromkeys(e.published for e in evidence if e.published))
    return Compared(ground([stated(text, evidence)]), ground(evidence), published, known, sources)


def stated(text: str, evidence: Sequence[Evidence]) -> Evidence:
    """A statement as a text of the day of what it is compared to."""
    return Evidence(text, published=next((e.published for e in evidence if e.published), None))


@dataclass(frozen=True, slots=True)
class Bound:
    """A fact of the evidence, with the share of the words around a fact of the statement that are around it too."""

    fact: Fact
    bind: float


def decide(fact: Fact, fitting: Sequence[Fact], rivals: Sequence[Fact], pair: Compared) -> Check:
    """Passed if the value is there and no other one is clearly nearer to what the statement says of it."""
    own, other = best(fact, fitting, pair), best(fact, free(fact, rivals, pair), pair)
    if own is None:
        found = other.fact.text if other and other.bind > NEAR else None
        return Check(fact.kind, fact.text, found, False)
    if other and _is_nearer(other, own, fact.kind):
        return Check(fact.kind, fact.text, other.fact.text, False)
    swapped = _swapped(fact, own, pair)
    if swapped:
        return Check(fact.kind, fact.text, swapped.text, False)
    return Check(fact.kind, fact.text, own.fact.text, True)


def _is_nearer(other: Bound, own: Bound, kind: str) -> bool:
    if other.bind > max(_ALONE, own.bind * _FAR) or (kind == "name" and other.bind > max(_CLOSE, own.bind * _CLOSER)):
        return True
    return other.bind > max(own.bind * _RATIOS[kind], _NEAREST.get(kind, NEAR))


def _swapped(fact: Fact, own: Bound, pair: Compared) -> Fact | None:
    """The value of another fact of the statement, if each fits better where the other one is."""
    partners = [f for f in pair.statement.by_kind[fact.kind] if f is not fact and not fits(f, own.fact)]
    for partner in partners if own.fact.kind == fact.kind else ():
        theirs = _theirs(partner, pair)
        if theirs is None or theirs.fact is own.fact or _unlike(own.fact, theirs.fact, pair.cited):
            continue
        crossed = bound(fact, theirs.fact, pair) + bound(partner, own.fact, pair)
        if crossed > (own.bind + theirs.bind) * _CROSSED + _MARGIN:
            return theirs.fact
    return None


@lru_cache(maxsize=1024)
def _theirs(fact: Fact, pair: Compared) -> Bound | None:
    """Asked for by every other fact of the statement."""
    return best(fact, _fitting(fact, pair.cited), pair)


def _unlike(a: Fact, b: Fact, of: Ground) -> bool:
    return a.kind == "name" and kind_of(a, of) != kind_of(b, of)


def free(fact: Fact, candidates: Sequence[Fact], pair: Compared) -> list[Fact]:
    """The candidates whose value the statement does not give as another fact."""
    stated = [f for f in pair.statement.by_kind[fact.kind] if f is not fact]
    return [c for c in candidates if not any(fits(f, c) for f in stated)]


@lru_cache(maxsize=1024)
def _fitting(stated: Fact, cited: Ground) -> tuple[Fact, ...]:
    return tuple(f for f in cited.by_kind[stated.kind] if fits(stated, f))


def fits(stated: Fact, found: Fact) -> bool:
    """Whether a value of the evidence is that of the statement."""
    if stated.kind != found.kind:
        return False
    match stated.value, found.value:
        case Quantity() as a, Quantity() as b:
            return agree(a, b)
        case Moment() as a, Moment() as b:
            return covers(a, b)
        case _:
            return alike(stated, found)


def best(fact: Fact, candidates: Sequence[Fact], pair: Compared) -> Bound | None:
    """The candidate with the largest share of the words around a fact of the statement; None without candidates."""
    near = (Bound(other, bound(fact, other, pair)) for other in candidates)
    return max(near, key=lambda b: b.bind, default=None)


def bound(fact: Fact, other: Fact, pair: Compared) -> float:
    """The share of the words around a fact of the statement that are around one of the evidence: 0 to 1."""
    return bind(surroundings(fact, pair.statement, pair.cited), other.words)


@lru_cache(maxsize=1 << 14)
def alike(a: Fact, b: Fact) -> bool:
    """Whether two names have a word in common that is no title, or are spellings of one."""
    return not _untitled(a).isdisjoint(_untitled(b)) or same(a.text, b.text)


@lru_cache(maxsize=1 << 13)
def _untitled(fact: Fact) -> frozenset[str]:
    return frozenset(w.stem for w in fact.words if w.text.lower() not in TITLES)


@lru_cache(maxsize=1 << 13)
def kind_of(fact: Fact, of: Ground) -> str:
    """`country` for one, its people or capital, `the` for a name with the article, else nothing."""
    if any(w.stem in COUNTRIES for w in fact.words):
        return "country"
    if any(w.text.lower() in CAPITALS for w in fact.words):
        return "" if is_placed(fact, of) else "country"
    return "the" if any(w.text.lower() == "the" for w in of.before(fact.words[0], 1.1)) else ""


@lru_cache(maxsize=1 << 13)
def is_placed(fact: Fact, of: Ground) -> bool:
    """Whether a preposition of place is before it."""
    before = [w.text.lower() for w in of.before(fact.words[0], 4.5)[-2:]]
    return any(w in _PLACED for w in before) or (before[-1:] == ["of"] and before[0] in _PLACES)


def is_dateline(fact: Fact) -> bool:
    """Whether it is the place in capitals that a report starts with."""
    return fact.text.isupper() and len(fact.text) > 4 and fact.words[0].start == 0
