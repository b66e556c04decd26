"""Reads the layout of MultiHop-RAG: questions on several news articles."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from rag.errors import InputError, LoadError
from rag.evaluation.articles import Named, Shelf, shelve
from rag.evaluation.load import CaseSet, Record, case_set, counted, digest, parsed, read_file
from rag.ingest.metadata import from_record
from rag.schema import Article
from rag.text.clean import clean, one_line

QUESTIONS = "MultiHopRAG.json"

_CORPUS = "corpus.json"
_KEYS = {"query", "evidence_list"}
_UNANSWERABLE = ("null_query", "insufficient information")
_WANTED = '{"query", "answer", "question_type", "evidence_list": [{"title", "url", "fact"}]}'


@dataclass(frozen=True, slots=True)
class _Fact:
    fact: str
    title: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class _Question:
    query: str
    answer: str
    evidence_list: tuple[_Fact, ...] | None
    question_type: str = ""


@dataclass(frozen=True, slots=True)
class _Gold:
    """What a question is answered from; `missing` are facts of articles that are not there."""

    evidence: tuple[dict[str, str], ...]
    missing: int


_QUESTION = TypeAdapter(_Question)


def is_multihop(value: Any) -> bool:
    """Whether a JSON value is a list of such questions, by the first of them."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and value[0].keys() >= _KEYS


def read_multihop(path: Path, content: str, questions: Sequence[Any]) -> CaseSet:
    """The set of a file of questions, with the articles of the `corpus.json` beside it.

    A fact is quoted as its article has it; where it does not stand there, the whole article is the evidence. Evidence
    of an article that is not in the corpus is left out. Both are told.
    """
    corpus = path.with_name(_CORPUS)
    if not corpus.is_file():
        raise InputError(f"{path} has no {_CORPUS} beside it; put the articles there that it asks about")
    articles = read_file(corpus)
    shelf = shelve(_named(articles))
    read = [
        parsed(Record(f"{path.name}[{index}]", question), _QUESTION, _WANTED)
        for index, question in enumerate(questions)
    ]
    titles = {article.title: article for article in shelf.articles}
    gold = [_gold(question, shelf, titles) for question in read]
    records = (
        Record(f"{path.name}[{index}]", _case(f"{path.stem}-{index}", question, found.evidence))
        for index, (question, found) in enumerate(zip(read, gold, strict=True))
    )
    found = case_set(path.stem, records, digest(content, articles), shelf.articles)
    return replace(found, warnings=_warnings(path.name, gold))


def _named(content: str) -> Iterator[Named]:
    try:
        records = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{_CORPUS}: no JSON: {error}; wanted a list of articles") from error
    if not isinstance(records, list):
        raise InputError(f"{_CORPUS} is a JSON {type(records).__name__}; wanted a list of articles")
    for index, record in enumerate(records):
        place = f"{_CORPUS}[{index}]"
        if not isinstance(record, dict):
            raise InputError(f"{place} is a JSON {type(record).__name__}; wanted an article with title, url and body")
        try:
            found = from_record(record)
        except LoadError as error:
            raise InputError(f"{place}: {error}") from error
        yield Named(str(record.get("url") or found.title), found, place)


def _gold(question: _Question, shelf: Shelf, titles: Mapping[str, Article]) -> _Gold:
    found = [
        (fact, shelf.by_name.get(fact.url or "") or titles.get(one_line(fact.title or "")))
        for fact in question.evidence_list or ()
    ]
    evidence = tuple(_evidence(fact.fact, article) for fact, article in found if article)
    return _Gold(evidence, sum(article is None for _, article in found))


def _evidence(fact: str, article: Article) -> dict[str, str]:
    quote = quoted(fact, article.text)
    return {"article": article.id, "title": article.title} | ({"quote": quote} if quote else {})


def quoted(fact: str, text: str) -> str | None:
    """The fact as it stands in a text, whatever the white space in it; None if it does not."""
    wanted = "".join(clean(fact).split())
    place = "".join(text.split()).find(wanted)
    if not wanted or place < 0:
        return None
    letters = [index for index, letter in enumerate(text) if not letter.isspace()]
    return text[letters[place] : letters[place + len(wanted) - 1] + 1]


def _case(id: str, question: _Question, evidence: Sequence[dict[str, str]]) -> dict[str, Any]:
    answer = question.answer.strip()
    answerable = not {question.question_type, answer.rstrip(".").casefold()} & set(_UNANSWERABLE)
    claim = {"text": answer, "any_of": [[answer]], "whole_words": True}
    return {
        "id": id,
        "task": "qa",
        "type": question.question_type,
        "question": question.query,
        "answerable": answerable,
        "claims": [claim] if answerable else [],
        "evidence": list(evidence) if answerable else [],
        "provenance": {"layout": "MultiHop-RAG"},
    }


def _warnings(name: str, gold: Sequence[_Gold]) -> tuple[str, ...]:
    missing = sum(found.missing for found in gold)
    every = [evidence for found in gold for evidence in found.evidence]
    loose = sum("quote" not in evidence for evidence in every)
    missed = f"{missing} facts are of articles that {_CORPUS} does not have; they are left out of the evidence"
    whole = f"{loose} of {len(every)} facts do not stand in their articles; the whole article is the evidence"
    return counted({f"{name}: {missed}": missing, f"{name}: {whole}": loose})
