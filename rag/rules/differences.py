"""Tells in what two accounts of one happening differ: its day, its place, who did it, or who holds an office."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rag.rules.contrasts import OPPOSITES
from rag.rules.happenings import Happening, around, happening
from rag.rules.offices import LEADER, Office, offices
from rag.rules.stances import ACTS, denies, kinds, turned
from rag.schema import Article, Span
from rag.text.names import same
from rag.text.words import words

COMMON = frozenset(words("afghanistan afghan afghans taliban american united states us"))
"""The stems of names that are in most articles, so that they tell nothing apart."""


class About(StrEnum):
    """What two accounts tell differently."""

    DATE = "date"
    PLACE = "place"
    DOER = "doer"
    HOLDER = "holder"


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """A sentence of an article, and what it tells to have happened."""

    article: Article
    span: Span
    text: str
    told: Happening
    offices: tuple[Office, ...]

    @property
    def around(self) -> frozenset[str]:
        """The stems of the sentence, of the two before it and of the title."""
        return around(self.article, self.span)


@dataclass(frozen=True, slots=True)
class Difference:
    """What is told differently, and the two values."""

    about: About
    first: str
    second: str


_ENOUGH, _MOSTLY = 0.6, 0.75
_FEWEST, _SEVERAL, _MANY = 2, 4, 5
_DAYS_OF_DATES, _DAYS_BETWEEN, _DAYS_OF_OFFICES, _DAYS_OF_EVENTS = 2, 3, 30, 60
_REPEATED = frozenset(("death", "shooting", "bombing", "attack", "protest", "flight"))
"""What may well happen twice at one place, or on one day."""
_ANOTHER = re.compile(
    r"\b(?:second|third|fourth|fifth|another|again|further|also|next|renewed|resum\w+)\b", re.IGNORECASE
)
_PLANNED = re.compile(
    r"\b(?:will|would|is to|are to|was to|were to|plan(?:s|ned)?|expected|scheduled|due|may|might|could|should|if)\b"
)
_LASTING = re.compile(
    r"\b(?:two|three|four|five|several|many|\d+)(?: |-)days?\b|\bdays of\b|\bfor (?:days|weeks)\b|\bdaily\b"
)
_SPOKEN = re.compile(r"\?\W*$|\b(?:I|we|We|you|You|my|our|us)\b(?!\.)")
_QUOTED = re.compile(r"[“\"][^”\"]*[”\"]")
_ALIASES = frozenset(("isis", "daesh", "iskp", "isil", "isi", "isis-k", "islam", "state", "khorasan"))


def account(article: Article, span: Span) -> Account | None:
    """What the sentence in that span tells; None if nothing that can be held against another one."""
    text = article.text[span.start : span.end]
    if not is_report(text):
        return None
    told, held = happening(article, span), offices(text)
    known = told.day or told.place or told.doer or held
    return Account(article, span, text, told, held) if known else None


def is_report(text: str) -> bool:
    """Whether a sentence is no question, and, quotes aside, not what somebody says for himself."""
    return not _SPOKEN.search(_QUOTED.sub(" ", text))


def may_be_one_day(a: Account | None, b: Account | None) -> bool:
    """Whether no two days are told of what happened."""
    return not (a and b and a.told.day and b.told.day) or a.told.day.period == b.told.day.period


def differences(a: Account, b: Account) -> Iterator[Difference]:
    """The one thing that two accounts of the same tell differently; if more differ, they are not of the same."""
    if a.article.id == b.article.id or denies(a.text) != denies(b.text):
        return
    if _one_happening(a, b):
        dates, places = _dates(a, b), _places(a, b)
        yield from [d for d in (dates, places) if d] if not (dates and places) else ()
    yield from _doers(a, b)
    yield from _holders(a, b)


def _one_happening(a: Account, b: Account) -> bool:
    """Whether the words, names and numbers of two sentences leave it open that they are of one happening."""
    mine, theirs = a.told.stems, b.told.stems
    shared, fewer = mine & theirs, min(len(mine), len(theirs))
    if len(shared) < _FEWEST or len(shared) < _ENOUGH * fewer or _apart(a, b) > _DAYS_OF_EVENTS:
        return False
    if not _alike(a, b) or not _share_numbers(mine, theirs) or not _share_names(a, b):
        return False
    if not shared & ACTS and len(shared - a.told.names) <= _FEWEST and len(shared) < fewer:
        return False
    repeated = _REPEATED & shared
    return not repeated or len(_numbers(shared)) > 0 or (len(shared) >= _MANY and len(shared) >= _MOSTLY * fewer)


def _alike(a: Account, b: Account) -> bool:
    """Whether both tell it as done or as planned, as the first or as another one, and not one the reverse."""
    marks = [(bool(_ANOTHER.search(x.text)), bool(_PLANNED.search(x.text)), turned(x.text)) for x in (a, b)]
    mine, theirs = a.told.stems, b.told.stems
    reverse = any(not theirs.isdisjoint(OPPOSITES.get(stem, ())) for stem in mine - theirs)
    return marks[0] == marks[1] and not reverse


def _numbers(stems: frozenset[str]) -> frozenset[str]:
    return frozenset(stem for stem in stems if stem[0].isdigit())


def _share_numbers(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    a, b = _numbers(mine), _numbers(theirs)
    return a <= b or b <= a


def _share_names(a: Account, b: Account) -> bool:
    """Whether the sentence with fewer names has none, places aside, that the other one and what is around it lack."""
    fewer, more = sorted((a, b), key=lambda x: len(_names(x)))
    return _names(fewer) <= _names(more) | more.around and bool(_specific(fewer) & _specific(more))


def _names(x: Account) -> frozenset[str]:
    placed = frozenset(words(x.told.place.name)) if x.told.place else frozenset()
    return x.told.names - placed - COMMON


def _specific(x: Account) -> frozenset[str]:
    """The stems that say what it is about."""
    return (x.told.names | x.told.stems) - COMMON


def _dates(a: Account, b: Account) -> Difference | None:
    if not a.told.day or not b.told.day or _LASTING.search(a.text) or _LASTING.search(b.text):
        return None
    first, second = a.told.day.period.first, b.told.day.period.first
    if not 0 < abs((first - second).days) <= _DAYS_OF_DATES or not _is_about_one(a, b):
        return None
    return Difference(About.DATE, str(a.told.day), str(b.told.day))


def _is_about_one(a: Account, b: Account) -> bool:
    """Whether a name besides the common ones, or a place, is of both; else many words must be."""
    placed = a.told.place and b.told.place and _one_place(a, b)
    named = (a.told.names & b.told.names) - COMMON
    return bool(named or placed) or len(a.told.stems & b.told.stems) >= _MANY


def _places(a: Account, b: Account) -> Difference | None:
    mine, theirs = a.told.place, b.told.place
    if (
        not mine
        or not theirs
        or mine.before != theirs.before
        or _one_place(a, b)
        or _level(mine.name) != _level(theirs.name)
    ):
        return None
    if not _may_be_one_day(a, b):
        return None
    shared = a.told.stems & b.told.stems
    named = (_names(a) & _names(b)) or len(shared - _REPEATED) >= _SEVERAL
    return Difference(About.PLACE, mine.name, theirs.name) if named else None


def _level(place: str) -> str:
    return place.rsplit(maxsplit=1)[-1] if place.rsplit(maxsplit=1)[-1].islower() else ""


def _one_place(a: Account, b: Account) -> bool:
    """Whether two places are spellings of one, or one is told to be in the other."""
    mine, theirs = a.told.place, b.told.place
    if not mine or not theirs or same(mine.name, theirs.name):
        return True
    known = f"{a.article.text}\n{b.article.text}"
    ways = ((mine.name, theirs.name), (theirs.name, mine.name))
    return any(
        re.search(rf"{re.escape(x)}(?:,| in|[’']s|[^.;]{{0,40}} (?:of|in))[^.;]{{0,20}} ?{re.escape(y)}", known)
        for x, y in ways
    )


def _may_be_one_day(a: Account, b: Account) -> bool:
    if a.told.day and b.told.day:
        return a.told.day.period == b.told.day.period
    return not (a.told.dated and b.told.dated) and _apart(a, b) <= _DAYS_OF_DATES


def _doers(a: Account, b: Account) -> Iterator[Difference]:
    """Two who are told to have done the same harm; a country's name may stand for an own side of it."""
    mine, theirs = a.told.doer, b.told.doer
    if not mine or not theirs or _is_one(mine, theirs) or _apart(a, b) > _DAYS_BETWEEN or not _may_be_one_day(a, b):
        return
    shared = (a.around & b.around) - COMMON - frozenset(words(f"{mine} {theirs}"))
    deeds = kinds(a.text) | kinds(b.text)
    if _alike(a, b) and len(shared) >= _MANY and (deeds or shared) and _places_agree(a, b):
        yield Difference(About.DOER, mine, theirs)


