"""Finds the sentence right behind another one in which somebody denies it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from rag.models.injection import is_ordered
from rag.schema import DENIAL, Article, Check, Citation, Span, Statement, Verdict
from rag.text.sentences import sentences

FARTHEST = 8
"""Characters between two sentences of one paragraph."""
_LONGEST = 1_000
_VERB = r"\b(?:den(?:y|ies|ied)|reject(?:s|ed)|dispute[sd])"
# "A spokesman, Jon Ott, denied this": who denies is named, and only the sentence before says what.
_DENIAL = re.compile(
    r"(?!(?:He|She|It|They|We|I)\b)"
    r"(?:(?!\b(?:not|never|neither|nor|no|but|while|though|although|whereas)\b|, and\b|n['’]t\b)[^;:—])*?"
    rf"{_VERB} (?:this|that|it)(?=[.,;:]| (?:and|but|as|for|on|in|at|by)\b)",
    re.IGNORECASE,
)


def is_denial(sentence: str) -> bool:
    """Whether somebody who is named denies or rejects what only the sentence before it says."""
    return bool(_DENIAL.match(sentence))


def denial_behind(article: Article, span: Span) -> Span | None:
    """The sentence of an article that denies the one in which a span ends; none that is addressed to a program."""
    text, size = article.text[span.start : span.end + _LONGEST], span.end - span.start
    for own, behind in pairwise(sentences(text)):
        if own.start < size <= behind.start <= own.end + FARTHEST and is_denial(text[behind.start : behind.end]):
            found = Span(span.start + behind.start, span.start + behind.end)
            return None if is_ordered(article, found) else found
    return None


def with_denial(statement: Statement, citations: Iterable[Citation]) -> Statement:
    """The statement, if it is supported, with what the article adds behind one of the citations.

    Not if the statement cites that, or tells of a denial itself. Its verdict stays.
    """
    if statement.verdict is not Verdict.SUPPORTED or re.search(_VERB, statement.text, re.IGNORECASE):
        return statement
    for cited in citations:
        span = denial_behind(cited.article, Span(cited.start, cited.end))
        quote = " ".join(cited.article.text[span.start : span.end].split()) if span else ""
        if quote and not any(quote in " ".join(own.quote.split()) for own in statement.citations):
            return replace(statement, checks=(*statement.checks, Check(DENIAL, "not denied", quote, False)))
    return statement
