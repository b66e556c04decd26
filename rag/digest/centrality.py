"""Scores how much sentences stand for all that was gathered."""

from __future__ import annotations

import numpy as np

from rag.models.embeddings import Vector

_DAMPING = 0.85
_ROUNDS, _CLOSE = 100, 1e-6


def similarities(vectors: Vector) -> Vector:
    """The cosine of each pair of unit vectors, not below 0."""
    found: Vector = np.maximum(vectors @ vectors.T, np.float32(0))
    return found


def lexrank(similar: Vector, prior: Vector, *, threshold: float = 0.0) -> Vector:
    """Continuous LexRank of each row, 1 for the highest (Erkan and Radev 2004).

    It is the PageRank of a graph of sentences whose edges weigh their similarity: `similar` are cosines; edges under
    the threshold are left out. `prior` weighs where a walk begins anew; the similarity to a topic makes it the biased
    LexRank of Otterbacher, Erkan and Radev (2005).
    """
    if not len(similar):
        return np.zeros(0, np.float32)
    edges = np.where(similar >= threshold, similar, np.float32(0))
    np.fill_diagonal(edges, 0)
    sums = edges.sum(axis=1, keepdims=True)
    moves = edges / np.where(sums > 0, sums, 1)
    start = prior / (prior.sum() or 1.0)
    rank = start.copy()
    for _ in range(_ROUNDS):
        after = (1 - _DAMPING) * start + _DAMPING * (rank @ moves)
        if float(np.abs(after - rank).sum()) < _CLOSE:
            break
        rank = after
    return scaled(rank)


def centroid(vectors: Vector) -> Vector:
    """The cosine of each unit vector with the mean of all, 1 for the highest (Radev et al. 2004, MEAD)."""
    return scaled(np.maximum(vectors @ vectors.mean(axis=0), np.float32(0)))


def scaled(values: Vector) -> Vector:
    """The values divided by the highest."""
    highest = float(values.max()) if len(values) else 0.0
    found: Vector = (values / highest if highest > 0 else values).astype(np.float32)
    return found