def _is_one(mine: str, theirs: str) -> bool:
    a, b = frozenset(words(mine)), frozenset(words(theirs))
    return bool(a & b) or same(mine, theirs) or bool(a & _ALIASES and b & _ALIASES)


def _places_agree(a: Account, b: Account) -> bool:
    return not a.told.place or not b.told.place or a.told.place.before != b.told.place.before or _one_place(a, b)


def _holders(a: Account, b: Account) -> Iterator[Difference]:
    for mine in a.offices:
        for theirs in b.offices:
            if not same(mine.holder, theirs.holder) and _one_office(mine, theirs, a, b):
                yield Difference(About.HOLDER, mine.holder, theirs.holder)


def _one_office(mine: Office, theirs: Office, a: Account, b: Account) -> bool:
    if mine.role != theirs.role or mine.of != theirs.of:
        return False
    if _apart(a, b) > (_DAYS_BETWEEN if mine.role == LEADER else _DAYS_OF_OFFICES):
        return False
    known = mine.where <= theirs.where | b.around and theirs.where <= mine.where | a.around
    held_by = frozenset(words(f"{mine.holder} {theirs.holder}"))
    if mine.where & theirs.where - COMMON:
        return known
    places = (a.told.names & b.around | b.told.names & a.around) - COMMON - held_by - mine.of
    return known and (bool(mine.where | theirs.where) or (len(places) >= _FEWEST and mine.role != LEADER))


def _apart(a: Account, b: Account) -> int:
    days = [x.article.published.day for x in (a, b) if x.article.published]
    return abs((days[0] - days[1]).days) if len(days) == 2 else _DAYS_OF_EVENTS + 1  # both have one
