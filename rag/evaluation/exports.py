"""Writes runs in the formats of other people's tools."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rag.evaluation.cases import CheckCase, QaCase, SearchCase
from rag.evaluation.measures import NAMES
from rag.evaluation.report import Scored, SetReport
from rag.evaluation.results import Result

_STEP = 1e-4  # trec_eval holds scores in single precision
_COLUMNS = ("id", "task", "type", "question", "status", "reason", "right", "seconds", "hits", "text", "error")
_SPACE = re.compile(r"\s")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def trec_run(results: Iterable[Result], tag: str = "dispatches") -> Iterator[str]:
    """The articles found for each case as the lines of a TREC run: `case Q0 article rank score tag`.

    An article stands where its best passage does, with that passage's score, lowered where needed so that scores fall
    from rank to rank: trec_eval sorts by score, not by rank. A case that found nothing has no line. White space in an
    id, which would part the columns, is written as in a URL: `%20`.
    """
    for result in results:
        best = {hit.article: hit.score for hit in reversed(result.hits)}
        ranked = dict.fromkeys(hit.article for hit in result.hits)
        score = float("inf")
        for rank, article in enumerate(ranked, start=1):
            score = round(min(best[article], score - _STEP), 6)
            yield " ".join((_word(result.case), "Q0", _word(article), str(rank), f"{score:.6f}", _word(tag)))


def csv_lines(scored: Iterable[Scored]) -> Iterator[str]:
    """A header, then a row for each case: what was asked, what came of it, and a column for each metric that any has.

    A metric is the case's own share, from 0 to 1; empty where the case does not count for it. `hits` are the articles,
    best first, with spaces between. A text that a spreadsheet would take for a formula gets a `'` before it.
    """
    every = list(scored)
    metrics = [name for name in NAMES if any(name in one.shares for one in every)]
    yield _line([*_COLUMNS, *metrics])
    for one in every:
        shares = [one.shares[name].hits / one.shares[name].n if name in one.shares else None for name in metrics]
        yield _line([*_described(one), *shares])


def save(sets: Iterable[SetReport], folder: Path) -> None:
    """Writes both for each set, as it came out the first time, as `SET.trec` and `SET.csv`; no run without hits."""
    folder.mkdir(parents=True, exist_ok=True)
    for found in sets:
        _write(folder / f"{found.name}.trec", trec_run(one.result for one in found.cases))
        _write(folder / f"{found.name}.csv", csv_lines(found.cases))


def _write(path: Path, lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if text:
        path.write_text(text, encoding="utf-8", newline="\n")


def _word(id: str) -> str:
    return _SPACE.sub(lambda space: quote(space[0]), id)


def _described(scored: Scored) -> list[Any]:
    case, result = scored.case, scored.result
    return [
        _text(case.id),
        case.task,
        _text(case.type),
        _text(_asked(scored)),
        result.status,
        result.reason,
        scored.right,
        f"{result.seconds:.3f}",
        _text(" ".join(dict.fromkeys(hit.article for hit in result.hits))),
        _text(result.text),
        _text(result.error or ""),
    ]


def _asked(scored: Scored) -> str:
    """The question, the claim to check, or the topic."""
    match scored.case:
        case QaCase() | SearchCase() as case:
            return case.question
        case CheckCase() as case:
            return case.text
        case case:
            return case.topic or ""


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _line(cells: list[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()
