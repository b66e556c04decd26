"""Answers questions that come as lines of JSON with lines of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import typer

from rag.cli.console import tell
from rag.cli.requests import BadLine, Request, read_requests
from rag.errors import InputError, KeyRefusedError, ModelError, NoModelError
from rag.schema import Answer, SearchResult, Status, Summary, Timeline, Verdict, Window

FAILED, ABSTAINED, FAILED_CHECK = 1, 8, 9

Reply: TypeAlias = Callable[[Request], Answer | SearchResult]
"""Answers a request, or searches for it."""


def answer_batch(name: str, limits: Window, reply: Reply, *, strict: bool = False) -> int:
    """Writes the reply to each line of the file (`-` is stdin), flushed and in order; gives the exit code.

    A line that cannot be asked is replied to with its error; the exit code is then 1 whatever else there was.
    """
    with _lines(name) as lines:
        codes = {_replied(request, reply, strict) for request in read_requests(lines, limits)}
    return FAILED if FAILED in codes else max(codes, default=0)


def strict_code(answer: Answer | SearchResult | Summary | Timeline) -> int:
    """The exit code of a result under `--strict`."""
    if isinstance(answer, SearchResult):
        return 0
    if any(statement.verdict is not Verdict.SUPPORTED for statement in answer.statements):
        return FAILED_CHECK
    return ABSTAINED if answer.status is Status.ABSTAINED else 0


def _replied(request: Request | BadLine, reply: Reply, strict: bool) -> int:
    if isinstance(request, BadLine):
        return _refused(request)
    try:
        result = reply(request)
    except (KeyRefusedError, NoModelError):  # the next line would end no better
        raise
    except (InputError, ModelError) as error:
        return _refused(BadLine(request.id, str(error)))
    typer.echo(json.dumps({"id": request.id, **result.to_dict()}))
    return strict_code(result) if strict else 0


def _refused(line: BadLine) -> int:
    typer.echo(json.dumps({"id": line.id, "error": line.message}))
    tell(line.message)
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
