"""Scores the sentences of retrieved passages by how well they answer a question."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.models.embeddings import Vector
from rag.retrieval.query import Kind, Query
from rag.rules.counting import counts
from rag.rules.wordvectors import vector as word_vector
from rag.schema import Article, Passage, Span
from rag.text.injection import is_ordered
from rag.text.names import keys, names, same, spelled
from rag.text.relative_dates import EventDate, event_dates
from rag.text.sentences import sentences
from rag.text.speakers import voice
from rag.text.words import STOP_WORDS, content_words, forms, words


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
    """A sentence of a passage; `span` is in the article."""

    passage_id: str
    span: Span
    text: str
    stems: frozenset[str]
    features: Mapping[str, float]
    score: float
    is_order: bool = False
    """Whether it is addressed to a program, so that it is never an answer."""


DATED = 5.0
# Fitted by softmax regression on the dev questions of evals (see evals/README.md), then rounded.
WEIGHTS: Mapping[str, float] = {
    "overlap": 13.0,
    "around": 5.0,
    "header": 1.0,
    "passage_cosine": 6.5,
    "sentence_cosine": 12.0,
    "rank": 5.0,
    "period": 5.0,
    "dated": DATED,
    "carried": 4.0,
    "told": -6.0,
    "akin": 6.0,
    "counted": 3.0,
    "leaning": 3.0,
    "number": 5.0,
    "person": 3.0,
    "date": 6.0,
    "relative_date": 2.5,
    "place": 4.0,
    "reason": 3.0,
    "question": -4.0,
    "short": -3.0,
}
_AKIN = 0.35
TYPED = ("number", "person", "date", "place", "reason")
_FEWEST_WORDS = 8
_MOSTLY = 0.6
_BESIDE = 0.5
_BACKGROUND, _BACKGROUND_GOING_ON = 0.4, 0.2
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
_RELATIVE_DAY = re.compile(r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|yesterday|ago|earlier|later|day)\b", re.I)
_REASON = re.compile(
    r"\b(?:because|due to|owing to|reasons?|in order to|so that|out of|to avoid|as a result|therefore|given|since|amid|"
    r"concern(?:s|ed)?)\b",
    re.IGNORECASE,
)
_CAPITALIZED = re.compile(r"(?<![.?!:“] )(?<!^)\b[A-Z][\w’'-]+")
_TITLES = "President|Minister|Secretary|General|Ambassador|M[rs]s?|Dr|Gen|Sgt|Senator|Chancellor|Director|King|Prince"
_NO_GIVEN_NAME = "The|United|White|New|Vice|North|South|East|West|Prime|Foreign"
_PERSON = re.compile(rf"\b(?:(?:{_TITLES})\.? |(?!(?:{_NO_GIVEN_NAME}) )[A-Z][\w’'-]+ (?:[A-Z]\. )?)[A-Z][\w’'-]+")
_PLACED = re.compile(r"\b(?:in|at|to|from|near|of|into|on) (?:the )?[A-Z]\w+")
_DEFINED = (
    rf"\b{{0}}(?:, (?:an?|the|who|then|now)\b| (?:is|was|became) (?:an?|the|[a-z]\w+(?:er|or|an|ent|ary|al)\b))|"
    rf"(?:\b[a-z][\w-]*, |\b(?:{_TITLES}|[a-z]\w+(?:er|or|man|ent|ary|al)) )(?:[A-Z][\w’'-]+ ){{{{0,3}}}}{{0}}\b"
)
_SPELLED = re.compile(r"\b[A-Z][\w’'-]{2,}")


_LEANS = re.compile(
    r"^(?:(?:and|but|so|then|also|yet|however|meanwhile),? )*(?:he|she|they|it|his|her|their|its|this|these|those|that|"
    r"such|the (?:former|latter))\b",
    re.IGNORECASE,
)


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
    written = forms(query.text)
    worded = tuple(t for t in dict.fromkeys(query.terms) if t in written and t not in named and not t[0].isdigit())
    vectors = np.array([word_vector(written[t]) for t in worded], np.float32)
    asked = _Asked(query, vector, weights, frozenset(query.terms), named, worded, vectors)
    return [s for rank, candidate in enumerate(candidates) for s in _sentences(asked, rank, candidate)]


def leans(text: str) -> bool:
    """Whether a sentence starts with a pronoun, so that the one before says what it is about."""
    return bool(_LEANS.match(text))


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A question with its embedding and the share of weight of each of its terms."""

    query: Query
    vector: Vector | None
    weights: Mapping[str, float]
    terms: frozenset[str]
    names: frozenset[str]
    worded: tuple[str, ...]
    """The terms that are words: neither names nor numbers."""
    vectors: NDArray[np.float32]
    """The word vectors of those, a row each."""

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


