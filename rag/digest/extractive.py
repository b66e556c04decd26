"""Summarizes articles in their own sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from rag.digest.centrality import lexrank, scaled, similarities
from rag.digest.excerpts import Excerpt, Pool
from rag.digest.select import Budget, Told, choose, lead, told
from rag.digest.topic import Topic, related, relevance
from rag.models.embeddings import Vector
from rag.schema import Length, Statement, Verdict
from rag.text.calendar import Period
from rag.text.relative_dates import moments
from rag.text.words import content_words

Check: TypeAlias = Callable[[Statement], Statement]
"""Gives a statement its verdict, by what it cites."""

MOST_RANKED = 1500
"""How many sentences are compared with one another; of more, those nearest to the topic, or to the mean, are."""
_CENTRAL, _LEAD, _ABOUT = 0.3, 0.3, 3.0
"""The weights of LexRank and of where a sentence stands; the power of how much it is about the topic."""
_CORROBORATED, _MOST_ASKED, _MOST_BESIDE = 0.6, 4, 2
_SAME_WORDS = 0.4


BUDGETS = {Length.SHORT: Budget(60, 3), Length.MEDIUM: Budget(120, 7), Length.LONG: Budget(250, 15)}


def summarize(
    pool: Pool, topic: Topic | None, room: Budget, check: Check, *, taken: Sequence[Told] = ()
) -> list[Statement]:
    """The sentences that tell most, the headline first, each checked; none if they are not about the topic.

    Sentences are scored by LexRank, from the start of each article on or from the topic on, and chosen by `choose`. A
    sentence that starts with a pronoun comes with the one before it. One that several articles have cites them all.
    """
    prior = priority(pool, topic)
    places = related(prior) if topic else list(range(len(prior)))
    places = shortlist(places, prior)
    if not places:
        return []
    near = pool.only(places)
    scores = ranked(near, topic)
    chosen = choose(near, scores, room, first=_headline(near, scores, topic), taken=taken)
    return [corroborated(stated(near.excerpts[i], check), near, i, check) for i in chosen]


def stated(excerpt: Excerpt, check: Check) -> Statement:
    """The excerpt without its joints, if the article bears that out; else as it stands."""
    citation = excerpt.citation(1)
    short = check(Statement(told(excerpt).text, (citation,)))
    return short if short.verdict is Verdict.SUPPORTED else check(Statement(excerpt.text, (citation,)))


def priority(pool: Pool, topic: Topic | None) -> Vector:
    """How much each excerpt is about the topic; without one, how near the start of its article it stands."""
    return relevance(pool, topic) if topic else lead(pool)


def shortlist(places: Sequence[int], near: Vector) -> list[int]:
    """Of these places the `MOST_RANKED` of the highest priority, in order."""
    return sorted(sorted(places, key=lambda i: (-near[i], i))[:MOST_RANKED])


def ranked(pool: Pool, topic: Topic | None) -> Vector:
    """The score of each excerpt, at most 1: LexRank, where it stands, and how much it is about the topic.

    The walk of LexRank begins anew at what is about the topic, or at the start of an article.
    """
    prior, first = priority(pool, topic), lead(pool)
    ranks = lexrank(similarities(pool.vectors), prior)
    found: Vector = 1 - _CENTRAL - _LEAD + _CENTRAL * ranks + _LEAD * first
    return found * scaled(prior) ** _ABOUT if topic else found


def _headline(pool: Pool, scores: Vector, topic: Topic | None) -> int:
    """The sentence that says most of what a title, or the topic, says; of like ones that with more facts."""

    def key(place: int) -> tuple[float, float, int]:
        excerpt = pool.excerpts[place]
        sought = topic.terms if topic else frozenset(content_words(excerpt.article.title))
        saying = told(excerpt)
        share = len(sought & saying.stems) / (len(sought) or 1)
        facts = sum(saying.facts.values()) / (4 + saying.length)
        return round(share, 1) + float(scores[place]), facts * saying.clarity, -place

    keys = [key(place) for place in range(len(pool.excerpts))]
    best = max(keys)[0]
    return max((i for i, k in enumerate(keys) if k[0] >= best - _CENTRAL), key=lambda i: (keys[i][1], -i))


def corroborated(
    statement: Statement, pool: Pool, place: int, check: Check, *, among: Sequence[int] | None = None
) -> Statement:
    """The statement with citations of what says the same in other articles, and by itself bears it out.

    Only excerpts of the places in `among` are looked at, if they are given.
    """
    found = list(statement.citations)
    for other in _alike(pool, place, range(len(pool.excerpts)) if among is None else among):
        if other.article.id in {c.article.id for c in found} or len(found) > _MOST_BESIDE:
            continue
        citation = other.citation(1)
        if check(Statement(statement.text, (citation,))).verdict is Verdict.SUPPORTED:
            found.append(citation)
    return replace(statement, citations=tuple(found))


def _alike(pool: Pool, place: int, among: Sequence[int]) -> Iterator[Excerpt]:
    """The excerpts of other articles that are nearest to one, best first."""
    own = pool.excerpts[place]
    cosines = pool.vectors @ pool.vectors[place]
    others = [i for i in among if pool.excerpts[i].article.id != own.article.id and cosines[i] >= _CORROBORATED]
    stems = frozenset(content_words(own.sentence))
    for i in sorted(others, key=lambda i: (-cosines[i], i))[:_MOST_ASKED]:
        other = pool.excerpts[i]
        shared = stems & frozenset(content_words(other.sentence))
        if len(shared) >= _SAME_WORDS * len(stems) and _days(own) <= _days(other):
            yield other


def _days(excerpt: Excerpt) -> set[Period]:
    """What its date phrases mean; "on Sunday" in two articles may be two days."""
    published = excerpt.article.published
    return {m.periods[0] for m in moments(excerpt.text, published.day if published else None) if m.periods}
