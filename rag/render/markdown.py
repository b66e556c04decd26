"""Writes results as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.render.lines import VERDICTS, differences, link, notice, origin, safe
from rag.render.page import bars, title
from rag.schema import (
    AddReport,
    Answer,
    Citation,
    Conflict,
    Figure,
    Figures,
    SearchResult,
    Statement,
    Summary,
    Timeline,
    Verdict,
    heading,
)

MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$!&])")
"""What Markdown may read as more than text."""


def markdown(result: Answer | Summary | Timeline | SearchResult | Figures | AddReport) -> str:
    """The result with a footnote for each source; a timeline has its sources folded in."""
    match result:
        case Timeline():
            return markdown_page(result)
        case Answer() if not result.question:
            lines: Iterable[str] = _check(result)
        case Answer():
            lines = _answer(result)
        case Summary():
            lines = _summary(result)
        case SearchResult():
            lines = _search(result)
        case Figures():
            lines = _figures(result)
        case AddReport():
            lines = _report(result)
    return "\n".join(lines).strip() + "\n"


def markdown_page(timeline: Timeline) -> str:
    """Headings, a picture in characters, the events, and the sources below."""
    lines = [f"# {plain(title(timeline))}", ""]
    if not timeline.events:
        return "\n".join((*lines, plain(timeline.text), ""))
    lines += ["```text", *(f"{bar.label:10} {'█' * bar.count} {bar.count}" for bar in bars(timeline.events)), "```", ""]
    for event in timeline.events:
        note = "" if event.stated else " *(day of publication)*"
        marks = "".join(f"\\[{citation.number}\\]" for citation in event.statement.citations)
        doubt = f" **({event.statement.doubt})**" if event.statement.doubt else ""
        lines.append(f"- **{event.day}**{note} {plain(event.statement.text)} {marks}{doubt}")
        lines += [f"    - {plain(told.removeprefix('- '))}" for told in timeline.differing(event)]
    lines += ["", "<details><summary>Sources</summary>", ""]
    lines += [f"{c.number}. {source(c)}" for c in timeline.citations]
    return "\n".join((*lines, "", "</details>", ""))


def plain(text: str) -> str:
    """A text from outside as Markdown that shows it as it is, on one line."""
    return MARKUP.sub(r"\\\1", " ".join(safe(text).split()))


def source(citation: Citation) -> str:
    """The article, as a link that marks the quote if it is on the web, with the quote."""
    named, url = plain(origin(citation.article)), link(citation)
    return f"{f'[{named}](<{url}>)' if url else named}: “{plain(citation.quote)}”"


def stated(statement: Statement, marks: str | None = None) -> str:
    """A statement with its marks, by default those of footnotes, and what a reader must know of it."""
    notes = [f"({plain(statement.reach)})"] if statement.reach else []
    doubt = [f"**({statement.doubt})**"] if statement.doubt else []
    chosen = [f"({statement.chosen})"] if statement.chosen else []
    denied = [f"({plain(statement.denied)})"] if statement.denied else []
    unsure = ["*Possibly:*"] if statement.unsure else []
    shown = plain(statement.shown) + (_marks(statement.citations) if marks is None else marks)
    return " ".join((*unsure, shown, *notes, *doubt, *chosen, *denied))


def _answer(answer: Answer) -> Iterator[str]:
    yield from (f"{stated(statement)}\n" for statement in answer.statements if statement.side is None)
    sides = [statement for statement in answer.statements if statement.side is not None]
    if sides:
        yield f"{plain(heading(sides[0]))}\n"
        for side in sides:
            outlet = side.citations[0].origin if side.citations else ""
            yield f"- {stated(side)} {plain(outlet)}".rstrip()
    for conflict in answer.conflicts:
        yield from _conflict(conflict, answer.statements)
    if sides or answer.conflicts:
        yield ""
    if told := notice(answer):
        yield f"*{plain(told)}*\n"
    if answer.window.limits:
        yield f"*Only articles {plain(answer.window.limits)} were read.*\n"
    if not answer.statements and answer.nearest:
        yield "Nearest in the articles:\n"
        yield from (f"- {source(citation)}" for citation in answer.nearest[:3])
    yield from footnotes(answer.citations)


def _check(answer: Answer) -> Iterator[str]:
    for number, statement in enumerate(answer.statements, start=1):
        told = VERDICTS[statement.verdict]
        told = told if statement.verdict is Verdict.SUPPORTED else f"**{told}**"
        yield f"{number}. {told}: {plain(statement.text)}{_marks(statement.citations)}"
        yield from (f"    - {plain(told)}" for told in differences(statement))
    yield ""
    yield from footnotes(answer.citations)


def _summary(summary: Summary) -> Iterator[str]:
    if not summary.statements:
        yield plain(summary.text)
    elif summary.sections:
        for section in summary.sections:
            yield f"## {plain(section.heading)}\n"
            yield from (f"- {stated(statement)}" for statement in section.statements)
            yield f"\n{plain(section.note)}\n" if section.note else ""
    else:
        headline, *others = summary.statements
        yield f"**{plain(headline.shown)}**{stated(headline).removeprefix(plain(headline.shown))}\n"
        yield from (f"- {stated(statement)}" for statement in others)
    yield ""
    for conflict in summary.conflicts:
        yield from _conflict(conflict, summary.statements)
    yield ""
    yield from footnotes(summary.citations)


def _figures(result: Figures) -> Iterator[str]:
    yield "" if result.series else f"{plain(result.text)}\n"
    for series in result.series:
        yield f"**{plain(series.title)}**: {plain(series.span)}\n"
        yield "| Day | Figure | Outlet | Speaker | Independent origins |\n| --- | --- | --- | --- | ---: |"
        yield from map(_figure, series.figures)
        yield ""
    yield from footnotes(result.citations)


def _figure(figure: Figure) -> str:
    named = plain(figure.citation.article.source or ""), plain(figure.speaker or "")
    cells = (figure.day, plain(figure.text) + _marks([figure.citation]), *named, str(len(figure.outlets)))
    return f"| {' | '.join(cells)} |"


def _search(result: SearchResult) -> Iterator[str]:
    yield "No passage matches." if not result.hits else ""
    for rank, hit in enumerate(result.hits, start=1):
        yield f"{rank}. **{plain(origin(hit.article))}** ({hit.score:.3f}): {plain(hit.passage.text)}"


def _report(report: AddReport) -> Iterator[str]:
    yield f"{report}\n"
    yield from (f"- {plain(failure.origin)}: {plain(failure.message)}" for failure in report.failed)
    yield from (f"- Note: {plain(warning)}" for warning in report.warnings)


def footnotes(citations: Iterable[Citation]) -> Iterator[str]:
    """A footnote for each citation."""
    return (f"[^{citation.number}]: {source(citation)}" for citation in citations)


def _marks(citations: Iterable[Citation]) -> str:
    return "".join(f"[^{citation.number}]" for citation in citations)


def _conflict(conflict: Conflict, statements: Sequence[Statement]) -> Iterator[str]:
    for line in conflict.lines(statements):
        item = line.startswith("- ")
        text = plain(line.removeprefix("- "))
        for position in conflict.positions:
            text = text.replace(f" \\[{position.citation.number}\\]", _marks([position.citation]))
        yield f"- {text}" if item else f"\n{text}\n"
