"""Reads the bytes of one file within bounds."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias
from zlib import error as ZlibError  # noqa: N812

from rag.errors import LoadError
from rag.schema import Article, Failure
from rag.text.clean import decode, one_line, refuse_binary, utf16

MAX_FILE = 50_000_000
MAX_LINE = 20_000_000
TOO_LONG = f"has a line over {MAX_LINE // 10**6} MB; wanted one article a line"
MAX_VALUES = 1_000_000
"""The most marks between values, such as commas, in a line or row: each may become an object of its own in memory."""
TOO_MANY = f"has a line of over {MAX_VALUES:,} values; wanted one article a line"
MAX_PARTS = 10_000
"""The most files in a container, such as the chapters of an .epub."""

Loaded: TypeAlias = Iterator[Article | Failure]

_HEAD = 65536
_ENTITIES = re.compile(rb"<!ENTITY", re.I)
_BAD_ZIP = (zipfile.BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


@dataclass(frozen=True, slots=True)
class Document:
    """Where it is from, its file name, its bytes, and what its server said of it."""

    origin: str
    name: str
    stream: BinaryIO
    charset: str | None = None
    url: str | None = None


def whole_body(document: Document) -> bytes:
    """All of it; raises LoadError if that is nothing, or more than MAX_FILE bytes."""
    body = document.stream.read(MAX_FILE + 1)
    if len(body) > MAX_FILE:
        raise LoadError(f"is over {MAX_FILE // 10**6} MB, the most for this format; split it, or convert it to .jsonl")
    if not body.strip():
        raise LoadError("is empty; wanted an article")
    return body


def lines(document: Document) -> Iterator[bytes]:
    """Its lines with their ends, read as a stream; of one over MAX_LINE only the first MAX_LINE + 1 bytes."""
    stream = _unmarked(document)
    while line := stream.readline(MAX_LINE + 1):
        rest = line
        while len(line) > MAX_LINE and rest and not rest.endswith(b"\n"):
            rest = stream.readline(_HEAD)
        yield line


def xml_tree(body: bytes) -> Any:
    """The root of an XML document; nothing is loaded from elsewhere, and a document that declares entities is refused.

    Its elements go by their local names, whatever their namespaces. Raises LoadError if it is no XML.
    """
    from lxml import etree

    refuse_entities(body)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise LoadError(f"is broken XML ({one_line(str(error), 100)}); get it whole") from None
    for node in root.iter(etree.Element):
        node.tag = etree.QName(node).localname
    return root


def refuse_entities(body: bytes) -> None:
    """Raises LoadError for XML that declares entities."""
    if _ENTITIES.search(body.replace(b"\0", b"")):
        raise LoadError("declares XML entities, which are not read; wanted a document without <!ENTITY")


@dataclass(slots=True)
class Container:
    """The files in a zip container, such as a .docx; together they may unpack to MAX_FILE bytes."""

    archive: zipfile.ZipFile
    unpacked: int = 0

    @classmethod
    def opened(cls, document: Document) -> Container:
        """Raises LoadError if it is no zip, or unpacks to more than is read."""
        body = whole_body(document)
        if body.startswith(b"\xd0\xcf\x11\xe0"):
            raise LoadError("is encrypted, or of the old binary format; save it anew without a password")
        try:
            archive = zipfile.ZipFile(io.BytesIO(body))
        except _BAD_ZIP as error:
            raise LoadError(f"is no zip container ({one_line(str(error), 80)}); save it anew") from None
        if len(archive.infolist()) > MAX_PARTS:
            raise LoadError(f"holds {len(archive.infolist())} files, wanted at most {MAX_PARTS}; split it")
        return cls(archive)

    @property
    def names(self) -> list[str]:
        """The names of its files, in their order."""
        return self.archive.namelist()

    def part(self, name: str) -> bytes | None:
        """The bytes of a file in it, None if there is none; a name leads to nothing outside of the container."""
        try:
            with self.archive.open(name) as file:
                body = file.read(MAX_FILE + 1)
        except KeyError:
            return None
        except _BAD_ZIP as error:
            raise LoadError(f"is damaged in {one_line(name, 60)} ({one_line(str(error), 80)}); save it anew") from None
        self.unpacked += len(body)
        if self.unpacked > MAX_FILE:
            raise LoadError(f"unpacks to over {MAX_FILE // 10**6} MB; split it")
        return body

    def tree(self, name: str) -> Any:
        """The root of an XML file in it; raises LoadError if there is none."""
        body = self.part(name)
        if body is None:
            raise LoadError(f"has no {one_line(name, 60)} in it; is it of the format that its name says?")
        return xml_tree(body)


def _unmarked(document: Document) -> BinaryIO:
    """The stream behind its byte order mark; what a server declares and UTF-16, whose lines cannot be cut, as UTF-8."""
    stream = document.stream
    head = stream.read(_HEAD)
    stream.seek(0)
    if utf16(head) or document.charset or not head.strip():
        return io.BytesIO(decode(whole_body(document), document.charset).text.encode())
    refuse_binary(head)
    stream.seek(len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0)
    return stream
