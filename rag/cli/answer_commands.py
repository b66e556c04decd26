"""The commands that answer from a library: they open it, ask it, print."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import show, show_stream, tell, warn, width
from rag.cli.options import (
    MODEL,
    OUTPUT,
    WINDOW,
    Options,
    checked_settings,
    command,
    library_with,
    named_articles,
    open_library,
    progress_bar,
)
from rag.cli.requests import BatchRequest, answer_batch, one_question, one_text, strict_code
from rag.cli.terminal import ReplyOptions, Spinner, in_pipe, in_terminal
from rag.errors import InputError
from rag.models.budget import REPLY_TOKENS
from rag.render.digest_lines import figure_lines, summary_lines, timeline_lines
from rag.render.lines import Line, answer_lines, check_lines, conflict_lines, safe, search_lines, wrapped
from rag.render.page import html_page
from rag.render.sheet import sheet_path, write_sheet
from rag.render.tables import csv_text, csv_timeline, ics_timeline
from rag.schema import Answer, Figures, Length, SearchResult, Summary, Timeline, conflicts_record

if TYPE_CHECKING:
    from rag.chat.commands import Talk
    from rag.library import Library


class Form(StrEnum):
    """How a result is written."""

    TEXT = "text"
    MARKDOWN = "markdown"


class PageForm(StrEnum):
    """How a timeline is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    CSV = "csv"
    ICS = "ics"


