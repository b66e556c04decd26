"""Decides which names of a text can refer to the same person or place."""

from __future__ import annotations

from functools import lru_cache

from rag.checks.rules.facts import Fact, Ground
from rag.text.names import same
from rag.text.words import CAPITALS, COUNTRIES, listed

TITLES = listed("""
    president minister prime foreign secretary general ambassador spokesman spokeswoman spokesperson chief director
    commander senator governor mayor king queen prince chancellor chairman chairwoman captain colonel lieutenant major
    judge justice envoy admiral adm rear brigadier brig sergeant corporal inspector superintendent commissioner
    ministers deputy vice former acting sir lord professor doctor mr mrs ms dr gen lt col maj capt sen rep gov sgt
    mullah maulvi mawlawi sheikh haji hajji ex ceo cfo pm mp
""")
_PLACES = listed("island city town village port province district region state bridge")
_TO, _FROM = listed("to into toward towards"), frozenset({"from", "out of"})
_PLACED = _TO | listed("in at from near across on around outside inside through")


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
