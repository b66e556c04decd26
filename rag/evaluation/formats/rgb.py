"""Reads the layout of RGB: questions with passages that answer them, that do not, or that answer them wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from rag.evaluation.articles import Named, Shelf, shelve
from rag.evaluation.cases import Claim
from rag.evaluation.load import CaseSet, Record, case_set, counted, digest, json_lines, parsed
from rag.ingest.metadata import article
from rag.text.clean import clean

_Texts: TypeAlias = tuple[str | tuple[str, ...], ...]
_KEYS = {"query", "answer", "positive", "negative"}
_WANTED = '{"id", "query", "answer": [...], "positive": [...], "negative": [...]}'


@dataclass(frozen=True, slots=True)
class _Question:
    id: int | str
    query: str
    answer: str | _Texts
    positive: _Texts
    negative: tuple[str, ...]
    positive_wrong: tuple[str, ...] = ()
    fakeanswer: str | tuple[str, ...] = ()

    @property
    def right(self) -> tuple[str, ...]:
        """The passages that answer it."""
        return tuple(text for part in self.positive for text in _alternatives(part))

    @property
    def type(self) -> str:
        if self.positive_wrong:
            return "counterfactual"
        return "integration" if any(isinstance(part, tuple) for part in self.positive) else "noise"


_QUESTION = TypeAdapter(_Question)


def is_rgb(value: Any) -> bool:
    """Whether a JSON value is such a question."""
    return isinstance(value, dict) and value.keys() >= _KEYS


def read_rgb(path: Path, content: str) -> CaseSet:
    """The set of a file, a question a line: all passages of all questions are articles, their ids from their texts.

    A wrong answer is forbidden, unless a right answer or a passage that is right has its words too, which is told, as
    are passages without text.
    """
    read = [
        Record(record.place, parsed(record, _QUESTION, _WANTED))
        for record in json_lines(content, path.name, "question of RGB")
    ]
    passages = [Record(record.place, text) for record in read for text in _passages(record.content)]
    shelf = shelve(_named(passages))
    records = [Record(record.place, _case(record.content, shelf)) for record in read]
    found = case_set(path.stem, records, digest(content), shelf.articles)
    return replace(found, warnings=_warnings(path.name, read, passages))


def _passages(question: _Question) -> tuple[str, ...]:
    return (*question.right, *question.positive_wrong, *question.negative)


def _named(passages: Sequence[Record]) -> Iterator[Named]:
    return (Named(p.content, article(p.content), p.place) for p in passages if clean(p.content).strip())


def _case(question: _Question, shelf: Shelf) -> dict[str, Any]:
    right = [shelf.by_name[text].id for text in question.right if text in shelf.by_name]
    answers = (question.answer,) if isinstance(question.answer, str) else question.answer
    return {
        "id": str(question.id),
        "task": "qa",
        "type": question.type,
        "question": question.query,
        "answerable": bool(right),
        "claims": [_claim(_alternatives(answer)) for answer in answers] if right else [],
        "forbidden": [_claim((text,)) for text in _wrong(question) if not _is_told(text, question)],
        "evidence": [{"article": id} for id in dict.fromkeys(right)],
        "provenance": {"layout": "RGB"},
    }


def _claim(alternatives: Sequence[str]) -> dict[str, Any]:
    texts = list(dict.fromkeys(text.strip() for text in alternatives))
    return {"text": texts[0] if texts else "", "any_of": [texts], "whole_words": True}


def _alternatives(part: str | tuple[str, ...]) -> tuple[str, ...]:
    return (part,) if isinstance(part, str) else part


def _wrong(question: _Question) -> tuple[str, ...]:
    """The wrong answers, if there are passages that tell them."""
    told = _alternatives(question.fakeanswer) if question.positive_wrong else ()
    return tuple(text for text in map(clean, told) if text.strip())


def _is_told(wrong: str, question: _Question) -> bool:
    """Whether the words of a wrong answer stand in a right answer, or in a passage that is right."""
    answers = (question.answer,) if isinstance(question.answer, str) else question.answer
    texts = (*(text for answer in answers for text in _alternatives(answer)), *question.right)
    claim = Claim(wrong.strip(), ((wrong.strip(),),), whole_words=True)
    return any(claim.is_in(text) for text in texts)


def _warnings(name: str, read: Sequence[Record], passages: Sequence[Record]) -> tuple[str, ...]:
    blank = sum(not clean(passage.content).strip() for passage in passages)
    told = sum(_is_told(wrong, record.content) for record in read for wrong in _wrong(record.content))
    return counted(
        {
            f"{name}: {blank} passages have no text and are left out": blank,
            f"{name}: {told} wrong answers are not forbidden: a right answer or passage has their words too": told,
        }
    )
