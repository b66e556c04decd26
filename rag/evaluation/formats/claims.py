"""Reads claims with the whole text that they are said to be from, and people's judgement."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.evaluation.load import CaseSet, Record, case_set, digest, json_lines

_KEYS = {"id", "set", "source", "claim", "supported"}


def is_sourced(value: Any) -> bool:
    """Whether a JSON value is such a claim."""
    return isinstance(value, dict) and value.keys() >= _KEYS


def read_sourced(path: Path, content: str) -> CaseSet:
    """The set of a file, a claim a line: cases of checks, their type the set that a claim is from."""
    records = [Record(record.place, _check(record.content)) for record in json_lines(content, path.name, "claim")]
    return replace(case_set(path.stem, records, digest(content)), path=path)


def _check(claim: Any) -> Any:
    """The record of a case; what is no such claim stays, so that it is told with its place."""
    if not is_sourced(claim):
        return claim
    told = {"id": str(claim["id"]), "task": "check", "type": str(claim["set"]), "text": claim["claim"]}
    return told | {"against": claim["source"], "supported": claim["supported"]}
