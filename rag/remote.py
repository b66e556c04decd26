"""Embeds texts with a model that a server runs."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import ReplyError
from rag.failures import model_errors
from rag.models import ModelChoice, embedding_model

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

LONGEST = 2_000
"""Characters of a text; the rest is left out. Passages have fewer, so that only questions can be longer."""


class RemoteEmbeddings:
    """The embedding model of a choice; nothing is loaded or sent before it is needed.

    What fails is a ModelError. A rate limit, a failing server or silence is tried again a few times.
    """

    def __init__(self, choice: ModelChoice) -> None:
        self.id = choice.id
        self.digest = hashlib.sha256(choice.id.encode()).hexdigest()
        self._choice = choice

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        model = self._model
        with model_errors(self._choice):
            vector = model.embed_query(text[:LONGEST])
        return self._checked([vector])[0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vector of each text."""
        model = self._model
        with model_errors(self._choice):
            vectors = model.embed_documents([text[:LONGEST] for text in texts])
        return self._checked(vectors)

    @cached_property
    def _model(self) -> Embeddings:
        return embedding_model(self._choice)

    def _checked(self, vectors: list[list[float]]) -> list[list[float]]:
        for vector in vectors:
            if not vector or None in vector or not np.isfinite(vector).all():
                raise ReplyError(f"{self._choice.place} sent what is no vector of {self.id}; wanted finite numbers")
        return vectors
