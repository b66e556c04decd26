"""Takes a request for a summary or a timeline from what it names to what is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from rag.answer.annotate import dated
from rag.answer.pipeline import INSTEAD
from rag.checks import verify
from rag.checks.quotes import cited, numbered
from rag.digest import generative_timeline
from rag.digest.briefing import THEMES, Briefing, News, brief
from rag.digest.conflicts import borne_out, compared, current, differing, fitted, open_conflicts
from rag.digest.excerpts import Pool
from rag.digest.extractive import BUDGETS, Check
from rag.digest.extractive import summarize as summarized
from rag.digest.gather import of_articles, of_hits, of_window
from rag.digest.generative import Condenser, Task
from rag.digest.generative_timeline import Teller
from rag.digest.scope import Scope, scope
from rag.digest.select import Budget, Told
from rag.digest.timeline import chronicle, days_of
from rag.digest.topic import Topic
from rag.errors import InputError, KeyRefusedError, ModelError, NoModelError
from rag.models.client import Account
from rag.models.embeddings import Embedder, Vector
from rag.models.reader import Entailment
from rag.progress import Meter, Progress
from rag.retrieval.query import Query
from rag.schema import (
    Article,
    Conflict,
    Event,
    Hit,
    Length,
    Mode,
    Reason,
    Section,
    Statement,
    Status,
    Summary,
    Timeline,
    Window,
)
from rag.store.catalog import Catalog
from rag.text.injection import left_out
from rag.text.words import content_words

MOST_PASSAGES = 80
"""How many passages are read on a topic."""
_BRIEFING_WORDS = 2
_CONFLICT_WORDS, _MOST_SIDES = 0.75, 4
_ALL = "everything of weight in these articles"


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
    """Where the articles are, how passages are found and a statement is checked, and the model that writes, if any."""

    catalog: Catalog
    embeddings: Embedder | None
    search: Callable[[str, int, Window], Found]
    check: Check
    judged: Callable[[Sequence[Statement]], tuple[Statement, ...]]
    reader: Entailment | None = None
    condenser: Condenser | None = None
    teller: Teller | None = None


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
    return Budget(words, max(3, words // 10))


def summarize(asked: Asked, shelf: Shelf, account: Account, progress: Progress | None = None) -> Summary:
    """The summary of what was asked for; a briefing if nothing was named and there is more than one article.

    A model writes it if there is one; if the model fails, it is the articles' own sentences, with a warning, unless the
    terms are strict.
    """
    makers = _Makers(shelf, account, Meter(progress))
    if not asked.articles and asked.topic is None and len(shelf.catalog.article_ids(asked.window, most=2)) != 1:
        return _briefed(asked, makers)
    with account.clock.time("gather"):
        read = _read(asked, shelf)
    _warn(account, read.pool)
    with account.clock.time("summarize"):
        made = makers.statements(read.pool, read.topic, asked.room)
        conflicts = differing([read.pool], shelf.reader)
        now = fitted(current(made, conflicts, shelf.check), max(asked.room.words, _words(made)))
        statements = shelf.judged(borne_out(numbered(now or made)))
        told = compared(statements, conflicts)
    outcome = _outcome(statements, asked, shelf, account) | makers.mode | {"citations": told.citations}
    return Summary(asked.topic, read.pool.articles, statements, conflicts=told.conflicts, **outcome)


def timeline(asked: Asked, shelf: Shelf, account: Account, progress: Progress | None = None) -> Timeline:
    """The timeline of what was asked for, in the articles' own sentences, or in those of a model if there is one.

    If the model fails it is the articles' own, with a warning, unless the terms are strict.
    """
    clock = account.clock
    if asked.room.most < 1:
        raise InputError(f"max_events is {asked.room.most}; wanted at least 1")
    with clock.time("gather"):
        read = _read(asked, shelf)
    _warn(account, read.pool)
    with clock.time("summarize"):
        found = tuple(_chronicled(read, asked, shelf))
        told = _told(found, asked, shelf, account, Meter(progress))
    statements = shelf.judged(numbered([event.statement for event in told.events]))
    events = tuple(replace(event, statement=s) for event, s in zip(told.events, statements, strict=True))
    return Timeline(asked.topic, read.pool.articles, events, **_outcome(statements, asked, shelf, account) | told.mode)


def _chronicled(read: _Read, asked: Asked, shelf: Shelf) -> list[Event]:
    """The events on a topic; of one that goes from an event on, or up to one, those of its days."""
    limits = scope(read.topic.text, read.pool, days_of) if read.topic else Scope("")
    is_whole = limits.first is None and limits.last is None
    topic = read.topic if is_whole else _topic(limits.topic, shelf, ())
    return chronicle(read.pool, topic, shelf.check, most=asked.room.most, admits=limits.admits)


@dataclass(frozen=True, slots=True)
class _Events:
    """Events, and the mode and model of what was made, as keyword arguments."""

    events: tuple[Event, ...]
    mode: dict[str, Any]


def _told(found: tuple[Event, ...], asked: Asked, shelf: Shelf, account: Account, meter: Meter) -> _Events:
    """The events as a model tells them, if there is one and it does not fail."""
    if shelf.teller is None or not found:
        return _Events(found, {})
    task = generative_timeline.Task(found, asked.topic or _ALL, account, shelf.check, meter)
    try:
        return _Events(tuple(shelf.teller.told(task)), {"mode": Mode.LLM, "model": shelf.teller.caller.choice.id})
    except ModelError as error:
        _pass_over(error, account)
        return _Events(found, {})


def _pass_over(error: ModelError, account: Account) -> None:
    """Makes a warning of a fault of the model; raises it if the terms are strict, or if any call would have it."""
    if account.terms.strict or isinstance(error, KeyRefusedError | NoModelError):
        raise error
    account.warn(f"{error}; {INSTEAD}")


class _Makers:
    """Makes statements with the model, as long as it does not fail, else from the articles' own sentences."""

    def __init__(self, shelf: Shelf, account: Account, meter: Meter) -> None:
        self.shelf = shelf
        self.account = account
        self._meter = meter
        self._condenser = shelf.condenser
        self._wrote = False

    @property
    def mode(self) -> dict[str, Any]:
        """The mode and model of what was made, as keyword arguments."""
        wrote = self._wrote and self.shelf.condenser
        return {"mode": Mode.LLM, "model": wrote.caller.choice.id} if wrote else {}

    def statements(
        self, pool: Pool, topic: Topic | None, room: Budget, taken: Sequence[Told] = ()
    ) -> Sequence[Statement]:
        """The statements on what was gathered; raises ModelError, if not strict only of key and model."""
        if self._condenser and pool.hits:
            try:
                found = self._condenser.statements(self._task(pool, topic, room))
                self._wrote = True
                return found
            except ModelError as error:
                _pass_over(error, self.account)
                self._condenser = None
        return dated(summarized(pool, topic, room, self.shelf.check, taken=taken))

    def _task(self, pool: Pool, topic: Topic | None, room: Budget) -> Task:
        subject = topic.text if topic else _ALL
        return Task(pool.hits, subject, room, self.account, self.shelf.check, self._meter)


