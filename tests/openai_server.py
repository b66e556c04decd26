"""A server on the loopback that speaks OpenAI's wire format, from a script of replies.

    with OpenAIServer("Kabul.", rate_limited(retry_after=1), "Doha.") as server:
        ...  # a client of server.url
    assert server.requests[0].messages[-1]["content"] == "Where?"

Chat completions take the next reply of the script, or what a function of the request gives. Requests for embeddings
take the next of `embeddings`, else what the function `embeds` gives for the request, else get vectors; the list of
models needs none. A request for which the script has no reply is refused, and raises when the `with` ends.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import Any, Self, TypeAlias

DIMENSIONS = 8


@dataclass(frozen=True)
class Request:
    """What was asked for; header names are in lower case."""

    path: str
    headers: dict[str, str]
    json: dict[str, Any]

    @property
    def messages(self) -> list[Any]:
        return list(self.json["messages"])

    @property
    def format(self) -> Any:
        """The type of the structured output that is wanted: json_schema, json_object, or None."""
        return self.json.get("response_format", {}).get("type")


@dataclass(frozen=True)
class Reply:
    """What is answered: a text in pieces of a word each, or an error if the status is not 200.

    Before it the server waits `delay` seconds. The connection is cut after `breaks_after` pieces; an `endless` text is
    repeated until the client leaves; a `body` is sent as it is, and cut after `breaks_after` bytes. The pieces are
    `pause` seconds apart.
    """

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    finish: str | None = "stop"
    refusal: str | None = None
    delay: float = 0.0
    breaks_after: int | None = None
    endless: bool = False
    body: bytes | None = None
    pause: float = 0.0


Script: TypeAlias = Callable[[Request], Reply | str]
Embeds: TypeAlias = Callable[[Request], Reply | None]


def refused_key(message: str = "Incorrect API key provided.", status: int = 401) -> Reply:
    return Reply(message, status, code="invalid_api_key")


def no_model(name: str) -> Reply:
    return Reply(f"The model `{name}` does not exist.", 404, code="model_not_found")


def rate_limited(message: str = "Rate limit reached.", *, code: str = "rate_limit_exceeded", **headers: str) -> Reply:
    """`retry_after="1"` becomes the header Retry-After."""
    return Reply(message, 429, {name.replace("_", "-"): value for name, value in headers.items()}, code)


def too_long() -> Reply:
    return Reply("This model's maximum context length is 8192 tokens.", 400, code="context_length_exceeded")


def vectors(request: Request, *, order: Sequence[int] | None = None, **more: Any) -> Reply:
    """The vectors of a request, in that order of their places; `more` is put into each of them."""
    body = _embeddings(request.json, DIMENSIONS)
    rows = body["data"] if order is None else [body["data"][place] for place in order]
    return _json_body(body | {"data": [row | more for row in rows]})


def failing(status: int = 500) -> Reply:
    """It is not tried again, so that tests need not wait."""
    return Reply("The server had an error.", status, {"x-should-retry": "false"})


class OpenAIServer:
    """See the module; `url` is the base URL and `requests` the log. `refuses` are types of structured output."""

    def __init__(
        self,
        *script: Reply | str,
        by: Script | None = None,
        refuses: tuple[str, ...] = (),
        embeddings: tuple[Reply, ...] = (),
        embeds: Embeds = lambda _: None,
        dimensions: int = DIMENSIONS,
    ) -> None:
        self.requests: list[Request] = []
        self.surplus: list[Request] = []
        self.closing = threading.Event()
        self._script, self._by, self._refuses = list(script), by, refuses
        self._embeddings, self._embeds, self.dimensions = list(embeddings), embeds, dimensions
        self.in_flight = self.most_in_flight = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Bound", (_Handler,), {"owner": self}))
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        if self.surplus:
            extra = self.surplus[0]
            raise AssertionError(f"{len(self.surplus)} requests too many; the first: {extra.path} {extra.json}")

    def reply(self, request: Request) -> Reply:
        """The reply to a request for a chat completion."""
        if request.format in self._refuses:
            return Reply(f"response_format of type {request.format} is not supported", 400)
        found = self._by(request) if self._by else self._next(request)
        return Reply(found) if isinstance(found, str) else found

    def replied(self) -> None:
        """Called when all of a reply was sent."""

    def of_embeddings(self, request: Request) -> Reply:
        """What is replied to a request for embeddings."""
        with self._lock:
            reply = self._embeddings.pop(0) if self._embeddings else None
        return reply or self._embeds(request) or _plain(request, self.dimensions)

    @contextmanager
    def flying(self) -> Iterator[None]:
        """Counts the requests that have no reply yet."""
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        yield
        with self._lock:
            self.in_flight -= 1

    def _next(self, request: Request) -> Reply | str:
        with self._lock:
            if self._script:
                return self._script.pop(0)
            self.surplus.append(request)
            return failing(418)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # it would hold each piece back for 40 ms
    owner: OpenAIServer

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client may leave
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nothing; the requests are logged by the server."""

    def do_GET(self) -> None:
        self._take({})
        self._json(200, {"object": "list", "data": [{"id": "model", "object": "model"}]})

    def do_POST(self) -> None:
        request = self._take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if request.path == "/v1/embeddings":
            with self.owner.flying():
                reply = self.owner.of_embeddings(request)
            self._chat(request, reply)
        elif request.path != "/v1/chat/completions":
            self._json(404, {"error": {"message": f"unknown path {request.path}", "code": None}})
        else:
            with suppress(ConnectionError):  # the client may leave
                self._chat(request, self.owner.reply(request))
                self.owner.replied()

    def _take(self, body: dict[str, Any]) -> Request:
        request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.owner.requests.append(request)
        return request

    def _chat(self, request: Request, reply: Reply) -> None:
        self.owner.closing.wait(reply.delay)
        streamed = bool(request.json.get("stream"))
        if reply.body is not None:
            self._head(reply.status, reply.headers, len(reply.body))
            self.wfile.write(reply.body[: reply.breaks_after])
            self.close_connection = reply.breaks_after is not None
        elif reply.status != 200:
            self._json(reply.status, {"error": {"message": reply.text, "code": reply.code}}, reply.headers)
        elif streamed or reply.endless or reply.breaks_after is not None:
            self._pieces(_events(request, reply) if streamed else _parts(request, reply), reply, streamed=streamed)
        else:
            self._json(200, _completion(request, reply), reply.headers)

    def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self._head(status, {"Content-Type": "application/json"} | (headers or {}), len(data))
        self.wfile.write(data)

    def _head(self, status: int, headers: dict[str, str], length: int | None) -> None:
        self.send_response(status)
        kind = {"Transfer-Encoding": "chunked"} if length is None else {"Content-Length": str(length)}
        for name, value in (headers | kind).items():
            self.send_header(name, value)
        self.end_headers()

    def _pieces(self, pieces: Iterator[bytes], reply: Reply, *, streamed: bool) -> None:
        self._head(200, {"Content-Type": "text/event-stream" if streamed else "application/json"}, None)
        for count, piece in enumerate(pieces):
            if count == reply.breaks_after or self.owner.closing.is_set():
                self.close_connection = True
                return
            self.owner.closing.wait(reply.pause)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


