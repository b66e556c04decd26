"""Cuts an article into passages of whole sentences with exact offsets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from rag.schema import Article, Citation, Passage, Span

# sentencex takes these for the end of a sentence; a person's name or rank goes on after them.
_GOES_ON = re.compile(
    r"(?:^|[\s(“\"])(?:[A-Z]|M[RS]S?|MX|Dr|DR|Gen|GEN|Lt|Col|Cpl|Sgt|Capt|Maj|Adm|Sen|Rep|Gov|Amb|Prof|St)\.$"
)
_PARAGRAPH = re.compile(r"\n\s*\n")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BREAKS = ("\n", "; ", ", ", " ")

Count = Callable[[Sequence[str]], list[int]]
"""Counts the tokens of each text."""


def sentences(text: str) -> list[Span]:
    """The sentences of a text, in order, without the white space around them."""
    import sentencex

    found = sentencex.get_sentence_boundaries("en", _SURROGATE.sub("?", text))  # which it does not take
    bounds = [b["start_index"] for b in found] + [len(text)]
    kept = [s for s in (_trimmed(text, Span(a, b)) for a, b in pairwise(bounds)) if s.start < s.end]
    return _joined(text, kept)


def cited_sentences(citation: Citation) -> list[Span]:
    """The sentences that are cited, in the article."""
    return [Span(citation.start + s.start, citation.start + s.end) for s in sentences(citation.quote)]


def chunk(article: Article, count: Count, *, budget: int) -> list[Passage]:
    """Packs whole sentences, in order and without overlap, into passages of at most `budget` tokens.

    A sentence longer than the budget is cut at a line break, else after a semicolon or comma, else at a space.
    """
    pieces = list(_fitting(article.text, sentences(article.text), count, budget))
    sizes = count([article.text[p.start : p.end] for p in pieces])
    passages: list[Passage] = []
    first, used = 0, 0
    for i, size in enumerate(sizes):
        if i > first and used + size > budget:
            passages.append(_passage(article, Span(pieces[first].start, pieces[i - 1].end)))
            first, used = i, 0
        used += size
    if pieces:
        passages.append(_passage(article, Span(pieces[first].start, pieces[-1].end)))
    return passages


def _passage(article: Article, span: Span) -> Passage:
    key = hashlib.sha256(f"{article.id}\0{article.sha256}\0{span.start}\0{span.end}".encode()).hexdigest()[:20]
    return Passage(key, article.id, span.start, span.end, article.text[span.start : span.end])


def _trimmed(text: str, span: Span) -> Span:
    raw = text[span.start : span.end]
    return Span(span.start + len(raw) - len(raw.lstrip()), span.end - len(raw) + len(raw.rstrip()))


def _joined(text: str, spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and _GOES_ON.search(text[last.start : last.end]) and not _PARAGRAPH.search(text[last.end : span.start]):
            joined[-1] = Span(last.start, span.end)
        else:
            joined.append(span)
    return joined


def _fitting(text: str, spans: list[Span], count: Count, budget: int) -> Iterator[Span]:
    for span, size in zip(spans, count([text[s.start : s.end] for s in spans]), strict=True):
        if size <= budget:
            yield span
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
            return [_trimmed(text, Span(span.start, cut)), _trimmed(text, Span(cut, span.end))]
    return [Span(span.start, middle), Span(middle, span.end)]
