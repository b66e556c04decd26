"""Reads documents in another process, whose time and memory are bounded: a parser that hangs or swells is stopped."""

from __future__ import annotations

import io
import pickle
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import IO, Any, TypeAlias

from rag.errors import LoadError
from rag.ingest.document import Document, Loaded, whole_body
from rag.ingest.formats import READERS, STREAMED
from rag.schema import Article, Failure

SECONDS, SECONDS_PER_MB, STARTING = 3.0, 2.0, 5.0
"""Processor time for a document: in any case, for each MB of it, for the first of a kind, which loads its parser."""
MEMORY = 500_000_000
"""Bytes beside what the interpreter takes."""
_START = "import sys; sys.path[:] = {path!r}; from rag.ingest.isolated import serve; serve({memory})"
_SIZE = 8
_REFUSED = (
    f"takes over {SECONDS:.0f} seconds and {SECONDS_PER_MB:.0f} for each MB, or over {MEMORY // 10**6} MB, to read; "
    "split it, or save only its text"
)


_Answer: TypeAlias = list[Article | Failure | LoadError] | LoadError


@dataclass(frozen=True, slots=True)
class _Request:
    extension: str
    document: Document
    seconds: float


def read_isolated(extension: str, document: Document) -> Loaded:
    """The articles of a document; raises LoadError if it takes too much time or memory.

    JSON lines and tables are read here, as a stream; so is everything where a process cannot be bounded (Windows).
    """
    reader = READERS[extension]
    if reader in STREAMED or sys.platform == "win32" or not sys.executable:
        return reader(document)
    body = whole_body(document)
    seconds = SECONDS + SECONDS_PER_MB * len(body) / 1e6
    return _isolated(_Request(extension, replace(document, stream=io.BytesIO(body)), seconds))


def serve(memory: int) -> None:
    """Reads requests from the standard input and answers on the standard output, until the input ends.

    It takes at most `memory` bytes beside what the interpreter takes.
    """
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no answer
    _limit_memory(memory)
    started: set[str] = set()
    while (request := _received(requests)) is not None:
        starting = 0.0 if request.extension in started else STARTING
        started.add(request.extension)
        signal.setitimer(signal.ITIMER_PROF, request.seconds + starting)
        answer = _answer(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(answers, answer)


class _Process:
    """The one process that reads, started when it is first needed and again after it was stopped."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def ask(self, request: _Request) -> _Answer:
        with self._lock:
            process = self._process = self._process or _started()
            answer = _asked(process, request)
            if answer is None:
                process.kill()
                process.communicate()
                self._process = None
            return LoadError(_REFUSED) if answer is None else answer


_reader = lru_cache(maxsize=1)(_Process)


def _asked(process: subprocess.Popen[bytes], request: _Request) -> _Answer | None:
    """The answer, or None if the process ended without one."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        _send(process.stdin, request)
        answer: _Answer | None = _received(process.stdout)
    except OSError:
        return None
    return answer


def _isolated(request: _Request) -> Loaded:
    answer = _reader().ask(request)
    if isinstance(answer, LoadError):
        raise answer
    for item in answer:
        if isinstance(item, LoadError):
            raise item
        yield item


def _answer(request: _Request) -> _Answer:
    """What it holds; last of all the error that ended the reading, if one did."""
    found: list[Article | Failure | LoadError] = []
    try:
        found.extend(READERS[request.extension](request.document))
    except LoadError as error:
        found.append(error)
    except MemoryError:
        return LoadError(_REFUSED)
    return found


def _started() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _START.format(path=sys.path, memory=MEMORY)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def _limit_memory(most: int) -> None:
    import resource

    status = Path("/proc/self/statm")
    pages = int(status.read_text().split()[0]) if status.exists() else 0
    taken = pages * resource.getpagesize()
    if taken:
        resource.setrlimit(resource.RLIMIT_AS, (taken + most, taken + most))


def _send(stream: IO[bytes], value: object) -> None:
    body = pickle.dumps(value)
    stream.write(len(body).to_bytes(_SIZE, "big") + body)
    stream.flush()


def _received(stream: IO[bytes]) -> Any:
    """The next value; None at the end of the stream."""
    size = stream.read(_SIZE)
    if len(size) < _SIZE:
        return None
    body = stream.read(int.from_bytes(size, "big"))
    return pickle.loads(body) if len(body) == int.from_bytes(size, "big") else None
