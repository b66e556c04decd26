"""Makes summaries and timelines, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from rag.answer.pipeline import INSTEAD, pass_over
from rag.checks.quotes import numbered
from rag.digest import generative
from rag.digest.conflicts import (
    current,
    differing,
    differing_from,
    is_overtaken,
    with_outlets,
    with_replies,
)
from rag.digest.days import days_of
from rag.digest.request import Request, Resources, embedded, gathered
from rag.digest.sectioned import briefing, sectioned
from rag.digest.timeline import chronicle
from rag.digest.topic import Scope, scope
from rag.digest.writing import EVERYTHING, finished, write
from rag.errors import InputError, ModelError
from rag.schema import Event, Statement, Summary, Timeline


def summarize(request: Request, resources: Resources) -> Summary:
    """The summary of a request; a briefing if it names nothing and there is more than one article.

    A model writes it if there is one; if the model fails, it is the articles' own sentences, with a warning, unless the
    terms are strict.
    """
    is_whole = not request.articles and request.topic is None
    if is_whole and len(resources.catalog.article_ids(request.window, most=2)) != 1:
        return briefing(request, resources)
    if request.sections:
        return sectioned(request, resources)
    account = resources.account
    pool, topic = gathered(request, resources)
    with account.clock.time("summarize"):
        written = write(pool, topic, request.room, resources, model=resources.model)
        differences = differing([pool])
        most = max(request.room.words, _words(written.statements))
        replied = with_replies(differences, written.statements, [pool])
        now = _fitted(current(written.statements, replied, resources.check), most)
        statements = resources.judged(with_outlets(numbered(now or written.statements)))
        conflicts = with_replies(differences, statements, [pool])
    summary = Summary(request.topic, pool.articles, statements)
    return finished(summary, statements, conflicts, request=request, resources=resources, model=written.model)


def timeline(request: Request, resources: Resources) -> Timeline:
    """The timeline of a request, in the articles' own sentences, or in those of a model if there is one.

    If the model fails it is the articles' own, with a warning, unless the terms are strict.
    """
    account = resources.account
    if request.room.most < 1:
        raise InputError(f"max_events is {request.room.most}; wanted at least 1")
    pool, topic = gathered(request, resources)
    with account.clock.time("summarize"):
        limits = scope(topic.text, pool, days_of) if topic else Scope("")
        if topic and (limits.first or limits.last):
            topic = embedded(limits.topic, (), resources)
        found = chronicle(pool, topic, resources.check, most=request.room.most, admits=limits.admits)
        plans = [event.statement for event in found]
        replied = with_replies((), plans, [pool])
        found = [event for event in found if not is_overtaken(event.statement, plans, replied)]
        worded = _reworded(found, request, resources)
        model = resources.model if worded is not None else None
        events = found if worded is None else worded
        statements = resources.judged(numbered([event.statement for event in events]))
        conflicts = with_replies(differing_from(statements, pool), statements, [pool])
    placed = tuple(replace(event, statement=s) for event, s in zip(events, statements, strict=True))
    made = Timeline(request.topic, pool.articles, placed)
    return finished(made, statements, conflicts, request=request, resources=resources, model=model)


def _reworded(events: Sequence[Event], request: Request, resources: Resources) -> tuple[Event, ...] | None:
    """The events in the words of the model; None if there is none or it fails."""
    if not resources.model or not events:
        return None
    try:
        return generative.reword(events, request.topic or EVERYTHING, model=resources.model, check=resources.check)
    except ModelError as error:
        pass_over(error, resources.account, INSTEAD)
        return None


def _words(statements: Sequence[Statement]) -> int:
    return sum(len(statement.text.split()) for statement in statements)


def _fitted(statements: Sequence[Statement], words: int) -> list[Statement]:
    """As many of the statements, from the first on, as there is room for."""
    totals = accumulate(len(statement.text.split()) for statement in statements)
    return [statement for statement, total in zip(statements, totals, strict=True) if total <= words]
