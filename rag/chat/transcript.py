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
from rag.render.lines import Line, answer_lines, origin, wrapped
from rag.render.markdown import plain
from rag.schema import Answer, Citation, Statement
from rag.text.clean import one_line

if TYPE_CHECKING:
    from rich.text import Text

_WIDTH = 100
_TITLE = "rag chat"
# Rich's own format fetches a font from the network when the picture is looked at.
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px;
  line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


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
    path, text = Path(name).expanduser(), content()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} is there already; choose another name, or remove it") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place") from None
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
    return console.export_svg(title=title, code_format=_FORMAT, unique_id="chat")


def _section(number: int, exchange: Exchange) -> Iterator[str]:
    answer = exchange.answer
    yield f"## {number}. {plain(exchange.question)}\n"
    for line in _limits(answer):
        yield f"{line}\n"
    for statement in answer.statements:
        yield f"{_stated(statement)}\n"
    if not answer.statements:
        yield f"*{plain(answer.text)}*\n"
        yield from ("Nearest in the articles:\n",) if answer.nearest else ()
    for citation in answer.citations or answer.nearest:
        yield _source(citation)
    yield ""
    for conflict in answer.conflicts:
        yield f"{plain(str(conflict))}\n"
    for warning in answer.warnings:
        yield f"Note: {plain(warning)}\n"


def _limits(answer: Answer) -> Iterator[str]:
    if answer.window.limits:
        yield f"Only articles {plain(answer.window.limits)} were read."
    if answer.model:
        yield f"Written by {plain(answer.model)}, checked against the articles."


def _stated(statement: Statement) -> str:
    marks = "".join(f"\\[{citation.number}\\]" for citation in statement.citations)
    doubt = f"**({statement.doubt})**" if statement.doubt else ""
    reach = f"({plain(statement.reach)})" if statement.reach else ""
    unsure = "*Possibly:*" if statement.unsure else ""
    return " ".join(filter(None, (unsure, plain(statement.shown), marks, reach, doubt)))


def _source(citation: Citation) -> str:
    url = f", {plain(citation.article.url)}" if citation.article.url else ""
    told = f"\\[{citation.number}\\] “{plain(citation.quote)}” — {plain(origin(citation.article))}{url}"
    return f"- {told}"


def _screen(exchanges: Sequence[Exchange]) -> Iterator[Line]:
    for exchange in exchanges:
        yield from wrapped(one_line(f"> {exchange.question}"), _WIDTH, Line("", strong=True))
        yield from answer_lines(exchange.answer, width=_WIDTH)
        yield Line("")


def _style(line: Line) -> str:
    return " ".join(filter(None, (line.color, "dim" if line.quiet else "", "bold" if line.strong else ""))) or "none"
