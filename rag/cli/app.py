"""The `rag` command: the list of its commands."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer
import typer.core

from rag.cli import answer_commands, library_commands, watch_commands

typer.core.HAS_RICH = False  # it would load rich for each help, and put a backslash before each default

EXAMPLES = {
    "add": (
        "rag add seeds/ article.html",
        "rag add https://example.org/feed.xml",
        "rag add --listing files.txt --library my-library",
    ),
    "ask": (
        'rag ask "How many Afghan soldiers fled to Tajikistan?"',
        'rag ask -a seeds/ "Who met in Tehran?" --as-of 2021-07-31 --format markdown',
        'rag ask --model openai:gpt-5-mini --deep "Who met in Tehran, and why?"',
        "rag ask --batch questions.jsonl --json > answers.jsonl",
    ),
    "check": (
        "rag check draft.txt",
        "rag check draft.txt --against seeds/2021-07-07-tehran-talks.txt --strict",
        "echo '1,000 soldiers fled.' | rag check -",
    ),
    "search": ('rag search "consulates in Mazar-i-Sharif"', 'rag search "consulates" --since 2021-07 -k 3 --json'),
    "chat": ("rag chat", "rag chat -a seeds/ --until 2021-07-31", "rag chat < questions.txt"),
    "summarize": (
        "rag summarize",
        'rag summarize --topic "negotiations" --words 60 --format markdown',
        'rag summarize --length long --sections "negotiations, military situation"',
        "rag summarize seeds/2021-07-07-tehran-talks.txt --length short",
    ),
    "timeline": (
        "rag timeline --max-events 5",
        'rag timeline --topic "military situation" --format html > page.html',
        "rag timeline --since 2021-08 --format ics > events.ics",
    ),
    "conflicts": ("rag conflicts", 'rag conflicts --topic "airport attack" --json'),
    "figures": ("rag figures --topic districts", "rag figures --topic districts --counting captured --format csv"),
    "watch": (
        "rag watch https://example.org/feed.xml --every 900",
        'rag watch articles/ --topic "consulates" --draft draft.txt',
    ),
    "new": ("rag new --since 2021-07-07", 'rag new --since 2021-07 --topic "consulates" --json'),
    "topics": ('rag topics "airport attack" consulates', "rag topics --json", 'rag topics --remove "airport attack"'),
    "mcp": ("claude mcp add dispatches -- rag mcp --offline", "rag mcp --http 8765 --as-of 2021-07-31"),
    "eval": ("rag eval my-questions.yaml -a my-articles/", "rag eval --gates gates.toml --out results"),
    "articles": ("rag articles", "rag articles --json", "rag articles | cut -f 1,4"),
    "remove": ("rag remove fb6a5cdc7596b558",),
    "work": ("rag work", "rag work --watch 60"),
    "reindex": ("rag reindex",),
    "doctor": ("rag doctor", "rag doctor --json"),
}
"""A few whole lines for each command, the plainest first."""

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
    "eval": library_commands.evaluate,
    "articles": library_commands.articles,
    "remove": library_commands.remove,
    "work": library_commands.work,
    "reindex": library_commands.reindex,
    "doctor": library_commands.doctor,
}.items():
    app.command(_name, epilog="\n".join(("\b", "Examples:", *(f"  {line}" for line in EXAMPLES[_name]))))(_run)
