"""Adding articles to a folder, then searching it, by Dispatches or by what a user would pick instead.

Each is set up as its own tutorial does, with the title, source and date of an article where it keeps such things. All
that embed use the same MiniLM in the same ONNX session, with the same threads. An SDK is imported when its contender is
made, so that start-up has it in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

CHUNK, OVERLAP = 1000, 200  # characters, as in LangChain's tutorial


@dataclass(frozen=True, slots=True)
class Found:
    """A text that a search returned, and the id of its article."""

    article: str
    text: str


class Contender(Protocol):
    """What is compared."""

    def add(self, articles: Path) -> None:
        """Adds a JSONL file of articles, and keeps them in the contender's folder."""

    def search(self, question: str, k: int) -> list[Found]:
        """The `k` nearest texts, best first."""


class Dispatches:
    """This project: whole sentences, dense and BM25 retrieval, sentences that decide the order."""

    def __init__(self, folder: Path) -> None:
        from rag.library import Library

        self._library = Library(folder, offline=True)

    def add(self, articles: Path) -> None:
        self._library.add(articles)

    def search(self, question: str, k: int) -> list[Found]:
        return [Found(h.article.id, h.passage.text) for h in self._library.search(question, k=k).hits]


class LangChain:
    """The chain of LangChain's tutorial: pieces of 1,000 characters that overlap by 200, Chroma, similarity search."""

    def __init__(self, folder: Path) -> None:
        from langchain_chroma import Chroma

        from rag.langchain import MiniLMEmbeddings

        self._embeddings = MiniLMEmbeddings()
        self._place = {"persist_directory": str(folder), "collection_name": "articles"}
        self._store = Chroma(embedding_function=self._embeddings, **self._place)

    def add(self, articles: Path) -> None:
        from langchain_chroma import Chroma
        from langchain_core.documents import Document

        texts = [Document(_titled(a), metadata={"article": a["id"], "title": a["title"]}) for a in _read(articles)]
        self._store = Chroma.from_documents(_splitter().split_documents(texts), self._embeddings, **self._place)

    def search(self, question: str, k: int) -> list[Found]:
        return [Found(d.metadata["article"], d.page_content) for d in self._store.similarity_search(question, k=k)]


class LlamaIndex:
    """LlamaIndex's starter: its own splitter (1,024 tokens, 200 of overlap) and its own store of vectors."""

    def __init__(self, folder: Path) -> None:
        import llama_index.core  # noqa: F401  # its import is part of the start

        self._folder, self._embedding = folder, _llama_embedding()
        self._index: Any = None

    def add(self, articles: Path) -> None:
        from llama_index.core import Document, VectorStoreIndex

        hidden = ["article"]
        texts = [
            Document(
                text=a["text"],
                metadata={"article": a["id"], "title": a["title"], "source": a["source"], "date": a["published"]},
                excluded_embed_metadata_keys=hidden,
            )
            for a in _read(articles)
        ]
        self._index = VectorStoreIndex.from_documents(texts, embed_model=self._embedding)
        self._index.storage_context.persist(str(self._folder))

    def search(self, question: str, k: int) -> list[Found]:
        from llama_index.core import StorageContext, load_index_from_storage

        if self._index is None:
            stored = StorageContext.from_defaults(persist_dir=str(self._folder))
            self._index = load_index_from_storage(stored, embed_model=self._embedding)
        nodes = self._index.as_retriever(similarity_top_k=k).retrieve(question)
        return [Found(n.node.metadata["article"], n.node.text) for n in nodes]


class Bm25s:
    """Words only: bm25s with stemming over the same pieces as LangChain's."""

    def __init__(self, folder: Path) -> None:
        import bm25s
        import Stemmer

        self._bm25s, self._stemmer, self._folder = bm25s, Stemmer.Stemmer("english"), folder
        self._index: Any = None

    def add(self, articles: Path) -> None:
        pieces = [
            {"article": a["id"], "text": piece} for a in _read(articles) for piece in _splitter().split_text(_titled(a))
        ]
        self._index = self._bm25s.BM25(corpus=pieces)
        self._index.index(self._tokens([p["text"] for p in pieces]), show_progress=False)
        self._index.save(self._folder, corpus=pieces, show_progress=False)

    def search(self, question: str, k: int) -> list[Found]:
        if self._index is None:
            self._index = self._bm25s.BM25.load(self._folder, load_corpus=True, show_progress=False)
        most = min(k, len(self._index.corpus))
        found = self._index.retrieve(self._tokens([question]), k=most, show_progress=False).documents[0]
        return [Found(piece["article"], piece["text"]) for piece in found]

    def _tokens(self, texts: list[str]) -> Any:
        return self._bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, show_progress=False)


CONTENDERS: dict[str, Callable[[Path], Contender]] = {
    "Dispatches": Dispatches,
    "LangChain": LangChain,
    "LlamaIndex": LlamaIndex,
    "bm25s": Bm25s,
}


def _read(articles: Path) -> Iterable[dict[str, str]]:
    return (json.loads(line) for line in articles.read_text("utf-8").splitlines())


def _titled(article: dict[str, str]) -> str:
    return f"{article['title']}\n\n{article['text']}"


def _splitter() -> Any:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(chunk_size=CHUNK, chunk_overlap=OVERLAP)


def _llama_embedding() -> Any:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from pydantic import PrivateAttr

    from rag.models.embeddings import MiniLM

    class Adapter(BaseEmbedding):
        """The local MiniLM as LlamaIndex wants it."""

        _model: MiniLM = PrivateAttr(default_factory=MiniLM)

        def _get_query_embedding(self, query: str) -> list[float]:
            return self._model.embed_query(query)

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._model.embed_query(text)

        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return self._model.embed_documents(texts)

    return Adapter(model_name="all-MiniLM-L6-v2", embed_batch_size=256)  # larger than its default: less padding
