"""Keeps articles and their passages in a database: SQLite's, or one of PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from rag.errors import InputError
from rag.models.embeddings import Embedded
from rag.schema import Article, Passage, Span, Window
from rag.schema.articles import passage_id
from rag.store.database import Database, OnWait, Row, is_address, misplaced, stored_number
from rag.store.embedding_table import VECTOR_SCHEMA, StoredPassage, Vectors, VectorTable, stored
from rag.store.filters import condition, stamp
from rag.store.fts import LEXICAL_SCHEMA, LexicalIndex, LexicalRow
from rag.store.servers.postgres import TEXT_SCHEMA, Postgres, TextSearch
from rag.store.sqlite import SQLite
from rag.store.tables import (
    ARTICLE_SCHEMA,
    EVENT_SCHEMA,
    FIRST_VERSION,
    ORDER_SCHEMA,
    PART,
    PLACE_SCHEMA,
    ArticleTable,
    EventRow,
    EventTable,
    OrderTable,
    PlaceTable,
)
from rag.text.relative_dates import passage_dates
from rag.text.sentences import sentences

VERSION = 5
_ORDER_VERSION = 3

_WINDOW_SCHEMA = """
CREATE INDEX IF NOT EXISTS passages_days ON passages (day_last, day_first);
CREATE INDEX IF NOT EXISTS passages_source ON passages (source, day_last, day_first);
CREATE INDEX IF NOT EXISTS passages_waiting ON passages (indexed, embedding);
"""
"""By which the passages that a window admits, or the vector index has yet to take, are counted without being read."""
_UPGRADES = {
    FIRST_VERSION: EVENT_SCHEMA,
    _ORDER_VERSION: ORDER_SCHEMA,
    4: f"DROP INDEX IF EXISTS passages_day; DROP INDEX IF EXISTS passages_indexed;{_WINDOW_SCHEMA}",
    VERSION: PLACE_SCHEMA,
}
"""What each version added to the schema of the one before."""
_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
INSERT INTO meta VALUES ('generation', 0), ('index_version', 0);
{ARTICLE_SCHEMA}CREATE TABLE passages (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, article_id TEXT NOT NULL, start INTEGER NOT NULL,
    stop INTEGER NOT NULL, day_first INTEGER, day_last INTEGER, source TEXT, embedding TEXT,
    indexed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX passages_article ON passages (article_id);
CREATE INDEX passages_embedding ON passages (embedding);
{_WINDOW_SCHEMA}{VECTOR_SCHEMA}{EVENT_SCHEMA}{ORDER_SCHEMA}{PLACE_SCHEMA}
"""
_LISTED = "IN (SELECT value FROM json_each(?))"
_PASSAGES = f"""
    SELECT p.id, p.article_id, p.start, p.stop, e.vector, e.sentences
    FROM passages p LEFT JOIN embeddings e ON e.key = p.embedding WHERE p.id {_LISTED}
"""
_SPLIT = """
    SELECT p.start, p.stop, p.embedding, 2 * length(e.sentences) / length(e.vector) AS sentences
    FROM passages p JOIN embeddings e ON e.key = p.embedding WHERE p.article_id = ? AND e.sentences IS NOT NULL
"""
"""With how many sentences passages were embedded: the vectors of sentences are of float16."""
_MISPLACED = """
    SELECT p.article_id FROM passages p LEFT JOIN articles a ON a.id = p.article_id
    WHERE a.id IS NULL OR p.start < 0 OR p.stop <= p.start OR p.stop > length(a.text) LIMIT 1
"""
_MISPLACED_ORDERS = """
    SELECT o.article FROM orders o LEFT JOIN articles a ON a.id = o.article
    WHERE a.id IS NULL OR o.start < 0 OR o.stop <= o.start OR o.stop > length(a.text) LIMIT 1
"""
_INSERT = """
    INSERT INTO passages (number, id, article_id, start, stop, day_first, day_last, source, embedding)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_DELETED = f"""
    INSERT INTO deletions SELECT id FROM passages WHERE article_id {_LISTED} AND (indexed = 1 OR ?)
    ON CONFLICT DO NOTHING
