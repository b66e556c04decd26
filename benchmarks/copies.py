"""Times the search for wire copies: `uv run python benchmarks/copies.py`."""

from __future__ import annotations

import random
from time import perf_counter

from rag.ingest.metadata import article
from rag.retrieval.near_duplicates import clusters
from rag.schema import Article

PARAGRAPHS, WORDS = 5, 60
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]
VOCABULARY = [first + second for first in SYLLABLES for second in SYLLABLES]


def corpus(count: int) -> list[Article]:
    """Articles of 300 words; each fifth is one of the twenty before it with half of the paragraphs cut."""
    chance = random.Random(7)
    made: list[Article] = []
    for number in range(count):
        paragraphs = _cut(made[-20:], chance) if number % 5 == 4 else [_paragraph(chance) for _ in range(PARAGRAPHS)]
        made.append(article("\n\n".join(paragraphs), id=f"{number}", title=f"Report {number}", published="2021-07-07"))
    return made


def _paragraph(chance: random.Random) -> str:
    return " ".join(chance.choice(VOCABULARY) for _ in range(WORDS)) + "."


def _cut(articles: list[Article], chance: random.Random) -> list[str]:
    paragraphs = chance.choice(articles).text.split("\n\n")
    return [paragraphs[place] for place in sorted(chance.sample(range(len(paragraphs)), max(2, len(paragraphs) // 2)))]


if __name__ == "__main__":
    for count in (1_000, 10_000):
        articles = corpus(count)
        start = perf_counter()
        found = clusters(articles)
        print(f"{count:>6} articles  {perf_counter() - start:6.2f} s  {len(found)} clusters")
