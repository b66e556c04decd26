"""Makes a set of cases from records, with the place of whatever is wrong with one."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from rag.errors import InputError
from rag.evaluation.cases import CASE, Case
from rag.schema import Article

SCHEMA = "`rag eval --schema` tells what a case is"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CaseSet:
    """The cases of a file or folder; `articles` are those that it brings with it.

    `digest` is the SHA-256 of what was read, at `path`; `warnings` tell what of it is no part of the cases.
    """

    name: str
    cases: tuple[Case, ...]
    digest: str
    articles: tuple[Article, ...] = ()
    warnings: tuple[str, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A case as it was read, at a place that is told where it is not one."""

    place: str
    content: Any


def case_set(name: str, records: Iterable[Record], digest: str, articles: tuple[Article, ...] = ()) -> CaseSet:
    """The set of some records; raises InputError with the place of one that is no case, or if two have one id."""
    cases = tuple(case(record) for record in records)
    if not cases:
        raise InputError(f"{name} has no cases; wanted one JSON object a line, or a YAML list")
    id, times = Counter(c.id for c in cases).most_common(1)[0]
    if times > 1:
        raise InputError(f"{name}: {times} cases have the id {id!r}; give each its own")
    return CaseSet(name, cases, digest, articles)


def case(record: Record) -> Case:
    """The case of a record, in which null is the same as nothing."""
    content = record.content
    if isinstance(content, dict):
        content = {name: value for name, value in content.items() if value is not None}
    try:
        return CASE.validate_json(json.dumps(content))
    except ValidationError as error:
        raise InputError(f"{record.place}: not a case: {_told(error, tagged=True)}; {SCHEMA}") from error


def parsed(record: Record, adapter: TypeAdapter[_T], wanted: str) -> _T:
    """What is in a record of another layout; raises InputError, with what was wanted, if it is not."""
    try:
        return adapter.validate_python(record.content)
    except ValidationError as error:
        raise InputError(f"{record.place}: {_told(error)}; wanted {wanted}") from error


def read_file(path: Path) -> str:
    """The text of a file of a set; raises InputError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a set of cases: {error}; give a JSONL or YAML file") from error


def json_lines(content: str, name: str, kind: str = "case") -> Iterator[Record]:
    """The JSON of each line that is not blank; raises InputError for a line that is none."""
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            place = f"{name}:{number}"
            try:
                yield Record(place, json.loads(line))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{place}: not a {kind}: no JSON: {error}; wanted one JSON object a line") from error


def digest(*contents: str) -> str:
    """The SHA-256 of a text; of several, that of their own digests in a row."""
    found = [hashlib.sha256(content.encode()).hexdigest() for content in contents]
    return found[0] if len(found) == 1 else digest("".join(found))


def counted(told: Mapping[str, int]) -> tuple[str, ...]:
    """The warnings that there is something to count for."""
    return tuple(warning for warning, count in told.items() if count)


def _told(error: ValidationError, *, tagged: bool = False) -> str:
    """The first thing that is wrong, and where; the tag of a union is no field."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][tagged:])
    match first["type"]:
        case "missing":
            return f"the field {place!r} is missing"
        case "unexpected_keyword_argument":
            return f"unknown field {place!r}"
        case "union_tag_invalid":
            return f"the task is {first['ctx']['tag']!r}, wanted {first['ctx']['expected_tags']}"
        case _:
            message = first["msg"].removeprefix("Value error, ")
            return f"the field {place!r}: {message}, not {first['input']!r:.60}" if place else message
