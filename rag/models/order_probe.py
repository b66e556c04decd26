"""The trained detector of sentences that are addressed to a program.

Two logistic regressions (`training/fit_orders.py`): a fast one on the mean of a sentence's word embeddings, which lets
most sentences pass, then one on that mean and the sentence's vector by MiniLM.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.models.embeddings import WINDOW, MiniLM, Vector, load_tokenizer
from rag.models.minilm import installed_weights, load_weights, load_words

WEIGHTS = Path(__file__).parent / "orders.safetensors"
_FEWEST = 3  # words: of less it cannot tell
_PIECE, _STEP = 300, 200  # characters: an order inside a long sentence is not averaged away


def digest() -> str:
    """Identifies the weights."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()


def scores(texts: Sequence[str]) -> list[float]:
    """How surely each sentence is addressed to a program: from 0 on it is; -inf if it does not come near, or
    is too short to tell.

    Raises EmbeddingError if the local embedding model is not installed.
    """
    long = [(i, text) for i, text in enumerate(texts) if len(text.split()) >= _FEWEST]
    pieces = [(i, text[at : at + _PIECE]) for i, text in long for at in _starts(text)]
    found = np.full(len(texts), -np.inf)
    for (i, _), score in zip(pieces, _probe().scores([piece for _, piece in pieces]), strict=True):
        found[i] = max(found[i], score)
    return [float(score) for score in found]


class WordMeans:
    """The unit mean of the unit embeddings of a text's word pieces."""

    def __init__(self) -> None:
        folder = installed_weights()
        self._words = load_words(folder / "model.safetensors")
        self._tokenizer = load_tokenizer(folder)
        self._tokenizer.enable_truncation(WINDOW)

    def of(self, texts: Sequence[str]) -> Vector:
        """Those of texts, a row each."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return np.array([_unit(_unit(self._words[e.ids or [0]]).mean(axis=0)) for e in encodings], np.float32)


class _Probe:
    """The two regressions with the embeddings that they read; loaded once in a process."""

    def __init__(self) -> None:
        self._weights = load_weights(WEIGHTS)
        self._words, self._model = WordMeans(), MiniLM()

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        found = np.full(len(texts), -np.inf)
        if not texts:
            return found
        means = self._words.of(texts)
        near = np.flatnonzero(means @ self._weights["fast"] >= -self._weights["fast_bias"])
        if len(near):
            vectors = np.array(self._model.embed_documents([texts[int(i)] for i in near]), np.float32)
            both = np.concatenate([vectors, means[near]], axis=1)
            found[near] = both @ self._weights["whole"] + self._weights["whole_bias"]
        return found


@lru_cache(maxsize=1)
def _probe() -> _Probe:
    return _Probe()


def _starts(text: str) -> range:
    return range(0, max(1, len(text) - _PIECE + _STEP), _STEP)


def _unit(rows: Vector) -> Vector:
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-9), np.float32)
