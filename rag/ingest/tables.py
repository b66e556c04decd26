"""Reads articles out of tables, a row each."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from rag.errors import LoadError
from rag.ingest.document import MAX_LINE, MAX_VALUES, TOO_LONG, TOO_MANY, Document, Loaded, lines
from rag.ingest.metadata import is_field
from rag.ingest.records import noted, record_articles
from rag.schema import Failure
from rag.text.clean import decode, one_line

_MARKS = ",;\t|"
_SURROGATE = re.compile("[\udc80-\udcff]")  # a byte that is no UTF-8
_PREAMBLE = 10  # lines, of which the first that names a text is the header
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
        self.size, self.values = self.size + len(line), self.values + max(map(line.count, _MARKS))
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

    return max(_MARKS, key=fits)


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
