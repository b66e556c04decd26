"""Draws small panels of lines over sizes, both on scales of powers of ten, as an SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_COLOURS = ("#1f6feb", "#bf5700", "#1a7f37", "#8250df", "#6e7781")
_WIDTH, _HEIGHT, _LEFT, _TOP, _PLOT_WIDTH, _PLOT_HEIGHT = 430, 270, 60, 40, 330, 170
_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines by name, each a value above 0 by size."""

    title: str
    lines: Mapping[str, Mapping[int, float]]


def curves(title: str, panels: Sequence[Curves]) -> str:
    """The panels two by two."""
    rows = -(-len(panels) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH, rows * _HEIGHT + 40
    body = [
        f'<g transform="translate({i % _COLUMNS * _WIDTH} {40 + i // _COLUMNS * _HEIGHT})">{_panel(panel)}</g>'
        for i, panel in enumerate(panels)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="sans-serif" font-size="11">',
            f'<title>{escape(title)}</title><rect width="{width}" height="{height}" fill="white"/>',
            f'<text x="20" y="24" font-size="15" font-weight="bold">{escape(title)}</text>',
            *body,
            "</svg>\n",
        ]
    )


def _panel(panel: Curves) -> str:
    sizes = sorted({size for line in panel.lines.values() for size in line})
    values = [value for line in panel.lines.values() for value in line.values()]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(size: int) -> float:
        return _LEFT + _PLOT_WIDTH * (math.log10(size) - first) / ((last - first) or 1)

    def y(value: float) -> float:
        return _TOP + _PLOT_HEIGHT * (1 - (math.log10(value) - low) / ((high - low) or 1))

    parts = [f'<text x="{_LEFT}" y="14" font-weight="bold">{escape(panel.title)}</text>']
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<path d="M{_LEFT} {at:.1f}h{_PLOT_WIDTH}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    parts += [
        f'<text x="{x(size):.1f}" y="{_TOP + _PLOT_HEIGHT + 16}" text-anchor="middle">{size:,}</text>' for size in sizes
    ]
    for place, (name, line) in enumerate(panel.lines.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        points = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in sorted(line.items()))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = _LEFT + place % 3 * 115, _TOP + _PLOT_HEIGHT + 32 + place // 3 * 14
        parts.append(f'<text x="{at[0]}" y="{at[1]}" fill="{colour}">{escape(name)}</text>')
    return "\n".join(parts)
