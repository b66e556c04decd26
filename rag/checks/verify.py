"""Checks a statement against the spans it cites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from rag.checks.exact import Evidence, compare
from rag.checks.support import support
from rag.errors import VerifierError
from rag.models.reader import Entailment
from rag.schema import Check, Citation, Precision, Published, Reason, Span, Statement, Status, Verdict
from rag.text.injection import is_ordered, left_of, without_orders
from rag.text.speakers import governing_label, speaker, told_by
from rag.text.words import content_words, words

LEAST = 0.5
"""The least probability of a supported statement."""
DENIED = 0.97
"""The probability from which on the reader's denial makes a statement contradicted."""
_HARD = ("number", "quote", "contradiction", "entailment", "support")
"""The kinds of checks that a supported statement must pass; of the others, those that found another value."""
_CONTRADICTING = ("number", "date", "quote", "contradiction")
_NEAR = 1_200  # characters to each side
_ENDS = ".!?"
_QUOTE_MARKS = str.maketrans("“”‘’", "\"\"''")


class Verify(Protocol):
    """Checks a statement against spans; `searched` is of how many words they were chosen from, if they were."""

    def __call__(
        self, statement: Statement, spans: Sequence[Citation], *, searched: int | None = None
    ) -> Statement: ...


def verify(
    statement: Statement,
    spans: Sequence[Citation],
    *,
    searched: int | None = None,
    entailment: Entailment | None = None,
) -> Statement:
    """The statement with a verdict, with the checks that it rests on, and with who says it.

    Its numbers, dates, names and quotations are compared with the spans; whether it follows from them is judged by
    `entailment`, or, without it, by the words they share. Sentences that are addressed to a program support nothing.
    `searched` is the number of words that the spans were chosen from; the default is that they are what it cites.
    """
    said_by = speaker(statement.text)
    if not words(statement.text):
        return _unchecked(statement, "a sentence with words")
    if not spans:
        missing = Check("citation", "a cited span", None, False)
        return replace(statement, verdict=Verdict.UNSUPPORTED, checks=(missing,), speaker=said_by)
    spans = [part for citation in spans for part in _without_orders(citation)]
    if not spans:
        planted = Check("order", "words that are not addressed to a program", None, False)
        return replace(statement, verdict=Verdict.UNSUPPORTED, checks=(planted,), speaker=said_by)
    verbatim = next((c for c in spans if _is_verbatim(statement.text, c.quote)), None)
    if verbatim:
        same = Check("quote", statement.text, " ".join(verbatim.quote.split()), True)
        return replace(statement, verdict=Verdict.SUPPORTED, checks=(same,), speaker=told_by(verbatim) or said_by)
    try:
        checks = check(statement.text, [evidence(c) for c in spans], searched=searched, entailment=entailment)
    except VerifierError as error:
        return _unchecked(statement, str(error))
    return replace(statement, verdict=verdict(checks), checks=tuple(checks), speaker=said_by)


def check(
    text: str, cited: Sequence[Evidence], *, searched: int | None = None, entailment: Entailment | None = None
) -> list[Check]:
    """The checks of a sentence: of what can be compared exactly, of its speaker, then of its support as a whole."""
    exact = compare(text, cited)
    size = sum(len(item.text.split()) for item in cited) if searched is None else searched
    whole = support(text, cited, exact, size, entailment)
    kind, told = ("entailment" if entailment else "support"), f"{whole.probability:.2f}: {whole.text}"
    if entailment and whole.denial >= DENIED and whole.probability < LEAST:
        kind = "contradiction"
    judged = Check(kind, f"{LEAST:.2f}", told, whole.probability >= LEAST)
    return [*exact, *_speaker(text, cited), judged]


