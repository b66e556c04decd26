"""Shows a report: lines for a terminal, a page of HTML, files for other tools."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rag.evaluation.cases import Case, CheckCase, QaCase, ReplyCase, SearchCase
from rag.evaluation.gates import GATED
from rag.evaluation.metrics import CHIEF, LOW, NAMES, answering, has_speaker, meet, passes, shows
from rag.evaluation.rates import Rate
from rag.evaluation.report import Changes, Report, Scored, SetReport
from rag.evaluation.results import Result
from rag.render.page import rendered

_HEAD = ("set", "cases", "chief metric", "value", "95 % interval", "unscored", "p50 s", "p95 s")
_COLUMNS = ("id", "task", "type", "question", "status", "reason", "right", "seconds", "hits", "text", "error")
_STEP = 1e-4  # trec_eval holds scores in single precision
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def score_lines(report: Report, changes: Sequence[Changes] = (), *, all_rates: bool = False) -> Iterator[str]:
    """A line a set, then the other rates of each, if there is one set or all are wanted; then what changed."""
    yield from _table([_HEAD, *map(_row, report.sets)])
    for one in report.sets if all_rates or len(report.sets) == 1 else ():
        yield from ("", f"{one.name}:")
        spread = {name: f"± {deviation:.3f}" for name, deviation in one.spread.items()}
        yield from _table([(f"  {n}", *_value(rate), spread.get(n, "")) for n, rate in one.rates.items()])
        types = [(f"    {t or '(no type)'}", n, *_value(of[n])) for t, of in one.types.items() if (n := _chief(of))]
        if types:
            yield "  by type:"
            yield from _table(types)
        wrong = [s.case.id for s in one.cases if s.right is False]
        unscored = [s.case.id for s in one.cases if s.result.error]
        yield from (f"  {t}: {', '.join(ids)}" for t, ids in (("not right", wrong), ("unscored", unscored)) if ids)
    if report.usage.input_tokens:
        used = report.usage
        yield f"{used.input_tokens:,} tokens in, {used.output_tokens:,} out, ${used.cost:.4f}"
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


def trec_run(results: Iterable[Result], tag: str = "dispatches") -> Iterator[str]:
    """The articles found for each case as the lines of a TREC run: `case Q0 article rank score tag`.

    An article is where its best passage is, with that passage's score, lowered where needed so that scores fall from
    rank to rank: trec_eval sorts by score, not by rank. White space in an id is written as in a URL: `%20`.
    """
    for result in results:
        best = {hit.article: hit.score for hit in reversed(result.hits)}
        score = float("inf")
        for rank, article in enumerate(dict.fromkeys(hit.article for hit in result.hits), start=1):
            score = round(min(best[article], score - _STEP), 6)
            yield " ".join((_word(result.case), "Q0", _word(article), str(rank), f"{score:.6f}", _word(tag)))


def csv_lines(scored: Iterable[Scored]) -> Iterator[str]:
    """A header, then a row for each case: what was asked, what came of it, and its own share of each metric.

    A share is from 0 to 1, and empty where the case does not count. `hits` are the articles, best first, with spaces
    between. A text that a spreadsheet would take for a formula gets a `'` before it.
    """
    every = list(scored)
    metrics = [name for name in NAMES if any(name in one.shares for one in every)]
    yield _csv_line([*_COLUMNS, *metrics])
    for one in every:
        case, result = one.case, one.result
        shares = [one.shares[name].hits / one.shares[name].n if name in one.shares else None for name in metrics]
        hits = " ".join(dict.fromkeys(hit.article for hit in result.hits))
        start = [case.id, case.task, case.type, _asked(case), result.status, result.reason, one.right]
        yield _csv_line([*start, f"{result.seconds:.3f}", hits, result.text, result.error, *shares])


def save_views(report: Report, changes: Sequence[Changes], failures: Sequence[str] | None, folder: Path) -> None:
    """Writes `report.json` and `report.html`, and for each set, as it came out the first time, `.trec` and `.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(f"{json.dumps(report.to_dict(), ensure_ascii=False)}\n", encoding="utf-8")
    (folder / "report.html").write_text(html_report(report, changes, failures), encoding="utf-8")
    for one in report.sets:
        files = {"trec": trec_run(s.result for s in one.cases), "csv": csv_lines(one.cases)}
        for ending, lines in files.items():
            if text := "".join(f"{line}\n" for line in lines):
                (folder / f"{one.name}.{ending}").write_text(text, encoding="utf-8", newline="\n")


def _row(one: SetReport) -> tuple[str, ...]:
    name = _chief(one.rates)
    value = _value(one.rates.get(name, Rate()))
    return one.name, str(len(one.cases)), name, *value, f"{one.rates['unscored'].hits:g}", *_seconds(one)


def _seconds(one: SetReport) -> tuple[str, ...]:
    return f"{one.p50:.3f}", f"{one.p95:.3f}"


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
        case CheckCase():
            return case.text
        case _:
            return case.topic or ", ".join(case.articles) or "the whole library"


def _word(id: str) -> str:
    return re.sub(r"\s", lambda space: quote(space[0]), id)


def _csv_line(cells: Sequence[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell for cell in cells
    )
    return buffer.getvalue()
