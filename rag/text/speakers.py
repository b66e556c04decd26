"""Tells who says what a sentence reports."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from rag.schema import Citation, Span
from rag.text.calendar import ANY_WEEKDAY
from rag.text.names import names
from rag.text.sentences import cited_sentences, sentences
from rag.text.words import listed

_SAYS = (
    "said|says|told|tells|stated|states|announced|announces|added|adds|claimed|claims|argued|argues|warned|warns|"
    "insisted|insists|confirmed|confirms|denied|denies|reported|reports|noted|notes|acknowledged|admitted|estimated|"
    "estimates|declared|declares|testified|wrote|tweeted|stressed|emphasized|reiterated|"
    "maintained|alleged|alleges|predicted|suggested|cautioned|complained|contended|conceded|recalled|remarked|replied|"
    "responded|asserted|concluded|conceded"
)
_VERB = re.compile(rf"\b(?:{_SAYS}|(?:puts?|gave|gives)(?=\b[^.;,]{{3,60}}\b(?:at|as) ))\b(?! to (?:be|have)\b)")
SAYING = f"{_SAYS}|promised|asked|wanted|vowed|pledged|explained|called"
"""The verbs, as an alternative of a pattern, behind a pronoun for somebody who speaks."""
_ACCORDING = re.compile(
    r"\b(?:according to|in the words of|as reported by|statement (?:issued )?(?:by|from)|quoting|citing)\s+"
    r"(?P<who>(?:[A-Z]\.|(?! (?:said|says|that|had|has|have|on|who|which) )[^,.;:—])+)",
    re.IGNORECASE,
)
_NO_SPEAKER = "|".join(
    sorted(listed("in on at to that for by it he she they its his her their no there this these those if whether"))
)
_INVERTED = re.compile(
    rf"(?:[,?!”\"'’]|'')\s+(?!told|tells)(?:{_SAYS})\s+(?P<who>(?!(?:{_NO_SPEAKER}) )(?:the |an? )?"
    r"(?:[\w’'.-]+,? ){0,6}?[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*)"
)
_LABEL = re.compile(r"^\s*(?P<who>(?:THE )?[A-Z][A-Z.’' -]{2,40}|Q):\s")
_CLAUSE = re.compile(r"[,;:—–()“”\"]|\b(?:and|but|while|that|as|which|who)\b")
_NAME_ALONE = re.compile(r"(?:al-)?[A-Z][\w’'.-]*(?: (?:(?:al-)?[A-Z][\w’'.-]*|al|bin|ul|of))*")
_LEADING = re.compile(
    r"^(?:(?:on|in|at|by|for|from|after|before|during|meanwhile|however|also|earlier|later|still|yet|he|she|it|they|who|"
    r"had|has|have|also|then|and|but|the|an?)\s+)+",
    re.IGNORECASE,
)
_PRONOUNS = listed("he she it they who i we you")
_DAYS = re.compile(rf"\b(?:{ANY_WEEKDAY}|yesterday|today)\b,?", re.IGNORECASE)


def speaker(sentence: str) -> str | None:
    """Who is said to say, write or claim what a sentence tells; None if it tells it as a fact, or not by whom."""
    labelled = _LABEL.match(sentence)
    if labelled:
        return labelled["who"].strip().title()
    for pattern in (_ACCORDING, _INVERTED):
        found = pattern.search(sentence)
        if found:
            return _trimmed(found["who"])
    verb = _VERB.search(sentence)
    return _subject(sentence[: verb.start()]) if verb else None


def is_pronoun(name: str) -> bool:
    last = name.lower().split()[-1:]
    return not last or last[0] in _PRONOUNS


def _subject(before: str) -> str | None:
    """The last clause before the verb; if one was put between, the name before or in it, else the sentence's first."""
    text = before.rstrip()
    if not text:
        return None
    if text[-1] in ",)—–":
        found = names(text)
        return _apposed(text) or (found[0].text if found else None)
    *before_it, part = _CLAUSE.split(text)
    if not part.strip() and text.endswith(" and"):
        found = names(before_it[0])
        return found[0].text if found else None
    return _trimmed(part) or None


def _apposed(text: str) -> str | None:
    """The name that stands alone in the last clause, or in the one before it: the governor, Shams, said."""
    parts = [part.strip() for part in re.split(r"[,()—–]", text) if part.strip()]
    alone = (part for part in reversed(parts[-2:]) if _NAME_ALONE.fullmatch(part) and names(part))
    return next(alone, None)


