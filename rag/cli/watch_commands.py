"""The commands that say what is new: they look at feeds and folders, add what is there, print what it changes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import show, tell, width
from rag.cli.options import OUTPUT, Options, checked_settings, command, open_library
from rag.cli.requests import one_text
from rag.errors import InputError
from rag.render.lines import wrapped
from rag.schema import Failure
from rag.text.calendar import window

if TYPE_CHECKING:
    from rag.news import Change, Interests

_FILE = "watch.json"

Places = Annotated[list[str], typer.Argument(metavar="FEED|FOLDER...", help="Feeds, pages, files or folders.")]
Topics = Annotated[
    list[str] | None, typer.Option("--topic", metavar="TEXT", help="Only new articles with these words; repeatable.")
]
Draft = Annotated[str | None, typer.Option(metavar="FILE", help="A text whose claims should go on to hold.")]
Every = Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How far apart to look.")]
Once = Annotated[bool, typer.Option("--once", help="Look once, and end.")]
Private = Annotated[bool, typer.Option("--allow-private", help="Admit URLs on private and loopback addresses.")]


@command("library", *OUTPUT)
def watch(
    places: Places,
    *,
    topic: Topics = None,
    draft: Draft = None,
    every: Every = 600,
    once: Once = False,
    allow_private: Private = False,
    options: Options,
) -> None:
    """Add what is new in feeds and folders, and print what it changes."""
    from rag.ingest.watched import Watched
    from rag.news import Desk

    checked_settings(options, places)
    wanted = _interests(topic, draft)
    with open_library(options) as library:
        watched, desk = Watched.opened(library.path / _FILE), Desk(library, wanted)
        while True:
            found = watched.look(places, now=time.time(), interval=every, allow_private=allow_private)
            for failure in (item for item in found if isinstance(item, Failure)):
                tell(f"{failure.origin}: {failure.message}")
            _print(desk.add(found, wait=options.wait), options)
            watched.save()
            if once:
                return
            time.sleep(every)


@command("library", "add", "since", *OUTPUT)
def new(*, topic: Topics = None, draft: Draft = None, options: Options) -> None:
    """Print what the articles published since a day change."""
    from rag.news import since

    day, wanted = window(since=options.since).since, _interests(topic, draft)
    if day is None:
        raise InputError("no day was given; wanted one, as in: rag new --since 2021-08-26")
    with open_library(options) as library:
        found = since(library, day, wanted)
    _print(found, options)
    if not found and not options.as_json and not options.quiet:
        tell(f"nothing new since {day}")


def _interests(topics: list[str] | None, draft: str | None) -> Interests:
    from rag.news import Interests
    from rag.text.words import content_words

    if unclear := next((topic for topic in topics or () if not content_words(topic)), None):
        raise InputError(f"the topic {unclear!r} has no words to look for; wanted some, such as 'airport attack'")
    return Interests(tuple(topics or ()), one_text(draft) if draft else None)


def _print(changes: Iterable[Change], options: Options) -> None:
    for change in changes:
        if options.as_json:
            typer.echo(json.dumps(change.to_dict()))
        else:
            show(wrapped(str(change), width()))
    sys.stdout.flush()
