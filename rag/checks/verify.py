"""Checks a statement against the spans it cites."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from rag.checks.quotes import check_quotes, check_voices, locate, quotations
from rag.checks.rules.comparison import compare, is_instead, is_of_the_same
from rag.checks.rules.facts import Evidence, ground
from rag.checks.rules.links import cause, order, turned
from rag.checks.rules.matching import paired, stated
from rag.checks.rules.predication import force, polarity
from rag.checks.rules.roles import roles, subjects
from rag.checks.rules.support import SOFT, THRESHOLD, support
from rag.errors import VerifierError
from rag.models.injection import bears_out, is_beside_order, is_ordered, labelled, left_of, without_orders
from rag.models.minilm import cores
from rag.models.reader import VERIFIER, Entailment, Pair, shared_reader
from rag.schema import Check, Citation, Reason, Span, Statement, Status, Verdict
from rag.text.relative_dates import anchored_dates
from rag.text.sentences import sentences
from rag.text.speakers import compare_speakers, compare_voices, speaker, told_by, voices_at
from rag.text.words import content_words, words

FACTS = (
    "number",
    "date",
    "name",
    "quote",
    "negation",
    "modality",
    "direction",
    "role",
    "cause",
    "sequence",
    "contradiction",
)
"""The kinds of checks that a supported statement must pass, and that contradict it if something else was found."""
_VALUES = ("number", "date", "name")
_REPLY = re.compile(r"^(?:Yes|No)[.,;:—–]\s+(?=\w)")
"""What only a question gives a sense to."""
_LINK = re.compile(
    r"(?:(?:however|meanwhile|moreover|additionally|furthermore|nevertheless|nonetheless|likewise|similarly|and|but)\b,?|"
    r"(?:also|besides|still|yet|indeed|overall|again|regardless|conversely|incidentally|specifically|separately|"
    r"notably|importantly|interestingly|unfortunately|fortunately|surprisingly|remarkably|crucially|admittedly|"
    r"naturally|"
    r"(?:first|second|third|last|final)(?:ly)?|in (?:addition|fact|particular|short|sum|summary|conclusion|contrast)|"
    r"by contrast|of course|on the (?:one|other) hand|for (?:example|instance|(?:his|her|its|their) part)|that said|"
    r"even so|in other words|as a matter of fact|to be sure|above all|after all|what is more|among other things),"
    r")\s+(?=\S)",
    re.I,
)
"""What only links a sentence to the one before."""
_SURE = 0.5
_ENDS = ".!?"
_QUOTE_MARKS = str.maketrans("“”‘’", "\"\"''")
_AROUND = 600
_TIGHT = 300
"""Words. In spans that were chosen out of more, `_LOOSE` checks fail by chance about as often as for a reason."""
_LOOSE = ("role", "speaker", "direction", "cause", "sequence")


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

    Every number, date, name, quotation, negation and the like must be in the spans, bound to the same things; what is
    left must be supported by them as a whole: by our own score, or by what an `entailment` model makes of it.
    Sentences that are addressed to a program bear nothing out, those that come near that only themselves, and those
    that come less near, or are beside one, what says most of them. `searched`
    is the number of words that the spans were chosen from, if they were chosen for this statement; the default is that
    they are what it cites.
    """
    said_by, text = speaker(statement.text), _unlinked(statement.text)
    if not words(statement.text):
        return _unchecked(statement, "a sentence with words")
    if not spans:
        missing = Check("citation", "a cited span", None, False)
        return replace(statement, verdict=Verdict.UNSUPPORTED, checks=(missing,), speaker=said_by)
    spans = [part for citation in spans for part in _believed(citation)]
    quoting = [c for c in spans if any(_is_verbatim(t, c.quote) for t in (statement.text, text))]
    if verbatim := next((c for c in quoting if _is_whole(c) or _undoubted(c, text) == [c]), None):
        same = Check("quote", statement.text, " ".join(verbatim.quote.split()), True)
        return replace(statement, verdict=Verdict.SUPPORTED, checks=(same,), speaker=told_by(verbatim) or said_by)
    undoubted = [part for citation in spans for part in _undoubted(citation, text)]
    if not undoubted:
        planted = Check("order", "words that do not look addressed to a program", None, False)
        return replace(statement, verdict=Verdict.UNSUPPORTED, checks=(planted,), speaker=said_by)
    try:
        checks = check(text, [evidence(c) for c in undoubted], searched=searched, entailment=entailment)
    except VerifierError as error:
        return _unchecked(statement, str(error))
    said_by = said_by or next((c.found for c in checks if c.kind == "attribution"), None)
    return replace(statement, verdict=verdict(checks), checks=tuple(checks), speaker=said_by)


