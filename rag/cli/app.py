"""The `rag` command: parses, builds a Library, prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.batch import answer_batch, strict_code
from rag.cli.chat_command import chat
from rag.cli.conflict_command import conflicts
from rag.cli.console import reported, show, show_stream, warn, width
from rag.cli.digest_commands import summarize, timeline
from rag.cli.eval_command import evaluate
from rag.cli.library_commands import add, articles, reindex, remove, work
from rag.cli.opening import (
    Opening,
    named_articles,
    open_library,
)
from rag.cli.options import (
    Add,
    Against,
    AsOf,
    Batch,
    Deep,
    Draft,
    DryRun,
    Folder,
    Json,
    Judge,
    MaxCost,
    MaxTokens,
    Model,
    NoCache,
    NoStream,
    Number,
    Offline,
    Quiet,
    Since,
    Source,
    Strict,
    Until,
    Verbose,
    Wait,
    Words,
)
from rag.cli.requests import Request, one_question, one_text
from rag.errors import InputError
from rag.models.budget import REPLY_TOKENS, Terms
from rag.render.lines import (
    answer_lines,
    check_lines,
    safe,
    search_lines,
)
from rag.schema import Answer, SearchResult, Window
from rag.settings import read_settings
from rag.text.calendar import window

if TYPE_CHECKING:
    from rag.library import Library

app = typer.Typer(
    name="rag",
    help="Answers questions about news articles; every sentence is cited to an exact span.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
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


app.command()(add)


@app.command()
@reported
def ask(
    question: Words = None,
    *,
    batch: Batch = None,
    library: Folder = None,
    add: Add = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    k: Number = 10,
    judge: Judge = None,
    model: Model = None,
    deep: Deep = False,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    dry_run: DryRun = False,
    no_cache: NoCache = False,
    no_stream: NoStream = False,
    offline: Offline = False,
    as_json: Json = False,
    strict: Strict = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Answer a question from the articles."""
    request = _request(question, batch, window(as_of, since, until, source or ()))
    terms = Terms(strict, deep, not no_cache, not no_stream, max_tokens, max_cost)
    with open_library(Opening(library, offline, wait, quiet, verbose, judge, model, terms), add) as opened:

        def reply(to: Request) -> Answer:
            return opened.ask(to.question, k=k, window=to.window, history=to.history)

        if dry_run:
            raise typer.Exit(_print_prompt(opened, request, k, as_json=as_json))
        if batch:
            raise typer.Exit(answer_batch(batch, request.window, reply, strict=strict))
        if sys.stdout.isatty() and not (as_json or no_stream):
            answer = show_stream(opened.stream(request.question, k=k, window=request.window))
        else:
            answer = reply(request)
            _print_answer(answer, as_json=as_json)
    if not as_json:
        warn(answer.warnings, quiet=quiet)
    raise typer.Exit(strict_code(answer) if strict else 0)


@app.command()
@reported
def check(
    file: Draft,
    *,
    against: Against = None,
    library: Folder = None,
    add: Add = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    k: Number = 10,
    judge: Judge = None,
    offline: Offline = False,
    as_json: Json = False,
    strict: Strict = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Check each sentence of a text against the articles."""
    text, limits = one_text(file), window(as_of, since, until, source or ())
    with open_library(Opening(library, offline, wait, quiet, verbose, judge), add) as opened:
        answer = opened.check(text, against=named_articles(opened, against or ()), k=k, window=limits)
    if as_json:
        typer.echo(json.dumps(answer.to_dict()))
    else:
        show(check_lines(answer, width=width()))
        warn(answer.warnings, quiet=quiet)
    raise typer.Exit(strict_code(answer) if strict else 0)


@app.command()
@reported
def search(
    question: Words = None,
    *,
    batch: Batch = None,
    library: Folder = None,
    add: Add = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    k: Number = 10,
    offline: Offline = False,
    as_json: Json = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show the passages nearest to a question, best first."""
    request = _request(question, batch, window(as_of, since, until, source or ()))
    with open_library(Opening(library, offline, wait, quiet, verbose), add) as opened:

        def reply(to: Request) -> SearchResult:
            return opened.search(to.question, k=k, window=to.window, history=to.history)

        if batch:
            raise typer.Exit(answer_batch(batch, request.window, reply))
        result = reply(request)
    if as_json:
        typer.echo(json.dumps(result.to_dict()))
    else:
        show(search_lines(result, width=width() or 100))
        warn(result.warnings, quiet=quiet)


app.command()(chat)
app.command()(summarize)
app.command()(timeline)
app.command()(conflicts)
app.command("eval")(evaluate)
app.command()(articles)
app.command()(remove)
app.command()(work)
app.command()(reindex)


@app.command()
@reported
def doctor(
    *,
    library: Folder = None,
    offline: Offline = False,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print what is set up, where from, and what is wrong."""
    from rag.cli.doctor import diagnose

    found = diagnose(read_settings(library=library, offline=offline))
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
    else:
        for line in found.lines():
            typer.echo(safe(line))
    raise typer.Exit(1 if found.problems else 0)


def _request(words: Sequence[str] | None, batch: str | None, limits: Window) -> Request:
    """The question of the words, or of stdin if they are `-`; an empty one, for its window, if there is a batch."""
    if batch and words:
        raise InputError("a question and --batch were both given; wanted one of them")
    if batch:
        return Request(None, "", limits)
    return Request(None, one_question([sys.stdin.read()] if words == ["-"] else words or []), limits)


def _print_answer(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer.to_dict()))
    else:
        show(answer_lines(answer, width=width()))


def _print_prompt(library: Library, request: Request, k: int, *, as_json: bool) -> int:
    """The prompt that would be sent, and its size; gives the exit code."""
    if not request.question:
        raise InputError("--dry-run shows the prompt of one question, not of a --batch; give a question")
    found = library.preview(request.question, k=k, window=request.window)
    size = {"tokens": found.size.count, "estimated": found.size.estimated, "reply_tokens": REPLY_TOKENS}
    if as_json:
        typer.echo(json.dumps({"schema": 1, "messages": list(found.texts), **size, "cost": found.cost}))
        return 0
    for text in found.texts:
        typer.echo(safe(text) + "\n")
    about = "about " if found.size.estimated else ""
    typer.echo(
        f"{about}{found.size.count:,} tokens, and up to {REPLY_TOKENS:,} of the reply; ${found.cost:.4f} at most"
    )
    return 0
