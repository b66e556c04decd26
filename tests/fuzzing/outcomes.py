"""Runs one input against what holds for any: a result or an error of one line, in bounded time and memory."""

from __future__ import annotations

import re
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time
from types import FrameType
from typing import Any

from hypothesis import strategies as st

from rag.errors import RagError

SECONDS = 10.0
"""The most of the processor's time that one input may take; they are small, and most take a few milliseconds."""
MEGABYTES = 400.0
"""The most that one input may add to the peak of the memory."""
LONGEST_ERROR = 2_000
ACCEPTED = "accepted"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class BrokenPromiseError(AssertionError):
    """An input that was neither taken nor refused as it should be."""


class _TookTooLong(BaseException):
    """Raised by the clock; no `except Exception` on the way keeps it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way in, with what is tried on it.

    `run` gives the names of what became of the input; `accepted` if nothing. `weight` is its share of many inputs;
    `prepare` does once what no single input is to be charged for.
    """

    name: str
    inputs: st.SearchStrategy[Any]
    run: Callable[[Any], Iterator[str] | None]
    weight: int = 1
    prepare: Callable[[], object] = bool


def outcomes(target: Target, value: Any) -> tuple[str, ...]:
    """What became of the input; raises BrokenPromiseError if it crashed, hung, or was refused in a wrong way."""
    target.prepare()
    before, start = _peak(), process_time()
    try:
        with _within(SECONDS):
            found = tuple(dict.fromkeys(target.run(value) or ()))
    except RagError as error:
        told(str(error))
        found = (type(error).__name__,)
    except _TookTooLong:
        raise BrokenPromiseError(f"took over {SECONDS:.0f} s") from None
    if process_time() - start > SECONDS:
        raise BrokenPromiseError(f"took {process_time() - start:.0f} s, wanted at most {SECONDS:.0f}")
    if _peak() - before > MEGABYTES:
        raise BrokenPromiseError(f"took {_peak() - before:.0f} MB, wanted at most {MEGABYTES:.0f}")
    return found or (ACCEPTED,)


def told(message: str) -> None:
    """Raises BrokenPromiseError if a message is not one line of bounded length that can be printed."""
    if not message.strip():
        raise BrokenPromiseError("an error says nothing")
    if found := _UNPRINTABLE.search(message):
        raise BrokenPromiseError(f"an error has {found[0]!r} in it: {message[:300]!r}")
    if len(message) > LONGEST_ERROR:
        raise BrokenPromiseError(f"an error has {len(message)} characters: {message[:300]!r}")


def printable(lines: Iterator[str]) -> None:
    """Raises BrokenPromiseError if a line that is printed has control characters, or more lines in it."""
    for line in lines:
        if found := _UNPRINTABLE.search(line):
            raise BrokenPromiseError(f"a printed line has {found[0]!r} in it: {line[:300]!r}")


def holds(condition: object, told: str) -> None:
    """Raises BrokenPromiseError unless a promise holds."""
    if not condition:
        raise BrokenPromiseError(told)


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raises _TookTooLong after that many seconds of work, in the main thread, where signals are."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_: int, __: FrameType | None) -> None:
        raise _TookTooLong

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _peak() -> float:
    """The peak of the memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