def check(
    text: str, cited: Sequence[Evidence], *, searched: int | None = None, entailment: Entailment | None = None
) -> list[Check]:
    """The checks of a sentence: of its facts, then of its support as a whole, with the most similar sentence."""
    texts, text = [_with_voice(item) for item in cited], _REPLY.sub("", text)
    voices = list(check_voices(text, [item.near or item.text for item in cited]))
    found = [*compare(text, cited), *check_quotes(text, texts), *voices, *check_relations(text, cited)]
    size = sum(len(t.split()) for t in texts) if searched is None else searched
    if size > _TIGHT:
        found = [c for c in found if c.passed or c.kind not in _LOOSE]
    if all(c.passed for c in found) and _is_quoted(text, texts, voices):
        return found
    if entailment:
        return [*found, _entailed(text, texts, entailment)]
    verifier = None if _is_settled(found) else shared_reader(cores(), VERIFIER)
    headers = {text: item.header for text, item in zip(texts, cited, strict=True)}
    whole = support(text, headers, found, verifier, chosen=searched is not None)
    return [*found, Check("support", f"{THRESHOLD:.2f}", whole.told, whole.probability >= THRESHOLD)]


def _is_settled(checks: Sequence[Check]) -> bool:
    """Whether the verdict is the same whatever the whole is worth."""
    failed = [check for check in checks if not check.passed and check.kind not in SOFT]
    others = [check.kind for check in failed if check.kind in FACTS and check.found is not None]
    return bool(failed) and not (others and set(others) <= {"name", "role"})


def _with_voice(item: Evidence) -> str:
    """A span behind the label of who says it, in a transcript."""
    label = "".join(f"{voice.upper()}: " for voice in item.voices[:1])
    return item.text if item.text.startswith(label) else f"{label}{item.text}"


def check_relations(text: str, cited: Sequence[Evidence]) -> list[Check]:
    """The checks of how a sentence says things, and of whom: denied, planned, done by others."""
    texts = [_with_voice(item) for item in cited]
    own, grounds = ground([stated(text, cited)]), ground(cited)
    return [
        *polarity(own, grounds),
        *force(own, grounds),
        *roles(own, grounds),
        *subjects(own, grounds),
        *compare_speakers(text, texts),
        *compare_voices(text, texts, [item.voices for item in cited]),
        *cause(own, text, texts),
        *order(own, text, texts),
        *turned(text, texts),
    ]


def _unlinked(sentence: str) -> str:
    """A sentence without the words that only link it to the one before: However, In addition, But."""
    linked = _LINK.match(sentence)
    if not linked:
        return sentence
    rest = sentence[linked.end() :]
    return rest[0].upper() + rest[1:]


def _is_quoted(text: str, texts: Sequence[str], voices: Sequence[Check]) -> bool:
    """Whether it says nothing but quotations of the spans and who says them, with each of these checked."""
    quotes = quotations(text)
    if not quotes or len(voices) < len(quotes) or not all(any(locate(q, t) for t in texts) for q in quotes):
        return False
    told, named = " ".join(texts), " ".join(voice.expected for voice in voices)
    for quote in quotes:
        text = text.replace(quote, " ")
    return set(content_words(text)) <= set(content_words(told)) & set(content_words(named))


def _entailed(text: str, texts: Sequence[str], entailment: Entailment) -> Check:
    """Whether one of the spans entails it, and none denies it more surely."""
    scores = entailment.entail([Pair(premise, text) for premise in texts])
    best = max(range(len(texts)), key=lambda i: scores[i].entailment)
    denied = max(score.contradiction for score in scores)
    sure = scores[best].entailment
    kind = "contradiction" if denied > max(sure, _SURE) else "entailment"
    return Check(kind, f"{_SURE:.2f}", f"{sure:.2f}: {texts[best]}", kind == "entailment" and sure >= _SURE)


