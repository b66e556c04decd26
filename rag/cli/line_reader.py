"""Reads the lines that somebody types at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings

PROMPT = "> "
_REFRESH = 0.5
_AFTER = "  "

Completions: TypeAlias = Callable[[str], Sequence[tuple[str, str]]]
"""What a line that begins like this can become, each with an explanation."""


class LineReader:
    """Reads lines with editing, completion, and a history that outlasts the process.

    A `history` that cannot be written is kept in memory.
    """

    def __init__(self, history: Path) -> None:
        from prompt_toolkit import PromptSession

        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation=_AFTER,
            history=_history(history),
            complete_while_typing=_begins_with_slash(),
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


def _begins_with_slash() -> Condition:
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition

    return Condition(lambda: get_app().current_buffer.text.startswith("/"))


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
