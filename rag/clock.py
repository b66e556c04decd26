"""Measures how long the stages of a call take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


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
