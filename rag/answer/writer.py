"""Has a language model write the statements of an answer from passages."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from rag.answer.anchor import Find
from rag.answer.draft import SCHEMA, STATEMENT, Answered, Draft, DraftReader
from rag.answer.extractive import extract
from rag.answer.task import Task
from rag.errors import ContextError, ShapeError
from rag.models.budget import REPLY_TOKENS, TokenCount
from rag.models.client import Account, Call, Caller
from rag.models.prompts import INTEGER, Packed, array_schema, data, fence, load_prompt, object_schema, pack
from rag.schema import Answer, Check, Citation, Hit, Mode, Reason, Statement, Status, Usage
from rag.text.clean import one_line

TOKENS_PER_PASSAGE = 600
"""Of what a model reads, for each passage that is asked for; more passages are read where they are shorter."""
_MOST_NEAREST = 3
_REPAIRS = object_schema(repairs=array_schema(number=INTEGER, **STATEMENT))


@dataclass(frozen=True, slots=True)
class Preview:
    """A prompt that was not sent: its texts in order, its tokens, and what the call would use at most."""

    texts: tuple[str, ...]
    size: TokenCount
    usage: Usage


@dataclass(frozen=True, slots=True)
class Repair:
    """A statement that replaces the one of that number, counted from 0."""

    number: int
    statement: Statement


class Writer:
    """Writes by one model, one call for a question; `find` gives what a statement cites whose quotes are nowhere."""

    def __init__(self, caller: Caller, find: Find | None = None) -> None:
        self.caller = caller
        self.find = find
        self._prompt = load_prompt("answer", "fence", "passages", "question")
        self._repair = load_prompt("repair", "fence", "passages", "question", "statements")

    def stream(self, question: str, hits: Sequence[Hit], account: Account) -> Generator[Statement, None, Draft]:
        """The statements as they become whole; returns the draft.

        If the prompt is too long for the model, it is asked once more with half of the passages.
        """
        packed = self._packed(question, hits)
        try:
            return (yield from self._written(question, packed, account))
        except ContextError:
            if len(packed.hits) < 2:
                raise
        half = packed.hits[: len(packed.hits) // 2]
        account.warn(f"{self.caller.choice.id} read only the {len(half)} best of {len(packed.hits)} passages")
        return (yield from self._written(question, self._packed(question, half), account))

    def fitting(self, question: str, hits: Sequence[Hit], *, k: int) -> tuple[Hit, ...]:
        """The hits that are read, best first: as much as `k` passages of the usual size, one in any case."""
        return self._packed(question, hits, most=k * TOKENS_PER_PASSAGE).hits

    def preview(self, question: str, hits: Sequence[Hit]) -> Preview:
        """The prompt as it would be sent."""
        call = self._call(question, self._packed(question, hits))
        size = self.caller.size(call)
        usage = self.caller.tariff.usage(size.count, REPLY_TOKENS, estimated=True)
        return Preview(tuple(call.texts), size, usage)

    def repaired(
        self, question: str, hits: Sequence[Hit], failed: Sequence[Statement], account: Account
    ) -> list[Repair]:
        """Statements that the model would rather make than those that failed their check; not checked yet."""
        packed = self._packed(question, hits)
        lines = [_failed(number, statement) for number, statement in enumerate(failed)]
        mark = fence(packed.text, *lines)
        inputs = {"fence": mark, "passages": packed.text, "question": data(question), "statements": "\n".join(lines)}
        call = Call(self._repair, inputs, _REPAIRS)
        return self.caller.json(call, account, lambda reply: _repairs(reply, self._reader(packed), len(failed)))

    def _written(self, question: str, packed: Packed, account: Account) -> Generator[Statement, None, Draft]:
        """Asked once more if the reply is not what was asked for, unless a statement of it was given away."""
        call, reader = self._call(question, packed), self._reader(packed)
        try:
            draft = yield from self._read(call, reader, account)
        except ShapeError as error:
            if reader.given:
                raise
            reader = self._reader(packed)
            draft = yield from self._read(self.caller.again(call, error, account), reader, account)
        self.caller.keep(call, reader.text, account)
        return replace(draft, usage=account.usage)

    def _read(self, call: Call, reader: DraftReader, account: Account) -> Generator[Statement, None, Draft]:
        with closing(self.caller.pieces(call, account)) as pieces:
            for piece in pieces:
                yield from reader.feed(piece)
                if reader.rambles:
                    break
        known = reader.given
        draft = reader.close()
        yield from draft.statements[known:]
        return draft

    def _reader(self, packed: Packed) -> DraftReader:
        return DraftReader(packed.hits, self.find)

    def _call(self, question: str, packed: Packed) -> Call:
        inputs = {"fence": packed.fence, "passages": packed.text, "question": data(question)}
        return Call(self._prompt, inputs, SCHEMA)

    def _packed(self, question: str, hits: Sequence[Hit], most: int | None = None) -> Packed:
        """As much as the model's window holds beside the rules, the question and the reply."""
        rules = self.caller.size(self._call(question, Packed((), "", "")))
        room = self.caller.tariff.window - rules.count - REPLY_TOKENS
        budget = room if most is None else min(room, most)
        return pack(hits, budget=budget, count=lambda text: self.caller.count(text).count)


