"""Writes the manual page of `rag`, docs/rag.1, from the commands and their flags: `uv run python docs/manual.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import typer.main

from rag.cli.app import app

PAGE = Path(__file__).with_name("rag.1")


def page() -> str:
    """The page in the language of man(7)."""
    root = typer.main.get_command(app)
    assert isinstance(root, click.Group)
    lines = [
        ".TH RAG 1",
        ".SH NAME",
        f"rag \\- {text(root.help or '').rstrip('.')}",
        ".SH SYNOPSIS",
        ".B rag",
        ".I COMMAND",
        "[OPTIONS] [ARGUMENTS]",
        ".SH COMMANDS",
    ]
    for name, command in root.commands.items():
        lines += described(command, click.Context(command, info_name=f"rag {name}"))
    lines += [".SH EXIT STATUS", *exit_codes()]
    return "\n".join(lines) + "\n"


def described(command: click.Command, context: click.Context) -> Iterator[str]:
    """A command: how it is called, what it does, its flags, its examples."""
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f".SS {context.info_name} {text(usage)}", text(command.help or ""))
    for record in filter(None, (parameter.get_help_record(context) for parameter in command.get_params(context))):
        yield from (".TP", f".B {text(record[0])}", text(record[1]))
    yield from (".PP", "Examples:", ".nf", *map(text, (command.epilog or "").splitlines()[2:]), ".fi")


def exit_codes() -> Iterator[str]:
    """The exit codes, as docs/exit-codes.md has them."""
    table = PAGE.with_name("exit-codes.md").read_text(encoding="utf-8")
    for code, when in re.findall(r"^\| (\d+) \| (.*?) \|", table, re.M):
        yield from (".TP", f".B {code}", text(when.replace("`", "")))


def text(plain: str) -> str:
    """Text in which nothing is a command of man."""
    escaped = " ".join(plain.split()).replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", r"\\&", escaped)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
