"""Draws lines as a picture of a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rag.render.lines import Line

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


def picture(lines: Iterable[Line], width: int) -> str:
    """The lines as SVG that needs nothing from elsewhere; `width` is in characters."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, file=io.StringIO(), width=width, force_terminal=True, color_system="truecolor")
    for line in lines:
        console.print(Text(line.text, style=_style(line)), soft_wrap=True)
    return console.export_svg(title=_TITLE, code_format=_FORMAT, unique_id="chat")


def _style(line: Line) -> str:
    return " ".join(filter(None, (line.color, "dim" if line.quiet else "", "bold" if line.strong else ""))) or "none"
