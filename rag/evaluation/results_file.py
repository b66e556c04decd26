"""Keeps the results of a run in a file, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from threading import Lock

from pydantic import ValidationError

from rag.errors import InputError
from rag.evaluation.cases import CASE, Case
from rag.evaluation.identity import Identity
from rag.evaluation.results import RESULT, Result


class ResultFile:
    """Results by key, a line of JSON each; threads may use it. A line that a kill cut is left out, and asked anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._found = _read(path)

    def get(self, key: str) -> Result | None:
        """The result that was kept; one that is an error is asked for anew."""
        found = self._found.get(key)
        return found if found and found.error is None else None

    def put(self, key: str, result: Result) -> None:
        """Keeps a result; when this returns, it is in the file."""
        line = json.dumps({"key": key, "result": RESULT.dump_python(result, mode="json")}, ensure_ascii=False)
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def key(case: Case, identity: Identity, *, repeat: int) -> str:
    """What a result is of: the case as it is written, what gave it, and the time of how many."""
    parts = (CASE.dump_json(case).decode(), identity.digest, str(repeat))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _read(path: Path) -> dict[str, Result]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot hold the results of a run: {error}; name another folder with --out") from error
    if text and not text.endswith("\n"):
        path.write_text(text := text[: text.rfind("\n") + 1], encoding="utf-8")
    return dict(found for line in text.split("\n") for found in _entry(line))


def _entry(line: str) -> list[tuple[str, Result]]:
    try:
        record = json.loads(line)
        return [(record["key"], RESULT.validate_python(record["result"]))]
    except (ValueError, KeyError, TypeError, ValidationError):
        return []
