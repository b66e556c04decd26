"""Says what a window admits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rag.schema import Article, Window
from rag.text.clean import clean


@dataclass(frozen=True, slots=True)
class Stamp:
    """What of an article a window is held against; days are numbers such as 20210707, the source is case-folded."""

    day_first: int | None
    day_last: int | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in SQL on the columns of a Stamp in the passages `p`."""

    sql: str
    parameters: tuple[int | str, ...]


def stamp(article: Article) -> Stamp:
    """An article that only has a month or year is published on its last day, except for `since`."""
    source = article.source.casefold() if article.source else None
    if not article.published:
        return Stamp(None, None, source)
    return Stamp(day_number(article.published.day), day_number(article.published.last_day), source)


def condition(window: Window) -> Condition:
    """What a passage has to meet in SQL."""
    tests = [(test, day) for test, day in (("day_first >=", window.since), ("day_last <=", window.last)) if day]
    parts = [f"p.{test} ?" for test, _ in tests]
    parameters: list[int | str] = [day_number(day) for _, day in tests]
    if window.sources:
        parts.append(f"p.source IN ({', '.join('?' * len(window.sources))})")
        parameters += _sources(window)
    return Condition(" AND ".join(parts) or "TRUE", tuple(parameters))


def admits(window: Window, article: Article) -> bool:
    """Whether a window admits an article."""
    at = stamp(article)
    if window.sources and at.source not in _sources(window):
        return False
    first, last = at.day_first, at.day_last
    if window.since and (first is None or first < day_number(window.since)):
        return False
    return not window.last or (last is not None and last <= day_number(window.last))


def day_number(day: date) -> int:
    """A day as passages have it: 20210707."""
    return day.year * 10_000 + day.month * 100 + day.day


def _sources(window: Window) -> list[str]:
    return [clean(source).casefold() for source in window.sources]
