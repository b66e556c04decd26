"""Adds up what cases got to rates with their uncertainty, and holds the formulas of what a case gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log2

import numpy as np
from numpy.typing import NDArray

from rag.text.words import STOP_WORDS, words

RESAMPLES = 1_000
_SEED = 2021


@dataclass(frozen=True, slots=True)
class Share:
    """What one case got, `hits` of `n`; cases of one stratum are added up, and strata are averaged."""

    hits: float
    n: float
    stratum: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A share over `cases` cases: `hits` of `n`, with the bounds of its 95 % interval; `n` is 0 if none counted."""

    hits: float = 0.0
    n: float = 0.0
    cases: int = 0
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.hits:.4g}/{self.n:.4g}) [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two collections have in common: `shared` of `found` are among the `wanted`."""

    shared: int
    found: int
    wanted: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall: 2 PR / (P + R)."""
        return 2 * self.shared / (self.found + self.wanted) if self.found + self.wanted else 0.0


def rate(shares: Sequence[Share]) -> Rate:
    """The rate of the shares, with the percentile interval of a bootstrap over cases (Efron and Tibshirani 1993).

    The value is the sum of hits over the sum of n, by stratum, averaged over strata. An interval of a few cases is
    wide; if all got the same, it has no width, which says nothing about new ones.
    """
    counted = [share for share in shares if share.n]
    if not counted:
        return Rate()
    strata = [[s for s in counted if s.stratum == name] for name in sorted({s.stratum for s in counted})]
    value = sum(sum(s.hits for s in group) / sum(s.n for s in group) for group in strata) / len(strata)
    low, high = np.quantile(_resampled(strata), (0.025, 0.975))
    hits, n = sum(s.hits for s in counted), sum(s.n for s in counted)
    return Rate(hits, n, len(counted), value, float(low), float(high))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least such a share of the values does not exceed (nearest rank); at least one."""
    ordered = sorted(values)
    rank = int(np.ceil(share * len(ordered) - 1e-9))
    return ordered[max(rank, 1) - 1]


def reciprocal_rank(ranking: Sequence[str], relevant: Collection[str]) -> float:
    """1 over the rank of the first id that is relevant; 0 if none is."""
    return next((1 / rank for rank, id in enumerate(ranking, start=1) if id in relevant), 0.0)


def ndcg_at_k(ranking: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Discounted cumulative gain over the best possible: a hit at rank r gains 1 / log2(r + 1)
    (Järvelin and Kekäläinen 2002)."""
    gained = sum(1 / log2(rank + 1) for rank, id in enumerate(ranking[:k], start=1) if id in relevant)
    best = sum(1 / log2(rank + 1) for rank in range(1, min(len(set(relevant)), k) + 1))
    return gained / best if best else 0.0


def rouge_n(text: str, reference: str, n: int) -> Overlap:
    """ROUGE-N of stemmed words: the n-grams in common, each as often as it is in both (Lin 2004)."""
    found, wanted = _grams(words(text), n), _grams(words(reference), n)
    return Overlap((found & wanted).total(), found.total(), wanted.total())


def aligned_rouge_n(found: Mapping[date, str], wanted: Mapping[date, str], n: int) -> float:
    """F1 of ROUGE-N of two timelines, without stop words ("align+ m:1" of Martschat and Markert 2017).

    The text of each day is compared with that of the day of the other timeline that is nearest in time and words, and
    counts for less the more days are between them.
    """
    rows, references = (
        {day: " ".join(word for word in words(text) if word not in STOP_WORDS) for day, text in days.items()}
        for days in (found, wanted)
    )
    precision, recall = _aligned(rows, references, n), _aligned(references, rows, n)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _aligned(rows: Mapping[date, str], others: Mapping[date, str], n: int) -> float:
    """The share of the n-grams of all days that those aligned with them have too, by the days between."""
    shared, total = 0.0, 0
    for day, text in rows.items():
        nearness = {other: 1 / (1 + abs((day - other).days)) for other in sorted(others)}
        costs = {other: (1 - near) * (1 - rouge_n(text, others[other], 1).f1) for other, near in nearness.items()}
        best = min(costs, key=costs.__getitem__, default=day)
        overlap = rouge_n(text, others.get(best, ""), n)
        shared, total = shared + nearness.get(best, 0.0) * overlap.shared, total + overlap.found
    return shared / total if total else 0.0


def _grams(of: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(of[i : i + n]) for i in range(len(of) - n + 1))


def _resampled(strata: Sequence[Sequence[Share]]) -> NDArray[np.float64]:
    """The value of each resample; each stratum is drawn from by itself."""
    generator = np.random.default_rng(_SEED)
    total = np.zeros(RESAMPLES)
    for group in strata:
        pairs = np.array([(s.hits, s.n) for s in group])
        sums = pairs[generator.integers(0, len(pairs), (RESAMPLES, len(pairs)))].sum(axis=1)
        total += sums[:, 0] / sums[:, 1]
    return total / len(strata)
