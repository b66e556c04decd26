"""Reads articles out of JSON, by whatever names their fields go."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
    if not isinstance(value, dict) or any(is_field(k, "text") and isinstance(v, str) for k, v in value.items()):
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


def _shared(value: Any) -> dict[str, Any]:
    """What a JSON Feed says of all of its items: its title is their outlet, its authors are theirs."""
    if not isinstance(value, dict) or "jsonfeed.org" not in str(value.get("version")):
        return {}
    return {"source": value.get("title"), "authors": value.get("authors") or value.get("author")}


def _with(shared: Mapping[str, Any], record: Any) -> Any:
    return {**{k: v for k, v in shared.items() if v}, **record} if shared and isinstance(record, dict) else record
