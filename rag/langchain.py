"""Gives the retriever and the embedding model the interfaces of LangChain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import ConfigDict, Field, SkipValidation

from rag.errors import RagError
from rag.models.embeddings import MiniLM
from rag.schema import Answer, Hit, SearchResult, Window

_DAY = "a day of publication: 2021-07-07, 2021-07 or 2021"


class Searchable(Protocol):
    """What is searched: a Library."""

    def search(self, question: str, *, k: int = ..., window: Window = ...) -> SearchResult: ...


class Answerer(Protocol):
    """What is asked: a Library."""

    def ask(  # noqa: PLR0913  # what the tool passes on
        self,
        question: str,
        *,
        k: int = ...,
        as_of: str | None = ...,
        since: str | None = ...,
        until: str | None = ...,
        sources: Sequence[str] | None = ...,
    ) -> Answer: ...


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


def tool(library: Answerer, *, k: int) -> BaseTool:
    """A tool that asks a library; an error is returned to the agent as text."""

    def ask(
        question: Annotated[str, Field(description="A question about the news, in English.")],
        as_of: Annotated[str | None, Field(description=f"Read nothing later, as if it were {_DAY}.")] = None,
        since: Annotated[str | None, Field(description=f"Read nothing published before {_DAY}.")] = None,
        until: Annotated[str | None, Field(description=f"Read nothing published after {_DAY}.")] = None,
        sources: Annotated[Sequence[str] | None, Field(description="Only these outlets, by name.")] = None,
    ) -> tuple[str, Answer]:
        try:
            answer = library.ask(question, k=k, as_of=as_of, since=since, until=until, sources=sources)
        except RagError as error:
            raise ToolException(str(error)) from error
        return answer.to_markdown(), answer

    return StructuredTool.from_function(
        ask,
        name="ask_articles",
        description="Answers a question from news articles, each statement cited and checked; or abstains.",
        response_format="content_and_artifact",
        handle_tool_error=True,
    )


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
