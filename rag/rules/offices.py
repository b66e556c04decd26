"""Reads who is told to hold an office, or to lead a delegation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.rules.happenings import RUN
from rag.text.words import STOP_WORDS, listed, stem, words


@dataclass(frozen=True, slots=True)
class Office:
    """An office with who holds it."""

    role: str
    """The stem of the word for it, such as that of "governor"."""
    of: frozenset[str]
    """The stems of the other words of the phrase, such as that of "police"."""
    where: frozenset[str]
    """The stems of the names in the phrase."""
    holder: str


LEADER = "leader"
"""The role of who leads a delegation."""
_ROLES = (
    "governor mayor president premier chancellor minister chief commander ambassador chairman chairwoman head director "
    "speaker king emir"
)
_ROLE = rf"(?:{'|'.join(_ROLES.split())})"
_TITLES = (
    r"(?:(?:General|Mullah|Maulvi|Mawlawi|Haji|Sheikh|Colonel|Major|Captain|Lieutenant|Brigadier|Dr|Mr|Ms|Mrs|Former|"
    r"President|Governor|Mayor|Minister|Ambassador|Senator|Secretary|Chief|Commander)\.? )*"
)
_NAME = rf"{_TITLES}(?P<who>{RUN})"
_OF = (
    r"(?: (?:of|for|to|in|at) (?:the )?(?:[a-z]+ ){0,3}?"
    rf"(?:{RUN}|[a-z]+(?: (?:forces|province|district|city|service|agency))?))"
)
_PHRASE = (
    rf"(?P<phrase>(?:(?:{RUN}|[a-z]+)(?:[’']s)? ){{0,4}}?(?:[Pp]rime |[Pp]olice |[Aa]rmy )?(?i:{_ROLE}){_OF}{{0,2}})"
)
_TEAM = r"(?P<phrase>[^,.;]{0,60}?\b(?:delegation|team|side|mission)\b[^,.;]{0,50})"
_PATTERNS = (
    re.compile(rf"{_NAME}, (?:the |its |an? |their )?{_PHRASE}(?=[,.;]| who\b| said\b|$)"),
    re.compile(rf"\b(?:[Tt]he |[Ii]ts |[Tt]heir )?{_PHRASE}, {_NAME}(?=[,.;]| said\b| told\b| was\b| left\b|$)"),
    re.compile(
        rf"{_NAME} (?:is|was|has been|became|had been|remains|serves as|served as) "
        rf"(?:the |an? )?{_PHRASE}(?=[,.;]| and\b| when\b|$)"
    ),
    re.compile(
        rf"\b(?P<phrase>(?:(?:{RUN})(?:[’']s)? |police |army ){{0,2}}(?:[Gg]overnor|[Mm]ayor|police chief|army chief)) "
        rf"{_NAME}(?: (?:of|in) (?P<place>{RUN}))?"
    ),
)
_LED = (
    re.compile(
        rf"{_NAME}(?:, [^,]+,)? (?:(?:had |has |was |is )?(?:led|leads?|leading|headed|heads?|heading)) "
        rf"(?P<phrase>(?:the |a |its )?[^,.;]{{0,60}}?\b(?:delegation|team|side|mission)\b[^,.;]{{0,40}})"
    ),
    re.compile(rf"{_TEAM}?\b(?:led|headed) by {_NAME}"),
)
_ANY_ROLE = re.compile(rf"\b{_ROLE}\b", re.IGNORECASE)
_ANY_TEAM = re.compile(r"\b(?:delegation|team|side|mission)\b")
_PAST = re.compile(
    r"\b(?:former|ex|late|deputy|vice|previous|then|outgoing|incoming|next|one|spokes\w+|candidate)\b", re.IGNORECASE
)
_TURNS = re.compile(
    r"\b(?:replac\w+|succe(?:ed|eds|eded|ssor)|resign\w*|dismiss\w*|remov\w+|appointed|sacked|fired as|stepp\w+ down|"
    r"took (?:over|his place|her place)|gave up|hand(?:s|ed) over|was named|sworn in|until)\b",
    re.IGNORECASE,
)
_NO_SCOPE = frozenset(
    words(
        "the its their a an acting interim current new provincial local delegation team side mission talk meet at in on"
    )
)
_NOT_WHO = listed("The A An In On At He She It They Afghan Taliban American")


@lru_cache(maxsize=16_384)
def offices(sentence: str) -> tuple[Office, ...]:
    """Those that a sentence tells of, none if it tells that one changed hands."""
    if _TURNS.search(sentence):
        return ()
    held = _held(sentence) if _ANY_ROLE.search(sentence) else ()
    led = _led(sentence) if _ANY_TEAM.search(sentence) else ()
    return tuple({(o.role, o.holder): o for o in (*held, *led)}.values())


def _held(sentence: str) -> Iterator[Office]:
    for pattern in _PATTERNS:
        for match in pattern.finditer(sentence):
            phrase = match["phrase"]
            if _is_holder(match["who"]) and not _PAST.search(phrase):
                role = next(w for w in reversed(words(phrase)) if w in _ROLE_STEMS)
                place = match.groupdict().get("place") or ""
                yield _office(role, f"{phrase} {place}", match["who"])


def _led(sentence: str) -> Iterator[Office]:
    for pattern in _LED:
        for match in pattern.finditer(sentence):
            if _is_holder(match["who"]):
                yield _office(LEADER, match["phrase"] or "", match["who"])


def _office(role: str, phrase: str, holder: str) -> Office:
    where = frozenset(words(" ".join(re.findall(RUN, phrase)))) - _NO_SCOPE - {role}
    of = frozenset(words(phrase)) - where - _NO_SCOPE - STOP_WORDS - {role}
    return Office(role, of, where, holder)


def _is_holder(name: str) -> bool:
    return name not in _NOT_WHO and not _ROLE_STEMS.intersection(words(name)[-1:])


_ROLE_STEMS = frozenset(map(stem, _ROLES.split()))
