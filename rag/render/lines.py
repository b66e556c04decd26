"""Lays results out as text that can be printed."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Any
from urllib.parse import quote, urldefrag

from rag.schema import (
    DENIAL,
    NO_CONFLICT,
    Answer,
    Article,
    Citation,
    Conflict,
    Dispute,
    Passage,
    Reason,
    SearchResult,
    Span,
    Statement,
    Status,
    Verdict,
    heading,
    marked,
)
from rag.schema.articles import article_record
from rag.text.clean import clean, one_line

# ECMA-48 control sequences and strings; without these their letters would stay behind when `clean` takes the escape.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
)
_PARTIAL = {
    None: "the reply of the model was cut",
    Reason.NOT_IN_ARTICLES: "the articles do not tell the rest",
    Reason.OUTSIDE_DATES: "no article within the given dates and sources tells the rest",
    Reason.UNSUPPORTED: "what is marked did not pass the check against the articles",
}
VERDICTS = {
    Verdict.SUPPORTED: "ok",
    Verdict.UNSUPPORTED: "not supported",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.UNCHECKED: "not checked",
}
"""The verdicts in words."""
_NOT_ONE_CELL = re.compile(r"[\u0300-\u036f\u0483-\u1fff\u2e80-\ud7ff\uf900-\uffff\U00010000-\U0010ffff]")
_COLORS = {Verdict.SUPPORTED: "green", Verdict.UNSUPPORTED: "yellow", Verdict.CONTRADICTED: "red"}
_BEFORE_MARK, _BOUND = re.compile(r" (?=\[\d+\])"), "\N{NO-BREAK SPACE}"
_SCORES = ("support", "entailment")
_DIFFERENCES = {
    "citation": "cites {expected}, which stands for nothing",
    "unchecked": "wanted {expected}",
    "speaker": "speaker not shown by what is cited: {expected}",
    "support": "the articles do not say it as a whole",
    "entailment": "it does not follow from the articles",
    "contradiction": "the articles say otherwise",
    DENIAL: "the article adds: “{found}”",
}
_OTHER, _NONE = "{kind}: {expected}; the articles have {found}", "{kind}: {expected}; not confirmed"
_INDENT = "    "
_LONG_WORD = 200
_WHOLE, _ENDS = 12, 6
"""Words: a quote up to this long is in the address as it is, of a longer one so many from either end."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a line in a color of its own, where it is last in it; a terminal opens its `url`."""

    text: str
    url: str | None = None
    color: str = "cyan"


_UNSURE = Mark("Possibly:", color="yellow")


@dataclass(frozen=True, slots=True)
class Line:
    """One line to print; what is `quiet` may be shown paler, `strong` brighter, what has a verdict in its color.

    `point` is a part of the text that is shown brighter, where it is in it; so are `marks`.
    """

    text: str
    quiet: bool = False
    verdict: Verdict | None = None
    strong: bool = False
    point: str = ""
    marks: tuple[Mark, ...] = ()

    @property
    def color(self) -> str | None:
        """The color of its verdict."""
        return _COLORS.get(self.verdict) if self.verdict else None


def wrapped(text: str, width: int | None, like: Line = Line("")) -> Iterator[Line]:
    """The text in lines of at most `width` cells, each behind the text of `like` and in its style."""
    line = " ".join(safe(text).split())
    bound = _BEFORE_MARK.sub(_BOUND, line)  # a mark alone on a line says nothing
    parts = [line] if width is None else _parts(bound, max(1, width - len(like.text)))
    yield from (replace(like, text=like.text + part.replace(_BOUND, " ")) for part in parts)


def safe(text: str) -> str:
    """The text without terminal sequences, control characters, bidi marks or invisible characters."""
    return clean(_ESCAPES.sub("", text))


def answer_lines(answer: Answer, *, width: int | None = None) -> Iterator[Line]:
    """The statements with their marks, then the numbered sources; or why there is none, then the nearest quotes."""
    last = None
    for statement in answer.statements:
        yield from statement_lines(statement, after=last, width=width)
        last = statement
    yield from conflicts_lines(answer.conflicts, answer.statements, width=width)
    for told in (notice(answer) or "").splitlines():
        yield from wrapped(told, width)
    if answer.window.limits:
        yield from wrapped(f"Only articles {answer.window.limits} were read.", width, Line("", quiet=True))
    if answer.statements:
        above = chain.from_iterable(conflict.lines(answer.statements) for conflict in answer.conflicts)
        yield from source_lines(answer.statements, answer.citations, above, width=width)
    if answer.status is Status.ABSTAINED and not answer.statements:
        yield from _nearest(answer.nearest[:3], width)


