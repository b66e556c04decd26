"""Keeps articles in a folder, and answers from them."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from rag.answer.pipeline import Pipeline
from rag.answer.task import Asked
from rag.answer.writer import Preview
from rag.arguments import Asking, Limits, narrowed, validated
from rag.digest import digest
from rag.digest.conflicts import contested
from rag.digest.extractive import Budget
from rag.digest.figures import ledger
from rag.digest.generative import Model
from rag.digest.request import Resources, requested, room
from rag.errors import InputError
from rag.models.budget import Terms
from rag.models.client import Account
from rag.parts import Collection, Parts
from rag.progress import Clock, Meter, Progress
from rag.schema import (
    Answer,
    Article,
    Conflict,
    Figures,
    Length,
    SearchResult,
    Statement,
    Summary,
    Timeline,
    Turn,
    Window,
)
from rag.text.clean import clean

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool

    from rag.langchain import HybridRetriever, Question


class Library(Collection):
    """Articles in a folder, or on servers. Nothing is opened, made or loaded before it is needed.

    One process writes at a time, any number read. What it can be made of is in `__init__`.

    Each method that reads takes `as_of`, `since`, `until` (dates, or texts such as 2021-07-07 or 2021-07) and `sources`
    (outlets), beside or instead of a `window`. A wrong argument is an InputError that says what was expected.
    """

    @validated
    def search(
        self,
        question: str,
        *,
        k: int = 10,
        window: Window = Window(),
        history: Sequence[Turn] = (),
        **limits: Unpack[Limits],
    ) -> SearchResult:
        """The passages nearest to a question, at most `k`, best first; `history` and errors as for `ask`."""
        clock, window = Clock(), narrowed(self.limits, window, by=limits)
        query = self._searcher.query(question, window, history)
        hits = self._searcher.find(query, k=k, window=window, clock=clock).hits[:k]
        return SearchResult(question, hits, clock.times, self.warnings)

    @validated
    def ask(
        self,
        question: str,
        *,
        k: int = 10,
        window: Window = Window(),
        history: Sequence[Turn] = (),
        **limits: Unpack[Limits],
    ) -> Answer:
        """What the articles say to a question, each statement cited to exact spans and checked; or an abstention.

        `history` is the conversation so far, oldest first, for a question such as "And when?". Raises
        EmptyLibraryError if there is no article, InputError if there is no question or it would take more than the
        terms allow, KeyRefusedError and NoModelError; and other ModelErrors if the terms are strict.
        """
        *_, answer = self.stream(question, k=k, window=window, history=history, **limits)
        assert isinstance(answer, Answer)
        return answer

    async def aask(self, question: str, **options: Unpack[Asking]) -> Answer:
        """`ask`, in a thread of its own."""
        return await to_thread(self.ask, question, **options)

    @validated
    def stream(  # noqa: PLR0913  # each is a choice of its own
        self,
        question: str,
        *,
        k: int = 10,
        window: Window = Window(),
        history: Sequence[Turn] = (),
        terms: Terms | None = None,
        topic: str | None = None,
        progress: Progress | None = None,
        **limits: Unpack[Limits],
    ) -> Iterator[Statement | Answer]:
        """The statements of `ask` as they are checked, then the Answer with all of them.

        `terms` replace the library's own for this question; `progress` is called with what is waited for. With a
        `topic` only articles are read that have all of its words in the title, or in one paragraph with it.
        """
        asked = Asked(clean(question), k, narrowed(self.limits, window, by=limits), tuple(history), topic)
        self.load()  # the chain may be run by several threads
        return self._pipeline.run(asked, terms, progress)

    async def astream(
        self, question: str, *, terms: Terms | None = None, **options: Unpack[Asking]
    ) -> AsyncIterator[Statement | Answer]:
        """`stream`, whose every step is in a thread of its own."""
        events = await to_thread(self.stream, question, terms=terms, **options)
        while (event := await to_thread(next, events, None)) is not None:
            yield event

    @validated
    def preview(
        self,
        question: str,
        *,
        k: int = 10,
        window: Window = Window(),
        history: Sequence[Turn] = (),
        **limits: Unpack[Limits],
    ) -> Preview:
        """The prompt that `ask` would send, its size and its cost; raises InputError if there is no model."""
        if self.writer is None:
            raise InputError("there is no language model to send a prompt to; name one with --model or RAG_MODEL")
        window = narrowed(self.limits, window, by=limits)
        query = self._searcher.query(question, window, history)
        hits = self._searcher.find(query, k=k, window=window).hits
        return self.writer.preview(query.text, self.writer.fitting(query.text, hits, k=k))

    @validated
    def chain(self, *, k: int = 10, window: Window = Window(), **limits: Unpack[Limits]) -> Runnable[Question, Answer]:
        """The way from a question to its Answer as a LangChain Runnable.

        Its input is a question, or a mapping with `question` and, where wanted, `history`, `as_of`, `since`, `until`
        and `sources`. A stream gives the answer as it grows.
        """
        from rag.langchain import chain  # 1.5 s of LangChain, which `ask` does without

        self.load()
        return chain(self._pipeline, k=k, window=narrowed(window, by=limits), within=self.limits)

    @validated
    def check(
        self,
        text: str,
        *,
        against: Sequence[str | Article] = (),
        k: int = 10,
        window: Window = Window(),
        **limits: Unpack[Limits],
    ) -> Answer:
        """Each sentence of a text as a statement with its verdict, and with the nearest sentences of the articles.

        `against` are articles, or ids of articles, in the order of marks such as [1] in the text; without it, each
        sentence is looked for in the `k` passages nearest to it. Raises EmptyLibraryError and InputError as `ask` does.
        """
        window = narrowed(self.limits, window, by=limits)
        given = [a if isinstance(a, Article) else self.catalog.article(a) for a in against]
        pipeline = Pipeline(self._searcher, self.entailment, None, self.judge, self.terms, self.warnings)
        return pipeline.check(clean(text), given, k=k, window=window)

    @validated
    def summarize(  # noqa: PLR0913  # each is a choice of its own
        self,
        *articles: str | Article,
        topic: str | None = None,
        length: Length = Length.MEDIUM,
        words: int | None = None,
        sections: Sequence[str] = (),
        window: Window = Window(),
        progress: Progress | None = None,
        **limits: Unpack[Limits],
    ) -> Summary:
        """The strong points of articles, given or by id, or of all of them on a topic, each cited and checked.

        The first statement is the headline. Without articles and topic it is a briefing on the whole library, in
        sections; `sections` are headings of your own, and each event is below the nearest one. `words` is the most that
        it may have, instead of a `length`. A model, if there is one, writes it, from groups of passages, then from what
        passed its check; `progress` is called for each group. Errors as for `ask`.
        """
        window = narrowed(self.limits, window, by=limits)
        space = room(length, words)
        request = requested(self._searcher, articles, topic, room=space, window=window, sections=sections)
        return digest.summarize(request, self._resources(progress))

    @validated
    def timeline(
        self,
        *articles: str | Article,
        topic: str | None = None,
        max_events: int = 10,
        window: Window = Window(),
        progress: Progress | None = None,
        **limits: Unpack[Limits],
    ) -> Timeline:
        """The most important dated events of articles, or of all of them, at most `max_events`, earliest first.

        A model, if there is one, words them; their dates and citations are not its own. Errors as for `summarize`.
        """
        window = narrowed(self.limits, window, by=limits)
        request = requested(self._searcher, articles, topic, room=Budget(0, max_events), window=window)
        return digest.timeline(request, self._resources(progress))

    @validated
    def conflicts(
        self, *, topic: str | None = None, k: int = 50, window: Window = Window(), **limits: Unpack[Limits]
    ) -> tuple[Conflict, ...]:
        """What the articles say differently from one another, the latest first.

        With a `topic` those of the `k` passages nearest to it are read. Raises EmptyLibraryError if there is no
        article, InputError if the topic has no words.
        """
        return contested(self._searcher, topic, k=k, window=narrowed(self.limits, window, by=limits))

    @validated
    def figures(
        self,
        topic: str,
        *,
        counting: str | None = None,
        k: int = 100,
        window: Window = Window(),
        **limits: Unpack[Limits],
    ) -> Figures:
        """The figures that articles on a topic give, by what they count, each cited, with their minimum and maximum.

        A figure is on a topic if its sentence, with its title or those before it in its paragraph, has all of the
        words; the articles of the `k` passages nearest to it are read. With `counting`, such as "killed", only what has
        its words is listed. A figure of which it is not clear what it counts is left out. Raises EmptyLibraryError if
        there is no article, InputError for a topic without words.
        """
        found = ledger(self._searcher, topic, counting=counting, k=k, window=narrowed(self.limits, window, by=limits))
        return replace(found, warnings=self.warnings)

    @validated
    def window(self, window: Window = Window(), **limits: Unpack[Limits]) -> View:
        """The library as of a day, of a time or of some outlets: nothing else is read, whatever a call asks for."""
        return View(self, narrowed(self.limits, window, by=limits))

    @validated
    def retriever(self, *, k: int = 8, window: Window = Window(), **limits: Unpack[Limits]) -> HybridRetriever:
        """The search as a LangChain retriever."""
        from rag.langchain import HybridRetriever

        return HybridRetriever(library=self, k=k, window=narrowed(window, by=limits))

    @validated
    def as_tool(self, *, k: int = 10, window: Window = Window(), **limits: Unpack[Limits]) -> BaseTool:
        """`ask` as a LangChain tool for an agent: it returns Markdown with footnotes, its artifact is the Answer."""
        from rag.langchain import tool

        return tool(self.window(window, **limits), k=k)

    def _resources(self, progress: Progress | None) -> Resources:
        account, writer = Account(self.terms, Clock()), self.writer
        model = Model(writer.caller, account, Meter(progress), writer.find) if writer else None
        return Resources(self.catalog, self.embeddings, self.entailment, self.judge, model, account)


class View(Library):
    """A library of which only some articles are read; all else it shares, and closing it closes nothing."""

    def __init__(self, library: Library, limits: Window) -> None:
        self._library = library
        self.limits = limits

    def __getattribute__(self, name: str) -> Any:
        return getattr(self._library, name) if name in _SHARED else super().__getattribute__(name)

    def close(self) -> None:
        """Leaves the library open."""


_SHARED = {"load", "name", "path", "terms", "warnings"} | {
    name for name, value in vars(Parts).items() if isinstance(value, cached_property)
}
