"""Writes a conversation down: as Markdown with its sources, or as a picture of the terminal."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.chat.conversation import Exchange
from rag.errors import InputError
from rag.files import write_new
from rag.render.lines import Line, answer_lines, origin, wrapped
from rag.render.markdown import plain, stated
from rag.schema import Answer, Citation
from rag.text.clean import one_line

if TYPE_CHECKING:
    from rich.text import Text

_WIDTH = 100
_TITLE = "rag chat"
# Rich's own format fetches a font from the network when the picture is looked at.
_FORMAT = Path(__file__).with_name("screen.svg")


def save(exchanges: Sequence[Exchange], name: str) -> Path:
    """Writes a file: a picture if its name ends with .svg, else Markdown; gives its path.

    Raises InputError if there is nothing to write, the file is there already, or it cannot be written.
    """
    as_picture = name.lower().endswith(".svg")
    return _written(
        exchanges, name, lambda: picture(_screen(exchanges), _WIDTH) if as_picture else transcript_markdown(exchanges)
    )


def export(exchanges: Sequence[Exchange], name: str) -> Path:
    """Writes notes to go on with in a document: Markdown with footnotes, numbered through; as `save` otherwise."""
    return _written(exchanges, name, lambda: notes(exchanges))


def notes(exchanges: Sequence[Exchange]) -> str:
    """The questions as headings, below each its answer with footnotes, which are numbered through."""
    parts: list[str] = []
    first = 0
    for exchange in exchanges:
        answer = with_citations(exchange.answer, partial(_renumbered, by=first))
        first = max([first, *(citation.number for citation in answer.citations)])
        parts.append(f"## {plain(exchange.question)}\n\n{answer.to_markdown()}")
    return "\n".join(parts)


def with_citations(answer: Answer, attached: Callable[[Citation], Citation]) -> Answer:
    """The answer with each citation replaced."""
    statements = (replace(s, citations=tuple(map(attached, s.citations))) for s in answer.statements)
    conflicts = (
        replace(c, positions=tuple(replace(p, citation=attached(p.citation)) for p in c.positions))
        for c in answer.conflicts
    )
    return replace(
        answer,
        statements=tuple(statements),
        conflicts=tuple(conflicts),
        citations=tuple(map(attached, answer.citations)),
        nearest=tuple(map(attached, answer.nearest)),
    )


def _renumbered(citation: Citation, *, by: int) -> Citation:
    return replace(citation, number=citation.number + by)


def _written(exchanges: Sequence[Exchange], name: str, content: Callable[[], str]) -> Path:
    if not exchanges:
        raise InputError("nothing was answered yet, so there is nothing to save")
    if not name:
        raise InputError("no file was named; wanted one, such as talks.md")
    path = Path(name).expanduser()
    write_new(path, content().encode())
    return path


def transcript_markdown(exchanges: Sequence[Exchange]) -> str:
    """The questions as headings, below each the statements with their marks and the quotes they cite."""
    return "\n".join(line for number, exchange in enumerate(exchanges, start=1) for line in _section(number, exchange))


def picture(lines: Iterable[Line], width: int) -> str:
    """The lines as SVG that needs nothing from elsewhere; `width` is in characters."""
    from rich.text import Text

    return recording((Text(line.text, style=_style(line)) for line in lines), width, title=_TITLE)


def recording(lines: Iterable[Text], width: int, *, title: str) -> str:
    """A screen as SVG that needs nothing from elsewhere."""
    from rich.console import Console

    console = Console(record=True, file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(line, soft_wrap=True)
    return console.export_svg(title=title, code_format=_FORMAT.read_text(encoding="utf-8"), unique_id="chat")


def _section(number: int, exchange: Exchange) -> Iterator[str]:
    answer = exchange.answer
    yield f"## {number}. {plain(exchange.question)}\n"
    if answer.window.limits:
        yield f"Only articles {plain(answer.window.limits)} were read.\n"
    if answer.model:
        yield f"Written by {plain(answer.model)}, checked against the articles.\n"
    for statement in answer.statements:
        marks = "".join(f"\\[{citation.number}\\]" for citation in statement.citations)
        yield f"{stated(statement, f' {marks}' if marks else '')}\n"
    if not answer.statements:
        yield f"*{plain(answer.text)}*\n"
        yield from ("Nearest in the articles:\n",) if answer.nearest else ()
    for citation in answer.citations or answer.nearest:
        url = f", {plain(citation.article.url)}" if citation.article.url else ""
        yield f"- \\[{citation.number}\\] “{plain(citation.quote)}” — {plain(origin(citation.article))}{url}"
    yield ""
    for conflict in answer.conflicts:
        yield f"{plain(str(conflict))}\n"
    for warning in answer.warnings:
        yield f"Note: {plain(warning)}\n"


def _screen(exchanges: Sequence[Exchange]) -> Iterator[Line]:
    for exchange in exchanges:
        yield from wrapped(one_line(f"> {exchange.question}"), _WIDTH, Line("", strong=True))
        yield from answer_lines(exchange.answer, width=_WIDTH)
        yield Line("")


def _style(line: Line) -> str:
    return " ".join(filter(None, (line.color, "dim" if line.quiet else "", "bold" if line.strong else ""))) or "none"
