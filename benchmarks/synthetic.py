"""Makes a library of articles that nobody wrote, of any size, with vectors whose nearest neighbours are known."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate, islice
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from rag.models.embeddings import Embedded
from rag.schema import Article, Passage, Precision, Published, Span, Window
from rag.store import catalog, fts, tables
from rag.store.catalog import PreparedArticle
from rag.text.calendar import Period
from rag.text.names import keys
from rag.text.relative_dates import EventDate
from rag.text.words import words

CORPUS = Path(__file__).parents[1] / "evals" / "corpora" / "afghanistan-2021" / "articles.jsonl"
BLOCK = 1_000
"""Passages that are made, and saved, at once; a size is a multiple of it."""
SIZE = 384
QUESTIONS, PLANTED = 50, 10
FIRST_DAY, DAYS = date(2021, 1, 1), 730
SHARES = (0.9, 0.3, 0.05, 0.005)
_TOPICS, _BASES, _WIDTH = 4_000, 64, 16
_SPREAD, _NOISE, _NEAR = 0.7, 0.25, 0.15
_INVENTED, _PEOPLE, _PLACES = 60_000, 20_000, 2_000
_LONGEST = 9  # passages of an article
_SENTENCES, _MOST_WORDS = 4, 17
_TOPIC_WORDS, _TOPIC_SHARE = 12, 0.2
_OUTLETS = {"Northern Wire": 0.3, "River Courier": 0.05, "Hill Gazette": 0.045, "Border Ledger": 0.005} | {
    f"{place} {kind}": 0.03
    for place in ("Harbour", "Valley", "Plain", "Lake", "Desert")
    for kind in ("Post", "Times", "Herald", "Bulletin")
}
_HEADS = ("b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "sh", "kh", "dr", "st")
_TAILS = ("a", "e", "i", "o", "u", "ai", "an", "ar", "en", "or")
_SYLLABLES = [head + tail for head in _HEADS for tail in _TAILS]
_FRAMES = (
    "{name} said on {weekday} that {words}.",
    "The {words} in {place}, according to {name}.",
    "{name} told reporters in {place} that {words}.",
    "On {day} {number} {words}.",
    "In {place} the {words}, {number} of them by {weekday}.",
    "The {words}.",
)
_DATE = re.compile(r"\bOn (\d+ [A-Z][a-z]+ 20\d\d)")
_NAME = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+)+|(?<= in )[A-Z][a-z]+|(?<=\bIn )[A-Z][a-z]+")
_ASKED = (
    "What did {name} say about {a} {b}?",
    "What happened in {place} to the {a} and the {b}?",
    "Why did {name} leave {place} after the {a}?",
    "How many {a} were there in {place} when the {b} came?",
    "Who spoke of {a}, {b} and {c}?",
)
_DATED = ("What did {name} say about {a} in {month}?", "What happened in {place} on {day}?")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Articles that are ready to be saved, and the embeddings of their passages."""

    drafts: tuple[PreparedArticle, ...]
    embedded: dict[str, Embedded]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A question and its vector."""

    text: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Limit:
    """A window, and about the share of passages that it admits."""

    kind: str
    share: float
    window: Window


@dataclass(frozen=True, slots=True)
class _Topic:
    words: Sequence[str]
    people: Sequence[str]
    places: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Supply:
    """What the sentences of an article are made from."""

    chance: Random
    words: Iterator[str]
    topic: _Topic


class Maker:
    """The same articles for the same size and seed, block by block, so that making them can be taken up again.

    Words follow Zipf's law: those of the project's own articles by how often they stand there, then invented ones. Each
    article has a topic: some words, people and places, and a direction among the vectors. The vectors of a topic vary
    in 16 directions, with a little noise in all. Ten passages are planted beside each question.
    """

    def __init__(self, passages: int, seed: int = 0) -> None:
        if passages % BLOCK:
            raise ValueError(f"{passages} passages; wanted a multiple of {BLOCK}")
        self.passages = passages
        self._seed = seed

    def block(self, number: int) -> Block:
        """One of the `passages / BLOCK` blocks."""
        random = np.random.default_rng([self._seed, 1, number])
        sizes = _sizes(random)
        topics = random.integers(_TOPICS, size=len(sizes))
        chance = Random(f"{self._seed} {number}")
        words = iter(self._words.draw(random, BLOCK * (_SENTENCES * _MOST_WORDS + 3)))
        drafts = tuple(
            self._draft(f"{number:04}-{place:03}", _Supply(chance, words, self._topic(int(topic))), size)
            for place, (size, topic) in enumerate(zip(sizes, topics, strict=True))
        )
        rows, passages = self.vectors(number), (p for d in drafts for p in d.passages)
        return Block(drafts, {p.id: Embedded(row, None) for row, p in zip(rows, passages, strict=True)})

    def vectors(self, number: int) -> NDArray[np.float32]:
        """The unit vectors of a block's passages, in their order."""
        random = np.random.default_rng([self._seed, 1, number])
        sizes = _sizes(random)
        topics = np.repeat(random.integers(_TOPICS, size=len(sizes)), sizes)
        rows = self._around(topics, np.random.default_rng([self._seed, 2, number]))
        stride = self.passages // (QUESTIONS * PLANTED)
        for at, slot in enumerate(range(number * BLOCK, (number + 1) * BLOCK)):
            if slot % stride == 0 and slot // stride < QUESTIONS * PLANTED:
                rows[at] = _beside(self.questions[slot // stride % QUESTIONS].vector, [self._seed, 3, slot])
        return rows

    @cached_property
    def questions(self) -> list[Question]:
        """Questions that have planted neighbours; the last fifth names a month or a day."""
        random = np.random.default_rng([self._seed, 4])
        topics = random.integers(_TOPICS, size=QUESTIONS)
        rows = self._around(topics, random)
        return [Question(self._asked(n, int(topics[n]), random), rows[n]) for n in range(QUESTIONS)]

    def _around(self, topics: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float32]:
        weights = random.normal(size=(len(topics), _WIDTH)).astype(np.float32) * np.float32(_SPREAD / _WIDTH**0.5)
        noise = random.normal(size=(len(topics), SIZE)).astype(np.float32) * np.float32(_NOISE / SIZE**0.5)
        rows = self._centres[topics] + noise
        for base in np.unique(topics % _BASES):
            chosen = topics % _BASES == base
            rows[chosen] += weights[chosen] @ self._bases[base]
        return _units(rows)

    @cached_property
    def _centres(self) -> NDArray[np.float32]:
        return _units(np.random.default_rng([self._seed, 5]).normal(size=(_TOPICS, SIZE)).astype(np.float32))

    @cached_property
    def _bases(self) -> NDArray[np.float32]:
        found = np.random.default_rng([self._seed, 6]).normal(size=(_BASES, SIZE, _WIDTH))
        return np.stack([np.linalg.qr(base)[0].T for base in found]).astype(np.float32)

    @cached_property
    def _words(self) -> _Drawn:
        """Those of the corpus, the most frequent first, then invented ones."""
        texts = (json.loads(line)["text"] for line in CORPUS.read_text("utf-8").splitlines())
        counted = Counter(word for text in texts for word in re.findall(r"\b[a-z][a-z-]*[a-z]\b", text))
        random = np.random.default_rng([self._seed, 7])
        known = [word for word, _ in counted.most_common()]
        return _Drawn([*known, *_invented(random, _INVENTED)], 1.05)

    @cached_property
    def _people(self) -> _Drawn:
        random = np.random.default_rng([self._seed, 8])
        first, last = _invented(random, 300), _invented(random, 5_000)
        pairs = zip(random.integers(300, size=_PEOPLE), random.integers(5_000, size=_PEOPLE), strict=True)
        return _Drawn([f"{first[a].title()} {last[b].title()}" for a, b in pairs], 0.9)

    @cached_property
    def _places(self) -> _Drawn:
        return _Drawn([w.title() for w in _invented(np.random.default_rng([self._seed, 9]), _PLACES)], 0.9)

    @lru_cache(maxsize=_TOPICS)  # noqa: B019  # a process has one maker
    def _topic(self, topic: int) -> _Topic:
        random = np.random.default_rng([self._seed, 10, topic])
        words = [self._words.items[i] for i in random.integers(100, 20_000, size=_TOPIC_WORDS)]
        return _Topic(words, self._people.draw(random, 4), self._places.draw(random, 3))

    def _draft(self, id: str, supply: _Supply, size: int) -> PreparedArticle:
        texts = [" ".join(_sentence(supply) for _ in range(_SENTENCES)) for _ in range(size)]
        text = "\n\n".join(texts)
        digest = hashlib.sha256(text.encode()).hexdigest()
        outlet = supply.chance.choices(list(_OUTLETS), list(_OUTLETS.values()))[0]
        article = Article(f"s{id}", _title(supply), text, digest, outlet, Published(_day(supply.chance), Precision.DAY))
        ends = list(accumulate(len(t) + 2 for t in texts))
        passages = tuple(
            Passage(hashlib.sha256(f"{id} {n}".encode()).hexdigest()[:20], article.id, end - 2 - len(t), end - 2, t)
            for n, (t, end) in enumerate(zip(texts, ends, strict=True))
        )
        return PreparedArticle(article, passages, tuple(p.id for p in passages))

    def _asked(self, number: int, topic: int, random: np.random.Generator) -> str:
        own = self._topic(topic)
        frames = _DATED if number >= QUESTIONS * 4 // 5 else _ASKED
        day = FIRST_DAY + timedelta(days=int(random.integers(DAYS)))
        a, b = own.words[:2]
        common = self._words.items[int(random.integers(30, 300))]
        return frames[number % len(frames)].format(
            name=own.people[0],
            place=own.places[0],
            a=a,
            b=b if number % 2 else common,
            c=common,
            month=f"{day:%B %Y}",
            day=f"{day.day} {day:%B %Y}",
        )


class _Drawn:
    """Things that are drawn by Zipf's law, the first the most often."""

    def __init__(self, items: Sequence[str], power: float) -> None:
        self.items = items
        weights = 1 / (np.arange(len(items)) + 2.7) ** power
        self._ends = np.cumsum(weights / weights.sum())

    def draw(self, random: np.random.Generator, count: int) -> list[str]:
        last = len(self.items) - 1
        return [self.items[min(i, last)] for i in np.searchsorted(self._ends, random.random(count))]


def limits(shift: int = 0) -> Iterator[Limit]:
    """Windows by `as_of`, by `since` with `until`, and by sources, for each of the shares.

    `shift` moves the days by as many, so that a window is another one and admits about as much.
    """
    for share in SHARES:
        days = max(1, round(DAYS * share))
        middle = FIRST_DAY + timedelta(days=(DAYS - days) // 2 + shift)
        yield Limit("as_of", share, Window(as_of=FIRST_DAY + timedelta(days=days - 1 + shift)))
        yield Limit("since, until", share, Window(since=middle, until=middle + timedelta(days=days - 1)))
        yield Limit("sources", share, Window(sources=_named(share)))


def _named(share: float) -> tuple[str, ...]:
    """One outlet of this share of the articles, or several that have it together."""
    if share > max(_OUTLETS.values()):
        return tuple(name for name, part in _OUTLETS.items() if part in (0.3, 0.03))
    return tuple(name for name, part in _OUTLETS.items() if part == share)


def _sentence(supply: _Supply) -> str:
    chance, topic = supply.chance, supply.topic
    count = chance.randint(8, _MOST_WORDS)
    words = [chance.choice(topic.words) if chance.random() < _TOPIC_SHARE else w for w in islice(supply.words, count)]
    day = _day(chance)
    return chance.choice(_FRAMES).format(
        words=" ".join(words),
        name=chance.choice(topic.people),
        place=chance.choice(topic.places),
        weekday=f"{day:%A}",
        day=f"{day.day} {day:%B %Y}",
        number=f"{int(chance.paretovariate(0.5)) % 100_000:,}",
    )


def _title(supply: _Supply) -> str:
    return " ".join([*supply.topic.words[:2], *islice(supply.words, 3)]).capitalize()


def _day(chance: Random) -> date:
    return FIRST_DAY + timedelta(days=chance.randrange(DAYS))


def _sizes(random: np.random.Generator) -> list[int]:
    """The passages of each article of a block."""
    sizes, left = [], BLOCK
    while left:
        sizes.append(min(left, 1 + int(random.integers(_LONGEST))))
        left -= sizes[-1]
    return sizes


def _invented(random: np.random.Generator, count: int) -> list[str]:
    """Words of two to four syllables, each once."""
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = random.integers(len(_SYLLABLES), size=int(random.integers(2, 5)))
        found["".join(_SYLLABLES[i] for i in syllables)] = None
    return list(found)


def _beside(vector: NDArray[np.float32], seed: Sequence[int]) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(size=SIZE).astype(np.float32)
    return _units((vector + noise * np.float32(_NEAR / SIZE**0.5))[np.newaxis])[0]


def _units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return found


@contextmanager
def simply_found() -> Iterator[None]:
    """Finds names and dates by the few shapes that the maker gives them, and no orders, since it makes none.

    The finders of the package read many more shapes, which takes four fifths of the time of `Catalog.save`.
    """
    kept = catalog.passage_dates, fts._columns, tables.planted
    catalog.passage_dates, fts._columns, tables.planted = _dates, _columns, lambda article: ()
    try:
        yield
    finally:
        catalog.passage_dates, fts._columns, tables.planted = kept


def _dates(article: Article, span: Span) -> Iterator[EventDate]:
    for match in _DATE.finditer(article.text, span.start, span.end):
        day = _read_day(match[1])
        yield EventDate(match.start(1), match.end(1), Period(day, day))


@lru_cache(maxsize=DAYS)
def _read_day(text: str) -> date:
    return datetime.strptime(text, "%d %B %Y").date()


def _columns(row: fts.LexicalRow) -> tuple[list[str], ...]:
    found = [key for name in _NAME.findall(row.text) for key in _cached_keys(name)]
    return words(row.header), words(row.text), found


@lru_cache(maxsize=_PEOPLE + _PLACES)
def _cached_keys(name: str) -> tuple[str, ...]:
    return tuple(keys(name))