def link(citation: Citation) -> str | None:
    """The address of its article, in which a browser marks the quote; None for one that is not on the web.

    A text fragment (https://wicg.github.io/scroll-to-text-fragment/): of a long quote its first and last words.
    """
    url = citation.article.url or ""
    if not url.startswith(("https://", "http://")) or any(c.isspace() or not c.isprintable() for c in url):
        return None
    page, fragment = urldefrag(url)
    return f"{page}#{fragment.partition(':~:')[0]}:~:text={_directive(citation.quote)}"


def notice(answer: Answer) -> str | None:
    """Why there is no answer, or only a part of one, or what it does not say of the question, a line each; or None."""
    if answer.status is Status.ABSTAINED:
        return None if answer.statements else "\n".join((answer.text, *answer.premises))
    if answer.status is Status.PARTIAL and answer.reason is not Reason.UNCLEAR:
        return f"This is a partial answer: {_PARTIAL[answer.reason]}."
    return "\n".join(answer.premises) or None


def statement_lines(
    statement: Statement, *, after: Statement | None = None, width: int | None = None
) -> Iterator[Line]:
    """A statement with its marks; below a doubtful one what differs, above the first side of a conflict what it is on.

    `after` is the statement before it.
    """
    if statement.side is not None and (after is None or after.side is None):
        yield from _differing(heading(statement), (), width)
    verdict = statement.verdict if statement.doubt else None
    marks = (*number_marks(statement.citations), *([_UNSURE] if statement.unsure else []))
    yield from wrapped(marked(statement), width, Line("", verdict=verdict, point=_point(statement), marks=marks))
    if statement.verdict is not Verdict.SUPPORTED or statement.opinion:
        yield from _wrapped_all(differences(statement), width)


def number_marks(citations: Iterable[Citation]) -> tuple[Mark, ...]:
    """The marks of citations, such as [1], each with the address at which a browser marks the quote."""
    return tuple(Mark(f"[{citation.number}]", link(citation)) for citation in citations)


def _point(statement: Statement) -> str:
    """The words of a statement that answer, if it is the only one that it cites."""
    if len(statement.citations) != 1 or not (span := statement.citations[0].answer):
        return ""
    return " ".join(safe(statement.citations[0].article.text[span.start : span.end]).split())


def check_lines(answer: Answer, *, width: int | None = None) -> Iterator[Line]:
    """Each sentence with its verdict, below a doubtful one what differs, and what the articles have nearest."""
    for statement in answer.statements:
        verdict = statement.verdict
        yield from wrapped(f"[{VERDICTS[verdict]}] {statement.text}", width, Line("", verdict=verdict))
        yield from _wrapped_all(differences(statement), width)
        for citation in statement.citations:
            yield from wrapped(f"“{citation.quote}”", width, Line(_INDENT, quiet=True))
            named = Mark(origin(citation.article), link(citation))
            yield from wrapped(named.text, width, Line(f"{_INDENT}  ", marks=(named,)))
        yield Line("")
    counts = Counter(statement.verdict for statement in answer.statements)
    told = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    count = len(answer.statements)
    yield Line(f"{count} {'sentence' if count == 1 else 'sentences'}: {told}")


def conflicts_lines(
    conflicts: Iterable[Conflict], statements: Sequence[Statement], *, width: int | None = None
) -> Iterator[Line]:
    """What is left to say of conflicts below the statements; the marks of the positions lead out of it."""
    for conflict in conflicts:
        marks = number_marks(position.citation for position in conflict.positions)
        for told in conflict.lines(statements):
            yield from _differing(told, marks, width)


def _differing(told: str, marks: Sequence[Mark], width: int | None) -> Iterator[Line]:
    """A line of a conflict; its first words stand out unless it is one position."""
    first = re.split(r"(?<=[.:])", told, maxsplit=1)[0]
    coloured = () if told.startswith("- ") else (Mark(first, color="magenta"),)
    yield from wrapped(told, width, Line("", marks=(*marks, *coloured)))


def conflict_lines(conflicts: Sequence[Conflict], *, width: int | None = None) -> Iterator[Line]:
    """What each conflict is about, and its positions, the latest first."""
    for conflict in conflicts:
        kind = "sources differ" if conflict.kind is Dispute.CONFLICT else "another value before"
        yield from wrapped(": ".join(filter(None, (conflict.topic, kind))), width)
        for position in conflict.positions:
            yield from wrapped(str(position), width, Line(_INDENT, marks=number_marks([position.citation])))
        yield Line("")
    told = "1 conflict" if len(conflicts) == 1 else f"{len(conflicts)} conflicts"
    yield Line(told if conflicts else NO_CONFLICT)


def search_lines(result: SearchResult, *, width: int = 100) -> Iterator[Line]:
    """Rank, score and origin of each hit, with its passage below."""
    for rank, hit in enumerate(result.hits, start=1):
        yield from wrapped(f"{rank}. {hit.score:.3f}  {origin(hit.article)}", width)
        yield from wrapped(hit.passage.text, width, Line(_INDENT))
        yield Line("")
    if not result.hits:
        yield Line("No passage matches.")


