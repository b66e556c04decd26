"""The commands that fill, list and index a library: they parse, build a Library, print."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict

import typer

from rag.cli.console import reported, tell, warn
from rag.cli.opening import Opening, add_articles, add_by_cluster, checked_settings, open_library, progress_bar
from rag.cli.options import Add, Folder, Ids, Json, Listing, Offline, Origins, Private, Quiet, Ray, Verbose, Wait, Watch
from rag.cli.requests import listed
from rag.errors import InputError
from rag.render.lines import article_record, article_row, origin
from rag.schema import Article


@reported
def add(
    origins: Origins = None,
    *,
    library: Folder = None,
    listing: Listing = None,
    ray: Ray = None,
    allow_private: Private = False,
    offline: Offline = False,
    as_json: Json = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Add articles from files, folders, URLs and feeds."""
    opening = Opening(library, offline, wait, quiet, verbose)
    places = [*(origins or ()), *(listed(listing) if listing else ())]
    if not places:
        raise InputError("nothing to add was named; wanted a file, a folder or a URL, or --listing FILE")
    settings = checked_settings(opening, places)
    if ray:
        report = add_by_cluster(places, settings, opening, ray, allow_private=allow_private)
    else:
        with open_library(opening) as opened:
            report = add_articles(opened, places, opening, allow_private=allow_private)
    typer.echo(json.dumps(asdict(report)) if as_json else str(report))
    raise typer.Exit(0 if report.added + report.updated + report.unchanged + report.duplicates else 1)


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
    with open_library(Opening(library, offline, wait, quiet, verbose), add) as opened:
        found = opened.articles()
    if not found:
        tell(f"{opened.name} has no articles; add some with `rag add PATH`")
    if as_json:
        typer.echo(json.dumps([article_record(article) for article in found]))
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        for article in found:
            typer.echo("\t".join(article_row(article)))


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
    with open_library(opening) as opened, progress_bar(opening) as progress:
        gone = [article for article in opened.articles() if article.id in ids]
        opened.remove(*ids, progress=progress, wait=wait)
    if as_json:
        typer.echo(json.dumps([article_record(article) for article in gone]))
    else:
        for article in gone:
            typer.echo(f"removed {article.id}  {origin(article)}")


@reported
def work(
    *,
    library: Folder = None,
    watch: Watch = None,
    as_json: Json = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Embed and index what has no vector yet, beside other workers."""
    opening = Opening(library, False, wait, quiet, verbose)
    with open_library(opening) as opened, progress_bar(opening) as progress:
        count = opened.work(progress=progress, wait=wait)
        while watch is not None:
            time.sleep(watch)
            count += opened.work(progress=progress, wait=wait)
    warn(opened.warnings, quiet=quiet)
    typer.echo(json.dumps({"passages": count}) if as_json else f"embedded {count} passages")


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
    with open_library(opening) as opened, progress_bar(opening) as progress:
        count = opened.reindex(progress=progress, wait=wait)
    warn(opened.warnings, quiet=quiet)
    typer.echo(json.dumps({"passages": count}) if as_json else f"indexed {count} passages")


def _print_table(found: Iterable[Article]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "date", "source", "title", box=None, header_style="")
    table.add_column("characters", justify="right")
    for article in found:
        table.add_row(*map(Text, article_row(article)))
    Console().print(table)
