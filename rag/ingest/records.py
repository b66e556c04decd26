"""Reads articles out of JSON, by whatever names their fields go."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from rag.errors import LoadError
from rag.ingest.document import MAX_LINE, MAX_VALUES, TOO_LONG, TOO_MANY, Document, Loaded, lines, whole_body
from rag.ingest.metadata import flat, from_record, has_text, is_field
from rag.schema import Article, Failure
from rag.text.clean import decode, one_line

_TOO_DEEP = "is nested too deeply; wanted objects with the fields of an article"
_MARKS = (b"[", b"{", b",", b'"')
# What separates the articles of a record in Multi-News, as published in two versions.
_SEPARATORS = re.compile(r"\s*(?:\|{5}|story_separator_special_tag)\s*")


def read_json(document: Document) -> Loaded:
    """An object, an array of objects, or an object that holds one; also a file of JSON lines under this name."""
    found = decode(whole_body(document), document.charset)
    try:
        value = parsed_json(found.text)
    except RecursionError:
        raise LoadError(_TOO_DEEP) from None
    except ValueError as error:
        if not str(error).startswith("Extra data"):
            raise LoadError(_broken_json(error)) from None
        return read_lines(replace(document, stream=io.BytesIO(found.text.encode()), charset=None))
    records = _records(value)
    if not any(isinstance(record, dict) and has_text(flat(record)) for record in records):
        records = list(_articles_in(value)) or records
    shared = _shared(value)
    name = document.name if len(records) == 1 else ""
    return (
        noted(item, found.note)
        for number, record in enumerate(records, 1)
        for item in record_articles(f"{document.origin}:record {number}", _with(shared, record), name)
    )


def read_lines(document: Document) -> Loaded:
    """An object a line, read as a stream; a bad line is one Failure."""
    for number, raw in enumerate(lines(document), 1):
        bare = raw.strip()
        if number < 3 and bare == b"{":
            raise LoadError("has JSON over several lines; wanted an object a line, or one document named .json")
        if bare.strip(b"[],"):
            yield from _line(f"{document.origin}:{number}", bare)


def record_articles(origin: str, record: Any, name: str = "") -> Loaded:
    """The article of a record, or the several that one holds; a record without text is one Failure."""
    if not isinstance(record, dict):
        yield Failure(origin, f"is a JSON {type(record).__name__}; wanted an object with the fields of an article")
        return
    for part in _parts(record):
        try:
            yield from_record(part, name)
        except LoadError as error:
            yield Failure(origin, str(error))


def parsed_json(text: str) -> Any:
    """The value of a JSON text; NaN and the infinities, which some programs write, are nothing."""
    return json.loads(text, parse_constant=lambda _: None)


def noted(item: Article | Failure, note: str | None) -> Article | Failure:
    """What is loaded, with a note if it is an article."""
    return replace(item, notes=(*item.notes, note)) if note and isinstance(item, Article) else item


def _parts(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The record, or one for each article that its text holds, which then have no id of their own."""
    key = next((k for k, v in record.items() if is_field(k, "text") and isinstance(v, str)), None)
    texts = [t for t in _SEPARATORS.split(record[key]) if t.strip()] if key else []
    if key is None or len(texts) < 2:
        yield record
        return
    kept = {k: v for k, v in record.items() if not is_field(k, "id") and not is_field(k, "title")}
    yield from ({**kept, key: text} for text in texts)


def _line(origin: str, raw: bytes) -> Loaded:
    if len(raw) > MAX_LINE:
        yield Failure(origin, TOO_LONG)
        return
    if sum(map(raw.count, _MARKS)) > MAX_VALUES:
        yield Failure(origin, TOO_MANY)
        return
    listed = raw.strip(b"[] ,\t")  # a line of an array that has an object a line
    try:
        found = decode(listed if listed[:1] == b"{" and listed[-1:] == b"}" else raw)
        record = parsed_json(found.text.rstrip())
    except LoadError as error:
        yield Failure(origin, str(error))
    except json.JSONDecodeError as error:
        yield Failure(origin, f"is broken JSON at column {error.colno}: {error.msg}; mend the line")
    except ValueError as error:
        yield Failure(origin, _broken_json(error))
    except RecursionError:
        yield Failure(origin, _TOO_DEEP)
    else:
        yield from (noted(item, found.note) for item in record_articles(origin, record))


