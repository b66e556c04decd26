"""Tells who says a sentence by what stands before it in its article."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from rag.schema import Citation, Span
from rag.text.names import names
from rag.text.sentences import cited_sentences, sentences
from rag.text.speakers import SAYING, is_pronoun, speaker

_TITLED = "THE|MR|MS|MRS|DR|SECRETARY|AMBASSADOR|GENERAL|SENATOR|PRESIDENT|VICE PRESIDENT|MINISTER|CHANCELLOR|MODERATOR"
_LABEL = re.compile(r"^[ \t]*(?:(?P<who>[A-Z][A-Z.’' -]{2,40}):\s|(?P<asks>Q):?\s+(?=[A-Z(“\"]))", re.M)
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
    if _LABEL.match(sentence):
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
    found = list(_LABEL.finditer(text))
    who = [m["who"] for m in found if m["who"]]
    if not any(map(_SURE.match, who)) and len(who) == len(set(who)):  # a line such as UPDATE: in an article
        return _Labels((), ())
    return _Labels(tuple(m.start() for m in found), tuple(_REPORTER if m["asks"] else m["who"].title() for m in found))


def governing_label(text: str, start: int) -> str | None:
    """The speaker label of an earlier line that governs a place of an article, `Q` for a reporter's."""
    name = None if _LABEL.match(text, start) else _labelled(text, start)
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
