"""The schema of a case: a question with the claims that a right answer makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.schema import Turn, Window

_FIELDS = frozenset(
    [
        "id",
        "type",
        "question",
        "history",
        "as_of",
        "since",
        "until",
        "answerable",
        "claims",
        "forbidden",
        "evidence",
        "sources",
        "provenance",
        "reason",
        "conflict",
        "independent",
        "speaker",
    ]
)
_REQUIRED = frozenset(("id", "question", "answerable", "claims"))


@dataclass(frozen=True, slots=True)
class Claim:
    """What an answer says, told by strings: one of each group has to be in it, ignoring case."""

    text: str
    vital: bool
    any_of: tuple[tuple[str, ...], ...]

    def is_in(self, answer: str) -> bool:
        lowered = answer.casefold()
        return all(any(string.casefold() in lowered for string in group) for group in self.any_of)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """What an answer lays side by side; for each position the strings that one of its values or quotes has."""

    kind: str
    values: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """What else a right answer has, where a case says so."""

    reason: str | None = None
    """Why it abstains."""
    conflict: Disagreement | None = None
    independent: int | None = None
    """How many independent outlets report its first statement."""
    speaker: tuple[str, ...] = ()
    """Any of these is in the name of who says the statement with the vital claims."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question, the window it is asked in, and the gold."""

    id: str
    type: str
    question: str
    history: tuple[Turn, ...]
    window: Window
    answerable: bool
    claims: tuple[Claim, ...]
    forbidden: tuple[Claim, ...]
    evidence: frozenset[str]
    """The ids of the articles that hold the answer."""
    expected: Expected = field(default_factory=Expected)


def load_cases(path: Path) -> list[Case]:
    """The cases of a JSONL file; raises InputError with file and line if one is not as the schema says."""
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    return [_case(line, f"{path.name}:{number}") for number, line in lines if line.strip()]


def _case(line: str, place: str) -> Case:
    try:
        record = json.loads(line)
        _check_fields(record)
        return _read(record)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{place}: not a case: {error}; the fields are {', '.join(sorted(_FIELDS))}") from error


def _check_fields(record: Mapping[str, Any]) -> None:
    if unknown := record.keys() - _FIELDS:
        raise ValueError(f"unknown field {min(unknown)!r}")
    if missing := _REQUIRED - record.keys():
        raise ValueError(f"the field {min(missing)!r} is missing")


def _read(record: Mapping[str, Any]) -> Case:
    days = {name: _day(record.get(name)) for name in ("as_of", "since", "until")}
    return Case(
        id=str(record["id"]),
        type=str(record.get("type", "")),
        question=record["question"],
        history=tuple(Turn(turn["question"], turn["answer"]) for turn in record.get("history") or ()),
        window=Window(**days, sources=tuple(record.get("sources") or ())),
        answerable=bool(record["answerable"]),
        claims=tuple(_claim(claim) for claim in record["claims"]),
        forbidden=tuple(_claim(claim) for claim in record.get("forbidden") or ()),
        evidence=frozenset(evidence["article"] for evidence in record.get("evidence") or ()),
        expected=_expected(record),
    )


def _expected(record: Mapping[str, Any]) -> Expected:
    conflict = record.get("conflict")
    return Expected(
        reason=record.get("reason"),
        conflict=Disagreement(conflict["kind"], tuple(map(tuple, conflict["values"]))) if conflict else None,
        independent=record.get("independent"),
        speaker=tuple(record.get("speaker") or ()),
    )


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _claim(claim: Mapping[str, Any]) -> Claim:
    return Claim(claim["text"], bool(claim.get("vital", True)), tuple(tuple(group) for group in claim["any_of"]))
