"""Finds who says what a sentence reports."""

from __future__ import annotations

import re

from rag.text.lexicon import listed
from rag.text.names import names

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
_DAYS = re.compile(r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|yesterday|today)\b,?", re.IGNORECASE)


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
