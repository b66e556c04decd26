"""Takes a request for a summary or a timeline from what it names to what is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from rag import verification
from rag.briefing import THEMES, Briefing, News, brief
from rag.catalog import Catalog
from rag.chronology import chronicle
from rag.citations import cited, numbered
from rag.clock import Clock
from rag.embeddings import Embedder, Vector
from rag.errors import InputError
from rag.excerpts import Pool
from rag.gathering import of_articles, of_hits, of_window
from rag.query import Query
from rag.schema import Article, Hit, Length, Reason, Section, Statement, Status, Summary, Timeline, Window
from rag.selection import Budget
from rag.summarization import BUDGETS, Check
from rag.summarization import summarize as summarized
from rag.topics import Topic
from rag.words import content_words

MOST_PASSAGES = 80
"""How many passages are read on a topic."""
_BRIEFING_WORDS = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be summarized: the articles, or all if there are none, on what, in how much room, within what."""

    articles: tuple[Article, ...]
    topic: str | None
    room: Budget
    window: Window


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the retriever reads it, and its passages, best first."""

    query: Query
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Shelf:
    """Where the articles are, how passages on a topic are found, and how a statement is checked."""

    catalog: Catalog
    embeddings: Embedder | None
    search: Callable[[str, int, Window], Found]
    check: Check


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """What was read for a request, and its topic."""

    pool: Pool
    topic: Topic | None


def room(length: Length, words: int | None) -> Budget:
    """The room of a length, or that of so many words; raises InputError if nothing fits into them."""
    if words is None:
        return BUDGETS[Length(length)]
    if words < 1:
        raise InputError(f"words is {words}; wanted at least 1, such as 120")
    return Budget(words, max(3, words // 15))


def summarize(asked: Asked, shelf: Shelf, clock: Clock) -> Summary:
    """The summary of what was asked for; a briefing if nothing was named and there is more than one article."""
    if not asked.articles and asked.topic is None and len(shelf.catalog.article_ids(asked.window, most=2)) != 1:
        return _briefed(asked, shelf, clock)
    with clock.time("gather"):
        read = _read(asked, shelf)
    with clock.time("generate"):
        statements = numbered(summarized(read.pool, read.topic, asked.room, shelf.check))
    return Summary(asked.topic, read.pool.articles, statements, **_outcome(statements, asked, shelf, clock))


def timeline(asked: Asked, shelf: Shelf, clock: Clock) -> Timeline:
    """The timeline of what was asked for."""
    if asked.room.most < 1:
        raise InputError(f"max_events is {asked.room.most}; wanted at least 1")
    with clock.time("gather"):
        read = _read(asked, shelf)
    with clock.time("generate"):
        found = chronicle(read.pool, read.topic, shelf.check, most=asked.room.most)
    statements = numbered([event.statement for event in found])
    dated = tuple(replace(event, statement=s) for event, s in zip(found, statements, strict=True))
    return Timeline(asked.topic, read.pool.articles, dated, **_outcome(statements, asked, shelf, clock))


def _briefed(asked: Asked, shelf: Shelf, clock: Clock) -> Summary:
    with clock.time("gather"):
        found = _briefing(asked.window, shelf)
    with clock.time("generate"):
        sections = brief(found, asked.room.words * _BRIEFING_WORDS, shelf.check)
    statements = numbered([s for section in sections for s in section.statements])
    articles = {a.id: a for pool in (*found.pools, found.news.pool) for a in pool.articles}
    outcome = _outcome(statements, asked, shelf, clock)
    return Summary(None, tuple(articles.values()), statements, _renumbered(sections, statements), **outcome)


def _renumbered(sections: Sequence[Section], statements: Sequence[Statement]) -> tuple[Section, ...]:
    left = iter(statements)
    return tuple(replace(s, statements=tuple(next(left) for _ in s.statements)) for s in sections)


def _outcome(statements: Sequence[Statement], asked: Asked, shelf: Shelf, clock: Clock) -> dict[str, Any]:
    """What a summary and a timeline have in common, as keyword arguments."""
    why = verification.reason(statements)
    if not statements:
        empty = not asked.articles and shelf.catalog.passage_count(asked.window) == 0
        why = Reason.OUTSIDE_DATES if empty or asked.articles else Reason.NOT_IN_ARTICLES
    return {
        "status": verification.status(statements) if statements else Status.ABSTAINED,
        "reason": why,
        "citations": cited(statements),
        "as_of": asked.window.as_of,
        "timings": clock.times,
        "warnings": verification.warnings(statements),
    }


def _read(asked: Asked, shelf: Shelf) -> _Read:
    if asked.topic is None:
        return _Read(_named(asked, shelf) if asked.articles else of_window(shelf.catalog, asked.window), None)
    if not content_words(asked.topic):
        raise InputError(f"the topic {asked.topic[:40]!r} has no words in it; name one, such as negotiations")
    found = shelf.search(asked.topic, MOST_PASSAGES, asked.window) if not asked.articles else None
    pool = of_hits(shelf.catalog, found.hits) if found else _named(asked, shelf)
    return _Read(pool, _topic(asked.topic, shelf, found.query.names if found else ()))


def _named(asked: Asked, shelf: Shelf) -> Pool:
    return of_articles(shelf.catalog, shelf.embeddings, asked.articles, asked.window)


def _topic(text: str, shelf: Shelf, names: Sequence[str]) -> Topic:
    vector = np.array(shelf.embeddings.embed_query(text), np.float32) if shelf.embeddings else None
    return Topic(text, frozenset(stem for name in names for stem in content_words(name)), vector)


def _briefing(window: Window, shelf: Shelf) -> Briefing:
    found = [shelf.search(theme.topic, MOST_PASSAGES, window) for theme in THEMES]
    topics = tuple(_topic(theme.topic, shelf, ()) for theme in THEMES)
    return Briefing(topics, tuple(of_hits(shelf.catalog, f.hits) for f in found), _news(window, shelf))


def _news(window: Window, shelf: Shelf) -> News:
    days = shelf.catalog.days(window)
    day, before = (days[0] if days else None), (days[1] if len(days) > 1 else None)
    if day is None or before is None:
        return News(day, before, of_window(shelf.catalog, window), _none())
    latest = of_window(shelf.catalog, replace(window, since=day))
    earlier = shelf.catalog.vectors(_until(window, before))
    return News(day, before, latest, earlier.matrix if earlier.ids else _none())


def _until(window: Window, day: date) -> Window:
    return replace(window, until=min(filter(None, (window.until, day))))


def _none() -> Vector:
    return np.zeros((0, 1), np.float32)