def _briefed(asked: Asked, makers: _Makers) -> Summary:
    shelf, account = makers.shelf, makers.account
    with account.clock.time("gather"):
        found = _briefing(asked.window, shelf)
    _warn(account, *found.pools, found.news.pool)
    with account.clock.time("summarize"):
        sections = brief(found, asked.room.words * _BRIEFING_WORDS, makers.statements, shelf.check)
        articles = {a.id: a for pool in (*found.pools, found.news.pool) for a in pool.articles}
        conflicts = differing([*found.pools, found.news.pool], shelf.reader)
        sections = _current(sections, conflicts, shelf.check)
        room = Budget(round(asked.room.words * _CONFLICT_WORDS), _MOST_SIDES)
        sections.insert(-1, open_conflicts(conflicts, room, shelf.check))
        sections[len(THEMES) :] = [replace(s, statements=dated(s.statements)) for s in sections[len(THEMES) :]]
        statements = shelf.judged(borne_out(numbered([s for section in sections for s in section.statements])))
        told = compared(statements, conflicts)
    outcome = _outcome(statements, asked, shelf, account) | makers.mode | {"citations": told.citations}
    parts = _renumbered(sections, statements)
    return Summary(None, tuple(articles.values()), statements, parts, conflicts=told.conflicts, **outcome)


def _current(sections: Sequence[Section], conflicts: Sequence[Conflict], check: Check) -> list[Section]:
    """The sections with what holds now; a statement that another section has is told once."""
    told = [statement for section in sections for statement in section.statements]
    found: list[Section] = []
    for section in sections:
        statements = tuple(current(section.statements, conflicts, check, told=told))
        told += statements
        found.append(replace(section, statements=statements))
    return found


def _words(statements: Sequence[Statement]) -> int:
    return sum(len(statement.text.split()) for statement in statements)


def _warn(account: Account, *pools: Pool) -> None:
    for warning in left_out(article for pool in pools for article in pool.left_out):
        account.warn(warning)


def _renumbered(sections: Sequence[Section], statements: Sequence[Statement]) -> tuple[Section, ...]:
    left = iter(statements)
    return tuple(replace(s, statements=tuple(next(left) for _ in s.statements)) for s in sections)


def _outcome(statements: Sequence[Statement], asked: Asked, shelf: Shelf, account: Account) -> dict[str, Any]:
    """What a summary and a timeline have in common, as keyword arguments."""
    why = verify.reason(statements)
    if not statements:
        empty = not asked.articles and shelf.catalog.passage_count(asked.window) == 0
        why = Reason.OUTSIDE_DATES if empty or asked.articles else Reason.NOT_IN_ARTICLES
    return {
        "status": verify.status(statements) if statements else Status.ABSTAINED,
        "reason": why,
        "citations": cited(statements),
        "as_of": asked.window.as_of,
        "usage": account.usage,
        "timings": account.clock.times,
        "warnings": (*account.warnings, *verify.warnings(statements)),
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
