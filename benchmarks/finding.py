"""How much of the gold evidence stands in the texts that a search returned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contenders import Found

FIRST = 10
ROOM = 4000
"""Characters that a reader, or a prompt, has room for."""
_RUN = 5
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Gold:
    """A question and the quotes that answer it, each with the id of its article."""

    question: str
    evidence: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares from 0 to 1, of one question or the means of several; `characters` is the length of the first ten."""

    article_recall: float
    passage_recall: float
    room_recall: float
    mrr: float
    characters: float


def quality(gold: Gold, found: Sequence[Found]) -> Quality:
    """What the first ten texts have of the articles, of the quotes, and of the quotes in the first 4,000 characters.

    MRR is one over the rank of the first text that has a quote, 0 if none of the ten has.
    """
    first = found[:FIRST]
    ranks = [rank for rank, text in enumerate(first, 1) if any(holds(text, quote) for quote in gold.evidence)]
    articles = {quote.article for quote in gold.evidence}
    return Quality(
        len(articles & {text.article for text in first}) / len(articles),
        _recall(gold, first),
        _recall(gold, within(first, ROOM)),
        1 / ranks[0] if ranks else 0.0,
        float(sum(len(text.text) for text in first)),
    )


def mean(qualities: Sequence[Quality]) -> Quality:
    """The mean over questions, each with the same weight."""
    count = len(qualities)
    return Quality(*(sum(getattr(q, name) for q in qualities) / count for name in Quality.__slots__))


def holds(text: Found, quote: Found) -> bool:
    """Whether a text of the right article has at least half of the runs of five words of the quote."""
    if text.article != quote.article:
        return False
    runs = _runs(quote.text)
    return len(runs & _runs(text.text, min(_RUN, len(_words(quote.text))))) >= _HALF * len(runs)


def within(found: Sequence[Found], room: int) -> list[Found]:
    """The texts that fit into a number of characters, the last one cut."""
    kept: list[Found] = []
    for text in found:
        if room > 0:
            kept.append(Found(text.article, text.text[:room]))
        room -= len(text.text)
    return kept


def _recall(gold: Gold, found: Sequence[Found]) -> float:
    return sum(any(holds(text, quote) for text in found) for quote in gold.evidence) / len(gold.evidence)


def _runs(text: str, length: int = _RUN) -> set[tuple[str, ...]]:
    words = _words(text)
    length = min(length, len(words))
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
