"""Finds what a question takes for granted and what is cited does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.checks.exact import check_names
from rag.checks.rules.facts import Evidence
from rag.checks.rules.wordvectors import rarity, vector
from rag.models.injection import without_orders
from rag.retrieval.query import Query
from rag.schema import Article, Citation, Span
from rag.text.relative_dates import moments
from rag.text.words import content_words

_DOER = r"\b(?:did|does|do|has|have|had|will) (?:the )?{}\b"
"""Who does what is asked about, behind an auxiliary."""
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ASKED = re.compile(r"\b(?:how (?:many|much)|which|what) $", re.IGNORECASE)
"""Before the kind of thing that is asked for."""
_MOST = 4
_ALIKE = 0.5
"""From which likeness on a word stands for another one: killed for died, but not captured for fell."""

_RARE, _FAR = 2.0, 0.2
"""A word that is not said is a reason for doubt from this rarity on, or if no word is even this much like it."""


@dataclass(frozen=True, slots=True)
class Premises:
    """What of a question has no support in what is cited for it.

    `unnamed` are names that are nowhere in the articles, `unsaid` names and telling words that no citation has; `unmet`
    is whether one of the names is who does what is asked about.
    """

    unnamed: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    unmet: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether the question is likely to take for granted what is not so."""
        return bool(self.unnamed) or self.unmet

    @property
    def beside_answer(self) -> tuple[str, ...]:
        """What a reader of a likely answer must know."""
        return (f"The sentences above do not say {_listed(self.unsaid)}.",) if self.unsaid else ()

    @property
    def beside_nearest(self) -> tuple[str, ...]:
        """What a reader of an abstention must know of the nearest articles."""
        return (f"The nearest articles do not mention {_listed(self.unnamed)}.",) if self.unnamed else ()


def premises(query: Query, cited: Sequence[Citation], articles: Sequence[Article]) -> Premises:
    """What a question takes for granted, held against what is cited and against the articles that were read for it."""
    if not cited:
        return Premises()
    names = tuple(dict.fromkeys(_unnamed(query, [Evidence(citation.quote) for citation in cited])))
    return Premises(
        tuple(dict.fromkeys(_unnamed(query, [_whole(article) for article in articles]))),
        (*names, *_unsaid(query, cited))[:_MOST],
        any(re.search(_DOER.format(re.escape(name)), query.text) for name in names),
    )


def _unnamed(query: Query, evidence: Sequence[Evidence]) -> Iterator[str]:
    """The names that only the question has, whole; not those of the conversation before it."""
    failed = (c.expected for c in check_names(query.text, evidence) if not c.passed)
    for part in failed:
        if not query.background.issuperset(content_words(part)):
            yield next((name for name in query.names if part in name.split()), part)


def _unsaid(query: Query, cited: Sequence[Citation]) -> Iterator[str]:
    """The words that no quote or title has, nor one like them; not names, dates, and the kind that is asked for."""
    told = "\n".join(f"{citation.article.title}\n{citation.quote}" for citation in cited)
    said = frozenset(content_words(" ".join((*query.names, told))))
    near = [vector(word) for word in {word.lower() for word in _WORD.findall(told)}]
    wanted = frozenset(query.terms) - query.background - said
    dates = [Span(moment.start, moment.end) for moment in moments(query.text)]
    for match in _WORD.finditer(query.text):
        dated = any(date.start <= match.start() < date.end for date in dates)
        if dated or _ASKED.search(query.text[: match.start()]) or wanted.isdisjoint(content_words(match[0])):
            continue
        wanted -= frozenset(content_words(match[0]))
        word = match[0].lower()
        likeness = max((float(vector(word) @ other) for other in near), default=0.0)
        if likeness < (_ALIKE if rarity(word) >= _RARE else _FAR):
            yield match[0]


def _whole(article: Article) -> Evidence:
    return Evidence(without_orders(article, Span(0, len(article.text))), article.header)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)
