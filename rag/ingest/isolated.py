"""Reads files in another process, whose time and memory are bounded: a parser that hangs or swells is stopped."""

from __future__ import annotations

import sys
from typing import Protocol

from rag.schema import Article, Failure

SECONDS, SECONDS_PER_MB = 10.0, 2.0
"""Processor time for a file: in any case, and for each MB of it."""
MEMORY = 500_000_000
"""Bytes that a reader may take beside what the interpreter and its libraries have."""
_START = "import sys; sys.path[:] = {path!r}; from rag.ingest.isolated import serve; serve({target!r})"
_LIMITED = sys.platform != "win32"


class Reader(Protocol):
    """What a document is read by."""

    def __call__(self, name: str, document: bytes, /) -> list[Article | Failure]: ...


def is_available() -> bool:
    """Whether this system can bound a process."""
    return _LIMITED and bool(sys.executable)
