"""Adds up what single cases got to rates with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def rate(shares: Sequence[Share]) -> Rate:
    """The rate of the shares, with the percentile interval of a bootstrap over cases (Efron and Tibshirani 1993).

    The value is the sum of hits over the sum of n, by stratum, averaged over strata. An interval of a few cases is
    wide; if all got the same, it has no width, which says nothing of new ones.
    """
    counted = [share for share in shares if share.n]
    if not counted:
        return Rate()
    low, high = np.quantile(_resampled(counted), (0.025, 0.975))
    hits, n = sum(s.hits for s in counted), sum(s.n for s in counted)
    return Rate(hits, n, len(counted), _value(counted), float(low), float(high))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least such a share of the values does not exceed (nearest rank); at least one."""
    ordered = sorted(values)
    rank = int(np.ceil(share * len(ordered) - 1e-9))
    return ordered[max(rank, 1) - 1]


def _value(shares: Sequence[Share]) -> float:
    strata = _strata(shares)
    return sum(sum(s.hits for s in group) / sum(s.n for s in group) for group in strata) / len(strata)


def _strata(shares: Sequence[Share]) -> list[list[Share]]:
    return [[s for s in shares if s.stratum == name] for name in sorted({s.stratum for s in shares})]


def _resampled(shares: Sequence[Share]) -> NDArray[np.float64]:
    """The value of each resample; each stratum is drawn from by itself."""
    generator = np.random.default_rng(_SEED)
    total = np.zeros(RESAMPLES)
    strata = _strata(shares)
    for group in strata:
        pairs = np.array([(s.hits, s.n) for s in group])
        sums = pairs[generator.integers(0, len(pairs), (RESAMPLES, len(pairs)))].sum(axis=1)
        total += sums[:, 0] / sums[:, 1]
    return total / len(strata)
