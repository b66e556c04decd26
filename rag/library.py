"""Keeps articles in a folder, and answers from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from rag.answer.pipeline import Pipeline
from rag.answer.task import Asked
from rag.answer.writer import Preview, Writer
from rag.checks.document import Region, checked, whole
from rag.checks.judge import Judge
from rag.checks.verify import verify
from rag.compare.articles import contention, reports
from rag.digest import digest
from rag.digest.extractive import Budget
from rag.digest.generative import Model
from rag.errors import (
    DamagedError,
    EmbeddingError,
    EmptyLibraryError,
    InputError,
    LibraryError,
)
from rag.ingest.loaders import Origin
from rag.ingest.pipeline import Ingestion
from rag.ingest.repair import mend
from rag.models.budget import Terms
from rag.models.cache import ReplyCache
from rag.models.chat import ModelChoice, chat_model
from rag.models.client import Account, Caller, described
from rag.models.cross_encoder import CrossEncoder, SpanModel
from rag.models.embeddings import Embedder, MiniLM
from rag.models.minilm import cores
from rag.models.reader import Entailment, Reader, SpanReader, shared_reader
from rag.models.remote import RemoteEmbeddings
from rag.progress import Clock, Meter, Progress
from rag.retrieval.retriever import Index
from rag.retrieval.search import LONGEST_QUESTION, Searcher
from rag.schema import (
    AddReport,
    Answer,
    Article,
    Citation,
    Conflict,
    Length,
    SearchResult,
    Span,
    Statement,
    Summary,
    Timeline,
    Turn,
    Window,
)
from rag.settings import Setting, read_settings
from rag.store.catalog import Catalog
from rag.store.filters import admits
from rag.store.servers.addresses import ChromaServer, catalog_address, chroma_server
from rag.store.vector_index import VectorIndex
from rag.text.clean import clean
from rag.text.words import content_words

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    from rag.chains import Question
    from rag.langchain import HybridRetriever


OFFLINE = "offline"
"""Where a model is named: none."""


CATALOG = "catalog.sqlite"
"""The file of the catalog in the folder of a library."""


class Library:
    """Articles in a folder, or on servers. Nothing is opened, made or loaded before it is needed.

    One process writes at a time, any number read. `embeddings` is any LangChain embedding model, or the name of one;
    the default is that of the settings (`RAG_EMBEDDINGS`), or the local MiniLM. If that is not installed, or another
    one is meant and `offline`, the library is searched by words only, which `warnings` tells. `judge`
    names a chat model, such as `openai:gpt-5-mini`, that gives a second opinion on every statement. Without a
    `path` it is the one of the settings: `RAG_HOME`, `config.toml`, or the platform's data folder, with the servers of
    `RAG_CATALOG` and `RAG_CHROMA`. `catalog` is the address of a PostgreSQL database, `chroma` that of a Chroma server,
    which many processes share; what only this machine needs stays in the folder.

    `model` writes the answers: a name, or any LangChain chat model. Without it, it is the one of the settings:
    `RAG_MODEL`, `OPENAI_API_KEY`, `OPENAI_BASE_URL`; if they name none, or if `offline`, the answers are the articles'
    own sentences and nothing is sent anywhere. `terms` are what it may use, and what its faults lead to.
    """

    def __init__(  # noqa: PLR0913  # each is a choice of its own
        self,
        path: str | Path | None = None,
        *,
        catalog: str | None = None,
        chroma: str | ChromaServer | None = None,
        embeddings: Embedder | str | None = None,
        judge: str | None = None,
        model: str | BaseChatModel | None = None,
        offline: bool = False,
        terms: Terms | None = None,
    ) -> None:
        settings = None if path else read_settings()
        self.path = settings.library.value if settings else Path(path or "").expanduser()
        self._database = catalog or (settings.database if settings else None)
        self._index = chroma or (settings.index if settings else None)
        self._given = embeddings
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

    def work(self, *, progress: Progress | None = None, wait: float = 600) -> int:
        """Embeds and indexes what has no vector yet, beside others; returns how many passages it has embedded."""
        return self._ingestion(progress, wait).work()

    def reindex(self, *, progress: Progress | None = None, wait: float = 600) -> int:
        """Makes every index anew from the catalog; returns how many passages have a vector.

        Embeds only what has no embedding yet: all of it, if the library was made with another embedding model. A file
        of the catalog that is damaged is made anew from its articles, which `warnings` tells; raises DamagedError if
        they cannot be read.
        """
        self._mend(Meter(progress), wait)
        return self._ingestion(progress, wait).reindex()

    def articles(self) -> list[Article]:
        """The current revisions of all articles, by id."""
        return self.catalog.articles()

    def search(
        self, question: str, *, k: int = 10, window: Window = Window(), history: Sequence[Turn] = ()
    ) -> SearchResult:
        """The passages nearest to a question, at most `k`, best first; `history` and errors as for `ask`."""
        clock = Clock()
        query = self._searcher.query(question, window, history)
        hits = self._searcher.find(query, k=k, window=window, clock=clock).hits[:k]
        return SearchResult(question, hits, clock.times, self.warnings)

    def ask(self, question: str, *, k: int = 10, window: Window = Window(), history: Sequence[Turn] = ()) -> Answer:
        """What the articles say to a question, each statement cited to exact spans and checked; or an abstention.

        `history` is the conversation so far, oldest first, for a question such as "And when?". Raises
        EmptyLibraryError if there is no article, InputError if there is no question or it would take more than the
        terms allow, KeyRefusedError and NoModelError; and other ModelErrors if the terms are strict.
        """
        *_, answer = self.stream(question, k=k, window=window, history=history)
        assert isinstance(answer, Answer)
        return answer

    def stream(
        self,
        question: str,
        *,
        k: int = 10,
        window: Window = Window(),
        history: Sequence[Turn] = (),
        terms: Terms | None = None,
    ) -> Iterator[Statement | Answer]:
        """The statements of `ask` as they are checked, then the Answer with all of them.

        `terms` are for this question, in the place of the library's own.
        """
        self.load()  # the chain may be run by several threads
        yield from self._pipeline.run(Asked(clean(question), k, window, tuple(history)), terms)

    def written_by(self, model: BaseChatModel, terms: Terms) -> Library:
        """This library, whose answers another chat model writes and none judges; open files are shared."""
        other = copy(self)
        other.terms, other.writer, other.judge = terms, self._writer(model, described(model)), None
        return other

    def preview(
        self, question: str, *, k: int = 10, window: Window = Window(), history: Sequence[Turn] = ()
    ) -> Preview:
        """The prompt that `ask` would send, its size and its cost; raises InputError if there is no model."""
        if self.writer is None:
            raise InputError("there is no language model to send a prompt to; name one with --model or RAG_MODEL")
        query = self._searcher.query(question, window, history)
        return self.writer.preview(query.text, self._searcher.find(query, k=k, window=window).hits[:k])

    def chain(self, *, k: int = 10, window: Window = Window()) -> Runnable[Question, Answer]:
        """The way from a question to its Answer as a LangChain Runnable.

        Its input is a question, or a mapping with `question` and, where wanted, `history`, `as_of`, `since`, `until`
        and `sources`. A stream gives the answer as it grows.
        """
        from rag import chains  # LangChain, which `ask` does without

        self.load()
        return chains.chain(self._pipeline, k=k, window=window)

    def check(
        self, text: str, *, against: Sequence[str | Article] = (), k: int = 10, window: Window = Window()
    ) -> Answer:
        """Each sentence of a text as a statement with its verdict, and with the nearest sentences of the articles.

        `against` are articles, or ids of articles, in the order of marks such as [1] in the text; without it, each
        sentence is looked for in the `k` passages nearest to it. Raises EmptyLibraryError and InputError as `ask` does.
        """
        clock = Clock()
        given = [_admitted(a if isinstance(a, Article) else self.catalog.article(a), window) for a in against]
        with clock.time("check"):
            found = checked(
                clean(text), lambda s: whole(given) or self._regions(s, k, window), self._verify, given=given
            )
        answer = replace(found, statements=self._judged(found.statements), as_of=window.as_of, window=window)
        return replace(answer, timings=clock.times, warnings=(*answer.warnings, *self.warnings))

    def summarize(
        self,
        *articles: str | Article,
        topic: str | None = None,
        length: Length = Length.MEDIUM,
        words: int | None = None,
        window: Window = Window(),
        progress: Progress | None = None,
    ) -> Summary:
        """The strong points of articles, given or by id, or of all of them on a topic, each cited and checked.

        The first statement is the headline. Without articles and topic it is a briefing on the whole library, in
        sections. `words` is the most that it may have, instead of a `length`. A model, if there is one, writes it, from
        groups of passages, then from what passed its check; `progress` is told of the groups. Errors as for `ask`.
        """
        request = self._digest_request(articles, topic, digest.room(length, words), window)
        return digest.summarize(request, self._digest_resources(progress))

    def timeline(
        self,
        *articles: str | Article,
        topic: str | None = None,
        max_events: int = 10,
        window: Window = Window(),
        progress: Progress | None = None,
    ) -> Timeline:
        """The most important dated events of articles, or of all of them, at most `max_events`, earliest first.

        A model, if there is one, words them; their dates and citations are not its own. Errors as for `summarize`.
        """
        request = self._digest_request(articles, topic, Budget(0, max_events), window)
        return digest.timeline(request, self._digest_resources(progress))

    def conflicts(self, *, topic: str | None = None, k: int = 50, window: Window = Window()) -> tuple[Conflict, ...]:
        """What the articles say differently from one another, the latest first.

        With a `topic` those of the `k` passages nearest to it are read. Raises EmptyLibraryError if there is no
        article, InputError if the topic has no words.
        """
        if topic is None and not self.catalog.article_count:
            raise EmptyLibraryError(f"{self.name} has no articles; add some with `rag add PATH` or `--add PATH`")
        hits = self.search(topic, k=k, window=window).hits if topic is not None else ()
        with self.catalog.snapshot():
            near = dict.fromkeys(hit.article.id for hit in hits)
            read = [id for article in near for id in self.catalog.passage_ids(article)]
            stored = self.catalog.passages(read if topic is not None else self.catalog.admitted(window))
            articles = self.catalog.articles({row.passage.article_id for row in stored})
        return contention(reports(stored, {article.id: article for article in articles}))

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
        if self._database:
            return Catalog(catalog_address(self._database, origin="catalog"))
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(
                f"{self.path} cannot be a library: {error.strerror or error}; choose another folder with `--library`"
            ) from error
        return Catalog(self.path / CATALOG)

    @cached_property
    def vectors(self) -> VectorIndex:
        """The search by vectors."""
        place = chroma_server(self._index, origin="chroma") if isinstance(self._index, str) else self._index
        return VectorIndex(place or self.path / "vectors", self.catalog)

    @cached_property
    def judge(self) -> Judge | None:
        """The model that is asked for a second opinion on each statement."""
        if self._judge is None:
            return None
        choice = read_settings(model=self._judge).chat()
        return Judge(chat_model(choice), choice) if choice else None

    @cached_property
    def writer(self) -> Writer | None:
        """The language model that writes the answers; None if they are the articles' own sentences."""
        if self._model is None or isinstance(self._model, str):
            choice = read_settings(model=self._model, offline=self._offline).chat()
            return self._writer(chat_model(choice), choice) if choice else None
        return self._writer(self._model, described(self._model))

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
    def embeddings(self) -> Embedder | None:
        """The embedding model; None if the local one is not installed, or a remote one may not be asked."""
        if self._given is not None and not isinstance(self._given, str):
            return self._given
        settings = read_settings(offline=self._offline)
        if self._given:
            settings = replace(settings, embeddings=Setting(self._given, "embeddings"))
        if settings.embeds_by_network and settings.offline.value:
            self._by_words(f"{settings.embeddings.value} needs the network, which {settings.offline.origin} refuses")
            return None
        choice = settings.embedding()
        try:
            return RemoteEmbeddings(choice) if choice else MiniLM(threads=settings.threads.value)
        except EmbeddingError as error:
            self._by_words(f"{error}, then `rag reindex`")
            return None

    def _by_words(self, why: str) -> None:
        self.warnings = (*self.warnings, f"searching by words only: {why}")

    def _writer(self, model: BaseChatModel, choice: ModelChoice) -> Writer:
        return Writer(Caller(model, choice, ReplyCache(self.path / "replies")))

    @property
    def _searcher(self) -> Searcher:
        """The search of `search`, by words and vectors."""
        return Searcher(Index(self.catalog, self.vectors, self.embeddings), self.name)

    @property
    def _pipeline(self) -> Pipeline:
        """The way from a question to its answer, whose search reads the best passages."""
        index = Index(self.catalog, self.vectors, self.embeddings, self.reader)
        searcher = Searcher(index, self.name)
        return Pipeline(searcher, self.entailment, self.writer, self.judge, self.terms, self.warnings)

    def _regions(self, sentence: str, k: int, window: Window) -> list[Region]:
        query = self._searcher.query(sentence[:LONGEST_QUESTION], window)
        hits = self._searcher.find(query, k=k, window=window).hits[:k]
        return [Region(h.article, Span(h.passage.start, h.passage.end), h.passage.id) for h in hits]

    def _verify(self, statement: Statement, spans: Sequence[Citation], *, searched: int | None = None) -> Statement:
        return verify(statement, spans, searched=searched, entailment=self.entailment)

    def _named(self, articles: Sequence[str | Article]) -> tuple[Article, ...]:
        """The articles, each given or by its id; none of an empty library raises EmptyLibraryError."""
        if not articles:
            self._searcher.check_filled()
        return tuple(a if isinstance(a, Article) else self.catalog.article(a) for a in articles)

    def _digest_request(
        self, articles: Sequence[str | Article], topic: str | None, room: Budget, window: Window
    ) -> digest.Request:
        """What is to be summarized, with the passages on its topic."""
        request = digest.Request(self._named(articles), topic and clean(topic), room, window)
        if not request.topic or request.articles or not content_words(request.topic):
            return request
        most, query = digest.MOST_PASSAGES, self._searcher.query(request.topic, window)
        hits = self._searcher.find(query, k=most, window=window).hits[:most]
        return replace(request, hits=hits, names=tuple(query.names))

    def _digest_resources(self, progress: Progress | None) -> digest.Resources:
        account = Account(self.terms, Clock())
        model = Model(self.writer.caller, account, Meter(progress)) if self.writer else None
        return digest.Resources(self.catalog, self.embeddings, self.entailment, self.judge, model, account)

    def _judged(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        return self.judge.judged(statements) if self.judge else tuple(statements)

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

    def _mend(self, meter: Meter, wait: float) -> None:
        """Makes the catalog anew if it is damaged; that of a server is left to it."""
        catalog = self.catalog
        try:
            catalog.check()
        except DamagedError:
            if catalog.is_shared:
                raise
            with catalog.alone("articles", wait=wait, on_wait=meter.say):
                meter.say("making the damaged catalog anew")
                self.close()
                kept = mend(self.path / CATALOG, self.embeddings)
            told = f"the catalog was damaged, and was made anew from its articles; the damaged one is kept as {kept}"
            self.warnings = (*self.warnings, told)

    def _ingestion(self, progress: Progress | None, wait: float) -> Ingestion:
        return Ingestion(self.catalog, self.vectors, self.embeddings, Meter(progress), wait)


def entailment() -> Entailment | None:
    """The model of `RAG_VERIFIER`, which judges whether a statement follows; None if there is none."""
    folder = read_settings().verifier.value
    return CrossEncoder(folder) if folder else None


def _admitted(article: Article, window: Window) -> Article:
    """The article itself; raises InputError if it is outside of the window."""
    if not admits(window, article):
        raise InputError(f"article {article.id} is not {window.limits}; leave it out, or widen the window")
    return article
