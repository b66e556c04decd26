"""Records sessions of the real program in a terminal as pictures: `uv run python docs/sessions.py`.

Each picture in docs/ whose name is a key of SESSIONS is made again, or only those that are named.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import pyte  # noqa: E402
from terminal import CTRL_D, ENTER, Terminal, home  # noqa: E402

from rag.chat.transcript import recording  # noqa: E402

COLUMNS = 100
DRAFT = """\
At least 60 Afghans were killed in an attack outside Kabul airport.

Nine provincial capitals had been lost by 11 August.

McKenzie said that more than 125,000 civilians had been flown out.
"""
SESSIONS: dict[str, list[tuple[list[str], list[str]]]] = {
    "session-links": [
        (["ask", "Who met a Taliban delegation in Tehran?"], []),
        (["chat"], ["How many Afghan soldiers crossed into Tajikistan?", "/open 1"]),
    ],
    "session-sheet": [
        (["check", "draft.md", "--sheet", "sheet.html"], []),
        (["check", "draft.md"], []),
    ],
    "session-figures": [(["figures", "--topic", "airport attack"], [])],
    "session-resume": [
        (["chat"], ["When did the Taliban capture Herat?", "What about Kandahar?"]),
        (["chat", "--resume"], ["/sessions", "/export notes.md"]),
    ],
}
"""What is typed at a shell, and what at the prompt of a chat."""


def main(names: Sequence[str]) -> None:
    """Makes the pictures."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "draft.md").write_text(DRAFT, encoding="utf-8")
        os.chdir(folder)
        environment = {**home(folder), "RAG_HOME": str(folder / "library"), "RAG_OFFLINE": "1"}
        with Terminal("add", str(ROOT / "evals/corpora/afghanistan-2021"), "-q", env=environment) as adding:
            adding.wait_for_end()
        for name in names or SESSIONS:
            lines = [line for command in SESSIONS[name] for line in recorded(*command, environment)]
            picture = recording(lines, COLUMNS, title="Terminal")
            (ROOT / "docs" / f"{name}.svg").write_text(picture, encoding="utf-8")
            print(f"{name}.svg: {len(picture) // 1024} KB")


def recorded(arguments: Sequence[str], typed: Sequence[str], environment: dict[str, str]) -> list[Text]:
    """The lines of a command as a person sees them, the command first."""
    with Terminal(*arguments, columns=COLUMNS, env=environment) as terminal:
        terminal.underline_links()
        for number, line in enumerate(typed, start=1):
            terminal.wait_for_prompt(number)
            terminal.type(line + ENTER)
        if typed:
            terminal.wait_for_prompt(len(typed) + 1)
            terminal.type(CTRL_D)
        terminal.wait_for_end()
        lines = shown(terminal.screen)
    command = " ".join(f'"{word}"' if " " in word else word for word in arguments)
    return [Text(f"$ rag {command}", style="bold green"), *lines, Text()]


def shown(screen: pyte.Screen) -> list[Text]:
    """The lines of a screen with their colors, without the empty ones at its end."""
    lines = [styled(screen.buffer[row], screen.columns) for row in range(screen.lines)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    return [line for line in lines if not re.fullmatch(r"\s*>?\s*", line.plain) or not line.plain.strip()]


def styled(row: dict[int, pyte.screens.Char], columns: int) -> Text:
    """A line of a screen."""
    line = Text()
    for character in (row[column] for column in range(columns)):
        color = "" if character.fg == "default" else re.sub(r"^(?=[0-9a-f]{6}$)", "#", character.fg)
        marks = ("bold" if character.bold else "", "underline" if character.underscore else "")
        line.append(character.data, " ".join(filter(None, (color, *marks))) or None)
    line.rstrip()
    return line


if __name__ == "__main__":
    main(sys.argv[1:])
