"""Articles, their passages, and the hits of a search."""

from __future__ import annotations

import hashlib
from calendar import monthrange
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from datetime import time as clock_time  # a property of Published is called `time`
from enum import StrEnum
from typing import Any

from rag.errors import InputError
from rag.schema.display import Displayed


class Precision(StrEnum):
    """How much of a date its source gave."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Published:
    """When an article was published: a `date`, or an aware `datetime` where the source gave the time and zone."""

    value: date | datetime
    precision: Precision
    clock: clock_time | None = field(default=None, compare=False)
    """The time of day that its source gave without a zone, which tells no moment."""

    def __post_init__(self) -> None:
        if isinstance(self.value, datetime) and self.value.tzinfo is None:
            raise ValueError(f"published datetime {self.value} has no time zone; pass an aware one or a date")

    @property
    def day(self) -> date:
        """The calendar day where it was published (the first one, if only the month or year is known)."""
        return self.value.date() if isinstance(self.value, datetime) else self.value

    @property
    def known_day(self) -> date | None:
        """The day of publication, if it is known to the day."""
        return self.day if self.precision in (Precision.DAY, Precision.TIME) else None

    @property
    def last_day(self) -> date:
        """The last day it can have been published on: `day`, or the end of its month or year."""
        match self.precision:
            case Precision.YEAR:
                return date(self.day.year, 12, 31)
            case Precision.MONTH:
                return date(self.day.year, self.day.month, monthrange(self.day.year, self.day.month)[1])
            case _:
                return self.day

    def __str__(self) -> str:
        """ISO 8601, as precise as the day its source gave: `2021`, `2021-07` or `2021-07-07`."""
        length = {Precision.YEAR: 4, Precision.MONTH: 7}.get(self.precision, 10)
        return self.day.isoformat()[:length]

    @property
    def written(self) -> str:
        """As a reader writes it: `2021`, `July 2021`, `7 July 2021`."""
        shape = {Precision.YEAR: "%Y", Precision.MONTH: "%B %Y"}.get(self.precision, f"{self.day.day} %B %Y")
        return self.day.strftime(shape)

    @property
    def time(self) -> str | None:
        """The time of day that its source gave, with its zone if it has one: `10:00+04:30`, `15:07:41`."""
        clock = self.value.timetz() if isinstance(self.value, datetime) else self.clock
        return clock.isoformat("minutes" if not clock.second else "seconds") if clock else None


@dataclass(frozen=True, slots=True)
class Window:
    """Hard limits on what may be read: publication days (inclusive) and sources (all, if empty).

    An article without a date is outside of any window that has a day in it.
    """

    as_of: date | None = None
    since: date | None = None
    until: date | None = None
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("as_of", "since", "until"):
            value = getattr(self, name)
            if not isinstance(value, date | None) or isinstance(value, datetime):
                raise InputError(f"{name} of a Window is {value!r}; wanted a datetime.date, or None")
        if not isinstance(self.sources, tuple) or not all(isinstance(source, str) for source in self.sources):
            raise InputError(f"sources of a Window is {self.sources!r}; wanted a tuple of names")

    @property
    def last(self) -> date | None:
        """The last admitted day: the earlier of `as_of` and `until`."""
        return min((d for d in (self.as_of, self.until) if d), default=None)

    def narrowed(self, by: Window) -> Window:
        """What both admit; raises InputError if that is nothing."""
        if not by.limits or not self.limits:
            return by if by.limits else self
        since = max((d for d in (self.since, by.since) if d), default=None)
        as_of, until = (min((d for d in pair if d), default=None) for pair in zip(self._ends, by._ends, strict=True))
        wanted = {source.casefold() for source in by.sources or self.sources}
        sources = tuple(source for source in self.sources or by.sources if source.casefold() in wanted)
        found = Window(as_of, since, until, sources)
        if (wanted and not sources) or (since and found.last and since > found.last):
            raise InputError(f"nothing is both {self.limits} and {by.limits}; wanted limits that leave something")
        return found

    @property
    def _ends(self) -> tuple[date | None, date | None]:
        return self.as_of, self.until

    @property
    def limits(self) -> str | None:
        """What it admits, in words: `published up to 2021-07-10, by Harirud Post`; None if that is everything."""
        days = (("from", self.since), ("up to", self.last))
        dated = " ".join(f"{which} {day}" for which, day in days if day)
        parts = [f"published {dated}"] * bool(dated) + [f"by {' or '.join(self.sources)}"] * bool(self.sources)
        return ", ".join(parts) or None


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` up to, not including, `end` of a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """A news article; `id` comes from its source or its content, `sha256` from its normalized text."""

    id: str
    title: str
    text: str = field(repr=False)
    sha256: str
    source: str | None = None
    published: Published | None = None
    url: str | None = None
    author: str | None = None
    revision: int = 1
    orders: tuple[Span, ...] | None = field(default=None, compare=False, repr=False)
    """Its sentences that are addressed to a program; None if nobody has looked for them yet."""
    notes: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """What a reader should know of how it was read, such as that it is not whole; not stored."""
    place: str | None = field(default=None, compare=False, repr=False)
    """The file, feed or address that it was read from, with its id there; None if it was given as it is."""

    @property
    def known_day(self) -> date | None:
        """The day of publication, if it is known to the day."""
        return self.published.known_day if self.published else None

    @property
    def header(self) -> str:
        """Title, source and date: embedded and indexed with each passage, but no part of its text."""
        parts = (self.title, self.source, str(self.published) if self.published else None)
        return " | ".join(p for p in parts if p)


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences of an article: `article.text[start:end] == text`."""

    id: str
    article_id: str
    start: int
    end: int
    text: str

    def __post_init__(self) -> None:
        if self.end - self.start != len(self.text):
            raise ValueError(f"passage {self.id}: span {self.start}:{self.end} is not {len(self.text)} characters")


