"""Answers a question from articles in one call, without a library of one's own."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rag.library import Library
from rag.loaders import Origin, expand
from rag.schema import Answer, Window

_libraries: dict[tuple[str, ...], Library] = {}
_open = ExitStack()
atexit.register(_open.close)


def ask(question: str, *, articles: Origin | Sequence[Origin], k: int = 10, window: Window = Window()) -> Answer:
    """The answer of `Library.ask` from the articles in a file, folder or URL, or several of them.

    They are read into a temporary library that lasts as long as the process, so that asking them again costs little; a
    file that has changed since is read anew. Raises EmptyLibraryError if none of them can be read as an article.
    """
    origins = [articles] if isinstance(articles, str | Path) else articles
    return _library(origins).ask(question, k=k, window=window)


def _library(origins: Sequence[Origin]) -> Library:
    key = tuple(_version(place) for place in expand(origins))
    if key not in _libraries:
        folder = _open.enter_context(tempfile.TemporaryDirectory(prefix="dispatches-"))
        _libraries[key] = _open.enter_context(Library(Path(folder) / "library"))
        _libraries[key].add(*origins)
    return _libraries[key]


def _version(place: str) -> str:
    """What tells a file from its later versions; a URL is read once."""
    path = Path(place)
    if not path.is_file():
        return place
    status = path.stat()
    return f"{path.resolve()}\0{status.st_mtime_ns}\0{status.st_size}"
