"""Lays summaries and timelines out as lines that can be printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby

from rag.render.lines import Line, conflicts_lines, number_marks, safe, source_lines, statement_lines, wrapped
from rag.schema import Conflict, Event, Figure, Figures, Section, Summary, Timeline, Verdict, marked

_STATED, _PUBLISHED, _BAR, _COLUMN = "●", "○", "│", 10
_LEGEND = f"{_PUBLISHED} the article gives no date of its own for it; this is the day of its publication"


def summary_lines(summary: Summary, *, width: int | None = None) -> Iterator[Line]:
    """The headline, the other statements with their marks, and the numbered sources; or why there is nothing."""
    if not summary.statements:
        yield Line(summary.text)
        return
    if summary.sections:
        below = _by_section(summary)
        conflicts = list(chain.from_iterable(below))
        yield from _sections(summary, below, width)
    else:
        conflicts = list(summary.conflicts)
        yield from _headed(summary, width)
        yield from conflicts_lines(conflicts, summary.statements, width=width)
    told = chain.from_iterable(conflict.lines(summary.statements) for conflict in conflicts)
    yield from source_lines(summary.statements, summary.citations, told, width=width)


def timeline_lines(timeline: Timeline, *, width: int | None = None) -> Iterator[Line]:
    """Each date with its events beside a vertical line, and the numbered sources; or why there is nothing."""
    if not timeline.events:
        yield Line(timeline.text)
        return
    for place, (day, group) in enumerate(groupby(timeline.events, key=lambda event: event.day)):
        if place:
            yield Line(f"{'':{_COLUMN}}  {_BAR}", quiet=True)
        for number, event in enumerate(group):
            yield from _event(event, "" if number else day, width)
            yield from _differing(timeline, event, width)
    if not all(event.stated for event in timeline.events):
        yield from (Line(""), Line(_LEGEND, quiet=True))
    told = chain.from_iterable(map(timeline.differing, timeline.events))
    yield from source_lines(timeline.statements, timeline.citations, told, width=width)


def figure_lines(found: Figures, *, width: int | None = None) -> Iterator[Line]:
    """What is counted with its lowest and highest figure, the figures below, and the numbered sources."""
    if not found.series:
        yield from wrapped(found.text, width)
        return
    for place, series in enumerate(found.series):
        if place:
            yield Line("")
        yield from wrapped(f"{series.title}: {series.span}", width, Line("", strong=True))
        column = max(len(figure.text) for figure in series.figures)
        for figure in series.figures:
            yield from _row(figure, column, width)
    yield from source_lines((), found.citations, width=width)


def _row(figure: Figure, column: int, width: int | None) -> Iterator[Line]:
    """The day and the figure once, and beside them what is said of them."""
    head = f"  {figure.day or 'no date':{_COLUMN}}  {safe(figure.text):{column}}  "
    beside = Line(" " * len(head), marks=number_marks([figure.citation]))
    for place, line in enumerate(wrapped(_figure(figure), width, beside)):
        yield line if place else replace(line, text=head + line.text[len(head) :])


def _figure(figure: Figure) -> str:
    article, count = figure.citation.article, len(figure.outlets)
    told = [f"by {figure.speaker}"] if figure.speaker else []
    told += [f"{count} independent outlets"] if count > 1 else []
    return f"[{figure.citation.number}] {'; '.join(filter(None, (article.source, *told)))}"


def _headed(summary: Summary, width: int | None) -> Iterator[Line]:
    headline, *others = summary.statements
    yield from statement_lines(headline, width=width)
    if others:
        yield Line("")
    for statement in others:
        yield from statement_lines(statement, width=width)


def _by_section(summary: Summary) -> list[list[Conflict]]:
    """The conflicts of each section's statements that no statements of the summary show whole."""
    shown = {citation.number for statement in summary.statements for citation in statement.citations}
    left = [c for c in summary.conflicts if not {p.citation.number for p in c.positions} <= shown]
    found = []
    for section in summary.sections:
        cited = {citation.number for statement in section.statements for citation in statement.citations}
        found.append([c for c in left if cited & {p.citation.number for p in c.positions}])
        left = [c for c in left if c not in found[-1]]
    return found


def _sections(summary: Summary, below: Sequence[Sequence[Conflict]], width: int | None) -> Iterator[Line]:
    for place, (section, conflicts) in enumerate(zip(summary.sections, below, strict=True)):
        if place:
            yield Line("")
        yield from _section(section, width)
        yield from conflicts_lines(conflicts, summary.statements, width=width)


def _section(section: Section, width: int | None) -> Iterator[Line]:
    yield Line(section.heading.upper())
    for statement in section.statements:
        yield from statement_lines(statement, width=width)
    if section.note:
        yield from wrapped(section.note, width, Line("", quiet=True))


def _differing(timeline: Timeline, event: Event, width: int | None) -> Iterator[Line]:
    """What other articles say otherwise of an event, beside the vertical line."""
    marks = number_marks(timeline.citations)
    for told in timeline.differing(event):
        yield from wrapped(told, width, Line(f"{'':{_COLUMN}}  {_BAR}   ", quiet=True, marks=marks))


def _event(event: Event, day: str, width: int | None) -> Iterator[Line]:
    """The event with its date, and a mark that tells whether the article gives it."""
    sign = _STATED if event.stated else _PUBLISHED
    inner = None if width is None else max(20, width - _COLUMN - 4)
    doubt = None if event.statement.verdict is Verdict.SUPPORTED else event.statement.verdict
    marks = number_marks(event.statement.citations)
    for place, line in enumerate(wrapped(marked(event.statement), inner, Line("", marks=marks))):
        head = f"{day:{_COLUMN}}  {sign} " if place == 0 else f"{'':{_COLUMN}}  {_BAR} "
        yield replace(line, text=head + line.text, verdict=doubt)