def _speaker(text: str, cited: Sequence[Evidence]) -> list[Check]:
    """Whether whom a statement names as its speaker, or source, is named by a span, its label or its header."""
    stated = speaker(text)
    wanted = set(content_words(stated)) if stated else set()
    if not stated or not wanted:
        return []
    held = set(content_words(" ".join(f"{item.header} {item.label} {item.text}" for item in cited)))
    labels = next((item.label.rstrip(":") for item in cited if item.label), None)
    return [Check("speaker", stated, labels if not wanted & held else stated, bool(wanted & held))]


def verdict(checks: Sequence[Check]) -> Verdict:
    """What the checks come to; names and dates that are missing count in the support as a whole, a speaker nowhere."""
    failed = [check for check in checks if not check.passed]
    if any(check.kind in _CONTRADICTING and check.found is not None for check in failed):
        return Verdict.CONTRADICTED
    return Verdict.UNSUPPORTED if any(check.kind in _HARD for check in failed) else Verdict.SUPPORTED


def status(statements: Sequence[Statement]) -> Status:
    """Whether all of an answer's statements passed; what failed is shown too, and marked."""
    if not statements:
        return Status.ABSTAINED
    passed = all(statement.verdict is Verdict.SUPPORTED for statement in statements)
    return Status.ANSWERED if passed else Status.PARTIAL


def reason(statements: Sequence[Statement]) -> Reason | None:
    """Why it is not all of it."""
    return None if status(statements) is Status.ANSWERED else Reason.UNSUPPORTED


def warnings(statements: Sequence[Statement]) -> tuple[str, ...]:
    """What a reader must know of an answer's statements, in a line each."""
    counts = {
        "not supported by what is cited": _count(statements, Verdict.UNSUPPORTED),
        "contradicted by what is cited": _count(statements, Verdict.CONTRADICTED),
        "not checked": _count(statements, Verdict.UNCHECKED),
    }
    told = [f"{count} of {len(statements)} statements {what}" for what, count in counts.items() if count]
    invented = sum(c.kind == "citation" and not c.passed for s in statements for c in s.checks)
    if invented:
        told.append(f"{invented} citations stand for nothing that was given")
    return tuple(told)


def evidence(citation: Citation) -> Evidence:
    """A citation with what is known of it: its article's title, outlet and date, its speaker, what is around it."""
    article = citation.article
    around = Span(max(0, citation.start - _NEAR), min(len(article.text), citation.end + _NEAR))
    label = governing_label(article.text, citation.start)
    return Evidence(
        citation.quote,
        ", ".join(part for part in (article.title, article.source, str(article.published or "")[:10]) if part),
        f"{label}:" if label else "",
        without_orders(article, around),
        _day(article.published),
    )


def _without_orders(citation: Citation) -> list[Citation]:
    """What of a cited span is not addressed to a program."""
    article, span = citation.article, Span(citation.start, citation.end)
    if not is_ordered(article, span):
        return [citation]
    parts = left_of(article, span)
    return [replace(citation, start=p.start, end=p.end, quote=article.text[p.start : p.end]) for p in parts]


def _day(published: Published | None) -> date | None:
    known = published and published.precision in (Precision.DAY, Precision.TIME)
    return published.day if published and known else None


def _unchecked(statement: Statement, why: str) -> Statement:
    return replace(statement, verdict=Verdict.UNCHECKED, checks=(Check("unchecked", why, None, False),))


def _is_verbatim(text: str, quote: str) -> bool:
    """Whether it is a whole sentence of the span, or all of it, but for spaces and the kind of quote marks."""
    stated, held = _plain(text).rstrip("."), _plain(quote)
    place = held.find(stated)
    before, after = held[:place].rstrip(), held[place + len(stated) :]
    return place >= 0 and (not before or before[-1] in _ENDS) and (not after or after[0] in _ENDS)


def _plain(text: str) -> str:
    return " ".join(text.translate(_QUOTE_MARKS).split())


def _count(statements: Sequence[Statement], kind: Verdict) -> int:
    return sum(statement.verdict is kind for statement in statements)
