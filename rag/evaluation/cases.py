"""Cases: the schema of one, and the sets that are made from records."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from rag.answer.draft import Answered
from rag.errors import InputError
from rag.schema import Article, Dispute, Reason, Turn, Verdict, Window

SCHEMA = "`rag eval --schema` prints what a case is"
_T = TypeVar("_T")

_STRICT = ConfigDict(extra="forbid", strict=True)
_Text: TypeAlias = Annotated[str, Field(pattern=r"\S")]
_Count: TypeAlias = Annotated[int, Field(ge=1)]
_SPACED = r"[^\W\u3040-\u30ff\u3400-\u9fff]"  # all but kana and Chinese characters


class CaseTask(StrEnum):
    """What the program is asked to do."""

    QA = "qa"
    SEARCH = "search"
    SUMMARY = "summary"
    TIMELINE = "timeline"
    CHECK = "check"
    REPLY = "reply"
    ORDER = "order"


@validated(frozen=True, slots=True, config=_STRICT)
class Claim:
    """What a text says: it contains one string of each group of `any_of`, ignoring case.

    With `whole_words` a string counts only where no letter or digit of a script with spaces is next to it: `no` is not
    in `know`, nor `70` in `170`. Any white space then counts as one space.
    """

    text: _Text
    any_of: Annotated[tuple[Annotated[tuple[_Text, ...], Field(min_length=1)], ...], Field(min_length=1)]
    vital: bool = True
    whole_words: bool = False

    def is_in(self, text: str) -> bool:
        return all(self.has_any(text, group) for group in self.any_of)

    def has_any(self, text: str, strings: tuple[str, ...]) -> bool:
        """Whether a text has one of the strings, as the claim counts them."""
        lowered, wanted = text.casefold(), [string.casefold() for string in strings]
        if not self.whole_words:
            return any(string in lowered for string in wanted)
        words = (r"\s+".join(map(re.escape, string.split())) for string in wanted)
        return any(re.search(rf"(?<!{_SPACED}){word}(?!{_SPACED})", lowered) for word in words)


@validated(frozen=True, slots=True, config=_STRICT)
class GoldEvidence:
    """A verbatim quote of an article, or the whole article.

    Without an article, the quote stands for itself, with a title and a day.
    """

    quote: _Text = ""
    article: str | None = None
    title: str = ""
    published: date | None = None

    def __post_init__(self) -> None:
        if not self.quote and self.article is None:
            raise ValueError("wanted a quote, an article, or both")


@validated(frozen=True, slots=True, config=_STRICT)
class Disagreement:
    """What an answer lays side by side; for each position the strings that one of its values or quotes has."""

    kind: Dispute
    values: Annotated[tuple[tuple[_Text, ...], ...], Field(min_length=2)]


@validated(frozen=True, slots=True, config=_STRICT)
class GivenTurn:
    """An earlier question of the conversation, with the answer it got."""

    question: _Text
    answer: str


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class CaseBase:
    """What all cases have: `type` groups them within their set, `provenance` tells where a case is from."""

    id: _Text
    type: str = ""
    as_of: date | None = None
    since: date | None = None
    until: date | None = None
    sources: tuple[_Text, ...] = ()
    evidence: tuple[GoldEvidence, ...] = ()
    forbidden: tuple[Claim, ...] = ()
    """What must not be said, such as what was only known after `as_of`."""
    provenance: dict[str, Any] | None = None

    @property
    def window(self) -> Window:
        return Window(self.as_of, self.since, self.until, self.sources)

    @property
    def gold(self) -> tuple[GoldEvidence, ...]:
        """What the articles must contain."""
        return self.evidence


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class _Question(CaseBase):
    """A question in a conversation, of which `history` is given."""

    question: _Text
    history: tuple[GivenTurn, ...] = ()

    @property
    def given(self) -> tuple[Turn, ...]:
        return tuple(Turn(turn.question, turn.answer) for turn in self.history)


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class QaCase(_Question):
    """A question, with what a right answer says and has; `turns` are asked before it, `history` is given."""

    task: Literal[CaseTask.QA] = CaseTask.QA
    turns: tuple[_Text, ...] = ()
    answerable: bool
    claims: tuple[Claim, ...]
    reason: Reason | None = None
    """Why it abstains."""
    conflicts: tuple[Disagreement, ...] = ()
    independent: _Count | None = None
    """How many independent outlets report the statement with the vital claims."""
    speaker: tuple[_Text, ...] = ()
    """Any of these is in the name of who says the statement with the vital claims."""


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class SearchCase(_Question):
    """A question, with the evidence that a search finds."""

    task: Literal[CaseTask.SEARCH]
    evidence: Annotated[tuple[GoldEvidence, ...], Field(min_length=1)]


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class SummaryCase(CaseBase):
    """What is to be summarized in how many words, the claims that it should make, and a summary by a person."""

    task: Literal[CaseTask.SUMMARY]
    articles: tuple[_Text, ...] = ()
    topic: _Text | None = None
    words: _Count
    claims: Annotated[tuple[Claim, ...], Field(min_length=1)]
    reference: str = ""


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class TimelineCase(CaseBase):
    """A topic, at most how many events, and the events of a timeline by a person, by day."""

    task: Literal[CaseTask.TIMELINE]
    articles: tuple[_Text, ...] = ()
    topic: _Text | None = None
    max_events: _Count = 10
    events: Annotated[dict[date, str], Field(min_length=1)]


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class CheckCase(CaseBase):
    """A claim, with the quotes it cites or the text it is said to be from, and the right verdict.

    `type` is what was altered, or could have been; `of` names the true claim that an altered one was made of. Where
    all that is known is whether it is `supported`, there is no `verdict`.
    """

    task: Literal[CaseTask.CHECK]
    text: _Text
    against: _Text | None = None
    verdict: Literal[Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.CONTRADICTED] | None = None
    supported: bool | None = None
    of: str | None = None

    def __post_init__(self) -> None:
        if (self.verdict is None) is (self.supported is None):
            raise ValueError("wanted either a verdict, or whether it is supported")
        if bool(self.evidence) is bool(self.against):
            raise ValueError("wanted either evidence, or a text that it is checked against")
        if not all(evidence.quote for evidence in self.evidence):
            raise ValueError("wanted a quote in all evidence: a claim is checked against quotes, not articles")

    @property
    def is_true(self) -> bool:
        """Whether what it is checked against supports it."""
        return bool(self.supported) or self.verdict is Verdict.SUPPORTED


@validated(frozen=True, slots=True, config=_STRICT)
class Written:
    """A statement of a reply with what it quotes; it is true, unless an error was `planted` in it."""

    text: _Text
    quotes: Annotated[tuple[GoldEvidence, ...], Field(min_length=1)]
    planted: bool = False

    def __post_init__(self) -> None:
        if not all(quote.article and quote.quote for quote in self.quotes):
            raise ValueError("wanted an article and its words in each quote")


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class ReplyCase(_Question):
    """A question with the reply of a language model, which is replayed: its quotes are found among the passages.

    `type` is what is hard about it, or which error is planted.
    """

    task: Literal[CaseTask.REPLY]
    answered: Answered = Answered.YES
    differ: str = ""
    statements: Annotated[tuple[Written, ...], Field(min_length=1)]
    missing: str = ""

    @property
    def gold(self) -> tuple[GoldEvidence, ...]:
        return tuple(quote for statement in self.statements for quote in statement.quotes)


@validated(frozen=True, slots=True, kw_only=True, config=_STRICT)
class OrderCase(CaseBase):
    """The text of an article, the sentences of it that are addressed to a program, and what those want said.

    Without `planted` sentences it is an ordinary text that may be taken for one with them.
    """

    task: Literal[CaseTask.ORDER]
    text: _Text
    title: str = ""
    planted: str = ""
    goal: str = ""

    def __post_init__(self) -> None:
        if self.planted not in self.text:
            raise ValueError("wanted planted sentences that are in the text, word for word")
        if self.goal and not self.planted:
            raise ValueError("wanted no goal where nothing is planted")


def _task(record: Any) -> str:
    """The task of a record that is read, or of a case that is written."""
    task = record.get("task") if isinstance(record, Mapping) else getattr(record, "task", None)
    return str(task or CaseTask.QA)


Case: TypeAlias = QaCase | SearchCase | SummaryCase | TimelineCase | CheckCase | ReplyCase | OrderCase
_Tagged: TypeAlias = Annotated[
    Annotated[QaCase, Tag(CaseTask.QA)]
    | Annotated[SearchCase, Tag(CaseTask.SEARCH)]
    | Annotated[SummaryCase, Tag(CaseTask.SUMMARY)]
    | Annotated[TimelineCase, Tag(CaseTask.TIMELINE)]
    | Annotated[CheckCase, Tag(CaseTask.CHECK)]
    | Annotated[ReplyCase, Tag(CaseTask.REPLY)]
    | Annotated[OrderCase, Tag(CaseTask.ORDER)],
    Discriminator(_task),
]
CASE: TypeAdapter[Case] = TypeAdapter(_Tagged)
"""Reads a case from JSON, and writes it; it has the JSON schema of one."""


@dataclass(frozen=True, slots=True)
class CaseSet:
    """The cases of a file or folder, read at `path`; `articles` are those that it brings with it.

    `digest` is the SHA-256 of what was read; `warnings` say what of it is not part of the cases.
    """

    name: str
    cases: tuple[Case, ...]
    digest: str
    articles: tuple[Article, ...] = ()
    warnings: tuple[str, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """JSON as it was read, at a place that error messages name."""

    place: str
    content: Any


@dataclass(frozen=True, slots=True)
class NamedArticle:
    """An article under the name that its set uses, at the place where it was read."""

    name: str
    article: Article
    place: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """The articles of a set as a library keeps them: the first of those with one text, under all their names."""

    articles: tuple[Article, ...]
    by_name: Mapping[str, Article]


def case_set(
    name: str,
    records: Iterable[Record],
    digest: str,
    articles: tuple[Article, ...] = (),
    *,
    warnings: Mapping[str, int] = {},
) -> CaseSet:
    """The set of some records, with those of the warnings that have a count.

    Raises InputError with the place of a record that is not a case, or if two cases have one id.
    """
    cases = tuple(_case(record) for record in records)
    if not cases:
        raise InputError(f"{name} has no cases; wanted one JSON object a line, or a YAML list")
    id, times = Counter(case.id for case in cases).most_common(1)[0]
    if times > 1:
        raise InputError(f"{name}: {times} cases have the id {id!r}; give each its own")
    return CaseSet(name, cases, digest, articles, tuple(text for text, count in warnings.items() if count))


def parsed(record: Record, adapter: TypeAdapter[_T], wanted: str) -> _T:
    """The content of a record of another layout; raises InputError, with what was wanted, if it does not fit."""
    try:
        return adapter.validate_python(record.content)
    except ValidationError as error:
        raise InputError(f"{record.place}: {_first_fault(error)}; wanted {wanted}") from error


def corpus(named: Iterable[NamedArticle]) -> Corpus:
    """The articles without duplicates; raises InputError if two with different texts have one id."""
    by_text: dict[str, Article] = {}
    by_id: dict[str, Article] = {}
    by_name: dict[str, Article] = {}
    for one in named:
        first = by_text.setdefault(one.article.sha256, one.article)
        if by_id.setdefault(one.article.id, first) is not first:
            raise InputError(f"{one.place}: an earlier document has the id {one.article.id!r} too; give each its own")
        by_name.setdefault(one.name, first)
    return Corpus(tuple(by_text.values()), by_name)


def read_file(path: Path) -> str:
    """The text of a file of a set; raises InputError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a set of cases: {error}; give a JSONL or YAML file") from error


