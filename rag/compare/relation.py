"""Relates two sentences of different articles: one fact, a contradiction, or neither.

Exact comparison and the reader give the features of a pair; two logistic regressions, which `training/fit_pairs.py`
fits, make probabilities of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from rag.checks.exact import Evidence, compare
from rag.models.embeddings import Vector
from rag.models.reader import Entailment, Pair, Probabilities
from rag.schema import Article, Check, Span
from rag.text.names import names
from rag.text.relative_dates import Moment, moments, overlap
from rag.text.words import content_words

WEIGHTS = Path(__file__).with_name("relation.json")
FEATURES = (
    "follows",
    "follows_back",
    "denied",
    "cosine",
    "words",
    "names",
    "other_names",
    "numbers",
    "other_numbers",
    "days",
    "other_days",
    "apart",
)
_SURE = 6.0  # log-odds
_WORDS_ALONE = 0.9
"""The cosine from which on exact comparison decides without a reader."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """A sentence of an article, and its unit vector."""

    article: Article
    passage_id: str
    span: Span
    text: str
    vector: Vector


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """How a second report stands to a first one: bears it out, or contradicts it."""

    first: Report
    second: Report
    same: bool
    conflict: bool
    values: tuple[str, str]
    """The one number or day that each gives in the place of the other's; empty if that is not what differs."""


def related(pairs: Sequence[tuple[Report, Report]], reader: Entailment | None) -> list[Relation]:
    """How the second of each pair stands to the first; without a reader, only what is exact and nearly verbatim."""
    if reader is None:
        return [_exact(a, b) for a, b in pairs]
    read = reader.entail([read_from(b, a) for a, b in pairs] + [read_from(a, b) for a, b in pairs])
    both = zip(pairs, read[: len(pairs)], read[len(pairs) :], strict=True)
    rows = [(a, b, features(a, b, forward, backward)) for (a, b), forward, backward in both]
    fitted = weights()
    return [Relation(a, b, fitted["same"].holds(r), fitted["conflict"].holds(r), values(a, b)) for a, b, r in rows]


def read_from(premise: Report, claim: Report) -> Pair:
    """What the reader is asked: whether a report bears out another one."""
    article = premise.article
    header = ", ".join(filter(None, (article.title, article.source, str(article.published or "")[:10])))
    return Pair(premise.text, claim.text, header)


def features(a: Report, b: Report, forward: Probabilities, backward: Probabilities) -> list[float]:
    """The FEATURES of a pair: `forward` is whether `a` follows from `b`, `backward` the other way round."""
    checks = [*_checks(a, b), *_checks(b, a)]
    days = _days(a, b)
    return [
        _log_odds(forward.entailment),
        _log_odds(backward.entailment),
        max(_log_odds(forward.contradiction), _log_odds(backward.contradiction)),
        float(a.vector @ b.vector),
        _shared(frozenset(content_words(a.text)), frozenset(content_words(b.text))),
        _shared(_named(a.text), _named(b.text)),
        _share_failed(checks, "name"),
        float(any(c.kind == "number" and c.passed for c in checks)),
        _share_failed(checks, "number"),
        float(days is True),
        float(days is False),
        math.log1p(_apart(a, b)),
    ]


def values(a: Report, b: Report) -> tuple[str, str]:
    """The one number of the same noun, or the one day, that two reports give differently; empty if not just one."""
    found = {(c.expected, str(c.found)) for c in _checks(a, b) if _differs(c)}
    found |= {(str(c.found), c.expected) for c in _checks(b, a) if _differs(c)}
    mine, theirs = _single_day(a), _single_day(b)
    if mine and theirs and not overlap(mine, theirs):
        found.add((mine.text, theirs.text))
    return found.pop() if len(found) == 1 else ("", "")


def _exact(a: Report, b: Report) -> Relation:
    near = float(a.vector @ b.vector) >= _WORDS_ALONE
    found, failed = values(a, b), [c for c in (*_checks(a, b), *_checks(b, a)) if not c.passed]
    same = near and not failed and _days(a, b) is not False
    return Relation(a, b, same, near and any(found) and all(map(_differs, failed)), found)


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression over FEATURES, and the log-odds from which on it is believed."""

    bias: float
    weights: tuple[float, ...]
    least: float

    def score(self, row: Sequence[float]) -> float:
        """The log-odds of a pair with these features."""
        return self.bias + float(np.dot(self.weights, row))

    def holds(self, row: Sequence[float]) -> bool:
        """Whether the log-odds are high enough."""
        return self.score(row) >= self.least


@cache
def weights() -> dict[str, Weights]:
    """The two regressions, `same` and `conflict`."""
    given = json.loads(WEIGHTS.read_text())
    return {
        kind: Weights(w["bias"], tuple(w["weights"][name] for name in FEATURES), w["least"])
        for kind, w in given.items()
    }


def _checks(a: Report, b: Report) -> list[Check]:
    """Those of `a` against `b`, whose title may name what it means."""
    article = b.article
    frame = f"{article.title} . {article.source or ''}"
    return compare(a.text, [Evidence(b.text, frame, article.published.day if article.published else None)])


def _differs(check: Check) -> bool:
    return check.kind == "number" and not check.passed and check.found is not None


def _share_failed(checks: Sequence[Check], kind: str) -> float:
    passed = [c.passed for c in checks if c.kind == kind]
    return passed.count(False) / len(passed) if passed else 0.0


def _moments(report: Report) -> list[Moment]:
    published = report.article.published
    return [m for m in moments(report.text, published.day if published else None) if m.periods]


def _single_day(report: Report) -> Moment | None:
    found = _moments(report)
    return found[0] if len(found) == 1 and found[0].periods[0].days == 1 else None


def _days(a: Report, b: Report) -> bool | None:
    """Whether a day of one is a day of the other; None if one of them gives none."""
    mine, theirs = _moments(a), _moments(b)
    return any(overlap(m, t) for m in mine for t in theirs) if mine and theirs else None


def _apart(a: Report, b: Report) -> int:
    if not a.article.published or not b.article.published:
        return 0
    return abs((a.article.published.day - b.article.published.day).days)


def _named(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for name in names(text) for word in name.text.split())


def _shared(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return max(-_SURE, min(_SURE, math.log(kept / (1 - kept))))
