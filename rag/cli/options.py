"""The flags that commands share, and what they open: a library, with articles added first."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from rag.cli.console import reported, tell, warn
from rag.errors import EmptyLibraryError, InputError, LoadError
from rag.models.budget import Terms
from rag.render.lines import safe
from rag.schema import AddReport, Article, Window
from rag.settings import Settings, read_settings
from rag.text.calendar import window
from rag.text.clean import clean, one_line, without_password

if TYPE_CHECKING:
    from rag.library import Library

SOME_FAILED = 11
"""The exit code if some inputs failed, and the others were added."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the shared flags say; the annotation of a field declares its flag for every command that has it.

    `terms` are None for a command that asks no language model; `failed` is what of `add` could not be added.
    """

    library: Annotated[Path | None, typer.Option("--library", metavar="DIR", help="The library's folder.")] = None
    add: Annotated[
        list[str] | None, typer.Option("--add", "-a", metavar="PATH|URL", help="Add this first; repeatable.")
    ] = None
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Read nothing published later, as if it were that day.")
    ] = None
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="First day of publication: 2021-07-07 or 2021-07.")
    ] = None
    until: Annotated[str | None, typer.Option(metavar="DATE", help="Last day of publication.")] = None
    source: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this outlet; repeatable.")] = None
    topic: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is to be about.")] = None
    k: Annotated[int, typer.Option("-k", min=1, metavar="N", help="How many passages to read.")] = 10
    judge: Annotated[
        str,
        typer.Option(
            metavar="auto|MODEL|none",
            help="Who settles what the checks leave open: the model that writes, another, no one.",
        ),
    ] = "auto"
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The chat model that writes: openai:gpt-5-mini.")
    ] = None
    deep: Annotated[
        bool, typer.Option("--deep", help="Plan questions of several parts, repair what failed its check.")
    ] = False
    max_tokens: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Ask no model if it may take more tokens.")
    ] = None
    max_cost: Annotated[float | None, typer.Option(min=0, metavar="USD", help="Ask no model if it may cost more.")] = (
        None
    )
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Ask the model even if it was asked the same before.")
    ] = False
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Show the answer when it is whole.")] = False
    offline: Annotated[bool, typer.Option("--offline", help="Use no network.")] = False
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 8 if abstained, 9 if a statement failed its check.")
    ] = False
    wait: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for another writer.")] = 600.0
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More on stderr; a traceback if it fails.")] = False
    terms: Terms | None = None
    failed: list[str] = field(default_factory=list)

    @property
    def window(self) -> Window:
        """What the flags limit reading to; raises InputError for what is not a day."""
        return window(self.as_of, self.since, self.until, self.source or ())


WINDOW = ("as_of", "since", "until", "source")
MODEL = ("judge", "model", "max_tokens", "max_cost", "no_cache")
OUTPUT = ("offline", "as_json", "wait", "quiet", "verbose")


def command(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command the flags of such names as one `options`; its errors become one line and an exit code."""
    declared = get_type_hints(Options, include_extras=True)
    defaults = {field.name: field.default for field in fields(Options)}
    shared = [
        inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=defaults[n], annotation=declared[n]) for n in names
    ]

    def decorate(run: Callable[..., None]) -> Callable[..., None]:
        @wraps(run)
        def parsed(**given: Any) -> None:
            options = Options(**{name: given.pop(name) for name in names})
            if "model" in names:
                o = options
                terms = Terms(o.strict, o.deep, not o.no_cache, not o.no_stream, o.max_tokens, o.max_cost)
                options = replace(options, terms=terms)
            try:
                reported(run, verbose=options.verbose)(**given, options=options)
            except typer.Exit as ended:
                if ended.exit_code or not options.failed:
                    raise
            if options.failed:
                raise typer.Exit(SOME_FAILED)

        signature = inspect.signature(run, eval_str=True)
        own = [parameter for name, parameter in signature.parameters.items() if name != "options"]
        parameters = [*own, *shared]
        vars(parsed)["__signature__"] = signature.replace(parameters=parameters)
        parsed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return parsed

    return decorate


