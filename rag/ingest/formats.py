"""Reads the articles out of the bytes of one file, by its format."""

from __future__ import annotations

import codecs
import csv
import io
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, BinaryIO, TypeAlias
from xml.sax import SAXException
from zlib import error as ZlibError  # noqa: N812

from rag.errors import LoadError
from rag.ingest.html import page, plain
from rag.ingest.metadata import article, from_fields, from_record, has_text, headed, is_field
from rag.schema import Article, Failure
from rag.store.tables import PART
from rag.text.clean import clean, decode, not_utf8, one_line, refuse_binary

_TOO_DEEP = "is nested too deeply; wanted objects with the fields of an article"
_ENCRYPTED = "is an encrypted PDF; save it without a password"
_ENTITIES = re.compile(rb"<!ENTITY", re.I)
# What feedparser and pypdf let out on damaged files, besides their own errors.
_BROKEN = (
    *(ValueError, TypeError, AttributeError, LookupError, ArithmeticError, AssertionError, NotImplementedError),
    *(RecursionError, MemoryError, OSError, ZlibError),
)


Loaded: TypeAlias = Iterator[Article | Failure]


def read_text(document: Document) -> Loaded:
    """One article; its front matter or header lines are its fields and no part of its text."""
    found = headed(clean(decode(whole(document), document.charset)))
    if not found.text.strip():
        raise LoadError("has no text after its header; wanted an article")
    yield from_fields(found.text, {"url": document.url, **found.fields}, document.name)


def read_html(document: Document) -> Loaded:
    """The main text of a web page."""
    found = page(whole(document), document.charset, document.url)
    yield article(
        found.text,
        title=found.title,
        source=found.source,
        published=found.published,
        url=found.url,
        author=found.author,
        name=document.name,
    )


def read_json(document: Document) -> Loaded:
    """An object, an array of objects, or an object that holds one; also a file of JSON lines under this name."""
    text = decode(whole(document), document.charset)
    try:
        records = _records(json.loads(text))
    except RecursionError:
        raise LoadError(_TOO_DEEP) from None
    except ValueError as error:
        if not str(error).startswith("Extra data"):
            raise LoadError(_broken_json(error)) from None
        return read_lines(replace(document, stream=io.BytesIO(text.encode()), charset=None))
    name = document.name if len(records) == 1 else ""
    return (_one(f"{document.origin}:record {number}", record, name) for number, record in enumerate(records, 1))


def read_lines(document: Document) -> Loaded:
    """An object a line, read as a stream; a bad line is one Failure."""
    for number, raw in enumerate(lines(document), 1):
        if number == 1 and raw.strip() in (b"[", b"{"):
            raise LoadError("has JSON over several lines; wanted an object a line, or one document named .json")
        if raw.strip():
            yield _line(f"{document.origin}:{number}", raw)


def read_table(document: Document) -> Loaded:
    """A record a row, read as a stream; the delimiter is the one that makes the header name a text column."""
    csv.field_size_limit(MAX_LINE)
    texts = chain.from_iterable(map(_table_lines, lines(document)))
    opening = list(_opening(texts))
    rows = csv.reader(chain(opening, texts), delimiter=_delimiter("".join(opening[-1:])), strict=True)
    names: list[str] = []
    end = 0
    try:
        for cells in rows:
            start, end = end + 1, rows.line_num
            if not any(c.strip() for c in cells):
                continue
            if names:
                yield _row(f"{document.origin}:{start}", names, cells)
            else:
                names = _header(cells)
    except csv.Error as error:
        raise LoadError(f"is broken from line {end + 1} on ({error}), which is not read; mend its quotes") from None


def read_pdf(document: Document) -> Loaded:
    """The text of all pages; dates in its metadata tell when the file was made and are not read."""
    from pypdf.errors import DependencyError, PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what fails is reported once, by us
    body = whole(document)
    try:
        yield _pdf(body, document)
    except DependencyError:
        raise LoadError(_ENCRYPTED) from None
    except (PyPdfError, *_BROKEN) as error:
        raise LoadError(f"is a broken PDF ({one_line(str(error), 100)}); open it and save it anew") from error


def read_feed(document: Document) -> Loaded:
    """An article an entry, of its full content or else its summary; what is wrong with the XML is a Failure besides."""
    feed = _feed(whole(document), document)
    if not feed.entries:
        seen = f"{feed.version} without entries" if feed.version else "XML, but no RSS or Atom"
        raise LoadError(f"is {seen}; wanted a feed with entries")
    for number, entry in enumerate(feed.entries, 1):
        found = _one(f"{document.origin}:entry {number}", _entry(entry, feed), "")
        yield found if isinstance(found, Failure) else _in_feed(found, entry, feed, document)
    fault = feed.get("bozo_exception")
    if isinstance(fault, SAXException):
        raise LoadError(f"is broken XML ({one_line(str(fault), 100)}): read as far as that goes; get it whole")


def _line(origin: str, raw: bytes) -> Article | Failure:
    if len(raw) > MAX_LINE:
        return Failure(origin, TOO_LONG)
    try:
        record = json.loads(raw.decode().rstrip())
    except UnicodeDecodeError as error:
        return Failure(origin, not_utf8(f"byte 0x{raw[error.start]:02x} at column {error.start + 1}"))
    except json.JSONDecodeError as error:
        return Failure(origin, f"is broken JSON at column {error.colno}: {error.msg}; mend the line")
    except ValueError as error:
        return Failure(origin, _broken_json(error))
    except RecursionError:
        return Failure(origin, _TOO_DEEP)
    return _one(origin, record, "")


def _broken_json(error: ValueError) -> str:
    """Python's message names line and column; a number of too many digits has neither."""
    return f"is broken JSON: {one_line(str(error), 120)}; mend it there"


