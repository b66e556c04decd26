"""Tables of the catalog: articles, dates in passages, sentences addressed to a program, where articles were read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from rag.errors import DamagedError
from rag.models.injection import RULES, marked, planted
from rag.schema import Article, Precision, Published, Span, Window
from rag.store.database import LISTED, SET_META, Database, Row, listed
from rag.store.filters import condition
from rag.text.calendar import Period
from rag.text.clean import content_digest
from rag.text.relative_dates import EventDate

_COLUMNS = "id, revision, title, text, sha256, source, published, precision, url, author"
_TYPED = ", ".join(f"{name} {'INTEGER' if name == 'revision' else 'TEXT'}" for name in _COLUMNS.split(", "))
ARTICLE_SCHEMA = f"""
CREATE TABLE articles ({_TYPED}, PRIMARY KEY (id));
CREATE INDEX articles_sha256 ON articles (sha256);
CREATE INDEX articles_url ON articles (url);
CREATE INDEX articles_source ON articles (source);
CREATE INDEX articles_published ON articles (published);
CREATE TABLE revisions ({_TYPED}, PRIMARY KEY (id, revision));
"""
_KEYS = {"articles": "id", "revisions": "id, revision"}


class ArticleTable:
    """The current revision of each article, and its earlier ones; raises DamagedError for a row that is no article."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._compared: set[str] = set()

    def count(self) -> int:
        """How many articles there are."""
        return int(self._database.value("SELECT count(*) FROM articles"))

    def ids(self) -> list[str]:
        """The ids of all articles, in order."""
        return [row[0] for row in self._database.rows("SELECT id FROM articles ORDER BY id")]

    def years(self) -> list[int]:
        """The years in which the articles were published, each once, in order."""
        rows = self._database.rows("SELECT DISTINCT substr(published, 1, 4) FROM articles WHERE published IS NOT NULL")
        return sorted(int(row[0]) for row in rows)

    def all(self) -> Iterator[Article]:
        """The current revisions, by id."""
        return map(_article, self._database.rows("SELECT * FROM articles ORDER BY id"))

    def of(self, ids: Collection[str]) -> dict[str, Article]:
        """The current revisions of these ids; ids that there are not are left out."""
        rows = self._database.rows(f"SELECT * FROM articles WHERE id {LISTED}", [listed(ids)])
        return {row["id"]: _article(row) for row in rows}

    def like(self, article: Article) -> Iterator[Article]:
        """The articles with the id of this one, then those with its URL, then those with its text."""
        for column, value in {"id": article.id, "url": article.url, "sha256": article.sha256}.items():
            yield from map(
                _article, self._database.rows(f"SELECT * FROM articles WHERE {column} = ? ORDER BY id", [value])
            )

    def revisions(self, id: str) -> list[Article]:
        """What an article said before, oldest first."""
        sql = "SELECT * FROM revisions WHERE id = ? ORDER BY revision"
        return [_article(row) for row in self._database.rows(sql, [id])]

    def editions(self) -> Iterator[Article]:
        """All that articles say and have said, each after what it said before."""
        for table in ("revisions", "articles"):
            yield from map(_article, self._database.rows(f"SELECT * FROM {table}"))

    def unchanged(self, article: Article) -> Article:
        """The article itself; raises DamagedError if its text is not what was added, which is looked at once."""
        edition = f"{article.id}\0{article.sha256}"
        if edition not in self._compared and content_digest(article.text) != article.sha256:
            raise DamagedError(
                f"{self._database.name} is damaged: the text of {article.id} is not what was added; restore the file "
                f"from a backup, or run `rag remove {article.id}` and add the article again"
            )
        self._compared.add(edition)
        return article

    def check_texts(self) -> None:
        """Raises DamagedError if a text is not what was added; reads all of them, those known to be good too."""
        self._compared.clear()
        for article in self.editions():
            self.unchanged(article)

    def put(self, article: Article) -> None:
        """Makes an article the current revision of its id, and what was that an earlier one."""
        self._database.rows(_into("revisions", "SELECT * FROM articles WHERE id = ?"), [article.id])
        self._database.many(_into("articles", f"VALUES ({', '.join('?' * 10)})"), [_article_values(article)])

    def delete(self, ids: Sequence[str]) -> None:
        """Removes articles with all of their revisions."""
        for table in ("articles", "revisions"):
            self._database.rows(f"DELETE FROM {table} WHERE id {LISTED}", [listed(ids)])


def _into(table: str, rows: str) -> str:
    key = _KEYS[table]
    values = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", "))
    return f"INSERT INTO {table} ({_COLUMNS}) {rows} ON CONFLICT ({key}) DO UPDATE SET {values}"