def _sentences(asked: _Asked, rank: int, candidate: Candidate) -> list[Sentence]:
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
        spoken = _spoken(asked.query, article, here)
        referred = (asked.names & said[i - 1] if i and leans(text) else frozenset()) | (asked.names & spoken)
        own = asked.share(stems[i] | referred)
        features = shared | _typed(asked, text, stems[i])
        if asked.query.kind is Kind.PERSON and spoken - asked.terms:
            features |= {"person": 1.0}
        whole = own >= _MOSTLY and asked.names <= stems[i] | referred
        if asked.query.kind is Kind.DATE and whole and _dated(article, here, text):
            features |= {"date": 1.0}
        features |= {
            "sentence_cosine": cosines[i],
            "overlap": own,
            "around": asked.share(near) - own,
            "header": asked.share(headed - stems[i]),
            "told": float(_told(asked.query, text, stems[i])),
            "dated": max(0.0, _during(asked.query, candidate.events, here) - shared["period"]),
            "akin": _akin(asked, text, stems[i] | referred),
            "counted": float(counts(asked.query, text)),
            "leaning": asked.share(said[i - 1] - stems[i] if i and leans(text) else frozenset()),
        }
        total = sum([WEIGHTS[name] * value for name, value in features.items()])
        scored.append(
            Sentence(
                candidate.passage.id,
                here,
                text,
                stems[i] | (asked.names & spoken),
                features,
                total,
                ordered[i],
            )
        )
    return scored


def _akin(asked: _Asked, text: str, stems: frozenset[str]) -> float:
    """The share of the question's words that the text has not, each by how like it its likest word is."""
    there = _word_vectors(text)
    if not len(there) or stems.issuperset(asked.worded):
        return 0.0
    likeness: list[float] = (there @ asked.vectors.T).max(axis=0).tolist()
    pairs = zip(asked.worded, likeness, strict=True)
    return sum(asked.weights[t] * like for t, like in pairs if like > _AKIN and t not in stems)


@lru_cache(maxsize=4096)
def _word_vectors(text: str) -> NDArray[np.float32]:
    found = (form for stem, form in forms(text).items() if stem not in STOP_WORDS and not stem[0].isdigit())
    return np.array([word_vector(form) for form in found], np.float32)


def _dated(article: Article, span: Span, text: str) -> bool:
    """Whether a sentence has a relative date that means a certain day."""
    return bool(_RELATIVE_DAY.search(text) and event_dates(article.text, span, article.published))


def _spoken(query: Query, article: Article, span: Span) -> frozenset[str]:
    """The words of the name of who says a sentence, if that is asked."""
    found = voice(article.text, span) if query.said else None
    return _stems(found.name) if found else frozenset()


def _cosines(vector: Vector | None, candidate: Candidate, count: int) -> list[float]:
    stored = candidate.sentences
    if vector is None or stored is None or len(stored) != count:
        return [0.0] * count
    return [float(x) for x in stored.astype(np.float32) @ vector]


def _shared(asked: _Asked, rank: int, candidate: Candidate) -> dict[str, float]:
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


def _typed(asked: _Asked, text: str, stems: frozenset[str]) -> dict[str, float]:
    """Whether the sentence has what the question asks for and did not itself give."""
    given = asked.terms
    features = {"question": float(text.endswith("?")), "short": max(0, _FEWEST_WORDS - len(stems)) / _FEWEST_WORDS}
    match asked.query.kind:
        case Kind.NUMBER:
            new = any(w[0].isdigit() and w not in given for w in stems)
            features["number"] = float(new or counts(asked.query, text))
        case Kind.DATE:
            features["date"] = float(bool(_DATE.search(text)))
            features["relative_date"] = float(bool(_RELATIVE.search(text)))
        case Kind.PERSON:
            named = any(not given.issuperset(words(p)) for p in _PERSON.findall(text))
            features["person"] = float(_defined(asked, text) if given == asked.names else named)
        case Kind.PLACE:
            features["place"] = float(bool(_PLACED.search(text)) and bool(_new_names(text, given)))
        case Kind.REASON:
            features["reason"] = float(bool(_REASON.search(text)))
        case Kind.OTHER:
            pass
    return features


def _defined(asked: _Asked, text: str) -> bool:
    """Whether the text tells what somebody is: "the spokesman, Ann Lee", "Ann Lee, a lawyer", "Ann Lee is"."""
    last = {re.escape(name.split()[-1]) for name in asked.query.names}
    return any(re.search(_DEFINED.format(name), text) for name in last)


def _new_names(text: str, given: frozenset[str]) -> list[str]:
    return [name for name in _CAPITALIZED.findall(text) if not given.issuperset(content_words(name))]


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
    found = (name for name in wanted if any(_spelled(name, other) for other in there))
    return frozenset(stem for name in found for stem in content_words(name))


@lru_cache(maxsize=50_000)
def _spelled(a: str, b: str) -> bool:
    return spelled(a, b)


@lru_cache(maxsize=50_000)
def _alike(written: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The words of the names that the written word is another spelling of."""
    tokens = [token for name in names for token in (name.split() if "-" not in name else [name])]
    return tuple(t for t in tokens if t != written and same(written, t))
