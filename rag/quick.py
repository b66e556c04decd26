"""Asks articles in one call, without a library of one's own."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Unpack

from rag.arguments import Limits, validated
from rag.checks.document import checked
from rag.checks.verify import verify
from rag.errors import EmptyLibraryError
from rag.ingest.loaders import Origin, expand, load
from rag.library import Library
from rag.parts import entailment
from rag.schema import Answer, Article, Failure, Length, Summary, Timeline, Window

_libraries: dict[tuple[str, ...], Library] = {}
_open = ExitStack()
atexit.register(_open.close)


@validated
def ask(
    question: str,
    *,
    articles: Origin | Sequence[Origin],
    k: int = 10,
    window: Window = Window(),
    model: str | None = None,
    **limits: Unpack[Limits],
) -> Answer:
    """The answer of `Library.ask` from the articles in a file, folder or URL, or several of them.

    They are read into a temporary library that lasts as long as the process, so that asking them again costs little; a
    file that has changed since is read again. `model` is that of a `Library`.

    Raises EmptyLibraryError if none of them can be read as an article.
    """
    return _library(articles, model).ask(question, k=k, window=window, **limits)


@validated
def summarize(  # noqa: PLR0913  # as `Library.summarize`
    articles: Origin | Sequence[Origin],
    *,
    topic: str | None = None,
    length: Length = Length.MEDIUM,
    words: int | None = None,
    sections: Sequence[str] = (),
    window: Window = Window(),
    **limits: Unpack[Limits],
) -> Summary:
    """The summary of `Library.summarize` of the articles in a file, folder or URL, or several of them.

    They are read as `ask` reads them, with its errors.
    """
    found = _library(articles, None)
    return found.summarize(topic=topic, length=length, words=words, sections=sections, window=window, **limits)


@validated
def timeline(
    articles: Origin | Sequence[Origin],
    *,
    topic: str | None = None,
    max_events: int = 10,
    window: Window = Window(),
    **limits: Unpack[Limits],
) -> Timeline:
    """The timeline of `Library.timeline` of the articles in a file, folder or URL, or several of them."""
    return _library(articles, None).timeline(topic=topic, max_events=max_events, window=window, **limits)


@validated
def check(text: str, articles: Origin | Article | Sequence[Origin | Article]) -> Answer:
    """The sentences of a text as statements, each with its verdict and the nearest sentences of the articles.

    The articles are those in files, folders or URLs, or `Article`s; a mark such as [2] in the text is the second.
    Raises EmptyLibraryError if there is none, InputError if the text has no sentence.
    """
    origins = [articles] if isinstance(articles, str | Path | Article) else articles
    given = read_articles(origins)
    return checked(text, lambda _: (), partial(verify, entailment=entailment()), given=given)


def read_articles(origins: Sequence[Origin | Article]) -> list[Article]:
    """The articles of files, folders and URLs; raises EmptyLibraryError, which says why, if one gives none."""
    found: list[Article] = []
    for origin in origins:
        loaded = [origin] if isinstance(origin, Article) else list(load(origin))
        here = [item for item in loaded if isinstance(item, Article)]
        if not here:
            why = next((item.message for item in loaded if isinstance(item, Failure)), "holds no article")
            raise EmptyLibraryError(f"{origin} {why}; give the id of an article, or a file that holds one")
        found += here
    return found


def _library(articles: Origin | Sequence[Origin], model: str | None) -> Library:
    origins = [articles] if isinstance(articles, str | Path) else articles
    key = (model or "", *(_version(place) for place in expand(origins)))
    if key not in _libraries:
        folder = _open.enter_context(tempfile.TemporaryDirectory(prefix="dispatches-"))
        library = _open.enter_context(Library(Path(folder) / "library", model=model))
        report = library.add(*origins)
        if not library.catalog.article_count:
            why = "; ".join(f"{failure.origin}: {failure.message}" for failure in report.failed)
            raise EmptyLibraryError(why or "`articles` names nothing; wanted a file, a folder or a URL")
        _libraries[key] = library
    return _libraries[key]


def _version(place: str) -> str:
    """What tells a file from its later versions; a URL is read once."""
    path = Path(place)
    if not path.is_file():
        return place
    status = path.stat()
    return f"{path.resolve()}\0{status.st_mtime_ns}\0{status.st_size}"
