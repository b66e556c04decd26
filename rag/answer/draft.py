"""Reads what a model wrote into statements with exact citations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rag.checks.quotes import locate, unmarked
from rag.errors import ShapeError
from rag.models.injection import is_ordered
from rag.models.partial_json import Member, Members, said
from rag.schema import Check, Citation, Hit, Span, Statement, Usage, Verdict
from rag.text.clean import one_line
from rag.text.sentences import sentences
from rag.text.words import content_words

MOST_STATEMENTS = 12
_LONGEST = 1_000
_MOST_AFTER = 1_000
_CLOSING, _OPENING = ".!?…”\"'’)»", '“"‘(«'
_NUMBER = re.compile(r"\[?(\d{1,6})\]?")
_BESIDE = 2


class Answered(StrEnum):
    """Whether the passages answer the question, by what the model says."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


SCHEMA = {
    "type": "object",
    "properties": {
        "answered": {"type": "string", "enum": list(Answered)},
        "statements": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "quotes": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {"passage": {"type": "integer"}, "quote": {"type": "string"}},
                            "required": ["passage", "quote"],
                            "additionalProperties": False,
                        },
                    },
                },
                "required": ["text", "quotes"],
                "additionalProperties": False,
            },
        },
        "missing": {"type": "string"},
    },
    "required": ["answered", "statements", "missing"],
    "additionalProperties": False,
}
"""The reply that prompts/answer.toml asks for."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a model wrote, not checked yet: its statements, whether they are all of the answer, and what is missing.

    A statement has the citations that could be located; each that stands for nothing is a failed check of it.
    """

    statements: tuple[Statement, ...]
    answered: Answered
    missing: str = ""
    warnings: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)


