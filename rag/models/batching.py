"""Has texts embedded by a few requests at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from threading import Event
from typing import TypeAlias

from rag.models.chat import MOST_TEXTS

AT_ONCE = 4
"""Requests that wait for a reply: enough to hide the way there and back, few enough for a server of one's own."""
MOST_CHARACTERS = 100_000
"""Of one request. OpenAI takes 300,000 tokens, and in no script has a character more than three."""

Vectors: TypeAlias = list[list[float]]
Request: TypeAlias = Callable[[list[str], Event], Vectors]
"""Gives a vector for each text; it need not try again once the event is set."""


def embed_at_once(texts: Sequence[str], request: Request, on_batch: Callable[[int], object]) -> Vectors:
    """The vectors of all texts, in their order; the first error ends it, and is raised.

    Nothing waits for a request that is under way when it ends, be it by an error or by the user.
    """
    parts, found, stopped = list(bounded(texts)), dict[int, Vectors](), Event()
    if not parts:
        return []

    def sent(place: int) -> _Sent:
        if stopped.is_set():
            return _Sent(place, [])
        try:
            return _Sent(place, request(parts[place], stopped))
        except BaseException:
            stopped.set()
            raise

    pool = ThreadPool(min(AT_ONCE, len(parts)))  # its threads are daemons; those of an executor are waited for
    try:
        for done in pool.imap_unordered(sent, range(len(parts))):
            if not stopped.is_set():  # else the error comes next
                found[done.place] = done.vectors
                on_batch(len(parts[done.place]))
    finally:
        stopped.set()
        pool.terminate()
    return [vector for place in range(len(parts)) for vector in found[place]]


def bounded(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in the batches that a server takes; a text that is longer than a batch may be stands alone."""
    batch: list[str] = []
    for text in texts:
        if batch and (len(batch) == MOST_TEXTS or sum(map(len, batch)) + len(text) > MOST_CHARACTERS):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class _Sent:
    place: int
    vectors: Vectors
