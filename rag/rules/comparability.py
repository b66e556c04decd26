"""Tells whether two numbers can be counts of the same things."""

from __future__ import annotations

import re

from rag.rules.happenings import RUN
from rag.rules.stances import canonical
from rag.text.quantities import Quantity
from rag.text.words import COUNTRIES, STOP_WORDS, stem, words

_ROLLING = re.compile(
    r"\b(?:(?:in|over|within|during|for) (?:just |about )?(?:the )?(?:course of the )?(?:last|past|next) "
    r"(?P<last>(?:[\w-]+ (?:or \w+ )?)??(?:hour|day|week|month|year)s?)|"
    r"in (?:a|one) (?P<one>[\w-]+ (?:period|hours?)|day|week|month|year)|"
    r"(?:per|a|each|every|in one) (?P<each>day|week|month|year)\b|(?P<daily>daily|weekly|monthly)|"
    r"(?:in )?the (?P<half>(?:first|second) (?:half|quarter|week|months?))|since (?P<since>(?:\w+ ){0,3}?\w+))\b",
    re.IGNORECASE,
)
_MORE = re.compile(r"^\s*(?:\w+ )?(?:additional|more|further|other|others|extra)\b", re.IGNORECASE)
_PHRASE = re.compile(
    r"^[^,.;:]*?(?=[,.;:—–]|$|\b(?:were|was|are|is|been|be|have|has|had|that|who|which|in|on|at|to|from|by|for|with|as|"
    r"killed|died|wounded|left|crossed|during|after|since|over)\b)"
)
_OF = re.compile(r"^\s*(?P<head>[\w’'-]+(?: [\w’'-]+)?) of (?:the |an? |one )?(?P<whole>[\w’'-]+)")
_COUNTRIES = frozenset(map(stem, COUNTRIES))
_GENERIC = frozenset(words("people person others men man women")) | STOP_WORDS


def comparable(a: Quantity, text: str, b: Quantity, other: str) -> bool:
    """Whether they may count the same: things of one kind and one people, over one time, and neither what is added."""
    if _MORE.match(text[a.end :]) or _MORE.match(other[b.end :]):
        return False
    if _time(text) != _time(other) or not _share(peoples(a, text), peoples(b, other)):
        return False
    return "%" in (a.unit, b.unit) or _same_things(a, text, b, other)


def peoples(quantity: Quantity, text: str) -> frozenset[str]:
    """The countries of the things that a number in a sentence counts, or else of those who act before it."""
    phrase = _phrase(quantity, text)
    own = _COUNTRIES.intersection(words(phrase))
    return own or _COUNTRIES.intersection(words(" ".join(re.findall(RUN, text[: quantity.start]))))


def _time(text: str) -> str:
    """The time over which is counted, as far as it is not the whole; since some day is the whole."""
    found = _ROLLING.search(text)
    if not found or found["since"]:
        return ""
    return next(part.casefold() for part in found.groups() if part)


def _share(a: frozenset[str], b: frozenset[str]) -> bool:
    return not a or not b or bool(a & b)


def _same_things(a: Quantity, text: str, b: Quantity, other: str) -> bool:
    """Whether the words for the things of one are among those of the other, and what they are of is not another."""
    mine, theirs = _named(a, text), _named(b, other)
    if mine and theirs and not (mine <= theirs or theirs <= mine):
        return False
    return _whole(a, text) <= frozenset(words(other)) and _whole(b, other) <= frozenset(words(text))


def _named(quantity: Quantity, text: str) -> frozenset[str]:
    return canonical(_phrase(quantity, text)) - _GENERIC - _COUNTRIES


def _phrase(quantity: Quantity, text: str) -> str:
    found = _PHRASE.match(text[quantity.end :])
    return found[0] if found else ""


def _whole(quantity: Quantity, text: str) -> frozenset[str]:
    """What the things are parts or members of."""
    found = _OF.match(text[quantity.end :])
    return frozenset(words(found["whole"])) - _GENERIC if found else frozenset()
