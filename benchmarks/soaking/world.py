"""Makes the articles of the soak, each of which can be told again from its number, its edition and the seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from rag.ingest.metadata import article
from rag.schema import Article, Precision, Published, Window
from rag.store.filters import admits
from rag.text.words import words

SOURCES = ("Harirud Post", "Northern Wire", "Evening Ledger", "River Times")
CITIES = ("Kabul", "Herat", "Kunduz", "Farah", "Jalalabad", "Kandahar", "Ghazni", "Zaranj", "Faizabad", "Bamyan")
GOODS = ("wagons", "crates", "tents", "lamps", "barrels", "blankets", "radios", "tyres", "shovels", "ladders")
VERBS = ("counted", "sold", "repaired", "carried", "lost", "bought", "stored", "painted", "borrowed", "returned")
DAYS = 200
_FIRST_DAY = date(2021, 1, 1)
_CONSONANTS, _VOWELS = "bdfgklmnprtvz", "aiou"
_SIZE = 64


@dataclass(frozen=True, slots=True)
class World:
    """All editions of all articles; the seed gives every number, place and date in them."""

    seed: int

    def article(self, number: int, edition: int) -> Article:
        """An article as it is published; a later edition is a correction of its text, and maybe of its date."""
        return _article(self.seed, number, edition)

    def admits(self, window: Window, number: int, edition: int) -> bool:
        """Whether a window admits an edition."""
        return admits(window, self.article(number, edition))

    def question(self, number: int, edition: int) -> str:
        """A question that the first sentence of an edition answers."""
        city, goods, verb = _words(self.seed, number, edition, 0)
        return f"How many {goods} were {verb} by the {word(number)} team in {city}?"


class Embeddings:
    """A LangChain embedding model of no weight: the words of a text, hashed into 64 numbers."""

    id = "soak"
    digest = hashlib.sha256(b"soak").hexdigest()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        found = np.sum([_direction(each) for each in words(text)] or [_direction(text)], axis=0)
        return [float(x) for x in found]


def identity(number: int) -> str:
    """The id of an article."""
    return f"soak-{number}"


def number_of(id: str) -> int:
    """The number of the article that has an id."""
    return int(id.removeprefix("soak-"))


def word(number: int) -> str:
    """A word that stands in all sentences of one article and in no other."""
    syllables = []
    for _ in range(4):
        number, letter = divmod(number, len(_CONSONANTS) * len(_VOWELS))
        syllables.append(_CONSONANTS[letter // len(_VOWELS)] + _VOWELS[letter % len(_VOWELS)])
    return f"{''.join(syllables)}zok"


def day(number: int) -> date:
    """One of the days on which articles are published."""
    return _FIRST_DAY + timedelta(number % DAYS)


@lru_cache(maxsize=20_000)
def _article(seed: int, number: int, edition: int) -> Article:
    lines = (_sentence(seed, number, edition, line) for line in range(5 + _digits(seed, number, edition, 8) % 12))
    return article(
        " ".join(lines),
        id=identity(number),
        title=f"The {word(number)} report",
        source=SOURCES[_digits(seed, number, edition, 9) % len(SOURCES)],
        published=Published(day(_digits(seed, number, edition // 2, 10)), Precision.DAY),
    )


def _sentence(seed: int, number: int, edition: int, line: int) -> str:
    city, goods, verb = _words(seed, number, edition, line)
    count = 100_000 + _digits(seed, number, edition, 100 + line) % 900_000
    return (
        f"In {city} the {word(number)} team {verb} {count} {goods} at gate {line}, edition {edition} of the list shows."
    )


def _words(seed: int, number: int, edition: int, line: int) -> tuple[str, str, str]:
    found = _digits(seed, number, edition, 1000 + line)
    return CITIES[found % 10], GOODS[found // 10 % 10], VERBS[found // 100 % 10]


def _digits(*parts: int) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=6).digest(), "big")


@lru_cache(maxsize=50_000)
def _direction(text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    return np.random.default_rng(seed).normal(size=_SIZE).astype(np.float32)
