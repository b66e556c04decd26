"""Answers a question by what a language model writes, if the articles bear it out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from rag.answer.annotate import edited
from rag.answer.corroborate import corroborated
from rag.answer.draft import Answered, Draft, settled
from rag.answer.extractive import extract
from rag.answer.writer import Writer
from rag.checks import verify
from rag.checks.quotes import numbered
from rag.errors import InputError, KeyRefusedError, ModelError, NoModelError
from rag.models.client import Account
from rag.retrieval.query import Query
from rag.retrieval.retriever import Retrieved
from rag.schema import Answer, Article, Citation, Hit, Mode, Reason, Span, Statement, Status, Turn, Verdict, Window
from rag.text.injection import is_ordered

_MOST_NEAREST = 3
INSTEAD = "these are the articles' own sentences"
_BROKEN = "these are the statements that came before"

Check: TypeAlias = Callable[[Statement], Statement]
"""Gives a statement its verdict, by what it cites."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked: how many passages are read for it, within what limits, and after what."""

    text: str
    k: int = 10
    window: Window = field(default_factory=Window)
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Understood:
    """A question, what is looked for, and the account of what it may use."""

    asked: Asked
    query: Query
    account: Account


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A question with what was retrieved for it, and the hits that are read, best first."""

    asked: Asked
    query: Query
    account: Account
    retrieved: Retrieved
    hits: tuple[Hit, ...]


def answer(task: Task, writer: Writer, check: Check) -> Iterator[Statement | Answer]:
    """The statements as they are written and checked, then the Answer with all of them.

    Raises KeyRefusedError and NoModelError. Another fault of the model ends in the articles' own sentences, or in the
    statements that there are by then, with a warning; on strict terms it is raised.
    """
    shown: list[Statement] = []
    try:
        draft = yield from _shown(_checked(task, writer, check), shown)
    except (KeyRefusedError, NoModelError):
        raise
    except ModelError as error:
        if task.account.terms.strict:
            raise
        yield from _without(task, writer, check, shown, error)
        return
    yield _finished(task, writer, shown, draft)


def left_out(task: Task, mode: Mode) -> tuple[Article, ...]:
    """The articles of sentences that are addressed to a program, of what a model was given, or of what was near."""
    if mode != Mode.LLM:
        return task.retrieved.left_out
    return tuple(h.article for h in task.hits if is_ordered(h.article, Span(h.passage.start, h.passage.end)))


def judged(answer: Answer, statements: Sequence[Statement]) -> Answer:
    """The answer with its checked statements, and what their verdicts make of it."""
    told = (*answer.warnings, *verify.warnings(statements))
    status, why = verify.status(statements), verify.reason(statements)
    if status is Status.ANSWERED and answer.status is Status.PARTIAL:
        status = Status.PARTIAL
    return replace(answer, statements=tuple(statements), status=status, reason=why or answer.reason, warnings=told)


def _shown(statements: Generator[Statement, None, Draft], shown: list[Statement]) -> Generator[Statement, None, Draft]:
    """Passes the statements on, and notes them."""
    while True:
        try:
            statement = next(statements)
        except StopIteration as end:
            draft: Draft = end.value
            return draft
        shown.append(statement)
        yield statement


def _checked(task: Task, writer: Writer, check: Check) -> Generator[Statement, None, Draft]:
    """Each statement with its verdict as soon as it is written; after the repair, if there may be one."""
    writing = writer.stream(task.query.text, task.hits, task.account)
    held: list[Statement] = []
    while True:
        try:
            written = next(writing)
        except StopIteration as end:
            yield from _repaired(held, task, writer, check)
            draft: Draft = end.value
            return draft
        with task.account.clock.time("verify"):
            statement = _told(settled(check(written), written), task)
        if task.account.terms.deep:
            held.append(statement)
        else:
            yield statement


def _told(statement: Statement, task: Task) -> Statement:
    """A statement that is supported, with the outlets that report it, and with marks that are no part of its text."""
    if statement.verdict is not Verdict.SUPPORTED:
        return statement
    (found,) = edited(corroborated([statement], task.query, task.retrieved))
    return found


def _repaired(statements: Sequence[Statement], task: Task, writer: Writer, check: Check) -> list[Statement]:
    """The statements, those that failed replaced by what is supported after one more try."""
    failed = [place for place, statement in enumerate(statements) if statement.verdict is not Verdict.SUPPORTED]
    found = list(statements)
    if not failed:
        return found
    try:
        repairs = writer.repaired(task.query.text, task.hits, [statements[place] for place in failed], task.account)
    except (ModelError, InputError) as error:  # InputError: it would take more than the terms allow
        if task.account.terms.strict:
            raise
        task.account.warn(f"what failed its check could not be repaired: {error}")
        return found
    for repair in repairs:
        statement = _told(settled(check(repair.statement), repair.statement), task)
        if statement.verdict is Verdict.SUPPORTED:
            found[failed[repair.number]] = statement
    return list(numbered(found))


def _finished(task: Task, writer: Writer, shown: Sequence[Statement], draft: Draft) -> Answer:
    partly = draft.answered is Answered.PARTLY
    begun = replace(
        _written(task, writer, shown),
        status=Status.PARTIAL if partly else Status.ANSWERED,
        reason=Reason.NOT_IN_ARTICLES if partly else None,
        warnings=(*task.account.warnings, *draft.warnings, *_missing(draft)),
    )
    if draft.answered is Answered.NO:
        return replace(begun, status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES, nearest=_nearest(task))
    found = judged(begun, shown)
    return replace(found, nearest=_nearest(task)) if found.status is Status.ABSTAINED else found


def _without(
    task: Task, writer: Writer, check: Check, shown: Sequence[Statement], error: ModelError
) -> Iterator[Statement | Answer]:
    """What there is when the model fails: what was shown already, else the articles' own sentences."""
    if shown:
        told = (*task.account.warnings, f"{error}; {_BROKEN}")
        begun = replace(_written(task, writer, shown), status=Status.PARTIAL, warnings=told)
        yield judged(replace(begun, reason=Reason.UNSUPPORTED), shown)
        return
    found = extract(task.query, task.retrieved, k=len(task.hits))
    told = (*task.account.warnings, f"{error}; {INSTEAD}", *found.warnings)
    found = replace(found, usage=task.account.usage, warnings=told)
    if found.statements:
        found = judged(found, [_told(check(statement), task) for statement in found.statements])
    yield from found.statements
    yield found


def _written(task: Task, writer: Writer, statements: Sequence[Statement]) -> Answer:
    """An answer with what is the same whether the model came to its end or not."""
    citations = {citation.number: citation for statement in statements for citation in statement.citations}
    return Answer(
        question=task.query.text,
        standalone_question=task.query.text,
        status=Status.ANSWERED,
        statements=tuple(statements),
        citations=tuple(citations[number] for number in sorted(citations)),
        hits=task.hits,
        mode=Mode.LLM,
        model=writer.caller.choice.id,
        usage=task.account.usage,
    )


def _missing(draft: Draft) -> Iterator[str]:
    if draft.missing and draft.answered is not Answered.YES:
        yield f"the model finds no answer to this in the articles: {draft.missing}"


def _nearest(task: Task) -> tuple[Citation, ...]:
    """The sentences that come nearest to the question."""
    found = extract(task.query, task.retrieved, k=len(task.hits))
    return (found.nearest or found.citations)[:_MOST_NEAREST]
