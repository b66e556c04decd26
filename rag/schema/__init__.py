"""The frozen types that flow from stage to stage."""

from __future__ import annotations

# fmt: off
# isort: off
from rag.schema.answers import Answer, Mode, Pointer, Reason, Status, Turn, Usage
from rag.schema.articles import (
    AddReport, Article, Failure, Hit, Passage, Precision, Published, Ranks, SearchResult, Span, Window,
)
from rag.schema.digests import Digest, Event, Figure, Figures, Length, Section, Series, Summary, Timeline
from rag.schema.statements import (
    CHOSEN, DENIAL, NO_CONFLICT, Check, Citation, Conflict, Dispute, Note, Opinion, Position, Statement, Verdict,
    conflicts_record, heading, marked,
)

__all__ = [
    "CHOSEN", "DENIAL", "NO_CONFLICT", "AddReport", "Answer", "Article", "Check", "Citation", "Conflict", "Digest",
    "Dispute", "Event", "Failure", "Figure", "Figures", "Hit", "Length", "Mode", "Note", "Opinion", "Passage",
    "Pointer", "Position", "Precision", "Published", "Ranks", "Reason", "SearchResult", "Section", "Series", "Span",
    "Statement", "Status", "Summary", "Timeline", "Turn", "Usage", "Verdict", "Window", "conflicts_record",
    "heading", "marked",
]
