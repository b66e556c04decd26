"""Gathers the sentences of passages that can stand by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from zlib import crc32

import numpy as np

from rag.models.embeddings import Vector
from rag.retrieval.rerank import leans
from rag.schema import Article, Citation, Hit, Span
from rag.store.catalog import StoredPassage
from rag.text.injection import is_ordered
from rag.text.sentences import sentences
from rag.text.words import content_words

_FEWEST_WORDS, _MOST_WORDS = 5, 60
_MOST_BEFORE = 2
_FARTHEST = 8
_LATE_PRONOUN = re.compile(
    r"^(?:In|At|On|After|By|During|For|With|When) "
    r"(?:[^,.;:A-Z]|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|"
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)){0,40},? "
    r"(?:he|she|they) "
)
# An "it" that stands for nothing that was said before.
_EXPLETIVE = re.compile(
    r"^It (?:is|was|remains|remained|will be) (?:(?:still|not|yet|also|now) )*"
    r"(?:clear|unclear|known|unknown|likely|unlikely|possible|impossible|believed|thought|estimated|expected)\b"
)
_ENDS = (".", "!", "”", '."', '"', "…")
_LABEL = re.compile(r"^\W*(?:Q\b|(?:THE )?[A-Z][A-Z.’' -]{2,40}:)")
_TALKS = re.compile(r"(?<![\w-])(?:I|[Mm]e|[Mm]y|[Yy]ou|[Yy]our|[Ll]et[’']s|[Tt]hanks?|[Oo]kay)(?![\w-])")
_MARKUP = re.compile(r"https?://|\*\*|</?\w+>|\\\[")
_LEXICAL_DIMENSIONS = 1024


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence of an article, from `own` on, after the sentences that it leans on, if there are any."""

    article: Article
    passage_id: str
    span: Span
    own: int

    @property
    def text(self) -> str:
        """It on one line."""
        return " ".join(self.article.text[self.span.start : self.span.end].split())

    @property
    def sentence(self) -> str:
        """Its last sentence, which is the one that was looked for."""
        return " ".join(self.article.text[self.own : self.span.end].split())

    def citation(self, number: int) -> Citation:
        """Its span as a citation."""
        start, end = self.span.start, self.span.end
        return Citation(number, self.article, self.passage_id, start, end, self.article.text[start:end])


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Excerpts in the order of reading, article by article, and the unit vector of each, a row each.

    `embedded` tells whether these are of the embedding model; else they are of the words alone. `hits` are the passages
    that were gathered, `left_out` the articles that have sentences in them which are addressed to a program.
    """

    excerpts: tuple[Excerpt, ...]
    vectors: Vector
    embedded: bool
    hits: tuple[Hit, ...] = ()
    left_out: tuple[Article, ...] = ()

    def only(self, places: Sequence[int]) -> Pool:
        """The excerpts of these places, in their order."""
        kept = tuple(self.excerpts[i] for i in places)
        return replace(self, excerpts=kept, vectors=self.vectors[list(places)])

    @property
    def articles(self) -> tuple[Article, ...]:
        """Those that were read, each once."""
        return tuple({hit.article.id: hit.article for hit in self.hits}.values())


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """A sentence of a passage with its vector, if it has one."""

    passage_id: str
    span: Span
    text: str
    vector: Vector | None


def gather(stored: Sequence[StoredPassage], articles: Mapping[str, Article]) -> Pool:
    """The sentences of passages, which are in the order of reading within each article; none that gives orders."""
    found: list[Excerpt] = []
    rows: list[Vector | None] = []
    for id, group in groupby(stored, key=lambda s: s.passage.article_id):
        cuts = [cut for row in group for cut in _cuts(row) if not is_ordered(articles[id], cut.span)]
        for place, cut in enumerate(cuts):
            start = _start(cuts, place) if stands(cut.text) else None
            if start is not None:
                found.append(Excerpt(articles[id], cut.passage_id, Span(start, cut.span.end), cut.span.start))
                rows.append(cut.vector)
    hits = tuple(Hit(row.passage, articles[row.passage.article_id], 0.0) for row in stored)
    left_out = {h.article.id: h.article for h in hits if is_ordered(h.article, Span(h.passage.start, h.passage.end))}
    if any(row is None for row in rows):
        vectors, embedded = lexical_vectors([e.sentence for e in found]), False
    else:
        kept = [row for row in rows if row is not None]
        vectors, embedded = np.array(kept, np.float32) if kept else np.zeros((0, 1), np.float32), True
    return Pool(tuple(found), vectors, embedded, hits, tuple(left_out.values()))


def lexical_vectors(texts: Sequence[str]) -> Vector:
    """Unit vectors of TF-IDF weighted words, hashed to a fixed length (Weinberger et al. 2009)."""
    rows = [content_words(text) for text in texts]
    matrix = np.zeros((len(rows), _LEXICAL_DIMENSIONS), np.float32)
    for place, row in enumerate(rows):
        for word in row:
            matrix[place, crc32(word.encode()) % _LEXICAL_DIMENSIONS] = 1
    frequency = matrix.sum(axis=0)
    matrix *= np.log((1 + len(rows)) / (1 + frequency)).astype(np.float32) + np.float32(0.1)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    found: Vector = matrix / np.maximum(lengths, np.float32(1e-9))
    return found


def _cuts(row: StoredPassage) -> Iterator[_Cut]:
    text, offset = row.passage.text, row.passage.start
    spans = sentences(text)
    vectors = row.sentences if row.sentences is not None and len(row.sentences) == len(spans) else None
    for place, span in enumerate(spans):
        vector = None if vectors is None else vectors[place].astype(np.float32)
        yield _Cut(row.passage.id, Span(offset + span.start, offset + span.end), text[span.start : span.end], vector)


def stands(text: str) -> bool:
    """Whether it is a sentence of a report: not a heading, a question, a list or small talk."""
    count = len(text.split())
    if not _FEWEST_WORDS <= count <= _MOST_WORDS or not text.endswith(_ENDS):
        return False
    return _is_report(text)


def _is_report(text: str) -> bool:
    """Whether nobody talks in it to somebody else."""
    return not (_LABEL.match(text) or _TALKS.search(text) or _MARKUP.search(text))


def _start(cuts: Sequence[_Cut], place: int) -> int | None:
    """Where the sentences start that it needs to be understood; None if they are too many."""
    for before in range(_MOST_BEFORE):
        first = place - before
        if before and not _is_report(cuts[first].text):
            return None
        needs = leans(cuts[first].text) or _LATE_PRONOUN.match(cuts[first].text)
        if not needs or _EXPLETIVE.match(cuts[first].text):
            return cuts[first].span.start
        if first == 0 or cuts[first].span.start - cuts[first - 1].span.end > _FARTHEST:
            return None
    return None
