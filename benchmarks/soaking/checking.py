"""Tells whether what a library gave can have been right, by the journal and the numbers of the articles alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.schema import Article, Citation, Hit, Statement, Window
from soaking.ledger import Ledger
from soaking.world import World, number_of

_COUNT = re.compile(r"\d{6}")


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that must not be shown, and what was seen."""

    what: str
    seen: str


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks for one question: the ledger was marked before it, and read after it."""

    world: World
    ledger: Ledger
    window: Window = Window()

    def citations(self, citations: Iterable[Citation]) -> Iterator[Wrong]:
        """Each quote is that of an edition which can have been there, at its place, within the window."""
        for c in citations:
            yield from self._span(c.article, c.start, c.end, c.quote)

    def hits(self, hits: Iterable[Hit]) -> Iterator[Wrong]:
        for hit in hits:
            yield from self._span(hit.article, hit.passage.start, hit.passage.end, hit.passage.text)

    def statements(self, statements: Iterable[Statement]) -> Iterator[Wrong]:
        """Each counted number of a statement stands in what it cites."""
        for statement in statements:
            cited = set(_COUNT.findall(" ".join(c.quote for c in statement.citations)))
            if not statement.citations or set(_COUNT.findall(statement.text)) - cited:
                yield Wrong("a statement says what it does not cite", statement.text)

    def articles(self, articles: Sequence[Article]) -> Iterator[Wrong]:
        """All that is there for certain is listed, and nothing that cannot be."""
        listed = {number_of(article.id): article for article in articles}
        for number, edition in self.ledger.certain().items():
            if number not in listed:
                yield Wrong("an article that was reported as added is lost", f"{number}, edition {edition}")
        for article in articles:
            yield from self._span(article, 0, len(article.text), article.text)

    def found(self, number: int, edition: int, hits: Sequence[Hit]) -> Iterator[Wrong]:
        """An article is found by its word where the window admits it, and not where it does not."""
        if self.ledger.certain().get(number) != edition:
            return
        there = any(number_of(hit.article.id) == number for hit in hits)
        if there != self.world.admits(self.window, number, edition):
            what = "an article is shown outside of the window" if there else "an article is not found by its word"
            yield Wrong(what, f"{number}, edition {edition}, {self.window.limits}")

    def _span(self, article: Article, start: int, end: int, quote: str) -> Iterator[Wrong]:
        number = number_of(article.id)
        possible = {e: self.world.article(number, e) for e in self.ledger.possible(number) if e}
        same = [e for e, a in possible.items() if a.text == article.text and a.text[start:end] == quote]
        alike = [e for e in same if _labels(possible[e]) == _labels(article)]
        if not possible:
            yield Wrong("an article that was removed, or never added, is shown", f"{number}: {quote}")
        elif not same:
            yield Wrong("a quote of another edition, or of none, is shown", f"{number} {start}:{end}: {quote}")
        elif not alike:
            yield Wrong("the date, source or title of another edition is shown", f"{number}: {_labels(article)}")
        elif not any(self.world.admits(self.window, number, e) for e in alike):
            yield Wrong("an article outside of the window is shown", f"{number}, {self.window.limits}: {quote}")


def _labels(article: Article) -> tuple[object, ...]:
    return article.published, article.source, article.title
