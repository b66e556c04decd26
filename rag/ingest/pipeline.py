"""Adds articles to a library, removes them and rebuilds their indexes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice
from pathlib import PurePath

from rag.errors import EmbeddingError, ServerError
from rag.ingest.identity import Apart, BatchChanges, deduplicate
from rag.ingest.loaders import FileProgress, LeftOut, Origin, listing, load
from rag.models.embeddings import (
    WINDOW,
    Embedded,
    Embedder,
    HeadedText,
    OnBatch,
    embed_passages,
    identity,
    token_counts,
)
from rag.models.injection import flagged, marked, ordering
from rag.progress import Meter
from rag.schema import AddReport, Article, Failure, Passage, Span, Window
from rag.schema.articles import passage_id
from rag.store.catalog import Catalog, PreparedArticle
from rag.store.embedding_table import StoredModel, embedding_key
from rag.store.tables import PART
from rag.store.vector_index import VectorIndex
from rag.text.clean import content_digest, one_line
from rag.text.sentences import sentences, trimmed

_REST, _CLAIMED = 512, 64  # passages that are embedded at once: alone, or beside others who want some too
_ARTICLES, _VECTORS = "articles", "vectors"


@dataclass(frozen=True, slots=True)
class Ingestion:
    """One piece of writing to a library; without an embedding model it is indexed by words only.

    Every change is one transaction of the catalog. What the vector index lacks of it, because the process was stopped,
    is made up for at the next start of any. One process at a time enters articles; of a catalog that is shared, any
    number embeds them, each what it has claimed.
    """

    catalog: Catalog
    vectors: VectorIndex
    embeddings: Embedder | None
    meter: Meter
    wait: float

    def add(self, origins: Iterable[Origin | Article], *, allow_private: bool) -> AddReport:
        """Adds what can be loaded; the numbers in the report are of what is saved.

        If it is interrupted, the KeyboardInterrupt says what was saved before.
        """
        run = _Run()
        try:
            self._add(origins, allow_private, run)
        except KeyboardInterrupt:
            kept = f"stopped; what was added before is kept: {run.report}; run the same again to add the rest"
            raise KeyboardInterrupt(kept) from None
        return replace(run.report, warnings=(*run.warnings(), *run.waiting))

    def _add(self, origins: Iterable[Origin | Article], allow_private: bool, run: _Run) -> None:
        run.waiting = self._completed()
        # 1 load
        for batch in article_batches(_loaded(origins, allow_private, run.reading)):
            with self._alone(_ARTICLES):
                # 2 deduplicate
                changes = deduplicate(self.catalog, batch.articles, run.seen)
                if changes.articles:
                    doing = run.reading.text or f"adding {changes.articles[0].title}"
                    changes = replace(changes, articles=self._entered(changes.articles, doing))
                self._place(changes.places)
            run.done(batch, changes)
            if changes.articles:
                run.waiting = self._completed()

    def _place(self, places: Mapping[str, str]) -> None:
        if not places:
            return
        with self.catalog.writing():
            self.catalog.places.insert(places)

    def remove(self, ids: Iterable[str]) -> int:
        """Removes articles with their revisions; raises InputError, and removes none, if an id is unknown."""
        with self._alone(_ARTICLES):
            known = {article.id for article in self.catalog.stored(list(ids))}
            self.catalog.remove(sorted(known))
        self._synchronize()
        return len(known)

    def work(self) -> int:
        """Embeds and indexes what others have entered, beside them; returns how many passages it has embedded."""
        return self._complete()

    def reindex(self) -> int:
        """Rebuilds every index; returns how many passages have a vector."""
        with self._alone(_ARTICLES):
            if not self._is_of_model():
                with self.catalog.writing():
                    self.catalog.embedded.forget_model()
            with self.catalog.writing():
                self.catalog.embedded.forget([*self.catalog.embedded.damaged(), *self.catalog.outdated()])
            self._embed_rest()
            self.meter.say("indexing words")
            self.catalog.rebuild_lexical()
            self.meter.say("working out dates")
            self.catalog.rebuild_events()
        if self.vectors.is_asked:
            self.meter.say("indexing vectors")
        with self._alone(_VECTORS):
            self.vectors.rebuild()
        return self.catalog.embedded.count(Window())

    def _entered(self, articles: Sequence[Article], doing: str) -> tuple[Article, ...]:
        """The articles as they are saved, with their sentences that are addressed to a program."""
        with ThreadPoolExecutor(1, "orders") as pool:  # beside the embedding, which leaves the interpreter free
            marking = pool.submit(marked, articles)
            # 3 chunk
            cuts = cut(articles, self.embeddings)
            # 4 embed, unless others may help
            texts = [text for c in cuts for text in c.texts]
            if not self.catalog.is_shared:
                self.meter.expect(len(texts), doing)
            embedded = {} if self.catalog.is_shared else self._embed(texts)
        found = marking.result()
        cuts = [replace(c, article=article) for c, article in zip(cuts, found, strict=True)]
        # 5 catalog, in one transaction
        with self.catalog.writing():
            self._record_model(embedded)
            self.catalog.save(prepared(cuts, self.catalog, self.embeddings), embedded)
        return found

    def _completed(self) -> tuple[str, ...]:
        """Why what was added waits for its index, if it does: what is in the catalog is added."""
        try:
            self._complete()
        except ServerError as error:
            return (str(error),)
        return ()

    def _complete(self) -> int:
        """Does what a process that was stopped, had no embedding model, or left it to all, has not done."""
        if self.embeddings:
            self.catalog.embedded.check_model(identity(self.embeddings))
        with nullcontext() if self.catalog.is_shared else self._alone(_VECTORS):
            done = self._embed_rest()
        # 6 vectors, 7 mark indexed
        self._synchronize()
        return done

    def _synchronize(self) -> None:
        if self.vectors.is_behind:
            self.meter.say("indexing vectors")
            with self._alone(_VECTORS):
                self.vectors.synchronize()

    def _embed_rest(self) -> int:
        done = 0
        while self.embeddings and (more := self._embed_some(self.embeddings)):
            done += more
        return done

    def _embed_some(self, embeddings: Embedder) -> int:
        with self.catalog.claiming():
            ids = self.catalog.embedded.missing(_CLAIMED if self.catalog.is_shared else _REST)
            if not ids:
                return 0
            texts, model = unembedded(self.catalog, embeddings, ids), identity(embeddings)
            self.meter.expect(len(texts), "embedding what has no vector yet")
            embedded = self._embed(list(texts.values()))
            with self.catalog.writing():
                self._record_model(embedded)
                self.catalog.embedded.insert(embedded)
                self.catalog.embedded.assign({id: embedding_key(model, text) for id, text in texts.items()})
        return len(ids)

    def _embed(self, texts: Sequence[HeadedText]) -> dict[str, Embedded]:
        return embed(self.catalog, self.embeddings, texts, self.meter.advance) if self.embeddings else {}

    def _record_model(self, embedded: Mapping[str, Embedded]) -> None:
        if not self.embeddings or not embedded:
            return
        stored, model = self.catalog.embedded.model, identity(self.embeddings)
        lengths = {len(e.vector) for e in embedded.values()} | ({stored.dimensions} if stored else set())
        if len(lengths) > 1:
            raise EmbeddingError(
                f"{model.id} gives vectors of {sorted(lengths)} numbers, wanted one length; run `rag reindex`"
            )
        now = StoredModel(model, lengths.pop())
        if now != stored:
            self.catalog.embedded.set_model(now)

    def _is_of_model(self) -> bool:
        stored = self.catalog.embedded.model
        return not stored or not self.embeddings or stored.model == identity(self.embeddings)

    def _alone(self, what: str) -> AbstractContextManager[None]:
        return self.catalog.alone(what, wait=self.wait, on_wait=self.meter.say)


@dataclass(slots=True)
class _Run:
    """What one `add` has done so far, and what is to be said of it."""

    report: AddReport = field(default_factory=AddReport)
    seen: set[str] = field(default_factory=set)
    apart: list[Apart] = field(default_factory=list)
    ordering: list[Article] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    reading: FileProgress = field(default_factory=FileProgress)

    def done(self, batch: Batch, changes: BatchChanges) -> None:
        """Counts a batch that is saved."""
        self.report += replace(changes.report, failed=batch.failures, left_out=batch.left_out)
        self.ordering += ordering(changes.articles)
        self.again += _again(changes.articles, self.seen)
        self.apart += changes.apart
        self.seen |= changes.seen
        for article in batch.articles:
            for note in article.notes:
                self.notes.setdefault(note, []).append(_where(article))

    def warnings(self) -> Iterator[str]:
        """What was replaced, kept apart, or read in part; the sentences that are addressed to a program."""
        if self.again:
            yield _replaced(self.again)
        if self.apart:
            yield _kept_apart(self.apart)
        yield from (_note(note, places) for note, places in islice(self.notes.items(), _MOST_NOTES))
        if len(self.notes) > _MOST_NOTES:
            yield f"and {len(self.notes) - _MOST_NOTES} more notes of this kind; add the files one by one to see them"
        yield from flagged(self.ordering)


def _loaded(
    origins: Iterable[Origin | Article], allow_private: bool, reading: FileProgress
) -> Iterator[Article | Failure | LeftOut]:
    for origin in origins:
        if isinstance(origin, Article):
            yield replace(origin, sha256=content_digest(origin.text))
            continue
        found = listing(origin)
        yield from found.left_out
        yield from chain.from_iterable(load(p, allow_private=allow_private, reading=reading) for p in found.places)


def _again(articles: Sequence[Article], earlier: Collection[str]) -> Iterator[str]:
    """The ids that the caller gave to several articles of one run."""
    before: set[str] = set()
    for article in articles:
        if article.place is None and (article.id in before or article.id in earlier):
            yield article.id
        before.add(article.id)


def _where(article: Article) -> str:
    home, _, id = (article.place or "").partition(PART)
    return f"{PurePath(home).name}, {one_line(article.title, 60)!r}" if id or not home else PurePath(home).name


def _note(note: str, places: Sequence[str]) -> str:
    """What a reader should know of how some articles were read."""
    others = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{places[0]}{others}: {note}"


def _replaced(ids: Sequence[str]) -> str:
    return (
        f"{len(ids)} articles had the id of another one that was added with them, such as {ids[0]!r}, and replaced it "
        "as its revisions; if they are other articles, give them ids of their own and add them again"
    )


def _kept_apart(apart: Sequence[Apart]) -> str:
    return (
        f"{len(apart)} articles have an id or URL that another article has too, such as {apart[0].shared!r}; nothing "
        f"was replaced, they were added beside it, such as {apart[0].id!r}; `rag remove ID` removes one of them"
    )


_MOST_NOTES = 10
_BATCH_CHARACTERS = 500_000  # about 512 passages: enough to sort by length, little enough to lose or to hold
_BATCH_ARTICLES = 512
_LONGEST_HEADER, _SMALLEST_BUDGET = 96, 128  # tokens


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of what is loaded."""

    articles: tuple[Article, ...]
    failures: tuple[Failure, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """An article in passages; `texts[i]` is what is embedded of `passages[i]`."""

    article: Article
    passages: tuple[Passage, ...]
    texts: tuple[HeadedText, ...]


def article_batches(loaded: Iterable[Article | Failure | LeftOut]) -> Iterator[Batch]:
    """What is loaded, in parts that fit into memory."""
    held: list[Article | Failure | LeftOut] = []
    count = size = 0
    for item in loaded:
        held.append(item)
        if isinstance(item, Article):
            count, size = count + 1, size + len(item.text)
        if count >= _BATCH_ARTICLES or size >= _BATCH_CHARACTERS:
            yield _batch(held)
            held, count, size = [], 0, 0
    if held:
        yield _batch(held)


def _batch(items: Sequence[Article | Failure | LeftOut]) -> Batch:
    return Batch(
        tuple(item for item in items if isinstance(item, Article)),
        tuple(item for item in items if isinstance(item, Failure)),
        tuple(item.path for item in items if isinstance(item, LeftOut)),
    )


def cut(articles: Iterable[Article], embeddings: Embedder | None) -> list[Cut]:
    """Cuts articles into passages that fit, under their header, into the window of the embedding model."""
    return [_cut(article, partial(token_counts, embeddings)) for article in articles]


def embed(
    catalog: Catalog, embeddings: Embedder, texts: Iterable[HeadedText], on_batch: OnBatch
) -> dict[str, Embedded]:
    """The embeddings, by key, of those texts that the catalog has none of."""
    keyed = {embedding_key(identity(embeddings), text): text for text in texts}
    known = catalog.embedded.known(keyed)
    missing = {key: text for key, text in keyed.items() if key not in known}
    on_batch(len(keyed) - len(missing))
    found = embed_passages(embeddings, list(missing.values()), on_batch) if missing else []
    return dict(zip(missing, found, strict=True))


def prepared(cuts: Sequence[Cut], catalog: Catalog, embeddings: Embedder | None) -> Iterator[PreparedArticle]:
    """What the catalog saves; a passage that it has no embedding for gets none."""
    model = identity(embeddings) if embeddings else None
    keys = [tuple(embedding_key(model, text) if model else "" for text in c.texts) for c in cuts]
    known = catalog.embedded.known(list(chain.from_iterable(keys)))
    for c, own in zip(cuts, keys, strict=True):
        yield PreparedArticle(c.article, c.passages, tuple(key if key in known else None for key in own))


def unembedded(catalog: Catalog, embeddings: Embedder, ids: Sequence[str]) -> dict[str, HeadedText]:
    """What is to be embedded of stored passages, by their ids."""
    stored = [row.passage for row in catalog.passages(ids)]
    articles = {article.id: article for article in catalog.articles(p.article_id for p in stored)}
    count = partial(token_counts, embeddings)
    headers = {id: _header(article, count)[0] for id, article in articles.items()}
    return {p.id: HeadedText(headers[p.article_id], p.text) for p in stored}


def _cut(article: Article, count: Count) -> Cut:
    top, size = _header(article, count)
    budget = max(_SMALLEST_BUDGET, WINDOW - 2 - size)
    passages = tuple(chunk(article, count, budget=budget))
    return Cut(article, passages, tuple(HeadedText(top, p.text) for p in passages))


def _header(article: Article, count: Count) -> tuple[str, int]:
    """The header of its passages, cut if it would take too much of the window, and its tokens."""
    top = article.header
    while (size := count([top])[0]) > _LONGEST_HEADER:
        top = top[: len(top) * 9 // 10].rstrip()
    return top, size


_BREAKS = ("\n", "; ", ", ", " ")

Count = Callable[[Sequence[str]], list[int]]
"""Counts the tokens of each text."""


def chunk(article: Article, count: Count, *, budget: int) -> list[Passage]:
    """Packs whole sentences, in order and without overlap, into passages of at most `budget` tokens.

    A sentence longer than the budget is cut at a line break, else after a semicolon or comma, else at a space.
    """
    packed: list[Span] = []
    used = 0
    for piece, size in _fitting(article.text, sentences(article.text), count, budget):
        if packed and used + size <= budget:
            packed[-1], used = Span(packed[-1].start, piece.end), used + size
        else:
            packed.append(piece)
            used = size
    return [_passage(article, span) for span in packed]


def _passage(article: Article, span: Span) -> Passage:
    return Passage(passage_id(article, span), article.id, span.start, span.end, article.text[span.start : span.end])


def _fitting(text: str, spans: list[Span], count: Count, budget: int) -> Iterator[tuple[Span, int]]:
    """The sentences, or parts of them, with their tokens."""
    for span, size in zip(spans, count([text[s.start : s.end] for s in spans]), strict=True):
        if size <= budget:
            yield span, size
        else:
            yield from _fitting(text, _halves(text, span), count, budget)


def _halves(text: str, span: Span) -> list[Span]:
    """Cuts at the break nearest the middle, of the best kind that there is."""
    middle = (span.start + span.end) // 2
    for mark in _BREAKS:
        cuts = (text.rfind(mark, span.start, middle), text.find(mark, middle, span.end))
        places = [c + len(mark) for c in cuts if span.start < c + len(mark) < span.end and c >= 0]
        if places:
            cut = min(places, key=lambda c: abs(c - middle))
            return [trimmed(text, Span(span.start, cut)), trimmed(text, Span(cut, span.end))]
    return [Span(span.start, middle), Span(middle, span.end)]
