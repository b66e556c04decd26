"""Shows a report: lines for a terminal, a page of HTML, files for other tools."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from rag.evaluation.cases import Case, CheckCase, OrderCase, QaCase, ReplyCase, SearchCase
from rag.evaluation.gates import GATED
from rag.evaluation.metrics import CHIEF, LOW, answering, has_speaker, meet, passes, shows
from rag.evaluation.rates import Rate
from rag.evaluation.report import Changes, Report, SetReport
from rag.render.page import rendered

_HEAD = ("set", "cases", "chief metric", "value", "95 % interval", "unscored", "p50 s", "p95 s")


def score_lines(report: Report, changes: Sequence[Changes] = (), *, all_rates: bool = False) -> Iterator[str]:
    """A line a set, then the other rates of each, if there is one set or all are wanted; then what changed."""
    yield from _table([_HEAD, *map(_row, report.sets)])
    for one in report.sets if all_rates or len(report.sets) == 1 else ():
        yield from ("", f"{one.name}:")
        yield from _table([(f"  {n}", *_value(rate)) for n, rate in one.rates.items()])
        types = [(f"    {t or '(no type)'}", n, *_value(of[n])) for t, of in one.types.items() if (n := _chief(of))]
        if types:
            yield "  by type:"
            yield from _table(types)
        wrong = [s.case.id for s in one.cases if s.right is False]
        unscored = [s.case.id for s in one.cases if s.result.error]
        yield from (f"  {t}: {', '.join(ids)}" for t, ids in (("not right", wrong), ("unscored", unscored)) if ids)
    if report.usage.input_tokens:
        used = report.usage
        yield f"{used.input_tokens:,} tokens in, {used.output_tokens:,} out, {used.price}"
    yield from map(str, changes)


def html_report(report: Report, changes: Sequence[Changes] = (), failures: Sequence[str] | None = None) -> str:
    """A page that needs nothing else: the verdict, the rates of each set, what changed, and every case.

    `failures` are the gates that are missed, a line each; None if no gates were looked at.
    """
    return rendered(
        "evaluation/report.html",
        title="Evaluation",
        report=report,
        changes={change.name: change for change in changes},
        failures=failures,
        columns=[n for n in GATED if any(n in one.rates for one in report.sets)],
        low=LOW,
        chief=_chief,
        anchor=_anchor,
        asked=_asked,
        meet=meet,
        answering=answering,
        has_speaker=has_speaker,
        passes=passes,
        shows=shows,
    )


def save_views(report: Report, changes: Sequence[Changes], failures: Sequence[str] | None, folder: Path) -> None:
    """Writes `report.json` for other tools, `report.html` for people."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(f"{json.dumps(report.to_dict(), ensure_ascii=False)}\n", encoding="utf-8")
    (folder / "report.html").write_text(html_report(report, changes, failures), encoding="utf-8")


def _row(one: SetReport) -> tuple[str, ...]:
    name = _chief(one.rates)
    value, unscored = _value(one.rates.get(name, Rate())), f"{one.rates['unscored'].hits:g}"
    return one.name, str(len(one.cases)), name, *value, unscored, f"{one.p50:.3f}", f"{one.p95:.3f}"


def _chief(rates: Iterable[str]) -> str:
    """The first of CHIEF that there is; empty if there is none."""
    return next((name for name in CHIEF if name in rates), "")


def _value(rate: Rate) -> tuple[str, ...]:
    counts = f" ({rate.hits:g}/{rate.n:g})" if rate.hits == int(rate.hits) else ""
    return f"{rate.value:.2f}{counts}", f"[{rate.low:.2f}, {rate.high:.2f}]"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _anchor(name: str, id: str = "") -> str:
    """The id of a case in the page, safe to link to; no other of the page is the same."""
    return f"{quote(name, safe='')}/{quote(id, safe='')}"


def _asked(case: Case) -> str:
    """The question, the claim to check, or the topic."""
    match case:
        case QaCase() | SearchCase() | ReplyCase():
            return case.question
        case CheckCase() | OrderCase():
            return case.text
        case _:
            return case.topic or ", ".join(case.articles) or "the whole library"
