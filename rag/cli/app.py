"""The `rag` command: the list of its commands."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from rag.cli import answer_commands, library_commands
from rag.cli.eval_command import evaluate
from rag.cli.mcp_command import serve

app = typer.Typer(
    name="rag",
    help="Answers questions about news articles; every sentence is cited to an exact span.",
    add_completion=False,
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


app.command()(library_commands.add)
app.command()(answer_commands.ask)
app.command()(answer_commands.check)
app.command()(answer_commands.search)
app.command()(answer_commands.chat)
app.command()(answer_commands.summarize)
app.command()(answer_commands.timeline)
app.command()(answer_commands.conflicts)
app.command("mcp")(serve)
app.command("eval")(evaluate)
app.command()(library_commands.articles)
app.command()(library_commands.remove)
app.command()(library_commands.work)
app.command()(library_commands.reindex)
app.command()(library_commands.doctor)
