"""Reads what a sentence tells to have happened: when, where, by whom, and in which words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.rules.stances import canonical
from rag.schema import Article, Span
from rag.text.calendar import phrases
from rag.text.names import names
from rag.text.relative_dates import EventDate, event_dates, moments
from rag.text.sentences import sentences
from rag.text.speakers import SAYING
from rag.text.words import COUNTRIES, content_words, listed, stem, words

RUN = r"[A-Z][\w’'-]*[\w](?:[ -](?:(?:e|i|ul|al|bin|de)[ -](?=[A-Z]))?[A-Z][\w’'-]*\w)*"
"""Capitalized words in a row, as a part of a pattern."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happened: its name, and the word before it, such as "in"."""

    name: str
    before: str


@dataclass(frozen=True, slots=True)
class Happening:
    """What a sentence tells, without who says it and when that was said."""

    stems: frozenset[str]
    """Those of what happened, words of one kind as the name of the kind; no date, place or speaker."""
    names: frozenset[str]
    """The stems of its capitalized words, places and doers included."""
    day: EventDate | None
    """Its day; None if there is none or more than one."""
    dated: bool
    """Whether any date is in it."""
    place: Place | None
    """None if there is none or more than one."""
    doer: str | None


_SAYS = re.compile(rf"\b(?:{SAYING}|told)\b")
_HEAD = re.compile(rf"^[^;]{{0,160}}?\b(?:{SAYING}|told)\b[^;,]{{0,60}}?\bthat\b")
_DATED = re.compile(rf"\b(?:{SAYING}|told|sa(?:ys?|ying))(?: [\w’'-]+){{0,4}}?(?: (?:on|late|early))*\s*$")
_OPENING = re.compile(r"^\W*(?:(?:late|early) )?(?:on )?$", re.IGNORECASE)
_BOUND = re.compile(
    r"\b(?:since|until|till|by|before|after|from|to|between|through|for|later than)"
    r"(?: (?:the|late|early|\w+day|and))*\s*$",
    re.IGNORECASE,
)
_AND_AFTER = re.compile(r"\s*(?:to|and|or|until|through|–|-)\s*(?:\w+day\b|\d)", re.IGNORECASE)
_PLACE = re.compile(
    rf"\b(?P<before>in|at|near|outside)\s+(?:the )?"
    r"(?:(?:\w+ )?(?:city|town|village|port|capital|district|province) of )?"
    rf"(?P<name>{RUN})"
)
_GROUP = (
    rf"(?:the |The |a |an )?(?P<who>{RUN})"
    r"(?: (?:group|fighters?|militants?|insurgents?|gunmen|branch|movement|forces|army))?"
)
_CLAIMS = (
    r"claimed (?:responsibility|the|it|this)|carried out|(?:was|were) (?:behind|responsible)|staged|planted|"
    r"(?:had |have |has )?(?:killed|shot|attacked|bombed|abducted|kidnapped|murdered|ambushed|fired)"
)
_DEEDS = "attack|strike|bombing|raid|assault|killing|ambush|shooting|blast|explosion|abduction|kidnapping|murder"
_DOERS = (
    re.compile(rf"\b(?:\w{{2,}}ed|shot|struck|taken|stolen|(?:{_DEEDS}))(?: out)? by {_GROUP}"),
    re.compile(rf"\bblamed (?:\w+ ){{0,4}}?on {_GROUP}"),
    re.compile(rf"\b(?:blamed|accused) {_GROUP}"),
    re.compile(
        rf"{_GROUP} (?:said|wrote|announced) that (?:they|it|its|their) (?:\w+ )?"
        rf"(?:had |was |were )?(?:\w+ )?(?:{_CLAIMS})"
    ),
    re.compile(rf"{_GROUP} (?:ha[sd] |have )?(?:{_CLAIMS})"),
)
_HARM = re.compile(rf"\b(?:{_DEEDS}|attacke[dr]s?|killed|shot|bomb(?:ed|s)?|gunmen|rockets?|abducted|kidnapped)\b")
_COUNTRIES = frozenset(map(stem, COUNTRIES))
_ANYBODY = listed("Gunmen Attackers Fighters Militants Insurgents Rebels Men Assailants Bombers Soldiers Troops Police")
_NO_PLACE = listed("""
    January February March April May June July August September October November December Monday Tuesday Wednesday
    Thursday Friday Saturday Sunday English Parliament
""")
_LEVELS = re.compile(r"^ (?:province|district|airport|region|county|valley)\b")
_MAY_DATE = re.compile(r"\d|day\b|\b(?:yesterday|tonight|tomorrow|earlier|later|ago|week|month|year)", re.IGNORECASE)
_LABEL = re.compile(r"^\s*(?:[A-Z][A-Z.’' -]{2,40}:|Q:?)\s")
_ACRONYM = re.compile(r"\b[A-Z]{2,}\b")
_TIMES = frozenset(words(" ".join(_NO_PLACE) + " day week month evening morning night earlier later overnight"))
_BACK, _REACH = 2, 800  # sentences, characters


