"""Scores the sentences of retrieved passages by how well they answer a question."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.chunking import header, sentences
from rag.embeddings import Vector
from rag.names import keys, same
from rag.query import Kind, Query
from rag.schema import Article, Passage, Span
from rag.words import STOP_WORDS, content_words, words


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A retrieved passage, best first, with the vectors it was stored with."""

    passage: Passage
    article: Article
    vector: Vector | None
    sentences: NDArray[np.float16] | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a candidate; `span` is in the article."""

    candidate: int
    span: Span
    text: str
    features: Mapping[str, float]
    score: float


# Fitted by softmax regression on the dev questions of evals (see evals/README.md), then rounded.
WEIGHTS: Mapping[str, float] = {
    "overlap": 13.0,
    "around": 5.0,
    "header": 1.0,
    "passage_cosine": 6.5,
    "sentence_cosine": 12.0,
    "rank": 5.0,
    "period": 5.0,
    "number": 5.0,
    "person": 3.0,
    "date": 6.0,
    "relative_date": 2.5,
    "place": 4.0,
    "reason": 3.0,
    "question": -4.0,
    "short": -3.0,
}
_FEWEST_WORDS = 8
_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?"
)
_DATE = re.compile(
    rf"\b(?:{_MONTHS})\b\.?(?: the)? \d{{1,2}}|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTHS})\b", re.I
)
_RELATIVE = re.compile(
    rf"\b(?:today|yesterday|tomorrow|tonight|(?:mon|tues|wednes|thurs|fri|satur|sun)day|ago|{_MONTHS}|(?:19|20)\d\d|"
    r"(?:last|next|this) (?:week|month|year|morning|night|spring|summer|fall|autumn|winter))\b",
    re.I,
)
_REASON = re.compile(
    r"\b(?:because|due to|owing to|reasons?|in order to|so that|out of|to avoid|as a result|therefore|given|since|amid|"
    r"concern(?:s|ed)?)\b",
    re.IGNORECASE,
)
_CAPITALIZED = re.compile(r"(?<![.?!:“] )(?<!^)\b[A-Z][\w’'-]+")
_PERSON = re.compile(
    r"(?:\b(?:President|Minister|Secretary|General|Ambassador|Mr|Ms|Mrs|Dr|Gen|Sgt|Senator|Chancellor|Director|King|"
    r"Prince)\.? |\b(?!The |United |White |New |Vice |North |South |East |West |Prime |Foreign )[A-Z][\w’'-]+ (?:[A-Z]\. )?)"
    r"[A-Z][\w’'-]+"
)
_PLACED = re.compile(r"\b(?:in|at|to|from|near|of|into|on) (?:the )?[A-Z]\w+")
_SPELLED = re.compile(r"\b[A-Z][\w’'-]{2,}")


def score(
    query: Query, vector: Vector | None, candidates: Sequence[Candidate], rarity: Mapping[str, float]
) -> list[Sentence]:
    """All sentences of the candidates, in their order, with a score; higher is better.

    `vector` is the question's embedding. `rarity` weighs each of its terms, e.g. by inverse document frequency.
    """
    scored: list[Sentence] = []
    for rank, candidate in enumerate(candidates):
        scored += _sentences(query, vector, _Reading.of(query, rank, candidate), rarity)
    return scored


@dataclass(frozen=True, slots=True)
class _Reading:
    """A candidate, read against the question: where its sentences are and which words each has."""

    rank: int
    candidate: Candidate
    spans: tuple[Span, ...]
    texts: tuple[str, ...]
    words: tuple[frozenset[str], ...]
    header: frozenset[str]

    @classmethod
    def of(cls, query: Query, rank: int, candidate: Candidate) -> _Reading:
        text = candidate.passage.text
        spans = sentences(text)
        texts = tuple(text[s.start : s.end] for s in spans)
        alike = _spellings(query, text)
        found = tuple(frozenset(alike.get(w, w) for w in words(t)) for t in texts)
        return cls(rank, candidate, tuple(spans), texts, found, frozenset(words(header(candidate.article))))


def _sentences(query: Query, vector: Vector | None, reading: _Reading, rarity: Mapping[str, float]) -> list[Sentence]:
    start, cosines = reading.candidate.passage.start, _cosines(vector, reading)
    shared = _shared(query, vector, reading)
    scored = []
    for i, (span, text) in enumerate(zip(reading.spans, reading.texts, strict=True)):
        features = shared | _lexical(query, reading, i, rarity) | _typed(query, text, reading.words[i])
        features["sentence_cosine"] = cosines[i]
        total = sum(WEIGHTS[name] * value for name, value in features.items())
        scored.append(Sentence(reading.rank, Span(start + span.start, start + span.end), text, features, total))
    return scored


def _cosines(vector: Vector | None, reading: _Reading) -> list[float]:
    stored = reading.candidate.sentences
    if vector is None or stored is None or len(stored) != len(reading.spans):
        return [0.0] * len(reading.spans)
    return [float(x) for x in stored.astype(np.float32) @ vector]


def _shared(query: Query, vector: Vector | None, reading: _Reading) -> dict[str, float]:
    stored, published = reading.candidate.vector, reading.candidate.article.published
    cosine = 0.0 if vector is None or stored is None else float(stored @ vector)
    period = 0.0
    if published and query.periods:
        period = max(math.exp(-p.distance(published.day) / (3 if p.days < 40 else 15)) for p in query.periods)
    return {"passage_cosine": cosine, "rank": 1 / (10 + reading.rank), "period": period}


def _lexical(query: Query, reading: _Reading, i: int, rarity: Mapping[str, float]) -> dict[str, float]:
    """Shares of the question's term weight: in the sentence, and what its neighbours or the header add."""
    here = reading.words[i]
    near = frozenset().union(*reading.words[max(0, i - 1) : i + 2])
    total = sum(rarity[t] for t in query.terms) or 1.0
    own, around, headed = (
        sum(rarity[t] for t in query.terms if t in s) / total for s in (here, near, here | reading.header)
    )
    return {"overlap": own, "around": around - own, "header": headed - own}


