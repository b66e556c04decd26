"""Puts what a command found, or why it failed, on stdout or stderr."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from types import TracebackType
from typing import Any

import typer

from rag.errors import RagError
from rag.render.lines import Line, answer_lines, safe, statement_lines
from rag.schema import Answer, Statement
from rag.text.clean import one_line

INTERRUPTED = 130
_ABOVE = 3
"""Lines that a pager shows above the first strong one."""


def reported(command: Callable[..., None], *, verbose: bool) -> Callable[..., None]:
    """The command with its errors as one line and an exit code; with a traceback only if `verbose`."""

    @wraps(command)
    def run(**given: Any) -> None:
        sys.excepthook = sys.__excepthook__ if verbose else _internal_error
        try:
            command(**given)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has gone; what is left must not fail when it is flushed at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except KeyboardInterrupt as stopped:
            if stopped.args:
                tell(str(stopped))
            raise typer.Exit(INTERRUPTED) from None
        except (RagError, OSError) as error:
            if verbose:
                traceback.print_exc()
            tell(str(error))
            raise typer.Exit(error.exit_code if isinstance(error, RagError) else 1) from None

    return run


def show(lines: Iterable[Line]) -> None:
    """Prints lines; the quiet ones paler, verdicts in color, if that is a terminal that wants it."""
    colored = _is_colored()
    for line in lines:
        typer.echo(_styled(line) if colored else line.text)
    sys.stdout.flush()


def show_stream(events: Iterable[Statement | Answer]) -> Answer:
    """Shows each statement when it is checked, then what is left of the answer; gives the answer."""
    shown, last = 0, None
    for event in events:
        if isinstance(event, Answer):
            show(list(answer_lines(event, width=width()))[shown:])
            return event
        lines = list(statement_lines(event, after=last, width=width()))
        show(lines)
        shown, last = shown + len(lines), event
    raise AssertionError("a stream ends with its answer")


def page(lines: Sequence[Line]) -> None:
    """Shows lines in the user's pager if they do not fit on the screen; `less` opens them where the strong ones are."""
    if not sys.stdout.isatty() or len(lines) < shutil.get_terminal_size().lines - 2:
        show([*lines, Line("")])
        return
    first = next((number for number, line in enumerate(lines, start=1) if line.strong), 1)
    before = os.environ.get("LESS")
    os.environ["LESS"] = f"{before or '-R'} +{max(1, first - _ABOVE)}"
    try:
        typer.echo_via_pager(f"{_styled(line) if _is_colored() else line.text}\n" for line in lines)
    finally:
        if before is None:
            del os.environ["LESS"]
        else:
            os.environ["LESS"] = before


def tell(message: str) -> None:
    """Prints one line on stderr."""
    typer.echo(f"rag: {one_line(safe(message), 1000)}", err=True)


def warn(warnings: Iterable[str], *, quiet: bool) -> None:
    """Prints each warning on stderr, unless `--quiet` is given."""
    for warning in () if quiet else warnings:
        tell(f"warning: {warning}")


def width() -> int | None:
    """The columns to wrap at; None in a pipe, where a sentence stays on one line."""
    return min(shutil.get_terminal_size().columns, 100) if sys.stdout.isatty() else None


def _is_colored() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _styled(line: Line) -> str:
    """The line in its color, its marks in theirs and as links, its point brighter."""
    own = _Style(line.color, line.quiet, line.strong)
    parts = [
        _Piece(line.text.rfind(mark.text), mark.text, replace(own, color=mark.color), mark.url) for mark in line.marks
    ]
    if line.point and not line.color:
        parts.append(_Piece(line.text.find(line.point), line.point, replace(own, strong=True)))
    shown, at = "", 0
    for part in sorted(parts, key=lambda part: part.start):
        if part.start >= at:
            shown += own.on(line.text[at : part.start]) + _linked(part.style.on(part.text), part.url)
            at = part.start + len(part.text)
    return shown + own.on(line.text[at:])


@dataclass(frozen=True, slots=True)
class _Style:
    color: str | None
    quiet: bool
    strong: bool

    def on(self, text: str) -> str:
        return typer.style(text, fg=self.color, dim=self.quiet or None, bold=self.strong or None) if text else ""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a line from a place on, which is negative if it is not in it."""

    start: int
    text: str
    style: _Style
    url: str | None = None


def _linked(text: str, url: str | None) -> str:
    """The text as a hyperlink of a terminal (OSC 8); one that knows none shows the text alone."""
    return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if url else text


def _internal_error(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    tell(f"internal error: {kind.__name__}: {error}; run again with -v for the traceback")
