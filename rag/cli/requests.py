"""Reads what to ask from flags, files or lines of JSON, and answers lines with lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import typer

from rag.cli.console import tell
from rag.errors import InputError, KeyRefusedError, LoadError, ModelError, NoModelError
from rag.schema import Answer, Figures, SearchResult, Status, Summary, Timeline, Turn, Verdict, Window
from rag.text.calendar import ordered, window
from rag.text.clean import clean, decode

FAILED, ABSTAINED, FAILED_CHECK = 1, 8, 9
_WANTED = 'wanted {"id": ..., "question": ...}'


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One question with what limits it; `id` is any JSON value of the asker's."""

    id: Any
    question: str
    window: Window
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no question that can be asked, and why."""

    id: Any
    message: str


Reply: TypeAlias = Callable[[BatchRequest], Answer | SearchResult]
"""Answers a request, or searches for it."""


def answer_batch(name: str, limits: Window, reply: Reply, *, strict: bool = False) -> int:
    """Writes the reply to each line of the file (`-` is stdin), flushed and in order; gives the exit code.

    A line that cannot be asked is replied to with its error; the exit code is then 1 whatever else there was.
    """
    with _lines(name) as lines:
        codes = {_replied(request, reply, strict) for request in read_requests(lines, limits)}
    return FAILED if FAILED in codes else max(codes, default=0)


def strict_code(answer: Answer | SearchResult | Summary | Timeline | Figures) -> int:
    """The exit code of a result under `--strict`."""
    if isinstance(answer, SearchResult | Figures):
        return 0
    if any(statement.verdict is not Verdict.SUPPORTED for statement in answer.statements):
        return FAILED_CHECK
    return ABSTAINED if answer.status is Status.ABSTAINED else 0


def read_requests(lines: Iterable[bytes], fallback: Window) -> Iterator[BatchRequest | BadLine]:
    """The request of each line that is not blank, in order; `fallback` is the window where a line names none.

    Unknown keys are ignored, so that a file of questions may hold the expected answers too.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _request(number, line, fallback)


def one_text(name: str) -> str:
    """The text of a file, or of stdin if it is `-`; raises InputError if it cannot be read or has no words."""
    text = clean(_text_of(name))
    if not text.strip():
        raise InputError(f"{name} has no text; wanted one with sentences to check")
    return text


def listed_origins(name: str) -> list[str]:
    """The paths and URLs, a line each, of a file, or of stdin if it is `-`; raises InputError if there are none."""
    found = [line.strip() for line in _text_of(name).splitlines() if line.strip()]
    if not found:
        raise InputError(f"{name} names nothing; wanted a path or a URL a line")
    return found


def _text_of(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror}); wanted a text file, or - for stdin") from None
    try:
        found = decode(raw)
    except LoadError as error:
        raise InputError(f"{name} {error}") from None
    if found.note:
        tell(f"warning: {name} {found.note}")
    return found.text


def one_question(words: Sequence[str]) -> str:
    """The words as one question; raises InputError if there is none in them."""
    question = " ".join(clean(" ".join(words)).split())
    if not question:
        raise InputError('no question was given; wanted one, as in: rag ask "Who spoke for the Taliban in Tehran?"')
    return question


def _replied(request: BatchRequest | BadLine, reply: Reply, strict: bool) -> int:
    try:
        result = None if isinstance(request, BadLine) else reply(request)
    except (KeyRefusedError, NoModelError):  # the next line would end no better
        raise
    except (InputError, ModelError) as error:
        result, request = None, BadLine(request.id, str(error))
    if result:
        typer.echo(json.dumps({"id": request.id, **result.to_dict()}))
        return strict_code(result) if strict else 0
    assert isinstance(request, BadLine)
    typer.echo(json.dumps({"id": request.id, "error": request.message}))
    tell(request.message)
    return FAILED


@contextmanager
def _lines(name: str) -> Iterator[Iterable[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115  # closed below; only its opening is explained
    except OSError as error:
        raise InputError(f"the batch {name} cannot be read ({error.strerror}); wanted a file of JSON lines") from None
    with file:
        yield file


def _request(number: int, line: bytes, fallback: Window) -> BatchRequest | BadLine:
    key = None
    try:
        record = _record(line)
        key = _id(record.get("id"))
        return BatchRequest(key, _question(record), _window(record, fallback), _history(record.get("history")))
    except InputError as error:
        return BadLine(key, f"line {number}: {error}")


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not JSON ({error}); {_WANTED}") from None
    if not isinstance(record, dict):
        raise InputError(f"is a JSON {type(record).__name__}; {_WANTED}")
    return record


def _id(value: Any) -> Any:
    """Python reads NaN, and 1e999 as Infinity, which a line of JSON cannot say again."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise InputError(f"has the id {str(value)[:80]}; wanted a value that JSON has") from None
    return value


def _question(record: dict[str, Any]) -> str:
    question = record.get("question")
    if not isinstance(question, str) or not clean(question).strip():
        raise InputError(f"has the question {repr(question)[:80]}; {_WANTED}")
    return clean(question)


def _window(record: dict[str, Any], fallback: Window) -> Window:
    sources = record.get("sources") or []
    if not isinstance(sources, list) or not all(isinstance(s, str) for s in sources):
        raise InputError(f"has the sources {repr(sources)[:80]}; wanted a list of names")
    own = window(record.get("as_of"), record.get("since"), record.get("until"), sources)
    return ordered(
        Window(
            own.as_of or fallback.as_of,
            own.since or fallback.since,
            own.until or fallback.until,
            own.sources or fallback.sources,
        )
    )


def _history(turns: Any) -> tuple[Turn, ...]:
    if turns is None:
        return ()
    if not isinstance(turns, list) or not all(
        isinstance(t, dict) and isinstance(t.get("question"), str) and isinstance(t.get("answer") or "", str)
        for t in turns
    ):
        raise InputError(f'has the history {str(turns)[:80]!r}; wanted [{{"question": "...", "answer": "..."}}]')
    return tuple(Turn(turn["question"], turn.get("answer") or "") for turn in turns)
