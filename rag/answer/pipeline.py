"""The stages from a question to its answer, the same whoever writes it.

    understand -> retrieve -> propose -> check -> judge -> annotate -> compare -> Answer

A language model proposes statements, or the articles' own sentences are proposed; these also follow a model that fails.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import chain, combinations, zip_longest
from typing import TypeAlias

from rag.answer import about, extractive
from rag.answer.annotate import edited
from rag.answer.draft import settled
from rag.answer.task import Asked, Task, Understood
from rag.answer.writer import Writer, begun, propose
from rag.checks import verify as verification
from rag.checks.denials import with_denial
from rag.checks.document import checked, with_verdicts
from rag.checks.judge import Judge, is_open
from rag.checks.quotes import numbered
from rag.checks.verify import verify
from rag.compare.articles import with_reporters
from rag.compare.reconcile import annotated, sided
from rag.errors import InputError, KeyRefusedError, ModelError, NoModelError
from rag.models.budget import Terms
from rag.models.client import Account, Caller
from rag.models.injection import NOTHING_ASKED, QUESTION_LEFT_OUT, is_ordered, left_out
from rag.models.reader import Entailment
from rag.progress import Clock, Meter, Progress
from rag.retrieval.followups import context, parts_of, standalone
from rag.retrieval.query import Query
from rag.retrieval.retriever import Searcher, limited
from rag.schema import Answer, Article, Hit, Pointer, Reason, Span, Statement, Status, Verdict, Window
from rag.text.sentences import sentences
from rag.text.speakers import alike, speaker
from rag.text.words import words

INSTEAD = "these are the articles' own sentences"
_BROKEN = "these are the statements that came before"
_MOST_OUTSIDE = 3
Proposed: TypeAlias = Generator[Statement, None, Answer]
"""Statements that are not checked yet; at the end the answer that they are for, which has none itself."""


@dataclass(slots=True)
class _Written:
    """The statements of an answer so far: those that were shown, and those that wait for what follows them."""

    shown: list[Statement] = field(default_factory=list)
    held: list[Statement] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """What answers questions: a search, a check, and a model that writes or judges if there is one."""

    searcher: Searcher
    entailment: Entailment | None = None
    writer: Writer | None = None
    judge: Judge | None = None
    terms: Terms = field(default_factory=Terms)
    warnings: tuple[str, ...] = ()
    """What every answer tells of the library."""

    def run(
        self, asked: Asked, terms: Terms | None = None, progress: Progress | None = None
    ) -> Iterator[Statement | Answer]:
        """The statements as they are checked, then the Answer with all of them.

        Raises KeyRefusedError and NoModelError; other faults of a model only on strict terms.
        """
        yield from self.answer(self.retrieve(self.understand(asked, terms, progress)))

    def understand(self, asked: Asked, terms: Terms | None = None, progress: Progress | None = None) -> Understood:
        """The question as it stands alone, with the dates and outlets in it."""
        account = Account(terms or self.terms, Clock(), Meter(progress))
        query = self.searcher.query(asked.text, asked.window, asked.history, topic=asked.topic)
        if self.writer and context(asked.text, asked.history):
            query = self._standalone(asked, query, self.writer.caller, account)
        return Understood(asked, query, account)

    def retrieve(self, understood: Understood) -> Task:
        """The question with the passages that are read for it."""
        asked, account = understood.asked, understood.account
        retrieved = self.searcher.find(understood.query, k=asked.k, window=asked.window, clock=account.clock)
        if asked.topic:
            retrieved = limited(retrieved, asked.topic)
            account.warn(f"only articles with all words of the topic “{asked.topic}” were read")
        hits = retrieved.hits if self.writer else retrieved.hits[: asked.k]
        if self.writer and account.terms.deep:
            hits = self._more(understood, hits, self.writer.caller)
        if self.writer:
            hits = self.writer.fitting(understood.query.text, hits, k=asked.k)
        return Task(asked, understood.query, account, retrieved, hits, self.searcher.index)

    def answer(self, task: Task) -> Iterator[Statement | Answer]:
        """The statements that are proposed, each checked and annotated, then the Answer."""
        if not task.query.asks:
            yield self._finished(_nothing_asked(task), task)
            return
        if described := about.answered(task):
            yield from described.statements
            yield self._finished(described, task)
            return
        written = _Written()
        try:
            writes = self.writer if task.hits else None
            proposed = propose(task, writes) if writes else extractive.propose(task)
            answer = yield from self._checked(proposed, task, written)
        except (KeyRefusedError, NoModelError):
            raise
        except ModelError as error:
            if task.account.terms.strict:
                raise
            task.account.warn(f"{error}; {_BROKEN if written.shown or written.held else INSTEAD}")
            answer = yield from self._without(task, written)
        answer = sided(_concluded(answer, written.shown))
        if answer.statements and not answer.conflicts and answer.model:
            answer = annotated(answer, task.differences(answer.statements))
        yield self._finished(answer, task)

    def check(self, draft: str, given: Sequence[Article], *, k: int, window: Window) -> Answer:
        """The sentences of a draft as statements with their verdicts, by articles or by the `k` nearest passages."""
        account = Account(self.terms, Clock())
        with account.clock.time("check"):
            find = cache(partial(self.searcher.regions, k=k, window=window))
            checks = partial(verify, entailment=self.entailment)
            found = checked(draft, find, checks, given=given, window=window)
        if self.judge:
            with account.clock.time("judge"):
                found = with_verdicts(found, self.judge.judged(found.statements, account))
        if not given:
            found = replace(found, statements=with_reporters(found.statements, find, self.searcher.index))
        warnings = (*account.warnings, *found.warnings, *self.warnings)
        return replace(found, usage=account.usage, timings=account.clock.times, warnings=warnings)

    def _checked(self, proposed: Proposed, task: Task, written: _Written) -> Proposed:
        """Each proposal with its verdict as soon as that is known.

        What a judge has to settle, a side of a conflict and, on deep terms, all of them wait for the rest.
        """
        while True:
            try:
                proposal = next(proposed)
            except StopIteration as end:
                answer: Answer = end.value
                break
            statement = self._settled(proposal, task)
            if written.held or self._waits(statement, task):
                written.held.append(statement)
            else:
                written.shown.append(statement)
                yield statement
        held = self._judged(written.held, task)
        if task.account.terms.deep and self.writer:
            held = self._repaired(held, task, self.writer)
        written.held = _both_sides([self._annotated(s, task) if s.opinion else s for s in held])
        yield from _released(written)
        return answer

    def _waits(self, statement: Statement, task: Task) -> bool:
        if not self.writer:
            return False
        return task.account.terms.deep or bool(statement.side) or (self.judge is not None and is_open(statement))

    def _settled(self, proposal: Statement, task: Task) -> Statement:
        with task.account.clock.time("verify"):
            statement = settled(verify(proposal, proposal.citations, entailment=self.entailment), proposal)
            return self._annotated(with_denial(statement, statement.citations), task)

    def _annotated(self, statement: Statement, task: Task) -> Statement:
        if statement.verdict is not Verdict.SUPPORTED:
            return statement
        (found,) = edited(task.compare([statement]).statements)
        return found

    def _judged(self, statements: Sequence[Statement], task: Task) -> list[Statement]:
        if not self.judge:
            return list(statements)
        with task.account.clock.time("judge"):
            return list(self.judge.judged(statements, task.account))

    def _without(self, task: Task, written: _Written) -> Proposed:
        """What is left when the model fails: what it wrote before, else the articles' own sentences."""
        if not written.shown and not written.held:
            return (yield from self._checked(extractive.propose(task), task, written))
        assert self.writer
        yield from _released(written)
        return replace(begun(task, self.writer, written.shown), status=Status.PARTIAL)

    def _repaired(self, statements: Sequence[Statement], task: Task, writer: Writer) -> list[Statement]:
        """The statements, those that failed replaced by what is supported after one more try."""
        failed = [place for place, statement in enumerate(statements) if statement.verdict is not Verdict.SUPPORTED]
        found = list(statements)
        if not failed:
            return found
        try:
            repairs = writer.repaired(task.query.text, task.hits, [found[place] for place in failed], task.account)
        except (ModelError, InputError) as error:  # InputError: it would take more than the terms allow
            if task.account.terms.strict:
                raise
            task.account.warn(f"what failed its check could not be repaired: {error}")
            return found
        made = [self._settled(repair.statement, task) for repair in repairs]
        for repair, statement in zip(repairs, self._judged(made, task), strict=True):
            old = found[failed[repair.number]]
            if statement.verdict is Verdict.SUPPORTED and _keeps_speaker(old, statement):
                found[failed[repair.number]] = replace(statement, side=old.side)
        return list(numbered(found))

    def _standalone(self, asked: Asked, query: Query, caller: Caller, account: Account) -> Query:
        """The query by what the model makes of the conversation, else by the words of its last turn."""
        try:
            text = standalone(asked.text, asked.history, caller, account)
        except ModelError as error:
            pass_over(error, account, "the question was completed by the words of the last one")
            return query
        return self.searcher.query(text, asked.window) if words(text) else query

    def _more(self, understood: Understood, hits: tuple[Hit, ...], caller: Caller) -> tuple[Hit, ...]:
        """The hits with those of each part of the question, the best of all first."""
        asked, account = understood.asked, understood.account
        try:
            parts = parts_of(understood.query.text, caller, account)
        except ModelError as error:
            pass_over(error, account, "the question was not split into its parts")
            return hits
        queries = [self.searcher.query(part, asked.window) for part in parts]
        found = (self.searcher.find(q, k=asked.k, window=asked.window, clock=account.clock) for q in queries)
        turns = chain.from_iterable(zip_longest(hits, *(f.hits[: asked.k] for f in found)))
        return tuple({hit.passage.id: hit for hit in turns if hit}.values())

    def _finished(self, answer: Answer, task: Task) -> Answer:
        window = task.asked.window
        if not answer.hits and self.searcher.index.catalog.passage_count(window) == 0:
            answer = replace(answer, reason=Reason.OUTSIDE_DATES, outside=self._outside(task))
        return replace(
            answer,
            question=task.asked.text,
            usage=task.account.usage,
            as_of=window.as_of,
            window=window,
            timings=task.account.clock.times,
            warnings=(*task.account.warnings, *answer.warnings, *_left_out(answer, task), *self.warnings),
        )

    def _outside(self, task: Task) -> tuple[Pointer, ...]:
        """The articles nearest to the question that only the window keeps out; `as_of` holds all the same."""
        known = Window(as_of=task.asked.window.as_of)
        hits = self.searcher.find(task.query, k=task.asked.k, window=known, clock=task.account.clock).hits
        nearest = {hit.article.id: Pointer(hit.article.title, hit.article.published) for hit in hits}
        return tuple(nearest.values())[:_MOST_OUTSIDE]


