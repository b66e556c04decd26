"""The command `chat`: it parses, builds a conversation, and lets it run."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import typer

from rag.cli.console import reported
from rag.cli.opening import Opening, checked_settings, open_library, with_model
from rag.cli.options import (
    Add,
    AsOf,
    Deep,
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
    Topic,
    Until,
    Verbose,
    Wait,
)
from rag.cli.terminal import Manner, in_pipe, in_terminal
from rag.models.budget import Terms
from rag.text.calendar import window

if TYPE_CHECKING:
    from rag.chat.talk import Talk


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
    settings = checked_settings(opening, add or ())
    if add:
        with open_library(opening, add):
            pass

    def start() -> Talk:
        from rag.chat.conversation import Conversation
        from rag.chat.talk import Talk

        return Talk(
            Conversation(partial(with_model, opening), model=model, k=k, window=limits, topic=topic, terms=terms)
        )

    manner = Manner(as_json, strict, quiet)
    if sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        raise typer.Exit(in_terminal(start, manner, settings.history))
    raise typer.Exit(in_pipe(start, manner, sys.stdin))
