"""Reads what a sentence says to a question on which sources may differ: a number, or whether it is so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from rag.text.quantities import Quantity, quantities
from rag.text.relative_dates import moments
from rag.text.words import COUNTRIES, content_words, stem, words


class Side(StrEnum):
    """Whether a sentence says that a thing is so, or that it is not."""

    SO = "so"
    NOT_SO = "not so"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question wants to know of things: how many of which, or whether something happened to them."""

    counted: frozenset[str]
    """The stems of the things that are counted."""
    share: bool
    """Whether a share is asked."""
    acts: frozenset[str]
    """What happens to the things: stems, words of one kind as the name of the kind."""
    subjects: frozenset[str]
    """The other terms of the question."""
    countries: frozenset[str] = frozenset()
    """The countries whose things or people are counted or act."""


_KINDS = {
    "death": "kill killed die died dead death deaths casualty casualties victim fatalities toll",
    "hold": (
        "control capture take fall fell fallen seize lose lost hold held retake retaken enter overrun surrender reach "
        "hands clear"
    ),
    "money": "money cash funds dollars",
    "shooting": "shoot shot fire fired gunfire",
    "flight": "fly flown evacuate evacuation airlift",
    "bombing": "bomber bomb explosion blast",
}
_KIND_OF = {stem(word): kind for kind, listed in _KINDS.items() for word in listed.split()}
_SAME_ACT = {
    stem(word): stem(name)
    for name, listed in {
        "meet": "meet met meeting talk talks negotiation negotiations negotiate held summit convene",
        "arrive": "arrive arrived arrival land landed reach",
        "leave": "leave left depart departed departure flee fled quit",
        "begin": "begin start open launch",
        "end": "end finish conclude close",
        "attack": "attack strike raid assault ambush",
    }.items()
    for word in listed.split()
}
ACTS = frozenset((*_KIND_OF.values(), *_SAME_ACT.values())) - {"money"}
"""What `canonical` calls the kinds of happenings."""
_OTHERWISE = re.compile(
    r"\b(?:t(?:ake|akes|aken|aking|ook)|h(?:old|olds|olding|eld)) (?=(?:from|into|part|place|out|off|back|to the|"
    r"(?:a |the )?(?:\w+ )?(?:talks|meetings?|press|questions?|office)|"
    r"(?:full )?responsibility|revenge|steps?|care|action)\b)|"
    r"\bclear(?:ly|er|-eyed)?\b|\bfall of\b(?= \d)|\barms control\b|\b(?:in|by|last|this) (?:the )?fall\b",
    re.I,
)
"""Words of a kind that mean another thing."""
_PEOPLE = frozenset(words("people person persons afghans civilians"))
_MEASURES = frozenset(
    words(
        "number total how many much percentage share figure according say report count among help order flee leave "
        "country american usa afghan afghanistan taliban"
    )
)
"""What a question is not about: a passage that answers it may lack these."""
_COUNTED = re.compile(
    r"\b(?:how many|number of) (.*?)(?:\b(?:were|was|did|do|does|are|is|had|have|has|will|can|died?)\b|$)"
)
_DEATHS = re.compile(r"\bdeath toll\b|\bhow many (?:died|were killed)")
_SHARE = re.compile(r"\bhow much of\b|\b(?:percentage|share|proportion)\b")
_MORE, _OF_ALL = (
    re.compile(r"\b(?:another|additional|further)\s+$", re.I),
    re.compile(r"\bof (?:the |its |all )?$", re.I),
)
_TO = re.compile(r"\b(?:number|total|force|toll)\b[^.;]*\bto\s+$", re.I)
_AFTER = re.compile(r"[^,.;:]{0,60}")
_REACH = 5
_NOT = re.compile(r"\b(?:den(?:y|ies|ied)|reject(?:s|ed)?|baseless|no indications?)\b", re.I)
_UNDONE = re.compile(
    r"\b(?:(?:ha(?:s|d|ve)|was|were) not(?: yet| been| \w+ly){0,2}|did not|"
    r"not(?= \w+(?:ed|en|ot)\b))\s+(?P<act>[\w-]+)",
    re.I,
)
_AHEAD = re.compile(r"\b(?:would|will|to) (?:\w+ )?be\b[^,.;]*$", re.I)
_AT_FIRST = re.compile(r"\b(?:at first|initially|originally|had (?:earlier|previously)|earlier had)\b", re.I)
_HELD = re.compile(
    r"\b(?:still hold|under government control|in government hands|repelled|driven back|"
    r"drove the taliban out|clearing|were present at|retaken|recaptured)\b",
    re.I,
)
_CONTROL = re.compile(r"\bwho (?:controls?|holds?|is in control|now (?:controls?|holds?))\b|\bunder whose control\b")
_FELL = re.compile(r"\b(?:fell|captured|seized)\b", re.I)
_ONE = re.compile(r"\b(?:only one|a single)\b", re.I)
_AGENT = re.compile(
    r"\b(?:did|does|has|had) ([A-Z][\w-]*(?: [A-Z][\w-]*)*) (?:order|say|send|announce|call|report|claim)"
)
_PLAIN = re.compile(r"\b(?:captured|seized|fell|fallen|taken|took|full control|in their hands|back under)\b", re.I)
_BACK = re.compile(r"\b(?:back|retaken|recaptured|drove)\b", re.I)
_TALIBAN = re.compile(r"taliban", re.I)


