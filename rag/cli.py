"""The `rag` command: parses, builds a Library, prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.batch import answer_batch, strict_code
from rag.calling import REPLY_TOKENS, Terms
from rag.chat import Manner, in_pipe, in_terminal
from rag.console import reported, show, show_stream, tell, warn, width
from rag.errors import InputError
from rag.inputs import Request, one_question, one_text, window
from rag.plaintext import one_line
from rag.rendering import (
    answer_lines,
    article_record,
    article_row,
    check_lines,
    origin,
    safe,
    search_lines,
)
from rag.schema import AddReport, Answer, Article, SearchResult, Window
from rag.settings import Settings, read_settings

if TYPE_CHECKING:
    from rag.library import Library
    from rag.talk import Talk

app = typer.Typer(
    name="rag",
    help="Answers questions about news articles; every sentence is cited to an exact span.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Words = Annotated[list[str] | None, typer.Argument(metavar="QUESTION", help="The question; - reads it from stdin.")]
Origins = Annotated[list[str], typer.Argument(metavar="PATH|URL...", help="Files, folders, URLs or feeds; - is stdin.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of articles, as `rag articles` shows them.")]
Folder = Annotated[Path | None, typer.Option("--library", metavar="DIR", help="The library's folder.")]
Add = Annotated[list[str] | None, typer.Option("--add", "-a", metavar="PATH|URL", help="Add this first; repeatable.")]
AsOf = Annotated[str | None, typer.Option(metavar="DATE", help="Read nothing published later, as if it were that day.")]
Since = Annotated[str | None, typer.Option(metavar="DATE", help="First day of publication: 2021-07-07 or 2021-07.")]
Until = Annotated[str | None, typer.Option(metavar="DATE", help="Last day of publication.")]
Source = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this outlet; repeatable.")]
Topic = Annotated[str | None, typer.Option(metavar="TOPIC", help="What summaries and timelines are about.")]
Number = Annotated[int, typer.Option("-k", min=1, help="How many passages to read.")]
Batch = Annotated[str | None, typer.Option(metavar="FILE", help="Questions, a line of JSON each; - is stdin.")]
Draft = Annotated[str, typer.Argument(metavar="FILE", help="The text to check; - is stdin.")]
Against = Annotated[
    list[str] | None,
    typer.Option(metavar="ARTICLE", help="Only this article: an id, or a file; [1] in the text is the first."),
]
Judge = Annotated[str | None, typer.Option(metavar="MODEL", help="Ask this chat model for a second opinion.")]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="The chat model that writes: openai:gpt-5-mini.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, metavar="N", help="Ask no model if it may take more tokens.")]
MaxCost = Annotated[float | None, typer.Option(min=0, metavar="USD", help="Ask no model if it may cost more.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the prompt and its size, and ask no model.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Ask the model even if it was asked the same before.")]
Deep = Annotated[bool, typer.Option("--deep", help="Plan questions of several parts, repair what failed its check.")]
NoStream = Annotated[bool, typer.Option("--no-stream", help="Show the answer when it is whole.")]
Offline = Annotated[bool, typer.Option("--offline", help="Use no network.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 8 if abstained, 9 if a statement failed its check.")]
Wait = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for another writer.")]
Private = Annotated[bool, typer.Option("--allow-private", help="Admit URLs on private and loopback addresses.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="More on stderr; a traceback if it fails.")]


@dataclass(frozen=True, slots=True)
class Opening:
    """How a command opens its library, and how much it tells on stderr."""

    library: Path | None
    offline: bool
    wait: float
    quiet: bool
    verbose: bool
    judge: str | None = None
    model: str | None = None
    terms: Terms | None = None


def main() -> None:
    """Runs the command line."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # None if it was closed
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")
    app()


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from rag import __version__

        typer.echo(f"dispatches {__version__}")
        raise typer.Exit


