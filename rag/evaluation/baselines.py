"""Summarizes by rules that take no thought, to have something to beat."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rag.evaluation.cases import SummaryCase
from rag.library import Library
from rag.schema import Article
from rag.text.sentences import sentences

MOST_ARTICLES = 10
"""Of how many articles on a topic sentences are taken, the best first."""
_PASSAGES = 40


def rivals(case: SummaryCase, library: Library) -> dict[str, str]:
    """What else could be said in the same number of words: the `lead`, and `random` sentences.

    The lead is the first sentences of one article; of several, the first of each, then the second. Random ones are the
    same each time.
    """
    lead = _in_turns([_sentences(article) for article in _articles(case, library)])
    shuffled = sorted(lead, key=lambda sentence: hashlib.sha256(sentence.encode()).digest())
    return {"lead": _cut(lead, case.words), "random": _cut(shuffled, case.words)}


def _articles(case: SummaryCase, library: Library) -> list[Article]:
    """Those that are named, else those that a search for the topic finds; without a topic all."""
    if case.articles:
        return [library.catalog.article(id) for id in case.articles]
    if case.topic is None:
        return library.articles()
    hits = library.search(case.topic, k=_PASSAGES, window=case.window).hits
    return list({hit.article.id: hit.article for hit in hits}.values())[:MOST_ARTICLES]


def _sentences(article: Article) -> list[str]:
    return [" ".join(article.text[s.start : s.end].split()) for s in sentences(article.text)]


def _in_turns(pool: Sequence[Sequence[str]]) -> list[str]:
    longest = max(map(len, pool), default=0)
    return [article[place] for place in range(longest) for article in pool if place < len(article)]


def _cut(found: Sequence[str], words: int) -> str:
    """The sentences, each once, from the first on; one that there is no room for is left out."""
    kept: list[str] = []
    for sentence in dict.fromkeys(found):
        if sum(len(s.split()) for s in (*kept, sentence)) <= words:
            kept.append(sentence)
    return " ".join(kept)
