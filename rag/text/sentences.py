"""Finds the sentences of a text, with exact offsets."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from rag.schema import Citation, Span
from rag.text import TABLES
from rag.text.calendar import ANY_MONTH, ANY_WEEKDAY

_RANKS, _OPENERS = ("|".join(TABLES["sentences"][name].split()) for name in ("ranks", "openers"))
_GOES_ON = re.compile(rf"(?:^|[\s(“\"—–-])(?:[A-Z]|a\.k\.a|{_RANKS})\.$|^(?:\d{{1,3}}|[a-z])[.)]$")
_HOUR = re.compile(r"\b[ap]\.m\.$", re.I)
_DAY = re.compile(rf"(?:{ANY_WEEKDAY}|{ANY_MONTH}|local|eastern|gmt|utc|[ecmp][sd]?t)\b", re.I)
_BEFORE_NUMBER = re.compile(
    r"(?:^|[\s(“\"])(?:approx|arts?|ch|chap|est|figs?|nos?|pp?|para|paras|rs|secs?|vols?)\.$", re.I
)
_NUMBER = re.compile(r"[€£$]?\d|[IVXLC]+\b")
# A lower-case word goes on with the sentence, unless it is a name such as `iPhone`, `al-Shabab` or `de Blasio`.
_LOWER = re.compile(r"(?!(?:al|bin|da|de|del|della|di|du|el|ibn|la|le|van|von)\s+[A-Z])[a-z]+(?![\w-])")
_CAPITAL = re.compile(r"[\W\d]*[A-Z]")
_ENDS = re.compile(
    r"(?<=\bMay\.)\s+(?=[“\"‘]?[A-Z])|(?<=\betc\.)\s+(?=[“\"‘]?[A-Z])|(?<=\b[^\W\d_]\.[”\"])\s+(?=[A-Z])"
    r"|(?:(?<=\b[^\W\d_]\.)|(?<=\bSt\.)|(?<=\bSr\.)|(?<=\bRd\.)|(?<=\bAve\.)|(?<=\bBlvd\.))(?<!\bv\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\ba\.k\.a\.)"
    rf"\s+(?=[“\"‘]?(?:{_OPENERS})\s)"
)
_ASIDE = re.compile(r"(?:\([^()]*[.!?][”\"’]?\)|\[[^\[\]]*[.!?][”\"’]?\])(?=\s+[“\"‘]?[A-Z])")
_PARAGRAPH = re.compile(r"\n\s*\n")
_LONGEST_CACHED = 20_000  # characters
_SURROGATE = re.compile("[\ud800-\udfff]")


def sentences(text: str) -> list[Span]:
    """The sentences of a text, in order, without the white space around them."""
    return list(_known(text) if len(text) <= _LONGEST_CACHED else _found(text))


def _found(text: str) -> tuple[Span, ...]:
    import sentencex

    found = sentencex.get_sentence_boundaries("en", _SURROGATE.sub("?", text))  # which it does not take
    bounds = {b["start_index"] for b in found} | {m.end() for m in _ENDS.finditer(text)} | {len(text)}
    kept = [s for s in (trimmed(text, Span(a, b)) for a, b in pairwise(sorted(bounds))) if s.start < s.end]
    return tuple(part for span in _joined(text, kept) for part in _without_aside(text, span))


_known = lru_cache(maxsize=1024)(_found)
"""Adding asks four times for those of an article: its passages, their vectors, their dates, orders in it."""


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
        if last and not _PARAGRAPH.search(text[last.end : span.start]) and _is_cut(text, last, span):
            joined[-1] = Span(last.start, span.end)
        else:
            joined.append(span)
    return joined


def _is_cut(text: str, last: Span, span: Span) -> bool:
    """Whether a sentence goes on behind what was taken for its end."""
    head = text[last.start : last.end]
    if _GOES_ON.search(head) and not _ENDS.match(text, last.end):
        return True
    if _LOWER.match(text, span.start):
        return bool(_CAPITAL.match(head)) and head[-1] in ".!?"
    if _HOUR.search(head):
        return bool(_DAY.match(text, span.start))
    return bool(_BEFORE_NUMBER.search(head) and _NUMBER.match(text, span.start))


def _without_aside(text: str, span: Span) -> list[Span]:
    """A sentence, or the one in brackets before it and the rest."""
    aside = _ASIDE.match(text, span.start, span.end)
    if not aside:
        return [span]
    return [Span(span.start, aside.end()), trimmed(text, Span(aside.end(), span.end))]
