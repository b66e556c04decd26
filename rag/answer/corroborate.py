"""Counts the outlets that report the same thing independently of one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from rag.retrieval.query import Kind, Query
from rag.retrieval.rerank import Sentence
from rag.retrieval.retriever import Retrieved
from rag.schema import Article, Statement
from rag.text.names import names, same
from rag.text.quantities import Quantity, agree, quantities
from rag.text.sentences import sentences
from rag.text.words import content_words

_AS_NEAR = {Kind.NUMBER: 0.4}
_NEAR = 0.6
_SAME = 0.5
_DAYS = 30


def corroborated(statements: Sequence[Statement], query: Query, retrieved: Retrieved) -> tuple[Statement, ...]:
    """The statements, each with the outlets that report what it tells, the first one first.

    Copies of one report count once, as the outlet of their original; so do the articles of one outlet.
    """
    by_passage = {hit.passage.id: hit.article for hit in retrieved.hits}
    return tuple(replace(s, outlets=_outlets(s, query, retrieved, by_passage)) for s in statements)


def _outlets(
    statement: Statement, query: Query, retrieved: Retrieved, articles: Mapping[str, Article]
) -> tuple[str, ...]:
    spans = {(c.passage_id, c.start + s.start) for c in statement.citations for s in sentences(c.quote)}
    own = [s for s in retrieved.sentences if (s.passage_id, s.span.start) in spans]
    wanted = _AS_NEAR.get(query.kind, _NEAR) * max((_nearness(s, query) for s in own), default=1.0)
    near = [s for s in retrieved.sentences if s not in own and _nearness(s, query) >= wanted]
    cited = [c.article for c in statement.citations]
    others = [articles[s.passage_id] for s in near if _tells(s, statement.text, query)]
    told = [*cited, *(a for a in others if any(_same_time(a, c) for c in cited))]
    found = sorted((retrieved.origins.get(a.id, a) for a in told), key=lambda a: (str(a.published), a.id))
    return tuple(dict.fromkeys(article.source or article.title for article in found))


def _nearness(sentence: Sentence, query: Query) -> float:
    """How much of the question a sentence has; one that only has a number, together with its neighbours."""
    around = sentence.features["around"] if query.kind is Kind.NUMBER else 0.0
    return sentence.features["overlap"] + around


def _same_time(a: Article, b: Article) -> bool:
    if not a.published or not b.published:
        return True
    return abs((a.published.day - b.published.day).days) <= _DAYS


def _tells(sentence: Sentence, text: str, query: Query) -> bool:
    """Whether a sentence has the number or the name by which a text answers; for other questions most of its words."""
    match query.kind:
        case Kind.NUMBER:
            asked = quantities(query.text)
            told = [q for q in quantities(text) if not _has(asked, q)]
            return any(_has(quantities(sentence.text), q) for q in told)
        case Kind.PERSON | Kind.PLACE:
            given = _names(query.text)
            new = [n for n in _names(text) if not any(n == g or same(n, g) for g in given)]
            return any(n == m or same(n, m) for n in new for m in _names(sentence.text))
        case _:
            stems = frozenset(content_words(text))
            return len(stems & sentence.stems) >= _SAME * max(1, min(len(stems), len(sentence.stems)))


def _has(found: Sequence[Quantity], wanted: Quantity) -> bool:
    return any(q.unit == wanted.unit and agree(wanted, q) for q in found)


@lru_cache(maxsize=8192)
def _names(text: str) -> tuple[str, ...]:
    return tuple(word for name in names(text) for word in name.text.split())
