"""Finds who says a quotation, over sentences and paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rag.schema import Span
from rag.text.sentences import sentences
from rag.text.speakers import antecedent, pronoun, speaker

_MARK = re.compile(r"[“”«»\"]|``|''")
_OPENING, _CLOSING = ("“", "«", "``"), ("”", "»", "''")
_BREAK = re.compile(r"\n\s*\n")
_ENDED = (".", "…")
_LONGEST = 5_000  # characters


def quoted_by(text: str, span: Span) -> str | None:
    """Who says the quotation that a span of an article is in; None if it is in none, or nobody is named."""
    runs = _quotations(text)
    place = next((i for i, run in enumerate(runs) if run.start <= span.start and span.end <= run.end), None)
    return None if place is None else _speaker(text, runs, place)


@lru_cache(maxsize=256)
def _quotations(text: str) -> tuple[Span, ...]:
    """The quotations of a text with their marks; one goes on over paragraphs that begin with another opening mark."""
    return tuple(_found(text))


def _found(text: str) -> Iterator[Span]:
    start: int | None = None
    last = 0
    for mark in _MARK.finditer(text):
        opens = text[: mark.start()].rstrip(" \t")[-1:] in ("", "\n")
        if start is not None and _is_broken(text, last, mark, opens):
            start = None
        if start is None:
            start = mark.start() if mark[0] not in _CLOSING else None
        elif mark[0] in _CLOSING or (mark[0] == '"' and not opens):
            yield Span(start, mark.end())
            start = None
        last = mark.end()


def _is_broken(text: str, last: int, mark: re.Match[str], opens: bool) -> bool:
    """Whether a quotation that was not closed ended with its paragraph, or is too long for one."""
    paragraph = _BREAK.search(text, last, mark.start())
    return mark.start() - last > _LONGEST or bool(paragraph and not opens)


def _speaker(text: str, runs: tuple[Span, ...], place: int) -> str | None:
    """By the words of its own sentence behind or before it, else as the one that it goes on from."""
    for part in (_behind(text, runs, place), _ahead(text, runs, place)):
        if meant := pronoun(part):
            return antecedent(_bare(text, runs[:place]), runs[place].start, several=meant.text.casefold() == "they")
        if named := speaker(part):
            return named
    return _speaker(text, runs, place - 1) if place and _goes_on(text, runs[place - 1], runs[place]) else None


def _behind(text: str, runs: tuple[Span, ...], place: int) -> str:
    """What follows in the same sentence, with the end of the quotation; nothing if that ends the sentence."""
    run = runs[place]
    inside = text[run.start : run.end].rstrip("”»\"' ")
    if inside.endswith(_ENDED):
        return ""
    end = runs[place + 1].start if place + 1 < len(runs) else len(text)
    paragraph = _BREAK.search(text, run.end, end)
    rest = text[run.end : paragraph.start() if paragraph else end].partition(";")[0]
    first = next(iter(sentences(rest)), None)
    return f"{inside[-1:]}{text[run.end - 1]}{rest[: first.end]}" if first else ""


def _ahead(text: str, runs: tuple[Span, ...], place: int) -> str:
    """What comes before in the same sentence."""
    begin = runs[place - 1].end if place else 0
    part = text[begin : runs[place].start]
    paragraphs = [m.end() for m in _BREAK.finditer(part)]
    part = part[paragraphs[-1] if paragraphs else 0 :]
    spans = sentences(part)
    last = part[spans[-1].start :].rpartition(";")[2].strip() if spans else ""
    return "" if last.endswith((".", "!", "?")) else last


def _goes_on(text: str, earlier: Span, later: Span) -> bool:
    """Whether nothing but the words that name the speaker stands between two quotations."""
    between = text[earlier.end : later.start]
    return not between.strip() or (len(sentences(between)) == 1 and speaker(f",”{between}") is not None)


def _bare(text: str, runs: tuple[Span, ...]) -> str:
    """The text with blanks in these quotations."""
    for run in runs:
        text = f"{text[: run.start + 1]}{' ' * (run.end - run.start - 2)}{text[run.end - 1 :]}"
    return text
