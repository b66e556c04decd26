"""Compares each date of a statement with those of the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rag.checks.rules.facts import Fact
from rag.checks.rules.matching import NEAR, Compared, bound, decide
from rag.schema import Check
from rag.text.relative_dates import Moment, covers, overlap


def check_date(fact: Fact, pair: Compared) -> Iterator[Check]:
    """A check of a date, unless it cannot be compared."""
    stated = fact.value
    assert isinstance(stated, Moment)
    dates = [f for f in pair.cited.by_kind["date"] if isinstance(f.value, Moment)]
    fitting = [f for f in dates if isinstance(f.value, Moment) and covers(stated, f.value)]
    rivals = [f for f in dates if not isinstance(f.value, Moment) or not overlap(stated, f.value)]
    published = _publication(stated, pair)
    if not fitting and published and not any(bound(fact, f, pair) > 3 * NEAR for f in dates):
        yield Check("date", fact.text, str(published), True)
    elif fitting or not any(_incomparable(stated, f.value) for f in rivals if isinstance(f.value, Moment)):
        yield decide(fact, fitting, rivals, pair)


def _publication(stated: Moment, pair: Compared) -> date | None:
    """The day of publication of one of the articles, if the date is that."""
    return next((day for day in pair.published if any(p.first <= day <= p.last for p in stated.periods)), None)


def _incomparable(a: Moment, b: Moment) -> bool:
    """Whether one of them is relative to a day that is not known, and the other is not."""
    return bool(a.periods) != bool(b.periods)
