"""The command `mcp`: it opens a library, and serves it to programs that call tools."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rag.cli.console import tell
from rag.cli.options import MODEL, WINDOW, Options, command, open_library

Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, metavar="PORT", help="Serve HTTP on this port of 127.0.0.1; 0 is any free one."),
]


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
