"""How many claims of a set summaries make beside lead-3, LexRank and random sentences.

`uv run python benchmarks/summarizing.py evals/sets/checklists.jsonl evals/corpora/afghanistan-2021`: a set of summaries
and its articles. All read the same passages and have as many words as the summary.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rag.digest.excerpts import Pool, of_articles, of_hits, of_window
from rag.digest.extractive import content, lexrank, repeats, shortlist, similarities
from rag.digest.request import MOST_PASSAGES
from rag.evaluation.cases import SummaryCase
from rag.evaluation.formats import load_set
from rag.library import Library
from rag.models.embeddings import Vector
from rag.schema import Article

DRAWS, LEAD = 10, 3


def read(case: SummaryCase, library: Library) -> Pool:
    """The sentences that the summary of a case is made of."""
    catalog = library.catalog
    if case.articles:
        return of_articles(catalog, library.embeddings, catalog.articles(case.articles), case.window)
    if case.topic is None:
        return of_window(catalog, case.window)
    return of_hits(catalog, library.search(case.topic, k=MOST_PASSAGES, window=case.window).hits)


def orders(pool: Pool, ranked: Sequence[Article], topic: Vector | None = None) -> dict[str, list[list[int]]]:
    """The orders in which each baseline takes the sentences of a pool, by its name.

    LexRank is the biased one of Otterbacher, Erkan and Radev (2005) if there is the vector of a topic.
    """
    places = range(len(pool.excerpts))
    rank = {article.id: number for number, article in enumerate(ranked)}
    seen: Counter[str] = Counter()
    leads: list[int] = []
    for place in places:
        seen[pool.excerpts[place].article.id] += 1
        if seen[pool.excerpts[place].article.id] <= LEAD:
            leads.append(place)
    prior = np.ones(len(places), np.float32) if topic is None else np.maximum(0, pool.vectors @ topic)
    near = shortlist(places, prior)
    central = lexrank(similarities(pool.only(near).vectors), prior[near])
    return {
        "lead-3": [sorted(leads, key=lambda i: (rank[pool.excerpts[i].article.id], i))],
        "LexRank": [[near[i] for i in np.argsort(-central, kind="stable").tolist()]],
        "random": [random.Random(seed).sample(places, len(places)) for seed in range(DRAWS)],
    }


def vector(case: SummaryCase, library: Library) -> Vector | None:
    """The vector of the topic of a case, if it has one."""
    return np.array(library.embeddings.embed_query(case.topic)) if library.embeddings and case.topic else None


def filled(pool: Pool, order: Iterable[int], words: int) -> list[str]:
    """The sentences that fit, the first ones of the order first; none that repeats another."""
    taken: list[int] = []
    for place in order:
        length = content(pool.excerpts[place]).length
        if length <= words and not any(repeats(place, other, pool) for other in taken):
            taken.append(place)
            words -= length
    return [content(pool.excerpts[place]).text for place in taken]


def covered(case: SummaryCase, texts: Sequence[str]) -> int:
    """How many claims some sentence makes by itself."""
    return sum(any(claim.is_in(text) for text in texts) for claim in case.claims)


def main(path: str, *articles: str) -> None:
    """Prints a line for each contender: the claims that one of its sentences makes, of all."""
    made: dict[tuple[str, str], float] = defaultdict(float)
    claims: Counter[str] = Counter()
    with TemporaryDirectory() as folder, Library(folder) as library:
        library.add(*articles)
        for case in load_set(Path(path)).cases:
            if isinstance(case, SummaryCase):
                summary = library.summarize(*case.articles, topic=case.topic, words=case.words, window=case.window)
                texts = [statement.text for statement in summary.statements]
                room = max(case.words, sum(len(text.split()) for text in texts))
                pool = read(case, library)
                latest = sorted(pool.articles, key=lambda a: str(a.published or ""), reverse=True)
                hits = library.search(case.topic, k=MOST_PASSAGES, window=case.window).hits if case.topic else ()
                ranked = list({a.id: a for a in (*(hit.article for hit in hits), *latest)}.values())
                claims[case.type] += len(case.claims)
                made[case.type, "rag summarize"] += covered(case, texts)
                for name, drawn in orders(pool, ranked, vector(case, library)).items():
                    made[case.type, name] += sum(covered(case, filled(pool, o, room)) for o in drawn) / len(drawn)
    for (kind, name), count in made.items():
        print(f"{kind:<10} {name:<14} {count / claims[kind]:.2f} ({count:g}/{claims[kind]})")


if __name__ == "__main__":
    main(*sys.argv[1:])
