"""Reads the layout of SQuAD: questions on paragraphs, with the spans that answer them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from rag.errors import InputError, LoadError
from rag.evaluation.articles import Named, Shelf, shelve
from rag.evaluation.load import CaseSet, Record, case_set, counted, digest, parsed
from rag.ingest.metadata import article
from rag.schema import Article, Span
from rag.text.clean import clean
from rag.text.sentences import sentences

_WANTED = '{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}'


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    answer_start: int


@dataclass(frozen=True, slots=True)
class _Question:
    id: str
    question: str
    answers: tuple[_Answer, ...] = ()
    is_impossible: bool = False


@dataclass(frozen=True, slots=True)
class _Paragraph:
    context: str
    qas: tuple[_Question, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    paragraphs: tuple[_Paragraph, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    data: tuple[_Entry, ...]


_FILE = TypeAdapter(_File)


def is_squad(value: Any) -> bool:
    """Whether a JSON value is such a file, by the first entry of its data."""
    data = value.get("data") if isinstance(value, dict) else None
    return isinstance(data, list) and bool(data) and isinstance(data[0], dict) and "paragraphs" in data[0]


def read_squad(path: Path, content: str, value: Any) -> CaseSet:
    """The set of a file: the paragraphs of a title are an article, any answer of a question is right.

    The evidence is the sentence around the first answer; if that does not stand where it should, the whole article is,
    which is told.
    """
    entries = parsed(Record(path.name, value), _FILE, _WANTED).data
    shelf = shelve(_named(entries, path.name))
    records = list(_records(entries, shelf, path.name))
    found = case_set(path.stem, records, digest(content), shelf.articles)
    loose = sum("quote" not in evidence for record in records for evidence in record.content["evidence"])
    told = f"{path.name}: {loose} answers do not stand at their `answer_start`; the whole article is their evidence"
    return replace(found, warnings=counted({told: loose}))


def _named(entries: Sequence[_Entry], name: str) -> Iterator[Named]:
    for index, entry in enumerate(entries):
        place = f"{name}: data[{index}]"
        text = "\n\n".join(paragraph.context for paragraph in entry.paragraphs)
        try:
            yield Named(str(index), article(text, title=entry.title.replace("_", " ")), place)
        except LoadError as error:
            raise InputError(f"{place}: the paragraphs have no text; wanted a context in each") from error


def _records(entries: Sequence[_Entry], shelf: Shelf, name: str) -> Iterator[Record]:
    for i, entry in enumerate(entries):
        source = shelf.by_name[str(i)]
        for j, paragraph in enumerate(entry.paragraphs):
            spans = sentences(clean(paragraph.context))
            for k, question in enumerate(paragraph.qas):
                place = f"{name}: data[{i}].paragraphs[{j}].qas[{k}]"
                yield Record(place, _case(place, question, _evidence(question, paragraph.context, spans, source)))


def _case(place: str, question: _Question, evidence: dict[str, str] | None) -> dict[str, Any]:
    texts = list(dict.fromkeys(answer.text.strip() for answer in question.answers))
    if not texts and not question.is_impossible:
        raise InputError(f"{place}: has no answers; wanted one, or `is_impossible`")
    claim = {"text": texts[0], "any_of": [texts], "whole_words": True} if evidence else None
    return {
        "id": question.id,
        "task": "qa",
        "type": "impossible" if question.is_impossible else "span",
        "question": question.question,
        "answerable": not question.is_impossible,
        "claims": [claim] if claim else [],
        "evidence": [evidence] if evidence else [],
        "provenance": {"layout": "SQuAD"},
    }


def _evidence(question: _Question, context: str, spans: Sequence[Span], source: Article) -> dict[str, str] | None:
    if question.is_impossible or not question.answers:
        return None
    found = _sentence(question.answers[0], context, spans)
    return {"article": source.id, "title": source.title} | ({"quote": found} if found else {})


def _sentence(answer: _Answer, context: str, spans: Sequence[Span]) -> str | None:
    """The sentence around an answer, or the sentences, if it goes over several; None if it is not where it should be.

    The place is counted anew in the text as it is kept, without control characters.
    """
    text, wanted = clean(context), clean(answer.text).strip()
    start = len(clean(context[: answer.answer_start]))
    start += len(text[start:]) - len(text[start:].lstrip())
    end = start + len(wanted)
    around = [span for span in spans if span.start < end and start < span.end]
    if answer.answer_start < 0 or not wanted or text[start:end] != wanted or not around:
        return None
    return text[around[0].start : around[-1].end]
