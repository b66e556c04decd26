"""Keeps which sentences of articles are addressed to a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from rag.schema import Article, Span
from rag.store.database import Database
from rag.text.injection import RULES, planted

ORDER_SCHEMA = """
CREATE TABLE orders (article TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL);
CREATE INDEX orders_article ON orders (article);
"""
_OF = """
    SELECT article, start, stop FROM orders
    WHERE article IN (SELECT value FROM json_each(?)) ORDER BY article, start
"""


class OrderTable:
    """The sentences by the rules of the day they were looked for; by other rules than today's none are known."""

    def __init__(self, database: Database, *, since: int) -> None:
        self._database = database
        self._since = since

    def of(self, article_ids: Sequence[str]) -> dict[str, tuple[Span, ...]]:
        """Those of each article; nothing of an article that has to be looked at anew."""
        if not self.is_current:
            return {}
        found: dict[str, tuple[Span, ...]] = dict.fromkeys(article_ids, ())
        for row in self._database.rows(_OF, [json.dumps(list(article_ids))]):
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
        self.insert(articles)
        self._database.many(
            "INSERT INTO meta VALUES ('orders', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", [(RULES,)]
        )

    @property
    def is_current(self) -> bool:
        """Whether all articles were looked at by the rules of today."""
        found = self._database.rows("SELECT value FROM meta WHERE key = 'orders'")
        return self._database.version >= self._since and [row[0] for row in found] == [RULES]
