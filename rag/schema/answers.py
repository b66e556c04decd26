"""Answers: what the articles say to a question, or why they say nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from rag.schema.articles import Hit, Published, Window
from rag.schema.display import Displayed
from rag.schema.statements import (
    Citation,
    Conflict,
    Statement,
    citation_dict,
    conflict_dict,
    heading,
    marked,
    statement_dict,
)


class Status(StrEnum):
    """How much of a question an answer answers."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    ABSTAINED = "abstained"


class Reason(StrEnum):
    """Why an answer is partial or abstained."""

    NOT_IN_ARTICLES = "not_in_articles"
    OUTSIDE_DATES = "outside_dates"
    UNCLEAR = "unclear"
    UNSUPPORTED = "unsupported"


class Mode(StrEnum):
    """Who wrote a result: the articles, whose sentences it is made of, or a language model."""

    OFFLINE = "offline"
    LLM = "llm"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and their cost in US dollars; `estimated` if any part of it was not counted by the model's server.

    `unpriced` if a part of it has no known price, and so is not in the cost.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    estimated: bool = False
    unpriced: bool = False

    @property
    def price(self) -> str:
        """The cost in words."""
        if not self.unpriced:
            return f"${self.cost:.4f}"
        return f"${self.cost:.4f} and what has no known price" if self.cost else "price unknown"

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost + other.cost,
            self.estimated or other.estimated,
            self.unpriced or other.unpriced,
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the same conversation, with what it was answered, and what that cited, if it is known."""

    question: str
    answer: str
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Pointer:
    """An article outside the window, of which only the title and date are shown."""

    title: str
    published: Published | None

    def __str__(self) -> str:
        return f"“{self.title}”" + (f" ({self.published})" if self.published else "")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CitedResult(Displayed):
    """What an answer, a summary and a timeline have in common; `to_dict()` is the JSON contract."""

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
    def text(self) -> str:
        """The whole result as plain text."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag ask`, `rag summarize` and `rag timeline` with `--json`."""
        return {
            "schema": 1,
            **self._request(),
            "status": self.status.value,
            "reason": self.reason.value if self.reason else None,
            "text": self.text,
            **self._content(),
            "citations": [citation_dict(c) for c in self.citations],
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "mode": self.mode,
            "model": self.model,
            "usage": {name: value for name, value in asdict(self.usage).items() if name != "unpriced" or value},
            "timings": self.timings,
            "warnings": list(self.warnings),
        }

    def _brief(self) -> str:
        sources = f"{len(self.citations)} source{'' if len(self.citations) == 1 else 's'}"
        return f"{self.status.value}, {sources}: {self.text}"

    def _request(self) -> dict[str, Any]:
        """The keys for what was asked."""
        raise NotImplementedError

    def _content(self) -> dict[str, Any]:
        """The keys for what was found."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, repr=False)
class Answer(CitedResult):
    """What the articles say to a question."""

    question: str
    standalone_question: str
    statements: tuple[Statement, ...] = ()
    hits: tuple[Hit, ...] = ()
    nearest: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    outside: tuple[Pointer, ...] = ()
    """The articles nearest to a question for which the window leaves none; none of them published after `as_of`."""
    window: Window = field(default_factory=Window)
    premises: tuple[str, ...] = ()
    """What the question says and what is cited does not, a sentence each; empty if the answer is sure."""

    @property
    def text(self) -> str:
        """The statements with their citation marks, or one sentence that says why there are none.

        The sides of a conflict are lines of their own.
        """
        if not self.statements:
            parts = [_ABSTAINED[self.reason or Reason.NOT_IN_ARTICLES]]
            if self.outside:
                parts.append(f"Nearest outside of them: {'; '.join(map(str, self.outside))}.")
            return " ".join(parts)
        plain = " ".join(marked(s) for s in self.statements if s.side is None)
        sides = [s for s in self.statements if s.side is not None]
        lines = [heading(sides[0]), *map(marked, sides)] if sides else []
        lines += [line for conflict in self.conflicts for line in conflict.lines(self.statements)]
        return "\n".join(filter(None, (plain, *lines)))

    def _request(self) -> dict[str, Any]:
        return {"question": self.question, "standalone_question": self.standalone_question}

    def _content(self) -> dict[str, Any]:
        days = {"since": self.window.since, "until": self.window.until}
        content: dict[str, Any] = {
            "statements": [statement_dict(s) for s in self.statements],
            "conflicts": [conflict_dict(c) for c in self.conflicts],
            "nearest": [citation_dict(c) for c in self.nearest],
        }
        if self.outside:
            content["outside"] = [
                {"title": p.title, "published": str(p.published) if p.published else None} for p in self.outside
            ]
        if self.premises:
            content["premises"] = list(self.premises)
        content |= {name: day.isoformat() for name, day in days.items() if day}
        return content | ({"sources": list(self.window.sources)} if self.window.sources else {})


_ABSTAINED = {
    Reason.NOT_IN_ARTICLES: "The articles do not answer this question.",
    Reason.OUTSIDE_DATES: "No article within the given dates and sources answers this question.",
    Reason.UNCLEAR: "The question is not clear enough to look for an answer.",
    Reason.UNSUPPORTED: "No answer to this question passed the check against the articles.",
}