def _released(written: _Written) -> Iterator[Statement]:
    """The statements that waited."""
    held, written.held = written.held, []
    for statement in held:
        written.shown.append(statement)
        yield statement


def _both_sides(statements: Sequence[Statement]) -> list[Statement]:
    """The statements, those of a conflict last; none is a side if not two of different sources are supported."""
    sides = [s for s in statements if s.side and s.verdict is Verdict.SUPPORTED]
    articles = {citation.article.id for s in sides for citation in s.citations[:1]}
    voices = [voice for side in sides if (voice := _said_by(side))]
    if len(articles) < 2 and all(alike(a, b) or alike(b, a) for a, b in combinations(voices, 2)):
        return [replace(s, side=None) for s in statements]
    return [*(replace(s, side=None) for s in statements if s not in sides), *sides]


def _said_by(statement: Statement) -> str | None:
    """Who says it, by itself or by what it cites first."""
    quotes = (c.quote[part.start : part.end] for c in statement.citations[:1] for part in sentences(c.quote))
    return statement.speaker or next(filter(None, map(speaker, quotes)), None)


def _keeps_speaker(old: Statement, new: Statement) -> bool:
    """Whether a repair still names who says it."""
    named, still = speaker(old.text), speaker(new.text)
    return named is None or (still is not None and alike(named, still))


