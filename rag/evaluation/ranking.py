"""Pure functions from a ranking and what is relevant to how well it ranks.

A ranking is a list of ids, best first, each once; `relevant` are the ids that should be high in it. All are between 0
and 1, and 0 if nothing is relevant. Definitions as in trec_eval, with binary relevance.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import log2


def recall_at_k(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """The share of what is relevant among the first `k`."""
    return len(set(ranking[:k]) & set(relevant)) / len(set(relevant)) if relevant else 0.0


def mrr(ranking: Sequence[str], relevant: Collection[str]) -> float:
    """1 over the rank of the first that is relevant."""
    return next((1 / rank for rank, id in enumerate(ranking, start=1) if id in relevant), 0.0)


def average_precision(ranking: Sequence[str], relevant: Collection[str]) -> float:
    """The mean, over all that is relevant, of the precision at its rank; 0 for what is not ranked."""
    found, total = 0, 0.0
    for rank, id in enumerate(ranking, start=1):
        if id in relevant:
            found += 1
            total += found / rank
    return total / len(set(relevant)) if relevant else 0.0


def ndcg_at_k(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Discounted cumulative gain over the best possible: a hit at rank r gains 1 / log2(r + 1)
    (Järvelin and Kekäläinen 2002)."""
    gained = sum(1 / log2(rank + 1) for rank, id in enumerate(ranking[:k], start=1) if id in relevant)
    best = sum(1 / log2(rank + 1) for rank in range(1, min(len(set(relevant)), k) + 1))
    return gained / best if best else 0.0
