"""Summarizes articles in their own sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from rag.compare import relation
from rag.compare.articles import reply
from rag.digest.excerpts import Excerpt, Pool, trimmed
from rag.digest.topic import Topic, related, relevance
from rag.models.embeddings import Vector
from rag.schema import Length, Statement, Verdict
from rag.text.names import names
from rag.text.quantities import quantities
from rag.text.relative_dates import moments
from rag.text.words import STOP_WORDS, alike, content_words, words

Check: TypeAlias = Callable[[Statement], Statement]
"""Gives a statement its verdict by what it cites."""

MOST_RANKED = 1500
"""How many sentences are compared with one another; of more, those nearest to the topic, or to the mean, are."""
_CENTRAL, _LEAD, _ABOUT = 0.3, 0.3, 3.0
"""The weights of LexRank and of the position in the article; the power of the relevance to the topic."""
_DAMPING, _ROUNDS, _CLOSE = 0.85, 100, 1e-6
_CORROBORATED, _MOST_ASKED, _MOST_BESIDE, _SHARED_WORDS = 0.6, 4, 2, 0.4
# Who, how many, when, where: a summary is expected to have these first.
PERSON, NUMBER, DATE, NAME, WORD = 2.0, 2.5, 1.0, 0.75, 0.08
_LENGTH, _SHORT = 0.75, 12
_SAME_WORDS, _CONTAINED = 0.6, 0.8
_TITLE = re.compile(r"\b[A-Z][a-z]+\.? $")  # what a name leaves out: "Vice President"
# What another sentence explains: "after that", "in this area", who "we" are.
_POINTING = re.compile(
    r"\b(?:[Ww]e|[Oo]urs?|us)\b|\b(?:after|about|of|on) (?:that|this)\b|"
    r"\b(?:this|that|these|those|such) (?!week|month|year|morning|is|was|the|it)[a-z]{4,}"
)
_UNCLEAR = 0.7


@dataclass(frozen=True, slots=True)
class Budget:
    """The most words and the most sentences that a summary may have."""

    words: int
    most: int


BUDGETS = {Length.SHORT: Budget(60, 3), Length.MEDIUM: Budget(120, 7), Length.LONG: Budget(250, 15)}


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """The content of a text: the text, the number of its words, its stems, and the weights of its facts."""

    text: str
    length: int
    stems: frozenset[str]
    facts: Mapping[str, float]

    @property
    def clarity(self) -> float:
        """1, or less if another sentence has to explain what it refers to."""
        return _UNCLEAR if _POINTING.search(self.text) else 1.0

    def repeats(self, other: Content) -> bool:
        """Whether it has nearly all of its words, or of the other's, in common with the other."""
        fewer = min(len(self.stems), len(other.stems)) or 1
        same = alike(self.stems, other.stems, _SAME_WORDS)
        return same or len(self.stems & other.stems) / fewer > _CONTAINED


def content(excerpt: Excerpt) -> Content:
    """The content of an excerpt as it is shown."""
    return content_of(trimmed(excerpt.text))


@lru_cache(maxsize=8192)
def content_of(text: str) -> Content:
    """The content of a text. Facts are persons, numbers, dates, other names and all other words."""
    stems = frozenset(words(text))
    facts = dict.fromkeys(stems, WORD)
    for name in names(text):
        key = " ".join(words(name.text)[-1:])
        title = _TITLE.search(text[: name.start])
        is_person = len(name.text.split()) > 1 or (title and not set(words(title[0])) <= STOP_WORDS)
        facts[key] = max(facts.get(key, 0.0), PERSON if is_person else NAME)
    for amount in quantities(text):
        facts[f"#{amount.low}{amount.unit}"] = NUMBER if any(map(str.isdigit, amount.text)) else WORD
    for moment in moments(text):
        facts[f"@{moment.text.casefold()}"] = DATE
    return Content(text, len(text.split()), stems, facts)


