"""Writes summaries and timelines with a language model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from rag.answer.anchor import Find
from rag.answer.draft import SCHEMA, Answered, Draft, DraftReader, settled
from rag.digest.extractive import Budget
from rag.digest.extractive import Check as Checker
from rag.errors import ContextError, ShapeError
from rag.models.budget import REPLY_TOKENS, TokenCount
from rag.models.client import Account, Call, Caller, at_once
from rag.models.prompts import INTEGER, TEXT, Packed, array_schema, data, fence, load_prompt, object_schema, pack
from rag.progress import Meter
from rag.schema import Check, Citation, Event, Hit, Precision, Statement, Verdict
from rag.text.clean import one_line
from rag.text.relative_dates import moments

GROUP_TOKENS = 6_000
_prompt = cache(load_prompt)
MOST_EVENTS = 12
"""How many events one call words."""
_MOST_CITED, _MOST_STATEMENTS = 6, 300
_LONGEST_NUMBER, _LONGEST_EVENT, _LONGEST = 60, 400, 600


_MERGED = object_schema(statements=array_schema(text=TEXT, **{"from": {"type": "array", "items": INTEGER}}))
_EVENTS = object_schema(events=array_schema(number=INTEGER, text=TEXT))


@dataclass(frozen=True, slots=True)
class Model:
    """A language model, what one request may spend on it, and who follows its progress.

    `find` gives what a statement cites whose quotes are nowhere.
    """

    caller: Caller
    account: Account
    meter: Meter
    find: Find | None = None

    @property
    def id(self) -> str:
        """Its name."""
        return self.caller.choice.id

    def room(self, call: Call) -> int:
        """How many tokens of data fit into a call that has none yet."""
        return min(GROUP_TOKENS, self.caller.tariff.window - self.caller.size(call).count - REPLY_TOKENS)

    def admit(self, calls: Sequence[Call], *, more: int = 0) -> None:
        """Raises InputError if these calls, and `more` replies, might take more than the terms allow."""
        sizes = (self.caller.size(call) for call in calls)
        replies = TokenCount(more * REPLY_TOKENS, estimated=True)
        self.account.admit(sum(sizes, replies), self.caller.tariff)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a summary is to be about, and how long it may be."""

    topic: str
    room: Budget


def summarize(hits: Sequence[Hit], assignment: Assignment, *, model: Model, check: Checker) -> list[Statement]:
    """The statements that a model writes, each with its verdict; none if it finds nothing on the topic.

    Map and reduce, as in Wu et al. 2021 (recursively summarizing books with human feedback): each group of passages
    becomes statements, which are checked; all of them, with a mark on those that failed, become one summary, which is
    checked again. The caller keeps useful replies, so that a run that was stopped continues. Raises ModelError, and
    InputError if it would take more than the terms allow.
    """
    groups = list(_packs(hits, assignment, model))
    model.admit([_map_call(group, assignment) for group in groups], more=len(groups) - 1)
    model.meter.expect(len(groups), f"{model.id} reads {len(groups)} groups of passages")
    drafts = at_once(groups, lambda g, a: _drafted(g, assignment, model, a), model.account, model.meter)
    made = [settled(check(draft), draft) for draft in drafts]
    if len(groups) > 1 and made:
        made = [settled(check(draft), draft) for draft in _merged(made, assignment, model)]
    return _within(made, assignment.room, model.account)


def reword(events: Sequence[Event], topic: str, *, model: Model, check: Checker) -> tuple[Event, ...]:
    """The events in their order, in the words of a model if their citations support those; dates and citations stay.

    Raises ModelError, and InputError if it would take more than the terms allow.
    """
    groups = [(group, _event_call(group, topic)) for group in _event_groups(events, topic, model)]
    model.admit([call for _, call in groups], more=len(groups) - 1)
    model.meter.expect(len(groups), f"{model.id} words {len(events)} events")
    texts = at_once(
        groups,
        lambda group, account: model.caller.json(group[1], account, lambda reply: _texts(reply, len(group[0]))),
        model.account,
        model.meter,
    )
    found = tuple(_reworded(event, text, check) for event, text in zip(events, texts, strict=True))
    if kept := sum(new is old for new, old in zip(found, events, strict=True)):
        model.account.warn(
            f"{kept} of {len(events)} events are in an article's own words: what the model wrote failed its check"
        )
    return found


