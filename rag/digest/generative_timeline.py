"""Has a language model tell dated events, each in one sentence of what it is cited by."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from rag.digest.extractive import Check
from rag.digest.generative import GROUP_TOKENS
from rag.errors import ShapeError
from rag.models.budget import REPLY_TOKENS, TokenCount
from rag.models.client import CONCURRENCY, Account, Call, Caller, at_once
from rag.models.prompts import data, fence, load_prompt
from rag.progress import Meter
from rag.schema import Event, Precision, Statement, Verdict
from rag.text.clean import one_line
from rag.text.relative_dates import moments

_LONGEST, _MOST = 400, 12
"""Characters of a sentence; events of one call."""
_SCHEMA = {
    "type": "object",
    "properties": {
        "events": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"number": {"type": "integer"}, "text": {"type": "string"}},
                "required": ["number", "text"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["events"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Task:
    """The events that are to be told, and what they are about."""

    events: tuple[Event, ...]
    topic: str
    account: Account
    check: Check
    meter: Meter = field(default_factory=Meter)


class Teller:
    """Tells events by one model, some at once; their dates and citations stay as they are.

    A sentence that does not pass its check is left out for the article's own. A reply that was of use is kept by the
    caller, so that what was stopped goes on where it was.
    """

    def __init__(self, caller: Caller, *, concurrency: int = CONCURRENCY) -> None:
        self.caller = caller
        self._concurrency = concurrency
        self._prompt = load_prompt("timeline", "events", "fence", "topic")

    def told(self, task: Task) -> list[Event]:
        """The events in their order, each in the words of the model if those are supported; what is not is counted.

        Raises ModelError, and InputError if it would take more than the terms allow.
        """
        calls = [_Group(group, self._call(group, task)) for group in self._groups(task)]
        self._admit(calls, task)
        task.meter.expect(len(calls), f"{self.caller.choice.id} tells {len(task.events)} events")
        texts = at_once(calls, self._ask, task.account, task.meter, concurrency=self._concurrency)
        events = [_reworded(event, text, task.check) for event, text in zip(task.events, texts, strict=True)]
        kept = sum(new is old for new, old in zip(events, task.events, strict=True))
        if kept:
            task.account.warn(
                f"{kept} of {len(events)} events are in an article's own words: what the model wrote failed its check"
            )
        return events

    def _groups(self, task: Task) -> Iterator[tuple[Event, ...]]:
        """The events in groups that fit into the model's window; an event alone always is one."""
        room = min(
            GROUP_TOKENS, self.caller.tariff.window - self.caller.size(self._call((), task)).count - REPLY_TOKENS
        )
        group: list[Event] = []
        for event in task.events:
            if group and (len(group) == _MOST or self.caller.count(_lines([*group, event])).count > room):
                yield tuple(group)
                group = []
            group.append(event)
        if group:
            yield tuple(group)

    def _call(self, events: Sequence[Event], task: Task) -> Call:
        text = _lines(events)
        inputs = {"events": text, "fence": fence(text), "topic": data(task.topic)}
        return Call(self._prompt, inputs, _SCHEMA)

    def _admit(self, groups: Sequence[_Group], task: Task) -> None:
        """Raises InputError if all of the calls together might take more than is allowed."""
        sizes = (self.caller.size(group.call) for group in groups)
        replies = TokenCount(max(len(groups) - 1, 0) * REPLY_TOKENS, estimated=True)
        task.account.admit(sum(sizes, replies), self.caller.tariff)

    def _ask(self, group: _Group, account: Account) -> list[str]:
        return self.caller.json(group.call, account, lambda reply: _texts(reply, len(group.events)))


@dataclass(frozen=True, slots=True)
class _Group:
    """Events, and the call that has them told."""

    events: tuple[Event, ...]
    call: Call


def _lines(events: Sequence[Event]) -> str:
    """A line of JSON for each event, from 1: its date, and what it is cited by."""
    return "\n".join(
        json.dumps({"number": n, "date": event.day, "quotes": _quotes(event)}, ensure_ascii=False)
        for n, event in enumerate(events, start=1)
    )


def _quotes(event: Event) -> list[dict[str, str | None]]:
    return [
        {
            "quote": data(citation.quote),
            "source": data(citation.article.source or citation.article.title),
            "published": str(citation.article.published) if citation.article.published else None,
        }
        for citation in event.statement.citations
    ]


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
    return [one_line(texts[n], _LONGEST) for n in range(1, size + 1)]


def _reworded(event: Event, text: str, check: Check) -> Event:
    """The event in other words, if they are supported by what it is cited by and name no other date; else itself."""
    statement = check(Statement(text, event.statement.citations))
    is_kept = statement.verdict is Verdict.SUPPORTED and _is_of(event, text)
    return replace(event, statement=statement) if is_kept else event


def _is_of(event: Event, text: str) -> bool:
    """Whether each date in a text can be that of the event, which the program worked out."""
    published = event.statement.citations[0].article.published
    named = [m.periods for m in moments(text, published.day if published else None) if m.periods]
    return all(any(p.first <= event.date <= p.last or _holds(event, p.first) for p in periods) for periods in named)


def _holds(event: Event, day: date) -> bool:
    """Whether a day lies in the month or year of an event of which no more is known."""
    parts = {Precision.YEAR: 1, Precision.MONTH: 2}.get(event.precision, 3)
    return event.date.timetuple()[:parts] == day.timetuple()[:parts]
