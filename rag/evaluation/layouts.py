"""Reads sets that are several files: the layouts of BEIR and TREC, and of Timeline17 and Crisis."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rag.errors import InputError, LoadError
from rag.evaluation.cases import CaseSet, NamedArticle, Record, case_set, corpus, digest, json_lines, read_file
from rag.ingest.metadata import article, from_record
from rag.schema import Precision, Published
from rag.text.calendar import parse_published

_CORPUS = "corpus.jsonl"
_QUERIES = ("queries.jsonl", "queries.tsv")
_SUFFIXES = (".tsv", ".txt", ".qrels", ".qrel")
_HEADERS = ("query-id", "query_id", "queryid", "qid", "query", "topic")
_WANTED = "`query-id corpus-id score` of BEIR, or `query 0 document relevance` of TREC"


# BEIR and TREC


@dataclass(frozen=True, slots=True)
class _JudgedFiles:
    """The files of such a set; without a corpus, the documents are articles that the library has by their ids."""

    folder: Path
    queries: Path
    corpus: Path | None
    qrels: Path
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judgement:
    query: str
    document: str
    grade: int


def read_judged(path: Path) -> CaseSet | None:
    """The set of a folder, or around a file of judgements: a search for each question that has a relevant document.

    Those are its evidence; any grade above 0 is relevant. Warnings count the questions that are left out, and the
    documents that are missing. None if there are no questions with judgements. Of several files of judgements in a
    folder `test` is meant; raises InputError if none has that name.
    """
    files = _files(path)
    return _read(files) if files else None


def _files(path: Path) -> _JudgedFiles | None:
    if path.is_dir():
        places = [file for place in (path / "qrels", path) if place.is_dir() for file in place.iterdir()]
        named = (f for f in places if f.suffix.lower() in _SUFFIXES and f.is_file() and f.name not in _QUERIES)
        found = sorted(filter(_has_judgements, named))
        return _around(path, _chosen(path, found), found) if found else None
    if path.suffix.lower() not in _SUFFIXES or not path.is_file() or not _has_judgements(path):
        return None
    files = _around(path.parent, path, [path]) or _around(path.parent.parent, path, [path])
    if files is None:
        raise InputError(f"{path} has no {' or '.join(_QUERIES)} beside it; put the questions there")
    return files


def _read(files: _JudgedFiles) -> CaseSet:
    contents = [read_file(file) for file in (files.queries, files.qrels, files.corpus) if file]
    queries = _questions(contents[0], files.queries)
    documents = list(json_lines(contents[2], _CORPUS, "document")) if files.corpus else []
    written = [record for record in documents if _has_text(record)]
    known = corpus(map(_named, written)) if files.corpus else None
    relevant = _relevant(contents[1], queries, files)
    # A document with the text of another one is the article of that one.
    articles = {name: article.id for name, article in known.by_name.items()} if known else None
    evidence = {
        query: list(named if articles is None else dict.fromkeys(articles[name] for name in named if name in articles))
        for query, named in relevant.items()
    }
    records = [
        Record(
            f"{files.queries.name}: {query}",
            {"id": query, "task": "search", "question": queries[query], "evidence": [{"article": id} for id in ids]}
            | {"provenance": {"layout": "BEIR or TREC"}},
        )
        for query, ids in evidence.items()
        if ids
    ]
    name, total, blank = files.qrels.name, len(queries), len(documents) - len(written)
    without = sum(not ids for ids in evidence.values())
    missing = sum(id not in known.by_name for named in relevant.values() for id in named) if known else 0
    warnings = {
        f"{name} is read, {', '.join(files.unread)} not; name another one by its path": len(files.unread),
        f"{name}: {total - len(relevant)} of {total} questions are not judged and left out": total - len(relevant),
        f"{name}: {without} judged questions have no relevant document that is there and are left out": without,
        f"{name}: {missing} relevant documents are not in {_CORPUS} and left out of the evidence": missing,
        f"{_CORPUS}: {blank} documents have neither title nor text and are left out": blank,
    }
    title = f"{files.folder.resolve().name}-{files.qrels.stem}"
    return case_set(title, records, digest(*contents), known.articles if known else (), warnings=warnings)


def _has_judgements(path: Path) -> bool:
    """By the first two lines, as the first may be a header."""
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        lines = [line for line in (stream.readline(), stream.readline()) if line.strip()]
    return bool(lines) and (_row(lines[-1]) is not None or _is_header(lines[0]))


def _row(line: str) -> _Judgement | None:
    """What a line says; None if it is not a judgement."""
    cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
    if len(cells) not in (3, 4) or not re.fullmatch(r"-?\d+", cells[-1]):
        return None
    return _Judgement(cells[0], cells[-2], int(cells[-1]))


def _is_header(line: str) -> bool:
    cells = line.split()
    return len(cells) in (3, 4) and cells[0].lower() in _HEADERS


def _chosen(folder: Path, found: Sequence[Path]) -> Path:
    test = found if len(found) == 1 else [path for path in found if path.stem == "test"]
    if len(test) != 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in found)
        raise InputError(f"{folder} has several files of judgements: {names}; name the one that is meant")
    return test[0]


def _around(folder: Path, qrels: Path, found: Sequence[Path]) -> _JudgedFiles | None:
    queries = next((folder / name for name in _QUERIES if (folder / name).is_file()), None)
    if queries is None:
        return None
    documents = folder / _CORPUS
    unread = tuple(path.name for path in found if path != qrels)
    return _JudgedFiles(folder, queries, documents if documents.is_file() else None, qrels, unread)


def _questions(content: str, path: Path) -> dict[str, str]:
    if path.suffix == ".jsonl":
        rows = ((record.place, *_fields(record)) for record in json_lines(content, path.name, "query"))
    else:
        lines = enumerate(content.split("\n"), start=1)
        rows = ((f"{path.name}:{n}", *line.partition("\t")[::2]) for n, line in lines if line.strip())
    found: dict[str, str] = {}
    for place, id, text in rows:
        if not id.strip() or not text.strip():
            raise InputError(f"{place}: has the id {id[:40]!r} and the text {text[:40]!r}; wanted both")
        if found.setdefault(id.strip(), text) is not text:
            raise InputError(f"{place}: an earlier query has the id {id!r} too; give each its own")
    return found


def _fields(record: Record) -> tuple[str, str]:
    content = record.content if isinstance(record.content, dict) else {}
    id, text = content.get("_id", ""), content.get("text", "")
    if not isinstance(id, str | int) or not isinstance(text, str):
        raise InputError(f'{record.place}: is no query; wanted {{"_id": "...", "text": "..."}}')
    return str(id), text


def _relevant(content: str, queries: Mapping[str, str], files: _JudgedFiles) -> dict[str, dict[str, None]]:
    """The relevant documents of each judged question, in the order of the file."""
    found: dict[str, dict[str, None]] = {}
    for number, line in enumerate(content.split("\n"), start=1):
        place, row = f"{files.qrels.name}:{number}", _row(line)
        if row and row.query not in queries:
            seen = f"{place}: there is no query {row.query!r} in {files.queries.name}"
            raise InputError(f"{seen}; give the queries that it judges")
        if row:
            found.setdefault(row.query, {}).update({row.document: None} if row.grade > 0 else {})
        elif line.strip() and not (number == 1 and _is_header(line)):
            raise InputError(f"{place}: {line.strip()[:60]!r} is no judgement; wanted {_WANTED}")
    return found


def _has_text(record: Record) -> bool:
    content = record.content
    if not isinstance(content, dict) or not str(content.get("_id", "")).strip():
        raise InputError(f'{record.place}: is no document; wanted {{"_id": "...", "title": "...", "text": "..."}}')
    return any(str(content.get(field) or "").strip() for field in ("title", "text"))


def _named(record: Record) -> NamedArticle:
    """A document without text is its title."""
    content = record.content
    try:
        found = from_record({**content, "text": content.get("text") or content["title"]})
    except LoadError as error:
        raise InputError(f"{record.place}: {error}") from error
    return NamedArticle(str(content["_id"]), found, record.place)


# Timeline17 and Crisis

_TIMELINES, _ARTICLES = "timelines.jsonl", ("articles.jsonl", "articles.preprocessed.jsonl")
_FOLDERS = (("InputDocs", "timelines"), ("public/content", "public/timelines"), ("articles", "timelines"))
_MADE_BY_TOOLS = (".timeml", ".tokenized")
_RULE = "-" * 8
_WANTED_ENTRIES = 'a timeline such as [["2010-04-20T00:00:00", ["A rig explodes."]]]'


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
    files = _topic_files(folder)
    return _read_topic(files) if files else None


def _topic_files(folder: Path) -> _TopicFiles | None:
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


def _read_topic(files: _TopicFiles) -> CaseSet:
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
        raise InputError(f"{record.place}: {json.dumps(rows)[:60]} is no timeline; wanted {_WANTED_ENTRIES}")
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