def _packs(hits: Sequence[Hit], assignment: Assignment, model: Model) -> Iterator[Packed]:
    """The passages in groups that fit into the model's window."""
    budget = model.room(_map_call(Packed((), "", ""), assignment))
    while hits:
        packed = pack(hits, budget=budget, count=lambda text: model.caller.count(text).count)
        yield packed
        hits = hits[len(packed.hits) :]


def _map_call(packed: Packed, assignment: Assignment) -> Call:
    words = str(max(assignment.room.words, 60))
    inputs = {"fence": packed.fence, "passages": packed.text, "topic": data(assignment.topic), "words": words}
    return Call(_prompt("summary", *inputs), inputs, SCHEMA)


def _drafted(group: Packed, assignment: Assignment, model: Model, account: Account) -> list[Statement]:
    """The statements that the model makes of a group; if it is too long for the model, of each half."""
    call = _map_call(group, assignment)
    try:
        try:
            draft = _draft(call, call, group, model=model, account=account)
        except ShapeError as error:
            draft = _draft(model.caller.again(call, error, account), call, group, model=model, account=account)
    except ContextError:
        if len(group.hits) < 2:
            raise
        middle = len(group.hits) // 2
        parts = (group.hits[:middle], group.hits[middle:])
        halves = [pack(part, budget=GROUP_TOKENS, count=lambda _: 0) for part in parts]
        return [statement for half in halves for statement in _drafted(half, assignment, model, account)]
    return [] if draft.answered is Answered.NO else list(draft.statements)


def _draft(call: Call, kept_as: Call, group: Packed, *, model: Model, account: Account) -> Draft:
    reader = DraftReader(group.hits, model.find)
    for piece in model.caller.pieces(call, account):
        list(reader.feed(piece))
    draft = reader.close()
    model.caller.keep(kept_as, reader.text, account)
    return draft


def _merged(made: Sequence[Statement], assignment: Assignment, model: Model) -> list[Statement]:
    """One summary of the statements of all groups."""
    model.meter.expect(1, f"{model.id} makes one summary of {len(made)} statements")
    if len(made) > _MOST_STATEMENTS:
        model.account.warn(f"only {_MOST_STATEMENTS} of {len(made)} statements were brought together")
    lines = [_line(number, s) for number, s in enumerate(made[:_MOST_STATEMENTS], start=1)]
    text, room = "\n".join(lines), assignment.room
    inputs = {"fence": fence(text), "statements": text, "topic": data(assignment.topic)}
    inputs |= {"words": str(room.words), "most": str(room.most)}
    call = Call(_prompt("summary_merge", *inputs), inputs, _MERGED)
    found = model.caller.json(call, model.account, lambda reply: [_statement(i, made) for i in _items(reply)])
    model.meter.advance(1)
    return found


def _line(number: int, statement: Statement) -> str:
    confirmed = "" if statement.verdict is Verdict.SUPPORTED else "(not confirmed) "
    return f"[{number}] {confirmed}{data(statement.text)}"


def _items(reply: dict[str, Any]) -> list[Any]:
    found = reply.get("statements")
    if not isinstance(found, list) or not found:
        raise ShapeError(f"the statements are {one_line(repr(found), 80)}; wanted a list of statements")
    return found


