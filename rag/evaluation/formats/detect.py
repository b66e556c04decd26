"""Recognises the layouts of other people's sets by their shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation.formats.beir import judged_files, read_judged
from rag.evaluation.formats.claims import is_sourced, read_sourced
from rag.evaluation.formats.multihop import QUESTIONS, is_multihop, read_multihop
from rag.evaluation.formats.rgb import is_rgb, read_rgb
from rag.evaluation.formats.squad import is_squad, read_squad
from rag.evaluation.load import CaseSet, read_file

KNOWN = f"the layout of MultiHop-RAG ({QUESTIONS} beside corpus.json), RGB, SQuAD, BEIR, or TREC qrels with queries"

_JSON, _LINES = ".json", (".json", ".jsonl", ".ndjson")


def read_layout(path: Path) -> CaseSet | None:
    """The set of a file or folder in a layout that is known; None if it is in none of them.

    Raises InputError with file and line, or place, if it is in one and something in it is not as it should be.
    """
    if path.is_dir() and (path / QUESTIONS).is_file():
        return read_layout(path / QUESTIONS)
    judged = judged_files(path)
    if judged:
        return read_judged(judged)
    return _of_json(path, read_file(path)) if path.is_file() and path.suffix.lower() in _LINES else None


def _of_json(path: Path, content: str) -> CaseSet | None:
    first = _first_line(content)
    if is_rgb(first):
        return read_rgb(path, content)
    if is_sourced(first):
        return read_sourced(path, content)
    if path.suffix.lower() != _JSON or (isinstance(first, dict) and not is_squad(first)):
        return None
    value = _whole(path, content) if first is None else first
    if is_multihop(value):
        return read_multihop(path, content, value)
    if is_squad(value):
        return read_squad(path, content, value)
    raise InputError(f"{path.name} is {_shape(value)}; wanted {KNOWN}, or a case a line")


def _first_line(content: str) -> Any:
    """The JSON of the first line that is not blank; None if it is not whole."""
    try:
        return json.loads(next((line for line in content.split("\n") if line.strip()), ""))
    except (ValueError, RecursionError):
        return None


def _whole(path: Path, content: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name}: no JSON: {error}; mend it there, or give a case a line") from error


def _shape(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    kind = "a list of JSON objects" if first is not value else f"a JSON {type(value).__name__}"
    return f"{kind} with {', '.join(map(repr, list(first)[:6]))}" if isinstance(first, dict) and first else kind
