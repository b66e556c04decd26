"""Reads what a model wrote into statements with exact citations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product
from typing import Any

from rag.answer.anchor import Find, trusted
from rag.checks.quotes import CLOSING, locate, locate_loosely, unmarked, without_origin
from rag.errors import ShapeError
from rag.models.prompts import INTEGER, TEXT, array_schema, object_schema
from rag.models.replies import Member, Members, said
from rag.schema import CHOSEN, Check, Citation, Hit, Span, Statement, Usage, Verdict
from rag.text.clean import one_line
from rag.text.sentences import sentences
from rag.text.words import content_words

MOST_STATEMENTS = 12
_LONGEST = 1_000
_MOST_AFTER = 1_000
_OPENING = '“"‘(«'
_NUMBER = re.compile(r"\[?(\d{1,6})\]?")
_MARK = re.compile(r"\[\S{0,60}\]")
_BESIDE = 2
_FEWEST_MOVED = 3
"""How many words a quote must have to be looked for in other passages than the one that it names."""


class Answered(StrEnum):
    """Whether the passages answer the question, by what the model says."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


_READINGS = {
    Answered.YES: ("yes", "true", "y", "full", "fully"),
    Answered.PARTLY: ("partly", "partial", "partially", "part", "in part"),
    Answered.NO: ("no", "false", "n"),
}
"""What models write for each, in lower case."""

