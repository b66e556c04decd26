"""Tables of the catalog: dates in passages, sentences addressed to a program, where articles were read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

from rag.errors import DamagedError
from rag.models.injection import RULES, marked, planted
from rag.schema import Article, Span, Window
from rag.store.database import LISTED, SET_META, Database, Row, listed
from rag.store.filters import condition
from rag.text.calendar import Period
from rag.text.relative_dates import EventDate

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
        self._database.many("INSERT INTO event_days VALUES (?, ?, ?, ?, ?)", map(_values, rows))

    def delete(self, passages: Iterable[int]) -> None:
        """Removes the dates of the passages of these numbers."""
        self._database.many("DELETE FROM event_days WHERE passage = ?", ((number,) for number in passages))

    def clear(self) -> None:
        self._database.rows("DELETE FROM event_days")


def _days(period: Period) -> tuple[int, ...]:
    first, last, longest = period.first.toordinal(), period.last.toordinal(), period.days + _ROUGH
    return first, last + longest, last, longest


def _values(row: EventRow) -> tuple[int, ...]:
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

    def all(self) -> dict[str, str]:
        """The places of all articles."""
        rows = self._database.rows("SELECT article, place FROM places") if self._exists else []
        return {row["article"]: row["place"] for row in rows}
