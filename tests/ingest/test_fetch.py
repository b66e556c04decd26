"""A download ends, is whole, and comes from the public internet."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rag.errors import LoadError
from rag.ingest import fetch as module
from rag.ingest.fetch import fetch

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@contextmanager
def serving(head: bytes, drip: bytes = b"") -> Iterator[str]:
    """A loopback server that sends `head` to whoever comes, then `drip` again and again."""
    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(head)
                while drip and not ended.wait(0.02):
                    connection.sendall(drip)
            except OSError:
                return

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("head", "drip"),
    [
        (HEAD + b"\r\n", b"a"),
        (HEAD + b"X-Slow: ", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    ],
    ids=["body", "header", "continue", "chunks"],
)
def test_what_comes_slowly_for_ever_is_left(monkeypatch: pytest.MonkeyPatch, head: bytes, drip: bytes) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS", 0.5)
    with serving(head, drip) as url, pytest.raises(LoadError, match=r"took over 0\.5 s; download it and add the file"):
        fetch(url, allow_private=True)


def test_all_redirects_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS", 0.5)
    with serving(HEAD + b"\r\n", b"a") as last:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {last}\r\nContent-Length: 0\r\n\r\n".encode()
        with serving(moved) as url, pytest.raises(LoadError, match=r"took over 0\.5 s"):
            fetch(url, allow_private=True)


async def test_a_page_is_fetched_beside_a_loop_that_runs() -> None:
    with serving(HEAD + b"Content-Length: 5\r\n\r\nTalks") as url:
        assert fetch(url, allow_private=True).body == b"Talks"


@pytest.mark.parametrize(
    ("cut", "told"),
    [(lambda body: body[:-9], "ends too early"), (lambda body: body + b"more", "something follows its end")],
)
def test_gzip_that_is_not_whole_is_no_article(cut: object, told: str) -> None:
    body = cut(gzip.compress(b"Talks in Doha. " * 100))  # type: ignore[operator]
    head = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with serving(head + body) as url, pytest.raises(LoadError, match=told):
        fetch(url, allow_private=True)


@pytest.mark.parametrize(
    "host",
    ["[fec0::1]", "[fe80::1]", "[fd00::1]", "[::1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
     "[3fff::1]", "[2001:db8::1]", "[100::1]", "192.88.99.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "2130706433"],
)  # fmt: skip
def test_what_is_not_of_the_public_internet_is_refused(host: str) -> None:
    with pytest.raises(LoadError, match="not a public address; --allow-private permits it"):
        fetch(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    ["http://user:sesame@host/", "http://user:ses/ame@host/", "http://user:sesame@[::1/", "ftp://user:sesame@host/"],
)
def test_no_password_of_an_address_is_told(url: str) -> None:
    with pytest.raises(LoadError) as raised:
        fetch(url)
    assert "ses" not in str(raised.value)