def _typed(query: Query, text: str, found: frozenset[str]) -> dict[str, float]:
    """Whether the sentence has what the question asks for and did not itself give."""
    features = {"question": float(text.endswith("?")), "short": max(0, _FEWEST_WORDS - len(found)) / _FEWEST_WORDS}
    given = set(query.terms)
    match query.kind:
        case Kind.NUMBER:
            features["number"] = float(any(w not in given and any(c.isdigit() for c in w) for w in found))
        case Kind.DATE:
            features["date"] = float(bool(_DATE.search(text)))
            features["relative_date"] = float(bool(_RELATIVE.search(text)))
        case Kind.PERSON:
            features["person"] = float(any(not given.issuperset(words(p)) for p in _PERSON.findall(text)))
        case Kind.PLACE:
            features["place"] = float(bool(_PLACED.search(text)) and bool(_new_names(text, given)))
        case Kind.REASON:
            features["reason"] = float(bool(_REASON.search(text)))
        case Kind.OTHER:
            pass
    return features


def _new_names(text: str, given: set[str]) -> list[str]:
    return [name for name in _CAPITALIZED.findall(text) if not given.issuperset(content_words(name))]


def _spellings(query: Query, text: str) -> dict[str, str]:
    """The stems of names in the text that are other spellings of names in the question, with the question's stems."""
    if not query.name_keys:
        return {}
    alike: dict[str, str] = {}
    for written in set(_SPELLED.findall(text)):
        for name in _alike(written, query.names):
            pairs = zip(words(written), words(name), strict=False)
            alike |= {theirs: ours for theirs, ours in pairs if theirs not in STOP_WORDS}
    return alike


@lru_cache(maxsize=50_000)
def _alike(written: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The words of the names that the written word is another spelling of."""
    key = set(keys(written))
    tokens = [token for name in names for token in (name.split() if "-" not in name else [name])]
    return tuple(t for t in tokens if t != written and key.intersection(keys(t)) and same(written, t))
