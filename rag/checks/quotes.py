"""Finds the spans that marks and quotations in a text refer to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.schema import Article, Check, Citation, Span, Statement
from rag.text.speakers import alike, are_others, quoted_by

_QUOTED = re.compile(r"“([^“”]+)”|\"([^\"]+)\"|``(.+?)''|«([^«»]+)»|(?<![\w])‘([^‘’]+(?:’\w[^‘’]*)*)’(?!\w)")
_MARK = re.compile(r"\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*(?:[.,]\d+)*")
_ORIGIN = re.compile(r"\s*[\[(](?P<origin>[^\[\]()]{3,300})[\])](?P<end>[.!?]?)\s*$")
_LETTERS = re.compile(r"[^\W_]+")
CLOSING = ".!?…”\"'’)»"
"""What may end a sentence."""
_ELLIPSIS = re.compile(r"\s*(?:\.\.\.|…|\[[^\]]*\])\s*")
_SHARE = 0.7
_FEWEST_LETTERS = 12
_FEWEST_WORDS = 4
"""Fewer in quotation marks may be anybody's."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without its citation marks, and their numbers in order."""

    text: str
    numbers: tuple[int, ...]


def unmarked(text: str) -> Marked:
    """Takes marks such as [1] or [2, 3] out of a text."""
    numbers = [int(n) for match in _MARK.finditer(text) for n in re.findall(r"\d+", match[1])]
    return Marked(" ".join(re.sub(r"\s+([.,;:!?])", r"\1", _MARK.sub("", text)).split()), tuple(numbers))


def without_origin(text: str, articles: Sequence[Article]) -> str:
    """A statement without the outlets and dates in brackets at its end, if each is that of one of the articles."""
    found = _ORIGIN.search(text)
    known = [_origin_words(article) for article in articles]
    if not found or not all(any(told <= words for words in known) for told in _origins(text)):
        return text
    bare = text[: found.start()].rstrip()
    return bare if bare[-1:] in tuple(CLOSING) else bare + (found["end"] or ".")


def originals(text: str, articles: Sequence[Article]) -> list[Article]:
    """The articles whose outlet, with nothing that is not theirs, is in brackets at the end of a statement."""
    told = _origins(text)
    return [a for a in articles if a.source and any(_lettered(a.source) <= t <= _origin_words(a) for t in told)]


def _origins(text: str) -> list[set[str]]:
    found = _ORIGIN.search(text)
    return [_lettered(part) for part in found["origin"].split(";")] if found else []


def _lettered(text: str) -> set[str]:
    return {word.casefold() for word in _LETTERS.findall(text)}


def _origin_words(article: Article) -> set[str]:
    """The words that name an article's outlet, title and date."""
    published = article.published
    days = f"{published} {published.written} {published.day.month} {published.day:%b}" if published else ""
    return _lettered(f"{article.source or ''} {article.title} {days}")


def quotations(text: str) -> list[str]:
    """The texts in quotation marks, without the marks."""
    return [next(group for group in match.groups() if group).strip(" ,") for match in _QUOTED.finditer(text)]


def locate(quote: str, text: str) -> Span | None:
    """Where a quote is in a text: word for word, whatever the case, the spaces and the punctuation between them.

    Parts that an ellipsis or brackets join must follow each other within three sentences' length.
    """
    parts = [p for p in (_words(part) for part in _ELLIPSIS.split(quote)) if p]
    found = list(_WORD.finditer(text))
    held = [_plain(m[0]) for m in found]
    if not parts:
        return None
    for first in _starts(parts[0], held, 0):
        last = _followed(parts[1:], held, first + len(parts[0]))
        if last is not None:
            return Span(found[first].start(), found[last - 1].end())
    return None


