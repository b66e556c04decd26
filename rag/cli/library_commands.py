"""The commands that fill, list, index, measure and serve a library: they open it, change it, print."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import show, tell, warn
from rag.cli.options import (
    MODEL,
    OUTPUT,
    SOME_FAILED,
    WINDOW,
    Options,
    add_articles,
    checked_settings,
    command,
    library_with,
    open_library,
    print_failures,
    progress_bar,
)
from rag.cli.requests import listed_origins
from rag.errors import InputError
from rag.models.budget import Terms
from rag.models.chat import Secret
from rag.render.lines import Line, article_row, listed_record, origin, safe
from rag.schema import AddReport, Article
from rag.settings import read_settings

if TYPE_CHECKING:
    from rag.library import Library

Origins = Annotated[
    list[str] | None, typer.Argument(metavar="PATH|URL...", help="Files, folders, URLs or feeds; - is stdin.")
]
Listing = Annotated[str | None, typer.Option(metavar="FILE", help="Also add what this names, a line each; - is stdin.")]
Ray = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Add by a Ray cluster: HOST:PORT, auto or local.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of articles, as `rag articles` shows them.")]
Private = Annotated[bool, typer.Option("--allow-private", help="Admit URLs on private and loopback addresses.")]
Watch = Annotated[float | None, typer.Option(min=0.1, metavar="SECONDS", help="Look again and again, so far apart.")]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, metavar="PORT", help="Serve HTTP on this port of 127.0.0.1; 0 is any free one."),
]


@command("library", *OUTPUT)
def add(
    origins: Origins = None,
    *,
    listing: Listing = None,
    ray: Ray = None,
    allow_private: Private = False,
    options: Options,
) -> None:
    """Add articles from files, folders, URLs and feeds."""
    places = [*(origins or ()), *(listed_origins(listing) if listing else ())]
    if not places:
        raise InputError("nothing to add was named; wanted a file, a folder or a URL, or --listing FILE")
    checked_settings(options, places)
    if ray:
        report = _add_by_cluster(places, options, ray, allow_private=allow_private)
    else:
        with library_with(options, None) as library:
            report = add_articles(library, places, options, allow_private=allow_private)
    typer.echo(json.dumps(report.to_dict()) if options.as_json else str(report))
    if not report.found:
        raise typer.Exit(1)
    raise typer.Exit(SOME_FAILED if report.failed else 0)


@command("library", "add", *OUTPUT)
def articles(*, options: Options) -> None:
    """List the articles; in a pipe, with tabs between fields."""
    with open_library(options) as library:
        found = library.articles()
    if not found:
        tell(f"{library.name} has no articles; add some with `rag add PATH`")
    if options.as_json:
        typer.echo(json.dumps([listed_record(article) for article in found]))
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        for article in found:
            typer.echo("\t".join(article_row(article)))


@command("library", "as_json", "wait", "quiet", "verbose")
def remove(ids: Ids, *, options: Options) -> None:
    """Remove articles from the library."""
    with open_library(options) as library, progress_bar(options) as progress:
        gone = library.catalog.stored(ids)
        library.remove(*ids, progress=progress, wait=options.wait)
    if options.as_json:
        typer.echo(json.dumps([listed_record(article) for article in gone]))
    else:
        for article in gone:
            typer.echo(f"removed {article.id}  {origin(article)}")


@command("library", "as_json", "wait", "quiet", "verbose")
def work(*, watch: Watch = None, options: Options) -> None:
    """Embed and index what has no vector yet, beside other workers."""
    with open_library(options) as library, progress_bar(options) as progress:
        count = library.work(progress=progress, wait=options.wait)
        while watch is not None:
            time.sleep(watch)
            count += library.work(progress=progress, wait=options.wait)
    warn(library.warnings, quiet=options.quiet)
    typer.echo(json.dumps({"passages": count}) if options.as_json else f"embedded {count} passages")


@command("library", "as_json", "wait", "quiet", "verbose")
def reindex(*, options: Options) -> None:
    """Rebuild the vector index from the catalog."""
    with open_library(options) as library, progress_bar(options) as progress:
        count = library.reindex(progress=progress, wait=options.wait)
    warn(library.warnings, quiet=options.quiet)
    typer.echo(json.dumps({"passages": count}) if options.as_json else f"indexed {count} passages")


@command("library", "offline", "as_json", "quiet", "verbose")
def doctor(*, options: Options) -> None:
    """Print what is set up, where from, and what is wrong."""
    from rag.cli.doctor import diagnose  # the models, which other commands start without

    found = diagnose(read_settings(library=options.library, offline=options.offline))
    if options.as_json:
        typer.echo(json.dumps(found.to_dict()))
    else:
        for line in found.lines():
            typer.echo(safe(line))
    raise typer.Exit(1 if found.problems else 0)


def _add_by_cluster(origins: list[str], options: Options, address: str, *, allow_private: bool) -> AddReport:
    from rag.cluster import Shared, add_by_ray

    settings = checked_settings(options, origins)
    if not settings.database or not settings.index:
        raise InputError("--ray needs a library on servers; set RAG_CATALOG and RAG_CHROMA, and leave out --library")
    shared = Shared(settings.library.value, Secret(settings.database), settings.index, allow_private)
    with progress_bar(options) as progress:
        report = add_by_ray(origins, shared, address, progress=progress)
    return print_failures(report, options)


def _print_table(found: Iterable[Article]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "date", "source", "title", box=None, header_style="")
    table.add_column("characters", justify="right")
    for article in found:
        table.add_row(*map(Text, article_row(article)))
    Console().print(table)


@command("library", "add", *WINDOW, *MODEL, "deep", "strict", "offline", "wait", "quiet", "verbose")
def serve(*, http: Port = None, options: Options) -> None:
    """Serve the library to other programs.

    They call it as tools by the Model Context Protocol, over stdin and stdout or HTTP.
    """
    limits = options.window
    with open_library(options) as library:
        from rag.mcp import serve_http, serve_stdio  # pydantic, which other commands start without

        view = library.window(limits)
        if http is None:
            if sys.stdin.isatty():
                tell("waiting for a client on stdin; `rag mcp --help` shows how to set one up, Ctrl-C ends")
            serve_stdio(view, verbose=options.verbose)
        else:
            serve_http(view, http, on_start=lambda at: tell(f"serving {at}"), verbose=options.verbose)


GATE_FAILED = 10
"""The exit code when a gate is missed."""

Sets = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="SET...", help="Files of cases, or folders of other sets; without one, all that --gates names."
    ),
]
Judge = Annotated[str | None, typer.Option("--judge", metavar="MODEL", help="Let this chat model grade the answers.")]
Gates = Annotated[Path | None, typer.Option(metavar="FILE", help="Exit with 10 if a gate of this file is missed.")]
Baseline = Annotated[Path | None, typer.Option(metavar="FILE", help="Print what changed since this report.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Keep results and reports here; go on if it has some.")]
Workers = Annotated[int, typer.Option(min=1, metavar="N", help="How many cases are asked at once.")]
Pin = Annotated[bool, typer.Option("--pin", help="Write what was measured to --gates (raising floors) and --baseline.")]
AllowRegression = Annotated[bool, typer.Option("--allow-regression", help="Let --pin lower floors too.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a case, and do nothing else.")]


@command("library", "add", "k", "model", "offline", "no_cache", "as_json", "quiet", "verbose")
def evaluate(
    sets: Sets = None,
    *,
    judge: Judge = None,
    gates: Gates = None,
    baseline: Baseline = None,
    out: Out = None,
    workers: Workers = 1,
    pin: Pin = False,
    allow_regression: AllowRegression = False,
    schema: Schema = False,
    options: Options,
) -> None:
    """Measure how right the answers are, on sets of cases.

    Cases may also be of summaries, timelines and checks.
    """
    from rag.evaluation.cases import CASE  # pydantic and the library, which other commands start without
    from rag.evaluation.report import score_lines
    from rag.evaluation.run import Campaign, Surroundings, measure

    if schema:
        typer.echo(json.dumps(CASE.json_schema(), indent=1))
        return
    terms = Terms(strict=True, cache=not options.no_cache, streamed=False)
    options = replace(options, terms=terms)
    origins = tuple(options.add or ())
    checked_settings(replace(options, judge=judge or options.judge), origins)
    files = (gates, baseline, out)
    campaign = Campaign(tuple(sets or ()), origins, options.k, workers, judge, *files, pin, allow_regression)

    def opened(place: Path | None, named: Sequence[str]) -> AbstractContextManager[Library]:
        return open_library(replace(options, library=options.library or place, add=list(named)))

    found = measure(campaign, Surroundings(opened, partial(progress_bar, options)))
    if options.as_json:
        typer.echo(json.dumps(found.report.to_dict() | {"missed": list(found.missed)}))
    else:
        show(Line(text) for text in score_lines(found.report, found.changes, all_rates=options.verbose))
    for line in (*found.warnings, *(f"gate: {problem}" for problem in found.missed)):
        tell(line)
    raise typer.Exit(GATE_FAILED if found.missed else 0)
