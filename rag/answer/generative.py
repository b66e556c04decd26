"""Has a language model propose the statements of an answer."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from rag.answer.draft import Answered, Draft
from rag.answer.extractive import extract
from rag.answer.task import Task
from rag.answer.writer import Writer
from rag.schema import Answer, Citation, Mode, Reason, Statement, Status

_MOST_NEAREST = 3


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


def _missing(draft: Draft) -> Iterator[str]:
    if draft.missing and draft.answered is not Answered.YES:
        yield f"the model finds no answer to this in the articles: {draft.missing}"


def _nearest(task: Task) -> tuple[Citation, ...]:
    """The sentences that come nearest to the question."""
    found = extract(task.query, task.retrieved, k=len(task.hits))
    return (found.nearest or found.citations)[:_MOST_NEAREST]
