"""Leaves out of a digest what is no news."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.digest.days import Chronology, When, is_fresh
from rag.digest.events import Happening
from rag.digest.excerpts import Excerpt, Pool, is_leading
from rag.models.embeddings import Embedder, Vector
from rag.schema import Span
from rag.text.speakers import voice

_NEWS = (
    "The president resigned and left the country.",
    "The minister said that the talks would go on next week.",
    "Ten people were killed in an attack on Sunday, officials said.",
    "Fighters took the town in the morning.",
    "The court ordered a new trial.",
    "They won the match 2-1 with a goal in the last minute.",
    "Rescuers found two survivors in the ruins.",
    "The government denied the report.",
    "The company will cut 500 jobs.",
    "A group claimed the attack.",
    "Thousands of people demonstrated in front of parliament.",
    "The first aircraft with aid landed in the evening.",
    "She told reporters that nobody had been hurt.",
    "The central bank raised its rate.",
    "Police arrested three men.",
    "He was elected chairman with 55 percent of the votes.",
    "The number of dead rose to 200.",
    "The two sides agreed to meet again.",
)
_BACKGROUND = (
    "It lies 80 kilometres south of the capital, on the road to the coast.",
    "The city has 300,000 inhabitants and is the largest of the region.",
    "He was born in a village in the south in 1960.",
    "The company was founded in 1990 and makes furniture.",
    "She has headed the agency since 2010.",
    "She studied medicine at a university abroad.",
    "The club won the title four times, most recently in 1998.",
    "The bridge was opened in 2001 and paid for by donors.",
    "The law dates from the 1970s.",
    "The river forms the border between the two countries.",
    "The building is a former hotel.",
    "The town is known for its wine and its old churches.",
    "The country became independent after the war.",
    "The port handles a third of the country's trade.",
    "The programme is called New Start.",
    "He won a prize for his first book in 2012.",
    "The last flood of this size was in 1954.",
    "He owns a shop and has three children.",
)
_NEAREST, _LEAST = 3, -0.05
"""How many sentences of each kind count, and how much nearer to background a sentence may be to be news."""


def without_background(
    found: Sequence[Happening], pool: Pool, days: Chronology, embeddings: Embedder | None
) -> list[Happening]:
    """The events without those that are no news: what stands behind the first sentence, of days long past or of none.

    What somebody is reported to have said is news.
    What gives no day is embedded by itself and compared with sentences of both kinds, by the mean cosine of the
    nearest of each. The sentences of both kinds are of no corpus.
    """
    behind = [h for h in found if not _is_news(pool.excerpts[h.places[0]])]
    behind = [h for h in behind if not _tells_a_fresh_day(pool.excerpts[h.places[0]], days.whens[h.places[0]])]
    left_out = {h.places for h in behind if days.past[h.places[0]]}
    undated = [h for h in behind if h.places not in left_out]
    if embeddings and pool.embedded and undated:
        vectors = np.array(embeddings.embed_documents([pool.excerpts[h.places[0]].sentence for h in undated]))
        scores = _leaning(vectors, embeddings)
        left_out |= {h.places for h, score in zip(undated, scores, strict=True) if score > _LEAST}
    return [h for h in found if h.places not in left_out]


def leaning_to_none(embeddings: Embedder) -> Vector:
    """The vectors of sentences of no corpus."""
    found: Vector = np.concatenate(_kinds(embeddings))
    return found


def _leaning(vectors: Vector, embeddings: Embedder) -> Vector:
    """How much nearer sentences are to background than to news."""
    news, background = _kinds(embeddings)
    nearest = [np.sort(vectors @ kind.T, axis=1)[:, -_NEAREST:].mean(axis=1) for kind in (background, news)]
    found: Vector = (nearest[0] - nearest[1]).astype(np.float32)
    return found


def _kinds(embeddings: Embedder) -> tuple[Vector, Vector]:
    """The vectors of sentences of news and of background."""
    news, background = (np.array(embeddings.embed_documents(list(texts)), np.float32) for texts in (_NEWS, _BACKGROUND))
    return news, background


def _tells_a_fresh_day(excerpt: Excerpt, whens: Sequence[When]) -> bool:
    return any(when.stated and is_fresh(when, excerpt) for when in whens)


def _is_news(excerpt: Excerpt) -> bool:
    return is_leading(excerpt) or voice(excerpt.article.text, Span(excerpt.own, excerpt.end)) is not None