def _trimmed(text: str) -> str | None:
    bare = " ".join(_LEADING.sub("", _DAYS.sub("", text).strip()).split())
    words = bare.split()
    return " ".join(words[-8:]).strip(" .,'’”\"") or None


_TITLED = "THE|MR|MS|MRS|DR|SECRETARY|AMBASSADOR|GENERAL|SENATOR|PRESIDENT|VICE PRESIDENT|MINISTER|CHANCELLOR|MODERATOR"
_SPEAKER_LABEL = re.compile(r"^[ \t]*(?:(?P<who>[A-Z][A-Z.’' -]{2,40}):\s|(?P<asks>Q):?\s+(?=[A-Z(“\"]))", re.M)
_SURE = re.compile(rf"(?:{_TITLED})\b")
_PRONOUN = re.compile(
    rf"\b(?P<who>[Hh]e|[Ss]he|[Tt]hey)\s+(?:(?:also|then|later|earlier|had|has|have|\w+ly)\s+)?(?:{SAYING})\b"
)
_REPORTER = "a reporter"
_BACK = 1_000  # characters
_MOST_BACK = 5  # sentences


@dataclass(frozen=True, slots=True)
class Voice:
    """Who says a sentence, and how that is known: `at` is where a pronoun in it ends, 0 if a label tells it.

    It is None if the sentence itself names who says it.
    """

    name: str
    at: int | None


@lru_cache(maxsize=8192)
def voice(text: str, span: Span) -> Voice | None:
    """Who says the sentence in that span of an article: by its own words, by a label, or by what a pronoun means.

    None if it tells it as a fact, or not by whom.
    """
    sentence = text[span.start : span.end]
    if _SPEAKER_LABEL.match(sentence):
        return Voice(speaker(sentence) or _REPORTER, None)
    labelled, named = _labelled(text, span.start), speaker(sentence)
    if named and not is_pronoun(named):
        return Voice(named, None)
    if labelled:
        return Voice(labelled, 0)
    pronoun = _PRONOUN.search(sentence)
    meant = _before(text, span.start, several=pronoun["who"].casefold() == "they") if pronoun else None
    return Voice(meant, pronoun.end("who")) if pronoun and meant else None


def told_by(citation: Citation) -> str | None:
    """Who says what is cited, by the first of its sentences that tells."""
    found = (voice(citation.article.text, span) for span in cited_sentences(citation))
    return next((v.name for v in found if v), None)


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A pronoun for somebody who speaks, and where it ends in its sentence."""

    text: str
    end: int


def pronoun(sentence: str) -> Pronoun | None:
    """The first pronoun of a sentence that stands for somebody who speaks."""
    found = _PRONOUN.search(sentence)
    return Pronoun(found["who"], found.end("who")) if found else None


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of a transcript, with where each begins."""

    starts: tuple[int, ...]
    names: tuple[str, ...]


@lru_cache(maxsize=256)
def _labels(text: str) -> _Labels:
    found = list(_SPEAKER_LABEL.finditer(text))
    who = [m["who"] for m in found if m["who"]]
    if not any(map(_SURE.match, who)) and len(who) == len(set(who)):  # a line such as UPDATE: in an article
        return _Labels((), ())
    return _Labels(tuple(m.start() for m in found), tuple(_REPORTER if m["asks"] else m["who"].title() for m in found))


def governing_label(text: str, start: int) -> str | None:
    """The speaker label of an earlier line that governs a place of an article, `Q` for a reporter's."""
    name = None if _SPEAKER_LABEL.match(text, start) else _labelled(text, start)
    return "Q" if name == _REPORTER else name


def _labelled(text: str, start: int) -> str | None:
    labels = _labels(text)
    place = bisect_right(labels.starts, start) - 1
    return labels.names[place] if place >= 0 else None


def _before(text: str, start: int, *, several: bool) -> str | None:
    """Whom a pronoun means: who speaks last before it, else, if it is one, the first name of the sentence before."""
    first = max(0, start - _BACK)
    spans = sentences(text[first:start])[-_MOST_BACK:]
    for span in reversed(spans):
        told = text[first + span.start : first + span.end]
        named = speaker(told) or (names(told)[0].text if names(told) and not several else None)
        if named and not is_pronoun(named):
            return named
    return None
