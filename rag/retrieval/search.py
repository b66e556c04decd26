"""Searches a library: from a question to the passages that are read for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from rag.errors import EmptyLibraryError, InputError
from rag.models.embeddings import identity
from rag.progress import Clock
from rag.retrieval.followups import context
from rag.retrieval.query import Query, read
from rag.retrieval.retriever import Index, Retrieved, retrieve
from rag.schema import Turn, Window
from rag.text.clean import clean
from rag.text.injection import request
from rag.text.words import words

LONGEST_QUESTION = 10_000
"""Characters."""


@dataclass(frozen=True, slots=True, eq=False)
class Searcher:
    """An index, and the name that a person has for its library."""

    index: Index
    name: str

    def query(self, question: str, window: Window, history: Sequence[Turn] = ()) -> Query:
        """What a question asks for; raises EmptyLibraryError, and InputError if there is nothing to look for in it."""
        question = clean(question)
        if not words(question):
            raise InputError(f"the question {question[:40]!r} has no words in it; ask in a sentence")
        if len(question) > LONGEST_QUESTION:
            raise InputError(f"the question has {len(question):,} characters; ask in at most {LONGEST_QUESTION:,}")
        self.check_filled()
        before, wanted = clean(context(question, history)), request(question)
        catalog = self.index.catalog
        found = read(
            wanted.asked or question,
            context=before,
            sources=catalog.sources(Window(as_of=window.as_of)),
            years=[y for y in catalog.years() if not window.last or y <= window.last.year],
            today=window.last or date.today(),
        )
        found = replace(found, orders=wanted.orders, asks=bool(wanted.asked))
        return replace(found, evidence=history[-1].citations, told=history[-1].answer) if before else found

    def find(self, query: Query, *, k: int, window: Window, clock: Clock | None = None) -> Retrieved:
        """The passages for a query; raises EmbeddingError if the library was made with another model."""
        if self.index.embeddings:
            self.index.catalog.embedded.check_model(identity(self.index.embeddings))
        with (clock or Clock()).time("retrieve"):
            return retrieve(self.index, query, k=k, window=window)

    def check_filled(self) -> None:
        """Raises EmptyLibraryError if there is no article."""
        if not self.index.catalog.article_count:
            raise EmptyLibraryError(f"{self.name} has no articles; add some with `rag add PATH` or `--add PATH`")
