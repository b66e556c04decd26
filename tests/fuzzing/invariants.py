"""What holds for every article, passage and result, whatever they were made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from fuzzing.outcomes import holds, printable, told
from rag.ingest.pipeline import chunk
from rag.models.injection import planted
from rag.render.digest_lines import summary_lines, timeline_lines
from rag.render.lines import (
    Line,
    answer_lines,
    article_row,
    check_lines,
    conflict_lines,
    listed_record,
    origin,
    search_lines,
)
from rag.render.markdown import markdown_page
from rag.render.page import html_page
from rag.schema import (
    Answer,
    Article,
    Citation,
    Failure,
    Passage,
    SearchResult,
    Span,
    Summary,
    Timeline,
)
from rag.text.clean import clean
from rag.text.sentences import sentences

_BUDGET = 60
_WIDTH = 40


def sound_article(article: Article) -> None:
    """Its text and names can be shown and kept, its passages are exact."""
    holds(article.text.strip(), "an article has no text")
    holds(article.text == clean(article.text), f"text that is not clean: {article.text[:80]!r}")
    printable(iter([article.id, article.title, origin(article), article.header, *article_row(article)]))
    printable(part for part in (article.source, article.author, article.url) if part)
    holds(article.title.strip() and article.id.strip(), f"an empty title or id: {article.title!r}, {article.id!r}")
    is_json(listed_record(article))
    sound_passages(article, chunk(article, _sizes, budget=_BUDGET))
    in_order(article.text, sentences(article.text))
    in_order(article.text, planted(article))


def sound_failure(failure: Failure) -> None:
    """It can be shown on one line."""
    told(failure.message)
    told(failure.origin)


def sound_passages(article: Article, passages: Sequence[Passage]) -> None:
    """They are spans of the article, in order, without overlap, with all of its words, and each has its own id."""
    for passage in passages:
        holds(article.text[passage.start : passage.end] == passage.text, f"{passage.id} is not where it says")
        holds(passage.text.strip(), "a passage has no words")
    in_order(article.text, [Span(p.start, p.end) for p in passages])
    holds(len({p.id for p in passages}) == len(passages), "two passages have one id")
    kept = "".join("".join(p.text.split()) for p in passages)
    holds(kept == "".join(article.text.split()), "passages leave out a part of their article")


def in_order(text: str, spans: Sequence[Span]) -> None:
    """The spans are inside of the text, not empty, one behind the other."""
    holds(all(0 <= s.start < s.end <= len(text) for s in spans), f"a span is outside of its text: {spans[:5]}")
    holds(all(a.end <= b.start for a, b in pairwise(spans)), f"spans overlap: {spans[:5]}")


def sound_answer(answer: Answer) -> None:
    """Its JSON is JSON, its citations are exact, what is printed is printable."""
    is_json(answer.to_dict())
    exact(answer.citations)
    cited = {citation.number for citation in answer.citations}
    numbers = {citation.number for statement in answer.statements for citation in statement.citations}
    holds(numbers <= cited, f"statements cite {sorted(numbers - cited)}, which the answer does not have")
    for width in (None, _WIDTH):
        shown(answer_lines(answer, width=width))
        shown(check_lines(answer, width=width))
    shown(conflict_lines(answer.conflicts))


def sound_search(result: SearchResult) -> None:
    """Its JSON is JSON, its hits are exact, what is printed is printable."""
    is_json(result.to_dict())
    for hit in result.hits:
        text = hit.article.text[hit.passage.start : hit.passage.end]
        holds(text == hit.passage.text, f"the hit {hit.passage.id} is not where it says")
    shown(search_lines(result))


def sound_summary(summary: Summary) -> None:
    """Its JSON is JSON, its citations are exact, what is printed is printable."""
    is_json(summary.to_dict())
    exact(summary.citations)
    shown(summary_lines(summary, width=_WIDTH))


def sound_timeline(timeline: Timeline) -> None:
    """Its JSON is JSON, its citations are exact, what is printed and written is printable."""
    is_json(timeline.to_dict())
    exact(timeline.citations)
    shown(timeline_lines(timeline, width=_WIDTH))
    printable(iter(html_page(timeline).split("\n")))
    printable(iter(markdown_page(timeline).split("\n")))


def exact(citations: Iterable[Citation]) -> None:
    """Each quote stands where it says."""
    for citation in citations:
        quote = citation.article.text[citation.start : citation.end]
        holds(quote == citation.quote, f"citation {citation.number} is not where it says")


def shown(lines: Iterator[Line]) -> None:
    """The lines can be printed."""
    printable(line.text for line in lines)


def is_json(value: Any) -> None:
    """It is written as JSON, and is that after it was read again."""
    text = json.dumps(value, allow_nan=False)
    holds(json.dumps(json.loads(text)) == text, "JSON that is read otherwise than it was written")


def _sizes(texts: Sequence[str]) -> list[int]:
    return [1 + len(text) // 4 for text in texts]