def origin(article: Article) -> str:
    """The title, source and date of an article, as far as they are known."""
    named = " — ".join(safe(part) for part in (article.title, article.source) if part)
    return one_line(f"{named}, {article.published}" if article.published else named)


def article_row(article: Article) -> list[str]:
    """The id, date, source, title and number of characters, for a table."""
    fields = (article.id, str(article.published or ""), article.source or "", article.title, str(len(article.text)))
    return [one_line(safe(field)) for field in fields]


def listed_record(article: Article) -> dict[str, Any]:
    """An article without its text, for JSON."""
    rest = {"author": article.author, "revision": article.revision, "characters": len(article.text)}
    return article_record(article) | rest


def differences(statement: Statement) -> Iterator[str]:
    """What the checks that failed found, in a line each; the score of support only if nothing else failed."""
    judged = statement.opinion and statement.verdict is not Verdict.UNCHECKED
    failed = [c for c in statement.checks if not c.passed and (not judged or c.kind == DENIAL)]
    told_of = [c for c in failed if c.kind not in (*_SCORES, "speaker")]
    for check in failed:
        if check.kind in _SCORES and told_of:
            continue
        if check.kind == "citation" and not check.expected.startswith("["):
            yield "it cites nothing"
            continue
        told = _DIFFERENCES.get(check.kind, _OTHER if check.found else _NONE)
        yield told.format(kind=check.kind, expected=check.expected, found=check.found)
    if statement.opinion:
        opinion = statement.opinion
        yield f"judged by {opinion.model}: {opinion.verdict.value} — {opinion.reason}"


def source_lines(
    statements: Iterable[Statement],
    citations: Iterable[Citation],
    told: Iterable[str] = (),
    *,
    width: int | None = None,
) -> Iterator[Line]:
    """The numbered sources of statements, with what they quote, if that is not what was shown.

    `told` are the lines of conflicts that were shown with them.
    """
    yield Line("")
    shown, above = {s.text for s in statements}, "\n".join(told)

    def is_shown(citation: Citation) -> bool:
        quote = " ".join(citation.quote.split())
        return quote in shown or f"“{quote}”" in above

    for key, group in groupby(citations, key=lambda c: (c.article.id, is_shown(c))):
        yield from _source(list(group), width, quotes=not key[1])


def _source(citations: Sequence[Citation], width: int | None, *, quotes: bool) -> Iterator[Line]:
    """The article that the citations share, and their quotes."""
    marks = "".join(f"[{c.number}]" for c in citations)
    shown_marks = number_marks(citations)
    yield from wrapped(f"{marks} {origin(citations[0].article)}", width, Line("", quiet=True, marks=shown_marks))
    for citation in citations if quotes else ():
        yield from wrapped(f"“{citation.quote}”", width, Line(_INDENT, quiet=True))


def _nearest(citations: Iterable[Citation], width: int | None) -> Iterator[Line]:
    for place, citation in enumerate(citations):
        if place == 0:
            yield from (Line(""), Line("Nearest in the articles:"))
        yield from wrapped(f"“{citation.quote}”", width, Line("  "))
        yield from wrapped(origin(citation.article), width, Line(_INDENT, quiet=True))


def _directive(text: str) -> str:
    words = text.split()
    if len(words) <= _WHOLE:
        return _encoded(words)
    return f"{_encoded(words[:_ENDS])},{_encoded(words[-_ENDS:])}"


def _encoded(words: list[str]) -> str:
    """A comma, a hyphen and an ampersand are the directive's own marks."""
    return quote(" ".join(words), safe="").replace("-", "%2D")


def _wrapped_all(texts: Iterable[str], width: int | None) -> Iterator[Line]:
    for text in texts:
        yield from wrapped(f"- {text}", width, Line(_INDENT))


def _parts(text: str, width: int) -> list[str]:
    """The lines of a text, measured in the cells of a terminal: some characters take two, some none."""
    if not _NOT_ONE_CELL.search(text):
        return textwrap.wrap(text, width, break_on_hyphens=False)
    import wcwidth

    words = (word if len(word) <= _LONG_WORD else _cut(word, width) for word in text.split(" "))
    return wcwidth.wrap(" ".join(words), width, break_on_hyphens=False)


def _cut(word: str, width: int) -> str:
    """A long word, or a line of a script without spaces, in parts that fit; to wrap it takes time by its square."""
    import wcwidth

    parts, room = [""], width
    for letter in wcwidth.iter_graphemes(word):
        cells = max(0, wcwidth.wcswidth(letter))
        if cells > room:
            parts.append("")
            room = width
        parts[-1] += letter
        room -= cells
    return " ".join(parts)


_CONTEXT, _CITED = Line("    ", quiet=True), Line("  > ", strong=True)


# What an answer rests on


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
