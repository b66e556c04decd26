"""A terminal that a test types into and reads from.

    with Terminal("chat", columns=60) as terminal:
        terminal.wait_for("> ")
        terminal.type("Who spoke?\\r")
        assert "Stanikzai" in terminal.wait_for("[1]")

It is a real pseudo-terminal with the real command at its other end, and a screen that emulates what a person would see.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping
from fcntl import ioctl
from pathlib import Path
from time import monotonic
from typing import Any, Self

import pyte
from commands import command

ENTER, ALT_ENTER, CTRL_C, CTRL_D, TAB = "\r", "\x1b\r", "\x03", "\x04", "\t"
_PATIENCE = 60.0
_LINK, _END_OF_LINK = re.compile(rb"\x1b\]8;;[^\x1b]+\x1b\\"), b"\x1b]8;;\x1b\\"


class Terminal:
    """See the module; the screen is so high that nothing leaves it."""

    def __init__(
        self, *arguments: str, columns: int = 80, rows: int = 160, env: Mapping[str, str] | None = None
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._shown = [""] * rows
        self._stream = pyte.ByteStream(self._screen)
        self._main, worker = pty.openpty()
        self._screen.write_process_input = self.type  # type: ignore[method-assign]  # it answers where its cursor is
        ioctl(self._main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        found = os.environ | {"TERM": "xterm-256color", "PAGER": "cat"} | dict(env or {})
        self.process = subprocess.Popen(
            [*command(), *arguments], stdin=worker, stdout=worker, stderr=worker, env=found, start_new_session=True
        )
        os.close(worker)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self._main)

    def type(self, text: str) -> None:
        os.write(self._main, text.encode())

    @property
    def screen(self) -> pyte.Screen:
        return self._screen

    def underline_links(self) -> None:
        """Shows hyperlinks, which the emulated screen does not know, as many terminals do."""
        feed = self._stream.feed
        self._stream.feed = lambda data: feed(  # type: ignore[method-assign]
            _LINK.sub(b"\x1b[4m", data).replace(_END_OF_LINK, b"\x1b[24m")
        )

    @property
    def text(self) -> str:
        """What stands on the screen, without the line at its foot."""
        return "\n".join(line.rstrip() for line in self._lines[:-1]).rstrip()

    @property
    def foot(self) -> str:
        return self._lines[-1].strip()

    def colors_of(self, text: str) -> set[str]:
        """The colors of the characters of a text that stands on the screen."""
        row = next(y for y, line in enumerate(self._lines) if text in line)
        start = self._lines[row].index(text)
        return {self._screen.buffer[row][column].fg for column in range(start, start + len(text))}

    def wait_for(self, text: str, times: int = 1) -> str:
        """The screen as soon as the text stands on it that often, at its foot included."""
        self._until(lambda: "\n".join(self._lines).count(text) >= times, text)
        return self.text

    def wait_for_prompt(self, number: int) -> str:
        """The screen as soon as the prompt of that number (from 1) waits for a line."""
        self._until(lambda: self._prompts() == number, f"prompt {number}")
        return self.text

    def wait_for_end(self) -> int:
        """The exit code."""
        while self._read():
            pass
        return self.process.wait(_PATIENCE)

    def _prompts(self) -> int:
        """How many there were, if the cursor stands behind the last of them and its foot was drawn."""
        lines = [line for line in self._lines if line.startswith("> ")]
        at_prompt = self._lines[self._screen.cursor.y].rstrip() == ">" and self._screen.cursor.x == 2
        return len(lines) if at_prompt and self.foot and "loading" not in self.foot else 0

    def _until(self, condition: Callable[[], bool], wanted: str) -> None:
        end = monotonic() + _PATIENCE
        while not condition():
            assert monotonic() < end, f"no {wanted!r} on the screen:\n{self.text}\n{self.foot}"
            if not self._read():
                assert condition(), f"the program ended without {wanted!r}:\n{self.text}"
                return

    def _read(self) -> bool:
        """Takes in what comes; False when the other end is closed."""
        if not select.select([self._main], [], [], 1.0)[0]:
            return True
        try:
            data = os.read(self._main, 65536)
        except OSError:  # the other end was closed
            return False
        self._stream.feed(data)
        return bool(data)

    @property
    def _lines(self) -> list[str]:
        """The rows of the screen; only those are rendered that were written to, for that takes most of the time."""
        for y in self._screen.dirty:
            row = self._screen.buffer[y]
            self._shown[y] = "".join([row[x].data for x in range(self._screen.columns)])
        self._screen.dirty.clear()
        return self._shown


def home(folder: Path) -> dict[str, Any]:
    """An environment in which nothing of the user's is read or written."""
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME")
    return {name: str(folder / name.lower()) for name in names}