@app.command()
@reported
def add(
    origins: Origins,
    *,
    library: Folder = None,
    allow_private: Private = False,
    offline: Offline = False,
    as_json: Json = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Add articles from files, folders, URLs and feeds."""
    opening = Opening(library, offline, wait, quiet, verbose)
    _settings(opening, origins)
    with _opened(opening) as opened:
        report = _added(opened, origins, opening, allow_private=allow_private)
    typer.echo(json.dumps(asdict(report)) if as_json else str(report))
    raise typer.Exit(0 if report.added + report.updated + report.unchanged + report.duplicates else 1)


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
    with _opened(Opening(library, offline, wait, quiet, verbose, judge, model, terms), add) as opened:

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
def chat(
    *,
    library: Folder = None,
    add: Add = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    topic: Topic = None,
    k: Number = 10,
    judge: Judge = None,
    model: Model = None,
    deep: Deep = False,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    no_cache: NoCache = False,
    no_stream: NoStream = False,
    offline: Offline = False,
    as_json: Json = False,
    strict: Strict = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Ask one question after another; in a pipe, a line each."""
    limits = window(as_of, since, until, source or ())
    terms = Terms(strict, deep, not no_cache, not no_stream, max_tokens, max_cost)
    opening = Opening(library, offline, wait, quiet, verbose, judge, model, terms)
    settings = _settings(opening, add or ())
    if add:
        with _opened(opening, add):
            pass

    def start() -> Talk:
        from rag.conversation import Conversation
        from rag.talk import Talk

        return Talk(Conversation(partial(_library, opening), model=model, k=k, window=limits, topic=topic, terms=terms))

    manner = Manner(as_json, strict, quiet)
    if sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        raise typer.Exit(in_terminal(start, manner, settings.history))
    raise typer.Exit(in_pipe(start, manner, sys.stdin))


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
    with _opened(Opening(library, offline, wait, quiet, verbose, judge), add) as opened:
        answer = opened.check(text, against=_articles(opened, against or ()), k=k, window=limits)
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
    with _opened(Opening(library, offline, wait, quiet, verbose), add) as opened:

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


@app.command()
@reported
def articles(
    *,
    library: Folder = None,
    add: Add = None,
    offline: Offline = False,
    as_json: Json = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List the articles; in a pipe, with tabs between fields."""
    with _opened(Opening(library, offline, wait, quiet, verbose), add) as opened:
        found = opened.articles()
    if not found:
        tell(f"{opened.path} has no articles; add some with `rag add PATH`")
    if as_json:
        typer.echo(json.dumps([article_record(article) for article in found]))
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        for article in found:
            typer.echo("\t".join(article_row(article)))


@app.command()
@reported
def remove(
    ids: Ids,
    *,
    library: Folder = None,
    as_json: Json = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Remove articles from the library."""
    opening = Opening(library, False, wait, quiet, verbose)
    with _opened(opening) as opened, _progress(opening) as progress:
        gone = [article for article in opened.articles() if article.id in ids]
        opened.remove(*ids, progress=progress, wait=wait)
    if as_json:
        typer.echo(json.dumps([article_record(article) for article in gone]))
    else:
        for article in gone:
            typer.echo(f"removed {article.id}  {origin(article)}")


@app.command()
@reported
def reindex(
    *,
    library: Folder = None,
    as_json: Json = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Rebuild the vector index from the catalog."""
    opening = Opening(library, False, wait, quiet, verbose)
    with _opened(opening) as opened, _progress(opening) as progress:
        count = opened.reindex(progress=progress, wait=wait)
    typer.echo(json.dumps({"passages": count}) if as_json else f"indexed {count} passages")


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
    from rag.diagnosis import diagnose

    found = diagnose(read_settings(library=library, offline=offline))
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
    else:
        for line in found.lines():
            typer.echo(safe(line))
    raise typer.Exit(1 if found.problems else 0)


@contextmanager
def _opened(opening: Opening, origins: Sequence[str] | None = None) -> Iterator[Library]:
    """The library, with `origins` added first; of that only what changed or failed is told."""
    _settings(opening, origins or ())
    with _library(opening, opening.model) as library:
        if origins:
            report = _added(library, origins, opening)
            news = report.added or report.updated or report.failed
            if opening.verbose or (news and not opening.quiet):
                tell(str(report))
        yield library


def _library(opening: Opening, model: str | None) -> Library:
    """The library with a chat model of that name, or the one of the settings; OFFLINE is none."""
    from rag.library import OFFLINE, Library

    settings = read_settings(library=opening.library, offline=opening.offline)
    return Library(
        settings.library.value,
        judge=opening.judge,
        model=None if model == OFFLINE else model,
        offline=settings.offline.value or model == OFFLINE,
        terms=opening.terms,
    )


def _articles(library: Library, named: Sequence[str]) -> list[str | Article]:
    """What is named by the id of an article in the library, else by a file, which is only read."""
    from rag.asking import read_articles

    known = {article.id for article in library.articles()} if named else set()
    return [article for name in named for article in ([name] if name in known else read_articles([name]))]


def _settings(opening: Opening, origins: Sequence[str]) -> Settings:
    settings = read_settings(library=opening.library, offline=opening.offline, model=opening.model)
    if opening.terms:
        settings.chat()  # a model that cannot be is told before anything is done
    if opening.judge and settings.offline.value:
        raise InputError(
            f"--judge {opening.judge} needs the network, which {settings.offline.origin} refuses; leave one out"
        )
    urls = [place for place in origins if "://" in place]
    if urls and settings.offline.value:
        raise InputError(
            f"{urls[0]} needs the network, which {settings.offline.origin} refuses; give a file, or lift it"
        )
    return settings


def _added(library: Library, origins: Sequence[str], opening: Opening, *, allow_private: bool = False) -> AddReport:
    with _progress(opening) as progress:
        report = library.add(*origins, progress=progress, wait=opening.wait, allow_private=allow_private)
    for failure in report.failed:
        tell(f"{failure.origin}: {failure.message}")
    warn(report.warnings, quiet=opening.quiet)
    return report


@contextmanager
def _progress(opening: Opening) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal; elsewhere only what comes before the work is told, such as a wait."""
    if opening.quiet or not sys.stderr.isatty():
        yield lambda done, total, text: None if opening.quiet or total else tell(text)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, text: bar.update(
            task, completed=done, total=total or None, description=one_line(safe(text), 60)
        )


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


def _print_table(found: Iterable[Article]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "date", "source", "title", box=None, header_style="")
    table.add_column("characters", justify="right")
    for article in found:
        table.add_row(*map(Text, article_row(article)))
    Console().print(table)
