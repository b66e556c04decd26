"""Answers a question from what was retrieved for it, in the articles' own sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.retrieval.query import Query
from rag.retrieval.rerank import TYPED, Sentence, leans
from rag.retrieval.retriever import MARGIN, Retrieved
from rag.rules.confidence import confidence
from rag.schema import Answer, Article, Citation, Hit, Reason, Span, Statement, Status
from rag.text.words import alike

MOST_SENTENCES = 3
THRESHOLD = 0.45
"""The confidence below which it abstains."""
SURE = 0.75
"""The confidence below which it warns: of the answers between the two, about two in three were right."""
_NOT_SURE = "not sure that these sentences answer the question; read them in their articles"
_COVERAGE = 6.0
_MOST_CONSIDERED = 40
_SAME_WORDS = 0.7


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
    if not query.terms:
        return Answer(query.text, query.text, status=Status.ABSTAINED, reason=Reason.UNCLEAR)
    ranked = sorted(retrieved.sentences, key=lambda s: (-s.score, s.passage_id, s.span.start))
    chosen = _chosen(query, ranked, retrieved)
    hits = retrieved.hits[:k]
    sure = confidence(query, ranked, retrieved) if ranked else 0.0
    if sure < THRESHOLD:
        nearest = _citations(chosen, retrieved.hits)
        why = Reason.NOT_IN_ARTICLES
        return Answer(query.text, query.text, status=Status.ABSTAINED, reason=why, hits=hits, nearest=nearest)
    citations = _citations(chosen, retrieved.hits)
    statements = tuple(_statement(c) for c in citations)
    warnings = () if sure >= SURE else (_NOT_SURE,)
    return Answer(query.text, query.text, statements, hits, citations=citations, warnings=warnings)


def _chosen(query: Query, ranked: Sequence[Sentence], retrieved: Retrieved) -> list[_Choice]:
    """The best sentences that say something new, as long as they are nearly as good as the best.

    After the first, one that has words of the question that the others lack is preferred: greedy coverage.
    """
    pool = [s for s in ranked if s.score >= ranked[0].score - MARGIN][:_MOST_CONSIDERED]
    terms, chosen, taken = frozenset(query.terms), list[_Choice](), list[Sentence]()
    while pool and (left := MOST_SENTENCES - sum(c.count for c in chosen)) > 0:
        open_terms = terms.difference(*(s.stems for s in taken))
        best = max(pool, key=lambda s: s.score + _COVERAGE * len(s.stems & open_terms) / len(terms))
        pool.remove(best)
        if not _is_in(best, chosen) and (not taken or _adds(best, taken)):
            taken.append(best)
            _put(chosen, best, _partner(best, retrieved), left)
    return chosen


def _adds(sentence: Sentence, taken: Sequence[Sentence]) -> bool:
    """Whether it says something else, and has the kind of thing that is asked for if the best one has it."""
    if any(alike(sentence.stems, other.stems, _SAME_WORDS) for other in taken):
        return False
    return all(sentence.features.get(name) for name in TYPED if taken[0].features.get(name))


def _put(chosen: list[_Choice], sentence: Sentence, partner: Sentence | None, left: int) -> None:
    """Adds the sentence, with the neighbour that it needs if there is room."""
    alone = _Choice(sentence.passage_id, sentence.span, 1)
    if partner is None:
        chosen.append(alone)
        return
    start, end = min(sentence.span.start, partner.span.start), max(sentence.span.end, partner.span.end)
    both = _Choice(sentence.passage_id, Span(start, end), 2)
    place = next((i for i, c in enumerate(chosen) if c == _Choice(partner.passage_id, partner.span, 1)), None)
    if place is not None:
        chosen[place] = both
    else:
        chosen.append(both if left > 1 else alone)


def _partner(sentence: Sentence, retrieved: Retrieved) -> Sentence | None:
    """What it leads in to with a colon, what leads in to it, or what it leans on; None if it stands alone."""
    passage = [s for s in retrieved.sentences if s.passage_id == sentence.passage_id]
    place = passage.index(sentence)
    before, after = passage[place - 1] if place else None, passage[place + 1] if place + 1 < len(passage) else None
    before, after = (s if s and _touch(sentence, s, retrieved) else None for s in (before, after))
    if sentence.text.endswith(":"):
        return after
    if before and (before.text.endswith(":") or (leans(sentence.text) and not before.text.endswith("?"))):
        return before
    return None


def _touch(sentence: Sentence, other: Sentence, retrieved: Retrieved) -> bool:
    """Whether nothing stands between two sentences of a passage: one that was left out may."""
    text = next(hit.article.text for hit in retrieved.hits if hit.passage.id == sentence.passage_id)
    first, last = sorted((sentence.span, other.span), key=lambda span: span.start)
    return not text[first.end : last.start].strip()


def _is_in(sentence: Sentence, chosen: Sequence[_Choice]) -> bool:
    return any(sentence.passage_id == c.passage_id and c.span.start <= sentence.span.start < c.span.end for c in chosen)


def _citations(chosen: Sequence[_Choice], hits: Sequence[Hit]) -> tuple[Citation, ...]:
    articles = {hit.passage.id: hit.article for hit in hits}
    return tuple(_citation(n, choice, articles[choice.passage_id]) for n, choice in enumerate(chosen, start=1))


def _citation(number: int, choice: _Choice, article: Article) -> Citation:
    start, end = choice.span.start, choice.span.end
    return Citation(number, article, choice.passage_id, start, end, article.text[start:end])


def _statement(citation: Citation) -> Statement:
    return Statement(" ".join(citation.quote.split()), (citation,))
