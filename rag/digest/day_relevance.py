"""Tells how much the days of articles are about a topic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from rag.digest.excerpts import Pool
from rag.digest.topic import Topic, relevance, shares
from rag.models.embeddings import Vector

_CARRIED = 0.9
"""How much of the relevance of the nearest sentence of an article on a day counts for its others on that day."""
_HELD, _BESIDE = 0.4, 0.85
"""What share of the topic's words a day must hold; how much less counts what is told of another."""


@dataclass(frozen=True, slots=True)
class _Report:
    """What one article tells of one day."""

    article: str
    day: date


def day_relevance(pool: Pool, topic: Topic, days: Sequence[Collection[date]]) -> Vector:
    """How much each excerpt is about a topic, by itself and by what else is told of its days, a row of `days` each.

    Of a report that begins "Rockets landed near the palace" and goes on "A group claimed the attack", both sentences
    are about attacks. A day of which no article uses the words of the topic, or like ones, counts for less.
    """
    own = relevance(pool, topic)
    reports = _reports(pool, days)
    held = shares(topic, [" ".join(pool.excerpts[i].sentence for i in places) for places in reports.values()], pool)
    of_day: dict[date, float] = defaultdict(float)
    for report, share in zip(reports, held, strict=True):
        of_day[report.day] = max(of_day[report.day], share)
    beside = [max((of_day[day] for day in row), default=0.0) < _HELD for row in days]
    near = own * np.where(beside, np.float32(_BESIDE), np.float32(1))
    found: Vector = near.astype(np.float32)
    for places in reports.values():
        carried = np.float32(_CARRIED) * near[places].max()
        found[places] = np.maximum(found[places], carried)
    return found


def _reports(pool: Pool, days: Sequence[Collection[date]]) -> dict[_Report, list[int]]:
    """The places of what each article tells of each day."""
    found: dict[_Report, list[int]] = defaultdict(list)
    for place, (excerpt, row) in enumerate(zip(pool.excerpts, days, strict=True)):
        for day in sorted(row):
            found[_Report(excerpt.article.id, day)].append(place)
    return found
