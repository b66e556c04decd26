"""Writes statements, by a model or from the articles' own sentences, and makes a summary of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from rag.answer.annotate import dated
from rag.answer.pipeline import INSTEAD, pass_over
from rag.checks import verify
from rag.digest import extractive, generative
from rag.digest.conflicts import compared
from rag.digest.excerpts import Pool
from rag.digest.extractive import Budget, Content
from rag.digest.generative import Assignment, Model
from rag.digest.news import news, told
from rag.digest.request import Request, Resources
from rag.digest.topic import Topic
from rag.errors import ModelError
from rag.schema import Conflict, Digest, Mode, Reason, Statement

Made = TypeVar("Made", bound=Digest)

EVERYTHING = "everything of weight in these articles"
_FEWEST_OF_EVENTS = 110
"""Words from which a summary on a topic is of events; in less room single facts say more (71 of 109 claims, not 77)."""


@dataclass(frozen=True, slots=True)
class Written:
    """Statements, and the model that wrote them, if one did."""

    statements: tuple[Statement, ...]
    model: Model | None


def write(  # noqa: PLR0913  # as many as a summary has sides
    pool: Pool,
    topic: Topic | None,
    space: Budget,
    resources: Resources,
    *,
    model: Model | None,
    taken: Sequence[Content] = (),
) -> Written:
    """The statements on a pool, by the model as long as it does not fail; a fault of any call raises ModelError."""
    if model and pool.hits:
        try:
            assignment = Assignment(topic.text if topic else EVERYTHING, space)
            made = generative.summarize(pool.hits, assignment, model=model, check=resources.check)
            return Written(tuple(made), model)
        except ModelError as error:
            pass_over(error, resources.account, INSTEAD)
    if topic and space.words >= _FEWEST_OF_EVENTS:
        found = news(pool, topic, resources.embeddings)
        return Written(dated(told(found, space, resources.check, taken=taken)), None)
    return Written(dated(extractive.summarize(pool, topic, space, resources.check, taken=taken)), None)


def finished(  # noqa: PLR0913  # what a result is made of
    made: Made,
    statements: Sequence[Statement],
    conflicts: Sequence[Conflict],
    *,
    request: Request,
    resources: Resources,
    model: Model | None,
) -> Made:
    """The summary or timeline of some statements, with how they stand, where they differ and what they cost."""
    account = resources.account
    found = compared(statements, conflicts)
    return replace(
        made,
        status=verify.status(statements),
        reason=verify.reason(statements) if statements else _missing(request, resources),
        citations=found.citations,
        conflicts=found.conflicts,
        as_of=request.window.as_of,
        mode=Mode.LLM if model else Mode.OFFLINE,
        model=model.id if model else None,
        usage=account.usage,
        timings=account.clock.times,
        warnings=(*account.warnings, *verify.warnings(statements)),
    )


def _missing(request: Request, resources: Resources) -> Reason:
    """Why a request found no statements."""
    is_outside = request.articles or resources.catalog.passage_count(request.window) == 0
    return Reason.OUTSIDE_DATES if is_outside else Reason.NOT_IN_ARTICLES
