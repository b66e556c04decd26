"""Reads the numbers, dates, names and contrasting words of a text as facts bound to the words around them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

from rag.checks.rules.contrasts import ALLIES, OPPOSITES, UNITS
from rag.checks.rules.reading import Word, read_text
from rag.schema import Span
from rag.text.names import names
from rag.text.quantities import Quantity, quantities
from rag.text.relative_dates import Moment, dated
from rag.text.words import listed

Value: TypeAlias = Quantity | Moment | str


KINDS = ("number", "date", "name", "contrast")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cited span, with what is known of it without reading on.

    `header` is its article's title, outlet and date, with who speaks by a label; `near` the article around it;
    `dates` those that count from what is before it in the article; `voices` who speaks by a label, then who else has
    one.
    """

    text: str
    header: str = ""
    near: str = ""
    published: date | None = None
    dates: tuple[Moment, ...] = ()
    voices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """A value of one of `KINDS`, with its words."""

    kind: str
    text: str
    value: Value
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The words of one or more texts, far apart from text to text, with the facts in them and where each word is."""

    words: tuple[Word, ...]
    facts: tuple[Fact, ...]
    by_kind: Mapping[str, Sequence[Fact]]
    by_stem: Mapping[str, Sequence[Word]]
    order: Mapping[Word, int]

    def at(self, stem: str) -> list[Word]:
        """The words that say the same as a stem."""
        same = self.by_stem.get(stem)
        return list(same) if same else [w for ally in ALLIES.get(stem, ()) for w in self.by_stem.get(ally, ())]

    def before(self, word: Word, reach: float) -> list[Word]:
        """The words up to `reach` before a word, at most five, in order."""
        i = self.order[word]
        return [w for w in self.words[max(0, i - 5) : i] if word.place - w.place <= reach]

    def after(self, word: Word) -> Word | None:
        """The next word."""
        i = self.order[word] + 1
        return self.words[i] if i < len(self.words) else None


_APART = 10_000
_REACH, _BLUR, _TURNED = 16.0, 4.0, 0.85
_EACH = listed("a every each per")
_PREPOSITIONS = listed("of by with for on at as to that than the a")
_CALENDAR = listed("""
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
    october november december jan feb mar apr jun jul aug sept sep oct nov dec i
""")
_OPENING = listed(
    "yesterday today tomorrow tonight later earlier soon again once twice afterward afterwards meantime instead"
)
_JOINT = re.compile(r"[ \xa0]|[-‐‑]|\. ")
_PARTICLES = listed("e i ye yi al ul ur bin ibn de der von van la le da di du")


def ground(evidence: Sequence[Evidence]) -> Ground:
    """The ground of the texts of some evidence, the dates of each counted from its own day."""
    return _ground(tuple(Evidence(e.text, published=e.published, dates=e.dates) for e in evidence))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A content word near a fact, by how much it counts, with the places elsewhere of words that say the same."""

    weight: float
    leads: bool
    places: tuple[float, ...]


@lru_cache(maxsize=256)
def surroundings(fact: Fact, around: Ground, elsewhere: Ground) -> tuple[Neighbour, ...]:
    """The content words around a fact, near ones counting more, and where the same words are elsewhere."""
    found = []
    for word in around.words:
        apart = _apart(word, fact.words)
        if apart <= _REACH and word.is_content and word not in fact.words:
            leads = word.place < fact.words[0].place
            found.append(Neighbour(1 / (1 + apart), leads, tuple(sorted(w.place for w in elsewhere.at(word.stem)))))
    return tuple(found)


def bind(near: Sequence[Neighbour], words: Sequence[Word]) -> float:
    """How much of what is around a fact is around these words too: 0 to 1."""
    total = sum(n.weight for n in near)
    return sum(n.weight * _nearest(n, words) for n in near if n.places) / (total or 1.0)


def _nearest(neighbour: Neighbour, words: Sequence[Word]) -> float:
    """How near the same word is on the better side, the other side than in the statement counting less."""
    first, last, places = words[0].place, words[-1].place, neighbour.places
    i, j = bisect_left(places, first), bisect_right(places, last)
    leading = _nearness(first - places[i - 1]) if i else 0.0
    following = _nearness(places[j] - last) if j < len(places) else 0.0
    return max(leading, _TURNED * following) if neighbour.leads else max(following, _TURNED * leading)


def _nearness(apart: float) -> float:
    return 1 / (1 + apart / _BLUR) if apart <= 3 * _REACH else 0.0


def _apart(word: Word, words: Sequence[Word]) -> float:
    return min(abs(word.place - words[0].place), abs(word.place - words[-1].place))


