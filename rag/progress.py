"""Follows a call while it runs: the time of its stages, the work that is done so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int, str], None]
"""Is called with the passages done, those known so far, and what is being done."""


class Meter:
    """Counts for a Progress."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._done = self._total = 0
        self._text = ""

    def say(self, text: str) -> None:
        """Reports what is being done now."""
        self._text = text
        self.advance(0)

    def expect(self, count: int, text: str) -> None:
        """Adds passages to those that are known, and reports what is done with them."""
        self._total += count
        self.say(text)

    def advance(self, count: int) -> None:
        """Adds passages to those that are done, and reports it."""
        self._done += count
        if self._progress:
            self._progress(self._done, self._total, self._text)


class Clock:
    """Seconds by stage, and in all."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self._times: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Adds the time of what is inside to a stage."""
        start = perf_counter()
        yield
        self._times[stage] = self._times.get(stage, 0.0) + perf_counter() - start

    @property
    def times(self) -> dict[str, float]:
        """Seconds by stage so far, with the `total` since the clock was made."""
        return {**self._times, "total": perf_counter() - self._start}