def _article_values(article: Article) -> tuple[str | int | None, ...]:
    published, date_text, precision = article.published, None, None
    if published:  # a time of day without a zone follows its day
        date_text, precision = published.value.isoformat(), published.precision.value
        date_text = f"{date_text}T{published.clock.isoformat()}" if published.clock else date_text
    first = article.id, article.revision, article.title, article.text, article.sha256, article.source
    return *first, date_text, precision, article.url, article.author


def _article(row: Row) -> Article:
    try:
        title, text = _text(row, "title"), _text(row, "text")
        published = _published(row["published"], row["precision"])
    except (TypeError, ValueError) as error:
        raise DamagedError(
            f"the catalog is damaged: what is stored of {row['id']} is no article ({error}); restore the file from "
            "a backup, or move it away and run `rag add` on the articles again"
        ) from error
    return Article(
        id=row["id"],
        title=title,
        text=text,
        sha256=row["sha256"],
        source=row["source"],
        published=published,
        url=row["url"],
        author=row["author"],
        revision=row["revision"],
    )


def _text(row: Row, name: str) -> str:
    if not isinstance(value := row[name], str):
        raise TypeError(f"its {name} is {value!r:.40}, wanted a text")
    return value


def _published(value: str | None, precision: str | None) -> Published | None:
    if not value or not precision:
        return None
    when = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if isinstance(when, datetime) and when.tzinfo is None:
        return Published(when.date(), Precision(precision), when.time())
    return Published(when, Precision(precision))


EVENT_SCHEMA = """
CREATE TABLE event_days (
    passage INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL);
CREATE INDEX event_days_passage ON event_days (passage);
CREATE INDEX event_days_last ON event_days (last, first);
"""
"""`start` and `stop` are characters of the article; `first` and `last` count days from 1 January of the year 1."""
FIRST_VERSION = 2
"""The version of the catalog from which on there is the table."""
_ABOUT = 3
_ROUGH = 6
_EVENTS = f"""
    SELECT p.id, d.start, d.stop, d.first, d.last FROM passages p JOIN event_days d ON d.passage = p.number
    WHERE p.id {LISTED} ORDER BY p.id, d.start, d.stop
"""
_WITHIN = "d.last >= ? AND d.last <= ? AND d.first <= ? AND d.last - d.first < ?"
_DURING = f"""
    SELECT DISTINCT p.id FROM event_days d JOIN passages p ON p.number = d.passage
    WHERE {_WITHIN} AND {{window}} ORDER BY p.id LIMIT ?
"""
_COUNT = f"SELECT count(*) FROM (SELECT 1 FROM event_days d WHERE {_WITHIN} LIMIT ?) AS found"


class _Table:
    """A table that catalogs have from a version on."""

    def __init__(self, database: Database, *, since: int = FIRST_VERSION) -> None:
        self._database = database
        self._since = since

    @property
    def _exists(self) -> bool:
        return self._database.version >= self._since


@dataclass(frozen=True, slots=True)
class EventRow:
    """A date in the passage of a number."""

    passage: int
    event: EventDate


class EventTable(_Table):
    """The dates in passages, relative ones worked out; a catalog of before the table has none until it is written."""

    def count(self) -> int:
        """How many dates there are."""
        return int(self._database.value("SELECT count(*) FROM event_days")) if self._exists else 0

    def of(self, passage_ids: Sequence[str]) -> dict[str, tuple[EventDate, ...]]:
        """The dates of each passage, in the order of its text."""
        rows = self._database.rows(_EVENTS, [listed(passage_ids)]) if self._exists else []
        found: dict[str, tuple[EventDate, ...]] = dict.fromkeys(passage_ids, ())
        for row in rows:
            found[row["id"]] = (*found[row["id"]], _event(row))
        return found

    def during(self, period: Period, window: Window, *, most: int, among: Collection[str] | None = None) -> list[str]:
        """The first passages of a window, by id, that tell of days in a period, and of no much longer time.

        Of all passages, or of those of these ids.
        """
        if not self._exists:
            return []
        where = condition(window)
        narrower, ids = ("", []) if among is None else (f" AND p.id {LISTED}", [listed(among)])
        sql = _DURING.format(window=where.sql + narrower)
        return [row[0] for row in self._database.rows(sql, [*_days(period), *where.parameters, *ids, most])]

    def are_many(self, period: Period, *, most: int) -> bool:
        """Whether more than so many dates lie in a period."""
        return self._exists and int(self._database.value(_COUNT, [*_days(period), most + 1])) > most

    def insert(self, rows: Iterable[EventRow]) -> None:
        """Adds dates; what is only near a day is taken to be within three days of it."""
        self._database.many("INSERT INTO event_days VALUES (?, ?, ?, ?, ?)", map(_event_values, rows))

    def delete(self, passages: Iterable[int]) -> None:
        """Removes the dates of the passages of these numbers."""
        self._database.many("DELETE FROM event_days WHERE passage = ?", ((number,) for number in passages))

    def clear(self) -> None:
        self._database.rows("DELETE FROM event_days")


