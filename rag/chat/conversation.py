"""Holds a conversation with a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from rag.errors import InputError
from rag.library import Library
from rag.models.budget import Terms
from rag.parts import OFFLINE
from rag.progress import Progress
from rag.schema import Answer, Citation, Statement, Turn, Usage, Window

Opener: TypeAlias = Callable[[str | None], Library]
"""Opens the library with a model of that name: OFFLINE for none, None for that of the settings."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer."""

    question: str
    answer: Answer


class Conversation:
    """Questions and answers, one after the other, within limits that may change between them.

    A question that leans on those before it is understood by them. One that was stopped, or failed, is not remembered.
    """

    def __init__(  # noqa: PLR0913  # each is a choice of its own
        self,
        opener: Opener,
        *,
        model: str | None = None,
        k: int = 10,
        window: Window = Window(),
        topic: str | None = None,
        terms: Terms | None = None,
    ) -> None:
        self._opener = opener
        self._k = k
        self._terms = terms or Terms()
        self._asked: str | None = None
        self.library = opener(model)
        self.window = window
        self.topic = topic
        self.exchanges: tuple[Exchange, ...] = ()
        self.usage = Usage()

    @property
    def last(self) -> Answer:
        """The last answer; raises InputError if there is none."""
        if not self.exchanges:
            raise InputError("nothing was answered yet; ask a question first")
        return self.exchanges[-1].answer

    def stream(self, question: str, *, progress: Progress | None = None) -> Iterator[Statement | Answer]:
        """The statements as they are checked, then the Answer with all of them; raises what `Library.ask` does."""
        self._asked = question
        yield from self._answered(question, self._terms, self.exchanges, progress)

    def retry(self, *, progress: Progress | None = None) -> Iterator[Statement | Answer]:
        """Asks the last question again, also one that was stopped; the new answer replaces the old when it is whole."""
        if self._asked is None:
            raise InputError("nothing was asked yet; ask a question first")
        answered = bool(self.exchanges) and self.exchanges[-1].question == self._asked
        before = self.exchanges[:-1] if answered else self.exchanges
        return self._answered(self._asked, replace(self._terms, cache=False), before, progress)

    def undo(self) -> Exchange:
        """Forgets the last question and its answer; raises InputError if there is none."""
        if not self.exchanges:
            raise InputError("nothing was answered yet, so there is nothing to undo")
        *kept, gone = self.exchanges
        self.exchanges = tuple(kept)
        return gone

    def clear(self) -> None:
        """Forgets all questions and answers; what they used stays counted."""
        self.exchanges, self._asked = (), None

    def use(self, model: str) -> None:
        """Lets another model answer, or none; raises what choosing it raises, and then nothing has changed."""
        found = self._opener(model)
        assert found.writer or model == OFFLINE  # made here, so that a wrong name is told at once
        self.library.close()
        self.library = found

    def citation(self, number: int) -> Citation:
        """A source of the last answer, or of what it shows as nearest; raises InputError if it has no such number."""
        found = self.last.citations or self.last.nearest
        for citation in found:
            if citation.number == number:
                return citation
        there = f"it has {', '.join(str(c.number) for c in found)}" if found else "it has none"
        raise InputError(f"the last answer has no source {number}; {there}")

    def _answered(
        self, question: str, terms: Terms, before: tuple[Exchange, ...], progress: Progress | None
    ) -> Iterator[Statement | Answer]:
        # A later question may build on the statements, also on those that are marked.
        said = (" ".join(statement.text for statement in e.answer.statements) for e in before)
        history = [Turn(e.question, text, e.answer.citations) for e, text in zip(before, said, strict=True)]
        window, topic = self.window, self.topic
        asked = self.library.stream(
            question, k=self._k, window=window, history=history, terms=terms, topic=topic, progress=progress
        )
        for event in asked:
            if isinstance(event, Answer):
                self.exchanges = (*before, Exchange(question, event))
                self.usage += event.usage
            yield event
