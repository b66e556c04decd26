"""Keeps what the writer meant to do and what was reported to it as done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

Edition = int | None
"""An edition of an article; None where there is no such article."""
Change = dict[int, Edition]
"""The editions of articles, by their numbers, after a piece of writing."""


@dataclass(slots=True)
class Ledger:
    """What the articles may be by the journal, which a writer appends to and all read.

    A line is written, and on the disk, before a change begins; another when it was reported as done, or when a later
    writer has seen what a killed one did. In between an article may be what it was or what it is to be.
    """

    path: Path
    open: dict[int, Change] = field(default_factory=dict)
    """The changes whose outcome is not known."""
    settled: Change = field(default_factory=dict)
    highest: dict[int, int] = field(default_factory=dict)
    """The last edition of each article that was ever begun."""
    _since: dict[int, set[Edition]] = field(default_factory=dict)
    _read: int = 0
    _next: int = 0

    def begin(self, change: Change) -> int:
        """Writes down what is about to be done; returns the number of the change."""
        self.read()
        number = self._next
        self._append({"begin": number, "change": sorted(change.items())})
        return number

    def end(self, number: int, *, done: bool) -> None:
        """Writes down that a change was reported as done, or is known not to be."""
        self._append({"end": number, "done": done})

    def mark(self) -> None:
        """What `possible` tells is from here on."""
        self.read()
        self._since = {}

    def read(self) -> None:
        """Takes in what others have written since."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        for line in whole.splitlines():
            with suppress(ValueError):  # nothing, or what a writer that was killed left of a line
                self._take(json.loads(line))

    def possible(self, number: int) -> set[Edition]:
        """All that an article can have been between `mark` and the last `read`."""
        return self._now(number) | self._since.get(number, set())

    def certain(self) -> Change:
        """The articles that are there for certain, with the one edition that each can be."""
        unsure = {number for change in self.open.values() for number in change} | set(self._since)
        return {number: edition for number, edition in self.settled.items() if edition and number not in unsure}

    def _now(self, number: int) -> set[Edition]:
        return {self.settled.get(number), *(change[number] for change in self.open.values() if number in change)}

    def _take(self, line: dict[str, object]) -> None:
        if "begin" in line:
            begun, change = int(str(line["begin"])), _change(line["change"])
            self._remember(change)
            self.open[begun] = change
            self._next = begun + 1
            self.highest |= {number: edition for number, edition in change.items() if edition}
            self._remember(change)
        else:
            ended = int(str(line["end"]))
            self._remember(self.open[ended])
            change = self.open.pop(ended)
            if line["done"]:
                self.settled |= change

    def _remember(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self._since.setdefault(number, set()).update(self._now(number))

    def _append(self, line: dict[str, object]) -> None:
        """Starts on a line of its own, whatever a writer that was killed has left."""
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, f"\n{json.dumps(line)}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)
        self.read()


def _change(items: object) -> Change:
    assert isinstance(items, list)
    return {int(number): edition for number, edition in items}