@lru_cache(maxsize=16_384)
def happening(article: Article, span: Span) -> Happening:
    """What the sentence in that span of an article tells."""
    sentence = article.text[span.start : span.end]
    core = _core(sentence)
    told = sentence[core.start : core.end]
    dates = list(_dates(article, span))
    own = [d for d in dates if _is_own(d, sentence)]
    days = {d.period: d for d in own if d.period.days == 1 and not d.about}
    places = list(_places(told))
    return Happening(
        stems=canonical(_undated(told, core.start, dates)) - _TIMES,
        names=frozenset(words(" ".join((*(n.text for n in names(told)), *_ACRONYM.findall(told))))) - _TIMES,
        day=next(iter(days.values())) if len(days) == len(own) == 1 else None,
        dated=bool(own),
        place=places[0] if len({p.name for p in places}) == 1 else None,
        doer=_doer(sentence),
    )


@lru_cache(maxsize=16_384)
def around(article: Article, span: Span) -> frozenset[str]:
    """The stems of the sentence in that span, of the two before it and of the title."""
    first = max(0, span.start - _REACH)
    before = sentences(article.text[first : span.start])[-_BACK:]
    start = first + before[0].start if before else span.start
    return frozenset(content_words(f"{article.title} {article.text[start : span.end]}"))


def is_country(name: str) -> bool:
    """Whether all words of a name are of countries and their peoples."""
    return _COUNTRIES.issuperset(words(name))


def _core(sentence: str) -> Span:
    """A sentence without who says it, before or behind."""
    head = _HEAD.match(sentence) or _LABEL.match(sentence)
    if head:
        return Span(head.end(), len(sentence))
    verbs = list(_SAYS.finditer(sentence))
    end = _before_speaker(sentence, verbs[-1].start()) if verbs else len(sentence)
    according = sentence.find("according to")
    return Span(0, min(end, according) if according > 0 else end)


def _before_speaker(sentence: str, verb: int) -> int:
    """Where the clause begins that a verb of saying ends: a name behind a comma goes with the title before it."""
    comma = sentence.rfind(",", 0, verb)
    if comma > 0 and not sentence[comma + 1 : verb].strip():
        name = sentence.rfind(",", 0, comma)
        comma = max(sentence.rfind(",", 0, name), -1) if name > 0 else name
    return comma if comma > 0 else len(sentence)


def _dates(article: Article, span: Span) -> Iterator[EventDate]:
    """The dates of a sentence, relative ones too, by their place in it."""
    if not _MAY_DATE.search(article.text, span.start, span.end):
        return
    for found in event_dates(article.text, span, article.published):
        yield replace(found, start=found.start - span.start, end=found.end - span.start)
    day = article.published.day if article.published else None
    for moment in moments(article.text[span.start : span.end], day):
        if moment.periods and phrases(moment.text):
            yield EventDate(moment.start, moment.end, moment.periods[0])


def _is_own(found: EventDate, sentence: str) -> bool:
    """Whether a date is that of what happened: not when it was said, nor where something begins or ends."""
    before, after = sentence[: found.start], sentence[found.end :]
    opens = _OPENING.match(before) and _SAYS.search(" ".join(after.split()[:8]))
    return not (opens or _DATED.search(before) or _BOUND.search(before) or _AND_AFTER.match(after))


def _undated(told: str, offset: int, dates: list[EventDate]) -> str:
    for found in dates:
        start, end = found.start - offset, found.end - offset
        if 0 <= start < len(told):
            told = told[:start] + " " * (end - start) + told[end:]
    return _PLACE.sub(" ", told)


def _places(told: str) -> Iterator[Place]:
    for match in _PLACE.finditer(told):
        name = match["name"]
        if not _NO_PLACE.intersection(name.split()) and not is_country(name):
            level = _LEVELS.match(told, match.end())
            yield Place(name + (level[0] if level else ""), match["before"])


def _doer(sentence: str) -> str | None:
    """Who is told to have done harm."""
    if not _HARM.search(sentence):
        return None
    found = (m["who"] for pattern in _DOERS for m in pattern.finditer(sentence))
    known = frozenset(" ".join((*(n.text for n in names(sentence)), *_ACRONYM.findall(sentence))).split())
    return next((who for who in found if known.difference(_ANYBODY).intersection(who.split())), None)
