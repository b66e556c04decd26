"""The command `conflicts`: it parses, builds a Library, prints."""

from __future__ import annotations

import json

import typer

from rag.cli.console import reported, show, width
from rag.cli.opening import Opening, open_library
from rag.cli.options import Add, AsOf, Folder, Json, Offline, Quiet, Since, Source, Topic, Until, Verbose, Wait
from rag.render.lines import conflict_lines
from rag.schema import conflicts_record
from rag.text.calendar import window


@reported
def conflicts(
    *,
    topic: Topic = None,
    library: Folder = None,
    add: Add = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    offline: Offline = False,
    as_json: Json = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what the articles say differently from one another."""
    limits = window(as_of, since, until, source or ())
    with open_library(Opening(library, offline, wait, quiet, verbose), add) as opened:
        found = opened.conflicts(topic=topic, window=limits)
    if as_json:
        typer.echo(json.dumps(conflicts_record(topic, found)))
    else:
        show(conflict_lines(found, width=width()))