def _concluded(answer: Answer, statements: Sequence[Statement]) -> Answer:
    """The answer with its checked statements, and what their verdicts make of it."""
    cited = {citation.number: citation for s in statements for citation in s.citations}
    answer = replace(answer, citations=tuple(cited[n] for n in sorted(cited))) if answer.model else answer
    told = (*answer.warnings, *verification.warnings(statements))
    if answer.status is Status.ABSTAINED or not statements:
        return replace(answer, statements=tuple(statements), warnings=told)
    status, why = verification.status(statements), verification.reason(statements)
    if status is Status.ANSWERED and answer.status is Status.PARTIAL:
        status = Status.PARTIAL
    return replace(answer, statements=tuple(statements), status=status, reason=why or answer.reason, warnings=told)


def _nothing_asked(task: Task) -> Answer:
    """An abstention, since a question that only gives orders is not obeyed."""
    text = task.query.text
    found = Answer(text, text, hits=task.hits, warnings=(NOTHING_ASKED,))
    return replace(found, status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES)


def _left_out(answer: Answer, task: Task) -> tuple[str, ...]:
    """What a reader must know of the orders that the question and the articles give."""
    asked = (QUESTION_LEFT_OUT,) if task.query.orders and task.query.asks else ()
    return (*asked, *left_out(_with_orders(answer, task)))


def _with_orders(answer: Answer, task: Task) -> tuple[Article, ...]:
    """The articles of sentences that are addressed to a program, of what a model was given, or of what was near."""
    if not answer.model:
        return task.retrieved.left_out
    return tuple(h.article for h in task.hits if is_ordered(h.article, Span(h.passage.start, h.passage.end)))


def pass_over(error: ModelError, account: Account, instead: str) -> None:
    """Makes a warning of a fault in a call that a result can do without; raises it if that is not so."""
    if account.terms.strict or isinstance(error, KeyRefusedError | NoModelError):
        raise error
    account.warn(f"{error}; {instead}")
