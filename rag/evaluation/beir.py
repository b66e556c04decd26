"""Reads the layouts of BEIR and TREC: questions, and which documents are relevant to each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import InputError, LoadError
from rag.evaluation.cases import CaseSet, NamedArticle, Record, case_set, corpus, digest, json_lines, read_file
from rag.ingest.metadata import from_record

_CORPUS = "corpus.jsonl"
_QUERIES = ("queries.jsonl", "queries.tsv")
_SUFFIXES = (".tsv", ".txt", ".qrels", ".qrel")
_HEADERS = ("query-id", "query_id", "queryid", "qid", "query", "topic")
_WANTED = "`query-id corpus-id score` of BEIR, or `query 0 document relevance` of TREC"


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
