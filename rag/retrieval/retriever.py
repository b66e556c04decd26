"""Retrieves the passages that are nearest to a question, by meaning and by words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate, chain, zip_longest

import numpy as np

from rag.checks.document import Region
from rag.errors import EmptyLibraryError, InputError
from rag.models.embeddings import Embedder, Vector, identity, unit_vector
from rag.models.injection import request
from rag.models.reader import SpanReader
from rag.progress import Clock
from rag.retrieval.followups import context
from rag.retrieval.near_duplicates import clusters, contained
from rag.retrieval.query import Query
from rag.retrieval.query import read as read_query
from rag.retrieval.rerank import Candidate, Sentence, read, score
from rag.schema import Article, Hit, Ranks, Span, Turn, Window
from rag.store.catalog import Catalog
from rag.store.filters import admits
from rag.store.fts import MOST_SCORED
from rag.store.vector_index import VectorIndex, nearest
from rag.text.calendar import Period
from rag.text.clean import clean
from rag.text.words import alike, content_words, words

LONGEST_QUESTION = 10_000
"""Characters."""
# Chosen by measurement on questions about real documents: see evals/results.md.
RRF_K = 20
WEIGHTS = {"dense": 1.0, "lexical": 1.0}
PART_WEIGHT = 0.5
DATED_WEIGHT = 0.5
DEPTH = 100
POOL = 24
_MOST_DATED, _LONGEST = 5_000, 62  # passages, days
_MOST_AMONG = 1_000  # passages
MARGIN = 6.0
"""How far below the best one a sentence may score and still be shown."""
_COMMON = 0.2
_FEW_PASSAGES = 20_000
_SAME_TEXT = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Retrieved:
    """What was found for a query: the hits, best first, their scored sentences, and what was sought in vain."""

    hits: tuple[Hit, ...]
    sentences: tuple[Sentence, ...]
    missing: frozenset[str]
    """The terms of the query that stand in none of these sentences, not even in another spelling."""
    origins: Mapping[str, Article]
    """The original of each article's cluster of copies among what was found, by the article's id."""
    left_out: tuple[Article, ...] = ()
    """The articles of sentences that would have been near enough to be shown, but are addressed to a program."""


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """What the retriever searches: the catalog, its vectors, and the model they were made with, if there is one."""

    catalog: Catalog
    vectors: VectorIndex
    embeddings: Embedder | None
    reader: SpanReader | None = None
    """What reads the best extracts and decides the order; None: their words and vectors do."""


@dataclass(frozen=True, slots=True, eq=False)
class Searcher:
    """An index, and the name that a person has for its library."""

    index: Index
    name: str

    def query(self, question: str, window: Window, history: Sequence[Turn] = (), *, topic: str | None = None) -> Query:
        """What a question asks for, of a topic if there is one.

        Raises EmptyLibraryError, and InputError if there is nothing to look for in it.
        """
        question = clean(question)
        if not words(question):
            raise InputError(f"the question {question[:40]!r} has no words in it; ask in a sentence")
        if len(question) > LONGEST_QUESTION:
            raise InputError(f"the question has {len(question):,} characters; ask in at most {LONGEST_QUESTION:,}")
        self.check_filled()
        before, wanted = clean(context(question, history)), request(question)
        about = clean(topic or "") if not set(content_words(topic or "")) <= set(content_words(question)) else ""
        catalog = self.index.catalog
        found = read_query(
            wanted.asked or question,
            context=f"{before} {about}".strip(),
            sources=catalog.sources(Window(as_of=window.as_of)),
            years=[y for y in catalog.years() if not window.last or y <= window.last.year],
            today=window.last or date.today(),
        )
        found = replace(found, orders=wanted.orders, asks=bool(wanted.asked))
        return replace(found, evidence=history[-1].citations, told=history[-1].answer) if before else found

    def find(self, query: Query, *, k: int, window: Window, clock: Clock | None = None) -> Retrieved:
        """The passages for a query; raises EmbeddingError if the library was made with another model."""
        if self.index.embeddings:
            self.index.catalog.embedded.check_model(identity(self.index.embeddings))
        with (clock or Clock()).time("retrieve"):
            return retrieve(self.index, query, k=k, window=window)

    def regions(self, sentence: str, *, k: int, window: Window) -> list[Region]:
        """The `k` passages to look for a sentence in."""
        query = self.query(sentence[:LONGEST_QUESTION], window)
        hits = self.find(query, k=k, window=window).hits[:k]
        return [Region(h.article, Span(h.passage.start, h.passage.end), h.passage.id) for h in hits]

    def check_filled(self) -> None:
        """Raises EmptyLibraryError if there is no article."""
        if not self.index.catalog.article_count:
            raise EmptyLibraryError(f"{self.name} has no articles; add some with `rag add PATH` or `--add PATH`")


@dataclass(frozen=True, slots=True, eq=False)
class _Sought:
    """A query, its embedding as soon as there is one, and how far down each list is read."""

    query: Query
    coming: Future[Vector | None]
    depth: int

    @property
    def vector(self) -> Vector | None:
        return self.coming.result()


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Passage ids, best first, with their fused score and ranks."""

    scores: Mapping[str, float]
    dense: tuple[str, ...]
    lexical: tuple[str, ...]

    @property
    def ids(self) -> list[str]:
        return sorted(self.scores, key=lambda id: (-self.scores[id], id))