class TableForm(StrEnum):
    """How a table is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CSV = "csv"


Words = Annotated[list[str] | None, typer.Argument(metavar="QUESTION", help="The question; - reads it from stdin.")]
Batch = Annotated[str | None, typer.Option(metavar="FILE", help="Questions, a line of JSON each; - is stdin.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the prompt and its size, and ask no model.")]
Draft = Annotated[str, typer.Argument(metavar="FILE", help="The text to check; - is stdin.")]
Against = Annotated[
    list[str] | None,
    typer.Option(metavar="ARTICLE", help="Only this article: an id, or a file; [1] in the text is the first."),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the last chat of a terminal.")]
Sheet = Annotated[str | None, typer.Option(metavar="FILE", help="Write a sheet to work through: .html, .csv or .docx.")]
Articles = Annotated[list[str] | None, typer.Argument(metavar="ARTICLE...", help="Only these: ids, or files.")]
Size = Annotated[Length, typer.Option("--length", help="About 60, 120 or 250 words; of the whole library, twice that.")]
WordCount = Annotated[int | None, typer.Option("--words", min=1, metavar="N", help="At most so many words instead.")]
SectionNames = Annotated[
    str | None, typer.Option("--sections", metavar="NAMES", help="Sections of your own, with commas between them.")
]
MaxEvents = Annotated[int, typer.Option("--max-events", min=1, metavar="N", help="At most so many events.")]
FormOption = Annotated[Form, typer.Option("--format", help="How it is written; Markdown has footnotes.")]
PageOption = Annotated[PageForm, typer.Option("--format", help="How it is written; HTML is one page, ics a calendar.")]

Counting = Annotated[str | None, typer.Option("--counting", metavar="TEXT", help="Only what has these words: killed.")]
TableOption = Annotated[TableForm, typer.Option("--format", help="How it is written; CSV is for spreadsheets.")]


@command("library", "add", *WINDOW, "k", *MODEL, "deep", "no_stream", "strict", *OUTPUT)
def ask(
    question: Words = None,
    *,
    batch: Batch = None,
    dry_run: DryRun = False,
    form: FormOption = Form.TEXT,
    options: Options,
) -> None:
    """Answer a question from the articles."""
    request = _request(question, batch, options)
    with open_library(options) as library:

        def reply(to: BatchRequest) -> Answer:
            return library.ask(to.question, k=options.k, window=to.window, history=to.history)

        if dry_run:
            raise typer.Exit(_print_prompt(library, request, options))
        if batch:
            raise typer.Exit(answer_batch(batch, request.window, reply, strict=options.strict))
        if sys.stdout.isatty() and form is Form.TEXT and not (options.as_json or options.no_stream):
            with Spinner() as spinner:
                asked = library.stream(request.question, k=options.k, window=request.window, progress=spinner.say)
                answer = show_stream(spinner.until(asked))
            _finish(answer, (), options)
        answer = reply(request)
    _finish(answer, answer_lines(answer, width=width()), options, form)


@command("library", "add", *WINDOW, "k", *MODEL, "strict", *OUTPUT)
def check(
    file: Draft, *, against: Against = None, sheet: Sheet = None, form: FormOption = Form.TEXT, options: Options
) -> None:
    """Check each sentence of a text against the articles."""
    text, limits, path = one_text(file), options.window, sheet_path(sheet) if sheet else None
    with open_library(options, against or ()) as library:
        answer = library.check(text, against=named_articles(library, against or ()), k=options.k, window=limits)
    if path:
        told = write_sheet(answer, path, "the draft" if file == "-" else Path(file).name)
        _finish(answer, wrapped(told, width()), options)
    _finish(answer, check_lines(answer, width=width()), options, form)


@command("library", "add", *WINDOW, "k", *OUTPUT)
def search(question: Words = None, *, batch: Batch = None, options: Options) -> None:
    """Show the passages nearest to a question, best first."""
    request = _request(question, batch, options)
    with open_library(options) as library:

        def reply(to: BatchRequest) -> SearchResult:
            return library.search(to.question, k=options.k, window=to.window, history=to.history)

        if batch:
            raise typer.Exit(answer_batch(batch, request.window, reply))
        result = reply(request)
    _finish(result, search_lines(result, width=width() or 100), options)


@command("library", "add", *WINDOW, "topic", "k", *MODEL, "deep", "no_stream", "strict", *OUTPUT)
def chat(*, resume: Resume = False, options: Options) -> None:
    """Ask one question after another; in a pipe, a line each."""
    limits = options.window
    settings = checked_settings(options, options.add or ())
    screen = sys.stdin.isatty() and sys.stdout.isatty() and not options.as_json
    if options.add or not screen:  # on a screen articles may be added meanwhile
        with open_library(options):
            pass

    def start() -> Talk:
        from rag.chat.commands import Talk
        from rag.chat.conversation import Conversation
        from rag.chat.sessions import Sessions

        o, opener = options, partial(library_with, options)
        sessions = Sessions(settings.history.with_name("chats"), lambda: datetime.now().astimezone())
        conversation = Conversation(opener, model=o.model, k=o.k, window=limits, topic=o.topic, terms=o.terms)
        talk = Talk(conversation, sessions if screen else None)
        if resume:
            talk.resume(sessions)
        return talk

    manner = ReplyOptions(options.as_json, options.strict, options.quiet)
    if screen:
        raise typer.Exit(in_terminal(start, manner, settings.history))
    raise typer.Exit(in_pipe(start, manner, sys.stdin))


@command("topic", "library", "add", *WINDOW, *MODEL, "strict", *OUTPUT)
def summarize(
    articles: Articles = None,
    *,
    length: Size = Length.MEDIUM,
    words: WordCount = None,
    sections: SectionNames = None,
    form: FormOption = Form.TEXT,
    options: Options,
) -> None:
    """Summarize articles, a topic, or the whole library."""
    limits = options.window
    with open_library(options, articles or ()) as library, progress_bar(options) as progress:
        named = named_articles(library, articles or ())
        found = library.summarize(
            *named,
            topic=options.topic,
            length=length,
            words=words,
            sections=[name for name in (sections or "").split(",") if name.strip()],
            window=limits,
            progress=progress,
        )
    _finish(found, summary_lines(found, width=width()), options, form)


@command("topic", "library", "add", *WINDOW, *MODEL, "strict", *OUTPUT)
def timeline(
    articles: Articles = None, *, max_events: MaxEvents = 10, form: PageOption = PageForm.TEXT, options: Options
) -> None:
    """Show the dated events of articles, or on a topic."""
    limits = options.window
    with open_library(options, articles or ()) as library, progress_bar(options) as progress:
        named = named_articles(library, articles or ())
        topic = options.topic
        found = library.timeline(*named, topic=topic, max_events=max_events, window=limits, progress=progress)
    if (written := _FILES.get(form)) and not options.as_json:
        typer.echo(written(found), nl=False)
        if form is not PageForm.HTML and not (found.events or options.quiet):
            tell(found.text)
        _finish(found, (), options)
    _finish(found, timeline_lines(found, width=width()), options, form)


@command("topic", "library", "add", *WINDOW, *OUTPUT)
def conflicts(*, options: Options) -> None:
    """Show what the articles say differently from one another."""
    limits = options.window
    with open_library(options) as library:
        found = library.conflicts(topic=options.topic, window=limits)
    if options.as_json:
        typer.echo(json.dumps(conflicts_record(options.topic, found)))
    else:
        show(conflict_lines(found, width=width()))


@command("topic", "library", "add", *WINDOW, *OUTPUT)
def figures(*, counting: Counting = None, form: TableOption = TableForm.TEXT, options: Options) -> None:
    """List the figures on a topic by what they count."""
    limits = options.window
    if options.topic is None:
        raise InputError('no topic was given; wanted one, as in: rag figures --topic "airport attack"')
    with open_library(options) as library:
        found = library.figures(options.topic, counting=counting, window=limits)
    if form is TableForm.CSV and not options.as_json:
        typer.echo(csv_text(found), nl=False)
        _finish(found, (), options)
    _finish(found, figure_lines(found, width=width()), options, form)


_FILES: Mapping[PageForm, Callable[[Timeline], str | bytes]] = {
    PageForm.HTML: html_page,
    PageForm.CSV: csv_timeline,
    PageForm.ICS: ics_timeline,
}


def _request(words: Sequence[str] | None, batch: str | None, options: Options) -> BatchRequest:
    """The question of the words, or of stdin if they are `-`; an empty one, for its window, if there is a batch."""
    if batch and words:
        raise InputError("a question and --batch were both given; wanted one of them")
    limits = options.window
    if batch:
        return BatchRequest(None, "", limits)
    return BatchRequest(None, one_question([sys.stdin.read()] if words == ["-"] else words or []), limits)


def _finish(
    found: Answer | SearchResult | Summary | Timeline | Figures,
    lines: Iterable[Line],
    options: Options,
    form: Form | PageForm | TableForm = Form.TEXT,
) -> None:
    """Prints what was found, as JSON, or as Markdown or lines with its warnings, and ends with its exit code."""
    if options.as_json:
        typer.echo(json.dumps(found.to_dict()))
    else:
        if form == Form.MARKDOWN:
            typer.echo(found.to_markdown(), nl=False)
        else:
            show(lines)
        warn(found.warnings, quiet=options.quiet)
    raise typer.Exit(strict_code(found) if options.strict else 0)


def _print_prompt(library: Library, request: BatchRequest, options: Options) -> int:
    """The prompt that would be sent, and its size; gives the exit code."""
    if not request.question:
        raise InputError("--dry-run shows the prompt of one question, not of a --batch; give a question")
    prompt = library.preview(request.question, k=options.k, window=request.window)
    size = {"tokens": prompt.size.count, "estimated": prompt.size.estimated, "reply_tokens": REPLY_TOKENS}
    if options.as_json:
        price = {"cost": prompt.usage.cost} | ({"unpriced": True} if prompt.usage.unpriced else {})
        typer.echo(json.dumps({"schema": 1, "messages": list(prompt.texts), **size, **price}))
        return 0
    for text in prompt.texts:
        typer.echo(safe(text) + "\n")
    about = "about " if prompt.size.estimated else ""
    most = prompt.usage.price if prompt.usage.unpriced else f"{prompt.usage.price} at most"
    typer.echo(f"{about}{prompt.size.count:,} tokens, and up to {REPLY_TOKENS:,} of the reply; {most}")
    return 0
