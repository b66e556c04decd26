"""Runs a chat with whoever is at the terminal, or at the other end of a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import typer

from rag.chat.effects import Answering, Cleared, Left, Paged, Shown
from rag.cli.console import page, show, show_stream, tell, warn, width
from rag.cli.requests import strict_code
from rag.errors import RagError
from rag.render.lines import Line, answer_lines, safe, wrapped
from rag.schema import Answer, Statement
from rag.text.clean import one_line

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings
    from rich.text import Text

    from rag.chat.commands import Talk

PROMPT = "> "
GREETING = "Dispatches answers from the articles. /help lists the commands, Ctrl-D leaves."
STOPPED = "Stopped; /retry asks again."
_BLANK = Line("")
_REFRESH = 0.5
_AFTER = "  "
_SOON = 3  # seconds

Completions: TypeAlias = Callable[[str], Sequence[tuple[str, str]]]
"""What a line that begins like this can become, each with an explanation."""

Start: TypeAlias = Callable[[], "Talk"]
"""Opens the library; slow, for it imports what the chat itself does without."""


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """How a chat replies: as JSON in a pipe, with exit codes for what failed a check, without warnings."""

    as_json: bool = False
    strict: bool = False
    quiet: bool = False


class Spinner:
    """A spinner on stderr, if that is a terminal, that says what is waited for, and for how long."""

    def __init__(self) -> None:
        from rich.console import Console

        self._text, self._since = "reading", monotonic()
        self._status = Console(stderr=True).status(self, spinner="line")

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __rich__(self) -> Text:
        """What is shown now."""
        from rich.text import Text

        seconds = int(monotonic() - self._since)
        return Text(f"{self._text} ({seconds} s)" if seconds >= _SOON else self._text)

    def say(self, done: int, total: int, text: str) -> None:
        """Changes what is waited for, as a Progress."""
        if text and text != self._text:
            self._text, self._since = one_line(safe(text), 80), monotonic()

    def until(self, events: Iterable[Statement | Answer]) -> Iterator[Statement | Answer]:
        """The events; the first of them ends the waiting."""
        for event in events:
            self._status.stop()
            yield event


class LineReader:
    """Reads lines with editing, completion, and a history that outlasts the process.

    A `history` that cannot be written is kept in memory.
    """

    def __init__(self, history: Path) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.application import get_app
        from prompt_toolkit.filters import Condition

        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation=_AFTER,
            history=_history(history),
            complete_while_typing=Condition(lambda: get_app().current_buffer.text.startswith("/")),
            refresh_interval=_REFRESH,
            key_bindings=_keys(),
            reserve_space_for_menu=4,
        )

    def read(self, status: Callable[[], str], completions: Completions) -> str | None:
        """The next line, which may have line breaks; empty if it was given up, None if there will be no more.

        `status` is shown below the line, and asked for again while it is edited.
        """
        try:
            return self._session.prompt(bottom_toolbar=lambda: f" {status()} ", completer=_completer(completions))
        except KeyboardInterrupt:
            return ""
        except EOFError:
            return None


def in_terminal(start: Start, manner: ReplyOptions, history: Path) -> int:
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


def in_pipe(start: Start, manner: ReplyOptions, lines: Iterable[str]) -> int:
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


def _print_answer(events: Iterable[Statement | Answer], manner: ReplyOptions) -> int:
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


def _replied(line: str, loading: Future[Talk], manner: ReplyOptions) -> bool:
    """Shows the reply to a line, or why there is none; gives whether the chat goes on."""
    try:
        with Spinner():
            talk = loading.result()
        return _goes_on_after(talk, line, manner)
    except RagError as error:
        show([*wrapped(str(error), width(), Line("", strong=True)), _BLANK])
    except KeyboardInterrupt:
        show([_BLANK, Line(STOPPED), _BLANK])
    return True


def _goes_on_after(talk: Talk, line: str, manner: ReplyOptions) -> bool:
    spinner = Spinner()
    match talk.reply(line, width=width(), progress=spinner.say):
        case Answering(events):
            with spinner:
                answer = show_stream(spinner.until(events))
            for warning in () if manner.quiet else answer.warnings:
                show(wrapped(f"Note: {warning}", width(), Line("", quiet=True)))
            show([_BLANK])
        case Shown(lines):
            show([*lines, _BLANK])
        case Paged(lines):
            page(lines)
        case Cleared():
            typer.clear()
        case Left():
            return False
    return True


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


def _history(path: Path) -> History:
    """Questions are nobody else's business, so only the user may read the file."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("a"):
            return FileHistory(path)
    except OSError:
        return InMemoryHistory()


def _keys() -> KeyBindings:
    """Enter sends; Alt-Enter, or Enter behind a backslash, starts a new line."""
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: Any) -> None:
        buffer = event.current_buffer
        if buffer.document.char_before_cursor == "\\":
            buffer.delete_before_cursor()
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _(event: Any) -> None:
        event.current_buffer.newline(copy_margin=False)

    return keys


def _completer(completions: Completions) -> Completer:
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

    class Lines(Completer):
        """Completes the whole line."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            typed = document.text_before_cursor
            for text, told in completions(typed):
                yield Completion(text, start_position=-len(typed), display_meta=told)

    return Lines()