def json_lines(content: str, name: str, kind: str = "case") -> Iterator[Record]:
    """The JSON of each line that is not blank; raises InputError for a line that is not JSON."""
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            place = f"{name}:{number}"
            try:
                yield Record(place, json.loads(line))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{place}: not a {kind}: no JSON: {error}; wanted one JSON object a line") from error


def digest(*contents: str) -> str:
    """The SHA-256 of a text; of several, that of their own digests in a row."""
    hashes = [hashlib.sha256(content.encode()).hexdigest() for content in contents]
    return hashes[0] if len(hashes) == 1 else digest("".join(hashes))


def _case(record: Record) -> Case:
    """The case of a record, in which null counts as absent."""
    content = record.content
    if isinstance(content, dict):
        content = {name: value for name, value in content.items() if value is not None}
    try:
        return CASE.validate_json(json.dumps(content))
    except ValidationError as error:
        raise InputError(f"{record.place}: not a case: {_first_fault(error, tagged=True)}; {SCHEMA}") from error


def _first_fault(error: ValidationError, *, tagged: bool = False) -> str:
    """The first fault and its field; the tag of a union is not a field."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][tagged:])
    match first["type"]:
        case "missing":
            return f"the field {place!r} is missing"
        case "unexpected_keyword_argument":
            return f"unknown field {place!r}"
        case "union_tag_invalid":
            return f"the task is {first['ctx']['tag']!r}, wanted {first['ctx']['expected_tags']}"
        case _:
            message = first["msg"].removeprefix("Value error, ")
            return f"the field {place!r}: {message}, not {first['input']!r:.60}" if place else message
