"""Collects the articles that a set brings with it as a library will keep them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rag.errors import InputError
from rag.schema import Article


@dataclass(frozen=True, slots=True)
class Named:
    """An article under the name that the set has for it, at the place where it was read."""

    name: str
    article: Article
    place: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The articles, in order, and the one that is kept for each name."""

    articles: tuple[Article, ...]
    by_name: Mapping[str, Article]


def shelve(named: Iterable[Named]) -> Shelf:
    """The articles without duplicates: a library keeps only the first of those with one text.

    Raises InputError if two with different texts have one id, as the later one would replace the earlier one.
    """
    kept: dict[str, Article] = {}
    ids: dict[str, Article] = {}
    by_name: dict[str, Article] = {}
    for one in named:
        first = kept.setdefault(one.article.sha256, one.article)
        if ids.setdefault(one.article.id, first) is not first:
            raise InputError(f"{one.place}: an earlier document has the id {one.article.id!r} too; give each its own")
        by_name.setdefault(one.name, first)
    return Shelf(tuple(kept.values()), by_name)
