"""Reads a set of cases from a file: JSONL, YAML, or a published layout, recognised by its shape."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import TypeAdapter

from rag.errors import InputError, LoadError
from rag.evaluation.cases import (
    SCHEMA,
    CaseSet,
    Claim,
    Corpus,
    NamedArticle,
    Record,
    case_set,
    corpus,
    digest,
    json_lines,
    parsed,
    read_file,
)
from rag.evaluation.layouts import read_judged, read_topic
from rag.ingest.metadata import article, from_record
from rag.schema import Article, Span
from rag.text.clean import clean, one_line
from rag.text.sentences import sentences
from rag.text.words import listed

QUESTIONS = "MultiHopRAG.json"
KNOWN = (
    f"the layout of MultiHop-RAG ({QUESTIONS} beside corpus.json), RGB, SQuAD, BEIR, TREC qrels with queries, "
    "or a topic of Timeline17 or Crisis"
)
_CORPUS = "corpus.json"


def load_set(path: Path) -> CaseSet:
    """The set of a JSONL file, a case a line, of a YAML file, a list of cases, or of a published layout.

    Raises InputError with file and line, or place, for what is not as it should be, or if two cases have one id.
    """
    if path.is_dir() and (path / QUESTIONS).is_file():
        path = path / QUESTIONS
    return replace(read_topic(path) or read_judged(path) or _of_file(path), path=path)


def _of_file(path: Path) -> CaseSet:
    if path.is_dir():
        raise InputError(f"{path} is a folder and no set; wanted a JSONL or YAML file, or {KNOWN}")
    content, suffix = read_file(path), path.suffix.lower()
    if suffix in (".yaml", ".yml"):
        return case_set(path.stem, _yaml(content, path), digest(content))
    first = _first_line(content)
    if suffix in (".json", ".jsonl", ".ndjson") and _has(first, "query answer positive negative"):
        return _read_rgb(path, content)
    if suffix != ".json" or (isinstance(first, dict) and not _is_squad(first)):
        return case_set(path.stem, json_lines(content, path.name), digest(content))
    return _of_document(path, content)


def _of_document(path: Path, content: str) -> CaseSet:
    """The set of a file that is one JSON value."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name}: no JSON: {error}; mend it there, or give a case a line") from error
    if _is_squad(value):
        return _read_squad(path, content, value)
    if _starts_with(value, "query evidence_list"):
        return _read_multihop(path, content, value)
    first = value[0] if isinstance(value, list) and value else value
    kind = "a list of JSON objects" if first is not value else f"a JSON {type(value).__name__}"
    seen = f"{kind} with {', '.join(map(repr, list(first)[:6]))}" if isinstance(first, dict) and first else kind
    raise InputError(f"{path.name} is {seen}; wanted {KNOWN}, or a case a line")


def _first_line(content: str) -> Any:
    """The JSON of the first line that is not blank; None if it is not whole."""
    try:
        return json.loads(next((line for line in content.split("\n") if line.strip()), ""))
    except (ValueError, RecursionError):
        return None


def _has(value: Any, keys: str) -> bool:
    """Whether it is an object with such keys."""
    return isinstance(value, dict) and value.keys() >= listed(keys)


def _starts_with(value: Any, keys: str) -> bool:
    """Whether it is a list whose first item is an object with such keys."""
    return isinstance(value, list) and bool(value) and _has(value[0], keys)