def locate_loosely(quote: str, text: str) -> Span | None:
    """Where a quote is in a text if apostrophes, hyphens or spaces are all that differs."""
    wanted = "".join(c.casefold()[:1] for c in quote if c.isalnum())
    places = [i for i, c in enumerate(text) if c.isalnum()]
    held = "".join(text[i].casefold()[:1] for i in places)
    first = held.find(wanted) if len(wanted) >= _FEWEST_LETTERS else -1
    while first >= 0:
        start, end = places[first], places[first + len(wanted) - 1] + 1
        if _is_edge(text, start - 1) and _is_edge(text, end):
            return Span(start, end)
        first = held.find(wanted, first + 1)
    return None


def _is_edge(text: str, place: int) -> bool:
    return not 0 <= place < len(text) or not text[place].isalnum()


def check_quotes(text: str, evidence: Sequence[str]) -> Iterator[Check]:
    """A check for each quotation in a text: it must be word for word in one of the spans."""
    for quote in quotations(text):
        if _is_title(quote):
            continue
        places = ((span, source) for source in evidence if (span := locate(quote, source)))
        found = next((source[span.start : span.end] for span, source in places), None)
        if found is None and _words(quote):
            yield Check("quote", quote, _nearest(quote, evidence), False)
        elif found:
            yield Check("quote", quote, found, True)


def check_voices(text: str, evidence: Sequence[str]) -> Iterator[Check]:
    """A check for each quotation in a text of who says it, where the text and the evidence both say so."""
    for quote in quotations(text):
        stated = _voice(quote, text) if len(_words(quote)) >= _FEWEST_WORDS else None
        told = [name for source in evidence if (name := _voice(quote, source))] if stated else []
        if stated and told and (are_others(stated, told[0]) or alike(stated, told[0])):
            same = any(not are_others(stated, name) for name in told)
            name = stated if same else told[0]
            yield Check("quote", f"“{quote}” by {stated}", f"“{quote}” by {name}", same)


def _voice(quote: str, text: str) -> str | None:
    span = locate(quote, text)
    return quoted_by(text, span) if span else None


def _is_title(quote: str) -> bool:
    """Whether it is the name of a work rather than what somebody said."""
    words = [w for w in _WORD.findall(quote) if len(w) > 3]
    return len(words) > 1 and all(w[0].isupper() or w[0].isdigit() for w in words)


def _nearest(quote: str, evidence: Sequence[str]) -> str | None:
    """The run of words of the same length that has the most of the quote's, if that is most of them."""
    wanted, best, share = set(_words(quote)), None, _SHARE
    size = len(_words(quote))
    for source in evidence:
        found = list(_WORD.finditer(source))
        for i in range(max(1, len(found) - size + 1)):
            run = found[i : i + size]
            has = len(wanted & {_plain(m[0]) for m in run}) / (len(wanted) or 1)
            if run and has > share:
                best, share = source[run[0].start() : run[-1].end()], has
    return best


def _words(text: str) -> list[str]:
    return [_plain(w) for w in _WORD.findall(text)]


def _plain(word: str) -> str:
    return word.casefold().replace("’", "'")


def _starts(part: Sequence[str], held: Sequence[str], begin: int) -> Iterator[int]:
    return (i for i in range(begin, len(held) - len(part) + 1) if held[i : i + len(part)] == part)


def _followed(parts: Sequence[Sequence[str]], held: Sequence[str], begin: int) -> int | None:
    """Where the last of the parts ends, each soon after the one before."""
    for part in parts:
        start = next((i for i in _starts(part, held, begin) if i - begin <= 40), None)
        if start is None:
            return None
        begin = start + len(part)
    return begin


def numbered(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements with their citations renumbered in order; the same span has the same number."""
    numbers: dict[tuple[str, int, int], int] = {}

    def number(citation: Citation) -> Citation:
        key = (citation.article.id, citation.start, citation.end)
        return replace(citation, number=numbers.setdefault(key, len(numbers) + 1))

    return tuple(replace(s, citations=tuple(number(c) for c in s.citations)) for s in statements)


def cited(statements: Sequence[Statement]) -> tuple[Citation, ...]:
    """The citations of all of the statements, each once, by number."""
    found = {citation.number: citation for statement in statements for citation in statement.citations}
    return tuple(found[number] for number in sorted(found))