def asked(question: str, terms: tuple[str, ...]) -> Asked:
    """What a question asks; `terms` are its stems."""
    lowered = question.casefold()
    found = _COUNTED.search(lowered)
    counted = frozenset(content_words(found[1])[:3]) if found else frozenset()
    if _DEATHS.search(lowered):
        counted |= _PEOPLE
    acts = frozenset(_KIND_OF[t] for t in terms if t in _KIND_OF)
    acts = acts - {"hold"} or acts  # to take may be said of anything
    agents = frozenset(words(" ".join(_AGENT.findall(question))))  # who orders or says how many is not what is counted
    subjects = frozenset(t for t in terms if len(t) > 1) - agents - counted - _MEASURES - _PEOPLE - frozenset(_KIND_OF)
    countries = frozenset(map(stem, COUNTRIES)).intersection(terms)
    return Asked(counted, bool(_SHARE.search(lowered)), acts, subjects, countries)


def amounts(text: str, to: Asked | None) -> list[Quantity]:
    """The numbers in a sentence that could answer it: of the things that are counted, or the shares that are asked.

    Without a question all that count something.
    """
    if to and to.acts and not to.acts & kinds(text):
        return []
    dates = moments(text)
    known = [*quantities(text), *(Quantity(m[0], m.start(), m.end(), 1, 1, "") for m in _ONE.finditer(text))]
    found = [q for q in known if not any(q.start < m.end and m.start < q.end for m in dates) and _counts(q, text)]
    return [q for q in found if to is None or _answers(q, text, to)]


def things(quantity: Quantity, text: str) -> frozenset[str]:
    """The stems of what a number counts: those of the few words behind it."""
    after = _AFTER.match(text, quantity.end)
    return frozenset(words(after[0])[:_REACH]) if after else frozenset()


def side(text: str, speaker: str | None, to: Asked) -> Side | None:
    """Which side it takes; None if it says nothing about what happened."""
    if not to.acts & kinds(text) or ("hold" in to.acts and "money" in kinds(text)):
        return None
    denied = denies(text)
    back = _HELD.search(text)
    held = "hold" in to.acts and back and not _FELL.search(text) and not _AHEAD.search(text[: back.start()])
    if denied and "hold" in to.acts and _TALIBAN.search(f"{speaker} {text[:20]}"):
        return Side.SO  # they deny that the other side holds it
    return Side.NOT_SO if denied or held else Side.SO


def denies(text: str) -> bool:
    """Whether it denies something, or tells of an act that it did not happen."""
    return bool(_NOT.search(text)) or any(kinds(m["act"]) for m in _UNDONE.finditer(text))


def at_first(text: str) -> bool:
    """Whether it tells what was said before, and no longer is."""
    return bool(_AT_FIRST.search(text))


def plain(text: str) -> bool:
    """Whether it tells in so many words that a place was taken or is held."""
    return bool(_PLAIN.search(text))


def asks_control(question: str) -> bool:
    """Whether it asks who holds a place."""
    return bool(_CONTROL.search(question.casefold()))


def turned(text: str) -> bool:
    """Whether it tells that things were turned back, so that what was so before is no longer."""
    return bool(_BACK.search(text))


@lru_cache(maxsize=8192)
def kinds(text: str) -> frozenset[str]:
    """The kinds of what happens in a text."""
    return frozenset(_KIND_OF[w] for w in words(_OTHERWISE.sub(" ", text)) if w in _KIND_OF)


def canonical(text: str) -> frozenset[str]:
    """The stems of a text, those of one kind of happening as the name of the kind."""
    return frozenset(_KIND_OF.get(w, _SAME_ACT.get(w, w)) for w in content_words(_OTHERWISE.sub(" ", text)))


def _counts(quantity: Quantity, text: str) -> bool:
    """Whether it is an amount of its own: no "hundreds", no time, no place in an order, no "another ten", no whole."""
    before = text[: quantity.start]
    return (
        quantity.exact and quantity.unit not in (":", "th") and not _MORE.search(before) and not _OF_ALL.search(before)
    )


def _answers(quantity: Quantity, text: str, to: Asked) -> bool:
    if to.share:
        return quantity.unit == "%"
    before, counted = text[: quantity.start], things(quantity, text)
    alike = frozenset(_KIND_OF[t] for t in counted if t in _KIND_OF) & frozenset(_KIND_OF.get(t) for t in to.counted)
    if alike or 2 * len(counted & to.counted) >= len(to.counted) > 0:
        return True
    if _PEOPLE & to.counted and _PEOPLE & counted:
        return True
    return bool(_TO.search(before) and to.counted & frozenset(words(before)))


def same(a: Quantity, b: Quantity) -> bool:
    """Whether two amounts are the same, or one is a rounding of the other."""
    return a.unit == b.unit and abs(a.low - b.low) <= 0.05 * max(a.low, b.low) and a.exact == b.exact
