"""The HTTP clients of chat models, which bound how long and how large a reply may be."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from functools import lru_cache

from httpx2 import AsyncClient, Client, Limits, Response, SyncByteStream, Timeout, create_ssl_context

from rag.errors import ReplyError, TimedOutError, UnreachableError

MOST_BYTES = 16_000_000
_CONNECT_SECONDS = 10.0


def client(longest: float, most_bytes: int = MOST_BYTES) -> Client:
    """A client whose replies take at most `longest` seconds and `most_bytes`, however steadily they come.

    Only silence is bounded by HTTP clients themselves, and a model that repeats itself is never silent.
    """

    def bound(response: Response) -> None:
        assert isinstance(response.stream, SyncByteStream)
        response.stream = _Bounded(response.stream, longest, most_bytes)
        _check_redirect(response)

    limits, hooks = Limits(max_connections=100), {"response": [bound]}
    return Client(event_hooks=hooks, follow_redirects=True, limits=limits, verify=_certificates())


def unused() -> AsyncClient:
    """The client of calls that are awaited, of which there are none; LangChain would read the certificates anew."""
    return AsyncClient(verify=_certificates())


def silence(seconds: float) -> Timeout:
    """The longest wait for something to come; less for a connection."""
    return Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))


class _Bounded(SyncByteStream):
    """A reply whose time begins with its headers."""

    def __init__(self, stream: SyncByteStream, longest: float, most_bytes: int) -> None:
        self._stream, self._longest, self._most_bytes = stream, longest, most_bytes
        self._end = time.monotonic() + longest

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if size > self._most_bytes:
                raise ReplyError(
                    f"the model's reply is larger than {self._most_bytes} bytes; ask again, or another model"
                )
            if time.monotonic() > self._end:
                raise TimedOutError(
                    f"the model's reply was not whole after {self._longest:g} seconds; ask again, or another model"
                )
            yield piece

    def close(self) -> None:
        self._stream.close()


def _check_redirect(response: Response) -> None:
    """Raises UnreachableError if the server sends elsewhere: the prompt and the key are for the one that was named."""
    if not response.has_redirect_location:
        return
    here, there = response.url, response.url.join(response.headers["Location"])
    if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
        raise UnreachableError(
            f"{here.host} sends requests on to another server, {there.host}, which gets no prompt; "
            "if you trust it, make it the base URL"
        )


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    """Read once, as that takes 40 ms."""
    return create_ssl_context()