def _broken_json(error: ValueError) -> str:
    """Python's message names line and column; a number of too many digits has neither."""
    return f"is broken JSON: {one_line(str(error), 120)}; mend it there"


def _records(value: Any) -> list[Any]:
    """The articles of a JSON document: itself, or the one list of objects in it that have a text."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or _is_article(value):
        return [value]
    lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
    if len(lists) > 1:
        lists = [v for v in lists if has_text(flat(v[0]))] or lists
    objects = [v for v in value.values() if isinstance(v, dict)]
    if len(objects) == len(value) > 1 and all(has_text(flat(o)) for o in objects):
        return objects
    if len(lists) > 1:
        raise LoadError(f"holds {len(lists)} lists of objects; wanted one list of articles")
    if not lists and len(objects) == 1 and not has_text(flat(value)):
        return _records(objects[0])
    if not lists and not has_text(flat(value)):
        inner = [found for o in objects if (found := _records(o)) != [o]]
        return inner[0] if len(inner) == 1 else [value]
    return lists[0] if lists and not has_text(value) else [value]


def _is_article(value: Any) -> bool:
    return isinstance(value, dict) and any(is_field(k, "text") and isinstance(v, str) for k, v in value.items())


def _articles_in(value: Any, levels: int = 7) -> Iterator[Any]:
    """The objects with a text, however deep: in the export of a database, or of several chats."""
    if isinstance(value, dict) and any(is_field(k, "text") and _is_text(v) for k, v in value.items()):
        yield value
    elif levels and isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _articles_in(inner, levels - 1)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and any(isinstance(part, str) for part in value))


def _shared(value: Any) -> dict[str, Any]:
    """What a JSON Feed says of all of its items: its title is their outlet, its authors are theirs."""
    if not isinstance(value, dict) or "jsonfeed.org" not in str(value.get("version")):
        return {}
    return {"source": value.get("title"), "authors": value.get("authors") or value.get("author")}


def _with(shared: Mapping[str, Any], record: Any) -> Any:
    return {**{k: v for k, v in shared.items() if v}, **record} if shared and isinstance(record, dict) else record


_DELIMITERS = ",;\t|"
_PREAMBLE = 10  # lines, of which the first that names a text is the header
_SURROGATE = re.compile("[\udc80-\udcff]")  # a byte that is no UTF-8
_ESCAPED = re.compile(r'(?<!\\)\\"')
_CLOSED = re.compile(r'"[ \t]+(?=[,;|]|\r?\n?\Z)')


def read_table(document: Document) -> Loaded:
    """A record a row, read as a stream; the delimiter is the one that makes the header name a text column.

    Quotes may be escaped by a backslash. A row whose quotes are broken is one Failure; reading goes on at the next line
    that has as many cells as the header.
    """
    csv.field_size_limit(MAX_LINE)
    source = _Lines(chain.from_iterable(map(_table_lines, lines(document))))
    mark = _begun(source)
    names = _header(next(csv.reader(source, delimiter=mark, skipinitialspace=True), []))
    broken = False
    while source.more():
        source.begin()
        origin = f"{document.origin}:{source.number + 1}"
        try:
            cells = _next_row(source, mark)
        except csv.Error as error:
            if not broken:
                yield Failure(origin, f"is broken ({error}) and was left out; mend the quotes of this row")
            broken = True
            source.put_back(source.taken[1:])
            continue
        if not any(c.strip() for c in cells) or (broken and len(cells) != len(names)):
            continue
        broken = False
        yield from _row(origin, names, cells)


def _begun(source: _Lines) -> str:
    """The delimiter; what is before the header is taken out of the lines."""
    opening = list(islice(source, _PREAMBLE))
    first = next((n for n, line in enumerate(opening) if line.strip()), 0)
    at = next((n for n, line in enumerate(opening) if _names_text(_cells(line, _delimiter(line)))), first)
    header = _decoded("".join(opening)).split("\n")[at] + "\n" if opening else ""
    source.put_back([header, *opening[at + 1 :]])
    return _delimiter(header)


def _decoded(text: str) -> str:
    return decode(text.encode("utf-8", "surrogateescape")).text if _SURROGATE.search(text) else text


def _next_row(source: _Lines, mark: str) -> list[str]:
    """The cells of the next row; raises csv.Error if its quotes are broken, and cannot be read as escaped either."""
    try:
        return next(csv.reader(source, delimiter=mark, skipinitialspace=True, strict=True), [])
    except csv.Error:
        source.put_back(source.taken)
    source.begin()
    escaped = (_CLOSED.sub('"', _ESCAPED.sub('""', line)) for line in source)
    return next(csv.reader(escaped, delimiter=mark, skipinitialspace=True, strict=True), [])


@dataclass(slots=True)
class _Lines:
    """The lines of a table, of which those of the present row can be put back."""

    rest: Iterator[str]
    number: int = 0
    taken: list[str] = field(default_factory=list)
    pending: deque[str] = field(default_factory=deque)
    size: int = 0
    values: int = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.pending.popleft() if self.pending else next(self.rest)
        self.number += 1
        self.taken.append(line)
        self.size, self.values = self.size + len(line), self.values + max(map(line.count, _DELIMITERS))
        if self.size > MAX_LINE or self.values > MAX_VALUES:
            raise LoadError(
                f"row {self.number}: {TOO_LONG if self.size > MAX_LINE else TOO_MANY}; are its quotes closed?"
            )
        return line

    def begin(self) -> None:
        """Starts a row."""
        self.taken, self.size, self.values = [], 0, 0

    def put_back(self, texts: list[str]) -> None:
        """Makes these the next lines."""
        self.number -= len(texts)
        self.pending.extendleft(reversed(texts))

    def more(self) -> bool:
        """Whether there is another line."""
        if not self.pending:
            self.pending.extend(islice(self.rest, 1))
        return bool(self.pending)


def _table_lines(raw: bytes) -> Iterator[str]:
    if len(raw) > MAX_LINE:
        raise LoadError(TOO_LONG)
    yield from io.StringIO(raw.decode("utf-8", "surrogateescape"), newline=None)


def _delimiter(header: str) -> str:
    def fits(mark: str) -> tuple[bool, int]:
        cells = _cells(header, mark)
        return any(is_field(c, "text") for c in cells), len(cells)

    return max(_DELIMITERS, key=fits)


def _cells(line: str, mark: str) -> list[str]:
    return next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])


def _names_text(cells: list[str]) -> bool:
    return any(is_field(c, "text") or is_field(c, "summary") for c in cells)


def _header(cells: list[str]) -> list[str]:
    if cells and not _names_text(cells):
        raise LoadError(f"has the columns {one_line(', '.join(cells), 120)}; wanted one named text, body or content")
    return cells


def _row(origin: str, names: list[str], cells: list[str]) -> Loaded:
    if len(cells) > len(names):
        seen = f"has {len(cells)} cells, wanted the {len(names)} of the header"
        yield Failure(origin, f"{seen}; put the text in quotes")
        return
    row = "\v".join(cell.replace("\v", " ") for cell in cells)
    note = None
    if _SURROGATE.search(row):
        found = decode(row.encode("utf-8", "surrogateescape"))
        cells, note = found.text.split("\v"), found.note
    record: dict[str, str] = {}
    for name, cell in zip(names, cells, strict=False):
        if cell.strip():
            record.setdefault(name, cell)  # of columns of one name, the first that has something
    yield from (noted(item, note) for item in record_articles(origin, record))
