"""Reads from which event on, or up to which, a topic goes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from rag.digest.excerpts import Excerpt, Pool
from rag.text.words import content_words

_CLAUSE = re.compile(
    r"^(?P<topic>.*\w)\W+(?P<side>after|since|before|until|till|up to)\s+(?P<event>\w.*)$", re.IGNORECASE | re.DOTALL
)
_AFTER = frozenset({"after", "since"})
_FEWEST = 2
"""Words that an event must have, so that it is not found in any sentence."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a topic is about without its clause of time, and the first and last day of it, as far as they are known."""

    topic: str
    first: date | None = None
    last: date | None = None

    def admits(self, day: date) -> bool:
        """Whether a day is within it, its first and last day included."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


def scope(topic: str, pool: Pool, days: Callable[[Excerpt], Iterable[date]]) -> Scope:
    """The scope of a topic: "life in Kabul after the Taliban entered Kabul" goes from the day on which they did.

    "before" ends on the day before it, "until" on the day itself.
    The event is found in sentences that have all of its words and give a day (`days`); most of the outlets decide on
    which it was, and of as many the earliest. If there is none, the topic stays whole.
    """
    match = _CLAUSE.match(topic.strip())
    wanted = frozenset(content_words(match["event"])) if match else frozenset()
    if not match or len(wanted) < _FEWEST or not content_words(match["topic"]):
        return Scope(topic)
    day = _day(pool, wanted, days)
    if day is None:
        return Scope(topic)
    side = match["side"].lower()
    if side in _AFTER:
        return Scope(match["topic"], first=day)
    return Scope(match["topic"], last=day - timedelta(days=1) if side == "before" else day)


def _day(pool: Pool, wanted: frozenset[str], days: Callable[[Excerpt], Iterable[date]]) -> date | None:
    """The day that most outlets give for what has all of these words."""
    telling = (excerpt for excerpt in pool.excerpts if wanted <= frozenset(content_words(excerpt.sentence)))
    told = {(day, excerpt.article.source or excerpt.article.id) for excerpt in telling for day in days(excerpt)}
    counts = Counter(day for day, _ in told)
    return min(counts, key=lambda day: (-counts[day], day), default=None)
