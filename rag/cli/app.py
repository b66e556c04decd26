"""The `rag` command: the list of its commands."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer
import typer.core

from rag.cli import answer_commands, library_commands, watch_commands
from rag.cli.eval_command import evaluate
from rag.cli.examples import EXAMPLES

typer.core.HAS_RICH = False  # it would load rich for each help, and put a backslash before each default

app = typer.Typer(
    name="rag",
    help="Answers questions about news articles; every sentence is cited to an exact span.",
    epilog="""\b
Examples:
  rag add seeds/
  rag ask "Who spoke for the Taliban in Tehran?"
  rag COMMAND --help""",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Runs the command line."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # None if it was closed
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")
    app()


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed  # slow to import

        typer.echo(f"dispatches {installed('dispatches')}")
        raise typer.Exit


for _name, _run in {
    "add": library_commands.add,
    "ask": answer_commands.ask,
    "check": answer_commands.check,
    "search": answer_commands.search,
    "chat": answer_commands.chat,
    "summarize": answer_commands.summarize,
    "timeline": answer_commands.timeline,
    "conflicts": answer_commands.conflicts,
    "figures": answer_commands.figures,
    "watch": watch_commands.watch,
    "new": watch_commands.new,
    "topics": watch_commands.topics,
    "mcp": library_commands.serve,
    "eval": evaluate,
    "articles": library_commands.articles,
    "remove": library_commands.remove,
    "work": library_commands.work,
    "reindex": library_commands.reindex,
    "doctor": library_commands.doctor,
}.items():
    app.command(_name, epilog="\n".join(("\b", "Examples:", *(f"  {line}" for line in EXAMPLES[_name]))))(_run)
