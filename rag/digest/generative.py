"""Has a language model summarize passages, group by group, then the groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.answer.draft import SCHEMA, Answered, Draft, DraftReader, settled
from rag.digest.extractive import Check as Checker
from rag.digest.select import Budget
from rag.errors import ContextError, ShapeError
from rag.models.budget import REPLY_TOKENS, TokenCount
from rag.models.client import CONCURRENCY, Account, Call, Caller, at_once
from rag.models.prompts import Packed, data, fence, load_prompt, pack
from rag.progress import Meter
from rag.schema import Check, Citation, Hit, Statement, Verdict
from rag.text.clean import one_line

GROUP_TOKENS = 6_000
_MOST_CITED = 6
_LONGEST_NUMBER = 60
_LONGEST = 600
_MOST_STATEMENTS = 300
_MERGED = {
    "type": "object",
    "properties": {
        "statements": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "from": {"type": "array", "items": {"type": "integer"}}},
                "required": ["text", "from"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["statements"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be condensed: passages in the order in which they are read, on what, in how much room."""

    hits: tuple[Hit, ...]
    topic: str
    room: Budget
    account: Account
    check: Checker
    meter: Meter = field(default_factory=Meter)


class Condenser:
    """Summarizes by one model; `concurrency` is how many groups it is given at once.

    Map and reduce, as in Wu et al. 2021 (recursively summarizing books with human feedback): each group of passages
    becomes statements, which are checked; those that pass become one summary, which is checked again. A reply that was
    of use is kept by the caller, so that what was stopped goes on where it was.
    """

    def __init__(self, caller: Caller, *, concurrency: int = CONCURRENCY) -> None:
        self.caller = caller
        self._concurrency = concurrency
        self._map = load_prompt("summary", "fence", "passages", "topic", "words")
        self._merge = load_prompt("summary_merge", "fence", "most", "statements", "topic", "words")

    def statements(self, task: Task) -> list[Statement]:
        """The statements that the model makes, each with its verdict; none if it finds nothing on the topic.

        Raises ModelError, and InputError if it would take more than the terms allow.
        """
        groups = list(self._groups(task))
        if not groups:
            return []
        self._admit(groups, task)
        made = self._mapped(groups, task)
        if len(groups) == 1:
            return _within(made, task)
        kept = _supported(made, task)
        return _within(self._reduced(kept, task), task) if kept else _within(made, task)

    def _groups(self, task: Task) -> Iterator[Packed]:
        """The passages in groups that fit into the model's window."""
        rules = self.caller.size(self._map_call(Packed((), "", ""), task))
        budget = min(GROUP_TOKENS, self.caller.tariff.window - rules.count - REPLY_TOKENS)
        left = task.hits
        while left:
            packed = pack(left, budget=budget, count=lambda text: self.caller.count(text).count)
            yield packed
            left = left[len(packed.hits) :]

    def _admit(self, groups: Sequence[Packed], task: Task) -> None:
        """Raises InputError if all of the calls together might take more than is allowed."""
        sizes = [self.caller.size(self._map_call(group, task)) for group in groups]
        total = sum(sizes, TokenCount((len(groups) - 1) * REPLY_TOKENS, estimated=True))
        task.account.admit(total, self.caller.tariff)

    def _mapped(self, groups: Sequence[Packed], task: Task) -> list[Statement]:
        task.meter.expect(len(groups), f"{self.caller.choice.id} reads {len(groups)} groups of passages")
        found = at_once(
            groups, lambda g, a: self._read(g, task, a), task.account, task.meter, concurrency=self._concurrency
        )
        return [settled(task.check(statement), statement) for statement in found]

    def _read(self, group: Packed, task: Task, account: Account) -> list[Statement]:
        """What the model makes of a group; if it is too long for the model, of each half."""
        try:
            return self._written(group, task, account)
        except ContextError:
            if len(group.hits) < 2:
                raise
        middle = len(group.hits) // 2
        halves = [_repacked(group.hits[:middle]), _repacked(group.hits[middle:])]
        return [statement for half in halves for statement in self._read(half, task, account)]

    def _written(self, group: Packed, task: Task, account: Account) -> list[Statement]:
        call = self._map_call(group, task)
        try:
            draft = self._read_draft(call, call, group, account)
        except ShapeError as error:
            draft = self._read_draft(self.caller.again(call, error, account), call, group, account)
        return [] if draft.answered is Answered.NO else list(draft.statements)

    def _read_draft(self, call: Call, kept_as: Call, group: Packed, account: Account) -> Draft:
        reader = DraftReader(group.hits)
        for piece in self.caller.pieces(call, account):
            list(reader.feed(piece))
        draft = reader.close()
        self.caller.keep(kept_as, reader.text, account)
        return draft

    def _reduced(self, made: Sequence[Statement], task: Task) -> list[Statement]:
        task.meter.expect(1, f"{self.caller.choice.id} makes one summary of {len(made)} statements")
        lines = [f"[{number}] {data(statement.text)}" for number, statement in enumerate(made, start=1)]
        if len(lines) > _MOST_STATEMENTS:
            task.account.warn(f"only {_MOST_STATEMENTS} of {len(lines)} statements were brought together")
        text = "\n".join(lines[:_MOST_STATEMENTS])
        inputs = {"fence": fence(text), "statements": text, "topic": data(task.topic)}
        inputs |= {"words": str(task.room.words), "most": str(task.room.most)}
        call = Call(self._merge, inputs, _MERGED)
        merged = self.caller.json(call, task.account, lambda reply: [_merged(item, made) for item in _items(reply)])
        task.meter.advance(1)
        return [settled(task.check(statement), statement) for statement in merged]

    def _map_call(self, packed: Packed, task: Task) -> Call:
        words = str(max(task.room.words, 60))
        inputs = {"fence": packed.fence, "passages": packed.text, "topic": data(task.topic), "words": words}
        return Call(self._map, inputs, SCHEMA)


