"""Adds editorial marks to statements: what the article says and the statement alone does not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.schema import Citation, Note, Statement
from rag.text.calendar import Period, named, phrases
from rag.text.names import names, same
from rag.text.relative_dates import EventDate, event_dates
from rag.text.sentences import cited_sentences
from rag.text.speakers import pronoun, voice


def edited(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements with marks that show who speaks, and which day a relative date is.

    What is no quote has marks behind the words that it shares with what it cites, as far as they mean one thing there.
    """
    return tuple(replace(s, notes=tuple(_notes(s) if _is_quote(s) else _shared(s))) for s in statements)


def dated(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements, taken from their first citation, with marks that show which day a relative date is."""
    return tuple(replace(s, notes=tuple(_marks(s))) if s.citations and not s.notes else s for s in statements)


def _is_quote(statement: Statement) -> bool:
    return len(statement.citations) == 1 and statement.text == " ".join(statement.citations[0].quote.split())


def _notes(statement: Statement) -> Iterator[Note]:
    citation = statement.citations[0]
    yield from sorted([*_speakers(citation), *_dates(citation)], key=lambda note: note.at)


def _shared(statement: Statement) -> list[Note]:
    """The marks of a statement in other words than those of what it cites."""
    found = [*_shared_dates(statement), *_shared_speaker(statement)]
    return sorted(found, key=lambda note: note.at)


def _shared_dates(statement: Statement) -> Iterator[Note]:
    """A mark behind each relative date that the cited sentences have too, unless the statement has that day itself."""
    meant: dict[str, set[str]] = {}
    for phrase, day in (pair for citation in statement.citations for pair in _relative(citation)):
        meant.setdefault(phrase, set()).add(day)
    given = {str(EventDate(0, 0, p)) for c in statement.citations for p in _given(statement.text, c)}
    for phrase, days in meant.items():
        places = [m.end() for m in re.finditer(rf"\b{re.escape(phrase)}(?!\w)", statement.text, re.IGNORECASE)]
        if len(days) == len(places) == 1 and not days & given:
            yield Note(places[0], *days)


def _relative(citation: Citation) -> Iterator[tuple[str, str]]:
    """The relative dates that are cited, in lower case, each with the days that it means."""
    article = citation.article
    for span in cited_sentences(citation):
        for found in event_dates(article.text, span, article.published):
            yield " ".join(article.text[found.start : found.end].casefold().split()), str(found)


def _given(text: str, citation: Citation) -> Iterator[Period]:
    published = citation.article.published
    for phrase in phrases(text):
        yield from named(phrase, [published.day.year] if published else [])


def _shared_speaker(statement: Statement) -> Iterator[Note]:
    """A mark behind a pronoun that speaks, if the cited sentences have it for one person."""
    own = pronoun(statement.text)
    told = {name for citation in statement.citations for name in _meant(citation, own["who"])} if own else set()
    if own and len(told) == 1 and not any(same(*told, name.text) for name in names(statement.text)):
        yield Note(own.end("who"), *told)


def _meant(citation: Citation, word: str) -> Iterator[str]:
    text = citation.article.text
    for span in cited_sentences(citation):
        found, theirs = voice(text, span), pronoun(text[span.start : span.end])
        if found and found.at and theirs and theirs["who"].casefold() == word.casefold():
            yield found.name


def _dates(citation: Citation) -> Iterator[Note]:
    """A mark behind each relative date."""
    article = citation.article
    for span in cited_sentences(citation):
        for found in event_dates(article.text, span, article.published):
            yield Note(len(" ".join(article.text[citation.start : found.end].split())), str(found))


def _marks(statement: Statement) -> Iterator[Note]:
    """A mark behind each relative date of the citation that stands once in the text, which may be shorter."""
    article = statement.citations[0].article
    found = [
        d
        for span in cited_sentences(statement.citations[0])
        for d in event_dates(article.text, span, article.published)
    ]
    places: dict[int, str] = {}
    for one in found:
        phrase = " ".join(article.text[one.start : one.end].split())
        if statement.text.count(phrase) == 1:
            places[statement.text.index(phrase) + len(phrase)] = str(one)
    yield from (Note(at, day) for at, day in sorted(places.items()))


def _speakers(citation: Citation) -> Iterator[Note]:
    """A mark before the first sentence of a labelled speaker, and one behind each pronoun that stands for one."""
    last = None
    for place, span in enumerate(cited_sentences(citation)):
        found = voice(citation.article.text, span)
        offset = len(" ".join(citation.article.text[citation.start : span.start].split()) + " ") if place else 0
        if found and found.at is not None and found.name != last:
            at = found.at and len(" ".join(citation.article.text[span.start : span.start + found.at].split()))
            yield Note(offset + at, found.name if at else f"{found.name}:")
        last = found.name if found else last
