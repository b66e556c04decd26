"""Measures how much sentences are about a topic."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from rag.digest.excerpts import Excerpt, Pool, is_leading, unit
from rag.models.embeddings import Vector
from rag.text.words import STOP_WORDS, content_words, words

_OF_ARTICLE, _UNNAMED = 0.6, 0.85
"""The weight of the whole article for a sentence behind the first; that of what has no name of the topic."""
_FEEDBACK, _STORY, _MOVED = 3, 0.25, 1.0
"""How many articles a topic is moved towards, at most a part of all, if they are as near as this; and how far."""
_SHARED = 0.4
"""The weight of shared words beside the cosine."""
_NEAR = 0.2
"""The cosine from which a sentence that shares no word with a topic can be about it."""
_RELATED, _FEWEST, _STILL, _PART = 0.65, 12, 0.5, 4
"""The share of the highest relevance that makes a sentence relevant; for the nearest few (`_FEWEST`, at most a part
of all) a lower share."""
_AROUND, _NEAREST = 0.35, 3
"""The weight of the nearest sentences of a passage in the relevance of each."""
_CARRIED = 0.9
"""The weight of the most relevant sentence of an article on a day for its others on that day."""
_HELD, _BESIDE = 0.4, 0.85
"""The share of the topic's words that the reports of a day must have; the weight of a day that has fewer."""
_CLAUSE = re.compile(
    r"^(?P<topic>.*\w)\W+(?P<side>after|since|before|until|till|up to)\s+(?P<event>\w.*)$", re.IGNORECASE | re.DOTALL
)
_FEWEST_WORDS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """What a summary is to be about: its text, the stems of its names, and its embedding if there is one."""

    text: str
    names: frozenset[str]
    vector: Vector | None

    @property
    def terms(self) -> frozenset[str]:
        """The stems of its words, without stop words."""
        return frozenset(words(self.text)) - STOP_WORDS


@dataclass(frozen=True, slots=True)
class Scope:
    """A topic without its clause of time, and its first and last day, if known."""

    topic: str
    first: date | None = None
    last: date | None = None

    def admits(self, day: date) -> bool:
        """Whether a day is within it, its first and last day included."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


def relevance(pool: Pool, topic: Topic, titles: Vector | None = None) -> Vector:
    """How much each excerpt is about a topic, by the words they share, by the cosine and by the passage around it.

    With the vectors of the headlines, those of whole articles count too, and what has no name of the topic less. It is
    0 for all if the pool has none of the topic's names, or neither its words nor anything near them.
    """
    stems = [frozenset(words(excerpt.sentence)) for excerpt in pool.excerpts]
    found = shares(pool, topic)
    cosines = np.zeros(len(stems), np.float32)
    if pool.excerpts and pool.embedded and topic.vector is not None:
        cosines = np.maximum(pool.vectors @ topic.vector, np.float32(0))
    is_near = found.any() or cosines.max(initial=0) >= _NEAR
    if cosines.any() and titles is not None and topic.vector is not None:
        cosines = _with_articles(pool, titles, topic.vector)
    headed = [] if titles is None else [frozenset(words(article.title)) for article in pool.articles]
    if not is_near or (topic.names and not topic.names & frozenset().union(*stems, *headed)):
        return np.zeros(len(stems), np.float32)
    near = _in_context(pool, cosines + np.float32(_SHARED) * found if cosines.any() else found)
    return near * _unnamed(pool, stems, topic) if topic.names and titles is not None else near


def shares(pool: Pool, topic: Topic) -> Vector:
    """The share of the topic's words that each excerpt has, by their weights."""
    stems = [frozenset(words(excerpt.sentence)) for excerpt in pool.excerpts]
    weights = _weights(topic, stems)
    return np.array([_share(row, weights) for row in stems], np.float32)


def day_relevance(pool: Pool, topic: Topic, days: Sequence[Collection[date]]) -> Vector:
    """The relevance of each excerpt, raised by what else its article reports of its days; `days` has a row for each.

    In a report that begins "Rockets landed near the palace" and goes on "A group claimed the attack", both sentences
    are about attacks. Days whose reports have few of the topic's words count for less.
    """
    reports: dict[tuple[str, date], list[int]] = defaultdict(list)
    for place, (excerpt, row) in enumerate(zip(pool.excerpts, days, strict=True)):
        for day in sorted(row):
            reports[excerpt.article.id, day].append(place)
    stems = [frozenset(words(excerpt.sentence)) for excerpt in pool.excerpts]
    weights = _weights(topic, stems)
    held: dict[date, float] = defaultdict(float)
    for (_, day), places in reports.items():
        held[day] = max(held[day], _share(frozenset().union(*(stems[i] for i in places)), weights))
    beside = [max((held[day] for day in row), default=0.0) < _HELD for row in days]
    near = relevance(pool, topic) * np.where(beside, np.float32(_BESIDE), np.float32(1))
    found: Vector = near.astype(np.float32)
    for places in reports.values():
        found[places] = np.maximum(found[places], np.float32(_CARRIED) * near[places].max())
    return found


