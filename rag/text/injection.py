"""Finds the sentences of a text that are addressed to a program which reads it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from rag.schema import Article, Span
from rag.text.clean import clean, one_line
from rag.text.injection_patterns import ELSEWHERE, FOLLOWS, MARKS, ORDERS, OTHER_SCRIPT, PATTERNS, PROGRAM, Rule
from rag.text.sentences import sentences
from rag.text.words import content_words

_LOGIC = "1"  # to be raised when the functions below find other sentences by the same patterns
RULES = hashlib.sha256("\n".join([_LOGIC, *(p.pattern for p in PATTERNS)]).encode()).hexdigest()
"""Tells these rules from others, by which other sentences may have been found."""
LEFT_OUT = "[...]"
"""What stands in a prompt in the place of such sentences."""
_REPEATED, _FEWEST = 0.75, 3
_MOST_TITLES = 3
_LONGEST, _REACH = 1500, 300  # characters: what is searched at once, so that the time grows with the length
_PARAGRAPH = re.compile(r"\n\s*\n")
_TAG = re.compile(r"\[/?[a-z]+(?: [a-z]+|=[^\]\s]*)?\]|</?[a-z][^<>]*>|\*\*|__", re.I)
_ENCODED = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_WORD = re.compile(r"[\w.-]*\w")
_PLAIN = re.compile(r"[\x00-\x7f‘’“”–—…]*")
_MIXED = re.compile(r"[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]")
_LOOK_ALIKES = str.maketrans("АВЕКМНОРСТХІЈЅаеорсухіјѕԁοαενικτ", "ABEKMHOPCTXIJSaeopcyxijsdoaevikt")
_QUOTED = re.compile(r"“[^“”]*[”]|\"[^\"]*\"|«[^«»]*»|‘[^‘’]*’")
_SPEECH = (
    r"(?:said|says|told|tells|wrote|writes|shouted|added|urged|ordered|warned|reads|replied|recalled|cried|called|asked|"
    r"announced|insisted|quoted|instructed|advised|repeated|chanted|heard|tweeted|radioed|snapped|promised|demanded)"
)
_REPORTED = re.compile(rf"\b{_SPEECH}\b", re.I)
_ENDS_SPOKEN = re.compile(rf",[”\"]? (?:[\w’'-]+ ){{1,5}}{_SPEECH}\b|,[”\"]? {_SPEECH} (?:[\w’'-]+ ?){{1,4}}", re.I)


def is_order(text: str) -> bool:
    """Whether a sentence bids a program that reads it do, say or forget something, or passes for a part of a prompt."""
    plain = _folded(text)
    if _holds(plain) or ((bare := _TAG.sub("", plain)) != plain and _holds(bare)):
        return True
    return any(is_order(decoded) or len(decoded.split()) > 1 for decoded in _decoded(plain))


@lru_cache(maxsize=1024)
def orders(text: str) -> tuple[Span, ...]:
    """The sentences that are addressed to a program, those that go on with it, and those that repeat what it is to say.

    Sentences of reported speech ("Ignore the order," he told his men) are none of them.
    """
    spans = sentences(text)
    flagged = [is_order(text[s.start : s.end]) for s in spans]
    if not any(flagged):
        return ()
    for place, (before, span) in enumerate(pairwise(spans)):
        flagged[place + 1] |= flagged[place] and _goes_on(text, before, span)
    claims = [_stems(text, span) for span, is_one in zip(spans, flagged, strict=True) if is_one]
    return tuple(
        span for span, is_one in zip(spans, flagged, strict=True) if is_one or _repeats(_stems(text, span), claims)
    )


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
    parts = (_trimmed(article.text, part) for part in _between(article, span))
    return [part for part in parts if part.start < part.end]


def left_out(articles: Iterable[Article]) -> tuple[str, ...]:
    """The warning that sentences of these articles were left out; none if there are no articles."""
    return _told(articles, "left out")


def flagged(articles: Iterable[Article]) -> tuple[str, ...]:
    """The warning that those of the articles that have such sentences are kept without being believed in them."""
    return _told((a for a in articles if is_order(a.title) or planted(a)), "kept, but no answer is made of them")


def _told(articles: Iterable[Article], what: str) -> tuple[str, ...]:
    found = {a.id: LEFT_OUT if is_order(a.title) else one_line(a.title, 80) for a in articles}
    if not found:
        return ()
    who = "an article has" if len(found) == 1 else f"{len(found)} articles have"
    more = "; ..." if len(found) > _MOST_TITLES else ""
    titles = "; ".join(list(found.values())[:_MOST_TITLES])
    return (f"{who} sentences addressed to a program; {what}: {titles}{more}",)


def _holds(plain: str) -> bool:
    if len(plain) > _LONGEST:
        return any(_holds(plain[place : place + _LONGEST]) for place in range(0, len(plain), _LONGEST - _REACH))
    return _is_planted(plain) or (_orders(plain) and not _is_reported(plain))


def _is_planted(plain: str) -> bool:
    """Whether nobody writes so to people, so that what stands behind it in its paragraph is not believed either."""
    return (
        _has(plain, MARKS)
        or _has(plain, ELSEWHERE)
        or bool(OTHER_SCRIPT.search(plain) and ELSEWHERE.pattern.search(plain))
    )


def _orders(plain: str) -> bool:
    return any(_has(plain, rule) for rule in ORDERS)


def _has(plain: str, rule: Rule) -> bool:
    if rule.words.isdisjoint(_words(plain)) and not any(sign in plain for sign in rule.signs):
        return False
    return bool(rule.pattern.search(plain))


@lru_cache(maxsize=8)
def _words(plain: str) -> frozenset[str]:
    return frozenset(_WORD.findall(plain.casefold()))


def _is_reported(plain: str) -> bool:
    """Whether somebody says it to people: it stands in quotation marks, or before "he told his men"."""
    if PROGRAM.search(plain):
        return False
    outside = _QUOTED.sub(" ", plain)
    quoted = outside != plain and _REPORTED.search(outside) and not _orders(outside)
    return bool(quoted or _ENDS_SPOKEN.search(plain))


def _goes_on(text: str, before: Span, span: Span) -> bool:
    """Whether a sentence of the same paragraph goes on with an order, or stands behind what is planted."""
    if _PARAGRAPH.search(text[before.end : span.start]):
        return False
    return bool(FOLLOWS.search(text[span.start : span.end])) or _is_planted(_folded(text[before.start : before.end]))


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


def _decoded(text: str) -> Iterator[str]:
    """The texts that stand in it in base64."""
    for found in _ENCODED.findall(text):
        try:
            decoded = base64.b64decode(found + "=" * (-len(found) % 4), validate=True).decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if decoded.isprintable():
            yield decoded


def _between(article: Article, span: Span) -> Iterator[Span]:
    """What is before, between and after the orders within a span."""
    start = span.start
    for order in planted(article):
        if order.start < span.end and start < order.end:
            yield Span(start, max(start, order.start))
            start = min(order.end, span.end)
    yield Span(start, span.end)


def _trimmed(text: str, span: Span) -> Span:
    raw = text[span.start : span.end]
    return Span(span.start + len(raw) - len(raw.lstrip()), span.end - len(raw) + len(raw.rstrip()))