def retrieve(index: Index, query: Query, *, k: int, window: Window) -> Retrieved:
    """The passages within the window that are nearest to the query, at least `k` of them if there are, best first.

    Dense and BM25 ranks are fused by weighted reciprocal rank (Cormack et al. 2009); each part of a question and each
    outlet that it names is searched for by itself; so are the passages that tell of the days that it names. The best
    sentence of each passage then decides the order.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:  # embeds while SQLite searches; both let go of the interpreter
        sought = _Sought(query, beside.submit(_embedded, index, query.text), max(DEPTH, k))
        found = _interleaved([_fused(index, sought, w) for w in _windows(query, window)])
    pool = _pool(index.catalog, found.ids, max(POOL, k))
    if carried := _candidates(index.catalog, [c.passage_id for c in query.evidence]):
        pool = _distinguished(_admitted([*pool.candidates, *carried], window))
    candidates = pool.candidates
    total = index.catalog.passage_count(Window())
    frequencies = index.catalog.frequencies(query.terms)
    scored = score(query, sought.vector, candidates, {t: _rarity(n, total) for t, n in frequencies.items()})
    sentences = [s for s in scored if not s.is_order]
    if index.reader and sentences:
        sentences = read(index.reader, query, candidates, sentences)
    hits = _hits(candidates, sentences, found)
    shown = {hit.passage.id for hit in hits}
    missing = frozenset(query.terms).difference(*(s.stems for s in sentences))
    kept = tuple(s for s in sentences if s.passage_id in shown)
    return Retrieved(hits, kept, missing, pool.origins, _left_out(scored, candidates))


def limited(retrieved: Retrieved, topic: str) -> Retrieved:
    """What of it is in articles on a topic."""
    hits = tuple(hit for hit in retrieved.hits if is_on(hit.article, topic))
    shown = {hit.passage.id for hit in hits}
    return replace(retrieved, hits=hits, sentences=tuple(s for s in retrieved.sentences if s.passage_id in shown))


def is_on(article: Article, topic: str) -> bool:
    """Whether the title of an article, or one of its paragraphs with it, has every word of a topic."""
    wanted, title = frozenset(content_words(topic)), frozenset(content_words(article.title))
    return any(wanted <= title | frozenset(content_words(part)) for part in ("", *article.text.split("\n\n")))


def _left_out(scored: Sequence[Sentence], candidates: Sequence[Candidate]) -> tuple[Article, ...]:
    articles = {c.passage.id: c.article for c in candidates}
    least = max((s.score for s in scored if not s.is_order), default=-math.inf) - MARGIN
    return tuple(articles[s.passage_id] for s in scored if s.is_order and s.score >= least)


def _rarity(frequency: int, total: int) -> float:
    """Inverse document frequency over passages, as in BM25; above 0."""
    return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))


def _embedded(index: Index, text: str) -> Vector | None:
    return unit_vector(np.array(index.embeddings.embed_query(text), np.float32)) if index.embeddings else None


def _windows(query: Query, window: Window) -> list[Window]:
    """One for each outlet that the question asks for and the window admits; the window itself if there is none."""
    admitted = {source.casefold() for source in window.sources}
    asked = [s for s in query.sources if not admitted or s.casefold() in admitted]
    return [replace(window, sources=(s,)) for s in asked] or [window]


def _fused(index: Index, sought: _Sought, window: Window) -> _Ranked:
    query, depth = sought.query, sought.depth
    short = tuple(period for period in query.periods if period.days <= _LONGEST)
    dated = _DatedPassages(index.catalog, short, window)
    told = dated.told()
    most = max(depth, dated.reach) if dated.crowded or told else depth
    ranked = _lexical(index.catalog, (*query.terms, *query.name_keys), limit=most, window=window)
    lexical = ranked[:depth]
    dense = _dense(index, sought.vector, limit=depth, window=window)
    scores: dict[str, float] = {}
    _add_ranks(scores, dense, WEIGHTS["dense"])
    _add_ranks(scores, lexical, WEIGHTS["lexical"])
    for part in query.parts:
        _add_ranks(scores, _dense(index, _embedded(index, part), limit=depth, window=window), PART_WEIGHT)
        _add_ranks(scores, _lexical(index.catalog, content_words(part), limit=depth, window=window), PART_WEIGHT)
    if told := told or dated.told_among([*ranked, *dense]):
        _add_ranks(scores, [id for id in ranked if id in told][:depth], DATED_WEIGHT)
        if sought.vector is not None:
            vectors = index.catalog.embedded.select(window, ids=list(told))
            _add_ranks(scores, nearest(vectors, sought.vector, depth), DATED_WEIGHT)
    return _Ranked(scores, tuple(dense), tuple(lexical))


@dataclass(frozen=True, slots=True)
class _DatedPassages:
    """The passages that tell of the days of short periods that are asked: all, or those among others if many do."""

    catalog: Catalog
    periods: tuple[Period, ...]
    window: Window

    @property
    def crowded(self) -> bool:
        return any(self.catalog.events.are_many(period, most=_MOST_DATED) for period in self.periods)

    @property
    def reach(self) -> int:
        """How far down the list of words is read for them."""
        return _MOST_AMONG if self.crowded else _MOST_DATED

    def told(self) -> dict[str, None]:
        return {} if self.crowded else self._during(None)

    def told_among(self, ids: Sequence[str]) -> dict[str, None]:
        return self._during(ids) if self.crowded else {}

    def _during(self, among: Sequence[str] | None) -> dict[str, None]:
        events = self.catalog.events
        listed = (events.during(p, self.window, most=_MOST_DATED, among=among) for p in self.periods)
        return dict.fromkeys(chain.from_iterable(listed))


def _dense(index: Index, vector: Vector | None, *, limit: int, window: Window) -> list[str]:
    return [] if vector is None else index.vectors.search(vector, limit=limit, window=window)


def _lexical(catalog: Catalog, terms: Sequence[str], *, limit: int, window: Window) -> list[str]:
    """Leaves out terms that stand in many passages, unless there are no others: they decide little and cost most."""
    total = catalog.passage_count(Window())
    counted = catalog.frequencies(terms)
    rare = {t: n for t, n in counted.items() if 0 < n <= _COMMON * total}
    return catalog.lexical(_affordable(rare or counted, total), limit=limit, window=window)


def _affordable(counted: Mapping[str, int], total: int) -> list[str]:
    """The rarest terms, in their order, that no more passages have to be scored for than MOST_SCORED; at least one.

    All of them in a library of few passages.
    """
    if total <= _FEW_PASSAGES:
        return list(counted)
    rising = sorted(counted, key=lambda t: (counted[t], t))
    ends = accumulate(counted[t] for t in rising)
    kept = {t for place, (t, end) in enumerate(zip(rising, ends, strict=True)) if not place or end <= MOST_SCORED}
    return [t for t in counted if t in kept]


def _add_ranks(scores: dict[str, float], ids: Sequence[str], weight: float) -> None:
    for rank, id in enumerate(ids, start=1):
        scores[id] = scores.get(id, 0.0) + weight / (RRF_K + rank)


def _interleaved(found: Sequence[_Ranked]) -> _Ranked:
    """Takes the best of each in turn; the scores become reciprocal ranks of that order."""
    if len(found) == 1:
        return found[0]
    turns = chain.from_iterable(zip_longest(*(f.ids for f in found)))
    order = dict.fromkeys(id for id in turns if id)
    scores = {id: 1 / (RRF_K + rank) for rank, id in enumerate(order, start=1)}
    dense, lexical = (
        tuple(chain.from_iterable(ids)) for ids in zip(*((f.dense, f.lexical) for f in found), strict=True)
    )
    return _Ranked(scores, dense, lexical)


@dataclass(frozen=True, slots=True, eq=False)
class _CandidatePool:
    """The candidates without what copies repeat, and the original of each article that was found, by its id."""

    candidates: list[Candidate]
    origins: dict[str, Article]


def _pool(catalog: Catalog, ids: Sequence[str], size: int) -> _CandidatePool:
    """The first `size` candidates that repeat nothing: as many more are read as copies were left out."""
    pool, read = _CandidatePool([], {}), 0
    while len(pool.candidates) < size and read < len(ids):
        more = size - len(pool.candidates)
        pool = _distinguished([*pool.candidates, *_candidates(catalog, ids[read : read + more])])
        read += more
    return pool


def _distinguished(candidates: Sequence[Candidate]) -> _CandidatePool:
    """Leaves out the passages of copies that say nothing but what passages of older copies say."""
    articles = {c.article.id: c.article for c in candidates}
    found = clusters(articles.values())
    origins = {article.id: cluster[0] for cluster in found for article in cluster}
    repeated = {id for cluster in found if len(cluster) > 1 for id in _repeated(cluster, candidates)}
    return _CandidatePool([c for c in candidates if c.passage.id not in repeated], origins)


def _repeated(cluster: Sequence[Article], candidates: Sequence[Candidate]) -> Iterator[str]:
    """The ids of the passages of a cluster's articles that the passages of older ones contain."""
    told: list[str] = []
    for article in cluster:
        passages = [c.passage for c in candidates if c.article.id == article.id]
        yield from (p.id for p in passages if told and contained(p.text, told) >= _SAME_TEXT)
        told += [p.text for p in passages]


