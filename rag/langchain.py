"""Gives the search, the embedding model and the way to an answer the interfaces of LangChain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Protocol, TypeAlias

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import ConfigDict, Field, SkipValidation

from rag.answer.pipeline import Pipeline
from rag.answer.task import Asked, Task, Understood
from rag.errors import InputError, RagError
from rag.models.embeddings import MiniLM
from rag.schema import Answer, Hit, SearchResult, Statement, Status, Turn, Window
from rag.schema.articles import article_record
from rag.text.calendar import window as window_of
from rag.text.clean import clean

Question: TypeAlias = str | Mapping[str, Any]
"""A question, or one with `history`, `as_of`, `since`, `until` and `sources` beside `question`."""
_Input: Any = str | dict[str, Any]
"""A `Question` as a JSON schema can say it."""
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
            **article_record(article, key="article_id"),
            "start": passage.start,
            "end": passage.end,
            "score": hit.score,
        },
    )


def chain(pipeline: Pipeline, *, k: int, window: Window, within: Window = Window()) -> Runnable[Question, Answer]:
    """The stages as one Runnable; `window` is for what a question does not limit itself, its `as_of` for all of them.

    No question reads outside of `within`.

    A stream gives the answer as it grows, a checked statement at a time; the last one is whole.
    """

    def question(given: Question) -> Understood:
        put = asked(given, k=k, window=window)
        return pipeline.understand(replace(put, window=within.narrowed(put.window)))

    def growing(task: Task) -> Iterator[Answer]:
        statements: list[Statement] = []
        for event in pipeline.answer(task):
            if isinstance(event, Statement):
                statements.append(event)
            yield event if isinstance(event, Answer) else _so_far(task, statements)

    async def agrowing(task: Task) -> AsyncIterator[Answer]:
        steps = growing(task)
        while answer := await asyncio.to_thread(next, steps, None):
            yield answer

    first: Runnable[Question, Understood] = RunnableLambda(question, name="question")
    second: Runnable[Understood, Task] = RunnableLambda(pipeline.retrieve, name="retrieve")
    third: Runnable[Task, Answer] = RunnableLambda(growing, agrowing, name="answer")
    whole = first | second | third
    return whole.with_types(input_type=_Input, output_type=Answer).with_config(run_name="dispatches")


def asked(given: Question, *, k: int = 10, window: Window = Window()) -> Asked:
    """A question of a chain's input; raises InputError for what cannot be asked."""
    if isinstance(given, str):
        return Asked(clean(given), k, window)
    if not isinstance(given, Mapping) or not isinstance(given.get("question"), str):
        raise InputError(f"the question is {str(given)[:80]!r}; wanted a text, or a mapping with a `question`")
    sources, turns = given.get("sources") or window.sources, given.get("history") or ()
    if not isinstance(sources, list | tuple) or not all(isinstance(source, str) for source in sources):
        raise InputError(f"sources is {str(sources)[:80]!r}; wanted a list of names")
    if not isinstance(turns, list | tuple):
        raise InputError(f"history is {str(turns)[:80]!r}; wanted a list of turns")
    own = window_of(given.get("as_of"), given.get("since"), given.get("until"), sources)
    limits = Window(
        as_of=min((day for day in (own.as_of, window.as_of) if day), default=None),
        since=own.since or window.since,
        until=own.until or window.until,
        sources=own.sources,
    )
    return Asked(clean(given["question"]), k, limits, tuple(map(_turn, turns)))


def _so_far(task: Task, statements: Sequence[Statement]) -> Answer:
    citations = {citation.number: citation for statement in statements for citation in statement.citations}
    return Answer(
        question=task.asked.text,
        standalone_question=task.query.text,
        status=Status.PARTIAL,
        statements=tuple(statements),
        citations=tuple(citations[number] for number in sorted(citations)),
        hits=task.hits,
        as_of=task.asked.window.as_of,
        window=task.asked.window,
    )


def _turn(given: Any) -> Turn:
    if isinstance(given, Turn):
        return given
    if isinstance(given, Mapping) and isinstance(given.get("question"), str):
        return Turn(given["question"], str(given.get("answer") or ""))
    raise InputError(f'a turn of the history is {str(given)[:80]!r}; wanted {{"question": "...", "answer": "..."}}')
