"""Scores the sentences of retrieved passages by how well they answer a question."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from rag.models.embeddings import Vector
from rag.models.injection import is_ordered
from rag.models.reader import Extract, Reading, SpanReader
from rag.retrieval.query import Query
from rag.schema import Article, Passage, Span
from rag.text.names import keys, names, same, spelled
from rag.text.relative_dates import EventDate
from rag.text.sentences import sentences
from rag.text.speakers import voice
from rag.text.words import STOP_WORDS, content_words, words


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A retrieved passage, best first, with the vectors it was stored with."""

    passage: Passage
    article: Article
    vector: Vector | None
    sentences: NDArray[np.float16] | None
    events: tuple[EventDate, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; `span` and the answer of its reading are in the article."""

    passage_id: str
    span: Span
    text: str
    stems: frozenset[str]
    features: Mapping[str, float]
    score: float
    is_order: bool = False
    """Whether it is addressed to a program, so that it is never an answer."""
    reading: Reading | None = None


# Fitted by softmax regression over the sentences of dev questions (`training/fit_answers.py`, evals/results.md).
PLAIN: Mapping[str, float] = {
    "overlap": 9.32,
    "around": 2.9,
    "header": 6.39,
    "passage_cosine": 2.24,
    "sentence_cosine": 8.43,
    "rank": 19.56,
    "period": 2.74,
    "dated": 1.73,
    "carried": 4.0,
    "told": -6.0,
    "question": -1.73,
    "short": -0.75,
}
"""Without the reader."""
READ: Mapping[str, float] = {
    "overlap": 5.39,
    "around": 2.81,
    "header": 4.62,
    "passage_cosine": 2.73,
    "sentence_cosine": 3.14,
    "rank": 10.36,
    "period": 2.05,
    "dated": 0.4,
    "carried": 3.0,
    "told": -5.0,
    "question": -1.12,
    "short": -0.42,
    "read": -0.09,
    "reader": 0.43,
    "span": 0.31,
    "unread": 0.09,
}
"""Beside what the reader makes of a sentence."""
_FLOOR = -8.0
_UNREAD = {"read": 0.0, "reader": -6.0, "span": -7.0, "unread": 1.0}
_FEWEST_WORDS = 8
_BESIDE = 0.5
_BACKGROUND, _BACKGROUND_GOING_ON = 0.4, 0.2
_SPELLED = re.compile(r"\b[A-Z][\w’'-]{2,}")
_LEANS = re.compile(
    r"^(?:(?:and|but|so|then|also|yet|however|meanwhile),? )*(?:he|she|they|it|his|her|their|its|this|these|those|that|"
    r"such|the (?:former|latter))\b",
    re.IGNORECASE,
)
_READ_WORDS, _MOST_READ, _WINDOW_WORDS = 700, 16, 95


def score(
    query: Query, vector: Vector | None, candidates: Sequence[Candidate], rarity: Mapping[str, float]
) -> list[Sentence]:
    """All sentences of the candidates, in their order, with a score; higher is better.

    `vector` is the question's embedding. `rarity` weighs each of its terms, e.g. by inverse document frequency.
    """
    behind = _BACKGROUND_GOING_ON if query.goes_on else _BACKGROUND
    sought = {t: rarity[t] * (behind if t in query.background else 1.0) for t in query.terms}
    total = sum(sought.values()) or 1.0
    weights = {t: weight / total for t, weight in sought.items()}
    named = frozenset(stem for name in query.names for stem in content_words(name))
    asked = _WeightedQuery(query, vector, weights, frozenset(query.terms), named)
    return [s for rank, candidate in enumerate(candidates) for s in _sentences(asked, rank, candidate)]


def read(
    reader: SpanReader, query: Query, candidates: Sequence[Candidate], scored: Sequence[Sentence]
) -> list[Sentence]:
    """The sentences, rescored by the reader's reading of the most promising extracts.

    An extract is a run of sentences of one passage about the best of them; each counts by its best sentence.
    """
    articles = {c.passage.id: c.article for c in candidates}
    runs = _promising(scored)
    extracts = [_extract(articles[scored[run[0]].passage_id], [scored[i] for i in run]) for run in runs]
    found = [_with_reading(sentence, None) for sentence in scored]
    for run, readings in zip(runs, reader.read(query.text, extracts), strict=True):
        offset = scored[run[0]].span.start
        for place, reading in zip(run, readings, strict=True):
            answer = Span(reading.answer.start + offset, reading.answer.end + offset)
            found[place] = _with_reading(scored[place], replace(reading, answer=answer))
    return found


def _with_reading(sentence: Sentence, reading: Reading | None) -> Sentence:
    told = _UNREAD
    if reading:
        told = {"read": 1.0, "reader": max(_FLOOR, reading.score), "span": max(_FLOOR, reading.margin), "unread": 0.0}
    features = {**sentence.features, **told}
    return replace(sentence, features=features, reading=reading, score=_total(READ, features))


def _total(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return sum([weight * features[name] for name, weight in weights.items()])


def _promising(scored: Sequence[Sentence]) -> list[list[int]]:
    """The runs that are read, by the places of their sentences: the best, up to so many words in all."""
    by_passage: dict[str, list[int]] = {}
    for place, sentence in enumerate(scored):
        by_passage.setdefault(sentence.passage_id, []).append(place)
    runs = [run for places in by_passage.values() for run in _runs(places, scored)]
    runs.sort(key=lambda run: -max(scored[i].score for i in run))
    sizes = accumulate(sum(len(scored[i].text.split()) for i in run) for run in runs)
    fitting = sum(size <= _READ_WORDS for size in sizes)
    return runs[: max(1, min(fitting, _MOST_READ))]


def _runs(places: Sequence[int], scored: Sequence[Sentence]) -> Iterator[list[int]]:
    """Cuts a passage into runs of sentences of about so many words, the first about the best sentence."""
    left = list(places)
    while left:
        best = max(left, key=lambda i: scored[i].score)
        run, size = [best], len(scored[best].text.split())
        while True:
            beside = [i for i in (run[0] - 1, run[-1] + 1) if i in left and i not in run]
            fits = [i for i in beside if size + len(scored[i].text.split()) <= _WINDOW_WORDS]
            if not fits:
                break
            more = max(fits, key=lambda i: scored[i].score)
            size += len(scored[more].text.split())
            run = sorted([*run, more])
        yield run
        left = [i for i in left if i not in run]


def _extract(article: Article, run: Sequence[Sentence]) -> Extract:
    start, end = run[0].span.start, run[-1].span.end
    spans = tuple(Span(s.span.start - start, s.span.end - start) for s in run)
    return Extract(read_header(article), article.text[start:end], spans)


def read_header(article: Article) -> str:
    """Title, outlet and day, as the reader was trained to see them."""
    parts = (article.title, article.source or "", str(article.published)[:10] if article.published else "")
    return ", ".join(part for part in parts if part)


def leans(text: str) -> bool:
    """Whether a sentence starts with a pronoun, so that the one before says what it is about."""
    return bool(_LEANS.match(text))


@dataclass(frozen=True, slots=True, eq=False)
class _WeightedQuery:
    """A question with its embedding and the share of weight of each of its terms."""

    query: Query
    vector: Vector | None
    weights: Mapping[str, float]
    terms: frozenset[str]
    names: frozenset[str]

    def share(self, found: frozenset[str]) -> float:
        return sum([weight for term, weight in self.weights.items() if term in found])


@dataclass(frozen=True, slots=True)
class _Split:
    """The sentences of a text, with their stems, and its capitalized words by the keys of names."""

    spans: tuple[Span, ...]
    texts: tuple[str, ...]
    stems: tuple[frozenset[str], ...]
    by_key: Mapping[str, frozenset[str]]
    names: tuple[frozenset[str], ...]


@lru_cache(maxsize=2048)
def _split(text: str) -> _Split:
    spans = tuple(sentences(text))
    texts = tuple(text[s.start : s.end] for s in spans)
    named = tuple(frozenset(name.text for name in names(t)) for t in texts)
    return _Split(spans, texts, tuple(frozenset(words(t)) for t in texts), _by_key(text), named)


def _by_key(text: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for word in set(_SPELLED.findall(text)):
        for key in keys(word):
            found[key] = found.get(key, frozenset()) | {word}
    return found


@lru_cache(maxsize=2048)
def _stems(text: str) -> frozenset[str]:
    return frozenset(words(text))


def _sentences(asked: _WeightedQuery, rank: int, candidate: Candidate) -> list[Sentence]:
    split = _split(candidate.passage.text)
    alike = _spellings(asked.query, split)
    stems = [
        frozenset(alike.get(w, w) for w in found) | _named(asked.query.names, there)
        for found, there in zip(split.stems, split.names, strict=True)
    ]
    cosines, headed = _cosines(asked.vector, candidate, len(stems)), _stems(candidate.article.header)
    shared, start, article = _shared(asked, rank, candidate), candidate.passage.start, candidate.article
    places = [Span(start + span.start, start + span.end) for span in split.spans]
    ordered = [is_ordered(article, place) for place in places]
    said = [frozenset() if is_order else found for found, is_order in zip(stems, ordered, strict=True)]
    scored = []
    for i, (here, text) in enumerate(zip(places, split.texts, strict=True)):
        near = stems[i].union(*said[max(0, i - 1) : i + 2])
        spoken = asked.names & _spoken(asked.query, article, here)
        own = asked.share(stems[i] | spoken)
        features = shared | {
            "sentence_cosine": cosines[i],
            "overlap": own,
            "around": asked.share(near) - own,
            "header": asked.share(headed - stems[i]),
            "told": float(_told(asked.query, text, stems[i])),
            "dated": max(0.0, _during(asked.query, candidate.events, here) - shared["period"]),
            "question": float(text.endswith("?")),
            "short": max(0, _FEWEST_WORDS - len(stems[i])) / _FEWEST_WORDS,
        }
        found, total = stems[i] | spoken, _total(PLAIN, features)
        scored.append(Sentence(candidate.passage.id, here, text, found, features, total, ordered[i]))
    return scored


def _spoken(query: Query, article: Article, span: Span) -> frozenset[str]:
    """The words of the name of who says a sentence, by its label."""
    found = voice(article.text, span) if query.said else None
    return _stems(found.name) if found else frozenset()


def _cosines(vector: Vector | None, candidate: Candidate, count: int) -> list[float]:
    stored = candidate.sentences
    if vector is None or stored is None or len(stored) != count:
        return [0.0] * count
    return [float(x) for x in stored.astype(np.float32) @ vector]


def _shared(asked: _WeightedQuery, rank: int, candidate: Candidate) -> dict[str, float]:
    """What all sentences of a passage have in common."""
    cosine = 0.0 if asked.vector is None or candidate.vector is None else float(candidate.vector @ asked.vector)
    published, period = candidate.article.published, 0.0
    if published and asked.query.periods:
        period = max(math.exp(-p.distance(published.day) / (3 if p.days < 40 else 15)) for p in asked.query.periods)
    carried = float(any(c.passage_id == candidate.passage.id for c in asked.query.evidence))
    return {"passage_cosine": cosine, "rank": 1 / (10 + rank), "period": period, "carried": carried}


def _during(query: Query, events: Sequence[EventDate], span: Span) -> float:
    """How much of what a sentence dates lies in the days that are asked about: 0 to 1; half for dates beside it."""
    if not query.periods or not events:
        return 0.0
    near = ((e.period, 1.0 if span.start <= e.start < span.end else _BESIDE) for e in events)
    return max((weight * p.shared(q) / q.days for q, weight in near for p in query.periods), default=0.0)


def _told(query: Query, text: str, stems: frozenset[str]) -> bool:
    """Whether a question that goes on was answered with this before, and it has nothing of what is new in it."""
    new = frozenset(query.terms) - query.background
    return query.goes_on and not new & stems and " ".join(text.split()) in query.told


def _spellings(query: Query, split: _Split) -> dict[str, str]:
    """The stems of names in the text that are other spellings of names in the question, with the question's stems."""
    alike: dict[str, str] = {}
    for written in frozenset[str]().union(*(split.by_key.get(key, ()) for key in query.name_keys)):
        for name in _alike(written, query.names):
            pairs = zip(words(written), words(name), strict=False)
            alike |= {theirs: ours for theirs, ours in pairs if theirs not in STOP_WORDS}
    return alike


def _named(wanted: tuple[str, ...], there: frozenset[str]) -> frozenset[str]:
    """The stems of the names of a question that a sentence has, as the question spells them."""
    found = (name for name in wanted if any(spelled(name, other) for other in there))
    return frozenset(stem for name in found for stem in content_words(name))


@lru_cache(maxsize=50_000)
def _alike(written: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The words of the names that the written word is another spelling of."""
    tokens = [token for name in names for token in (name.split() if "-" not in name else [name])]
    return tuple(t for t in tokens if t != written and same(written, t))
