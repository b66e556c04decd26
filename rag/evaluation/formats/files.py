"""Reads a set of cases from a file, JSONL or YAML, or from the layout of another set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from rag.errors import InputError
from rag.evaluation.formats.detect import KNOWN, read_layout
from rag.evaluation.load import SCHEMA, CaseSet, Record, case_set, digest, json_lines, read_file

__all__ = ["CaseSet", "Record", "case_set", "load_set", "read_file"]

_YAML = (".yaml", ".yml")


def load_set(path: Path) -> CaseSet:
    """The set of a JSONL file, a case a line, of a YAML file, a list of cases, or of another layout.

    Raises InputError with file and line if a case is not as the schema says, or if two have one id.
    """
    return replace(read_layout(path) or _own(path), path=path)


def _own(path: Path) -> CaseSet:
    if path.is_dir():
        raise InputError(f"{path} is a folder and no set; wanted a JSONL or YAML file, or {KNOWN}")
    content = read_file(path)
    records = _yaml(content, path) if path.suffix.lower() in _YAML else json_lines(content, path.name)
    return case_set(path.stem, records, digest(content))


class _Plain(yaml.SafeLoader):
    """Leaves days as the texts that they are in JSON."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(content: str, path: Path) -> Iterator[Record]:
    try:
        loader = _Plain(content)
        root = loader.get_single_node()
        if not isinstance(root, yaml.SequenceNode):
            raise InputError(f"{path.name} is no list of cases; start each with `- id: ...`")
        for node in root.value:
            yield Record(f"{path.name}:{node.start_mark.line + 1}", loader.construct_object(node, deep=True))
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path.name}: no YAML: {error}; {SCHEMA}") from error
