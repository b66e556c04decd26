"""Reads the layouts of Timeline17 and Crisis: articles on a topic, with timelines of it that people wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rag.errors import InputError, LoadError
from rag.evaluation.cases import CaseSet, NamedArticle, Record, case_set, corpus, digest, json_lines, read_file
from rag.ingest.metadata import article
from rag.schema import Precision, Published
from rag.text.calendar import parse_published

_TIMELINES, _ARTICLES = "timelines.jsonl", ("articles.jsonl", "articles.preprocessed.jsonl")
_FOLDERS = (("InputDocs", "timelines"), ("public/content", "public/timelines"), ("articles", "timelines"))
_MADE_BY_TOOLS = (".timeml", ".tokenized")
_RULE = "-" * 8
_WANTED = 'a timeline such as [["2010-04-20T00:00:00", ["A rig explodes."]]]'


@dataclass(frozen=True, slots=True)
class _TopicFiles:
    """The files of a topic: one file of articles or one for each, and timelines."""

    folder: Path
    articles: tuple[Path, ...]
    timelines: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Reference:
    """A timeline by a person: what happened, by day; `undated` entries are left out."""

    name: str
    events: Mapping[date, str]
    undated: int = 0


def read_topic(folder: Path) -> CaseSet | None:
    """The set of a topic: for each timeline by a person one of as many events, of the articles of its period.

    None if the folder has neither the layout of news-tls nor that of the archives. Raises InputError if there are
    timelines without articles.
    """
    files = _files(folder)
    return _read(files) if files else None


def _files(folder: Path) -> _TopicFiles | None:
    if (folder / _TIMELINES).is_file():
        named = tuple(folder / name for name in _ARTICLES if (folder / name).is_file())
        if not named:
            raise InputError(f"{folder} has no {' or '.join(_ARTICLES)} beside {_TIMELINES}; put the articles there")
        return _TopicFiles(folder, named[:1], (folder / _TIMELINES,))
    for articles, timelines in _FOLDERS:
        written = tuple(sorted((folder / timelines).glob("[!.]*")))
        if written and (folder / articles).is_dir():
            of_days = (day for day in sorted((folder / articles).iterdir()) if day.is_dir() and _day(day.name))
            texts = tuple(text for day in of_days for text in sorted(day.glob("[!.]*")))
            return _TopicFiles(folder, tuple(p for p in texts if p.suffix not in _MADE_BY_TOOLS), written)
    return None


def _read(files: _TopicFiles) -> CaseSet:
    # In a file that is a single article or timeline, bytes that are not UTF-8 are replaced.
    contents = [
        read_file(path) if path.suffix == ".jsonl" else path.read_bytes().decode("utf-8-sig", "replace")
        for path in (*files.articles, *files.timelines)
    ]
    size = len(files.articles)
    in_one = files.articles and files.articles[0].name in _ARTICLES
    named = list((_of_lines if in_one else _of_days)(files.articles, contents[:size]))
    texts = [one for one in named if one is not None]
    references = list(_references(files.timelines, contents[size:]))
    name, undated = files.folder.resolve().name, sum(reference.undated for reference in references)
    records = [Record(r.name, _case(f"{name}-{r.name}", r)) for r in references if r.events]
    blank = len(named) - len(texts)
    warnings = {
        f"{name}: {blank} articles have no text and are left out": blank,
        f"{name}: {undated} entries of timelines have no day and are left out": undated,
    }
    return case_set(name, records, digest(*contents), corpus(texts).articles, warnings=warnings)


def _of_lines(paths: Sequence[Path], contents: Sequence[str]) -> Iterator[NamedArticle | None]:
    for record in json_lines(contents[0], paths[0].name, "article"):
        fields = record.content if isinstance(record.content, dict) else {}
        published = parse_published(str(fields.get("time", "")))
        if published is None or not fields.get("id"):
            raise InputError(f'{record.place}: is no article; wanted {{"id", "time", "title", "text"}}')
        id, text, title = str(fields["id"]), str(fields.get("text") or ""), str(fields.get("title") or "")
        yield (
            NamedArticle(id, article(text, id=id, title=title, published=published), record.place)
            if text.strip()
            else None
        )


def _of_days(paths: Sequence[Path], contents: Sequence[str]) -> Iterator[NamedArticle | None]:
    """The articles of files below folders that are named by their days."""
    for path, text in zip(paths, contents, strict=True):
        id, day = f"{path.parent.name}/{path.name}", date.fromisoformat(path.parent.name)
        try:
            found = article(text, id=id, published=Published(day, Precision.DAY))
        except LoadError:
            yield None
        else:
            yield NamedArticle(id, found, id)


def _references(paths: Sequence[Path], contents: Sequence[str]) -> Iterator[_Reference]:
    for path, content in zip(paths, contents, strict=True):
        if path.suffix == ".jsonl":
            for number, record in enumerate(json_lines(content, path.name, "timeline"), start=1):
                yield _reference(str(number), _items(record))
        else:
            blocks = [lines for block in content.split(f"\n{_RULE}") if (lines := _lines(block))]
            yield _reference(path.stem, [(lines[0], " ".join(lines[1:])) for lines in blocks])


def _lines(block: str) -> list[str]:
    """The lines of an entry, without what is left of the rule before it."""
    return [line.strip() for line in block.split("\n") if line.strip(" \r-")]


def _items(record: Record) -> list[tuple[str, str]]:
    """Day and text of each entry of a timeline in JSON."""
    rows = record.content
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == 2 for row in rows):
        raise InputError(f"{record.place}: {json.dumps(rows)[:60]} is no timeline; wanted {_WANTED}")
    return [(str(day), " ".join(map(str, text)) if isinstance(text, list) else str(text)) for day, text in rows]


def _reference(name: str, items: Sequence[tuple[str, str]]) -> _Reference:
    events: dict[date, str] = {}
    undated = 0
    for written, text in items:
        day = _day(written[:10])
        if day is None:
            undated += 1
        else:
            events[day] = f"{events.get(day, '')} {text}".strip()
    return _Reference(name, events, undated)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _case(id: str, reference: _Reference) -> dict[str, Any]:
    days = sorted(reference.events)
    return {
        "id": id,
        "task": "timeline",
        "since": days[0].isoformat(),
        "until": days[-1].isoformat(),
        "max_events": len(days),
        "events": {day.isoformat(): reference.events[day] for day in days},
        "provenance": {"layout": "Timeline17 or Crisis"},
    }
