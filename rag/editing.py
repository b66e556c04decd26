"""Sets editorial marks into quoted sentences, for what the article tells and the sentence alone does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.attribution import voice
from rag.chunking import sentences
from rag.eventdates import event_dates
from rag.schema import Citation, Note, Span, Statement


def edited(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements, those that are quotes with marks that tell who speaks, and which day a relative date is."""
    return tuple(replace(s, notes=tuple(_notes(s))) if _is_quote(s) else s for s in statements)


def told_by(citation: Citation) -> str | None:
    """Who says what is cited, by the first of its sentences that tells."""
    found = (voice(citation.article.text, span) for span in _spans(citation))
    return next((v.name for v in found if v), None)


def _is_quote(statement: Statement) -> bool:
    return len(statement.citations) == 1 and statement.text == " ".join(statement.citations[0].quote.split())


def _notes(statement: Statement) -> Iterator[Note]:
    citation = statement.citations[0]
    yield from sorted([*_speakers(citation), *_dates(citation)], key=lambda note: note.at)


def _dates(citation: Citation) -> Iterator[Note]:
    """A mark behind each relative date."""
    article = citation.article
    for span in _spans(citation):
        for found in event_dates(article.text, span, article.published):
            yield Note(len(" ".join(article.text[citation.start : found.end].split())), str(found))


def _speakers(citation: Citation) -> Iterator[Note]:
    """A mark before the first sentence of a labelled speaker, and one behind each pronoun that stands for one."""
    last = None
    for place, span in enumerate(_spans(citation)):
        found = voice(citation.article.text, span)
        offset = len(" ".join(citation.article.text[citation.start : span.start].split()) + " ") if place else 0
        if found and found.at is not None and found.name != last:
            at = found.at and len(" ".join(citation.article.text[span.start : span.start + found.at].split()))
            yield Note(offset + at, found.name if at else f"{found.name}:")
        last = found.name if found else last


def _spans(citation: Citation) -> list[Span]:
    """The sentences that are cited, in the article."""
    return [Span(citation.start + s.start, citation.start + s.end) for s in sentences(citation.quote)]
