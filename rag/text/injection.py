"""Finds what is addressed to a program: in articles, where it is left out, and in questions, where it is not obeyed.

The signs are few and exact: what separates the turns of a prompt, labels of roles, and the order to forget the
instructions. An order in other words passes as news; then the fence of the prompt and the check of what is said remain.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rag.schema import Article, Span
from rag.text.clean import clean, one_line
from rag.text.sentences import sentences, trimmed
from rag.text.words import content_words

LEFT_OUT = "[...]"
"""What stands in a prompt in the place of such sentences."""
QUESTION_LEFT_OUT = "the question gives orders beside what it asks; these were left out"
NOTHING_ASKED = "the question gives orders and asks nothing; what is said here is only what the articles say"
_REPEATED, _FEWEST = 0.75, 3
_MOST_TITLES = 3
_LONGEST, _REACH = 1500, 300  # characters: what is searched at once, so that the time grows with the length
_PLAIN = re.compile(r"[\x00-\x7f‘’“”–—…]*")
_MIXED = re.compile(r"[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]")
_LOOK_ALIKES = str.maketrans("АВЕКМНОРСТХІЈЅаеорсухіјѕԁοαενικτ", "ABEKMHOPCTXIJSaeopcyxijsdoaevikt")

_PROGRAM = (
    r"(?:AI|LLM|(?:Chat)?GPT|chat ?bot|(?:large )?language model|assistant|AI (?:model|reader|system|tool)|bot)s?"
)
_POLITE = r"^\W*(?:(?:please|kindly|now|first|just|important|and|so|then)[,:]? )*"
_CLAUSE = r"(?:^|[.:;!?\n>\"“*#|\])]\s*|, )(?:(?:please|kindly|now|and|important)[,:]? )*"
_SIGNS = re.compile(
    "|".join(
        (
            # What separates turns for models, fences, and the keys of a reply.
            r"<\|[^<>|\n]{1,40}\|>|\[/?INST\]|<</?\s?SYS\s?>>|</?(?:start|end)_of_turn>",
            r"</?<?(?:system|assistant|user|instructions?|prompt|context|passages?|data|fence)>",
            r"={3,} ?(?:end|[0-9a-f]{8,})|={16,}|\{(?:fence|passages?|question|context|prompt)\}",
            r"[\"'](?:role|statements|answered|tool_calls)[\"']\s*:",
            # A label of a role, at the start of a line or sentence.
            r"(?:^|[\n\[.!?-]\s*)\W{0,4}(?:system|assistant|human|user|developer|tool)"
            r"(?: (?:message|prompt|note|override|notice|instructions?|result))?(?:\]|\W{0,2}:)",
            r"(?:^|\n)\s*#{1,6} ?(?:new |system )?(?:instructions?|system|response|prompt)\b",
            r"(?:^|\n)\s*\[\d+\] [^|\n]*\||\bpassage \[\d+\]",
            # To forget what it was told.
            rf"{_CLAUSE}(?:ignore|disregard|forget|override|bypass)\b[^.;!?\n]{{0,40}}?\b(?:previous|prior|earlier|"
            r"above|preceding|your|original|initial)(?: [\w’'-]+){0,2}? (?:instructions?|prompts?|guidelines?|"
            r"directions|rules|context|commands?)\b",
            rf"{_CLAUSE}(?:ignore|disregard|forget|override|bypass) (?:(?:all|any|every|these|the) )+(?:instructions?|"
            r"prompts?|above|passages|rules you (?:were|have been) given)|"
            rf"{_CLAUSE}(?:ignore|disregard|forget) all (?:the )?rules\b",
            r"\byou are (?:now )?in (?:developer|jailbreak|DAN|god) mode\b",
            r"\b(?:reveal|print|repeat|show)\b[^.;!?\n]{0,30}\byour (?:[\w-]+ )?(?:instructions|prompt)\b",
            # What names the program that it is for.
            rf"(?:^|[.!?\n]\s*)\W*(?:notes?|messages?|notices?|instructions?) (?:to|for) (?:\w+ )?{_PROGRAM}"
            r"(?: readers?)?\s*[:,.)—–]",
            rf"\b{_PROGRAM} (?:(?:that|which|who|is|are) )*(?:read|summari[sz]|process|quot|index)(?:s|es|ing)? "
            r"(?:this|these)\b",
            rf"(?:^|[.!?\n]\s*)(?:dear|hey|hello|attention),? {_PROGRAM}\b",
            rf"\byou are (?:now )?an? {_PROGRAM}\b(?! (?:to|secretar|minister|coach))",
        )
    ),
    re.IGNORECASE,
)
_TO_READERS = re.compile(
    rf"{_POLITE}(?:tell|inform|assure|convince) (?:the |your |all |every )*(?:readers?|users?)\b", re.IGNORECASE
)
RULES = hashlib.sha256("\n".join(("2", _SIGNS.pattern, _TO_READERS.pattern)).encode()).hexdigest()
"""Identifies these rules: an article that was looked at by others is looked at anew."""

_QUESTION_CLAUSE = re.compile(
    r":\s+(?=(?:how|who|whom|what|when|where|which|why|did|was|were|is|are|has|have)\b)", re.I
)
_ASKS = re.compile(
    r"\?\W*$|^\W*(?:(?:and|so|now|then|but),? )?(?:how|who|whom|whose|what|when|where|which|why|did|does|do you|was|"
    r"were|is|are|has|have|had|can|will|would)\b",
    re.I,
)
_UNDOES = re.compile(
    rf"{_POLITE}(?:(?:ignore|disregard|forget|override|bypass|skip)\b.*\b(?:articles?|sources?|passages?|evidence|"
    r"documents?|rules?|instructions?|prompts?|guidelines|everything|checks?)\b|(?:do not|don['’]t|never|stop) "
    r"(?:cit|check|verify|us|quot|look|read|search)(?:e|ing)?\b|(?:you are|you['’]re|act|behave|pretend|imagine|"
    r"role-?play)\b(?!.*\?)|from now on\b|(?:answer|reply|respond) (?:only |just |always )?(?:with|by|in)\b)",
    re.I,
)


def is_order(text: str) -> bool:
    """Whether a sentence passes for a part of a prompt, or is addressed to a program that reads it."""
    plain = _folded(text)
    parts = range(0, max(1, len(plain)), _LONGEST - _REACH)
    return any(_has_sign(plain[start : start + _LONGEST]) for start in parts)


@lru_cache(maxsize=1024)
def orders(text: str) -> tuple[Span, ...]:
    """The sentences that are addressed to a program, the rest of their lines, and those that repeat them."""
    spans = sentences(text)
    flags = [is_order(text[s.start : s.end]) for s in spans]
    if not any(flags):
        return ()
    for place, (before, span) in enumerate(pairwise(spans)):
        flags[place + 1] |= flags[place] and "\n" not in text[before.end : span.start]
    claims = [_stems(text, span) for span, flag in zip(spans, flags, strict=True) if flag]
    return tuple(span for span, flag in zip(spans, flags, strict=True) if flag or _repeats(_stems(text, span), claims))


def planted(article: Article) -> tuple[Span, ...]:
    """Those of an article, as they were found when it was added, else as they are found now."""
    return orders(article.text) if article.orders is None else article.orders


def is_ordered(article: Article, span: Span) -> bool:
    """Whether a span of an article has a part of such a sentence in it."""
    return any(span.start < order.end and order.start < span.end for order in planted(article))


def without_orders(article: Article, span: Span) -> str:
    """The text of a span, with `[...]` in the place of such sentences."""
    return LEFT_OUT.join(article.text[part.start : part.end] for part in _between(article, span))


def left_of(article: Article, span: Span) -> list[Span]:
    """The parts of a span that no such sentence is in, without white space around them."""
    parts = (trimmed(article.text, part) for part in _between(article, span))
    return [part for part in parts if part.start < part.end]


def left_out(articles: Iterable[Article]) -> tuple[str, ...]:
    """The warning that sentences of these articles were left out; none if there are no articles."""
    return _warning(articles, "left out")


def flagged(articles: Iterable[Article]) -> tuple[str, ...]:
    """The warning that those of the articles that have such sentences are kept without being believed in them."""
    return _warning((a for a in articles if is_order(a.title) or planted(a)), "kept, but no answer is made of them")


@dataclass(frozen=True, slots=True)
class QuestionParts:
    """What a question asks, and whether it gives orders beside that; nothing is asked if `asked` is empty."""

    asked: str
    orders: bool


def request(question: str) -> QuestionParts:
    """The question without the orders in it, such as to forget the articles.

    "Confirm that he left" means a question, and stays one if no other part undoes the rules.
    """
    spans = sentences(question)
    clauses = [p for s in spans for p in _QUESTION_CLAUSE.split(question[s.start : s.end]) if p.strip()]
    kept = [clause for clause in clauses if not (_UNDOES.search(clause) or is_order(clause))]
    if len(kept) == len(clauses):
        return QuestionParts(question, False)
    return QuestionParts(" ".join(clause for clause in kept if _ASKS.search(clause)), True)


def _has_sign(plain: str) -> bool:
    return bool(_SIGNS.search(plain) or _TO_READERS.search(plain))


def _warning(articles: Iterable[Article], what: str) -> tuple[str, ...]:
    found = {a.id: LEFT_OUT if is_order(a.title) else one_line(a.title, 80) for a in articles}
    if not found:
        return ()
    who = "an article has" if len(found) == 1 else f"{len(found)} articles have"
    more = "; ..." if len(found) > _MOST_TITLES else ""
    titles = "; ".join(list(found.values())[:_MOST_TITLES])
    return (f"{who} sentences addressed to a program; {what}: {titles}{more}",)


def _repeats(stems: frozenset[str], claims: Sequence[frozenset[str]]) -> bool:
    """Whether a sentence says again what an order wants said, with no number that is not in it."""
    numbers = {stem for stem in stems if stem[0].isdigit()}
    return len(stems) >= _FEWEST and any(
        len(stems & claim) >= _REPEATED * len(stems) and numbers <= claim for claim in claims
    )


def _stems(text: str, span: Span) -> frozenset[str]:
    return frozenset(content_words(text[span.start : span.end]))


def _folded(text: str) -> str:
    """The text without unseen characters, wide letters and letters of other alphabets that look like Latin ones."""
    if _PLAIN.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKC", clean(text))
    return plain.translate(_LOOK_ALIKES) if _MIXED.search(plain) else plain


def _between(article: Article, span: Span) -> Iterator[Span]:
    """What is before, between and after the orders within a span."""
    start = span.start
    for order in planted(article):
        if order.start < span.end and start < order.end:
            yield Span(start, max(start, order.start))
            start = min(order.end, span.end)
    yield Span(start, span.end)