class _Plain(yaml.SafeLoader):
    """Leaves days as the texts that they are in JSON."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(content: str, path: Path) -> Iterator[Record]:
    try:
        loader = _Plain(content)
        root = loader.get_single_node()
        if not isinstance(root, yaml.SequenceNode):
            raise InputError(f"{path.name} is no list of cases; start each with `- id: ...`")
        for node in root.value:
            yield Record(f"{path.name}:{node.start_mark.line + 1}", loader.construct_object(node, deep=True))
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path.name}: no YAML: {error}; {SCHEMA}") from error


def _question(layout: str, evidence: Sequence[dict[str, str]], **fields: Any) -> dict[str, Any]:
    return {"task": "qa", **fields, "evidence": list(evidence), "provenance": {"layout": layout}}


def _claim(alternatives: Iterable[str]) -> dict[str, Any]:
    texts = list(dict.fromkeys(text.strip() for text in alternatives))
    return {"text": texts[0] if texts else "", "any_of": [texts], "whole_words": True}


def _evidence(source: Article, quote: str | None) -> dict[str, str]:
    return {"article": source.id, "title": source.title} | ({"quote": quote} if quote else {})


# MultiHop-RAG


@dataclass(frozen=True, slots=True)
class _CitedFact:
    fact: str
    title: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class _MultihopQuestion:
    query: str
    answer: str
    evidence_list: tuple[_CitedFact, ...] | None
    question_type: str = ""


_MULTIHOP = TypeAdapter(_MultihopQuestion)
_MULTIHOP_WANTED = '{"query", "answer", "question_type", "evidence_list": [{"title", "url", "fact"}]}'
_UNANSWERABLE = {"null_query", "insufficient information"}


def _read_multihop(path: Path, content: str, questions: Sequence[Any]) -> CaseSet:
    """The set of a file of questions, with the articles of the `corpus.json` beside it.

    A fact is quoted as its article has it; one that its article does not contain is the whole article. Facts of
    articles that are not in the corpus are left out. Warnings count both.
    """
    file = path.with_name(_CORPUS)
    if not file.is_file():
        raise InputError(f"{path} has no {_CORPUS} beside it; put the articles there that it asks about")
    texts = read_file(file)
    found = corpus(_multihop_articles(texts))
    places = [Record(f"{path.name}[{index}]", question) for index, question in enumerate(questions)]
    read = [parsed(record, _MULTIHOP, _MULTIHOP_WANTED) for record in places]
    by_title = {source.title: source for source in found.articles}
    facts = [
        [(f, found.by_name.get(f.url or "") or by_title.get(one_line(f.title or ""))) for f in q.evidence_list or ()]
        for q in read
    ]
    gold = [[_evidence(a, _quoted(f.fact, a.text)) for f, a in of if a] for of in facts]
    records = [
        Record(record.place, _multihop_case(f"{path.stem}-{index}", question, evidence))
        for index, (record, question, evidence) in enumerate(zip(places, read, gold, strict=True))
    ]
    missing = sum(source is None for of in facts for _, source in of)
    every = [evidence for of in gold for evidence in of]
    loose = sum("quote" not in evidence for evidence in every)
    missed = f"{missing} facts are of articles that {_CORPUS} does not have; they are left out of the evidence"
    whole = f"{loose} of {len(every)} facts are not in their articles; the whole article is the evidence"
    warnings = {f"{path.name}: {missed}": missing, f"{path.name}: {whole}": loose}
    return case_set(path.stem, records, digest(content, texts), found.articles, warnings=warnings)


def _quoted(fact: str, text: str) -> str | None:
    """The fact as a text has it, whatever the white space; None if it does not have it."""
    wanted = "".join(clean(fact).split())
    place = "".join(text.split()).find(wanted)
    if not wanted or place < 0:
        return None
    letters = [index for index, letter in enumerate(text) if not letter.isspace()]
    return text[letters[place] : letters[place + len(wanted) - 1] + 1]


def _multihop_articles(content: str) -> Iterator[NamedArticle]:
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
        yield NamedArticle(str(record.get("url") or found.title), found, place)


def _multihop_case(id: str, question: _MultihopQuestion, evidence: Sequence[dict[str, str]]) -> dict[str, Any]:
    answer, kind = question.answer.strip(), question.question_type
    answerable = not {kind, answer.rstrip(".").casefold()} & _UNANSWERABLE
    fields = {"id": id, "type": kind, "question": question.query, "answerable": answerable}
    claims = [_claim([answer])] if answerable else []
    return _question("MultiHop-RAG", evidence if answerable else [], **fields, claims=claims)


# RGB

_Texts: TypeAlias = tuple[str | tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _RgbQuestion:
    id: int | str
    query: str
    answer: str | _Texts
    positive: _Texts
    negative: tuple[str, ...]
    positive_wrong: tuple[str, ...] = ()
    fakeanswer: str | tuple[str, ...] = ()

    @property
    def type(self) -> str:
        if self.positive_wrong:
            return "counterfactual"
        return "integration" if any(isinstance(part, tuple) for part in self.positive) else "noise"

    @property
    def answers(self) -> _Texts:
        return (self.answer,) if isinstance(self.answer, str) else self.answer

    @property
    def right(self) -> tuple[str, ...]:
        """The passages that answer it."""
        return tuple(text for part in self.positive for text in _alternatives(part))

    @property
    def passages(self) -> tuple[str, ...]:
        return (*self.right, *self.positive_wrong, *self.negative)

    @property
    def wrong(self) -> tuple[str, ...]:
        """The wrong answers, if there are passages that give them."""
        answers = _alternatives(self.fakeanswer) if self.positive_wrong else ()
        return tuple(text for text in map(clean, answers) if text.strip())

    def says(self, wrong: str) -> bool:
        """Whether a right answer or a right passage has the words of a wrong answer too."""
        texts = (*(text for answer in self.answers for text in _alternatives(answer)), *self.right)
        claim = Claim(wrong.strip(), ((wrong.strip(),),), whole_words=True)
        return any(claim.is_in(text) for text in texts)


_RGB = TypeAdapter(_RgbQuestion)
_RGB_WANTED = '{"id", "query", "answer": [...], "positive": [...], "negative": [...]}'


def _read_rgb(path: Path, content: str) -> CaseSet:
    """The set of a file, a question a line: all passages of all questions are articles, their ids from their texts.

    A wrong answer is forbidden, unless a right answer or passage has its words too.
    """
    lines = list(json_lines(content, path.name, "question of RGB"))
    read = [parsed(line, _RGB, _RGB_WANTED) for line in lines]
    passages = [(line.place, text) for line, question in zip(lines, read, strict=True) for text in question.passages]
    texts = [(place, text) for place, text in passages if clean(text).strip()]
    found = corpus(NamedArticle(text, article(text), place) for place, text in texts)
    records = [Record(line.place, _rgb_case(question, found)) for line, question in zip(lines, read, strict=True)]
    blank, both = len(passages) - len(texts), sum(question.says(wrong) for question in read for wrong in question.wrong)
    allowed = f"{both} wrong answers are not forbidden: a right answer or passage has their words too"
    warnings = {
        f"{path.name}: {blank} passages have no text and are left out": blank,
        f"{path.name}: {allowed}": both,
    }
    return case_set(path.stem, records, digest(content), found.articles, warnings=warnings)


def _rgb_case(question: _RgbQuestion, found: Corpus) -> dict[str, Any]:
    right = [found.by_name[text].id for text in question.right if text in found.by_name]
    return _question(
        "RGB",
        [{"article": id} for id in dict.fromkeys(right)],
        id=str(question.id),
        type=question.type,
        question=question.query,
        answerable=bool(right),
        claims=[_claim(_alternatives(answer)) for answer in question.answers] if right else [],
        forbidden=[_claim((text,)) for text in question.wrong if not question.says(text)],
    )


def _alternatives(part: str | tuple[str, ...]) -> tuple[str, ...]:
    return (part,) if isinstance(part, str) else part


# SQuAD


@dataclass(frozen=True, slots=True)
class _SquadAnswer:
    text: str
    answer_start: int


@dataclass(frozen=True, slots=True)
class _SquadQuestion:
    id: str
    question: str
    answers: tuple[_SquadAnswer, ...] = ()
    is_impossible: bool = False


@dataclass(frozen=True, slots=True)
class _Paragraph:
    context: str
    qas: tuple[_SquadQuestion, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    paragraphs: tuple[_Paragraph, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class _SquadFile:
    data: tuple[_Entry, ...]


_SQUAD = TypeAdapter(_SquadFile)
_SQUAD_WANTED = '{"data": [{"title", "paragraphs": [{"context", "qas": [{"id", "question", "answers"}]}]}]}'


def _is_squad(value: Any) -> bool:
    return isinstance(value, dict) and _starts_with(value.get("data"), "paragraphs")


def _read_squad(path: Path, content: str, value: Any) -> CaseSet:
    """The set of a file: the paragraphs of a title are an article, any answer of a question is right.

    The evidence is the sentence around the first answer, or the whole article if the answer is not where it should be.
    """
    entries = parsed(Record(path.name, value), _SQUAD, _SQUAD_WANTED).data
    found = corpus(_squad_articles(entries, path.name))
    records = list(_squad_records(entries, found, path.name))
    loose = sum("quote" not in evidence for record in records for evidence in record.content["evidence"])
    text = f"{path.name}: {loose} answers are not at their `answer_start`; the whole article is their evidence"
    return case_set(path.stem, records, digest(content), found.articles, warnings={text: loose})


def _squad_articles(entries: Sequence[_Entry], name: str) -> Iterator[NamedArticle]:
    for index, entry in enumerate(entries):
        place = f"{name}: data[{index}]"
        text = "\n\n".join(paragraph.context for paragraph in entry.paragraphs)
        try:
            yield NamedArticle(str(index), article(text, title=entry.title.replace("_", " ")), place)
        except LoadError as error:
            raise InputError(f"{place}: the paragraphs have no text; wanted a context in each") from error


def _squad_records(entries: Sequence[_Entry], found: Corpus, name: str) -> Iterator[Record]:
    for i, entry in enumerate(entries):
        source = found.by_name[str(i)]
        for j, paragraph in enumerate(entry.paragraphs):
            spans = sentences(clean(paragraph.context))
            for k, question in enumerate(paragraph.qas):
                place = f"{name}: data[{i}].paragraphs[{j}].qas[{k}]"
                quote = _sentence(question.answers[0], paragraph.context, spans) if question.answers else None
                yield Record(place, _squad_case(place, question, _evidence(source, quote)))


def _squad_case(place: str, question: _SquadQuestion, evidence: dict[str, str]) -> dict[str, Any]:
    answerable = not question.is_impossible
    if answerable and not question.answers:
        raise InputError(f"{place}: has no answers; wanted one, or `is_impossible`")
    return _question(
        "SQuAD",
        [evidence] if answerable else [],
        id=question.id,
        type="span" if answerable else "impossible",
        question=question.question,
        answerable=answerable,
        claims=[_claim(answer.text for answer in question.answers)] if answerable else [],
    )


def _sentence(answer: _SquadAnswer, context: str, spans: Sequence[Span]) -> str | None:
    """The sentence, or sentences, around an answer; None if it is not where it should be.

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
