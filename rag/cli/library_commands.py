"""The commands that fill, list, index and serve a library: they open it, change it, print."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Annotated

import typer

from rag.cli.console import tell, warn
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
from rag.models.chat import Secret
from rag.render.lines import article_row, listed_record, origin, safe
from rag.schema import AddReport, Article
from rag.settings import read_settings

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
        from rag.mcp.server import serve_http, serve_stdio  # pydantic, which other commands start without

        view = library.window(limits)
        if http is None:
            if sys.stdin.isatty():
                tell("waiting for a client on stdin; `rag mcp --help` shows how to set one up, Ctrl-C ends")
            serve_stdio(view, verbose=options.verbose)
        else:
            serve_http(view, http, on_start=lambda at: tell(f"serving {at}"), verbose=options.verbose)
