"""Gathers the sentences of passages that can be read alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from zlib import crc32

import numpy as np

from rag.checks.denials import FARTHEST, is_denial
from rag.compare.relation import ReportedSentence
from rag.ingest.pipeline import cut
from rag.models.embeddings import Embedder, Vector, embed_passages
from rag.models.injection import is_ordered
from rag.retrieval.rerank import leans
from rag.schema import Article, Citation, Hit, Span, Window
from rag.store.catalog import Catalog
from rag.store.embedding_table import StoredPassage
from rag.store.filters import admits
from rag.text.sentences import sentences
from rag.text.words import content_words

_FEWEST_WORDS, _MOST_WORDS = 5, 60
_MOST_BEFORE = 2
# "In a statement they said": the pronoun after a short opening refers to the sentence before.
_LATE_PRONOUN = re.compile(r"^(?:In|At|On|After|By|During|For|With|When) [^,.;:]{0,40},? (?:he|she|they) ")
# "It is not clear how many": the pronoun refers to what follows.
_EXPLETIVE = re.compile(r"^It (?:\w+ ){1,5}(?:that|whether|if|how|why|when|who|what|where|to)\b")
_ENDS = (".", "!", "”", '."', '"', "…")
_LABEL = re.compile(r"^\W*(?:Q\b|(?:THE )?[A-Z][A-Z.’' -]{2,40}:)")  # the speaker of a transcript
_TALKS = re.compile(r"(?<![\w-])(?:I|[Mm]e|[Mm]y|[Yy]ou|[Yy]our|[Tt]hanks?)(?![\w-])")
_MARKUP = re.compile(r"https?://|\*\*|</?\w+>|\\\[")
# Openings that only refer back, which a headline omits (Dorr, Zajic and Schwartz 2003).
_OPENING = re.compile(
    r"^(?:(?:on the other hand|at the same time|meanwhile|however|moreover|furthermore|in addition|as a result|"
    r"for (?:his|her|its|their) part|in (?:this|that) [a-z]+|also|separately|then|and|but|so|yet)"
    r"(?:,\s+|\s+(?=and\b|but\b))|"
    r"(?:and|but|so|yet)\s+(?!far\b|much\b|many\b))+",
    re.IGNORECASE,
)
# What everybody can look up of a place, set off by commas.
_PLACE = re.compile(
    r"(?<=[a-z]), (?:the |a |an |its )?(?:[a-z-]+ ){0,3}(?:capital|city|town|village|province|district|region|port)\b"
    r"[^,;:—()“”\"\d]{0,90},(?= (?:are|is|was|were|had|has|have|fell|[a-z]{3,}ed)\b)"
)
_LEXICAL_DIMENSIONS = 1024


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence of an article, from `own` to `end`.

    `span` includes the sentences before it that it refers to, and the one behind it in which somebody denies it.
    """

    article: Article
    passage_id: str
    span: Span
    own: int
    end: int

    @property
    def text(self) -> str:
        """The whole span on one line."""
        return " ".join(self.article.text[self.span.start : self.span.end].split())

    @property
    def sentence(self) -> str:
        """The sentence itself on one line."""
        return " ".join(self.article.text[self.own : self.end].split())

    def citation(self, number: int) -> Citation:
        """The span as a citation."""
        start, end = self.span.start, self.span.end
        return Citation(number, self.article, self.passage_id, start, end, self.article.text[start:end])


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Excerpts in reading order, article by article, and a matrix with the unit vector of each.

    If `embedded` is false, the vectors only weigh words; `outdated` if that is for want of `rag reindex`. `hits` are
    the passages read, `left_out` the articles with sentences addressed to a program.
    """

    excerpts: tuple[Excerpt, ...]
    vectors: Vector
    embedded: bool
    hits: tuple[Hit, ...] = ()
    left_out: tuple[Article, ...] = ()
    outdated: bool = False

    def only(self, places: Sequence[int]) -> Pool:
        """The excerpts at these places, in this order."""
        return replace(
            self, excerpts=tuple(self.excerpts[i] for i in places), vectors=self.vectors[np.array(places, int)]
        )

    def report(self, place: int) -> ReportedSentence:
        """The sentence at that place, to be related to others; the pool must be embedded."""
        own = self.excerpts[place]
        vector = self.vectors[place]
        return ReportedSentence(own.article, own.passage_id, Span(own.own, own.end), own.sentence, vector)

    @property
    def articles(self) -> tuple[Article, ...]:
        """The articles read, each once."""
        return tuple({hit.article.id: hit.article for hit in self.hits}.values())


def of_window(catalog: Catalog, window: Window) -> Pool:
    """The sentences of all articles that a window admits."""
    return of_passages(catalog, catalog.admitted(window))


def of_articles(catalog: Catalog, embeddings: Embedder | None, articles: Sequence[Article], window: Window) -> Pool:
    """The sentences of those articles that a window admits; an article that is not stored is embedded here."""
    admitted = [article for article in articles if admits(window, article)]
    rows = [row for article in admitted for row in _stored(catalog, article) or _unstored(embeddings, article)]
    return gather(rows, {article.id: article for article in admitted})


def of_hits(catalog: Catalog, hits: Sequence[Hit]) -> Pool:
    """The sentences of retrieved passages."""
    found = sorted((hit.passage for hit in hits), key=lambda p: (p.article_id, p.start))
    return of_passages(catalog, [passage.id for passage in found])


def of_passages(catalog: Catalog, ids: Sequence[str]) -> Pool:
    """The sentences of passages, given in reading order."""
    with catalog.snapshot():
        rows = catalog.passages(ids)
        articles = catalog.articles(row.passage.article_id for row in rows)
    return gather(rows, {article.id: article for article in articles})


def gather(stored: Sequence[StoredPassage], articles: Mapping[str, Article]) -> Pool:
    """The sentences of passages in reading order; none that is addressed to a program."""
    found: list[Excerpt] = []
    rows: list[Vector | None] = []
    for id, group in groupby(stored, key=lambda s: s.passage.article_id):
        cuts = [piece for row in group for piece in _cuts(row) if not is_ordered(articles[id], piece.span)]
        for place, piece in enumerate(cuts):
            start = _start(cuts, place) if is_sentence(piece.text) else None
            if start is not None:
                span = Span(start, _end(cuts, place))
                found.append(Excerpt(articles[id], piece.passage_id, span, piece.span.start, piece.span.end))
                rows.append(piece.vector)
    hits = tuple(Hit(row.passage, articles[row.passage.article_id], 0.0) for row in stored)
    left_out = {h.article.id: h.article for h in hits if is_ordered(h.article, Span(h.passage.start, h.passage.end))}
    known = [row for row in rows if row is not None]
    embedded = len(known) == len(rows)
    matrix = np.array(known, np.float32) if known else np.zeros((0, 1), np.float32)
    vectors = matrix if embedded else lexical_vectors([e.sentence for e in found])
    outdated = not embedded and any(map(_is_outdated, stored))
    return Pool(tuple(found), vectors, embedded, hits, tuple(left_out.values()), outdated)


def lexical_vectors(texts: Sequence[str], dimensions: int = _LEXICAL_DIMENSIONS) -> Vector:
    """Unit vectors of TF-IDF weighted words, hashed to a fixed length (Weinberger et al. 2009)."""
    matrix = np.zeros((len(texts), dimensions), np.float32)
    for place, text in enumerate(texts):
        for word in content_words(text):
            matrix[place, crc32(word.encode()) % dimensions] = 1
    matrix *= np.log((1 + len(texts)) / (1 + matrix.sum(axis=0))).astype(np.float32) + np.float32(0.1)
    return unit(matrix)


def unit(matrix: Vector) -> Vector:
    """The rows of a matrix divided by their lengths."""
    found: Vector = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), np.float32(1e-9))
    return found


def is_sentence(text: str) -> bool:
    """Whether a text is a sentence of a report: not a heading, a question, a list or small talk."""
    return _FEWEST_WORDS <= len(text.split()) <= _MOST_WORDS and text.endswith(_ENDS) and _is_report(text)


def is_leading(excerpt: Excerpt) -> bool:
    """Whether it is the first sentence of its article."""
    return excerpt.own == 0 or not excerpt.article.text[: excerpt.own].strip()


def trimmed(sentence: str) -> str:
    """The sentence without an opening that only refers back, and without descriptions of places."""
    text = _PLACE.sub("", _OPENING.sub("", sentence))
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True, eq=False)
class _Trim:
    """A sentence of a passage with its vector, if it has one."""

    passage_id: str
    span: Span
    text: str
    vector: Vector | None


def _cuts(row: StoredPassage) -> Iterator[_Trim]:
    text, offset = row.passage.text, row.passage.start
    spans = sentences(text)
    vectors = row.of_sentences(len(spans))
    for place, span in enumerate(spans):
        vector = None if vectors is None else vectors[place]
        yield _Trim(row.passage.id, Span(offset + span.start, offset + span.end), text[span.start : span.end], vector)


def _is_outdated(row: StoredPassage) -> bool:
    return row.sentences is not None and row.of_sentences(len(sentences(row.passage.text))) is None


def _is_report(text: str) -> bool:
    return not (_LABEL.match(text) or _TALKS.search(text) or _MARKUP.search(text))


def _start(cuts: Sequence[_Trim], place: int) -> int | None:
    """Where the sentences start that are needed to understand this one; None if they are too many."""
    for first in range(place, max(place - _MOST_BEFORE, -1), -1):
        piece = cuts[first]
        if first < place and not _is_report(piece.text):
            return None
        is_open = leans(piece.text) or _LATE_PRONOUN.match(piece.text) or is_denial(piece.text)
        if not is_open or _EXPLETIVE.match(piece.text):
            return piece.span.start
        if first == 0 or piece.span.start - cuts[first - 1].span.end > FARTHEST:
            return None
    return None


def _end(cuts: Sequence[_Trim], place: int) -> int:
    """Where the sentence ends, or the one right behind it that denies it."""
    own, *behind = cuts[place : place + 2]
    is_denied = any(is_denial(b.text) and b.span.start - own.span.end <= FARTHEST for b in behind)
    return behind[0].span.end if is_denied else own.span.end


def _stored(catalog: Catalog, article: Article) -> list[StoredPassage]:
    with catalog.snapshot():
        known = catalog.articles([article.id])
        return catalog.passages(catalog.passage_ids(article.id)) if known == [article] else []


def _unstored(embeddings: Embedder | None, article: Article) -> list[StoredPassage]:
    (prepared,) = cut([article], embeddings)
    if not embeddings:
        return [StoredPassage(passage, None, None) for passage in prepared.passages]
    found = embed_passages(embeddings, list(prepared.texts))
    return [StoredPassage(p, e.vector, e.sentences) for p, e in zip(prepared.passages, found, strict=True)]
