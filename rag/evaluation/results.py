"""What the program did with a case, as it is kept in a file of results."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pydantic import TypeAdapter

from rag.evaluation.cases import CaseSet
from rag.schema import Check, Dispute, Reason, Status, Usage, Verdict


@dataclass(frozen=True, slots=True)
class Place:
    """Characters `start` up to, not including, `end` of an article."""

    article: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CitedPlace:
    """A citation; `valid` if the article in the library has the quote at that place."""

    number: int
    article: str
    published: date | None
    start: int
    end: int
    quote: str
    valid: bool


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A hit; `published` is the last day that its article can have been published on."""

    article: str
    published: date | None
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class CheckedStatement:
    """A statement; `shown` has its editorial marks.

    `entailed` says whether what it cites supports it, checked anew; `needed` which of its citations take part in that.
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
class ShownConflict:
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

    `gold` is where the evidence of the case is; `seen` are the days of publication of all that was shown or named
    beside hits and citations; `events` is what a timeline says of each day.
    """

    case: str
    text: str = ""
    status: Status | None = None
    reason: Reason | None = None
    statements: tuple[CheckedStatement, ...] = ()
    citations: tuple[CitedPlace, ...] = ()
    hits: tuple[FoundPlace, ...] = ()
    conflicts: tuple[ShownConflict, ...] = ()
    seen: tuple[date | None, ...] = ()
    gold: tuple[Place, ...] = ()
    events: dict[date, str] | None = None
    verdict: Verdict | None = None
    mode: str = "offline"
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    premises: tuple[str, ...] = ()
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
class Identity:
    """What gave the results: two runs that agree in it give the same, but for what a model makes up.

    `code`, `prompts` and `corpus` are SHA-256 digests: of the package's sources, of the prompts, and of the articles
    as the library has them.
    """

    version: str
    code: str
    prompts: str
    corpus: str
    embeddings: str | None
    model: str | None
    judge: str | None
    k: int


@dataclass(frozen=True, slots=True)
class Run:
    """A set with its results, in the order of the cases."""

    set: CaseSet
    identity: Identity
    results: tuple[Result, ...]
