"""The commands `summarize` and `timeline`: they parse, build a Library, print."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from rag.cli.batch import strict_code
from rag.cli.console import reported, show, warn, width
from rag.cli.opening import Opening, named_articles, open_library, progress_bar
from rag.cli.options import (
    Add,
    AsOf,
    Folder,
    Json,
    Judge,
    MaxCost,
    MaxTokens,
    Model,
    NoCache,
    Offline,
    Quiet,
    Since,
    Source,
    Strict,
    Topic,
    Until,
    Verbose,
    Wait,
)
from rag.models.budget import Terms
from rag.render.digest_lines import summary_lines, timeline_lines
from rag.render.timeline_page import html_page, markdown_page
from rag.schema import Length, Timeline
from rag.text.calendar import window


class Format(StrEnum):
    """How a timeline is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


Articles = Annotated[list[str] | None, typer.Argument(metavar="ARTICLE...", help="Only these: ids, or files.")]
Size = Annotated[Length, typer.Option("--length", help="About 60, 120 or 250 words.")]
WordCount = Annotated[int | None, typer.Option("--words", min=1, metavar="N", help="At most so many words instead.")]
MaxEvents = Annotated[int, typer.Option("--max-events", min=1, metavar="N", help="At most so many events.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How it is written; a page has its sources in it.")]


@reported
def summarize(
    articles: Articles = None,
    *,
    topic: Topic = None,
    length: Size = Length.MEDIUM,
    words: WordCount = None,
    library: Folder = None,
    add: Add = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    judge: Judge = None,
    model: Model = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    no_cache: NoCache = False,
    offline: Offline = False,
    as_json: Json = False,
    strict: Strict = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Summarize articles, a topic, or the whole library."""
    limits = window(as_of, since, until, source or ())
    terms = Terms(strict=strict, cache=not no_cache, max_tokens=max_tokens, max_cost=max_cost)
    opening = Opening(library, offline, wait, quiet, verbose, judge, model, terms)
    with open_library(opening, add) as opened, progress_bar(opening) as progress:
        named = named_articles(opened, articles or ())
        found = opened.summarize(*named, topic=topic, length=length, words=words, window=limits, progress=progress)
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
    else:
        show(summary_lines(found, width=width()))
        warn(found.warnings, quiet=quiet)
    raise typer.Exit(strict_code(found) if strict else 0)


@reported
def timeline(
    articles: Articles = None,
    *,
    topic: Topic = None,
    max_events: MaxEvents = 10,
    form: FormatOption = Format.TEXT,
    library: Folder = None,
    add: Add = None,
    as_of: AsOf = None,
    since: Since = None,
    until: Until = None,
    source: Source = None,
    judge: Judge = None,
    model: Model = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    no_cache: NoCache = False,
    offline: Offline = False,
    as_json: Json = False,
    strict: Strict = False,
    wait: Wait = 600.0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show the dated events of articles, a topic, or the whole library."""
    limits = window(as_of, since, until, source or ())
    terms = Terms(strict=strict, cache=not no_cache, max_tokens=max_tokens, max_cost=max_cost)
    opening = Opening(library, offline, wait, quiet, verbose, judge, model, terms)
    with open_library(opening, add) as opened, progress_bar(opening) as progress:
        named = named_articles(opened, articles or ())
        found = opened.timeline(*named, topic=topic, max_events=max_events, window=limits, progress=progress)
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
    else:
        _print_timeline(found, form)
        warn(found.warnings, quiet=quiet)
    raise typer.Exit(strict_code(found) if strict else 0)


def _print_timeline(found: Timeline, form: Format) -> None:
    match form:
        case Format.TEXT:
            show(timeline_lines(found, width=width()))
        case Format.MARKDOWN:
            typer.echo(markdown_page(found), nl=False)
        case Format.HTML:
            typer.echo(html_page(found), nl=False)
