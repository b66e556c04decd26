"""Gives the retriever and the embedding model the interfaces of LangChain."""

from __future__ import annotations

from typing import Protocol

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field, SkipValidation

from rag.models.embeddings import MiniLM
from rag.schema import Hit, SearchResult, Window


class Searchable(Protocol):
    """What is searched: a Library."""

    def search(self, question: str, *, k: int = ..., window: Window = ...) -> SearchResult: ...


class MiniLMEmbeddings(MiniLM, Embeddings):
    """The local all-MiniLM-L6-v2 as LangChain Embeddings: 384 numbers, of unit length."""


class HybridRetriever(BaseRetriever):
    """Dense and BM25 retrieval over a library, as LangChain documents, at most `k`, best first.

    The text of a document is the passage; its metadata has the passage's id and span, the article's id, title, source,
    date and URL, and the score.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    library: SkipValidation[Searchable]
    k: int = Field(default=8, ge=1)
    window: SkipValidation[Window] = Window()

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        found = self.library.search(query, k=self.k if k is None else k, window=self.window)
        return [_document(hit) for hit in found.hits]


def _document(hit: Hit) -> Document:
    article, passage = hit.article, hit.passage
    return Document(
        id=passage.id,
        page_content=passage.text,
        metadata={
            "article_id": article.id,
            "title": article.title,
            "source": article.source,
            "published": str(article.published) if article.published else None,
            "url": article.url,
            "start": passage.start,
            "end": passage.end,
            "score": hit.score,
        },
    )
