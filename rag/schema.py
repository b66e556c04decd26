"""The frozen types that flow from stage to stage."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import chain, pairwise, zip_longest
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


class Mode(StrEnum):
    """Who wrote a result: the articles, whose sentences it is made of, or a language model."""

    OFFLINE = "offline"
    LLM = "llm"


class Length(StrEnum):
    """How long a summary may be: about 60, 120 or 250 words."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


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

    @property
    def limits(self) -> str | None:
        """What it admits, in words: `published up to 2021-07-10, by Harirud Post`; None if that is everything."""
        days = (("from", self.since), ("up to", self.last))
        dated = " ".join(f"{which} {day}" for which, day in days if day)
        parts = [f"published {dated}"] * bool(dated) + [f"by {' or '.join(self.sources)}"] * bool(self.sources)
        return ", ".join(parts) or None


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
    orders: tuple[Span, ...] | None = field(default=None, compare=False, repr=False)
    """Its sentences that are addressed to a program; None if nobody has looked for them yet."""

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
    answer: Span | None = None
    """The short span inside it, in the article, that answers the question."""

    def __post_init__(self) -> None:
        if not self.quote or self.article.text[self.start : self.end] != self.quote:
            raise ValueError(
                f"citation {self.number}: {self.quote[:40]!r} is not at {self.start}:{self.end} of {self.article.id}"
            )
        if self.answer and not self.start <= self.answer.start < self.answer.end <= self.end:
            raise ValueError(
                f"citation {self.number}: its answer is at {self.answer}, wanted inside {self.start}:{self.end}"
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
class Note:
    """An editorial mark at a place of a statement's text, which is no part of it: `on Wednesday [7 July 2021]`."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer, with what it cites and what the check of it found."""

    text: str
    citations: tuple[Citation, ...]
    verdict: Verdict = Verdict.UNCHECKED
    checks: tuple[Check, ...] = ()
    speaker: str | None = None
    opinion: Opinion | None = None
    outlets: tuple[str, ...] = ()
    """The outlets that report it independently of one another, the first one first; copies count as their original."""
    notes: tuple[Note, ...] = ()
    """What is shown in its text in square brackets, in the order of the places."""

    @property
    def shown(self) -> str:
        """Its text with the notes in it."""
        places = [0, *(note.at for note in self.notes), len(self.text)]
        parts = [self.text[a:b] for a, b in pairwise(places)]
        marks = [f"[{n.text}] " if n.at == 0 or self.text[n.at - 1].isspace() else f" [{n.text}]" for n in self.notes]
        return "".join(chain.from_iterable(zip_longest(parts, marks, fillvalue="")))

    @property
    def doubt(self) -> str | None:
        """What a reader must be told of it, in a few words; None if it is supported."""
        return _DOUBTS.get(self.verdict)

    @property
    def reach(self) -> str | None:
        """How many outlets report it, in a few words; None if it is one, or not known."""
        return f"reported by {len(self.outlets)} independent outlets" if len(self.outlets) > 1 else None


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


class Dispute(StrEnum):
    """How what sources say differs: at the same time, or because the later one knows better."""

    CONFLICT = "conflict"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Position:
    """What one source says: a value, or whether it is so; with the sentence, and who says it if that is known."""

    value: str
    citation: Citation
    speaker: str | None = None

    def __str__(self) -> str:
        """The quote with its mark, and who says it where and when."""
        article, quote = self.citation.article, " ".join(self.citation.quote.split())
        origin = ", ".join(filter(None, (self.speaker, article.source, str(article.published or ""))))
        return f"“{quote}” ({origin}) [{self.citation.number}]" if origin else f"“{quote}” [{self.citation.number}]"


@dataclass(frozen=True, slots=True)
class Conflict:
    """The positions of sources that differ on a topic, the latest first."""

    kind: Dispute
    topic: str
    positions: tuple[Position, ...]

    def __str__(self) -> str:
        told = "; ".join(map(str, self.positions if self.kind is Dispute.CONFLICT else self.positions[1:]))
        return f"{_DISPUTES[self.kind]}: {told}."


@dataclass(frozen=True, slots=True)
class Pointer:
    """An article that a window keeps out, told of by its title and date alone."""

    title: str
    published: Published | None

    def __str__(self) -> str:
        return f"“{self.title}”" + (f" ({self.published})" if self.published else "")


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
    conflicts: tuple[Conflict, ...] = ()
    outside: tuple[Pointer, ...] = ()
    """The articles nearest to a question for which the window leaves none; none of them published after `as_of`."""
    as_of: date | None = None
    window: Window = Window()
    mode: Mode = Mode.OFFLINE
    model: str | None = None
    usage: Usage = Usage()
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The statements with their citation marks, or one sentence that says why there are none."""
        if not self.statements:
            told = [_ABSTAINED[self.reason or Reason.NOT_IN_ARTICLES]]
            if self.outside:
                told.append(f"Nearest outside of them: {'; '.join(map(str, self.outside))}.")
            return " ".join(told)
        return " ".join((*map(_marked, self.statements), *map(str, self.conflicts)))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag ask --json`."""
        record: dict[str, Any] = {
            "schema": 1,
            "question": self.question,
            "standalone_question": self.standalone_question,
            "status": self.status.value,
            "reason": self.reason.value if self.reason else None,
            "text": self.text,
            "statements": [_statement(s) for s in self.statements],
            "citations": [_citation(c) for c in self.citations],
            "conflicts": [_conflict(c) for c in self.conflicts],
            "nearest": [_citation(c) for c in self.nearest],
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "mode": self.mode,
            "model": self.model,
            "usage": asdict(self.usage),
            "timings": self.timings,
            "warnings": list(self.warnings),
        }
        if self.outside:
            record["outside"] = [_pointer(p) for p in self.outside]
        return record | _limits(self.window)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a summary under its own heading; `note` says why it has no statements, or what is behind them."""

    heading: str
    statements: tuple[Statement, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What articles say, the weightiest first; `text` renders it, `to_dict()` is the JSON contract.

    `topic` is None if it is of the articles as they are. A briefing has `sections`, whose statements are those of
    `statements`, in order.
    """

    topic: str | None
    articles: tuple[Article, ...]
    statements: tuple[Statement, ...] = ()
    sections: tuple[Section, ...] = ()
    status: Status = Status.ANSWERED
    reason: Reason | None = None
    citations: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    """What the articles say differently on what the statements tell."""
    as_of: date | None = None
    mode: Mode = Mode.OFFLINE
    model: str | None = None
    usage: Usage = Usage()
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def headline(self) -> str | None:
        """The one sentence that says most; it is the first statement."""
        return self.statements[0].text if self.statements else None

    @property
    def words(self) -> int:
        """How many words the statements have."""
        return sum(len(statement.text.split()) for statement in self.statements)

    @property
    def text(self) -> str:
        """The statements with their citation marks, a line each, or one sentence that says why there are none."""
        if not self.statements:
            return _NOTHING[self.reason or Reason.NOT_IN_ARTICLES]
        if not self.sections:
            return "\n".join((*map(_marked, self.statements), *map(str, self.conflicts)))
        return "\n\n".join(map(_section_text, self.sections))

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag summarize --json`."""
        record: dict[str, Any] = {
            "schema": 1,
            "topic": self.topic,
            "status": self.status.value,
            "reason": self.reason.value if self.reason else None,
            "headline": self.headline,
            "text": self.text,
            "statements": [_statement(s) for s in self.statements],
            "sections": [_section(s) for s in self.sections],
            "citations": [_citation(c) for c in self.citations],
            "articles": [article.id for article in self.articles],
            "words": self.words,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "mode": self.mode,
            "model": self.model,
            "usage": asdict(self.usage),
            "timings": self.timings,
            "warnings": list(self.warnings),
        }
        return record | ({"conflicts": [_conflict(c) for c in self.conflicts]} if self.conflicts else {})


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, or was to happen, at a date of this precision, by one statement.

    `stated` tells whether the articles give the date; else it is the day on which they were published. `rank` is 1 for
    the most important event of its timeline.
    """

    date: date
    precision: Precision
    statement: Statement
    stated: bool = True
    rank: int = 1

    @property
    def day(self) -> str:
        """ISO 8601, as precise as the date is: `2021`, `2021-07` or `2021-07-07`."""
        return str(Published(self.date, self.precision))


@dataclass(frozen=True, slots=True)
class Timeline:
    """The most important events that articles tell, earliest first; `to_dict()` is the JSON contract."""

    topic: str | None
    articles: tuple[Article, ...]
    events: tuple[Event, ...] = ()
    status: Status = Status.ANSWERED
    reason: Reason | None = None
    citations: tuple[Citation, ...] = ()
    as_of: date | None = None
    mode: Mode = Mode.OFFLINE
    model: str | None = None
    usage: Usage = Usage()
    timings: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Those of the events, in their order."""
        return tuple(event.statement for event in self.events)

    @property
    def text(self) -> str:
        """A line for each event, or one sentence that says why there are none."""
        if not self.events:
            return _NOTHING[self.reason or Reason.NOT_IN_ARTICLES]
        return "\n".join(f"{event.day}: {_marked(event.statement)}" for event in self.events)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag timeline --json`."""
        return {
            "schema": 1,
            "topic": self.topic,
            "status": self.status.value,
            "reason": self.reason.value if self.reason else None,
            "text": self.text,
            "events": [_event(event) for event in self.events],
            "citations": [_citation(c) for c in self.citations],
            "articles": [article.id for article in self.articles],
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

    def __add__(self, other: AddReport) -> AddReport:
        """The report of both; a warning that both have stands once."""
        return AddReport(
            added=self.added + other.added,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            duplicates=self.duplicates + other.duplicates,
            failed=(*self.failed, *other.failed),
            warnings=tuple(dict.fromkeys((*self.warnings, *other.warnings))),
        )

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

_NOTHING = {
    Reason.NOT_IN_ARTICLES: "The articles say nothing on this topic.",
    Reason.OUTSIDE_DATES: "No article within the given dates and sources says anything on this.",
    Reason.SOURCES_DISAGREE: "The articles disagree on this topic.",
    Reason.UNCLEAR: "The topic is not clear enough to look for.",
    Reason.UNSUPPORTED: "Nothing that was written on this passed the check against the articles.",
}

_DISPUTES = {Dispute.CONFLICT: "Sources differ", Dispute.SUPERSEDED: "Reported before"}


_DOUBTS = {
    Verdict.UNSUPPORTED: "not supported by what it cites",
    Verdict.CONTRADICTED: "contradicted by what it cites",
    Verdict.UNCHECKED: "not checked",
}


def _marked(statement: Statement) -> str:
    marks = "".join(f"[{citation.number}]" for citation in statement.citations)
    notes = (f"({note})" for note in (statement.reach, statement.doubt) if note)
    return " ".join(filter(None, (statement.shown, marks, *notes)))


def _limits(window: Window) -> dict[str, Any]:
    """What limits a window beside `as_of`; only what is set."""
    days = {"since": window.since, "until": window.until}
    found: dict[str, Any] = {name: day.isoformat() for name, day in days.items() if day}
    return found | ({"sources": list(window.sources)} if window.sources else {})


def _statement(statement: Statement) -> dict[str, Any]:
    found: dict[str, Any] = {
        "text": statement.text,
        "citations": [c.number for c in statement.citations],
        "verdict": statement.verdict.value,
        "speaker": statement.speaker,
        "checks": [asdict(c) for c in statement.checks],
    }
    if len(statement.outlets) > 1:
        found["outlets"] = list(statement.outlets)
    if statement.notes:
        found["notes"] = [asdict(note) for note in statement.notes]
    if statement.opinion:
        found["judge"] = asdict(statement.opinion)
    return found


def _section_text(section: Section) -> str:
    note = [section.note] if section.note else []
    return "\n".join((section.heading, *map(_marked, section.statements), *note))


def _section(section: Section) -> dict[str, Any]:
    statements = [_statement(s) for s in section.statements]
    return {"heading": section.heading, "statements": statements, "note": section.note}


def _event(event: Event) -> dict[str, Any]:
    return {
        "date": event.day,
        "precision": event.precision.value,
        "stated": event.stated,
        "rank": event.rank,
        "statement": _statement(event.statement),
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


def conflicts_record(topic: str | None, conflicts: Sequence[Conflict]) -> dict[str, Any]:
    """The JSON of `rag conflicts --json`."""
    citations = [position.citation for conflict in conflicts for position in conflict.positions]
    return {
        "schema": 1,
        "topic": topic,
        "conflicts": [_conflict(conflict) for conflict in conflicts],
        "citations": [_citation(citation) for citation in citations],
    }


def _conflict(conflict: Conflict) -> dict[str, Any]:
    return {
        "kind": conflict.kind.value,
        "topic": conflict.topic,
        "positions": [
            {
                "value": position.value,
                "speaker": position.speaker,
                "source": position.citation.article.source,
                "published": str(position.citation.article.published or "") or None,
                "citation": position.citation.number,
            }
            for position in conflict.positions
        ],
    }


def _pointer(pointer: Pointer) -> dict[str, Any]:
    return {"title": pointer.title, "published": str(pointer.published) if pointer.published else None}


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
        "answer": {"start": citation.answer.start, "end": citation.answer.end} if citation.answer else None,
    }
