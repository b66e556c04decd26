"""Finds the sentences of a text, with exact offsets."""

from __future__ import annotations

import re
from itertools import pairwise

from rag.schema import Citation, Span

# sentencex takes these for the end of a sentence; a person's name or rank goes on after them.
_GOES_ON = re.compile(
    r"(?:^|[\s(“\"])(?:[A-Z]|M[RS]S?|MX|Dr|DR|Gen|GEN|Lt|Col|Cpl|Sgt|Capt|Maj|Adm|Sen|Rep|Gov|Amb|Prof|St)\.$"
)
_PARAGRAPH = re.compile(r"\n\s*\n")
_SURROGATE = re.compile("[\ud800-\udfff]")


def sentences(text: str) -> list[Span]:
    """The sentences of a text, in order, without the white space around them."""
    import sentencex

    found = sentencex.get_sentence_boundaries("en", _SURROGATE.sub("?", text))  # which it does not take
    bounds = [b["start_index"] for b in found] + [len(text)]
    kept = [s for s in (trimmed(text, Span(a, b)) for a, b in pairwise(bounds)) if s.start < s.end]
    return _joined(text, kept)


def cited_sentences(citation: Citation) -> list[Span]:
    """The sentences that are cited, in the article."""
    return [Span(citation.start + s.start, citation.start + s.end) for s in sentences(citation.quote)]


def trimmed(text: str, span: Span) -> Span:
    """The span without the white space at its ends."""
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
