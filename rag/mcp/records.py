"""What the tools of the server return; their JSON schemas are made from these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Self
from urllib.parse import quote

from pydantic import BaseModel, Field

from rag.render.lines import link
from rag.schema import Answer, Article, Check, Citation, Conflict, Hit, SearchResult, Span, Timeline, conflicts_record
from rag.schema.articles import article_record
from rag.schema.statements import citation_dict

ADDRESS = "dispatches://articles/"
"""What the address of an article begins with that is not on the web; the server has it as a resource."""
MOST_CHARACTERS = 50_000
"""How much of an article is returned at once."""


class PassageRecord(BaseModel):
    """A passage of an article: whole sentences."""

    start: int
    end: int
    text: str


class CitationRecord(BaseModel):
    """An exact span of an article: its text from `start` to `end` is the `quote`."""

    number: int
    article_id: str = Field(description="What `fetch` takes.")
    title: str
    source: str | None
    published: str | None
    url: str | None
    link: str | None = Field(description="The page on the web, at the quote.")
    start: int
    end: int
    quote: str
    answer: Span | None = Field(description="The short span inside the quote that answers the question.")


class StatementRecord(BaseModel):
    """A sentence with the numbers of its citations and the verdict of its check."""

    text: str
    citations: list[int]
    verdict: str = Field(description="supported, unsupported, contradicted or unchecked.")
    speaker: str | None
    checks: list[Check]
    unsure: bool = Field(False, description="It is a likely answer only.")
    outlets: list[str] = Field([], description="The outlets that report it independently, if there are several.")


class PositionRecord(BaseModel):
    """What one source says."""

    value: str
    speaker: str | None
    source: str | None
    published: str | None
    citation: int


class ConflictRecord(BaseModel):
    """What sources say differently, the latest first: `conflict`, or `superseded` by a later article."""

    kind: str
    topic: str
    positions: list[PositionRecord]


class AnswerRecord(BaseModel):
    """An answer, or the sentences of a draft, each checked against the spans that it cites."""

    status: str = Field(description="answered, partial or abstained: the articles do not answer.")
    reason: str | None
    text: str = Field(description="All of it, with citation marks such as [1].")
    statements: list[StatementRecord]
    citations: list[CitationRecord]
    conflicts: list[ConflictRecord]
    nearest: list[CitationRecord] = Field(description="If abstained: what comes nearest, which is not an answer.")
    model: str | None
    warnings: list[str]

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The record of an answer or of a check."""
        return cls.model_validate(
            answer.to_dict() | {"citations": _cited(answer.citations), "nearest": _cited(answer.nearest)}
        )


class EventRecord(BaseModel):
    """A dated event; `stated` is false if the date is that of publication."""

    date: str
    precision: str
    stated: bool
    rank: int = Field(description="1 is the most important.")
    statement: StatementRecord


class TimelineRecord(BaseModel):
    """Dated events, earliest first."""

    status: str
    topic: str | None
    events: list[EventRecord]
    citations: list[CitationRecord]
    conflicts: list[ConflictRecord] = Field(default=[], description="Where articles differ on what the events say.")
    warnings: list[str]

    @classmethod
    def of(cls, timeline: Timeline) -> Self:
        """The record of a timeline."""
        return cls.model_validate(timeline.to_dict() | {"citations": _cited(timeline.citations)})


class ConflictsRecord(BaseModel):
    """What the articles say differently from one another, the latest first."""

    topic: str | None
    conflicts: list[ConflictRecord]
    citations: list[CitationRecord]

    @classmethod
    def of(cls, topic: str | None, conflicts: Sequence[Conflict]) -> Self:
        """The record of the conflicts on a topic."""
        citations = [position.citation for conflict in conflicts for position in conflict.positions]
        return cls.model_validate(conflicts_record(topic, conflicts) | {"citations": _cited(citations)})


class FoundRecord(BaseModel):
    """An article with its passage that is nearest to the question."""

    id: str = Field(description="What `fetch` takes.")
    title: str
    url: str
    source: str | None
    published: str | None
    text: str
    start: int = Field(description="Where the passage is in the text of the article.")
    end: int
    more: list[PassageRecord] = Field(description="Its other passages that are near.")


class SearchRecord(BaseModel):
    """The articles with the passages nearest to a question, best first."""

    results: list[FoundRecord]
    warnings: list[str]

    @classmethod
    def of(cls, result: SearchResult) -> Self:
        """The hits by article, each article where its best hit is."""
        order = list(dict.fromkeys(hit.article.id for hit in result.hits))
        hits = sorted(result.hits, key=lambda hit: order.index(hit.article.id))
        found = [_found_record(list(group)) for _, group in groupby(hits, key=lambda hit: hit.article.id)]
        return cls(results=found, warnings=list(result.warnings))


class MetadataRecord(BaseModel):
    """What is known of an article; `next` is where the rest of a long text starts."""

    source: str | None
    published: str | None
    author: str | None
    characters: int
    next: int | None


class ArticleRecord(BaseModel):
    """An article, at most 50,000 characters of it at a time."""

    id: str
    title: str
    text: str
    url: str
    metadata: MetadataRecord

    @classmethod
    def of(cls, article: Article, start: int) -> Self:
        """The article, its text from a character on."""
        end = start + MOST_CHARACTERS
        rest = end if end < len(article.text) else None
        metadata = MetadataRecord(
            source=article.source,
            published=str(article.published) if article.published else None,
            author=article.author,
            characters=len(article.text),
            next=rest,
        )
        text = article.text[start:end]
        return cls(id=article.id, title=article.title, text=text, url=_address(article), metadata=metadata)


def _cited(citations: Iterable[Citation]) -> list[dict[str, Any]]:
    return [citation_dict(citation) | {"link": link(citation)} for citation in citations]


def _found_record(hits: Sequence[Hit]) -> FoundRecord:
    article, best = hits[0].article, hits[0].passage
    more = [{"start": p.start, "end": p.end, "text": p.text} for p in (hit.passage for hit in hits[1:])]
    passage = {"text": best.text, "start": best.start, "end": best.end, "more": more}
    return FoundRecord.model_validate(article_record(article) | passage | {"url": _address(article)})


def _address(article: Article) -> str:
    return article.url or f"{ADDRESS}{quote(article.id, safe='')}"