def summarize(
    pool: Pool, topic: Topic | None, room: Budget, check: Check, *, taken: Sequence[Content] = ()
) -> list[Statement]:
    """The most informative sentences, the headline first, each checked; none if they are not about the topic.

    Sentences are scored by LexRank, which starts from the beginning of each article or from the topic, and chosen by
    `choose`. One that starts with a pronoun comes with the one before it; one that several articles have cites them.
    """
    prior = relevance(pool, topic) if topic else lead(pool)
    places = shortlist(related(prior) if topic else range(len(prior)), prior)
    if not places:
        return []
    near = pool.only(places)
    scores = 1 - _CENTRAL - _LEAD + _CENTRAL * lexrank(similarities(near.vectors), prior[places]) + _LEAD * lead(near)
    scores = scores * scaled(prior[places]) ** _ABOUT if topic else scores
    chosen = choose(near, scores, room, first=_headline(near, scores, topic), taken=taken)
    return [corroborated(stated(near.excerpts[i], check), near, i, check) for i in chosen]


def stated(excerpt: Excerpt, check: Check) -> Statement:
    """The excerpt without its opening, if the article supports that; else as it is."""
    citation = excerpt.citation(1)
    short = check(Statement(trimmed(excerpt.text), (citation,)))
    return short if short.verdict is Verdict.SUPPORTED else check(Statement(excerpt.text, (citation,)))


def choose(
    pool: Pool, scores: Vector, budget: Budget, *, first: int | None = None, taken: Sequence[Content] = ()
) -> list[int]:
    """The places of excerpts in the order in which they were chosen, `first` first if it is given and fits.

    Maximum coverage of facts within a budget (Gillick and Favre 2009; Lin and Bilmes 2011): each step takes the
    excerpt with most new facts for its length, weighted by its score. What nearly repeats one of them, or of `taken`,
    is left out.
    """
    contents = tuple(content(excerpt) for excerpt in pool.excerpts)
    left = [i for i, own in enumerate(contents) if not any(own.repeats(other) for other in taken)]
    covered = {fact for other in taken for fact in other.facts}
    words, chosen = budget.words, list[int]()
    while len(chosen) < budget.most and (left := [i for i in left if contents[i].length <= words]):
        values = {i: _gain(contents[i], covered) * float(scores[i]) for i in left}
        best = first if not chosen and first in values else max(left, key=lambda i: (values[i], -i))
        chosen.append(best)
        covered |= contents[best].facts.keys()
        words -= contents[best].length
        left = [i for i in left if i != best and not repeats(i, best, pool)]
    return chosen


def _gain(own: Content, covered: Collection[str]) -> float:
    """The weight of the facts that an excerpt adds, for its length."""
    new = sum(weight for fact, weight in own.facts.items() if fact not in covered)
    return float(own.clarity * new / max(own.length, _SHORT) ** _LENGTH)


def repeats(place: int, other: int, pool: Pool) -> bool:
    """Whether one excerpt shares its text, or nearly all of its words, with another."""
    one, two = pool.excerpts[place], pool.excerpts[other]
    overlaps = one.article.id == two.article.id and one.span.start < two.span.end and two.span.start < one.span.end
    return overlaps or content(one).repeats(content(two))


def corroborated(
    statement: Statement, pool: Pool, place: int, check: Check, *, among: Collection[int] | None = None
) -> Statement:
    """The statement with citations of other articles whose sentences report the same fact and support it.

    Only excerpts at the places in `among` are considered, if it is given; none if they are not embedded.
    """
    found = list(statement.citations)
    for other in _alike(pool, place, range(len(pool.excerpts)) if among is None else among) if pool.embedded else ():
        if pool.excerpts[other].article.id in {c.article.id for c in found} or len(found) > _MOST_BESIDE:
            continue
        citation = pool.excerpts[other].citation(1)
        one, two = pool.report(place), pool.report(other)
        is_same = relation.related(one, two).same and not (reply(one, [two]) or reply(two, [one]))
        if is_same and check(Statement(statement.text, (citation,))).verdict is Verdict.SUPPORTED:
            found.append(citation)
    return replace(statement, citations=tuple(found))


