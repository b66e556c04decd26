"""Finds sentences that introduce somebody: "Crispin Vane, the harbour master", "the mayor of Coombe, Piet Hallam"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rag.checks.rules.reading import is_past
from rag.retrieval.rerank import Sentence
from rag.schema import Article
from rag.text.names import Name, names, same
from rag.text.speakers import SAYING
from rag.text.words import FUNCTION_WORDS, listed

_WHO = re.compile(r"\W*who(?:['’]s| is| was)\s+(?P<name>[\w.'’-]+(?:\s+[\w.'’-]+){0,4}?)\W*", re.IGNORECASE)
_PRONOUNS = listed("its their his her")
_DETERMINERS = _PRONOUNS | listed("a an the")
_DETERMINER = rf"(?:{'|'.join(sorted(_DETERMINERS))}|[\w-]+['’]s?)"
_WHAT = rf"{_DETERMINER}\s[^,.;:)“”\"]+"
_OPENING = r"(?:^|[,;:“\"(])\s*"
_BEHIND = re.compile(rf"(?:,| \(| is| was| became)\s+(?P<what>{_WHAT})")
_BEFORE = re.compile(
    rf"{_OPENING}(?P<clause>(?:[^,.;:)“”\"]*\s)?(?P<what>{_WHAT})),\s+(?:[A-Z]\w*\.?\s)?$", re.IGNORECASE
)
_RELATIVE = re.compile(r" (?:who|whom|whose|which|that|where|when)\b.*")
_VERBS = frozenset(SAYING.split("|")) | listed("is are was were has have had will would can could may might")


def introducing(question: str, ranked: Sequence[Sentence], articles: Mapping[str, Article]) -> list[Sentence]:
    """The sentences that say who somebody is if a question asks only that: "Who is Crispin Vane?", the latest first
    of those that do not say whose spokesman with a pronoun.

    `articles` are those of the passages, by their ids. Of 75 such sentences of news, drawn from 459 that were in view
    when it was written, 73 say it; a list of names was taken for it.
    """
    asked = _WHO.fullmatch(question)
    if not asked or FUNCTION_WORDS & set(asked["name"].lower().split()):
        return []
    latest = sorted(ranked, key=lambda s: str(articles[s.passage_id].published or ""), reverse=True)
    told = [(what.split()[0].lower() in _PRONOUNS, s) for s in latest if (what := _told(asked["name"], s.text))]
    return [sentence for _, sentence in sorted(told, key=lambda pair: pair[0])]


def _told(asked: str, text: str) -> str:
    """What a sentence says that somebody is; empty if it does not."""
    return next((what for n in names(text) if same(asked, n.text) for what in _beside(n, text) if _is_noun(what)), "")


def _beside(name: Name, text: str) -> Iterator[str]:
    """What stands before a name, and what stands behind it, where either can be who that is."""
    before, behind = _BEFORE.search(text[: name.start]), text[name.end :]
    if before and re.match(r"[,.]|$", behind):
        opens = before["clause"].split()[0].lower() in FUNCTION_WORDS - _DETERMINERS  # In the morning, ...
        yield from () if opens else (before["what"],)
    if found := _BEHIND.match(behind):
        yield found["what"]


def _is_noun(text: str) -> bool:
    """Whether it has no verb before a clause of its own."""
    words = _RELATIVE.sub("", text).split()
    return not any(word in _VERBS or is_past(word) for word in words if word[0].islower())
