"""Relates two sentences of different articles: one fact, a contradiction, or neither.

Exact comparison and the reader give the features of a pair; two logistic regressions, which `training/fit_pairs.py`
fits, make probabilities of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from rag.checks.exact import Evidence, compare
from rag.models.embeddings import Vector
from rag.models.reader import Entailment, Pair, Probabilities
from rag.schema import Article, Check, Span
from rag.text.names import names
from rag.text.quantities import quantities
from rag.text.relative_dates import Moment, moments
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
)
_SURE = 6.0  # log-odds
# Of 2,147 labelled pairs, 15 of the 15 with numbers that were shown as the same at 0.75 are, and 3 of 3 conflicts.
_ONE_FACT, _ONE_FACT_UNCOUNTED = 0.75, 0.85
_ONE_THING, _ITS_WORDS = 0.85, 0.7


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
    """How the second of each pair stands to the first; without a reader, by what is exact alone.

    A reader also has a veto on what is exactly the same in other words: it may be denied.
    """
    found = [_related(a, b) for a, b in pairs]
    if reader is None:
        return found
    same, conflict = regressions()
    believed = same.least is not None or conflict.least is not None
    asked = [place for place, relation in enumerate(found) if believed or relation.same]
    read = reader.entail([read_from(*pairs[i][::-1]) for i in asked] + [read_from(*pairs[i]) for i in asked])
    for place, forward, backward in zip(asked, read[: len(asked)], read[len(asked) :], strict=True):
        exact, row = found[place], features(*pairs[place], forward, backward)
        borne_out = forward.entailment > max(forward.contradiction, backward.contradiction)
        stands = exact.same and (exact.first.text == exact.second.text or borne_out)
        is_same = same.holds(row) and compatible(*pairs[place])
        opposed = exact.conflict or conflict.holds(row)
        found[place] = replace(exact, same=(stands or is_same) and not opposed, conflict=opposed)
    return found


def compatible(a: Report, b: Report) -> bool:
    """Whether each number of the first report is in the second, not just one in its bounds, and no day is another."""
    counted = [c for c in _checks(a, b) if c.kind == "number"]
    return not any(values(a, b)) and _days(a, b) is not False and all(map(_is_equal, counted))


def _related(a: Report, b: Report) -> Relation:
    """The relation by what is exact."""
    other, near, checks = values(a, b), float(a.vector @ b.vector), _checks(a, b)
    named = not any(c.kind == "name" and not c.passed for c in checks)
    counted = any(c.kind == "number" for c in checks)
    one_fact = named and near >= (_ONE_FACT if counted else _ONE_FACT_UNCOUNTED)
    one_thing = named and near >= _ONE_THING and _shared(_plain(a.text), _plain(b.text)) >= _ITS_WORDS
    opposed = any(other) and one_thing and _fail_once(checks) and _fail_once(_checks(b, a))
    return Relation(a, b, one_fact and compatible(a, b), opposed, other)


def _is_equal(check: Check) -> bool:
    stated, found = quantities(check.expected), quantities(check.found or "")
    return check.passed and [(q.low, q.high) for q in stated] == [(q.low, q.high) for q in found]


def _fail_once(checks: Sequence[Check]) -> bool:
    return sum(c.kind == "number" and not c.passed for c in checks) <= 1


def read_from(premise: Report, claim: Report) -> Pair:
    """What the reader is asked: whether a report bears out another one."""
    article = premise.article
    header = ", ".join(filter(None, (article.title, article.source, str(article.published or "")[:10])))
    return Pair(premise.text, claim.text, header)


def features(a: Report, b: Report, forward: Probabilities, backward: Probabilities) -> list[float]:
    """The FEATURES of a pair: `forward` is whether `a` follows from `b`, `backward` the other way round."""
    checks = _checks(a, b)
    return [
        _log_odds(forward.entailment),
        _log_odds(backward.entailment),
        max(_log_odds(forward.contradiction), _log_odds(backward.contradiction)),
        float(a.vector @ b.vector),
        _shared(_plain(a.text), _plain(b.text)),
        _shared(_named(a.text), _named(b.text)),
        _share_failed(checks, "name"),
        float(any(c.kind == "number" and c.passed for c in checks)),
        _share_failed(checks, "number"),
        float(_days(a, b) is True),
    ]


def values(a: Report, b: Report) -> tuple[str, str]:
    """The one number of the same noun, or the one day, that two reports give differently; empty if not just one."""
    found = {(c.expected, str(c.found)) for c in _checks(a, b) if _differs(c)}
    found |= {(str(c.found), c.expected) for c in _checks(b, a) if _differs(c)}
    mine, theirs = _single_day(a), _single_day(b)
    if mine and theirs and not _meet(mine, theirs):
        found.add((mine.text, theirs.text))
    elif _days(a, b) is False:
        return "", ""
    return found.pop() if len(found) == 1 else ("", "")


@dataclass(frozen=True, slots=True)
class Regression:
    """A logistic regression over FEATURES, and the log-odds from which on it is believed; None if it never is."""

    bias: float
    weights: tuple[float, ...]
    least: float | None

    def holds(self, row: Sequence[float]) -> bool:
        """Whether the log-odds of these features are high enough."""
        return self.least is not None and self.bias + float(np.dot(self.weights, row)) >= self.least


@cache
def regressions() -> tuple[Regression, Regression]:
    """That of the same fact, and that of a conflict."""
    given = json.loads(WEIGHTS.read_text())
    same, conflict = (
        Regression(row["bias"], tuple(row["weights"][name] for name in FEATURES), row["least"])
        for row in (given["same"], given["conflict"])
    )
    return same, conflict


def _checks(a: Report, b: Report) -> list[Check]:
    published = b.article.published
    return compare(a.text, [Evidence(b.text, published=published.day if published else None)])


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
    return any(_meet(m, t) for m in mine for t in theirs) if mine and theirs else None


def _plain(text: str) -> frozenset[str]:
    """The stems of a text without those of numbers."""
    return frozenset(word for word in content_words(text) if not word[0].isdigit())


def _meet(a: Moment, b: Moment) -> bool:
    """Whether two dates as they are read first have a day in common: a Monday is that of its own article's week."""
    return a.periods[0].first <= b.periods[0].last and b.periods[0].first <= a.periods[0].last


def _named(text: str) -> frozenset[str]:
    return frozenset(word.casefold() for name in names(text) for word in name.text.split())


def _shared(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return max(-_SURE, min(_SURE, math.log(kept / (1 - kept))))
