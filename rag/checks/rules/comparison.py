"""Compares each fact of a statement with the evidence, saying what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from rag.checks.rules.contrasts import ALLIES, OPPOSITES
from rag.checks.rules.facts import Evidence, Fact, bind, surroundings
from rag.checks.rules.matching import NEAR, Compared, best, bound, decide, free, paired
from rag.checks.rules.name_checks import check_name
from rag.checks.rules.number_checks import check_number
from rag.schema import Check
from rag.text.relative_dates import Moment, covers, overlap
from rag.text.words import listed, stem

_OPPOSED, _DENIED = 0.25, 1.2
"""The bind from which an opposite is taken to be said of the same thing; the ratio for what follows a denial."""
_DENYING = frozenset(map(stem, listed("deny confirm reject accept acknowledge refuse agree admit")))


def compare(text: str, evidence: Sequence[Evidence]) -> list[Check]:
    """A check for each number, date, name and contrast of a statement."""
    pair = paired(text, evidence)
    return [check for fact in pair.statement.facts for check in _CHECKS[fact.kind](fact, pair)]


def _check_date(fact: Fact, pair: Compared) -> Iterator[Check]:
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


def _check_direction(fact: Fact, pair: Compared) -> Iterator[Check]:
    """A check of such a word, if the evidence has one that excludes it."""
    said = fact.words[0].stem
    opposites = pair.cited.by_kind["contrast"]
    fitting = [f for f in opposites if f.value in ALLIES[said]]
    against = [f for f in opposites if f.value in OPPOSITES[said]]
    if fitting and against:
        decided = (_denied if said in _DENYING else decide)(fact, fitting, against, pair)
        yield Check("direction", decided.expected, decided.found, decided.passed)
        return
    opposed = best(fact, free(fact, against, pair), pair)
    if opposed and opposed.bind > _OPPOSED and not pair.cited.by_stem.get(said):
        yield Check("direction", fact.text, opposed.fact.text, False)


def _denied(fact: Fact, fitting: Sequence[Fact], against: Sequence[Fact], pair: Compared) -> Check:
    """A check of what follows a verb such as to deny, since who does may do both."""
    near = [n for n in surroundings(fact, pair.statement, pair.cited) if not n.leads]
    own = max(bind(near, f.words) for f in fitting)
    other = max(against, key=lambda f: bind(near, f.words))
    denied = bind(near, other.words) > max(own * _DENIED, NEAR)
    return Check(fact.kind, fact.text, other.text if denied else fact.text, not denied)


_CHECKS = {"number": check_number, "date": _check_date, "name": check_name, "contrast": _check_direction}
