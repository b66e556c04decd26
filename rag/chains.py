"""Gives the way from a question to its answer the interface of a LangChain Runnable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda

from rag.answer.pipeline import Pipeline
from rag.answer.task import Asked, Task, Understood
from rag.errors import InputError
from rag.schema import Answer, Statement, Status, Turn, Window
from rag.text.calendar import window as window_of
from rag.text.clean import clean

Question: TypeAlias = str | Mapping[str, Any]
"""A question, or one with `history`, `as_of`, `since`, `until` and `sources` beside `question`."""


def chain(pipeline: Pipeline, *, k: int, window: Window, within: Window = Window()) -> Runnable[Question, Answer]:
    """The stages as one Runnable; `window` is for what a question does not limit itself, its `as_of` for all of them.

    No question reads outside of `within`.

    A stream gives the answer as it grows, a checked statement at a time; the last one is whole.
    """

    def question(given: Question) -> Understood:
        put = asked(given, k=k, window=window)
        return pipeline.understand(replace(put, window=within.narrowed(put.window)))

    first: Runnable[Question, Understood] = RunnableLambda(question, name="question")
    second: Runnable[Understood, Task] = RunnableLambda(pipeline.retrieve, name="retrieve")
    whole = first | second | _Answering(pipeline)
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


_Input: Any = str | dict[str, Any]
"""A `Question` as a JSON schema can say it."""


class _Answering(Runnable[Task, Answer]):
    """The last step, which alone has something to stream."""

    name = "answer"

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def invoke(self, input: Task, config: RunnableConfig | None = None, **_: Any) -> Answer:
        return self._call_with_config(self._whole, input, config)

    def stream(self, input: Task, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Answer]:
        yield from self.transform(iter([input]), config, **kwargs)

    def transform(self, input: Iterator[Task], config: RunnableConfig | None = None, **_: Any) -> Iterator[Answer]:
        yield from self._transform_stream_with_config(input, self._growing, config)

    async def astream(self, input: Task, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Answer]:
        async for answer in self.atransform(_one(input), config, **kwargs):
            yield answer

    async def atransform(
        self, input: AsyncIterator[Task], config: RunnableConfig | None = None, **_: Any
    ) -> AsyncIterator[Answer]:
        async for answer in self._atransform_stream_with_config(input, self._agrowing, config):
            yield answer

    async def _agrowing(self, tasks: AsyncIterator[Task]) -> AsyncIterator[Answer]:
        """Each answer as it grows, made by a thread."""
        async for task in tasks:
            growing = self._growing(iter([task]))
            while answer := await asyncio.to_thread(next, growing, None):
                yield answer

    def _whole(self, task: Task) -> Answer:
        *_, last = self._growing(iter([task]))
        return last

    def _growing(self, tasks: Iterator[Task]) -> Iterator[Answer]:
        for task in tasks:
            statements: list[Statement] = []
            for event in self._pipeline.answer(task):
                if isinstance(event, Statement):
                    statements.append(event)
                yield event if isinstance(event, Answer) else _so_far(task, statements)


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


async def _one(task: Task) -> AsyncIterator[Task]:
    yield task
