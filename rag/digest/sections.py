"""Puts events into the sections that a user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.answer.annotate import dated
from rag.digest.background import leaning_to_none
from rag.digest.briefing import Theme, budget
from rag.digest.events import Happening, chosen, ordered
from rag.digest.excerpts import Pool, unit
from rag.digest.extractive import Check
from rag.digest.news import News, statement_of
from rag.errors import InputError
from rag.models.embeddings import Embedder, Vector
from rag.schema import Section
from rag.text.clean import clean
from rag.text.words import content_words

OTHER = "Other"
_NOTHING = "No event was found to fit here."
_LEAST, _RELATED = 0.075, 0.33
"""How much nearer to a heading than sentences of no corpus an event must be, and than the nearest event, as a share.

Of 60 events of each of two corpora, 37 and 22 are put below a heading, 29 and 22 of them where a person put them.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A heading with the events of its own."""

    heading: str
    events: Sequence[Happening]


def headings(given: Sequence[str]) -> tuple[str, ...]:
    """The headings, each once; raises InputError for one that has no words."""
    found = tuple(dict.fromkeys(" ".join(clean(heading).split()) for heading in given))
    for heading in found:
        if not content_words(heading):
            raise InputError(f"the section {heading[:40]!r} has no words in it; name one, such as negotiations")
    return found


def parted(found: News, named: Sequence[str], embeddings: Embedder | None) -> list[Part]:
    """The events below the headings, each in the nearest one only; what is near none is in a last part.

    An event is the mean of its sentences and of the headlines of their articles.
    """
    near = _nearness(found, named, embeddings)
    best, highest = near.argmax(axis=1), near.max(axis=0, initial=_LEAST)
    share = near.max(axis=1, initial=0) / highest[best]
    fits = (near.max(axis=1, initial=0) >= _LEAST) & (share >= _RELATED)
    weights = np.where(fits, share, 1.0)
    events = [replace(h, weight=h.weight * float(w)) for h, w in zip(found.events, weights, strict=True)]
    parts = [
        Part(heading, [events[i] for i in np.flatnonzero(fits & (best == own))]) for own, heading in enumerate(named)
    ]
    others = [events[i] for i in np.flatnonzero(~fits)]
    return [*parts, Part(OTHER, others)] if others else parts


def written(parts: Sequence[Part], pool: Pool, words: int, check: Check) -> list[Section]:
    """A section for each part: its events of most weight that fit, in order of time."""
    sections: list[Section] = []
    for part in parts:
        picked = ordered(chosen(part.events, pool, budget(words, 1 / len(parts))))
        statements = tuple(dated([statement_of(h, pool, check) for h in picked]))
        sections.append(Section(part.heading, statements, None if statements else _NOTHING))
    return sections


def themes(parts: Sequence[Part], pool: Pool) -> list[Theme]:
    """The parts as a model reads them: the passages of their events."""
    return [Theme(part.heading, _only(pool, part.events), frozenset()) for part in parts]


def _only(pool: Pool, events: Sequence[Happening]) -> Pool:
    own = pool.only(sorted(place for happening in events for place in happening.places))
    ids = {excerpt.passage_id for excerpt in own.excerpts}
    return replace(own, hits=tuple(hit for hit in pool.hits if hit.passage.id in ids))


def _nearness(found: News, named: Sequence[str], embeddings: Embedder | None) -> Vector:
    """A row for each event: how near it is to each heading."""
    if embeddings is None or found.titles is None:
        return _shared(found, named)
    wanted = unit(np.array(embeddings.embed_documents(list(named)), np.float32))
    rows = {article.id: row for row, article in enumerate(found.pool.articles)}
    events = np.zeros((len(found.events), wanted.shape[1]), np.float32)
    for place, happening in enumerate(found.events):
        ids = [rows[found.pool.excerpts[i].article.id] for i in happening.places]
        means = np.array([found.pool.vectors[list(happening.places)].mean(axis=0), found.titles[ids].mean(axis=0)])
        events[place] = unit(means).sum(axis=0)
    usual = leaning_to_none(embeddings) @ wanted.T
    near: Vector = unit(events) @ wanted.T - usual.mean(axis=0)
    return near


def _shared(found: News, named: Sequence[str]) -> Vector:
    """How many words each event, or a headline of it, has in common with each heading."""
    wanted = [frozenset(content_words(heading)) for heading in named]
    near = np.zeros((len(found.events), len(named)), np.float32)
    for place, happening in enumerate(found.events):
        told = [found.pool.excerpts[i] for i in happening.places]
        stems = frozenset(word for e in told for text in (e.sentence, e.article.title) for word in content_words(text))
        near[place] = [len(stems & words) for words in wanted]
    return near
