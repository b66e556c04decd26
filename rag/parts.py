"""Opens what a library is composed of, as its user or else the settings choose, and keeps its articles."""

from __future__ import annotations

from asyncio import to_thread
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from rag.answer.anchor import finder
from rag.answer.pipeline import Pipeline
from rag.answer.writer import Writer
from rag.arguments import validated
from rag.checks.judge import Judge
from rag.errors import EmbeddingError, LibraryError
from rag.ingest.loaders import Origin
from rag.ingest.pipeline import Ingestion
from rag.ingest.repair import mend
from rag.models.budget import Terms
from rag.models.chat import ModelChoice, chat_model
from rag.models.client import Caller, choice_of
from rag.models.cross_encoder import CrossEncoder, SpanModel
from rag.models.embeddings import Embedder, MiniLM, RemoteEmbeddings
from rag.models.minilm import cores
from rag.models.reader import VERIFIER, Entailment, Reader, SpanReader, shared_reader
from rag.models.replies import ReplyCache
from rag.progress import Meter, Progress
from rag.retrieval.retriever import Index, Searcher
from rag.schema import AddReport, Article, Window
from rag.settings import Setting, read_settings
from rag.store.catalog import Catalog
from rag.store.database import ChromaServer, catalog_address, chroma_server
from rag.store.filters import admits
from rag.store.vector_index import VectorIndex

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

CATALOG = "catalog.sqlite"
"""The file of the catalog in the folder of a library."""


OFFLINE = "offline"
"""Where a model is named: none."""
AUTO, NO_JUDGE = "auto", "none"
"""Where a judge is named: that of the settings or the model that writes; none."""


class Parts:
    """What a library is composed of; nothing is opened, made or loaded before it is needed."""

    @validated
    def __init__(  # noqa: PLR0913  # each is a choice of its own
        self,
        path: str | Path | None = None,
        *,
        catalog: str | None = None,
        chroma: str | ChromaServer | None = None,
        embeddings: Embedder | str | None = None,
        judge: str = AUTO,
        model: str | BaseChatModel | None = None,
        offline: bool = False,
        terms: Terms | None = None,
    ) -> None:
        """Nothing of it is opened here. Without a `path`, the library is that of the settings.

        Those are `RAG_HOME`, `config.toml` or the platform's data folder, with the servers of `RAG_CATALOG` and
        `RAG_CHROMA`. `catalog` is the address of a PostgreSQL database, `chroma` that of a Chroma server, which many
        processes share; what only this machine needs stays in the folder.

        `embeddings` is any LangChain embedding model, or the name of one; the default is that of the settings
        (`RAG_EMBEDDINGS`), or the local MiniLM. If that is not installed, or another one is meant and `offline`, the
        library is searched by words only, and `warnings` says so.

        `model` writes the answers: a name, or any LangChain chat model. Without it, it is the one of the settings:
        `RAG_MODEL`, `OPENAI_API_KEY`, `OPENAI_BASE_URL`; if they name none, or if `offline`, the answers are the
        articles' own sentences and nothing is sent anywhere. `judge` names the chat model that settles what the local
        checks leave open: `auto`, which is that of `RAG_JUDGE`, else the model that writes; or `none`. `terms` are what
        the model may use, and what its faults lead to.
        """
        settings = None if path else read_settings()
        self.path = settings.library.value if settings else Path(path or "").expanduser()
        self._database = catalog or (settings.database if settings else None)
        self._server = chroma or (settings.index if settings else None)
        self._embeddings = embeddings
        self._judge = judge
        self._model = model
        self._offline = offline
        self.terms = terms or Terms()
        self._opening = Lock()
        self.warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Where it is, as a person calls it: its folder, or its database."""
        return self.catalog.name if self._database else str(self.path)

    @cached_property
    def catalog(self) -> Catalog:
        """The articles and passages; made, with its folder, if there is none, for its user alone to read."""
        if self._database:
            return Catalog(catalog_address(self._database, origin="catalog"))
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(
                f"{self.path} cannot be a library: {error.strerror or error}; choose another folder with `--library`"
            ) from error
        return Catalog(self.path / CATALOG)

    @cached_property
    def vectors(self) -> VectorIndex:
        """The search by vectors."""
        place = chroma_server(self._server, origin="chroma") if isinstance(self._server, str) else self._server
        return VectorIndex(place or self.path / "vectors", self.catalog)

    @cached_property
    def embeddings(self) -> Embedder | None:
        """The embedding model; None if the local one is not installed, or a remote one may not be asked."""
        if self._embeddings is not None and not isinstance(self._embeddings, str):
            return self._embeddings
        settings = read_settings(offline=self._offline)
        if self._embeddings:
            settings = replace(settings, embeddings=Setting(self._embeddings, "embeddings"))
        if settings.embeds_by_network and settings.offline.value:
            self._by_words(f"{settings.embeddings.value} needs the network, which {settings.offline.origin} refuses")
            return None
        choice = settings.embedding()
        try:
            return RemoteEmbeddings(choice) if choice else MiniLM(threads=settings.threads.value)
        except EmbeddingError as error:
            self._by_words(f"{error}, then `rag reindex`")
            return None

    @cached_property
    def reader(self) -> SpanReader | None:
        """What points at answers in passages: the model of `RAG_READER`, else the reader, if it has weights."""
        settings = read_settings()
        folder = settings.reader.value
        return SpanModel(folder) if folder else shared_reader(settings.threads.value or cores())

    @cached_property
    def entailment(self) -> Entailment | None:
        """The model of `RAG_VERIFIER`, which judges whether a statement follows; None if there is none."""
        return entailment()

    @cached_property
    def writer(self) -> Writer | None:
        """The language model that writes the answers; None if they are the articles' own sentences."""
        if self._model is not None and not isinstance(self._model, str):
            return self._writer(Caller(self._model, choice_of(self._model), self._replies, pauses=()))
        choice = read_settings(model=self._model, offline=self._offline).chat()
        return self._writer(self._caller(choice)) if choice else None

    @cached_property
    def judge(self) -> Judge | None:
        """The model that settles what the local checks leave open; None if there is none."""
        settings = read_settings(offline=self._offline)
        name = settings.judge.value or AUTO if self._judge == AUTO else self._judge
        if name == NO_JUDGE or settings.offline.value:
            return None
        if name == AUTO:
            return Judge(self.writer.caller) if self.writer else None
        choice = read_settings(model=name).chat()
        return Judge(self._caller(choice)) if choice else None

    def written_by(self, model: BaseChatModel, terms: Terms) -> Self:
        """This library, whose answers another chat model writes and none judges; open files are shared."""
        other = copy(self)
        caller = Caller(model, choice_of(model), self._replies, pauses=())
        other.terms, other.writer, other.judge = terms, self._writer(caller), None
        return other

    def load(self) -> None:
        """Opens and loads what a question needs, so that the first one does not wait for it; threads may call it."""
        with self._opening:
            self.catalog, self.vectors, self.embeddings, self.writer, self.entailment  # noqa: B018
            if isinstance(self.reader, Reader):
                self.reader.load()
            if isinstance(self.embeddings, MiniLM):
                self.embeddings.load()
            if self.embeddings:
                self.vectors.load()

    def close(self) -> None:
        """Closes the files; they are opened again when needed."""
        for part in ("vectors", "catalog"):
            if part in self.__dict__:
                self.__dict__.pop(part).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _searcher(self) -> Searcher:
        """The search by words and vectors."""
        return Searcher(Index(self.catalog, self.vectors, self.embeddings), self.name)

    @property
    def _pipeline(self) -> Pipeline:
        """The way from a question to its answer, whose search reads the best passages."""
        searcher = Searcher(Index(self.catalog, self.vectors, self.embeddings, self.reader), self.name)
        return Pipeline(searcher, self.entailment, self.writer, self.judge, self.terms, self.warnings)

    @property
    def _replies(self) -> ReplyCache:
        return ReplyCache(self.path / "replies")

    def _caller(self, choice: ModelChoice) -> Caller:
        """Tries again by itself, unlike a model that was given."""
        model = chat_model(choice, timeout=read_settings().timeout.value, max_retries=0)
        return Caller(model, choice, self._replies)

    def _writer(self, caller: Caller) -> Writer:
        verifier = self.entailment or shared_reader(cores(), VERIFIER)  # that of the checks, loaded once
        return Writer(caller, finder(verifier, self.entailment))

    def _by_words(self, why: str) -> None:
        self.warnings = (*self.warnings, f"searching by words only: {why}")


