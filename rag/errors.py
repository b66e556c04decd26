"""The errors a caller can catch, one tree.

    RagError                     1
    ├── InputError               2  a flag, argument or question that cannot be used
    ├── LoadError                1  a file, folder, URL or feed that cannot be read as articles
    ├── EmptyLibraryError        3  nothing to answer from
    ├── ModelError               1  the language model gave nothing that can be used
    │   ├── KeyRefusedError      4  the server refuses the key, or there is none
    │   ├── UnreachableError     5  no server is there, it failed, or the connection broke
    │   │   └── NoModelError     5  the server is there, the model is not
    │   ├── RateLimitedError     6  too many requests, or no credit left
    │   ├── TimedOutError        7  no reply, or no whole one, within the time limit
    │   ├── ContextError         1  the prompt is longer than the model can read
    │   ├── RequestError         1  the server does not take the request as it is
    │   └── ReplyError           1  the reply is empty, cut off, refused or too large
    │       └── ShapeError       1  the reply is whole, and not of the shape that was asked for
    ├── VerifierError            1  the local model that checks statements is missing or damaged
    └── LibraryError             1  the library on disk cannot be used as it is
        ├── LockedError          1  another process is writing and the wait ran out
        ├── EmbeddingError       1  the index was made by another embedding model, or the model is damaged
        ├── ServerError          1  the database or the Chroma server that the library is on fails or is not there
        └── DamagedError         1  the catalog or the vector index cannot be read

The number is the exit code of the command line.
"""

from __future__ import annotations

_LONGEST = 1_000
_JOINERS = "\u200c\u200d"  # spelling in Persian and Pashto, though they cannot be seen


class RagError(Exception):
    """Any error that the package raises on purpose; its text is one line that says what to do.

    What the message shows of what was read may be anything, so it is made one line of at most 1,000 characters here.
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(_one_line(message))


class InputError(RagError, ValueError):
    """A flag, argument or question that cannot be used."""

    exit_code = 2


class LoadError(RagError):
    """A file, folder, URL or feed that cannot be read as articles."""


class BusyError(LoadError):
    """A server that wants to be asked later; `seconds` is how much later, if it says so."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds


class EmptyLibraryError(RagError):
    """There is no article to answer from."""

    exit_code = 3


class ModelError(RagError):
    """The language model gave nothing that can be used."""


class KeyRefusedError(ModelError):
    """The model's server refuses the key, or there is none."""

    exit_code = 4


class UnreachableError(ModelError):
    """No server is where the model should be, it failed, or the connection broke before the reply was whole."""

    exit_code = 5


class NoModelError(UnreachableError):
    """The server is there and does not have the model."""


class RateLimitedError(ModelError):
    """The server takes no more requests for now, or the account has no credit left."""

    exit_code = 6


class TimedOutError(ModelError):
    """There was no reply, or no whole one, within the time limit."""

    exit_code = 7


class ContextError(ModelError):
    """The prompt is longer than the model can read."""


class RequestError(ModelError):
    """The server does not take the request as it is, such as a parameter that it does not know."""


class ReplyError(ModelError):
    """The model's reply is empty, cut off, refused, too large or not in the shape that was asked for."""


class ShapeError(ReplyError):
    """The model's reply is whole, and not in the shape that was asked for; so it may be asked once more."""


class VerifierError(RagError):
    """The local model that checks statements is missing or damaged, or cannot read what it is given."""


class LibraryError(RagError):
    """The library on disk cannot be used as it is."""


class LockedError(LibraryError):
    """Another process is writing to the library and the wait ran out."""


class EmbeddingError(LibraryError):
    """The index was made by another embedding model, or the model itself is missing or damaged."""


class ServerError(LibraryError):
    """The PostgreSQL database or the Chroma server that the library is on fails, or is not there."""


class DamagedError(LibraryError):
    """The catalog or the vector index cannot be read."""


def _one_line(message: str) -> str:
    shown = (c if c.isprintable() or c in _JOINERS else " " for c in message[: 4 * _LONGEST])
    line = " ".join("".join(shown).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
