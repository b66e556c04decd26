"""Keeps what was read of a library for as long as nobody changes it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar, cast

T = TypeVar("T")


class Kept:
    """At most `most` things that were read in one generation of a catalog, the last ones; threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._generation = -1
        self._things: dict[Hashable, object] = {}

    def get(
        self, generation: int, key: Hashable, read: Callable[[], T], *, worth: Callable[[T], bool] = lambda _: True
    ) -> T:
        """What was read for the key in this generation, else what `read` gives now; that is kept if `worth` it."""
        with self._lock:
            if generation != self._generation:
                self._things, self._generation = {}, generation
            if key in self._things:
                return cast(T, self._things[key])
        thing = read()
        with self._lock:
            if generation == self._generation and worth(thing):
                while len(self._things) >= self._most:
                    self._things.pop(next(iter(self._things)))
                self._things[key] = thing
        return thing
