"""Compares the words of a statement that others exclude, such as rose for fell, with those of the evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.checks.rules.contrasts import ALLIES, OPPOSITES
from rag.checks.rules.facts import Fact, bind, surroundings
from rag.checks.rules.matching import NEAR, Compared, best, decide, free
from rag.schema import Check
from rag.text.words import listed, stem

_OPPOSED, _DENIED = 0.25, 1.2
"""The bind from which an opposite is taken to be said of the same thing; the ratio for what follows a denial."""
_DENYING = frozenset(map(stem, listed("deny confirm reject accept acknowledge refuse agree admit")))


def check_direction(fact: Fact, pair: Compared) -> Iterator[Check]:
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
