"""Tells whether a text has a number of the thing that a question counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rag.retrieval.query import Kind, Query
from rag.text.words import content_words, words

_REACH, _HEAD_WORDS = 5, 2
_COUNTED = re.compile(r"\bhow many (.*)", re.IGNORECASE)
_MONEY_ASKED = re.compile(r"\bhow much\b|\b(?:cost|price|money|salary|ransom|dollars)\b", re.IGNORECASE)
_MONEY = re.compile(r"[$€£]\s?\d|\d (?:(?:million|billion|thousand) )?(?:dollars|euros|pounds|afghanis)\b", re.I)


def uncounted(query: Query, text: str) -> bool:
    """Whether a question asks for how many of something there are, or for money, and the text has no such number."""
    if _COUNTED.search(query.text):
        return not counts(query, text)
    paid = query.kind is Kind.NUMBER and _MONEY_ASKED.search(query.text)
    return bool(paid) and not _MONEY.search(text)


def counts(query: Query, text: str) -> bool:
    """Whether it has a number of the thing that the question counts, which the question did not give of it."""
    head = _counted(query.text)
    return bool(head and _numbers(head, words(text)) - _numbers(head, words(query.text)))


@lru_cache(maxsize=256)
def _counted(question: str) -> frozenset[str]:
    """The stems of what a question asks how many there are of; none for other questions."""
    found = _COUNTED.search(question)
    return frozenset(content_words(found[1])[:_HEAD_WORDS]) if found else frozenset()


def _numbers(head: frozenset[str], stems: Sequence[str]) -> set[str]:
    """The numbers that one of the stems soon follows."""
    numbers = ((i, stem) for i, stem in enumerate(stems) if stem[0].isdigit())
    return {stem for i, stem in numbers if head.intersection(stems[i + 1 : i + 1 + _REACH])}
