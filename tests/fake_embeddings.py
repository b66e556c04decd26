"""A tiny LangChain embedding model that keeps a log."""

from __future__ import annotations

import hashlib

import numpy as np
from langchain_core.embeddings import Embeddings


class FakeEmbeddings(Embeddings):
    """A fixed random vector for each text; `log` has every text that was embedded."""

    def __init__(self, model: str = "fake", dimensions: int = 16) -> None:
        self.model = model
        self.dimensions = dimensions
        self.log: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.log += texts
        return [self._vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._vector(text)

    def _vector(self, text: str) -> list[float]:
        seed = int.from_bytes(hashlib.sha256(f"{self.model}\0{text}".encode()).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=self.dimensions).tolist()