def _statement(item: Any, made: Sequence[Statement]) -> Statement:
    """A statement of the summary with the citations of those it is made of."""
    text, numbers = (item.get("text"), item.get("from")) if isinstance(item, dict) else (None, None)
    if not isinstance(text, str) or not text.strip() or not isinstance(numbers, list):
        raise ShapeError(f"a statement is {one_line(repr(item), 80)}; wanted a text with the numbers that it is from")
    known = [n for n in numbers if type(n) is int and 0 < n <= len(made)]
    cited: dict[tuple[str, int, int], Citation] = {}
    for citation in (citation for number in known for citation in made[number - 1].citations):
        cited.setdefault((citation.article.id, citation.start, citation.end), citation)
    others = [n for n in numbers if type(n) is not int or n not in known]
    invented = tuple(Check("citation", one_line(f"[{n}]", _LONGEST_NUMBER), None, False) for n in others)
    told = one_line(text.replace("(not confirmed)", ""), _LONGEST)
    return Statement(told, tuple(cited.values())[:_MOST_CITED], checks=invented)


def _within(statements: Sequence[Statement], room: Budget, account: Account) -> list[Statement]:
    """The first statements that fit; warns of those that do not."""
    found: list[Statement] = []
    left = room.words
    for statement in statements:
        left -= len(statement.text.split())
        if left < 0 or len(found) == room.most:
            account.warn(f"{len(statements) - len(found)} statements of the model were left out for want of room")
            break
        found.append(statement)
    return found


def _event_groups(events: Sequence[Event], topic: str, model: Model) -> Iterator[tuple[Event, ...]]:
    """The events in groups that fit into the model's window; a single event always does."""
    room = model.room(_event_call((), topic))
    group: list[Event] = []
    for event in events:
        if group and (len(group) == MOST_EVENTS or model.caller.count(_lines([*group, event])).count > room):
            yield tuple(group)
            group = []
        group.append(event)
    yield tuple(group)


def _event_call(events: Sequence[Event], topic: str) -> Call:
    text = _lines(events)
    inputs = {"events": text, "fence": fence(text), "topic": data(topic)}
    return Call(_prompt("timeline", *inputs), inputs, _EVENTS)


def _lines(events: Sequence[Event]) -> str:
    """A line of JSON for each event, numbered from 1: its date and its citations."""
    rows = [
        {"number": n, "date": event.day, "quotes": [_quote(c) for c in event.statement.citations]}
        for n, event in enumerate(events, start=1)
    ]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def _quote(citation: Citation) -> dict[str, str | None]:
    article = citation.article
    published = str(article.published) if article.published else None
    return {"quote": data(citation.quote), "source": data(article.source or article.title), "published": published}


def _texts(reply: dict[str, Any], size: int) -> list[str]:
    """The sentence for each event, by its number; raises ShapeError if one has none, or two."""
    rows = reply.get("events")
    given = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    texts = {
        row["number"]: text
        for row in given
        if type(row.get("number")) is int and isinstance(text := row.get("text"), str) and text.strip()
    }
    if len(given) != size or texts.keys() != set(range(1, size + 1)):
        raise ShapeError(f"the reply tells the events {sorted(texts)}; wanted each of 1 to {size} once")
    return [one_line(texts[n], _LONGEST_EVENT) for n in range(1, size + 1)]


def _reworded(event: Event, text: str, check: Checker) -> Event:
    """The event in other words, if its citations support them and they name no other date; else the event itself."""
    statement = check(Statement(text, event.statement.citations))
    published = event.statement.citations[0].article.published
    named = [m.periods for m in moments(text, published.day if published else None) if m.periods]
    same_date = all(any(p.first <= event.date <= p.last or _holds(event, p.first) for p in ps) for ps in named)
    return replace(event, statement=statement) if statement.verdict is Verdict.SUPPORTED and same_date else event


def _holds(event: Event, day: date) -> bool:
    """Whether a day is in the month or year of an event of which no more is known."""
    parts = {Precision.YEAR: 1, Precision.MONTH: 2}.get(event.precision, 3)
    return event.date.timetuple()[:parts] == day.timetuple()[:parts]