def _words(reply: Reply) -> Iterator[str]:
    words = re.findall(r"\s*\S+\s*", reply.text)
    yield from words
    if reply.endless:  # longer pieces than words: each costs the client some time
        yield from repeat(reply.text * 20)


def _parts(request: Request, reply: Reply) -> Iterator[bytes]:
    """A plain completion in two pieces; an endless one goes on with spaces, as servers do that keep a connection."""
    body = json.dumps(_completion(request, reply)).encode()
    yield body[:40]
    while reply.endless:
        yield b" " * 64
    yield body[40:]


def _events(request: Request, reply: Reply) -> Iterator[bytes]:
    for word in _words(reply):
        yield _event(request, [{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}])
    yield _event(request, [{"index": 0, "delta": {}, "finish_reason": reply.finish}])
    if request.json.get("stream_options", {}).get("include_usage"):
        yield _event(request, [], usage=_usage(request, reply))
    yield b"data: [DONE]\n\n"


def _event(request: Request, choices: list[Any], **more: Any) -> bytes:
    head = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": request.json["model"]}
    return b"data: " + json.dumps(head | {"choices": choices} | more).encode() + b"\n\n"


def _completion(request: Request, reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text, "refusal": reply.refusal}
    head = {"id": "chat-1", "object": "chat.completion", "created": 1, "model": request.json["model"]}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish}
    return head | {"choices": [choice], "usage": _usage(request, reply)}


def _usage(request: Request, reply: Reply) -> dict[str, int]:
    """A token a word."""
    asked = sum(len(str(message["content"]).split()) for message in request.messages)
    told = len(reply.text.split())
    return {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}


def _plain(request: Request, dimensions: int) -> Reply:
    return _json_body(_embeddings(request.json, dimensions))


def _json_body(body: dict[str, Any]) -> Reply:
    return Reply(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def _embeddings(body: dict[str, Any], dimensions: int) -> dict[str, Any]:
    one = isinstance(body["input"], str) or all(isinstance(item, int) for item in body["input"])
    rows = [_row(i, text, body, dimensions) for i, text in enumerate([body["input"]] if one else body["input"])]
    return {"object": "list", "data": rows, "model": body["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def _row(index: int, text: object, body: dict[str, Any], dimensions: int) -> dict[str, Any]:
    """A vector that depends on the text alone."""
    values = [byte / 255 for byte in hashlib.sha256(str(text).encode()).digest()[:dimensions]]
    packed = base64.b64encode(struct.pack(f"<{dimensions}f", *values)).decode()
    in_base64 = body.get("encoding_format") == "base64"
    return {"object": "embedding", "index": index, "embedding": packed if in_base64 else values}
