"""Reads a set of cases from a file, JSONL or YAML."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rag.errors import InputError
from rag.evaluation.cases import CASE, Case
from rag.schema import Article

_YAML = (".yaml", ".yml")
_SCHEMA = "`rag eval --schema` tells what a case is"


@dataclass(frozen=True, slots=True)
class CaseSet:
    """The cases of a file; `articles` are those that it brings with it, `digest` is the SHA-256 of what was read."""

    name: str
    cases: tuple[Case, ...]
    digest: str
    articles: tuple[Article, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A case as it was read, at a place that is told where it is not one."""

    place: str
    content: Any


def load_set(path: Path) -> CaseSet:
    """The set of a JSONL file, a case a line, or of a YAML file, a list of cases.

    Raises InputError with file and line if a case is not as the schema says, or if two have one id.
    """
    content = read_file(path)
    records = _yaml(content, path) if path.suffix.lower() in _YAML else _lines(content, path)
    return replace(case_set(path.stem, records, hashlib.sha256(content.encode()).hexdigest()), path=path)


def case_set(name: str, records: Iterator[Record], digest: str, articles: tuple[Article, ...] = ()) -> CaseSet:
    """The set of some records; raises InputError as `load_set` does."""
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
        raise InputError(f"{record.place}: not a case: {_told(error)}; {_SCHEMA}") from error


def read_file(path: Path) -> str:
    """The text of a file of a set; raises InputError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a set of cases: {error}; give a JSONL or YAML file") from error


def _lines(content: str, path: Path) -> Iterator[Record]:
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            place = f"{path.name}:{number}"
            try:
                yield Record(place, json.loads(line))
            except ValueError as error:
                raise InputError(f"{place}: not a case: no JSON: {error}; {_SCHEMA}") from error


class _Plain(yaml.SafeLoader):
    """Leaves days as the texts that they are in JSON."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(content: str, path: Path) -> Iterator[Record]:
    loader = _Plain(content)
    try:
        root = loader.get_single_node()
        if not isinstance(root, yaml.SequenceNode):
            raise InputError(f"{path.name} is no list of cases; start each with `- id: ...`")
        for node in root.value:
            yield Record(f"{path.name}:{node.start_mark.line + 1}", loader.construct_object(node, deep=True))
    except yaml.YAMLError as error:
        raise InputError(f"{path.name}: no YAML: {' '.join(str(error).split())}; {_SCHEMA}") from error
    finally:
        loader.dispose()


def _told(error: ValidationError) -> str:
    """The first thing that is wrong, and where; the tag of the task is no field."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:])
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
