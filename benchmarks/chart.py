"""Draws small panels of bars, one for each measure, as an SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#1f6feb", "#8b949e", "#6e7781", "#afb8c1")
_WIDTH, _BAR, _GAP, _TOP, _LEFT, _ROOM = 420, 18, 6, 34, 90, 70
_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class Panel:
    """A measure of each contender; None where it has none."""

    title: str
    values: Mapping[str, float | None]
    form: str


def drawing(title: str, panels: Sequence[Panel]) -> str:
    """The panels two by two, each on a scale of its own from 0."""
    height = max(_TOP + len(panel.values) * (_BAR + _GAP) + 14 for panel in panels)
    rows = -(-len(panels) // _COLUMNS)
    width, total = _COLUMNS * _WIDTH + 20, rows * height + 40
    body = [
        f'<g transform="translate({20 + i % _COLUMNS * _WIDTH} {40 + i // _COLUMNS * height})">{_panel(panel)}</g>'
        for i, panel in enumerate(panels)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" height="{total}" '
            'font-family="sans-serif" font-size="12">',
            f'<title>{escape(title)}</title><rect width="{width}" height="{total}" fill="white"/>',
            f'<text x="20" y="24" font-size="15" font-weight="bold">{escape(title)}</text>',
            *body,
            "</svg>\n",
        ]
    )


def _panel(panel: Panel) -> str:
    most = max((v for v in panel.values.values() if v), default=1.0)
    parts = [f'<text y="22" font-weight="bold">{escape(panel.title)}</text>']
    for row, (name, value) in enumerate(panel.values.items()):
        y = _TOP + row * (_BAR + _GAP)
        length = (_WIDTH - _LEFT - _ROOM - 20) * (value or 0) / most
        label = "none" if value is None else format(value, panel.form)
        parts += [
            f'<text x="{_LEFT - 6}" y="{y + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" fill="{COLOURS[row % len(COLOURS)]}"/>',
            f'<text x="{_LEFT + length + 5:.1f}" y="{y + 13}">{label}</text>',
        ]
    return "\n".join(parts)