def _candidates(catalog: Catalog, ids: Sequence[str]) -> list[Candidate]:
    with catalog.snapshot():
        stored = {s.passage.id: s for s in catalog.passages(ids)}
        articles = {a.id: a for a in catalog.articles({s.passage.article_id for s in stored.values()})}
    present = [stored[id] for id in ids if id in stored and stored[id].passage.article_id in articles]
    return [Candidate(s.passage, articles[s.passage.article_id], s.vector, s.sentences, s.events) for s in present]


def _admitted(candidates: Sequence[Candidate], window: Window) -> list[Candidate]:
    """Each candidate once; what the conversation cited may be outside of a window that was set since."""
    return list({c.passage.id: c for c in candidates if admits(window, c.article)}.values())


def _hits(candidates: Sequence[Candidate], sentences: Sequence[Sentence], found: _Ranked) -> tuple[Hit, ...]:
    grouped: dict[str, list[Sentence]] = {}
    for sentence in sentences:
        grouped.setdefault(sentence.passage_id, []).append(sentence)
    best = {id: max(s.score for s in group) for id, group in grouped.items()}
    stems = {id: frozenset().union(*(s.stems for s in group)) for id, group in grouped.items()}
    kept = _distinct(sorted(best, key=lambda id: (-best[id], id)), stems)
    by_id = {c.passage.id: c for c in candidates}
    return tuple(_hit(by_id[id], best[id], found) for id in kept)


def _distinct(order: Sequence[str], stems: Mapping[str, frozenset[str]]) -> list[str]:
    """Leaves out a passage that says in nearly the same words what a better one says."""
    kept: list[str] = []
    for id in order:
        if not any(alike(stems[id], stems[other], _SAME_TEXT) for other in kept):
            kept.append(id)
    return kept


def _hit(candidate: Candidate, best: float, found: _Ranked) -> Hit:
    id = candidate.passage.id
    ranks = Ranks(*(ids.index(id) + 1 if id in ids else None for ids in (found.dense, found.lexical)))
    return Hit(candidate.passage, candidate.article, round(best, 6), ranks)