STATEMENT = {"text": TEXT, "quotes": array_schema(passage=INTEGER, quote=TEXT)}
"""What the reply has of each statement."""
SCHEMA = object_schema(
    answered={"type": "string", "enum": list(Answered)}, differ=TEXT, statements=array_schema(**STATEMENT), missing=TEXT
)
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

    It is a JSON object, or sentences with marks such as [1]. The same span has the same number in all statements. A
    statement whose quotes are in no passage cites what `find` gives for it.
    """

    def __init__(self, hits: Sequence[Hit], find: Find | None = None) -> None:
        self._hits = hits
        self._find = find
        self._members = Members("statements")
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._answered: Answered | None = None
        self._missing = ""
        self._differ = ""
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
        answered = self._answered or (Answered.YES if self._held or self._given else None)
        if answered is None:
            raise ShapeError("the reply has no `answered`; wanted yes, partly or no")
        if answered is not Answered.NO:
            list(self._released())
        if not self._given and answered is not Answered.NO:
            raise ShapeError(f"the reply says {answered.value!r} to whether there is an answer, and states nothing")
        return Draft(tuple(self._given), answered, self._missing, tuple(self._warnings()))

    def statement(self, value: Any) -> Statement:
        """The statement of one item of `statements`; raises ShapeError if it is none."""
        text, quotes = _text_with_quotes(value)
        marked = unmarked(one_line(text, _LONGEST))
        if not quotes and marked.numbers:
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
        return self._made(marked.text, citations, invented)

    def _made(self, text: str, citations: Sequence[Citation], invented: Sequence[Check]) -> Statement:
        """The statement, with what the program chose for it to cite if nothing that it quotes is there."""
        told = without_origin(text, [c.article for c in citations] or [hit.article for hit in self._hits])
        may_be_anchored = self._find and not citations and all(self._is_known(check.expected) for check in invented)
        anchor = self._find(told, self._hits) if self._find and may_be_anchored else None
        if anchor:
            chosen = self._citation(anchor.hit, anchor.span)
            return self._sided(Statement(told, (chosen,), checks=(Check(CHOSEN, "a quote", chosen.quote, True),)))
        return self._sided(Statement(told, tuple(citations), checks=tuple(invented)))

    def _is_known(self, told: str) -> bool:
        """Whether what stands for nothing names a passage that was given, or none."""
        number = told.split("]", maxsplit=1)[0].removeprefix("[")
        return number == "None" or self._hit(number) is not None

    def _sided(self, statement: Statement) -> Statement:
        return replace(statement, side=self._differ) if self._differ else statement

    def _take(self, member: Member) -> None:
        match member.name:
            case "answered":
                self._answered = _answered(member.value)
            case "differ" if isinstance(member.value, str):
                self._differ = one_line(member.value, 120).strip(" .")
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
        """The citation of a quote, or that its words are in no passage.

        It is looked for in the passage that it names, then in the others, unless it names one that was not given.
        """
        given = {"quote": quote} if isinstance(quote, str) else quote if isinstance(quote, dict) else {}
        number, words = given.get("passage"), given.get("quote", given.get("text"))
        named = self._hit(number)
        if isinstance(words, str) and (named or number is None):
            others = self._hits if len(words.split()) >= _FEWEST_MOVED else ()
            places = product((locate, locate_loosely), (*((named,) if named else ()), *others))
            found = ((hit, look(words, hit.passage.text)) for look, hit in places)
            if place := next(((hit, span) for hit, span in found if span), None):
                hit, span = place
                return self._citation(hit, _closed(hit.passage.text, span))
        return _invented(one_line(f"[{number}] “{words}”", 120))

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
        return self._made(text, tuple(dict.fromkeys(cited)), invented)

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
    """A statement that was checked, with the checks of its draft.

    A number that stands for nothing makes it unsupported; a quote that is nowhere does not, if others support it.
    """
    if not draft.checks:
        return verified
    kept = tuple(check for check in verified.checks if check.kind != "citation")
    invented = any(not check.passed and _MARK.fullmatch(check.expected) for check in draft.checks)
    verdict = Verdict.UNSUPPORTED if invented and verified.verdict is Verdict.SUPPORTED else verified.verdict
    return replace(verified, checks=(*kept, *draft.checks), verdict=verdict)


def _invented(told: str) -> Check:
    return Check("citation", told, None, False)


def _answered(value: Any) -> Answered:
    said = " ".join(str(value).casefold().split()).strip(" .!\"'")
    found = next((answered for answered, readings in _READINGS.items() if said in readings), None)
    if found is None:
        raise ShapeError(f"`answered` is {one_line(repr(value), 60)}; wanted yes, partly or no")
    return found


def _text_with_quotes(value: Any) -> tuple[str, list[Any]]:
    """The text of a statement with its quotes, which may be a sentence alone, or one with a single quote."""
    fields = {"text": value} if isinstance(value, str) else value if isinstance(value, dict) else {}
    text = fields.get("text", fields.get("statement"))
    quotes = fields.get("quotes", fields.get("quote")) or []
    quotes = [quotes] if isinstance(quotes, str | dict) else quotes
    if not isinstance(text, str) or not text.strip() or not isinstance(quotes, list):
        raise ShapeError(f"a statement is {one_line(repr(value), 80)}; wanted a text with a list of quotes")
    if "passage" in fields:  # beside a quote that is no list
        quotes = [{"passage": fields["passage"], "quote": q} if isinstance(q, str) else q for q in quotes]
    return text, quotes


def _closed(text: str, span: Span) -> Span:
    """The span with the punctuation that belongs to it, which `locate` leaves out."""
    start, end = span.start, span.end
    while end < len(text) and text[end] in CLOSING:
        end += 1
    while start > 0 and text[start - 1] in _OPENING:
        start -= 1
    return Span(start, end)


def _nearest(text: str, hit: Hit) -> list[Span]:
    """The sentence of a passage that has most of the words, and one that has at least two more of them."""
    wanted, passage = set(content_words(text)), hit.passage.text
    stems = {span: wanted & set(content_words(passage[span.start : span.end])) for span in trusted(hit)}
    best = max(stems, key=lambda span: len(stems[span]))
    beside = max(stems, key=lambda span: len(stems[span] - stems[best]))
    return [best, beside] if len(stems[beside] - stems[best]) >= _BESIDE else [best]