def entailment() -> Entailment | None:
    """The model of `RAG_VERIFIER`, which judges whether a statement follows; None if there is none."""
    folder = read_settings().verifier.value
    return CrossEncoder(folder) if folder else None


class Collection(Parts):
    """The articles of a library, to which one process writes at a time."""

    limits: Window = Window()
    """What all reading is limited to; of a view, what it was made with."""

    @validated
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

    async def aadd(
        self,
        *origins: Origin | Article,
        progress: Progress | None = None,
        wait: float = 600,
        allow_private: bool = False,
    ) -> AddReport:
        """`add`, in a thread of its own."""
        return await to_thread(self.add, *origins, progress=progress, wait=wait, allow_private=allow_private)

    @validated
    def remove(self, *ids: str, progress: Progress | None = None, wait: float = 600) -> int:
        """Removes articles with all of their revisions; raises InputError, and removes none, if an id is unknown."""
        return self._ingestion(progress, wait).remove(ids)

    @validated
    def work(self, *, progress: Progress | None = None, wait: float = 600) -> int:
        """Embeds and indexes what has no vector yet, beside others; returns how many passages it has embedded."""
        return self._ingestion(progress, wait).work()

    @validated
    def reindex(self, *, progress: Progress | None = None, wait: float = 600) -> int:
        """Rebuilds every index from the catalog; returns how many passages have a vector.

        Embeds only what has no embedding yet: all of it, if the library was made with another embedding model. A
        damaged catalog file is rebuilt from its articles, and `warnings` says so; raises DamagedError if they cannot
        be read.
        """
        kept = mend(self.catalog, self.path / CATALOG, self.embeddings, meter=Meter(progress), wait=wait)
        if kept:
            self.close()
            told = f"the catalog was damaged, and was made anew from its articles; the damaged one is kept as {kept}"
            self.warnings = (*self.warnings, told)
        return self._ingestion(progress, wait).reindex()

    def articles(self) -> list[Article]:
        """The current revisions of all articles, by id."""
        return [article for article in self.catalog.articles() if admits(self.limits, article)]

    def _ingestion(self, progress: Progress | None, wait: float) -> Ingestion:
        return Ingestion(self.catalog, self.vectors, self.embeddings, Meter(progress), wait)
