"""Keeps articles, and what they said before, as rows of the catalog."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime

from rag.errors import DamagedError
from rag.schema import Article, Precision, Published
from rag.store.database import LISTED, Database, Row, listed
from rag.text.clean import content_digest

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
        self._database.many(_into("articles", f"VALUES ({', '.join('?' * 10)})"), [_values(article)])

    def delete(self, ids: Sequence[str]) -> None:
        """Removes articles with all of their revisions."""
        for table in ("articles", "revisions"):
            self._database.rows(f"DELETE FROM {table} WHERE id {LISTED}", [listed(ids)])


def _into(table: str, rows: str) -> str:
    key = _KEYS[table]
    values = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", "))
    return f"INSERT INTO {table} ({_COLUMNS}) {rows} ON CONFLICT ({key}) DO UPDATE SET {values}"


def _values(article: Article) -> tuple[str | int | None, ...]:
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
