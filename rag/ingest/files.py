"""Reads the bytes of one file or response, whole or by lines, within bounds."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rag.errors import LoadError
from rag.text.clean import decode, refuse_binary

MAX_FILE = 50_000_000
MAX_LINE = 20_000_000
TOO_LONG = f"has a line over {MAX_LINE // 10**6} MB; wanted one article a line"

_HEAD = 65536
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Document:
    """Where it is from, its file name, its bytes, and what its server said of it."""

    origin: str
    name: str
    stream: BinaryIO
    charset: str | None = None
    url: str | None = None


def whole(document: Document) -> bytes:
    """All of it; raises LoadError if that is nothing, or more than MAX_FILE bytes."""
    body = document.stream.read(MAX_FILE + 1)
    if len(body) > MAX_FILE:
        raise LoadError(f"is over {MAX_FILE // 10**6} MB, the most for this format; split it, or convert it to .jsonl")
    if not body.strip():
        raise LoadError("is empty; wanted an article")
    return body


def lines(document: Document) -> Iterator[bytes]:
    """Its lines as UTF-8 with their ends, read as a stream; of one over MAX_LINE only the first MAX_LINE + 1 bytes."""
    stream = _utf8(document)
    while line := stream.readline(MAX_LINE + 1):
        rest = line
        while len(line) > MAX_LINE and rest and not rest.endswith(b"\n"):
            rest = stream.readline(_HEAD)
        yield line


def _utf8(document: Document) -> BinaryIO:
    """The stream behind its byte order mark; another encoding is converted first, as its lines cannot be cut."""
    stream = document.stream
    head = stream.read(_HEAD)
    stream.seek(0)
    if head.startswith(_UTF16) or document.charset or not head.strip():
        return io.BytesIO(decode(whole(document), document.charset).encode())
    refuse_binary(head)
    stream.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
    return stream
