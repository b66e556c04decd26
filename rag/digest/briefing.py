"""Briefs on a whole library: its themes, what is new, what is not known."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np

from rag.digest.excerpts import Pool
from rag.digest.extractive import Check, stated
from rag.digest.select import Budget, Told, choose, said
from rag.digest.topic import Topic
from rag.models.embeddings import Vector
from rag.schema import Section, Statement

Summarized: TypeAlias = Callable[[Pool, Topic, Budget, Sequence[Told]], Sequence[Statement]]
"""Summarizes what was gathered on a topic, without what was told before."""


@dataclass(frozen=True, slots=True)
class Theme:
    """What a library is read for first, here the war in Afghanistan: a heading, and the topic that is looked for."""

    heading: str
    topic: str
    share: float


THEMES = (
    Theme("Negotiations", "peace talks and negotiations between Afghan and Taliban delegations to end the war", 0.3),
    Theme(
        "Military situation",
        "fighting in Afghanistan: attacks, troops, cities and districts that the Taliban captured",
        0.35,
    ),
)
_NEW, _OPEN = 0.25, 0.15
_FEWEST_WORDS = 35
_NOT_KNOWN = re.compile(
    r"\b(?:(?:is|are|was|were|remains?|remained) (?:still )?"
    r"(?:not (?:yet )?(?:clear|known|certain)|unclear|unknown|uncertain)|"
    r"not (?:yet |immediately |independently )?(?:been )?(?:clear|known|verified|confirmed|determined)|unconfirmed|"
    r"remains? to be seen|no (?:immediate |official )?(?:comment|word|details|information|confirmation)|"
    r"(?:do|does|did)(?: not|n[’']t) (?:yet |immediately )?(?:know|say|specify|give details|elaborate|comment|name)|"
    r"could not (?:be )?(?:immediately |independently )?(?:verify|verified|confirmed|reached)|"
    r"declined to (?:say|comment|give|name)|whether or not|open question|no one knows)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class News:
    """The sentences of the last day of news, its date, and the passage vectors of all that was there before it."""

    day: date | None
    before: date | None
    pool: Pool
    earlier: Vector


@dataclass(frozen=True, slots=True, eq=False)
class Briefing:
    """What a briefing is made of: each theme's topic with its sentences, and the news."""

    topics: tuple[Topic, ...]
    pools: tuple[Pool, ...]
    news: News


def brief(found: Briefing, words: int, summarized: Summarized, check: Check) -> list[Section]:
    """A section for each theme, for what is new since the previous day of news, and for what is not known.

    No sentence is told twice. A section that has nothing to tell says so.
    """
    sections: list[Section] = []
    taken: list[Told] = []
    for theme, topic, pool in zip(THEMES, found.topics, found.pools, strict=True):
        statements = summarized(pool, topic, _room(words, theme.share), taken)
        sections.append(Section(theme.heading, tuple(statements), None if statements else "Nothing on this."))
        taken += [said(statement.text) for statement in statements]
    unknown = _open([*found.pools, found.news.pool], _room(words, _OPEN), check, taken)
    taken += [said(statement.text) for statement in unknown.statements]
    return [*sections, _new(found.news, _room(words, _NEW), check, taken), unknown]


def _room(words: int, share: float) -> Budget:
    return Budget(max(_FEWEST_WORDS, round(words * share)), max(1, round(words * share / 18)))


def _new(news: News, room: Budget, check: Check, taken: Sequence[Told]) -> Section:
    """What the last day tells that nothing before it is like."""
    if news.day is None or news.before is None:
        return Section("New", (), "All articles are of one day, so there is no day before to compare with.")
    heading = f"New on {news.day}, compared with what was published until {news.before}"
    if not news.pool.excerpts or not news.pool.embedded or not len(news.earlier):
        scores = np.ones(len(news.pool.excerpts), np.float32)
    else:
        scores = 1 - np.maximum(0, news.pool.vectors @ news.earlier.T).max(axis=1)
    statements = _stated(news.pool, scores, room, check, taken)
    return Section(heading, statements, None if statements else "Nothing new.")


def _open(pools: Sequence[Pool], room: Budget, check: Check, taken: Sequence[Told]) -> Section:
    """What the articles themselves say that nobody knows, or says."""
    statements: list[Statement] = []
    for pool in pools:
        places = [i for i, e in enumerate(pool.excerpts) if _NOT_KNOWN.search(e.sentence)]
        left = Budget(room.words - sum(len(s.text.split()) for s in statements), room.most - len(statements))
        before = [*taken, *(said(s.text) for s in statements)]
        statements += _stated(pool.only(places), np.ones(len(places), np.float32), left, check, before)
    note = None if statements else "The articles name nothing that is not known."
    return Section("Not known", tuple(statements), note)


def _stated(pool: Pool, scores: Vector, room: Budget, check: Check, taken: Sequence[Told]) -> tuple[Statement, ...]:
    return tuple(stated(pool.excerpts[i], check) for i in choose(pool, scores, room, taken=taken))