def shortlist(places: Sequence[int], near: Vector) -> list[int]:
    """Of these places the `MOST_RANKED` of the highest priority, in order."""
    return sorted(sorted(places, key=lambda i: (-near[i], i))[:MOST_RANKED])


def similarities(vectors: Vector) -> Vector:
    """The cosine of each pair of unit vectors, at least 0."""
    found: Vector = np.maximum(vectors @ vectors.T, np.float32(0))
    return found


def lexrank(similar: Vector, prior: Vector) -> Vector:
    """Continuous LexRank of each row, 1 for the highest (Erkan and Radev 2004): PageRank on the graph of cosines.

    `prior` weighs where a walk starts again; the similarity to a topic makes it the biased LexRank of Otterbacher,
    Erkan and Radev (2005).
    """
    edges = similar.copy()
    np.fill_diagonal(edges, 0)
    sums = edges.sum(axis=1, keepdims=True)
    moves = edges / np.where(sums > 0, sums, 1)
    start = prior / (prior.sum() or 1.0)
    rank = start
    for _ in range(_ROUNDS):
        before, rank = rank, (1 - _DAMPING) * start + _DAMPING * (rank @ moves)
        if float(np.abs(rank - before).sum()) < _CLOSE:
            break
    return scaled(rank)


def scaled(values: Vector) -> Vector:
    """The values divided by the highest."""
    highest = float(values.max()) if len(values) else 0.0
    found: Vector = (values / highest if highest > 0 else values).astype(np.float32)
    return found


def lead(pool: Pool) -> Vector:
    """How near the beginning of its article each excerpt is: 1 for its first words, falling faster in a short one."""
    lengths = [min(max(len(e.article.text), 500), 5000) for e in pool.excerpts]
    return np.array([1 / (1 + 2 * e.own / n) for e, n in zip(pool.excerpts, lengths, strict=True)], np.float32)


def _headline(pool: Pool, scores: Vector, topic: Topic | None) -> int:
    """The sentence with most words of its title, or of the topic; of similar ones the one with more facts."""

    def key(place: int) -> tuple[float, float]:
        excerpt = pool.excerpts[place]
        sought = topic.terms if topic else frozenset(content_words(excerpt.article.title))
        own = content(excerpt)
        share = len(sought & own.stems) / (len(sought) or 1)
        return round(share, 1) + float(scores[place]), own.clarity * sum(own.facts.values()) / (4 + own.length)

    keys = [key(place) for place in range(len(pool.excerpts))]
    floor = max(keys)[0] - _CENTRAL
    return max((i for i, k in enumerate(keys) if k[0] >= floor), key=lambda i: (keys[i][1], -i))


def _alike(pool: Pool, place: int, among: Collection[int]) -> list[int]:
    """The places of excerpts of other articles that are nearest to one, best first, and name the same days."""
    own = pool.excerpts[place]
    cosines = pool.vectors @ pool.vectors[place]
    others = [i for i in among if pool.excerpts[i].article.id != own.article.id and cosines[i] >= _CORROBORATED]
    nearest = sorted(others, key=lambda i: (-cosines[i], i))[:_MOST_ASKED]
    stems = frozenset(content_words(own.sentence))
    enough = _SHARED_WORDS * len(stems)
    shared = [i for i in nearest if len(stems & frozenset(content_words(pool.excerpts[i].sentence))) >= enough]
    return [i for i in shared if _days(own) <= _days(pool.excerpts[i])]


def _days(excerpt: Excerpt) -> set[object]:
    """What its date phrases mean; "on Sunday" in two articles may be two days."""
    published = excerpt.article.published
    return {m.periods[0] for m in moments(excerpt.text, published.day if published else None) if m.periods}
