"""Draws rates with their intervals as rows of a table in HTML."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor

from rag.evaluation.measures import LOW
from rag.evaluation.rates import Rate
from rag.render.html import Html, element, html, joined

NEITHER = frozenset(("length",))
"""The metrics of which neither more nor less is better."""
_UNSEEN = 0.0005
"""A smaller difference does not show in three digits."""
STYLE = """
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th { text-align: left; font-weight: 500; } thead th { color: var(--pale); font-size: .85rem; vertical-align: bottom; }
th small { display: block; }
th, td { padding: .15rem .9rem .15rem 0; border-bottom: 1px solid var(--faint); }
.rates { width: 100%; } .rates th { white-space: nowrap; } .rates td { white-space: nowrap; }
.rates .plot { width: 45%; min-width: 6rem; padding: 0 1.2rem 0 .4rem; }
svg { display: block; width: 100%; height: 1.4rem; overflow: visible; }
svg .axis, svg .tick { stroke: var(--line); } svg .span { stroke: var(--mark); stroke-width: 3; opacity: .55; }
svg circle { fill: var(--mark); } svg .end { stroke: var(--mark); stroke-width: 2; }
.better { color: var(--good); } .worse { color: var(--bad); }
.low { white-space: nowrap; } .low::after { content: " \\2193"; color: var(--pale); }
@media (max-width: 40rem) {
  .rates tr { display: grid; grid-template-columns: auto 1fr; border-bottom: 1px solid var(--faint); }
  .rates th, .rates td { border: 0; padding-right: 0; white-space: normal; }
  .rates .value { text-align: right; font-size: .9rem; }
  .rates .plot, .rates .change { grid-column: 1 / -1; width: auto; }
  .rates .plot { order: 1; padding: 0 .5rem; } .rates .change { order: 2; } .rates .change:empty { display: none; }
  .rates thead { display: none; }
}
"""


def rate_table(rates: Mapping[str, Rate], changes: Mapping[str, float], spread: Mapping[str, float]) -> Html:
    """A row for each metric: its interval and value, and what changed of it since a baseline."""
    heads = ["metric", "0 to 1", "value (counts) [95 % interval]"] + ["since the baseline"] * bool(changes)
    rows = [_row(metric_name(name), name, rate, changes, spread) for name, rate in rates.items()]
    return _table(heads, rows)


def type_table(metric: str, types: Mapping[str, Mapping[str, Rate]]) -> Html:
    """A row for each type of case with one metric."""
    found = {name: rates[metric] for name, rates in types.items() if metric in rates}
    rows = [_row(html(name or "no type"), metric, rate, {}, {}) for name, rate in found.items()]
    return _table(["type", f"{metric}, 0 to 1", "value (counts) [95 % interval]"], rows)


def metric_name(name: str) -> Html:
    """The name of a metric, with a mark if it should be low."""
    return element("span", html(name), class_="low", title="lower is better") if name in LOW else html(name)


def change(name: str, difference: float) -> Html:
    """How much a metric went up or down, with a sign and a word."""
    if abs(difference) < _UNSEEN:
        return element("span", html("= same"), class_="pale")
    sign = "▲" if difference > 0 else "▼"
    word = "changed" if name in NEITHER else "better" if (difference > 0) is (name not in LOW) else "worse"
    return element("span", html(f"{sign} {difference:+.3f} {word}"), class_=word)


def _row(head: Html, name: str, rate: Rate, changes: Mapping[str, float], spread: Mapping[str, float]) -> Html:
    told = f"{rate} ± {spread[name]:.3f}" if name in spread else str(rate)
    first, last = _reach(rate)
    wider = [] if (first, last) == (0, 1) else [element("small", html(f"line from {first} to {last}"), class_="pale")]
    cells = [element("th", head, *wider, scope="row"), element("td", _plot(name, rate), class_="plot")]
    cells.append(element("td", html(told), class_="value"))
    if changes:
        since = change(name, changes[name]) if name in changes else html("")
        cells.append(element("td", since, class_="change"))
    return element("tr", *cells)


def _table(heads: list[str], rows: list[Html]) -> Html:
    head = element("tr", *(element("th", html(name), scope="col") for name in heads))
    table = element("table", element("thead", head), element("tbody", *rows), class_="rates")
    return element("div", table, class_="wide")


def _plot(name: str, rate: Rate) -> Html:
    """A point at the value on a line from 0 to 1, or as far as it takes, with a whisker over the interval."""
    first, last = _reach(rate)
    low, middle, high = (f"{(value - first) / (last - first):.1%}" for value in (rate.low, rate.value, rate.high))
    told = f"{name} {rate}, on a line from {first} to {last}"
    ticks = joined(_line("tick", place, place, 30, 70) for place in ("0%", "50%", "100%"))
    ends = joined(_line("end", place, place, 30, 70) for place in (low, high))
    point = element("circle", cx=middle, cy="50%", r="5")
    parts = (element("title", html(told)), _line("axis", "0%", "100%"), ticks, _line("span", low, high), ends, point)
    return element("svg", *parts, role="img", aria_label=told)


def _reach(rate: Rate) -> tuple[int, int]:
    """The whole numbers around an interval, 0 and 1 among them."""
    return min(0, floor(rate.low)), max(1, ceil(rate.high))


def _line(kind: str, left: str, right: str, top: int = 50, bottom: int = 50) -> Html:
    return element("line", class_=kind, x1=left, x2=right, y1=f"{top}%", y2=f"{bottom}%")