def _one(origin: str, record: Any, name: str) -> Article | Failure:
    if not isinstance(record, dict):
        return Failure(origin, f"is a JSON {type(record).__name__}; wanted an object with the fields of an article")
    try:
        return from_record(record, name)
    except LoadError as error:
        return Failure(origin, str(error))


def _records(value: Any) -> list[Any]:
    """The articles of a JSON document: itself, or the one list of objects in it."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or any(is_field(k, "text") and isinstance(v, str) for k, v in value.items()):
        return [value]
    lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
    objects = [v for v in value.values() if isinstance(v, dict)]
    if len(lists) > 1:
        raise LoadError(f"holds {len(lists)} lists of objects; wanted one list of articles")
    if not lists and len(objects) == 1 and not has_text(value):
        return _records(objects[0])
    return lists[0] if lists else [value]


def _table_lines(raw: bytes) -> Iterator[str]:
    if len(raw) > MAX_LINE:
        raise LoadError(TOO_LONG)
    yield from io.StringIO(raw.decode("utf-8", "surrogateescape"), newline=None)


def _opening(texts: Iterator[str]) -> Iterator[str]:
    """Up to the first line that is not blank: the header."""
    for text in texts:
        yield text
        if text.strip():
            return


def _delimiter(header: str) -> str:
    def fits(mark: str) -> tuple[bool, int]:
        cells = next(csv.reader([header], delimiter=mark), [])
        return any(is_field(c, "text") for c in cells), len(cells)

    return max(",;\t|", key=fits)


def _header(cells: list[str]) -> list[str]:
    if not any(is_field(c, "text") or is_field(c, "summary") for c in cells):
        raise LoadError(f"has the columns {one_line(', '.join(cells), 120)}; wanted one named text, body or content")
    return cells


def _row(origin: str, names: list[str], cells: list[str]) -> Article | Failure:
    if len(cells) > len(names):
        return Failure(origin, f"has {len(cells)} cells, wanted the {len(names)} of the header; put the text in quotes")
    if any("\udc80" <= c <= "\udcff" for cell in cells for c in cell):
        return Failure(origin, not_utf8("in this row"))
    return _one(origin, dict(zip(names, cells, strict=False)), "")


def _pdf(body: bytes, document: Document) -> Article:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(body))
    if reader.is_encrypted and not reader.decrypt(""):
        raise LoadError(_ENCRYPTED)
    text = clean(_pdf_text(page.extract_text() for page in reader.pages))
    if not text.strip():
        raise LoadError("is a PDF without text: scanned; needs OCR, for example: ocrmypdf OLD.pdf NEW.pdf")
    told = reader.metadata
    fields = {"title": told.title, "author": told.author} if told else {}
    return from_fields(text, {**fields, "url": document.url}, document.name)


def _pdf_text(pages: Iterable[str]) -> str:
    kept, size = [], 0
    for text in pages:
        kept.append(text)
        size += len(text)
        if size > MAX_FILE:
            raise LoadError(f"has over {MAX_FILE // 10**6} million characters of text; split it")
    return "\n\n".join(kept)


def _feed(body: bytes, document: Document) -> Any:
    import feedparser

    if _ENTITIES.search(body.replace(b"\0", b"")):
        raise LoadError("declares XML entities, which are not read; wanted a feed without <!ENTITY")
    headers = {"content-location": document.url} if document.url else {}
    try:
        return feedparser.parse(io.BytesIO(body), response_headers=headers)
    except _BROKEN as error:
        raise LoadError(f"is a broken feed ({type(error).__name__}); save its articles as files") from error


def _entry(entry: Any, feed: Any) -> dict[str, Any]:
    guid = entry.get("id") or ""
    contents = entry.get("content") or [entry.get("summary_detail") or {}]
    longest = max(contents, key=lambda c: len(c.get("value") or ""))
    text = longest.get("value") or ""
    return {
        "text": text if longest.get("type") == "text/plain" else plain(text),
        "title": entry.get("title"),
        "published": entry.get("published") or (None if _tells_changes(feed) else entry.get("updated")),
        "source": (entry.get("source") or {}).get("title") or feed.feed.get("title"),
        "author": entry.get("author"),
        "url": entry.get("link"),
        "id": guid if ":" in guid else None,  # a bare number is an id in its feed only
    }


def _tells_changes(feed: Any) -> bool:
    """Whether `updated` is the last change of an entry: in Atom; of RSS, feedparser has `dc:date` there."""
    return str(feed.version).startswith("atom")


def _in_feed(found: Article, entry: Any, parsed: Any, document: Document) -> Article:
    """The article with its place, if its entry has a guid; the feed of a file is known by its own address."""
    changed = None if found.published or not _tells_changes(parsed) else dict.get(entry, "updated")
    notes = (f"has no day of publication, only that of its last change ({one_line(changed, 40)})",) if changed else ()
    guid = entry.get("id")
    home = document.url or parsed.feed.get("link") or ""
    return replace(found, notes=(*found.notes, *notes), place=f"{home}{PART}{guid}" if guid else None)


READERS: dict[str, Callable[[Document], Loaded]] = {
    **dict.fromkeys((".txt", ".text", ".md", ".markdown"), read_text),
    **dict.fromkeys((".html", ".htm", ".xhtml"), read_html),
    **dict.fromkeys((".jsonl", ".ndjson"), read_lines),
    **dict.fromkeys((".csv", ".tsv"), read_table),
    **dict.fromkeys((".xml", ".rss", ".atom"), read_feed),
    ".json": read_json,
    ".pdf": read_pdf,
}
"""The reader of each file name extension."""

STREAMED = (read_lines, read_table)
"""The readers that hold one record at a time, so that their files may be large."""


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
