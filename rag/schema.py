"""The frozen types that flow from stage to stage."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class Precision(StrEnum):
    """How much of a date its source gave."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    TIME = "time"


class Status(StrEnum):
    """How much of a question an answer answers."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    ABSTAINED = "abstained"


class Reason(StrEnum):
    """Why an answer is partial or abstained."""

    NOT_IN_ARTICLES = "not_in_articles"
    OUTSIDE_DATES = "outside_dates"
    SOURCES_DISAGREE = "sources_disagree"
    UNCLEAR = "unclear"
    UNSUPPORTED = "unsupported"


class Verdict(StrEnum):
    """What the check of a statement against its cited spans found."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Published:
    """When an article was published: a `date`, or an aware `datetime` where the source gave the time and zone."""

    value: date | datetime
    precision: Precision

    def __post_init__(self) -> None:
        if isinstance(self.value, datetime) and self.value.tzinfo is None:
            raise ValueError(f"published datetime {self.value} has no time zone; pass an aware one or a date")

    @property
    def day(self) -> date:
        """The calendar day where it was published (the first one, if only the month or year is known)."""
        return self.value.date() if isinstance(self.value, datetime) else self.value

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


@dataclass(frozen=True, slots=True)
class Window:
    """Hard limits on what may be read: publication days (inclusive) and sources (all, if empty).

    An article without a date is outside of any window that has a day in it.
    """

    as_of: date | None = None
    since: date | None = None
    until: date | None = None
    sources: tuple[str, ...] = ()

    @property
    def last(self) -> date | None:
        """The last admitted day: the earlier of `as_of` and `until`."""
        return min((d for d in (self.as_of, self.until) if d), default=None)

    @property
    def dated(self) -> bool:
        """Whether it limits the publication day."""
        return bool(self.since or self.last)


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the same conversation, with what it was answered, and what that cited, if it is known."""

    question: str
    answer: str
    citations: tuple[Citation, ...] = ()


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
    text: str
    sha256: str
    source: str | None = None
    published: Published | None = None
    url: str | None = None
    author: str | None = None
    revision: int = 1


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


@dataclass(frozen=True, slots=True)
class SearchResult:
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
            "hits": [_hit(rank, hit) for rank, hit in enumerate(self.hits, start=1)],
            "timings": self.timings,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered span of an article: `article.text[start:end] == quote`; any other cannot be constructed."""

    number: int
    article: Article
    passage_id: str
    start: int
    end: int
    quote: str

    def __post_init__(self) -> None:
        if not self.quote or self.article.text[self.start : self.end] != self.quote:
            raise ValueError(
                f"citation {self.number}: {self.quote[:40]!r} is not at {self.start}:{self.end} of {self.article.id}"
            )


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared: a number, date, name, quote, ..."""

    kind: str
    expected: str
    found: str | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model thinks of a statement, and why, in one line; UNCHECKED if it gave no opinion."""

    model: str
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, with what it cites and what the check of it found."""

    text: str
    citations: tuple[Citation, ...]
    verdict: Verdict = Verdict.UNCHECKED
    checks: tuple[Check, ...] = ()
    speaker: str | None = None
    opinion: Opinion | None = None

    @property
    def doubt(self) -> str | None:
        """What a reader must be told of it, in a few words; None if it is supported."""
        return _DOUBTS.get(self.verdict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and their cost in US dollars; `estimated` if any part of it was not counted by the model's server."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost + other.cost,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the articles say to a question; `text` renders it, `to_dict()` is the JSON contract."""

    question: str
    standalone_question: str
    status: Status
    reason: Reason | None = None
    statements: tuple[Statement, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = ()
    nearest: tuple[Citation, ...] = ()
    conflicts: tuple[dict[str, Any], ...] = ()
    as_of: date | None = None
    mode: str = "offline"
    model: str | None = None
    usage: Usage = Usage()
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The statements with their citation marks, or one sentence that says why there are none."""
        if not self.statements:
            return _ABSTAINED[self.reason or Reason.NOT_IN_ARTICLES]
        return " ".join(map(_marked, self.statements))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag ask --json`."""
        return {
            "schema": 1,
            "question": self.question,
            "standalone_question": self.standalone_question,
            "status": self.status.value,
            "reason": self.reason.value if self.reason else None,
            "text": self.text,
            "statements": [_statement(s) for s in self.statements],
            "citations": [_citation(c) for c in self.citations],
            "conflicts": list(self.conflicts),
            "nearest": [_citation(c) for c in self.nearest],
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "mode": self.mode,
            "model": self.model,
            "usage": asdict(self.usage),
            "timings": self.timings,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be added, and why, in one line."""

    origin: str
    message: str


@dataclass(frozen=True, slots=True)
class AddReport:
    """What one `add` did, in numbers of articles; what failed was skipped."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    failed: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"added {self.added}, updated {self.updated}, unchanged {self.unchanged}, "
            f"duplicates {self.duplicates}, failed {len(self.failed)}"
        )


_ABSTAINED = {
    Reason.NOT_IN_ARTICLES: "The articles do not answer this question.",
    Reason.OUTSIDE_DATES: "No article within the given dates and sources answers this question.",
    Reason.SOURCES_DISAGREE: "The articles disagree on this question.",
    Reason.UNCLEAR: "The question is not clear enough to look for an answer.",
    Reason.UNSUPPORTED: "No answer to this question passed the check against the articles.",
}


_DOUBTS = {
    Verdict.UNSUPPORTED: "not supported by what it cites",
    Verdict.CONTRADICTED: "contradicted by what it cites",
    Verdict.UNCHECKED: "not checked",
}


def _marked(statement: Statement) -> str:
    marks = "".join(f"[{citation.number}]" for citation in statement.citations)
    return " ".join(filter(None, (statement.text, marks, f"({statement.doubt})" if statement.doubt else "")))


def _statement(statement: Statement) -> dict[str, Any]:
    opinion = {"judge": asdict(statement.opinion)} if statement.opinion else {}
    return opinion | {
        "text": statement.text,
        "citations": [c.number for c in statement.citations],
        "verdict": statement.verdict.value,
        "speaker": statement.speaker,
        "checks": [asdict(c) for c in statement.checks],
    }


def _hit(rank: int, hit: Hit) -> dict[str, Any]:
    article = hit.article
    return {
        "rank": rank,
        "score": hit.score,
        "passage": asdict(hit.passage),
        "article": {
            "id": article.id,
            "title": article.title,
            "source": article.source,
            "published": str(article.published) if article.published else None,
            "url": article.url,
        },
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "article_id": citation.article.id,
        "title": citation.article.title,
        "source": citation.article.source,
        "published": str(citation.article.published) if citation.article.published else None,
        "url": citation.article.url,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }
