"""Estimates how likely it is that the best sentences answer a question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rag.retrieval.query import Kind, Query
from rag.retrieval.rerank import DATED, TYPED, Sentence
from rag.retrieval.retriever import Retrieved
from rag.rules.counting import uncounted
from rag.text.words import content_words, words

# Logistic regression on questions with and without an answer, of real documents and of the seed: see evals/README.md.
WEIGHTS: Mapping[str, float] = {
    "gap": 2.7,
    "passage_cosine": 2.7,
    "around": 0.7,
    "header": 2.4,
    "named": 1.1,
    "untyped": -1.2,
    "numberless": -2.5,
    "uncounted": -1.5,
}
BIAS = -3.9
_UNRELATED = 8.0  # about what a sentence scores that has nothing to do with the question


def confidence(query: Query, ranked: Sequence[Sentence], retrieved: Retrieved) -> float:
    """From 0 to 1; `ranked` are the retrieved sentences, best first, at least one.

    It is 0 if the question has a name that the sentences do not have in any spelling, or if they have no word of it but
    those of the conversation before it.
    """
    own = frozenset(query.terms) - query.background
    if _names(query, retrieved) & retrieved.missing or (own and own <= retrieved.missing):
        return 0.0
    total = BIAS + sum(WEIGHTS[name] * value for name, value in features(query, ranked, retrieved).items())
    return 1 / (1 + math.exp(-total))


def features(query: Query, ranked: Sequence[Sentence], retrieved: Retrieved) -> dict[str, float]:
    """What of the question the best sentence has, and how far it stands out."""
    best = ranked[0]
    near = _near(best, retrieved)
    others = [_undated(s) for s in ranked[3:10]] or [_UNRELATED]
    untyped = _untyped(query, best)
    return {
        "gap": (_undated(best) - sum(others) / len(others)) / 10,
        "passage_cosine": best.features["passage_cosine"],
        "around": best.features["overlap"] + best.features["around"],
        "header": best.features["header"],
        "named": float(_names(query, retrieved) <= _stems(best, near, retrieved)),
        "untyped": untyped,
        "numberless": untyped * (query.kind is Kind.NUMBER),
        "uncounted": float(uncounted(query, " ".join(s.text for s in near))),
    }


def _undated(sentence: Sentence) -> float:
    """Its score without what its dates add, which many sentences of a time have alike."""
    return sentence.score - DATED * sentence.features["dated"]


def _untyped(query: Query, best: Sentence) -> float:
    """1 if the sentence has not the kind of thing that is asked for; a relative date is half of one."""
    if query.kind is Kind.OTHER:
        return 0.0
    typed = max((best.features.get(name, 0.0) for name in TYPED), default=0.0)
    return 1 - max(typed, best.features.get("relative_date", 0.0) / 2)


def _near(best: Sentence, retrieved: Retrieved) -> list[Sentence]:
    """The sentence with its neighbours in the passage."""
    passage = [s for s in retrieved.sentences if s.passage_id == best.passage_id]
    place = passage.index(best)
    return passage[max(0, place - 1) : place + 2]


def _stems(best: Sentence, near: Sequence[Sentence], retrieved: Retrieved) -> frozenset[str]:
    article = next(hit.article for hit in retrieved.hits if hit.passage.id == best.passage_id)
    return frozenset(words(article.header)).union(*(s.stems for s in near))


def _names(query: Query, retrieved: Retrieved) -> set[str]:
    """The words of the question's names, but for those that stand everywhere, or only in the conversation before."""
    return {stem for name in query.names for stem in content_words(name)} - retrieved.common - query.background