def _days(period: Period) -> tuple[int, ...]:
    first, last, longest = period.first.toordinal(), period.last.toordinal(), period.days + _ROUGH
    return first, last + longest, last, longest


def _event_values(row: EventRow) -> tuple[int, ...]:
    event, around = row.event, _ABOUT if row.event.about else 0
    first, last = event.period.first.toordinal() - around, event.period.last.toordinal() + around
    return row.passage, event.start, event.end, first, last


def _event(row: Row) -> EventDate:
    try:
        period = Period(date.fromordinal(row["first"]), date.fromordinal(row["last"]))
    except (TypeError, ValueError, OverflowError) as error:
        raise DamagedError(f"the catalog is damaged: {error} in its days; run `rag reindex`") from error
    return EventDate(row["start"], row["stop"], period)


ORDER_SCHEMA = """
CREATE TABLE orders (article TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL);
CREATE INDEX orders_article ON orders (article);
"""
_OF = f"SELECT article, start, stop FROM orders WHERE article {LISTED} ORDER BY article, start"
_AT_ONCE = 50  # articles


class OrderTable(_Table):
    """The sentences by the rules of the day they were looked for; by other rules than today's none are known."""

    def of(self, article_ids: Sequence[str]) -> dict[str, tuple[Span, ...]]:
        """Those of each article; nothing of an article that has to be looked at anew."""
        if not self.is_current:
            return {}
        found: dict[str, tuple[Span, ...]] = dict.fromkeys(article_ids, ())
        for row in self._database.rows(_OF, [listed(article_ids)]):
            found[row["article"]] = (*found[row["article"]], Span(row["start"], row["stop"]))
        return found

    def insert(self, articles: Iterable[Article]) -> None:
        """Looks for those of articles that are new."""
        rows = ((article.id, span.start, span.end) for article in articles for span in planted(article))
        self._database.many("INSERT INTO orders VALUES (?, ?, ?)", rows)

    def delete(self, article_ids: Iterable[str]) -> None:
        """Removes those of articles."""
        self._database.many("DELETE FROM orders WHERE article = ?", ((id,) for id in article_ids))

    def rebuild(self, articles: Iterable[Article]) -> None:
        """Looks for those of all articles, by the rules of today."""
        self._database.rows("DELETE FROM orders")
        given = iter(articles)
        while part := list(islice(given, _AT_ONCE)):
            self.insert(marked(part))
        self._database.many(SET_META, [("orders", RULES)])

    @property
    def is_current(self) -> bool:
        """Whether all articles were looked at by the rules of today."""
        found = self._database.rows("SELECT value FROM meta WHERE key = 'orders'")
        return self._exists and [row[0] for row in found] == [RULES]


PLACE_SCHEMA = """
CREATE TABLE IF NOT EXISTS places (article TEXT PRIMARY KEY, place TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS places_place ON places (place);
"""
PART = "\n"
"""Between a file or feed and the id of an article in it."""
_AFTER_PART = chr(ord(PART) + 1)
_SET_PLACE = "INSERT INTO places VALUES (?, ?) ON CONFLICT (article) DO UPDATE SET place = excluded.place"


class PlaceTable(_Table):
    """Where articles were read: a file, feed or address, with the id of the article there if it holds several."""

    def of(self, article_ids: Iterable[str]) -> dict[str, str]:
        """The places of articles, as far as they are known."""
        sql = f"SELECT article, place FROM places WHERE article {LISTED}"
        rows = self._database.rows(sql, [listed(article_ids)]) if self._exists else []
        return {row["article"]: row["place"] for row in rows}

    def at(self, place: str) -> list[str]:
        """The articles that were read from a place, by id."""
        sql = "SELECT article FROM places WHERE place = ? ORDER BY article"
        return [row[0] for row in self._database.rows(sql, [place])] if self._exists else []

    def inside(self, home: str) -> list[str]:
        """The first two articles, by id, of a file or feed that holds several."""
        sql = "SELECT article FROM places WHERE place > ? AND place < ? ORDER BY article LIMIT 2"
        ends = [f"{home}{PART}", f"{home}{_AFTER_PART}"]
        return [row[0] for row in self._database.rows(sql, ends)] if self._exists else []

    def insert(self, places: Mapping[str, str]) -> None:
        """Sets the places of articles, by their ids."""
        self._database.many(_SET_PLACE, places.items())

    def delete(self, article_ids: Iterable[str]) -> None:
        """Forgets the places of articles."""
        self._database.many("DELETE FROM places WHERE article = ?", ((id,) for id in article_ids))
