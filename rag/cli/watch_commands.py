"""The commands that say what is new: they look at feeds and folders, add what is there, print what it changes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import show, tell, width
from rag.cli.options import OUTPUT, SOME_FAILED, Options, checked_settings, command, library_with, open_library
from rag.cli.requests import one_text
from rag.errors import InputError
from rag.render.lines import safe, wrapped
from rag.schema import Failure
from rag.settings import read_settings
from rag.text.calendar import window

if TYPE_CHECKING:
    from rag.news import Change, Interests

_FILE = "watch.json"

Places = Annotated[list[str], typer.Argument(metavar="FEED|FOLDER...", help="Feeds, pages, files or folders.")]
Topics = Annotated[
    list[str] | None,
    typer.Option(
        "--topic", metavar="TEXT", help="Only new articles with these words; repeatable. Else the saved topics."
    ),
]
Saved = Annotated[list[str] | None, typer.Argument(metavar="[TEXT...]", help="Topics to save.")]
Remove = Annotated[list[str] | None, typer.Option("--remove", metavar="TEXT", help="Forget this; repeatable.")]
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
    from rag.ingest.loaders import Watched
    from rag.news import Desk

    checked_settings(options, places)
    with library_with(options, None) as library:
        wanted = _interests(topic or _saved(library.path, options), draft)
        watched, desk = Watched.opened(library.path / _FILE), Desk(library, wanted)
        while True:
            found = watched.look(places, now=time.time(), interval=every, allow_private=allow_private)
            failures = [item for item in found if isinstance(item, Failure)]
            for failure in failures:
                tell(f"{failure.origin}: {failure.message}")
            _print(desk.add(found, wait=options.wait), options)
            watched.save()
            if once:
                raise typer.Exit(SOME_FAILED if failures else 0)
            time.sleep(every)


@command("library", "add", "since", *OUTPUT)
def new(*, topic: Topics = None, draft: Draft = None, options: Options) -> None:
    """Print what the articles published since a day change."""
    from rag.news import since

    day = window(since=options.since).since
    if day is None:
        raise InputError("no day was given; wanted one, as in: rag new --since 2021-08-26")
    with open_library(options) as library:
        found = since(library, day, _interests(topic or _saved(library.path, options), draft))
    _print(found, options)
    if not found and not options.as_json and not options.quiet:
        tell(f"nothing new since {day}")


@command("library", "as_json", "quiet", "verbose")
def topics(saved: Saved = None, *, remove: Remove = None, options: Options) -> None:
    """Print, save or forget the topics of watch and new."""
    from rag.news import save_topics, saved_topics

    _check_topics(saved or [])
    folder = read_settings(library=options.library).library.value
    known = saved_topics(folder)
    if unknown := next((topic for topic in remove or () if topic not in known), None):
        listed = ", ".join(map(repr, known)) or "none"
        raise InputError(f"no topic {unknown!r} is saved; there are: {listed}")
    kept = [topic for topic in dict.fromkeys((*known, *(saved or ()))) if topic not in (remove or ())]
    if saved or remove:
        save_topics(folder, kept)
    if options.as_json:
        typer.echo(json.dumps(kept))
        return
    for topic in kept:
        typer.echo(safe(topic))
    if not kept and not options.quiet:
        tell("no topic is saved; `rag watch` and `rag new` print whatever is new")


def _saved(folder: Path, options: Options) -> list[str]:
    from rag.news import saved_topics

    found = saved_topics(folder)
    if found and not options.quiet:
        tell(f"on the saved topics: {', '.join(found)}")
    return list(found)


def _interests(topics: list[str], draft: str | None) -> Interests:
    from rag.news import Interests

    _check_topics(topics)
    return Interests(tuple(topics), one_text(draft) if draft else None)


def _check_topics(topics: list[str]) -> None:
    from rag.text.words import content_words

    if unclear := next((topic for topic in topics if not content_words(topic)), None):
        raise InputError(f"the topic {unclear!r} has no words to look for; wanted some, such as 'airport attack'")


def _print(changes: Iterable[Change], options: Options) -> None:
    for change in changes:
        if options.as_json:
            typer.echo(json.dumps(change.to_dict()))
        else:
            show(wrapped(str(change), width()))
    sys.stdout.flush()
