"""Packs the sentences of an article into passages with exact offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rag.schema import Article, Passage, Span
from rag.schema.articles import passage_id
from rag.text.sentences import sentences, trimmed

_BREAKS = ("\n", "; ", ", ", " ")

Count = Callable[[Sequence[str]], list[int]]
"""Counts the tokens of each text."""


def chunk(article: Article, count: Count, *, budget: int) -> list[Passage]:
    """Packs whole sentences, in order and without overlap, into passages of at most `budget` tokens.

    A sentence longer than the budget is cut at a line break, else after a semicolon or comma, else at a space.
    """
    packed: list[Span] = []
    used = 0
    for piece, size in _fitting(article.text, sentences(article.text), count, budget):
        if packed and used + size <= budget:
            packed[-1], used = Span(packed[-1].start, piece.end), used + size
        else:
            packed.append(piece)
            used = size
    return [_passage(article, span) for span in packed]


def _passage(article: Article, span: Span) -> Passage:
    return Passage(passage_id(article, span), article.id, span.start, span.end, article.text[span.start : span.end])


def _fitting(text: str, spans: list[Span], count: Count, budget: int) -> Iterator[tuple[Span, int]]:
    """The sentences, or parts of them, with their tokens."""
    for span, size in zip(spans, count([text[s.start : s.end] for s in spans]), strict=True):
        if size <= budget:
            yield span, size
        else:
            yield from _fitting(text, _halves(text, span), count, budget)


def _halves(text: str, span: Span) -> list[Span]:
    """Cuts at the break nearest the middle, of the best kind that there is."""
    middle = (span.start + span.end) // 2
    for mark in _BREAKS:
        cuts = (text.rfind(mark, span.start, middle), text.find(mark, middle, span.end))
        places = [c + len(mark) for c in cuts if span.start < c + len(mark) < span.end and c >= 0]
        if places:
            cut = min(places, key=lambda c: abs(c - middle))
            return [trimmed(text, Span(span.start, cut)), trimmed(text, Span(cut, span.end))]
    return [Span(span.start, middle), Span(middle, span.end)]
