"""Finds the article's own sentence for a statement whose quotes are in no passage."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rag.checks import exact
from rag.checks.rules.facts import Evidence
from rag.checks.verify import verify
from rag.models.injection import is_order, is_ordered, planted, request
from rag.models.reader import Entailment, Pair
from rag.schema import Citation, Hit, Span, Statement, Verdict
from rag.text.sentences import sentences
from rag.text.words import content_words

_ADDRESS = re.compile(r"://|@\w|\bwww\b|\w{2}\s?[\[(]?\.[\])]?[a-z]{2,}|\w\s?[\[(](?:dot|at)[\])]\s?\w", re.I)
"""Of the network, a mailbox or an account; also as people write one that is not to be a link."""
_TO_READER = re.compile(r"\b(?:you|your|yours|yourself|please)\b", re.I)
_MOST_TRIED = 5
_SURE = 0.5
_SHARE = 0.5
"""Of the words of a statement, how many a sentence must have to be tried."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A sentence of a hit, by its span in the passage."""

    hit: Hit
    span: Span

    @property
    def text(self) -> str:
        """Its words."""
        return self.hit.passage.text[self.span.start : self.span.end]

    @property
    def citation(self) -> Citation:
        """It as a citation, which has no number yet."""
        start, end = self.hit.passage.start + self.span.start, self.hit.passage.start + self.span.end
        article = self.hit.article
        return Citation(1, article, self.hit.passage.id, start, end, article.text[start:end])


Find: TypeAlias = Callable[[str, Sequence[Hit]], Anchor | None]
"""Gives the sentence that supports a text by itself; None if there is none."""


def finder(reader: Entailment | None, entailment: Entailment | None = None) -> Find | None:
    """A `Find` by what a `reader` says, and the check of a statement, with `entailment` if there is one.

    None without a reader: nobody quoted the sentence, so it is chosen only if all of them agree.
    """
    return (lambda text, hits: find(text, hits, reader, entailment)) if reader else None


def find(text: str, hits: Sequence[Hit], reader: Entailment, entailment: Entailment | None = None) -> Anchor | None:
    """The sentence with most words of a text that has all of its exact facts and supports it; None if none does.

    Nothing is chosen for a text with an address or an instruction, and no sentence with one. An article with sentences
    that are addressed to a program is not looked at: it may have more that were not seen.
    """
    if _leads_on(text):
        return None
    trusted_hits = [hit for hit in hits if not planted(hit.article)]
    plain = (anchor for anchor in _nearest(text, trusted_hits) if not _leads_on(anchor.text))
    near = (anchor for anchor in plain if _supports(anchor.citation, text, entailment))
    return next((anchor for anchor in near if _follows(anchor, text, reader)), None)


def trusted(hit: Hit) -> list[Span]:
    """The sentences of a passage, but for those that are addressed to a program unless it has no other."""
    start, found = hit.passage.start, sentences(hit.passage.text)
    return [s for s in found if not is_ordered(hit.article, Span(start + s.start, start + s.end))] or found


def _leads_on(text: str) -> bool:
    """Whether it has an address, speaks to whoever reads it, or gives an order."""
    return bool(_ADDRESS.search(text) or _TO_READER.search(text)) or is_order(text) or request(text).orders


def _supports(citation: Citation, text: str, entailment: Entailment | None) -> bool:
    article = citation.article
    evidence = Evidence(citation.quote, article.header, published=article.published.day if article.published else None)
    if not all(check.passed for check in exact.compare(text, [evidence])):
        return False
    return verify(Statement(text, (citation,)), (citation,), entailment=entailment).verdict is Verdict.SUPPORTED


def _follows(anchor: Anchor, text: str, reader: Entailment) -> bool:
    if anchor.text == text:
        return True
    (found,) = reader.entail([Pair(anchor.text, text, anchor.hit.article.header)])
    return found.entailment >= _SURE


def _nearest(text: str, hits: Sequence[Hit]) -> Iterator[Anchor]:
    """The sentences with most of a text's words, best first, those of better hits first among equals."""
    wanted = set(content_words(text))
    anchors = [(place, Anchor(hit, span)) for place, hit in enumerate(hits) for span in trusted(hit)]
    shares = [(len(wanted & set(content_words(anchor.text))), place, anchor) for place, anchor in anchors]
    shares.sort(key=lambda row: (-row[0], row[1], row[2].span.start))
    yield from (anchor for share, _, anchor in shares[:_MOST_TRIED] if share >= _SHARE * len(wanted) > 0)