def related(near: Vector, floor: float = _RELATED) -> list[int]:
    """The places whose relevance is at least this share of the highest; for the nearest few, half of it is enough."""
    highest = near.max() if len(near) else 0.0
    order = sorted((i for i in range(len(near)) if near[i] > 0), key=lambda i: (-near[i], i))
    few = min(_FEWEST, len(near) // _PART)
    floors = (_STILL if rank < few else floor for rank in range(len(order)))
    return sorted(i for i, share in zip(order, floors, strict=True) if near[i] >= share * highest)


def scope(topic: str, pool: Pool, days: Callable[[Excerpt], Iterable[date]]) -> Scope:
    """The scope of a topic: "life in Kabul after the Taliban entered Kabul" starts on the day they did.

    "before" ends on the day before the event, "until" on the day itself. The event is found in sentences that have all
    of its words and give a day (`days`); the day that most outlets give counts, and of several the earliest. Without
    such a day the topic stays whole.
    """
    match = _CLAUSE.match(topic.strip())
    wanted = frozenset(content_words(match["event"])) if match else frozenset()
    if not match or len(wanted) < _FEWEST_WORDS or not content_words(match["topic"]):
        return Scope(topic)
    reports = (excerpt for excerpt in pool.excerpts if wanted <= frozenset(content_words(excerpt.sentence)))
    given = {(day, excerpt.article.source or excerpt.article.id) for excerpt in reports for day in days(excerpt)}
    counts = Counter(day for day, _ in given)
    if not counts:
        return Scope(topic)
    day = min(counts, key=lambda day: (-counts[day], day))
    match match["side"].lower():
        case "after" | "since":
            return Scope(match["topic"], first=day)
        case "before":
            return Scope(match["topic"], last=day - timedelta(days=1))
        case _:
            return Scope(match["topic"], last=day)


def _in_context(pool: Pool, own: Vector) -> Vector:
    """The relevance of each, raised by the passage around: in one about Herat, "Ismail Khan was captured" is too."""
    by_passage: dict[str, list[float]] = defaultdict(list)
    for excerpt, value in zip(pool.excerpts, own, strict=True):
        by_passage[excerpt.passage_id].append(float(value))
    around = {id: float(np.mean(sorted(values)[-_NEAREST:])) for id, values in by_passage.items()}
    whole = np.array([around[excerpt.passage_id] for excerpt in pool.excerpts], np.float32)
    found: Vector = np.where(own > 0, (1 - _AROUND) * own + _AROUND * whole, np.float32(0)).astype(np.float32)
    return found


def _with_articles(pool: Pool, titles: Vector, topic: Vector) -> Vector:
    """The cosine of each excerpt with a topic, and of the headline and the first sentence of its article.

    The topic is moved towards the articles that are nearest to it (Rocchio 1971), so that reports that go on with a
    story are about it without its words.
    """
    leads = {e.article.id: place for place, e in enumerate(pool.excerpts) if is_leading(e)}
    heads = titles.copy()
    for row, article in enumerate(pool.articles):
        if article.id in leads:
            heads[row] = (titles[row] + pool.vectors[leads[article.id]]) / 2
    first = heads @ topic
    nearest = np.argsort(-first, kind="stable")[: min(_FEEDBACK, len(first) // _PART)]
    nearest = nearest[first[nearest] >= _STORY]
    moved = topic + np.float32(_MOVED) * unit(heads[nearest].sum(axis=0, keepdims=True))[0]
    moved = moved / np.linalg.norm(moved)
    of_article = dict(zip((article.id for article in pool.articles), (heads @ moved).tolist(), strict=True))
    whole = np.array([of_article[excerpt.article.id] for excerpt in pool.excerpts], np.float32)
    own = np.maximum(pool.vectors @ moved, np.float32(0))
    is_first = np.array([is_leading(excerpt) for excerpt in pool.excerpts])
    found: Vector = np.where(is_first, np.maximum(own, whole), (1 - _OF_ARTICLE) * own + _OF_ARTICLE * whole)
    return found.astype(np.float32)


def _unnamed(pool: Pool, stems: Sequence[frozenset[str]], topic: Topic) -> Vector:
    """Less than 1 for excerpts that have none of the topic's names, nor does the headline."""
    titles = {article.id: frozenset(words(article.title)) for article in pool.articles}
    named = [topic.names & (row | titles[e.article.id]) for e, row in zip(pool.excerpts, stems, strict=True)]
    found: Vector = np.where([bool(found) for found in named], np.float32(1), np.float32(_UNNAMED))
    return found.astype(np.float32)


def _weights(topic: Topic, stems: Sequence[frozenset[str]]) -> dict[str, float]:
    """The inverse document frequency of each term of the topic, as a share of the sum."""
    counts = {term: sum(term in row for row in stems) for term in sorted(topic.terms)}
    found = {term: math.log(1 + (len(stems) + 1) / (count + 1)) for term, count in counts.items()}
    total = sum(found.values()) or 1.0
    return {term: weight / total for term, weight in found.items()}


def _share(stems: frozenset[str], weights: Mapping[str, float]) -> float:
    return sum(weight for term, weight in weights.items() if term in stems)
