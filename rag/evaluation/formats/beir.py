"""Reads the layouts of BEIR and TREC: questions, and which documents are relevant to each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rag.errors import InputError, LoadError
from rag.evaluation.articles import Named, Shelf, shelve
from rag.evaluation.load import CaseSet, Record, case_set, counted, digest, json_lines, read_file
from rag.ingest.metadata import from_record

_CORPUS = "corpus.jsonl"
_QUERIES = ("queries.jsonl", "queries.tsv")
_SUFFIXES = (".tsv", ".txt", ".qrels", ".qrel")
_HEADERS = ("query-id", "query_id", "queryid", "qid", "query", "topic")
_SPLIT = "test"
_WANTED = "`query-id corpus-id score` of BEIR, or `query 0 document relevance` of TREC"


@dataclass(frozen=True, slots=True)
class JudgedFiles:
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
    place: str


@dataclass(frozen=True, slots=True)
class _Corpus:
    """The documents, of which none has text in `blank`; `shelf` is None if there are none to bring."""

    shelf: Shelf | None
    blank: int = 0


@dataclass(frozen=True, slots=True)
class _Judged:
    """The relevant documents of a question, and how many more are not in the corpus."""

    query: str
    articles: tuple[str, ...]
    missing: int


def judged_files(path: Path) -> JudgedFiles | None:
    """The files of a folder, or about a file of judgements; None if there are no questions with judgements.

    Of several files of judgements in a folder `test` is meant; raises InputError if there is none of that name.
    """
    if path.is_dir():
        found = sorted(file for file in _of_judgements(path) if _is_judgements(file))
        return _files(path, _chosen(path, found), found) if found else None
    if path.suffix.lower() in _SUFFIXES and path.is_file() and _is_judgements(path):
        folder = next((f for f in (path.parent, path.parent.parent) if _queries(f)), None)
        if folder is None:
            raise InputError(f"{path} has no {' or '.join(_QUERIES)} beside it; put the questions there")
        return _files(folder, path, [path])
    return None


def read_judged(files: JudgedFiles) -> CaseSet:
    """The set of such files: a search for each question that has a relevant document, with those as its evidence.

    Any grade above 0 is relevant. Told are the questions that are left out, and the documents that are not there.
    """
    asked, graded = read_file(files.queries), read_file(files.qrels)
    written = read_file(files.corpus) if files.corpus else None
    queries = _questions(asked, files.queries)
    corpus = _Corpus(None) if written is None else _corpus(written)
    judged = [
        _judged(query, judgements, corpus.shelf)
        for query, judgements in _by_query(_judgements(graded, files.qrels), queries, files).items()
    ]
    records = [Record(f"{files.queries.name}: {j.query}", _case(j, queries[j.query])) for j in judged if j.articles]
    contents = (asked, graded) if written is None else (asked, graded, written)
    found = case_set(_name(files), records, digest(*contents), corpus.shelf.articles if corpus.shelf else ())
    return replace(found, warnings=_warnings(files, corpus, judged, len(queries)))


def _name(files: JudgedFiles) -> str:
    """The folder's, and the part of it that is judged: `fiqa-test`."""
    return f"{files.folder.resolve().name}-{files.qrels.stem}"


def _of_judgements(folder: Path) -> list[Path]:
    places = (folder / "qrels", folder)
    files = [file for place in places if place.is_dir() for file in place.iterdir()]
    return [f for f in files if f.suffix.lower() in _SUFFIXES and f.is_file() and f.name not in _QUERIES]


def _is_judgements(path: Path) -> bool:
    """By the first two lines, as the first may be a header."""
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        lines = [line for line in islice(stream, 2) if line.strip()]
    return bool(lines) and (_row(lines[-1]) is not None or _is_header(lines[0]))


def _row(line: str) -> tuple[str, ...] | None:
    """Query, document and grade of a line; None if it is no judgement."""
    cells = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
    if len(cells) not in (3, 4) or not cells[-1].lstrip("-").isdecimal():
        return None
    return cells[0], cells[-2], cells[-1]


