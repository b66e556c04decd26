"""Statements: what they cite, what the check of them found, and where the articles differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import chain, pairwise, zip_longest
from typing import Any

from rag.schema.articles import Article, Span, article_record

CHOSEN = "chosen"
"""The kind of a check that says that the program chose the citation."""
DENIAL = "denial"
"""The kind of a check that says that the article denies it right behind what is cited; it changes no verdict."""


class Verdict(StrEnum):
    """What the check of a statement against its cited spans found."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"
    UNCHECKED = "unchecked"


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

    @property
    def origin(self) -> str:
        """The outlet and the date of its article, as far as they are known."""
        article = self.article
        return ", ".join(filter(None, (article.source, article.published.written if article.published else None)))

    def contains(self, other: Citation) -> bool:
        """Whether the span of another one is in its own."""
        return self.article.id == other.article.id and self.start <= other.start and other.end <= self.end


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
    unsure: bool = False
    """Whether it is a likely answer only, which is shown behind "Possibly:"."""
    side: str | None = None
    """What sources differ on, if it is what one of them says; empty if that has no name."""

    def cites(self, citation: Citation) -> bool:
        """Whether the span of a citation is in one that it cites."""
        return any(own.contains(citation) for own in self.citations)

    @property
    def shown(self) -> str:
        """Its text with the notes in it."""
        places = [0, *(note.at for note in self.notes), len(self.text)]
        parts = [self.text[a:b] for a, b in pairwise(places)]
        marks = [f"[{n.text}] " if n.at == 0 or self.text[n.at - 1].isspace() else f" [{n.text}]" for n in self.notes]
        return "".join(chain.from_iterable(zip_longest(parts, marks, fillvalue="")))

    @property
    def doubt(self) -> str | None:
        """What a reader must know of it, in a few words; None if it is supported."""
        return _DOUBTS.get(self.verdict)

    @property
    def chosen(self) -> str | None:
        """That the program chose what it cites, as the quotes of the model are in no passage, or None."""
        return _CHOSEN if any(check.kind == CHOSEN for check in self.checks) else None

    @property
    def denied(self) -> str | None:
        """The sentence in which its article goes on to deny it, behind a few words, or None."""
        return next((f"the article adds: “{check.found}”" for check in self.checks if check.kind == DENIAL), None)

    @property
    def reach(self) -> str | None:
        """How many outlets report it, in a few words; None if it is one, or not known."""
        return f"reported by {len(self.outlets)} independent outlets" if len(self.outlets) > 1 else None


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
        quote = " ".join(self.citation.quote.split())
        said = f" ({self.speaker})" if self.speaker and self.speaker not in quote else ""
        return f"“{quote}”{said} [{self.citation.number}] {self.citation.origin}".rstrip()


NO_CONFLICT = "No conflict was found that is sure enough to show; many are not recognized."
"""What is said where none is shown."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """The positions of sources that differ on a topic, the latest first."""

    kind: Dispute
    topic: str
    positions: tuple[Position, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def is_in(self, statements: Sequence[Statement], *, latest: bool = False) -> bool:
        """Whether a statement cites one of its positions; with `latest`, the latest one."""
        positions = self.positions[:1] if latest else self.positions
        return any(s.cites(p.citation) for p in positions for s in statements)

    def lines(self, statements: Sequence[Statement] = ()) -> list[str]:
        """What is left to say of it after the statements, in the lines of a list; what they say is not repeated.

        It has a heading unless a statement is one of its sides, which then stand below that of the statement. Of a
        value that was superseded, it is the later report if only an earlier one is stated.
        """
        is_superseded = self.kind is Dispute.SUPERSEDED
        if is_superseded and self.is_in(statements) and not self.is_in(statements, latest=True):
            return [f"Reported later: {self.positions[0]}"]
        told = self.positions if self.kind is Dispute.CONFLICT else self.positions[1:]
        left = [str(p) for p in told if not any(s.cites(p.citation) for s in statements)]
        marks = ", ".join(f"[{p.citation.number}]" for p in told)
        if is_superseded:
            return [f"Reported before: {'; '.join(left)}" if left else f"Reported before: {marks}."]
        listed = [f"- {position}" for position in left]
        if any(s.side is not None for s in statements):
            return listed
        return [_DIFFER, *listed] if listed else [f"Sources differ: {marks}."]


_CHOSEN = "the program chose the citation"
_DIFFER = "Sources differ."


_DOUBTS = {
    Verdict.UNSUPPORTED: "not supported by what it cites",
    Verdict.CONTRADICTED: "contradicted by what it cites",
    Verdict.UNCHECKED: "not checked",
}


def heading(side: Statement) -> str:
    """The heading of a conflict, above its sides."""
    return f"Sources differ on {side.side}." if side.side else _DIFFER


def marked(statement: Statement) -> str:
    """The text of a statement with its citation marks and what a reader must know of it.

    That of a side of a conflict is a line of a list, with the outlet and the date.
    """
    marks = "".join(f"[{citation.number}]" for citation in statement.citations)
    notes = (f"({note})" for note in (statement.reach, statement.doubt, statement.chosen, statement.denied) if note)
    first = "-" if statement.side is not None else ""
    origin = statement.citations[0].origin if statement.side is not None and statement.citations else ""
    parts = (first, "Possibly:" if statement.unsure else "", statement.shown, marks, origin, *notes)
    return " ".join(filter(None, parts))


def statement_dict(statement: Statement) -> dict[str, Any]:
    """The JSON of a statement."""
    found: dict[str, Any] = {
        "text": statement.text,
        "citations": [c.number for c in statement.citations],
        "verdict": statement.verdict.value,
        "speaker": statement.speaker,
        "checks": [asdict(c) for c in statement.checks],
    }
    if statement.unsure:
        found["unsure"] = True
    if statement.side is not None:
        found["side"] = statement.side
    if len(statement.outlets) > 1:
        found["outlets"] = list(statement.outlets)
    if statement.notes:
        found["notes"] = [asdict(note) for note in statement.notes]
    if statement.opinion:
        found["judge"] = asdict(statement.opinion)
    return found


def conflicts_record(topic: str | None, conflicts: Sequence[Conflict]) -> dict[str, Any]:
    """The JSON of `rag conflicts --json`."""
    citations = [position.citation for conflict in conflicts for position in conflict.positions]
    return {
        "schema": 1,
        "topic": topic,
        "conflicts": [conflict_dict(conflict) for conflict in conflicts],
        "citations": [citation_dict(citation) for citation in citations],
    }


def conflict_dict(conflict: Conflict) -> dict[str, Any]:
    """The JSON of a conflict."""
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


def citation_dict(citation: Citation) -> dict[str, Any]:
    """The JSON of a citation."""
    return {
        "number": citation.number,
        **article_record(citation.article, key="article_id"),
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "answer": asdict(citation.answer) if citation.answer else None,
    }