@lru_cache(maxsize=512)
def _ground(evidence: tuple[Evidence, ...]) -> Ground:
    parts = [_part(item, number) for number, item in enumerate(evidence)]
    words = tuple(word for part in parts for word in part.words)
    by_stem: dict[str, list[Word]] = {}
    for word in words:
        by_stem.setdefault(word.stem, []).append(word)
    facts = tuple(fact for part in parts for fact in part.facts)
    by_kind = {kind: tuple(fact for fact in facts if fact.kind == kind) for kind in KINDS}
    return Ground(words, facts, by_kind, by_stem, {word: i for i, word in enumerate(words)})


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The words of one text, with its facts."""

    words: tuple[Word, ...]
    facts: tuple[Fact, ...]


@lru_cache(maxsize=2048)
def _part(item: Evidence, number: int) -> _Part:
    words = tuple(_moved(word, number) for word in read_text(item.text).words)
    return _Part(words, tuple(_facts(item, words)))


def _moved(word: Word, number: int) -> Word:
    """A word of the text of a number, apart from those of the texts before."""
    if not number:
        return word
    away = number * _APART
    return replace(word, place=word.place + away, sentence=word.sentence + away, clause=word.clause + away)


def _facts(item: Evidence, words: tuple[Word, ...]) -> Iterator[Fact]:
    text, dates = item.text, list(dated(item.text, item.published))
    dates += [m for m in item.dates if not any(m.start < d.end and d.start < m.end for d in dates)]
    numbers = [q for q in quantities(text) if not any(q.start < m.end and m.start < q.end for m in dates)]
    yield from _measured("date", dates, words)
    yield from _measured("number", numbers, words)
    taken = [Span(m.start, m.end) for m in dates] + [Span(q.start, q.start + len(q.whole)) for q in numbers]
    runs = [(text[run[0].start : run[-1].end], run) for run in _proper(text, words, taken)]
    named = [Fact("name", name, name, run) for name, run in runs]
    yield from named
    yield from _referring(words, named)
    yield from _contrasting(words)


def _measured(kind: str, values: Sequence[Quantity | Moment], words: tuple[Word, ...]) -> Iterator[Fact]:
    starts = [word.start for word in words]
    for value in values:
        covered = words[max(0, bisect_right(starts, value.start) - 1) : bisect_left(starts, value.end)]
        inside = tuple(w for w in covered if value.start < w.end)
        if inside:
            yield Fact(kind, value.text, value, inside)


def _contrasting(words: tuple[Word, ...]) -> Iterator[Fact]:
    """The words that others exclude; one such as "day" only in a rate, since a number has it as its unit."""
    counted = {w.place + 1 for w in words if w.text.lower() in _EACH}
    for word in words:
        if word.stem in OPPOSITES and _is_plain(word, words) and (word.stem not in UNITS or word.place in counted):
            yield Fact("contrast", word.text, word.stem, (word,))


def _referring(words: tuple[Word, ...], named: Sequence[Fact]) -> Iterator[Fact]:
    """The words such as "the bank" that stand for a name before them which ends alike, as that name."""
    last = {fact.words[-1].stem: fact for fact in reversed(named) if len(fact.words) > 1}
    for before, word in pairwise(words):
        meant = last.get(word.stem)
        if meant and before.text.lower() == "the" and word.text.islower() and word.place > meant.words[-1].place:
            yield Fact("name", meant.text, meant.text, (word,))


def _is_plain(word: Word, words: Sequence[Word]) -> bool:
    """Whether it is written small, or is the first word of its text."""
    return word.text.islower() or (word is words[0] and word.text[1:].islower())


def _proper(text: str, words: tuple[Word, ...], taken: Sequence[Span]) -> list[tuple[Word, ...]]:
    """Runs of capitalized words; at the start of a sentence only what is a name for sure."""
    sure = {name.start for name in names(text)}
    runs: list[list[Word]] = []
    last = None
    for i, word in enumerate(words):
        first = i == 0 or words[i - 1].sentence != word.sentence
        joined = bool(last and _JOINT.fullmatch(text, last.end, word.start))
        named = _is_proper(word, taken) and (not first or _begins(text, word, words[i + 1 : i + 2], sure))
        if joined and (named or word.text.lower() in _PARTICLES):
            runs[-1].append(word)
        elif named:
            runs.append([word])
        last = word if named or (joined and word.text.lower() in _PARTICLES) else None
    return [_ended(run) for run in runs]


def _ended(run: Sequence[Word]) -> tuple[Word, ...]:
    """The run without particles at its end."""
    end = max((i for i, word in enumerate(run, start=1) if word.text[0].isupper()), default=0)
    return tuple(run[:end])


def _is_proper(word: Word, taken: Sequence[Span]) -> bool:
    if not word.text[0].isupper() or word.text.lower() in _CALENDAR or not word.is_content:
        return False
    return not any(span.start <= word.start < span.end for span in taken)


def _begins(text: str, word: Word, following: Sequence[Word], sure: set[int]) -> bool:
    """Whether the first word of a sentence is a name, or begins one of several words."""
    if word.text.isupper() and len(word.text) > 1:
        return True
    if not following:
        return word.start in sure
    opening = word.text.lower() in _OPENING
    if word.start in sure:
        return not opening and following[0].stem not in _PREPOSITIONS and not _is_aside(text, word)
    joined = _JOINT.fullmatch(text, word.end, following[0].start)
    return bool(joined) and following[0].start in sure and not opening and not word.text.endswith("ly")


def _is_aside(text: str, word: Word) -> bool:
    """Whether one comma parts it from its sentence; behind a name stands what another comma ends."""
    sentence = text[word.end :].split(". ", maxsplit=1)[0]
    return sentence.startswith(",") and sentence.count(",") == 1