def verdict(checks: Sequence[Check]) -> Verdict:
    """What the checks come to: contradicted where another value was found, unsupported where none was.

    Another name or role contradicts only in what supports the rest: elsewhere it may mean something else.
    """
    failed = [check for check in checks if not check.passed and check.kind not in SOFT]
    alien = any(check.kind == "support" for check in failed)
    found = [check.kind for check in failed if check.kind in FACTS and check.found is not None]
    if any(kind not in ("name", "role") or not alien for kind in found):
        return Verdict.CONTRADICTED
    return Verdict.UNSUPPORTED if failed else Verdict.SUPPORTED


def without_alien(statement: Statement, text: str) -> Statement:
    """The statement without the numbers, days and names that are said of another thing in the sentences it cites.

    What nothing else contradicts is unsupported. A value of the same thing is named only if no other could be meant.
    `text` is what the statement says without the outlet in brackets.
    """
    failed = [c for c in statement.checks if not c.passed and c.found is not None and c.kind in _VALUES]
    if not failed:
        return statement
    pair = paired(text, [Evidence(c.quote, published=c.article.known_day) for c in statement.citations])
    alien = [c for c in failed if not is_of_the_same(c, pair)]
    own = tuple(replace(c, found=None) if c in alien else c for c in statement.checks)
    is_open = statement.verdict is Verdict.CONTRADICTED and verdict(own) is not Verdict.CONTRADICTED
    checks = tuple(replace(c, found=None) if c in failed and not is_instead(c, pair) else c for c in own)
    return replace(statement, checks=checks, verdict=Verdict.UNSUPPORTED if is_open else statement.verdict)


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
    claimed = [c.found for s in statements for c in s.checks if c.kind == "attribution" and not c.passed]
    invented = sum(c.kind == "citation" and not c.passed for s in statements for c in s.checks)
    if invented:
        told.append(f"{invented} citations stand for nothing that was given")
    return (*told, *(f"told as a fact, though the source has it from {name}" for name in dict.fromkeys(claimed)))


def evidence(citation: Citation) -> Evidence:
    """A citation with its frame: the article's header, and the text around the span."""
    article, span = citation.article, Span(citation.start, citation.end)
    around = Span(max(0, span.start - _AROUND), min(len(article.text), span.end + _AROUND))
    voices = voices_at(article.text, span.start)
    header = "\n".join((labelled(article).header, *voices[:1]))
    near = without_orders(article, around)
    return Evidence(citation.quote, header, near, article.known_day, tuple(anchored_dates(article, span)), voices)


def _believed(citation: Citation) -> list[Citation]:
    """What of a cited span is not addressed to a program."""
    article = citation.article
    span = Span(citation.start, citation.end)
    return _parts(citation, left_of(article, span)) if is_ordered(article, span) else [citation]


def _undoubted(citation: Citation, statement: str) -> list[Citation]:
    """A cited span without what is of sentences that may want a statement said, rather than say it."""
    article, touched = citation.article, _touched(citation)
    text = article.text
    kept = [s for s in touched if bears_out(text[s.start : s.end], statement, beside=is_beside_order(article, s))]
    cut = [Span(max(s.start, citation.start), min(s.end, citation.end)) for s in kept]
    return [citation] if kept == touched else _parts(citation, cut)


def _is_whole(citation: Citation) -> bool:
    return all(citation.start <= span.start and span.end <= citation.end for span in _touched(citation))


def _touched(citation: Citation) -> list[Span]:
    """The whole sentences that a citation has a part of."""
    text = citation.article.text
    first = max(text.rfind("\n", 0, citation.start) + 1, citation.start - _AROUND)
    end = text.find("\n", citation.end)
    last = min(end if end >= 0 else len(text), citation.end + _AROUND)
    found = (Span(first + s.start, first + s.end) for s in sentences(text[first:last]))
    return [span for span in found if span.start < citation.end and citation.start < span.end]


def _parts(citation: Citation, spans: Sequence[Span]) -> list[Citation]:
    text = citation.article.text
    return [replace(citation, start=s.start, end=s.end, quote=text[s.start : s.end], answer=None) for s in spans]


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
