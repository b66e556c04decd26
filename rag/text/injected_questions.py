"""Tells what a question asks from the orders that it gives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.text.injection import is_order
from rag.text.sentences import sentences

LEFT_OUT = "the question gives orders beside what it asks; these were left out"
NOTHING_ASKED = "the question gives orders and asks nothing; what is said here is only what the articles say"
_CLAUSE = re.compile(r":\s+(?=(?:how|who|whom|what|when|where|which|why|did|was|were|is|are|has|have)\b)", re.I)
_ASKS = re.compile(
    r"\?\W*$|^\W*(?:(?:and|so|now|then|but),? )?(?:how|who|whom|whose|what|when|where|which|why|did|does|do you|was|"
    r"were|"
    r"is|are|has|have|had|can|will|would)\b",
    re.I,
)
_POLITE = r"^\W*(?:please |kindly |now |first |just )*"
_UNDOES = re.compile(
    rf"{_POLITE}(?:(?:ignore|disregard|forget|override|bypass|skip)\b.*\b(?:articles?|sources?|passages?|evidence|"
    rf"documents?|"
    r"rules?|instructions?|prompts?|guidelines|everything|checks?)\b|(?:do not|don['’]t|never|stop|no longer) "
    r"(?:cit|check|verify|us|quot|look|read|search)(?:e|ing)?\b|(?:you are|you['’]re|act|behave|pretend|imagine|"
    r"role-?play)\b(?!.*\?)|from now on\b|(?:answer|reply|respond) (?:only |just |always )?(?:with|by|in)\b)",
    re.I,
)
_MEANS = re.compile(rf"{_POLITE}(?:confirm|say|state|report|tell|summari[sz]e)\b", re.I)


@dataclass(frozen=True, slots=True)
class Request:
    """What a question asks, and whether it gives orders beside that; nothing is asked if `asked` is empty."""

    asked: str
    orders: bool


def request(question: str) -> Request:
    """The question without the orders in it, such as to forget the articles or what to say.

    "Confirm that he left" is an order too, but means a question, and stays one if no other part undoes the rules.
    """
    clauses = list(_clauses(question))
    kept = [clause for clause in clauses if not _is_order(clause)]
    if len(kept) == len(clauses):
        return Request(question, False)
    asking = [clause for clause in kept if _ASKS.search(clause)]
    undone = any(_UNDOES.search(clause) or _gives_away(clause) for clause in clauses)
    if not asking and not undone:
        return Request(question, False)
    return Request(" ".join(asking), True)


def _is_order(clause: str) -> bool:
    return bool(_UNDOES.search(clause)) or is_order(clause)


def _gives_away(clause: str) -> bool:
    """Whether it is an order that means no question: not only to confirm or say something."""
    return is_order(clause) and not _MEANS.match(clause)


def _clauses(question: str) -> Iterator[str]:
    for span in sentences(question):
        yield from (part for part in _CLAUSE.split(question[span.start : span.end]) if part.strip())
