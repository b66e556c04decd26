"""The schema of a claim: a sentence, what it is checked against, and whether that supports it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from rag.errors import InputError
from rag.schema import Verdict

_CITED = frozenset(("id", "kind", "claim", "evidence", "published", "title", "verdict"))
_SOURCED = frozenset(("id", "set", "source", "claim", "supported"))
_NOTES = frozenset(("of", "label", "supporting"))
"""What a row may tell besides: which true claim an altered one was made of, and labels of public sets."""
_WANTED = f"the fields are {', '.join(sorted(_CITED))}, or {', '.join(sorted(_SOURCED))}"
_VERDICTS = tuple(v for v in Verdict if v is not Verdict.UNCHECKED)


@dataclass(frozen=True, slots=True)
class CitedClaim:
    """A claim with the spans it cites, and the right verdict; `kind` is what was altered, or could have been."""

    id: str
    kind: str
    text: str
    evidence: tuple[str, ...]
    title: str
    published: date | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class SourcedClaim:
    """A claim with a whole article that it is said to be from; `set` is where it was taken from."""

    id: str
    set: str
    text: str
    source: str
    supported: bool


Claim: TypeAlias = CitedClaim | SourcedClaim


def load_claims(path: Path) -> list[Claim]:
    """The claims of a JSONL file; raises InputError with file and line if one is not as the schema says."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a set of claims: {error}; give a JSONL file") from error
    found = [_claim(line, f"{path.name}:{n}") for n, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise InputError(f"{path} has no claims; wanted one JSON object a line")
    return found


def _claim(line: str, place: str) -> Claim:
    try:
        return _read(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{place}: not a claim: {error}; {_WANTED}") from error


def _read(record: Mapping[str, Any]) -> Claim:
    wanted = _SOURCED if "source" in record else _CITED
    if unknown := record.keys() - wanted - _NOTES:
        raise ValueError(f"unknown field {min(unknown)!r}")
    if missing := wanted - record.keys():
        raise ValueError(f"the field {min(missing)!r} is missing")
    return _sourced(record) if wanted is _SOURCED else _cited(record)


def _cited(record: Mapping[str, Any]) -> CitedClaim:
    if record["verdict"] not in _VERDICTS:
        raise ValueError(f"the verdict is {record['verdict']!r}, wanted {', '.join(_VERDICTS)}")
    published = record["published"]
    return CitedClaim(
        id=_text(record, "id"),
        kind=_text(record, "kind"),
        text=_text(record, "claim"),
        evidence=_texts(record, "evidence"),
        title=record["title"] or "",
        published=date.fromisoformat(published) if published else None,
        verdict=Verdict(record["verdict"]),
    )


def _sourced(record: Mapping[str, Any]) -> SourcedClaim:
    if not isinstance(record["supported"], bool):
        raise ValueError(f"supported is {record['supported']!r}, wanted true or false")
    return SourcedClaim(
        id=_text(record, "id"),
        set=_text(record, "set"),
        text=_text(record, "claim"),
        source=_text(record, "source"),
        supported=record["supported"],
    )


def _texts(record: Mapping[str, Any], field: str) -> tuple[str, ...]:
    values = record[field]
    if not isinstance(values, list) or not values:
        raise ValueError(f"the field {field!r} is {values!r}, wanted a list of texts")
    return tuple(_text({field: value}, field) for value in values)


def _text(record: Mapping[str, Any], field: str) -> str:
    value = record[field]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"the field {field!r} is {value!r}, wanted a text")
    return value