"""
"""Of a shared catalog, another process may be indexing those that are not marked as indexed yet."""
_SOURCES = """
    SELECT s.source FROM (SELECT DISTINCT source FROM articles WHERE source IS NOT NULL) s
    WHERE {within} ORDER BY s.source
"""
_WITHIN = """EXISTS (
    SELECT 1 FROM articles a JOIN passages p ON p.article_id = a.id WHERE a.source = s.source AND {window})
"""
_MOST_CACHED = 256
_MOST_COUNTED = 50_000


@dataclass(frozen=True, slots=True)
class PreparedArticle:
    """An article that is ready to be saved; each passage with the key of its embedding, if it has one."""

    article: Article
    passages: tuple[Passage, ...]
    keys: tuple[str | None, ...]


class Catalog:
    """The truth about a library, in a file, or in the PostgreSQL database of an address.

    Threads share it; what another process commits is seen at once. Opening a catalog that is there writes nothing.
    Raises DamagedError, LockedError or LibraryError.
    """

    def __init__(self, place: Path | str) -> None:
        self._lexical: LexicalIndex | TextSearch
        if is_address(place):
            self._database: Database = Postgres(str(place), _SCHEMA + TEXT_SCHEMA, version=VERSION)
            self._lexical = TextSearch(self._database)
        else:
            self._database = SQLite(Path(place), _SCHEMA + LEXICAL_SCHEMA, version=VERSION)
            self._lexical = LexicalIndex(self._database)
        self._cache: dict[str, Article] = {}
        self._cached_generation = -1
        self._counted: dict[int, dict[str, int]] = {}
        self._articles = ArticleTable(self._database)
        self._counts = lru_cache(_MOST_CACHED)(self._count)
        self._outlets = lru_cache(_MOST_CACHED)(self._sources)
        self._years = lru_cache(1)(lambda generation: self._articles.years())
        self.embedded = VectorTable(self._database)
        self.events = EventTable(self._database)
        self.orders = OrderTable(self._database, since=_ORDER_VERSION)
        self.places = PlaceTable(self._database, since=VERSION)

    def close(self) -> None:
        self._database.close()

    @property
    def name(self) -> str:
        """Where it is, as a person calls it."""
        return self._database.name

    @property
    def is_shared(self) -> bool:
        """Whether others may write to it at the same time."""
        return self._database.is_shared

    def identity(self) -> str:
        """The id of this catalog; made when it is first asked for."""
        asked = "SELECT value FROM meta WHERE key = 'identity'"
        if not self._database.value(asked):
            made = "INSERT INTO meta VALUES ('identity', ?) ON CONFLICT DO NOTHING"
            self._database.rows(made, [uuid4().hex])
        return str(self._database.value(asked))

    @property
    def generation(self) -> int:
        """Grows with every committed change."""
        return stored_number(self._database, "generation")

    @property
    def version(self) -> int:
        """The version of its schema; an earlier one than `VERSION` is brought up to it by the next change."""
        return self._database.version

    @property
    def article_count(self) -> int:
        return self._articles.count()

    def passage_count(self, window: Window) -> int:
        """How many passages a window admits."""
        return self._counts(self.generation, window)

    def sources(self, window: Window = Window()) -> list[str]:
        """The sources of the articles that a window admits, each once, in order."""
        return list(self._outlets(self.generation, window))

    def years(self) -> list[int]:
        """The years in which the articles were published, each once, in order."""
        return list(self._years(self.generation))

    def lexical(self, terms: Sequence[str], *, limit: int, window: Window) -> list[str]:
        """The passages with any of the stems, or of the keys of names; best BM25 first, ties by id."""
        return self._lexical.search(terms, limit=limit, window=window)

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """How many passages hold each stem, or key of a name."""
        known = self._counted.get(generation := self.generation, {})
        wanted = list(dict.fromkeys(terms))
        known = known | self._lexical.frequencies([term for term in wanted if term not in known])
        self._counted = {generation: known if len(known) <= _MOST_COUNTED else {}}
        return {term: known[term] for term in wanted}

    def vectors(self, window: Window) -> Vectors:
        """The vectors of the passages that a window admits."""
        return self.embedded.select(window)

    def article(self, id: str) -> Article:
        """The current revision; raises InputError if no article has the id."""
        found = self.articles([id])
        if not found:
            raise InputError(f"no article has the id {id!r}; `rag articles` lists the ids that there are")
        return found[0]

    def articles(self, ids: Iterable[str] | None = None) -> list[Article]:
        """The articles of these ids, in their order, or all, by id; ids that there are not are left out.

        Raises DamagedError if a text is not what was added, which is looked at once in a process.
        """
        if ids is None:
            with self.snapshot():
                return self._with_orders(map(self.unchanged, self._articles.all()))
        wanted = list(dict.fromkeys(ids))
        with self.snapshot():
            found = self._cached(wanted)
        return [found[id] for id in wanted if id in found]

    def revisions(self, id: str) -> list[Article]:
        """What an article said before, oldest first."""
        return self._articles.revisions(id)

    def stored(self, ids: Sequence[str]) -> list[Article]:
        """The articles of these ids as they are stored, even if that is not what was added; raises InputError."""
        found = self._articles.of(ids)
        if missing := next((id for id in ids if id not in found), None):
            raise InputError(f"no article has the id {missing!r}; `rag articles` lists the ids that there are")
        return [found[id] for id in dict.fromkeys(ids)]

    def unchanged(self, article: Article) -> Article:
        """The article itself; raises DamagedError if its text is not what was added."""
        return self._articles.unchanged(article)

    def editions(self) -> Iterator[Article]:
        """All that articles say and have said, each after what it said before; reads nothing but their tables."""
        return self._articles.editions()

    def check(self) -> None:
        """Raises DamagedError if its file is damaged; reads all of it."""
        self._database.check()

    def check_texts(self) -> None:
        """Raises DamagedError if a text is not what was added, or a passage not one of it; reads all of them."""
        self._articles.check_texts()
        if rows := self._database.rows(_MISPLACED):
            raise misplaced(f"a passage of {rows[0][0]} is not in its text", rows[0][0])
        for article in self._articles.all():
            for row in self._rows("SELECT id, start, stop FROM passages WHERE article_id = ?", article.id):
                if row["id"] != passage_id(article, Span(row["start"], row["stop"])):
                    raise misplaced(f"the id of a passage of {article.id} is altered", article.id)
        if self.orders.is_current and (rows := self._database.rows(_MISPLACED_ORDERS)):
            raise misplaced(f"a mark of {rows[0][0]} is not in its text", rows[0][0])

    def outdated(self) -> list[str]:
        """The keys of embeddings with other sentences than passages have now, which an earlier version made.

        Reads all texts.
        """
        return [
            row["embedding"]
            for article in self._articles.all()
            for row in self._rows(_SPLIT, article.id)
            if row["sentences"] != len(sentences(article.text[row["start"] : row["stop"]]))
        ]

    def like(self, article: Article) -> list[Article]:
        """The articles of its place, with its id, its URL or its text, in this order, with their places."""
        found = [*self.articles(self._near(article.place)), *self._articles.like(article)]
        places = self.places.of(a.id for a in found)
        return list({a.id: replace(a, place=places.get(a.id)) for a in found}.values())

    def passages(self, ids: Sequence[str]) -> list[StoredPassage]:
        """The passages of these ids, in their order; ids that there are not are left out."""
        with self.snapshot():
            rows = {row["id"]: row for row in self._rows(_PASSAGES, json.dumps(list(ids)))}
            articles = self._cached({row["article_id"] for row in rows.values()})
            events = self.events.of(list(rows))
            dimensions = self.embedded.dimensions
        known = [rows[id] for id in dict.fromkeys(ids) if id in rows and rows[id]["article_id"] in articles]
        return [stored(row, articles[row["article_id"]], events[row["id"]], dimensions) for row in known]

    def passage_ids(self, article_id: str) -> list[str]:
        """The passages of an article, in the order of reading."""
        return [
            row[0] for row in self._rows("SELECT id FROM passages WHERE article_id = ? ORDER BY number", article_id)
        ]

    def admitted(self, window: Window) -> list[str]:
        """The passages that a window admits, article by article, in the order of reading."""
        where = condition(window)
        sql = f"SELECT p.id FROM passages p WHERE {where.sql} ORDER BY p.article_id, p.number"
        return [row[0] for row in self._database.rows(sql, where.parameters)]

    def article_ids(self, window: Window, *, most: int) -> list[str]:
        """The first articles, by id, that a window admits."""
        where = condition(window)
        sql = f"SELECT DISTINCT p.article_id FROM passages p WHERE {where.sql} ORDER BY p.article_id LIMIT ?"
        return [row[0] for row in self._database.rows(sql, (*where.parameters, most))]

    def days(self, window: Window, *, most: int = 2) -> list[date]:
        """The last days on which articles that a window admits were published, the latest first."""
        where = condition(window)
        sql = f"SELECT DISTINCT p.day_last FROM passages p WHERE p.day_last IS NOT NULL AND {where.sql}"
        rows = self._database.rows(f"{sql} ORDER BY p.day_last DESC LIMIT ?", (*where.parameters, most))
        return [date(row[0] // 10_000, row[0] // 100 % 100, row[0] % 100) for row in rows]

    def snapshot(self) -> AbstractContextManager[None]:
        """All of the reads inside see one state, so that passages are those of the articles read with them."""
        return self._database.snapshot()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All of the changes inside, or none; raises the generation, at the end, since others wait for that row."""
        with self._database.transaction():
            pending = [version for version in _UPGRADES if self.version < version]
            for version in pending:
                self._database.upgrade(_UPGRADES[version], version)
            if FIRST_VERSION in pending:
                self._date_all()
            if not self.orders.is_current:
                self.orders.rebuild(self._articles.all())
            yield
            self._database.rows("UPDATE meta SET value = CAST(value AS BIGINT) + 1 WHERE key = 'generation'")

    def claiming(self) -> AbstractContextManager[None]:
        """What `embedded.missing` gives inside is nobody else's to embed until the end."""
        return self._database.claiming()

    def alone(self, what: str, *, wait: float, on_wait: OnWait) -> AbstractContextManager[None]:
        """Keeps others from writing the same inside; raises LockedError after `wait` seconds."""
        return self._database.alone(what, wait=wait, on_wait=on_wait)

    def save(self, drafts: Iterable[PreparedArticle], embedded: Mapping[str, Embedded]) -> None:
        """Makes each article the current revision of its id, and only its passages searched, in one transaction."""
        with self.writing():
            self.embedded.insert(embedded)
            latest: dict[str, PreparedArticle] = {}
            for draft in drafts:
                self._articles.put(draft.article)
                latest[draft.article.id] = draft
            self._delete_passages(list(latest))
            self._insert_passages(list(latest.values()))
            self.places.insert({id: draft.article.place for id, draft in latest.items() if draft.article.place})

    def remove(self, ids: Sequence[str]) -> None:
        """Removes articles with all of their revisions, in one transaction."""
        with self.writing():
            self._delete_passages(ids)
            self._articles.delete(ids)
            self.places.delete(ids)
            self.embedded.prune()

    def rebuild_lexical(self) -> None:
        """Rebuilds the full-text index, in one transaction."""
        with self.writing():
            self._lexical.clear()
            for id in self._articles.ids():
                article = self.article(id)
                found = self._rows("SELECT * FROM passages WHERE article_id = ?", id)
                self._lexical.insert(
                    LexicalRow(row["number"], article.header, article.text[row["start"] : row["stop"]]) for row in found
                )

    def rebuild_events(self) -> None:
        """Rebuilds the table of dates in passages, in one transaction."""
        with self.writing():
            self.events.clear()
            self._date_all()

    def _count(self, generation: int, window: Window) -> int:
        """Read once in a generation, as are `_sources`."""
        where = condition(window)
        return int(self._database.value(f"SELECT count(*) FROM passages p WHERE {where.sql}", where.parameters))

    def _sources(self, generation: int, window: Window) -> list[str]:
        where = condition(window)
        within = _WITHIN.format(window=where.sql) if where.parameters else "TRUE"
        return [row[0] for row in self._database.rows(_SOURCES.format(within=within), where.parameters)]

    def _date_all(self) -> None:
        for id in self._articles.ids():
            article = self.article(id)
            found = self._rows("SELECT number, start, stop FROM passages WHERE article_id = ?", id)
            self.events.insert(
                EventRow(row["number"], event)
                for row in found
                for event in passage_dates(article, Span(row["start"], row["stop"]))
            )

    def _near(self, place: str | None) -> list[str]:
        """The articles of a place; of a file that holds one now, also the only one that it held before."""
        if not place:
            return []
        inside = [] if PART in place else self.places.inside(place)
        return [*self.places.at(place), *(inside if len(inside) == 1 else ())]

    def _rows(self, sql: str, parameter: str | None) -> Sequence[Row]:
        return self._database.rows(sql, [parameter])

    def _cached(self, ids: Collection[str]) -> dict[str, Article]:
        """Texts are long, and questions keep coming back to the same articles."""
        if self._cached_generation != (generation := self.generation):
            self._cache, self._cached_generation = {}, generation
        found = {id: self._cache[id] for id in ids if id in self._cache}
        missing = [id for id in ids if id not in found]
        if missing:
            known = self._with_orders(map(self.unchanged, self._articles.of(missing).values()))
            found |= {article.id: article for article in known}
        self._cache = dict(list((self._cache | found).items())[-_MOST_CACHED:])
        return found

    def _with_orders(self, articles: Iterable[Article]) -> list[Article]:
        """The articles with their sentences that are addressed to a program, if those are known."""
        given = list(articles)
        known = self.orders.of([article.id for article in given])
        return [replace(article, orders=known.get(article.id)) for article in given]

    def _delete_passages(self, article_ids: Sequence[str]) -> None:
        """Takes the passages of articles out of every index."""
        listed = json.dumps(list(article_ids))
        found = self._rows(f"SELECT number FROM passages WHERE article_id {_LISTED}", listed)
        self._lexical.delete(row["number"] for row in found)
        self.events.delete(row["number"] for row in found)
        self.orders.delete(article_ids)
        self._database.rows(_DELETED, [listed, self.is_shared])
        self._rows(f"DELETE FROM passages WHERE article_id {_LISTED}", listed)

    def _insert_passages(self, drafts: Sequence[PreparedArticle]) -> None:
        first = 1 + int(self._database.value("SELECT coalesce(max(number), 0) FROM passages"))
        rows = ((d.article, p, key) for d in drafts for p, key in zip(d.passages, d.keys, strict=True))
        numbered = [(number, *row) for number, row in enumerate(rows, start=first)]
        stamps = {draft.article.id: stamp(draft.article) for draft in drafts}
        dates = {id: (at.day_first, at.day_last, at.source) for id, at in stamps.items()}
        self._database.many(
            _INSERT, ((n, p.id, p.article_id, p.start, p.end, *dates[a.id], key) for n, a, p, key in numbered)
        )
        self.orders.insert(draft.article for draft in drafts)
        self._lexical.insert(LexicalRow(n, a.header, p.text) for n, a, p, _ in numbered)
        self.events.insert(
            EventRow(n, event) for n, a, p, _ in numbered for event in passage_dates(a, Span(p.start, p.end))
        )