class DraftReader:
    """Reads a reply to prompts/answer.toml, which comes in pieces, against the hits that the model was given.

    It is a JSON object, or sentences with marks such as [1]. The same span has the same number in all statements.
    """

    def __init__(self, hits: Sequence[Hit]) -> None:
        self._hits = hits
        self._members = Members("statements")
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._answered: Answered | None = None
        self._missing = ""
        self._held: list[Statement] = []
        self._given: list[Statement] = []
        self._surplus = 0

    @property
    def text(self) -> str:
        """What has come so far."""
        return self._members.text

    @property
    def given(self) -> int:
        """How many statements `feed` has given."""
        return len(self._given)

    @property
    def rambles(self) -> bool:
        """Whether the reply goes on after all of it was said, as models do that were told to write nothing but JSON."""
        return self._members.after > _MOST_AFTER

    def feed(self, piece: str) -> Iterator[Statement]:
        """The statements that the piece made whole, once it is known that there is an answer.

        Raises ShapeError for what is no statement.
        """
        for member in self._members.feed(piece):
            self._take(member)
        if self._answered in (Answered.YES, Answered.PARTLY):
            yield from self._released()

    def close(self) -> Draft:
        """All that was read, when the reply is over; raises ShapeError if it is not what was asked for."""
        if not self._members.begun:
            self._held = self._marked_sentences()
        elif not self._members.done:
            raise ShapeError("the reply is no whole JSON object; wanted one with `answered` and `statements`")
        answered = self._answered or (Answered.YES if self._held else None)
        if answered is None:
            raise ShapeError("the reply has no `answered`; wanted yes, partly or no")
        if answered is not Answered.NO:
            list(self._released())
        if not self._given and answered is not Answered.NO:
            raise ShapeError(f"the reply says {answered.value!r} to whether there is an answer, and states nothing")
        return Draft(tuple(self._given), answered, self._missing, tuple(self._warnings()))

    def statement(self, value: Any) -> Statement:
        """The statement of one item of `statements`; raises ShapeError if it is none."""
        text, quotes = (value.get("text"), value.get("quotes") or []) if isinstance(value, dict) else (None, [])
        if not isinstance(text, str) or not text.strip() or not isinstance(quotes, list):
            raise ShapeError(f"a statement is {one_line(repr(value), 80)}; wanted a text with a list of quotes")
        marked = unmarked(one_line(text, _LONGEST))
        if not quotes:
            return self._from_marks(marked.text, marked.numbers)
        citations: list[Citation] = []
        invented: list[Check] = []
        for quote in quotes:
            found = self._quoted(quote)
            if isinstance(found, Check):
                invented.append(found)
            elif found not in citations:
                citations.append(found)
        invented += [_invented(f"[{n}]") for n in marked.numbers if self._hit(n) is None]
        return Statement(marked.text, tuple(citations), checks=tuple(invented))

    def _take(self, member: Member) -> None:
        match member.name:
            case "answered":
                if member.value not in list(Answered):
                    raise ShapeError(f"`answered` is {one_line(repr(member.value), 60)}; wanted yes, partly or no")
                self._answered = Answered(member.value)
            case "missing" if isinstance(member.value, str):
                self._missing = one_line(member.value, 300)
            case "statements" if len(self._held) + len(self._given) >= MOST_STATEMENTS:
                self._surplus += 1
            case "statements":
                self._held.append(self.statement(member.value))

    def _released(self) -> Iterator[Statement]:
        while self._held:
            self._given.append(self._held.pop(0))
            yield self._given[-1]

    def _warnings(self) -> Iterator[str]:
        if self._surplus:
            yield f"the model made more than {MOST_STATEMENTS} statements; {self._surplus} were left out"
        if self._held:
            yield f"the model says that the articles do not answer; {len(self._held)} statements of it were left out"

    def _quoted(self, quote: Any) -> Citation | Check:
        """The citation of a quote, or that there is no such passage or no such words in it."""
        number, words = (quote.get("passage"), quote.get("quote")) if isinstance(quote, dict) else (None, None)
        told = one_line(f"[{number}] “{words}”", 120)
        hit = self._hit(number)
        span = locate(words, hit.passage.text) if hit and isinstance(words, str) else None
        if hit is None or span is None:
            return _invented(told)
        return self._citation(hit, _closed(hit.passage.text, span))

    def _marked_sentences(self) -> list[Statement]:
        """The sentences of a reply that is no JSON."""
        text = said(self.text)
        found = [unmarked(text[span.start : span.end]) for span in sentences(text)]
        if not any(marked.numbers for marked in found):
            raise ShapeError("the reply is neither a JSON object nor sentences with marks such as [1]")
        kept = [marked for marked in found if content_words(marked.text)]
        self._surplus += max(0, len(kept) - MOST_STATEMENTS)
        return [self._from_marks(one_line(m.text, _LONGEST), m.numbers) for m in kept[:MOST_STATEMENTS]]

    def _from_marks(self, text: str, numbers: Sequence[int]) -> Statement:
        """The statement with the sentences of the marked passages that are nearest to it."""
        hits = {number: self._hit(number) for number in numbers}
        cited = [self._citation(hit, span) for hit in hits.values() if hit for span in _nearest(text, hit)]
        invented = tuple(_invented(f"[{number}]") for number, hit in hits.items() if hit is None)
        return Statement(text, tuple(dict.fromkeys(cited)), checks=invented)

    def _hit(self, number: Any) -> Hit | None:
        """The passage of a number, which a model without a schema may write as "1" or "[1]"."""
        match = _NUMBER.fullmatch(number.strip()) if isinstance(number, str) else None
        place = int(match[1]) if match else number
        if isinstance(place, bool) or not isinstance(place, int):
            return None
        return self._hits[place - 1] if 0 < place <= len(self._hits) else None

    def _citation(self, hit: Hit, span: Span) -> Citation:
        start, end = hit.passage.start + span.start, hit.passage.start + span.end
        number = self._numbers.setdefault((hit.article.id, start, end), len(self._numbers) + 1)
        return Citation(number, hit.article, hit.passage.id, start, end, hit.article.text[start:end])


def settled(verified: Statement, draft: Statement) -> Statement:
    """A statement that was checked, with the citations of its draft that stand for nothing: it is not supported."""
    if not draft.checks:
        return verified
    kept = tuple(check for check in verified.checks if check.kind != "citation")
    verdict = Verdict.UNSUPPORTED if verified.verdict is Verdict.SUPPORTED else verified.verdict
    return replace(verified, checks=(*kept, *draft.checks), verdict=verdict)


def _invented(told: str) -> Check:
    return Check("citation", told, None, False)


def _closed(text: str, span: Span) -> Span:
    """The span with the punctuation that belongs to it, which `locate` leaves out."""
    start, end = span.start, span.end
    while end < len(text) and text[end] in _CLOSING:
        end += 1
    while start > 0 and text[start - 1] in _OPENING:
        start -= 1
    return Span(start, end)


def _believed(hit: Hit) -> list[Span]:
    """The sentences of a passage, but for those that are addressed to a program unless it has no other."""
    start, found = hit.passage.start, sentences(hit.passage.text)
    return [s for s in found if not is_ordered(hit.article, Span(start + s.start, start + s.end))] or found


def _nearest(text: str, hit: Hit) -> list[Span]:
    """The sentence of a passage that has most of the words, and one that has at least two more of them."""
    wanted, passage = set(content_words(text)), hit.passage.text
    stems = {span: wanted & set(content_words(passage[span.start : span.end])) for span in _believed(hit)}
    best = max(stems, key=lambda span: len(stems[span]))
    beside = max(stems, key=lambda span: len(stems[span] - stems[best]))
    return [best, beside] if len(stems[beside] - stems[best]) >= _BESIDE else [best]
