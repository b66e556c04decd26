"""Counts what the processes of the soak do, where a process that is killed leaves its counts behind."""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path

NAMES = (
    *("added", "corrected", "removed", "settled", "searches", "questions", "summaries", "timelines", "listings"),
    *("citations", "passages", "found", "answered", "errors", "reopened", "warnings", "beats"),
)


class Board:
    """A row of counts for each process, and the outages of the servers, in memory that all share."""

    def __init__(self, rows: int, violations: Path) -> None:
        self._cells = memoryview(mmap.mmap(-1, 8 * (rows * len(NAMES) + 4))).cast("q")
        self._rows = rows
        self._violations = violations

    def count(self, row: int, name: str, by: int = 1) -> None:
        self._cells[row * len(NAMES) + NAMES.index(name)] += by

    def of(self, row: int, name: str) -> int:
        return int(self._cells[row * len(NAMES) + NAMES.index(name)])

    def total(self, name: str) -> int:
        return sum(self.of(row, name) for row in range(self._rows))

    @property
    def outages(self) -> int:
        """How often a server has gone down so far, of the kind that stops readers."""
        return int(self._cells[-1])

    @property
    def is_down(self) -> bool:
        """Whether such a server is down now."""
        return bool(self._cells[-2])

    @property
    def any_outages(self) -> int:
        """How often any server has gone down so far."""
        return int(self._cells[-3])

    @property
    def any_down(self) -> bool:
        return bool(self._cells[-4])

    def down(self, *, stops_readers: bool) -> None:
        """To be called before a server is ended."""
        self._cells[-4] = 1
        self._cells[-3] += 1
        if stops_readers:
            self._cells[-2] = 1
            self._cells[-1] += 1

    def up(self) -> None:
        """To be called when it answers again."""
        self._cells[-4] = self._cells[-2] = 0

    def violation(self, what: str, **seen: object) -> None:
        """Writes down something that must not be."""
        line = json.dumps({"violation": what, "process": os.getpid(), **{k: str(v) for k, v in seen.items()}})
        file = os.open(self._violations, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, f"{line}\n".encode())
        finally:
            os.close(file)

    def violations(self) -> list[str]:
        return self._violations.read_text(encoding="utf-8").splitlines() if self._violations.exists() else []
