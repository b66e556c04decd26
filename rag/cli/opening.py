"""Opens the library of a command, and adds to it what is to be added first."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.cli.console import tell, warn
from rag.errors import InputError
from rag.models.budget import Terms
from rag.models.chat import Secret
from rag.render.lines import safe
from rag.schema import AddReport, Article
from rag.settings import Settings, read_settings
from rag.text.clean import one_line

if TYPE_CHECKING:
    from rag.library import Library


@dataclass(frozen=True, slots=True)
class Opening:
    """How a command opens its library, and how much it tells on stderr."""

    library: Path | None
    offline: bool
    wait: float
    quiet: bool
    verbose: bool
    judge: str | None = None
    model: str | None = None
    terms: Terms | None = None


@contextmanager
def open_library(opening: Opening, origins: Sequence[str] | None = None) -> Iterator[Library]:
    """The library, with `origins` added first; of that only what changed or failed is told."""
    checked_settings(opening, origins or ())
    with with_model(opening, opening.model) as library:
        if origins:
            report = add_articles(library, origins, opening)
            news = report.added or report.updated or report.failed
            if opening.verbose or (news and not opening.quiet):
                tell(str(report))
        yield library


def with_model(opening: Opening, model: str | None) -> Library:
    """The library with a chat model of that name, or the one of the settings; OFFLINE is none."""
    from rag.library import OFFLINE, Library

    settings = read_settings(library=opening.library, offline=opening.offline)
    return Library(
        settings.library.value,
        catalog=settings.database,
        chroma=settings.index,
        judge=opening.judge,
        model=None if model == OFFLINE else model,
        offline=settings.offline.value or model == OFFLINE,
        terms=opening.terms,
    )


def named_articles(library: Library, named: Sequence[str]) -> list[str | Article]:
    """What is named by the id of an article in the library, else by a file, which is only read."""
    from rag.quick import read_articles

    known = {article.id for article in library.articles()} if named else set()
    return [article for name in named for article in ([name] if name in known else read_articles([name]))]


def checked_settings(opening: Opening, origins: Sequence[str]) -> Settings:
    """The settings of a command; raises InputError for what cannot be done with them."""
    settings = read_settings(library=opening.library, offline=opening.offline, model=opening.model)
    if opening.terms:
        settings.chat()  # a model that cannot be is told before anything is done
    if opening.judge and settings.offline.value:
        raise InputError(
            f"--judge {opening.judge} needs the network, which {settings.offline.origin} refuses; leave one out"
        )
    urls = [place for place in origins if "://" in place]
    if urls and settings.offline.value:
        raise InputError(
            f"{urls[0]} needs the network, which {settings.offline.origin} refuses; give a file, or lift it"
        )
    return settings


def add_by_cluster(
    origins: Sequence[str], settings: Settings, opening: Opening, address: str, *, allow_private: bool
) -> AddReport:
    """Adds what is named by a Ray cluster, and tells what failed."""
    from rag.cluster import Shared, add_by_ray

    if not settings.database or not settings.index:
        raise InputError("--ray needs a library on servers; set RAG_CATALOG and RAG_CHROMA, and leave out --library")
    shared = Shared(settings.library.value, Secret(settings.database), settings.index, allow_private)
    with progress_bar(opening) as progress:
        report = add_by_ray(origins, shared, address, progress=progress)
    return _told(report, opening)


def add_articles(
    library: Library, origins: Sequence[str], opening: Opening, *, allow_private: bool = False
) -> AddReport:
    """Adds what is named, and tells what failed."""
    with progress_bar(opening) as progress:
        report = library.add(*origins, progress=progress, wait=opening.wait, allow_private=allow_private)
    return _told(report, opening)


def _told(report: AddReport, opening: Opening) -> AddReport:
    for failure in report.failed:
        tell(f"{failure.origin}: {failure.message}")
    warn(report.warnings, quiet=opening.quiet)
    return report


@contextmanager
def progress_bar(opening: Opening) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal; elsewhere only what comes before the work is told, such as a wait."""
    if opening.quiet or not sys.stderr.isatty():
        yield lambda done, total, text: None if opening.quiet or total else tell(text)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, text: bar.update(
            task, completed=done, total=total or None, description=one_line(safe(text), 60)
        )
