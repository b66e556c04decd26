"""Talks with whoever is at the terminal, or at the other end of a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rag.chat.effects import Answering, Cleared, Left, Paged, Shown
from rag.cli.batch import strict_code
from rag.cli.console import clear, page, show, show_stream, tell, warn, width
from rag.cli.line_reader import PROMPT, LineReader
from rag.errors import RagError
from rag.render.lines import Line, answer_lines, wrapped
from rag.schema import Answer, Statement

if TYPE_CHECKING:
    from rag.chat.talk import Talk

GREETING = "Dispatches answers from the articles. /help lists the commands, Ctrl-D leaves."
STOPPED = "Stopped; /retry asks again."
_BLANK = Line("")

Start: TypeAlias = Callable[[], "Talk"]
"""Opens the library; slow, for it imports what the chat itself does without."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a chat replies: as JSON in a pipe, with exit codes for what failed a check, without warnings."""

    as_json: bool = False
    strict: bool = False
    quiet: bool = False


def in_terminal(start: Start, manner: Manner, history: Path) -> int:
    """Asks for a line until there is none, and replies to each; gives the exit code.

    The prompt is there before anything is loaded, and what is typed meanwhile is not lost. `history` is a file with the
    lines of earlier chats.
    """
    show(wrapped(GREETING, width()))
    sys.stdout.write(PROMPT)
    sys.stdout.flush()
    with ThreadPoolExecutor(max_workers=1) as behind:
        reader = LineReader(history)
        loading = behind.submit(_loaded, start)
        sys.stdout.write("\r\x1b[K")  # the prompt is drawn anew, with what was typed
        while (line := reader.read(lambda: _status(loading), lambda text: _completions(loading, text))) is not None:
            if line.strip() and not _replied(line, loading, manner):
                break
    return 0


def in_pipe(start: Start, manner: Manner, lines: Iterable[str]) -> int:
    """Replies to each line that is not blank; gives the exit code of the last failure, or 0."""
    talk, code = start(), 0
    for line in filter(str.strip, lines):
        try:
            effect = talk.reply(line)
            if isinstance(effect, Left):
                break
            if isinstance(effect, Answering):
                code = _print_answer(effect.events, manner) or code
            elif isinstance(effect, Shown | Paged):
                show([*effect.lines, _BLANK])
        except RagError as error:
            tell(str(error))
            code = error.exit_code
    return code


def _print_answer(events: Iterable[Statement | Answer], manner: Manner) -> int:
    *_, answer = events
    assert isinstance(answer, Answer)
    if manner.as_json:
        show([Line(json.dumps(answer.to_dict()))])
    else:
        show([*answer_lines(answer), _BLANK])
        warn(answer.warnings, quiet=manner.quiet)
    return strict_code(answer) if manner.strict else 0


def _loaded(start: Start) -> Talk:
    talk = start()
    with suppress(RagError):  # whatever is wrong, the first reply tells it, and a command may mend it
        talk.load()
    return talk


def _replied(line: str, loading: Future[Talk], manner: Manner) -> bool:
    """Shows the reply to a line, or why there is none; gives whether the chat goes on."""
    try:
        with _waiting():
            talk = loading.result()
        return _shown(talk, line, manner)
    except RagError as error:
        show([*wrapped(str(error), width(), Line("", strong=True)), _BLANK])
    except KeyboardInterrupt:
        show([_BLANK, Line(STOPPED), _BLANK])
    return True


def _shown(talk: Talk, line: str, manner: Manner) -> bool:
    match talk.reply(line, width=width()):
        case Answering(events):
            _show_answer(events, manner)
        case Shown(lines):
            show([*lines, _BLANK])
        case Paged(lines):
            page(lines)
        case Cleared():
            clear()
        case Left():
            return False
    return True


def _show_answer(events: Iterator[Statement | Answer], manner: Manner) -> None:
    with _waiting() as stop:
        answer = show_stream(_noticed(events, stop))
    for warning in () if manner.quiet else answer.warnings:
        show(wrapped(f"Note: {warning}", width(), Line("", quiet=True)))
    show([_BLANK])


def _noticed(events: Iterator[Statement | Answer], notice: Callable[[], None]) -> Iterator[Statement | Answer]:
    for event in events:
        notice()
        yield event


def _status(loading: Future[Talk]) -> str:
    if not loading.done():
        return "loading …"
    try:
        return loading.result().status()
    except RagError as error:
        return str(error)


def _completions(loading: Future[Talk], line: str) -> Sequence[tuple[str, str]]:
    if not loading.done() or loading.exception():
        return ()
    return loading.result().completions(line)


@contextmanager
def _waiting() -> Iterator[Callable[[], None]]:
    """Shows that something is coming, until what is given is called or the work inside is over."""
    from rich.console import Console

    status = Console(stderr=True).status("reading", spinner="line")
    status.start()
    try:
        yield status.stop
    finally:
        status.stop()
