"""What the program did with a case, as it is kept in a file of results."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pydantic import TypeAdapter

from rag.evaluation.identity import Identity
from rag.evaluation.load import CaseSet
from rag.schema import Check, Dispute, Reason, Status, Usage, Verdict


@dataclass(frozen=True, slots=True)
class Place:
    """Characters `start` up to, not including, `end` of an article."""

    article: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation; `valid` if the quote stands there in the article as the library has it."""

    number: int
    article: str
    published: date | None
    start: int
    end: int
    quote: str
    valid: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A hit; `published` is the last day that its article can have been published on."""

    article: str
    published: date | None
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Told:
    """A statement; `shown` has its editorial marks.

    `entailed` tells whether what it cites supports it, checked anew; `needed` which of its citations take part in that.
    """

    text: str
    shown: str
    verdict: Verdict
    speaker: str | None
    outlets: int
    cites: tuple[int, ...]
    checks: tuple[Check, ...]
    entailed: bool
    needed: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Laid:
    """A conflict: its kind, and each position as it is shown."""

    kind: Dispute
    positions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grades:
    """What a judge makes of an answer: for each claim, then for each forbidden one, whether it is made."""

    judge: str
    claims: tuple[bool, ...]
    forbidden: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case; with an `error`, nothing did.

    `seen` are the days of publication of all that was shown or told of beside hits and citations, `events` what a
    timeline tells of each day.
    """

    case: str
    text: str = ""
    status: Status | None = None
    reason: Reason | None = None
    statements: tuple[Told, ...] = ()
    citations: tuple[Cited, ...] = ()
    hits: tuple[Found, ...] = ()
    conflicts: tuple[Laid, ...] = ()
    seen: tuple[date | None, ...] = ()
    gold: tuple[Place, ...] = ()
    """Where the evidence of the case stands."""
    events: dict[date, str] | None = None
    rivals: dict[str, str] = field(default_factory=dict)
    """What was said in as many words by rules that take no thought."""
    verdict: Verdict | None = None
    mode: str = "offline"
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    grades: Grades | None = None
    error: str | None = None

    @property
    def abstained(self) -> bool:
        return self.status is Status.ABSTAINED

    @property
    def said(self) -> str:
        """The statements, one after another, as they are shown."""
        return " ".join(statement.shown for statement in self.statements)


RESULT: TypeAdapter[Result] = TypeAdapter(Result)
"""Reads a result from JSON, and writes it."""


@dataclass(frozen=True, slots=True)
class Run:
    """A set with its results, a tuple for each time, in the order of the cases."""

    set: CaseSet
    identity: Identity
    repeats: tuple[tuple[Result, ...], ...]
