"""A reply is bounded in time and size, however steadily it comes."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import pytest
from httpx2 import Client, MockTransport, Request, Response, SyncByteStream
from openai_server import OpenAIServer, Reply

from rag.errors import ReplyError, TimedOutError, UnreachableError
from rag.models import transport

BODY = {"model": "local", "messages": [{"role": "user", "content": "Where?"}]}


@pytest.mark.parametrize("more", [{}, {"stream": True}])
def test_a_reply_that_goes_on_is_left(more: dict[str, bool]) -> None:
    with OpenAIServer(Reply("again ", endless=True)) as server, transport.client(0.2) as client:
        started = monotonic()
        with pytest.raises(TimedOutError, match=r"was not whole after 0\.2 seconds; ask again, or another model"):
            client.post(f"{server.url}/chat/completions", json=BODY | more)
    assert 0.2 <= monotonic() - started < 2


def test_a_reply_that_is_too_large_is_left() -> None:
    told = pytest.raises(ReplyError, match="is larger than 100000 bytes")
    with OpenAIServer(Reply("again ", endless=True)) as server, transport.client(60, 100_000) as client, told:
        client.post(f"{server.url}/chat/completions", json=BODY)


def test_the_connection_is_closed_when_a_reply_is_left() -> None:
    class Pieces(SyncByteStream):
        closed = False

        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b" " * 1_000_000

        def close(self) -> None:
            self.closed = True

    pieces = Pieces()
    bounded = transport.client(60)
    client = Client(transport=MockTransport(lambda _: Response(200, stream=pieces)), event_hooks=bounded.event_hooks)
    with pytest.raises(ReplyError):
        client.get("http://127.0.0.1/")
    assert pieces.closed


def test_a_connection_is_waited_for_less_long_than_a_reply() -> None:
    assert transport.silence(60.0).as_dict() == {"connect": 10.0, "read": 60.0, "write": 60.0, "pool": 60.0}
    assert transport.silence(2.0).as_dict()["connect"] == 2.0


@pytest.mark.parametrize("status", [301, 307, 308])
def test_no_prompt_follows_a_redirect_to_another_server(status: int) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.url.host)
        return Response(status, headers={"Location": "http://elsewhere.example/v1"})

    hooks = transport.client(60).event_hooks
    client = Client(transport=MockTransport(answer), event_hooks=hooks, follow_redirects=True)
    with pytest.raises(UnreachableError, match=r"another server, elsewhere\.example, which gets no prompt"):
        client.post("http://127.0.0.1/v1", json=BODY)
    assert asked == ["127.0.0.1"]


def test_a_redirect_within_a_server_is_followed() -> None:
    def answer(request: Request) -> Response:
        return Response(200) if request.url.path == "/v2" else Response(308, headers={"Location": "/v2"})

    hooks = transport.client(60).event_hooks
    client = Client(transport=MockTransport(answer), event_hooks=hooks, follow_redirects=True)
    assert client.post("http://127.0.0.1/v1", json=BODY).status_code == 200