def _chosen(folder: Path, found: Sequence[Path]) -> Path:
    if len(found) == 1:
        return found[0]
    test = [path for path in found if path.stem == _SPLIT]
    if len(test) != 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in found)
        raise InputError(f"{folder} has several files of judgements: {names}; name the one that is meant")
    return test[0]


def _queries(folder: Path) -> Path | None:
    return next((folder / name for name in _QUERIES if (folder / name).is_file()), None)


def _files(folder: Path, qrels: Path, found: Sequence[Path]) -> JudgedFiles | None:
    queries, corpus = _queries(folder), folder / _CORPUS
    if queries is None:
        return None
    unread = tuple(path.name for path in found if path != qrels)
    return JudgedFiles(folder, queries, corpus if corpus.is_file() else None, qrels, unread)


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


def _judgements(content: str, path: Path) -> Iterator[_Judgement]:
    for number, line in enumerate(content.split("\n"), start=1):
        row = _row(line)
        if row:
            yield _Judgement(row[0], row[1], int(row[2]), f"{path.name}:{number}")
        elif line.strip() and not (number == 1 and _is_header(line)):
            raise InputError(f"{path.name}:{number}: {line.strip()[:60]!r} is no judgement; wanted {_WANTED}")


def _is_header(line: str) -> bool:
    cells = line.split()
    return len(cells) in (3, 4) and cells[0].lower() in _HEADERS


def _by_query(
    judgements: Iterable[_Judgement], queries: Mapping[str, str], files: JudgedFiles
) -> dict[str, list[_Judgement]]:
    found: dict[str, list[_Judgement]] = {}
    for judgement in judgements:
        if judgement.query not in queries:
            seen = f"{judgement.place}: there is no query {judgement.query!r} in {files.queries.name}"
            raise InputError(f"{seen}; give the queries that it judges")
        found.setdefault(judgement.query, []).append(judgement)
    return found


def _judged(query: str, judgements: Sequence[_Judgement], shelf: Shelf | None) -> _Judged:
    relevant = list(dict.fromkeys(j.document for j in judgements if j.grade > 0))
    if shelf is None:
        return _Judged(query, tuple(relevant), 0)
    there = [shelf.by_name[document].id for document in relevant if document in shelf.by_name]
    return _Judged(query, tuple(dict.fromkeys(there)), len(relevant) - len(there))


def _corpus(content: str) -> _Corpus:
    records = list(json_lines(content, _CORPUS, "document"))
    written = [record for record in records if _has_text(record)]
    return _Corpus(shelve(_named(record) for record in written), len(records) - len(written))


def _has_text(record: Record) -> bool:
    content = record.content
    if not isinstance(content, dict) or not str(content.get("_id", "")).strip():
        raise InputError(f'{record.place}: is no document; wanted {{"_id": "...", "title": "...", "text": "..."}}')
    return any(str(content.get(field) or "").strip() for field in ("title", "text"))


def _named(record: Record) -> Named:
    """A document without text is its title."""
    content = record.content
    try:
        found = from_record({**content, "text": content.get("text") or content["title"]})
    except LoadError as error:
        raise InputError(f"{record.place}: {error}") from error
    return Named(str(content["_id"]), found, record.place)


def _case(judged: _Judged, question: str) -> dict[str, Any]:
    return {
        "id": judged.query,
        "task": "search",
        "question": question,
        "evidence": [{"article": id} for id in judged.articles],
        "provenance": {"layout": "BEIR or TREC"},
    }


def _warnings(files: JudgedFiles, corpus: _Corpus, judged: Sequence[_Judged], queries: int) -> tuple[str, ...]:
    name, missing = files.qrels.name, sum(j.missing for j in judged)
    without = sum(not j.articles for j in judged)
    return counted(
        {
            f"{name} is read, {', '.join(files.unread)} not; name another one by its path": len(files.unread),
            f"{name}: {queries - len(judged)} of {queries} questions are not judged and left out": queries
            - len(judged),
            f"{name}: {without} judged questions have no relevant document that is there and are left out": without,
            f"{name}: {missing} relevant documents are not in {_CORPUS} and left out of the evidence": missing,
            f"{_CORPUS}: {corpus.blank} documents have neither title nor text and are left out": corpus.blank,
        }
    )
