"""Compares words by the embedding table of the local model, which needs no forward pass."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingError
from rag.models.embeddings import WordPieces, shared_tokenizer
from rag.models.minilm import installed_weights, load_words

_COMMONEST, _PER = 2000, 1000
"""The table is in order of frequency after its first thousand rows, which are punctuation and letters."""
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
RAREST = 3.6
"""The rarity of a word that the model has no vector of its own for."""


class WordVectors:
    """The unit vector and rarity of any lower-case word.

    A word of several pieces has their mean vector. Without the local model every vector is zero, so that no two words
    are alike, and rarity goes by length.
    """

    @cached_property
    def _tokenizer(self) -> WordPieces | None:
        try:
            return shared_tokenizer(installed_weights(), None)
        except EmbeddingError:
            return None

    @cached_property
    def _table(self) -> NDArray[np.float32]:
        return load_words(installed_weights() / "model.safetensors")

    @cached_property
    def _center(self) -> NDArray[np.float32]:
        return np.asarray(self._table[_PER:].mean(axis=0), np.float32)

    def vector(self, word: str) -> NDArray[np.float32]:
        """The unit vector of a word."""
        pieces = self._pieces(word)
        if not pieces:
            return np.zeros(1, np.float32)
        centered = self._table[list(pieces)] - self._center
        mean = (centered / np.linalg.norm(centered, axis=1, keepdims=True)).mean(axis=0)
        length = float(np.linalg.norm(mean))
        return np.asarray(mean / length if length else mean, np.float32)

    def rarity(self, word: str) -> float:
        """The logarithm of its rank among words, by the thousand: 0.7 for the commonest, 3.6 for a rare one."""
        pieces = self._pieces(word)
        if not pieces:
            return min(RAREST, 0.5 * len(word))
        return float(np.log(max(pieces[0], _COMMONEST) / _PER)) if len(pieces) == 1 else RAREST

    def _pieces(self, word: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(word, add_special_tokens=False).ids) if self._tokenizer else ()


_WORDS = WordVectors()


@lru_cache(maxsize=50_000)
def vector(word: str) -> NDArray[np.float32]:
    """The unit vector of a lower-case word; read-only."""
    return _WORDS.vector(word)


def likeness(word: str, text: str) -> float:
    """That of the word of a text which is most like it."""
    near = {other.lower() for other in _WORD.findall(text)}
    return max((float(vector(word.lower()) @ vector(other)) for other in near), default=0.0)


@lru_cache(maxsize=50_000)
def rarity(word: str) -> float:
    """How rare a lower-case word is, from 0.7 to 3.6."""
    return _WORDS.rarity(word)
