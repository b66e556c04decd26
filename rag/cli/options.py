"""The arguments and flags that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Words = Annotated[list[str] | None, typer.Argument(metavar="QUESTION", help="The question; - reads it from stdin.")]
Origins = Annotated[
    list[str] | None, typer.Argument(metavar="PATH|URL...", help="Files, folders, URLs or feeds; - is stdin.")
]
Listing = Annotated[str | None, typer.Option(metavar="FILE", help="Also add what this names, a line each; - is stdin.")]
Ray = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Add by a Ray cluster: HOST:PORT, auto or local.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of articles, as `rag articles` shows them.")]
Folder = Annotated[Path | None, typer.Option("--library", metavar="DIR", help="The library's folder.")]
Add = Annotated[list[str] | None, typer.Option("--add", "-a", metavar="PATH|URL", help="Add this first; repeatable.")]
AsOf = Annotated[str | None, typer.Option(metavar="DATE", help="Read nothing published later, as if it were that day.")]
Since = Annotated[str | None, typer.Option(metavar="DATE", help="First day of publication: 2021-07-07 or 2021-07.")]
Until = Annotated[str | None, typer.Option(metavar="DATE", help="Last day of publication.")]
Source = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this outlet; repeatable.")]
Topic = Annotated[str | None, typer.Option(metavar="TEXT", help="What it is to be about.")]
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
Watch = Annotated[float | None, typer.Option(min=0.1, metavar="SECONDS", help="Look again and again, so far apart.")]
Private = Annotated[bool, typer.Option("--allow-private", help="Admit URLs on private and loopback addresses.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="More on stderr; a traceback if it fails.")]
