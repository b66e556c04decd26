"""Finds what a question takes for granted and what is cited does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.checks.exact import check_names
from rag.checks.rules.comparison import compare
from rag.checks.rules.facts import Evidence
from rag.checks.rules.reading import Word, read_text
from rag.checks.rules.wordvectors import likeness, rarity
from rag.checks.verify import check_relations, evidence
from rag.models.injection import without_orders
from rag.retrieval.query import Query
from rag.schema import Article, Citation, Span
from rag.text.quantities import quantities
from rag.text.relative_dates import moments
from rag.text.words import content_words

_AUXILIARY = "(?:did|does|do|has|have|had|was|were|is|are|will|would|can|could)"
_DOER = r"\b(?:did|does|do|has|have|had|will|[Ww]hich) (?:the )?{}\b"
"""Who does what is asked about, behind an auxiliary or what asks for one of them."""
_WHETHER = re.compile(rf"{_AUXILIARY}\b", re.IGNORECASE)
"""How a question begins that takes nothing for granted."""
_KIND = re.compile(rf"\b(?:what|which|whose|how)(?: (?!{_AUXILIARY}\b)[a-z]\S*)+(?= {_AUXILIARY}\b)", re.IGNORECASE)
"""The kind of what is asked for: "what part of the land", "how long"."""
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ASKED = re.compile(r"\b(?:how (?:many|much)|which|what) $", re.IGNORECASE)
"""Before the kind of thing that is asked for."""
_BINDING = ("negation", "modality", "direction", "role")
"""The kinds of checks that a question passes like a statement, unless what is cited says otherwise."""
_MOST = 4
_ALIKE = 0.5
"""From which likeness on a word stands for another one: killed for died, but not captured for fell."""
_FOREIGN, _UNCOMMON = 0.4, 1.25
"""Below which likeness to all words of an article one that is so rare says what is not in it."""
_RARE, _FAR = 2.0, 0.2
"""A word that is not said is a reason for doubt from this rarity on, or if no word is even this much like it."""


@dataclass(frozen=True, slots=True)
class Premises:
    """What of a question has no support in what is cited for it.

    `unnamed` are names that are nowhere in the articles, `unsaid` names and words that no citation has; `unmet` is
    whether one of the names is who does what is asked about, a rare word is in no article, or what is cited differs.
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
    whole = [_whole(article) for article in articles]
    return Premises(
        tuple(dict.fromkeys(_unnamed(query, whole))),
        (*names, *_unsaid(query, cited))[:_MOST],
        not _WHETHER.match(query.text)
        and (
            any(re.search(_DOER.format(re.escape(name)), query.text) for name in names)
            or _is_foreign(query, whole)
            or _is_denied(query, cited)
        ),
    )


def nowhere(query: Query, articles: Sequence[Article]) -> tuple[str, ...]:
    """The names of a question that are in none of these articles."""
    return tuple(dict.fromkeys(_unnamed(query, [_whole(article) for article in articles])))


def _unnamed(query: Query, evidence: Sequence[Evidence]) -> Iterator[str]:
    """The names that only the question has, whole; not those of the conversation before it."""
    failed = (c.expected for c in check_names(query.text, evidence) if not c.passed)
    for part in failed:
        if not query.background.issuperset(content_words(part)):
            yield next((name for name in query.names if part in name.split()), part)


def _unsaid(query: Query, cited: Sequence[Citation]) -> Iterator[str]:
    """The words that no quote or title has, nor one like them; not names, dates, and the kind that is asked for."""
    told = "\n".join(f"{citation.article.title}\n{citation.quote}" for citation in cited)
    for match in _missing(query, told):
        if likeness(match[0], told) < (_ALIKE if rarity(match[0].lower()) >= _RARE else _FAR):
            yield match[0]


def _is_foreign(query: Query, articles: Sequence[Evidence]) -> bool:
    """Whether a rare word of a question, not the kind of what is asked, is in none of the articles, nor one like it."""
    told = "\n".join(f"{article.header}\n{article.text}" for article in articles)
    kinds = [match.span() for match in _KIND.finditer(query.text)]
    return any(
        match[0].islower() and rarity(match[0]) >= _UNCOMMON and likeness(match[0], told) < _FOREIGN
        for match in _missing(query, told)
        if not any(start <= match.start() < end for start, end in kinds)
    )


def _is_denied(query: Query, cited: Sequence[Citation]) -> bool:
    """Whether what is cited says otherwise what a question says, or has a word of it only as planned: "to resign"."""
    spans = [evidence(citation) for citation in cited]
    checks = [*compare(query.text, spans), *check_relations(query.text, spans)]
    if any(check.kind in _BINDING and not check.passed for check in checks):
        return True
    told = [pair for citation in cited for pair in _pairs(citation.quote)]
    for before, word in _pairs(query.text) if not query.said else ():
        same = [pair for pair in told if pair[1].stem == word.stem] if word.is_content else []
        if same and all(there.force > word.force and ahead == "to" != before for ahead, there in same):
            return True
    return False


def _pairs(text: str) -> Iterator[tuple[str, Word]]:
    """The words of a text, each behind the one before it."""
    words = read_text(text).words
    return zip(("", *(word.text.lower() for word in words)), words, strict=False)


def _missing(query: Query, told: str) -> Iterator[re.Match[str]]:
    """The words that a text does not have; not names, dates, numbers, and what is counted."""
    said = frozenset(content_words(" ".join((*query.names, told))))
    wanted = frozenset(query.terms) - query.background - said
    spans = [Span(m.start, m.end) for m in moments(query.text)] + [Span(q.start, q.end) for q in quantities(query.text)]
    for match in _WORD.finditer(query.text):
        valued = any(span.start <= match.start() < span.end for span in spans)
        if valued or _ASKED.search(query.text[: match.start()]) or wanted.isdisjoint(content_words(match[0])):
            continue
        wanted -= frozenset(content_words(match[0]))
        yield match


def _whole(article: Article) -> Evidence:
    return Evidence(without_orders(article, Span(0, len(article.text))), article.header)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)