def _repacked(hits: Sequence[Hit]) -> Packed:
    return pack(hits, budget=GROUP_TOKENS, count=lambda _: 0)


def _supported(made: Sequence[Statement], task: Task) -> list[Statement]:
    """Those that passed; how many did not is told."""
    kept = [statement for statement in made if statement.verdict is Verdict.SUPPORTED]
    if len(kept) < len(made):
        failed = len(made) - len(kept)
        task.account.warn(f"{failed} of {len(made)} statements of single groups failed their check and were left out")
    return kept


def _items(reply: dict[str, Any]) -> list[Any]:
    found = reply.get("statements")
    if not isinstance(found, list) or not found:
        raise ShapeError(f"the statements are {one_line(repr(found), 80)}; wanted a list of statements")
    return found


def _merged(item: Any, made: Sequence[Statement]) -> Statement:
    """A statement of the summary with the citations of those it is made of."""
    text, numbers = (item.get("text"), item.get("from")) if isinstance(item, dict) else (None, None)
    if not isinstance(text, str) or not text.strip() or not isinstance(numbers, list):
        raise ShapeError(f"a statement is {one_line(repr(item), 80)}; wanted a text with the numbers that it is from")
    known = [n for n in numbers if type(n) is int and 0 < n <= len(made)]
    cited: dict[tuple[str, int, int], Citation] = {}
    for number in known:
        for citation in made[number - 1].citations:
            cited.setdefault((citation.article.id, citation.start, citation.end), citation)
    others = [n for n in numbers if type(n) is not int or n not in known]
    invented = tuple(Check("citation", one_line(f"[{n}]", _LONGEST_NUMBER), None, False) for n in others)
    return Statement(one_line(text, _LONGEST), tuple(cited.values())[:_MOST_CITED], checks=invented)


def _within(statements: Sequence[Statement], task: Task) -> list[Statement]:
    """As many of the statements as there is room for; how many were left out is told."""
    kept: list[Statement] = []
    left = task.room.words
    for statement in statements:
        left -= len(statement.text.split())
        if left < 0 or len(kept) == task.room.most:
            break
        kept.append(statement)
    if len(kept) < len(statements):
        task.account.warn(f"{len(statements) - len(kept)} statements of the model were left out for want of room")
    return kept
