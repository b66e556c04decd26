"""The command `eval`: it measures, and prints the scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.console import show, tell
from rag.cli.options import Options, checked_settings, command, open_library, progress_bar
from rag.models.budget import Terms
from rag.render.lines import Line

if TYPE_CHECKING:
    from rag.library import Library

GATE_FAILED = 10
"""The exit code when a gate is missed."""

Sets = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="SET...", help="Files of cases, or folders of other sets; without one, all that --gates names."
    ),
]
Judge = Annotated[str | None, typer.Option("--judge", metavar="MODEL", help="Let this chat model grade the answers.")]
Gates = Annotated[Path | None, typer.Option(metavar="FILE", help="Exit with 10 if a gate of this file is missed.")]
Baseline = Annotated[Path | None, typer.Option(metavar="FILE", help="Print what changed since this report.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Keep results and reports here; go on if it has some.")]
Workers = Annotated[int, typer.Option(min=1, metavar="N", help="How many cases are asked at once.")]
Pin = Annotated[bool, typer.Option("--pin", help="Write what was measured to --gates (raising floors) and --baseline.")]
AllowRegression = Annotated[bool, typer.Option("--allow-regression", help="Let --pin lower floors too.")]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a case, and do nothing else.")]


@command("library", "add", "k", "model", "offline", "no_cache", "as_json", "quiet", "verbose")
def evaluate(
    sets: Sets = None,
    *,
    judge: Judge = None,
    gates: Gates = None,
    baseline: Baseline = None,
    out: Out = None,
    workers: Workers = 1,
    pin: Pin = False,
    allow_regression: AllowRegression = False,
    schema: Schema = False,
    options: Options,
) -> None:
    """Measure how right the answers are, on sets of cases.

    Cases may also be of summaries, timelines and checks.
    """
    from rag import evaluation  # pydantic and the library, which other commands start without

    if schema:
        typer.echo(json.dumps(evaluation.schema(), indent=1))
        return
    terms = Terms(strict=True, cache=not options.no_cache, streamed=False)
    options = replace(options, terms=terms)
    origins = tuple(options.add or ())
    checked_settings(replace(options, judge=judge or options.judge), origins)
    files = (gates, baseline, out)
    campaign = evaluation.Campaign(tuple(sets or ()), origins, options.k, workers, judge, *files, pin, allow_regression)
    found = evaluation.measure(
        campaign, evaluation.Surroundings(partial(_library, options), partial(progress_bar, options))
    )
    if options.as_json:
        typer.echo(json.dumps(found.report.to_dict() | {"missed": list(found.missed)}))
    else:
        show(Line(text) for text in evaluation.score_lines(found.report, found.changes, all_rates=options.verbose))
    for line in (*found.warnings, *(f"gate: {problem}" for problem in found.missed)):
        tell(line)
    raise typer.Exit(GATE_FAILED if found.missed else 0)


def _library(options: Options, place: Path | None, origins: Sequence[str]) -> AbstractContextManager[Library]:
    return open_library(replace(options, library=options.library or place, add=list(origins)))