def propose(task: Task, writer: Writer) -> Generator[Statement, None, Answer]:
    """The statements as they are written; raises ModelError."""
    proposed: list[Statement] = []
    writing = writer.stream(task.query.text, task.hits, task.account)
    while True:
        try:
            statement = next(writing)
        except StopIteration as end:
            draft: Draft = end.value
            break
        proposed.append(statement)
        yield statement
    answer = replace(begun(task, writer, proposed), warnings=(*draft.warnings, *_missing(draft)))
    match draft.answered:
        case Answered.NO:
            near = _nearest(task)
            return replace(answer, status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES, nearest=near)
        case Answered.PARTLY:
            return replace(answer, status=Status.PARTIAL, reason=Reason.NOT_IN_ARTICLES)
        case _:
            return answer


def begun(task: Task, writer: Writer, statements: Sequence[Statement]) -> Answer:
    """An answer with what is the same whether the model came to its end or not."""
    citations = {citation.number: citation for statement in statements for citation in statement.citations}
    return Answer(
        question=task.query.text,
        standalone_question=task.query.text,
        status=Status.ANSWERED,
        citations=tuple(citations[number] for number in sorted(citations)),
        hits=task.hits,
        mode=Mode.LLM,
        model=writer.caller.choice.id,
    )


def _failed(number: int, statement: Statement) -> str:
    problems = [_problem(check) for check in statement.checks if not check.passed]
    if statement.opinion:
        problems = [statement.opinion.reason]
    told = {"number": number, "text": statement.text, "problems": problems}
    return data(json.dumps(told, ensure_ascii=False))


def _problem(check: Check) -> str:
    """What a failed check found, in words that a model understands."""
    match check.kind:
        case "support" | "entailment":
            return "the passage does not say all of this"
        case "contradiction":
            return "the passage says otherwise"
        case "citation":
            return f"the quote {check.expected} is in no passage"
    instead = f"; the passage has {check.found!r}" if check.found else ""
    return f"the passage does not have the {check.kind} {check.expected!r}{instead}"


def _repairs(reply: dict[str, Any], reader: DraftReader, count: int) -> list[Repair]:
    repairs = reply.get("repairs")
    if not isinstance(repairs, list):
        raise ShapeError(f"the repairs are {one_line(repr(repairs), 80)}; wanted a list")
    return [Repair(repair["number"], reader.statement(repair)) for repair in repairs if _is_repair(repair, count)]


def _is_repair(value: Any, count: int) -> bool:
    """Whether it has the number of a statement and a text; a statement that cannot be repaired has none."""
    if not isinstance(value, dict) or not isinstance(value.get("text"), str) or not value["text"].strip():
        return False
    return type(value.get("number")) is int and 0 <= value["number"] < count


def _missing(draft: Draft) -> Iterator[str]:
    if draft.missing and draft.answered is not Answered.YES:
        yield f"the model finds no answer to this in the articles: {draft.missing}"


def _nearest(task: Task) -> tuple[Citation, ...]:
    """The sentences that come nearest to the question."""
    found = extract(task.query, task.retrieved, k=len(task.hits))
    return (found.nearest or found.citations)[:_MOST_NEAREST]
