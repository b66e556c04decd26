"""Finds what stands beside the best sentence: what another article answers too, and what says the opposite."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rag.checks.rules.reading import read_text
from rag.compare.relation import Report, is_of_one_event
from rag.retrieval.query import Query
from rag.retrieval.rerank import Sentence
from rag.schema import Article
from rag.text.names import occurs
from rag.text.speakers import speaker
from rag.text.words import content_words

_ELSEWHERE, _LEAST_ELSEWHERE = 2.0, 0.0
_OPPOSED, _LEAST_OPPOSED = 10.0, -4.5
"""How far below the best sentence one may score, and what the reader must make of it: of another article, and of one
that has somebody say the opposite of what the question names."""
_WHETHER = re.compile(
    r"\W*(?:(?:and|but|so),? )?(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would)\b", re.I
)


def is_beside(query: Query, best: Sentence, sentence: Sentence, articles: Mapping[str, Article]) -> bool:
    """Whether a sentence is a second answer: another article's by the reader, or the opposite to whether it is so.

    That sources contradict one another is not said of them. `articles` are those of the passages.
    """
    if sentence.is_order or sentence.reading is None:
        return False
    below, reading = best.score - sentence.score, sentence.reading.score
    one, other = (Report(articles[s.passage_id], s.passage_id, s.span, s.text) for s in (best, sentence))
    if one.article.id != other.article.id and below <= _ELSEWHERE and reading >= _LEAST_ELSEWHERE:
        return True
    if not _WHETHER.match(query.text) or below > _OPPOSED or reading < _LEAST_OPPOSED:
        return False
    told = [speaker(s.text) or "" for s in (best, sentence)]
    is_named = any(occurs(n, best.text) and occurs(n, sentence.text) for n in query.names)
    if not (told[1] and is_named and _denies(best) != _denies(sentence)):
        return False
    return is_of_one_event(one, other, but=frozenset(word for who in told for word in content_words(who)), days=True)


def _denies(sentence: Sentence) -> bool:
    return any(word.negated for word in read_text(sentence.text).words)