def passage_id(article: Article, span: Span) -> str:
    """The id of a passage: the same for the same span of the same text of an article."""
    return hashlib.sha256(f"{article.id}\0{article.sha256}\0{span.start}\0{span.end}".encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Ranks:
    """Where each retriever put a passage, from 1; None where it did not find it."""

    dense: int | None = None
    lexical: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage with its article; a higher score is better."""

    passage: Passage
    article: Article
    score: float
    ranks: Ranks = field(default_factory=Ranks)


@dataclass(frozen=True, slots=True, repr=False)
class SearchResult(Displayed):
    """The hits of a search, best first; `to_dict()` is the JSON contract."""

    question: str
    hits: tuple[Hit, ...]
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag search --json`."""
        return {
            "schema": 1,
            "question": self.question,
            "hits": [
                {"rank": n, "score": h.score, "passage": asdict(h.passage), "article": article_record(h.article)}
                for n, h in enumerate(self.hits, start=1)
            ],
            "timings": self.timings,
            "warnings": list(self.warnings),
        }

    def _brief(self) -> str:
        titles = "; ".join(hit.article.title for hit in self.hits[:3])
        return f"{len(self.hits)} hits for {self.question[:80]!r}: {titles}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be added, and why, in one line."""

    origin: str
    message: str


@dataclass(frozen=True, slots=True, repr=False)
class AddReport(Displayed):
    """What one `add` did, in numbers of articles; what failed was skipped."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    failed: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """The files in folders that no format is known for."""

    @property
    def found(self) -> int:
        """How many articles were read, whether or not they were new."""
        return self.added + self.updated + self.unchanged + self.duplicates

    def __add__(self, other: AddReport) -> AddReport:
        """The report of both; a warning that both have stands once."""
        return AddReport(
            added=self.added + other.added,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            duplicates=self.duplicates + other.duplicates,
            failed=(*self.failed, *other.failed),
            warnings=tuple(dict.fromkeys((*self.warnings, *other.warnings))),
            left_out=tuple(dict.fromkeys((*self.left_out, *other.left_out))),
        )

    def __str__(self) -> str:
        counts = (
            f"added {self.added}, updated {self.updated}, unchanged {self.unchanged}, "
            f"duplicates {self.duplicates}, failed {len(self.failed)}"
        )
        return f"{counts}, left out {len(self.left_out)}" if self.left_out else counts

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag add --json`."""
        return asdict(self)

    def _brief(self) -> str:
        return str(self)


def article_record(article: Article, *, key: str = "id") -> dict[str, Any]:
    """What identifies an article, for JSON and tables; `key` is the name of its id."""
    return {
        key: article.id,
        "title": article.title,
        "source": article.source,
        "published": str(article.published) if article.published else None,
        "url": article.url,
    }
