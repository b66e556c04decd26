"""Renders a report for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rag.evaluation.changes import Changes
from rag.evaluation.measures import CHIEF
from rag.evaluation.rates import Rate
from rag.evaluation.report import Report, SetReport

_HEAD = ("set", "cases", "chief metric", "value", "95 % interval", "unscored", "p50 s", "p95 s")


def score_lines(report: Report, changes: Sequence[Changes] = (), *, all_rates: bool = False) -> Iterator[str]:
    """A line a set, then the other rates of each, if there is one set or all are wanted; then what changed."""
    yield from _table([_HEAD, *map(_row, report.sets)])
    for found in report.sets if all_rates or len(report.sets) == 1 else ():
        yield ""
        yield f"{found.name}:"
        yield from _table([_rate(name, rate, found.spread) for name, rate in found.rates.items()])
        yield from _types(found)
        yield from _wrong(found)
    if report.usage.input_tokens:
        used = report.usage
        yield f"{used.input_tokens:,} tokens in, {used.output_tokens:,} out, ${used.cost:.4f}"
    for change in changes:
        yield str(change)


def _row(found: SetReport) -> tuple[str, ...]:
    name = next((name for name in CHIEF if name in found.rates), "")
    rate = found.rates.get(name, Rate())
    unscored = found.rates["unscored"].hits
    times = (f"{found.p50:.3f}", f"{found.p95:.3f}")
    return (found.name, str(len(found.cases)), name, _value(rate), _interval(rate), f"{unscored:g}", *times)


def _rate(name: str, rate: Rate, spread: Mapping[str, float]) -> tuple[str, ...]:
    return (f"  {name}", _value(rate), _interval(rate), f"± {spread[name]:.3f}" if name in spread else "")


def _types(found: SetReport) -> Iterator[str]:
    """The chief metric of each type of case."""
    rows = [
        (f"  {type or '(no type)'}", name, _value(rates[name]), _interval(rates[name]))
        for type, rates in found.types.items()
        for name in [n for n in CHIEF if n in rates][:1]
    ]
    if rows:
        yield "  by type:"
        yield from _table([(f"  {first}", *rest) for first, *rest in rows])


def _wrong(found: SetReport) -> Iterator[str]:
    """The cases that are not right, and those that are unscored, by their ids."""
    for told, cases in (
        ("not right", [s.case.id for s in found.cases if s.right is False]),
        ("unscored", [s.case.id for s in found.cases if s.result.error]),
    ):
        if cases:
            yield f"  {told}: {', '.join(cases)}"


def _value(rate: Rate) -> str:
    return f"{rate.value:.2f} ({rate.hits:g}/{rate.n:g})" if rate.hits == int(rate.hits) else f"{rate.value:.2f}"


def _interval(rate: Rate) -> str:
    return f"[{rate.low:.2f}, {rate.high:.2f}]"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