@contextmanager
def open_library(options: Options, named: Iterable[str] = ()) -> Iterator[Library]:
    """The library, with the articles of `--add` added first; of that only what changed or failed is said.

    Raises EmptyLibraryError if there is none, unless something is added or files are `named` that are only read, and
    LoadError if nothing that is to be added can be.
    """
    origins = options.add or ()
    settings = checked_settings(options, origins)
    if not origins and not any(Path(name).exists() for name in named):
        _check_is_library(settings)
    with library_with(options, options.model) as library:
        if origins:
            report = add_articles(library, origins, options)
            news = report.added or report.updated or report.failed
            if options.verbose or (news and not options.quiet):
                tell(str(report))
            options.failed.extend(failure.origin for failure in report.failed)
            if report.failed and not report.found:
                raise LoadError("nothing that --add names could be added; correct it, or leave it out")
        if options.source:
            warn(_unknown_outlets(library, options.source), quiet=options.quiet)
        yield library


def _check_is_library(settings: Settings) -> None:
    """Raises EmptyLibraryError if the folder of the settings holds none, which opening one would make there."""
    from rag.parts import CATALOG

    folder = settings.library.value
    if not settings.database and not (folder / CATALOG).exists():
        raise EmptyLibraryError(f"there is no library in {folder}; name another one, or make it with `rag add PATH`")


def _unknown_outlets(library: Library, sources: Sequence[str]) -> Iterator[str]:
    """That there is no article of an outlet, with the outlets that there are."""
    known = library.catalog.sources()
    folded = {source.casefold() for source in known}
    listed = one_line(", ".join(known), 300) or "none that is named"
    for source in sources:
        if clean(source).casefold() not in folded:
            yield f"no article is from {one_line(source, 60)!r}; the outlets are: {listed}"


def library_with(options: Options, model: str | None) -> Library:
    """The library with a chat model of that name, or the one of the settings; OFFLINE is none."""
    from rag.library import Library
    from rag.parts import OFFLINE

    settings = read_settings(library=options.library, offline=options.offline)
    return Library(
        settings.library.value,
        catalog=settings.database,
        chroma=settings.index,
        judge=options.judge,
        model=None if model == OFFLINE else model,
        offline=settings.offline.value or model == OFFLINE,
        terms=options.terms,
    )


def checked_settings(options: Options, origins: Sequence[str]) -> Settings:
    """The settings of a command; raises InputError for what cannot be done with them."""
    settings = read_settings(library=options.library, offline=options.offline, model=options.model)
    if options.terms:
        settings.chat()  # a model that cannot be is reported before anything is done
    urls = [place for place in origins if "://" in place]
    refused = f"needs the network, which {settings.offline.origin} refuses"
    if options.judge not in ("auto", "none") and settings.offline.value:
        raise InputError(f"--judge {options.judge} {refused}; leave one out")
    if urls and settings.offline.value:
        raise InputError(f"{without_password(urls[0])} {refused}; give a file, or lift it")
    return settings


def named_articles(library: Library, names: Sequence[str]) -> list[str | Article]:
    """What is named by the id of an article in the library, else by a file, which is only read."""
    from rag.quick import read_articles

    known = {article.id for article in library.articles()} if names else set()
    return [article for name in names for article in ([name] if name in known else read_articles([name]))]


def add_articles(
    library: Library, origins: Sequence[str], options: Options, *, allow_private: bool = False
) -> AddReport:
    """Adds what is named, and prints what failed; of what was added first, where it is."""
    is_new = not library.catalog.article_count
    with progress_bar(options) as progress:
        report = library.add(*origins, progress=progress, wait=options.wait, allow_private=allow_private)
    if is_new and report.added and not options.quiet:
        tell(f"a new library: {library.name}; --library or RAG_HOME names another one")
    return print_failures(report, options)


def print_failures(report: AddReport, options: Options) -> AddReport:
    """Prints what could not be added, and the warnings; gives the report."""
    for failure in report.failed:
        tell(f"{failure.origin}: {failure.message}")
    if report.left_out:
        names = one_line(", ".join(Path(path).name for path in report.left_out), 300)
        tell(f"left out {len(report.left_out)}, which are of no format that is read: {names}")
    warn(report.warnings, quiet=options.quiet)
    return report


@contextmanager
def progress_bar(options: Options) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal; elsewhere only what comes before the work is printed, such as a wait."""
    if options.quiet or not sys.stderr.isatty():
        yield lambda done, total, text: None if options.quiet or total else tell(text)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, text: bar.update(
            task, completed=done, total=total or None, description=one_line(safe(text), 60)
        )
