"""Answers a question from what was retrieved for it, in the articles' own sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.confidence import confidence
from rag.extraction import Sentence
from rag.query import Query
from rag.retrieval import Retrieved
from rag.schema import Answer, Article, Check, Citation, Hit, Reason, Span, Statement, Status, Verdict
from rag.words import alike

MOST_SENTENCES = 3
THRESHOLD = 0.45
"""The confidence below which it abstains."""
_MARGIN = 6.0
_SAME_WORDS = 0.7
_LEANS = re.compile(
    r"^(?:(?:and|but|so|then|also|yet|however|meanwhile),? )*(?:he|she|they|it|his|her|their|its|this|these|those|that|"
    r"such|the (?:former|latter))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Choice:
    """A run of sentences of one hit that is shown together."""

    passage_id: str
    span: Span
    count: int


def extract(query: Query, retrieved: Retrieved, *, k: int) -> Answer:
    """The one to three sentences that answer the question, verbatim, the best first; or an abstention.

    An abstention has the nearest sentences as evidence.
    """
    ranked = sorted(retrieved.sentences, key=lambda s: (-s.score, s.passage_id, s.span.start))
    chosen = _chosen(ranked, retrieved)
    hits = retrieved.hits[:k]
    if not ranked or confidence(query, ranked, retrieved) < THRESHOLD:
        nearest = _citations(chosen, retrieved.hits)
        return Answer(query.text, query.text, Status.ABSTAINED, Reason.NOT_IN_ARTICLES, hits=hits, nearest=nearest)
    citations = _citations(chosen, retrieved.hits)
    statements = tuple(_statement(c) for c in citations)
    return Answer(query.text, query.text, Status.ANSWERED, None, statements, citations, hits)


def _chosen(ranked: Sequence[Sentence], retrieved: Retrieved) -> list[_Choice]:
    """The best sentences that say something new, as long as they are nearly as good as the best."""
    chosen: list[_Choice] = []
    taken: list[Sentence] = []
    for sentence in ranked:
        left = MOST_SENTENCES - sum(c.count for c in chosen)
        if left < 1 or (taken and sentence.score < taken[0].score - _MARGIN):
            break
        if any(alike(sentence.stems, other.stems, _SAME_WORDS) for other in taken) or any(
            _within(sentence, c) for c in chosen
        ):
            continue
        taken.append(sentence)
        chosen.append(_choice(sentence, retrieved.sentences, left))
    return chosen


def _choice(sentence: Sentence, sentences: Sequence[Sentence], left: int) -> _Choice:
    """The sentence, with the one before it if it leans on that and there is room."""
    before = [s for s in sentences if s.passage_id == sentence.passage_id and s.span.end <= sentence.span.start]
    if before and left > 1 and _LEANS.match(sentence.text) and not before[-1].text.endswith("?"):
        return _Choice(sentence.passage_id, Span(before[-1].span.start, sentence.span.end), 2)
    return _Choice(sentence.passage_id, sentence.span, 1)


def _within(sentence: Sentence, choice: _Choice) -> bool:
    return sentence.passage_id == choice.passage_id and choice.span.start <= sentence.span.start < choice.span.end


def _citations(chosen: Sequence[_Choice], hits: Sequence[Hit]) -> tuple[Citation, ...]:
    articles = {hit.passage.id: hit.article for hit in hits}
    return tuple(_citation(n, choice, articles[choice.passage_id]) for n, choice in enumerate(chosen, start=1))


def _citation(number: int, choice: _Choice, article: Article) -> Citation:
    start, end = choice.span.start, choice.span.end
    return Citation(number, article, choice.passage_id, start, end, article.text[start:end])


def _statement(citation: Citation) -> Statement:
    text = " ".join(citation.quote.split())
    found = citation.article.text[citation.start : citation.end]
    same = " ".join(found.split()) == text
    check = Check("quote", text, found, same)
    return Statement(text, (citation,), Verdict.SUPPORTED if same else Verdict.UNSUPPORTED, (check,))
