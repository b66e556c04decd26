"""Lays out what an answer rests on."""

from __future__ import annotations

from collections.abc import Iterator

from rag.render.lines import Line, Mark, link, number_marks, origin, safe, wrapped
from rag.schema import Answer, Article, Citation, Passage, Span, Statement

_CONTEXT, _CITED = Line("    ", quiet=True), Line("  > ", strong=True)


def sources_lines(answer: Answer, *, width: int | None = None) -> Iterator[Line]:
    """Every source with its quote: those of the answer, else the nearest."""
    for citation in answer.citations or answer.nearest:
        yield from _heading(citation, width)
        yield from wrapped(f"“{citation.quote}”", width, _CONTEXT)


def context_lines(citation: Citation, passage: Passage, *, width: int | None = None) -> Iterator[Line]:
    """A source with its passage, in which the cited span has marks before its lines."""
    yield from _heading(citation, width)
    around = Span(min(passage.start, citation.start), max(passage.end, citation.end))
    yield from _around(citation, around, width)


def article_lines(citation: Citation, *, width: int | None = None) -> Iterator[Line]:
    """The whole article of a source, in which the cited span has marks before its lines."""
    yield from _heading(citation, width)
    if citation.article.url:
        url = safe(citation.article.url)
        yield Line(url, quiet=True, marks=(Mark(url, link(citation)),))
    yield Line("")
    yield from _around(citation, Span(0, len(citation.article.text)), width)


def whole_article_lines(article: Article, *, width: int | None = None) -> Iterator[Line]:
    """An article from its beginning, without a quote."""
    yield from wrapped(origin(article), width)
    if article.url:
        yield Line(safe(article.url), quiet=True)
    yield Line("")
    yield from _paragraphs(article.text, width, _CONTEXT)


def why_lines(answer: Answer, *, width: int | None = None) -> Iterator[Line]:
    """What was looked for, what was found and how good it was, and what was checked."""
    yield from wrapped(f"looked for: {answer.standalone_question}", width)
    written = f"written by {answer.model}" if answer.model else "made of the articles' own sentences"
    yield from wrapped(f"{answer.status.value}{f', {answer.reason.value}' if answer.reason else ''}; {written}", width)
    yield from wrapped(
        ", ".join(f"{stage} {1000 * seconds:.0f} ms" for stage, seconds in answer.timings.items()), width
    )
    for number, hit in enumerate(answer.hits, start=1):
        ranks = (("dense", hit.ranks.dense), ("words", hit.ranks.lexical))
        found_by = ", ".join(f"{name} {rank}" for name, rank in ranks if rank) or "carried over"
        passage = f"{origin(hit.article)}: {hit.passage.text[:80]}…"
        yield from wrapped(f"{number}. {hit.score:.2f} ({found_by})  {passage}", width, _CONTEXT)
    for place, statement in enumerate(answer.statements, start=1):
        yield from _checked(place, statement, width)


def _heading(citation: Citation, width: int | None) -> Iterator[Line]:
    marks = number_marks([citation])
    yield from wrapped(f"[{citation.number}] {origin(citation.article)}", width, Line("", marks=marks))


def _around(citation: Citation, around: Span, width: int | None) -> Iterator[Line]:
    text = citation.article.text
    yield from _paragraphs(text[around.start : citation.start], width, _CONTEXT)
    yield from _paragraphs(citation.quote, width, _CITED)
    yield from _paragraphs(text[citation.end : around.end], width, _CONTEXT)


def _paragraphs(text: str, width: int | None, like: Line) -> Iterator[Line]:
    for paragraph in text.splitlines():
        if paragraph.strip():
            yield from wrapped(paragraph, width, like)


def _checked(place: int, statement: Statement, width: int | None) -> Iterator[Line]:
    told = f", said by {statement.speaker}" if statement.speaker else ""
    marks = "".join(f"[{c.number}]" for c in statement.citations) or "no source"
    yield from wrapped(f"sentence {place} {marks}: {statement.verdict.value}{told}", width)
    for check in statement.checks:
        compared = f"{check.kind}: {check.expected}"
        told = f"ok, {compared}" if check.passed else f"no, {compared}; found {check.found or 'nothing'}"
        yield from wrapped(told, width, _CONTEXT)
