"""Keeps articles in a folder, and answers from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rag import verification
from rag.catalog import Catalog
from rag.checking import Region, checked, whole
from rag.clock import Clock
from rag.embeddings import Embedder, MiniLM, identity
from rag.entailment import Entailment
from rag.errors import EmbeddingError, EmptyLibraryError, InputError, LibraryError
from rag.generation import extract
from rag.ingestion import Ingestion, Meter, Progress
from rag.judging import Judge
from rag.loaders import Origin
from rag.models import chat_model
from rag.query import Query, context, read
from rag.retrieval import Index, Retrieved, retrieve
from rag.schema import AddReport, Answer, Article, Citation, Reason, SearchResult, Span, Statement, Turn, Window
from rag.settings import read_settings
from rag.vectors import VectorIndex
from rag.verification import verify
from rag.words import words

if TYPE_CHECKING:
    from rag.langchain import HybridRetriever


class Library:
    """Articles in a folder. Nothing is opened, made or loaded before it is needed.

    One process writes at a time, any number read. `embeddings` is any LangChain embedding model; the default is the
    local MiniLM, and if that is not installed the library is searched by words only, which `warnings` tells. `judge`
    names a chat model, such as `openai:gpt-5-mini`, that gives a second opinion on every statement. Without a
    `path` it is the one of the settings: `RAG_HOME`, `config.toml`, or the platform's data folder.
    """

    def __init__(
        self, path: str | Path | None = None, *, embeddings: Embedder | None = None, judge: str | None = None
    ) -> None:
        self.path = Path(path).expanduser() if path else read_settings().library.value
        self._given = embeddings
        self._judge = judge
        self.warnings: tuple[str, ...] = ()

    def add(
        self,
        *origins: Origin | Article,
        progress: Progress | None = None,
        wait: float = 600,
        allow_private: bool = False,
    ) -> AddReport:
        """Adds files, folders, URLs, `-` for the standard input, or articles; what is there already costs nothing.

        What cannot be loaded is in the report and stops nothing else. `allow_private` admits URLs on private addresses.
        Raises LockedError if another process has been writing for `wait` seconds, and EmbeddingError if the library was
        made with another embedding model.
        """
        report = self._ingestion(progress, wait).add(origins, allow_private=allow_private)
        return replace(report, warnings=(*report.warnings, *self.warnings))

    def remove(self, *ids: str, progress: Progress | None = None, wait: float = 600) -> int:
        """Removes articles with all of their revisions; raises InputError, and removes none, if an id is unknown."""
        return self._ingestion(progress, wait).remove(ids)

    def reindex(self, *, progress: Progress | None = None, wait: float = 600) -> int:
        """Makes every index anew from the catalog; returns how many passages have a vector.

        Embeds only what has no embedding yet: all of it, if the library was made with another embedding model.
        """
        return self._ingestion(progress, wait).reindex()

    def articles(self) -> list[Article]:
        """The current revisions of all articles, by id."""
        return self.catalog.articles()

    def search(
        self, question: str, *, k: int = 10, window: Window = Window(), history: Sequence[Turn] = ()
    ) -> SearchResult:
        """The passages nearest to a question, at most `k`, best first; `history` and errors as for `ask`."""
        clock = Clock()
        retrieved = self._retrieve(self._read(question, window, history), k, window, clock)
        return SearchResult(question, retrieved.hits[:k], clock.times, self.warnings)

    def ask(self, question: str, *, k: int = 10, window: Window = Window(), history: Sequence[Turn] = ()) -> Answer:
        """What the articles say to a question, in their own sentences, each cited to its exact span; or an abstention.

        `history` is the conversation so far, oldest first, for a question such as "And when?". Raises
        EmptyLibraryError if there is no article, InputError if there is no question.
        """
        clock = Clock()
        # 1. standalone question -> dates and sources in it
        query = self._read(question, window, history)
        # 2. retrieve
        retrieved = self._retrieve(query, k, window, clock)
        # 3. generate
        with clock.time("generate"):
            answer = extract(query, retrieved, k=k)
        # 4. verify
        with clock.time("verify"):
            answer = self._verified(answer)
        return self._finished(answer, question, window, clock)

    def check(
        self, text: str, *, against: Sequence[str | Article] = (), k: int = 10, window: Window = Window()
    ) -> Answer:
        """Each sentence of a text as a statement with its verdict, and with the nearest sentences of the articles.

        `against` are articles, or ids of articles, in the order of marks such as [1] in the text; without it, each
        sentence is looked for in the `k` passages nearest to it. Raises EmptyLibraryError and InputError as `ask` does.
        """
        clock = Clock()
        given = [a if isinstance(a, Article) else self.catalog.article(a) for a in against]
        with clock.time("check"):
            found = checked(text, lambda s: whole(given) or self._regions(s, k, window), self._verify, given=given)
        answer = replace(found, statements=self._judged(found.statements), as_of=window.as_of)
        return replace(answer, timings=clock.times, warnings=(*answer.warnings, *self.warnings))

    def retriever(self, *, k: int = 8, window: Window = Window()) -> HybridRetriever:
        """The search as a LangChain retriever."""
        from rag.langchain import HybridRetriever  # 1.5 s of LangChain, which `ask` does without

        return HybridRetriever(library=self, k=k, window=window)

    def close(self) -> None:
        """Lets go of the files; they are opened again when needed."""
        for part in ("vectors", "catalog"):
            if part in self.__dict__:
                self.__dict__.pop(part).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def catalog(self) -> Catalog:
        """The articles and passages; made, with its folder, if there is none."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(
                f"{self.path} cannot be a library: {error.strerror or error}; choose another folder with `--library`"
            ) from error
        return Catalog(self.path / "catalog.sqlite")

    @cached_property
    def vectors(self) -> VectorIndex:
        """The search by vectors."""
        return VectorIndex(self.path / "vectors", self.catalog)

    @cached_property
    def judge(self) -> Judge | None:
        """The model that is asked for a second opinion on each statement."""
        if self._judge is None:
            return None
        choice = read_settings(model=self._judge).chat()
        return Judge(chat_model(choice), choice) if choice else None

    @cached_property
    def entailment(self) -> Entailment | None:
        """The local model that judges whether a statement follows, if there is one."""
        return entailment()

    @cached_property
    def embeddings(self) -> Embedder | None:
        """The embedding model; None if the local one is not installed."""
        try:
            return self._given or MiniLM()
        except EmbeddingError as error:
            self.warnings = (*self.warnings, f"searching by words only: {error}, then `rag reindex`")
            return None

    def _read(self, question: str, window: Window, history: Sequence[Turn]) -> Query:
        if not words(question):
            raise InputError(f"the question {question[:40]!r} has no words in it; ask in a sentence")
        if not self.catalog.article_count:
            raise EmptyLibraryError(f"{self.path} has no articles; add some with `rag add PATH` or `--add PATH`")
        return read(
            question,
            context=context(question, history),
            sources=self.catalog.sources(),
            years=[y for y in self.catalog.years() if not window.last or y <= window.last.year],
        )

    def _retrieve(self, query: Query, k: int, window: Window, clock: Clock) -> Retrieved:
        if self.embeddings:
            self.catalog.embedded.check_model(identity(self.embeddings))
        with clock.time("retrieve"):
            return retrieve(Index(self.catalog, self.vectors, self.embeddings), query, k=k, window=window)

    def _regions(self, sentence: str, k: int, window: Window) -> list[Region]:
        hits = self._retrieve(self._read(sentence, window, ()), k, window, Clock()).hits[:k]
        return [Region(h.article, Span(h.passage.start, h.passage.end), h.passage.id) for h in hits]

    def _verify(self, statement: Statement, spans: Sequence[Citation], *, searched: int | None = None) -> Statement:
        return verify(statement, spans, searched=searched, entailment=self.entailment)

    def _verified(self, answer: Answer) -> Answer:
        if not answer.statements:
            return answer
        statements = self._judged([self._verify(s, s.citations) for s in answer.statements])
        told = (*answer.warnings, *verification.warnings(statements))
        status, why = verification.status(statements), verification.reason(statements)
        return replace(answer, statements=statements, status=status, reason=answer.reason or why, warnings=told)

    def _judged(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        return self.judge.judged(statements) if self.judge else tuple(statements)

    def _finished(self, answer: Answer, question: str, window: Window, clock: Clock) -> Answer:
        if not answer.hits and self.catalog.passage_count(window) == 0:
            answer = replace(answer, reason=Reason.OUTSIDE_DATES)
        warnings = (*answer.warnings, *self.warnings)
        return replace(answer, question=question, as_of=window.as_of, timings=clock.times, warnings=warnings)

    def _ingestion(self, progress: Progress | None, wait: float) -> Ingestion:
        return Ingestion(self.path, self.catalog, self.vectors, self.embeddings, Meter(progress), wait)


def entailment() -> Entailment | None:
    """The local model that judges whether a statement follows, if `RAG_VERIFIER` or `config.toml` names its folder."""
    folder = read_settings().verifier.value
    return Entailment(folder) if folder else None
