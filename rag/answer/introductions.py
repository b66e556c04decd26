"""Finds sentences that introduce somebody: "Crispin Vane, the harbour master", "the mayor of Coombe, Piet Hallam"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rag.checks.rules.reading import is_past
from rag.retrieval.rerank import Sentence
from rag.schema import Article
from rag.text.names import Name, names, same
from rag.text.speakers import SAYING
from rag.text.words import FUNCTION_WORDS, listed

_WHO = re.compile(r"\W*who(?:['’]s| is| was)\s+(?P<name>[\w.'’-]+(?:\s+[\w.'’-]+){0,4}?)\W*", re.IGNORECASE)
_DETERMINERS = listed("a an the its their his her")
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
    """The sentences that say who somebody is if a question asks only that: "Who is Crispin Vane?", the latest first.

    `articles` are those of the passages, by their ids. Of 136 such sentences of news that this was not made with, 134
    say it; a list of names was taken for it.
    """
    asked = _WHO.fullmatch(question)
    if not asked or FUNCTION_WORDS & set(asked["name"].lower().split()):
        return []
    found = [s for s in ranked if any(same(asked["name"], n.text) and _is_introduced(n, s.text) for n in names(s.text))]
    return sorted(found, key=lambda s: str(articles[s.passage_id].published or ""), reverse=True)


def _is_introduced(name: Name, text: str) -> bool:
    before, behind = _BEFORE.search(text[: name.start]), text[name.end :]
    if before and re.match(r"[,.]|$", behind):
        opens = before["clause"].split()[0].lower() in FUNCTION_WORDS - _DETERMINERS  # In the morning, ...
        return not opens and _is_noun(before["what"])
    found = _BEHIND.match(behind)
    return found is not None and _is_noun(found["what"])


def _is_noun(text: str) -> bool:
    """Whether it has no verb before a clause of its own."""
    return not any(word in _VERBS or is_past(word) for word in _RELATIVE.sub("", text).lower().split())
