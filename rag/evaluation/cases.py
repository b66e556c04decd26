"""The schema of a case: what is asked in which window, with the gold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter
from pydantic.dataclasses import dataclass

from rag.schema import Dispute, Reason, Turn, Verdict, Window

_STRICT = ConfigDict(extra="forbid", strict=True)
_Text: TypeAlias = Annotated[str, Field(pattern=r"\S")]
_Count: TypeAlias = Annotated[int, Field(ge=1)]


class Task(StrEnum):
    """What the program is asked to do."""

    QA = "qa"
    SEARCH = "search"
    SUMMARY = "summary"
    TIMELINE = "timeline"
    CHECK = "check"


@dataclass(frozen=True, slots=True, config=_STRICT)
class Claim:
    """What a text says, told by strings: one of each group has to be in it, ignoring case."""

    text: _Text
    any_of: Annotated[tuple[Annotated[tuple[_Text, ...], Field(min_length=1)], ...], Field(min_length=1)]
    vital: bool = True

    def is_in(self, text: str) -> bool:
        lowered = text.casefold()
        return all(any(string.casefold() in lowered for string in group) for group in self.any_of)


@dataclass(frozen=True, slots=True, config=_STRICT)
class Evidence:
    """A verbatim quote of an article; without one, the quote stands for itself, with a title and a day."""

    quote: _Text
    article: str | None = None
    title: str = ""
    published: date | None = None


@dataclass(frozen=True, slots=True, config=_STRICT)
class Disagreement:
    """What an answer lays side by side; for each position the strings that one of its values or quotes has."""

    kind: Dispute
    values: Annotated[tuple[tuple[_Text, ...], ...], Field(min_length=2)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Exchange:
    """An earlier question of the conversation, with the answer it got."""

    question: _Text
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Asked:
    """What all cases have: `type` groups them within their set, `provenance` tells where a case is from."""

    id: _Text
    type: str = ""
    as_of: date | None = None
    since: date | None = None
    until: date | None = None
    sources: tuple[_Text, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    forbidden: tuple[Claim, ...] = ()
    """What must not be said, such as what was only known after `as_of`."""
    provenance: dict[str, Any] | None = None

    @property
    def window(self) -> Window:
        return Window(self.as_of, self.since, self.until, self.sources)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class QaCase(Asked):
    """A question, with what a right answer says and has; `turns` are asked before it, `history` is given."""

    task: Literal[Task.QA] = Task.QA
    question: _Text
    turns: tuple[_Text, ...] = ()
    history: tuple[Exchange, ...] = ()
    answerable: bool
    claims: tuple[Claim, ...]
    reason: Reason | None = None
    """Why it abstains."""
    conflicts: tuple[Disagreement, ...] = ()
    independent: _Count | None = None
    """How many independent outlets report the statement with the vital claims."""
    speaker: tuple[_Text, ...] = ()
    """Any of these is in the name of who says the statement with the vital claims."""

    @property
    def told(self) -> tuple[Turn, ...]:
        """The conversation that is given."""
        return tuple(Turn(turn.question, turn.answer) for turn in self.history)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class SearchCase(Asked):
    """A question, with the evidence that a search finds."""

    task: Literal[Task.SEARCH]
    question: _Text
    history: tuple[Exchange, ...] = ()
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1)]

    @property
    def told(self) -> tuple[Turn, ...]:
        """The conversation that is given."""
        return tuple(Turn(turn.question, turn.answer) for turn in self.history)


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class SummaryCase(Asked):
    """What is to be summarized in how many words, the claims that it should make, and a summary by a person."""

    task: Literal[Task.SUMMARY]
    articles: tuple[_Text, ...] = ()
    topic: _Text | None = None
    words: _Count
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class TimelineCase(Asked):
    """A topic, at most how many events, and the events of a timeline by a person, by day."""

    task: Literal[Task.TIMELINE]
    articles: tuple[_Text, ...] = ()
    topic: _Text | None = None
    max_events: _Count = 10
    events: Annotated[dict[date, str], Field(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class CheckCase(Asked):
    """A claim, with the quotes it cites or the text it is said to be from, and the right verdict.

    `type` is what was altered, or could have been; `of` names the true claim that an altered one was made of. Where
    all that is known is whether it is `supported`, there is no `verdict`.
    """

    task: Literal[Task.CHECK]
    text: _Text
    against: _Text | None = None
    verdict: Literal[Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.CONTRADICTED] | None = None
    supported: bool | None = None
    of: str | None = None

    def __post_init__(self) -> None:
        if (self.verdict is None) is (self.supported is None):
            raise ValueError("wanted either a verdict, or whether it is supported")
        if bool(self.evidence) is bool(self.against):
            raise ValueError("wanted either evidence, or a text that it is checked against")

    @property
    def is_true(self) -> bool:
        """Whether what it is checked against supports it."""
        return bool(self.supported) or self.verdict is Verdict.SUPPORTED


def _task(record: Any) -> str:
    """The task of a record that is read, or of a case that is written."""
    task = record.get("task") if isinstance(record, Mapping) else getattr(record, "task", None)
    return str(task or Task.QA)


Case: TypeAlias = QaCase | SearchCase | SummaryCase | TimelineCase | CheckCase
_Tagged: TypeAlias = Annotated[
    Annotated[QaCase, Tag(Task.QA)]
    | Annotated[SearchCase, Tag(Task.SEARCH)]
    | Annotated[SummaryCase, Tag(Task.SUMMARY)]
    | Annotated[TimelineCase, Tag(Task.TIMELINE)]
    | Annotated[CheckCase, Tag(Task.CHECK)],
    Discriminator(_task),
]
CASE: TypeAdapter[Case] = TypeAdapter(_Tagged)
"""Reads a case from JSON, and writes it."""


def schema() -> dict[str, Any]:
    """The JSON schema of a case."""
    return CASE.json_schema()
