"""How likely a statement follows from evidence: the reader's judgement beside what was compared exactly.

One logistic regression over a few plain features. `training/fit_checks.py` fits it and prints its weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.checks.exact import Evidence
from rag.models.reader import Entailment, Pair
from rag.schema import Check
from rag.text.sentences import sentences
from rag.text.words import content_words

SHORT = 110
"""Words of evidence that are read as a whole; of more, the nearest sentences are read."""
_MOST_SENTENCES = (1, 3, 5)
_SUREST = 6.0

WEIGHTS = {
    "constant": 0.25,
    "entailment": 0.40,
    "contradiction": -0.34,
    "number": -0.36,
    "date": -0.78,
    "name": -1.79,
    "quote": -1.42,
    "nearby": 0.0,
    "words": 0.0,
    "searched": 0.1,
}
"""With a reader."""
LEXICAL = {
    "constant": -1.5,
    "number": -0.66,
    "date": -1.72,
    "name": -1.16,
    "quote": -1.93,
    "nearby": -0.69,
    "words": 2.21,
    "searched": 0.04,
}
"""Without one."""


@dataclass(frozen=True, slots=True)
class Support:
    """The probability that a statement follows, how surely the reader denies it, and the text that was read."""

    probability: float
    denial: float
    text: str


@dataclass(frozen=True, slots=True)
class Features:
    """What the regression weighs, by name, with the text that supports best and how surely it denies."""

    values: dict[str, float]
    denial: float
    text: str


def support(
    text: str, evidence: Sequence[Evidence], checks: Sequence[Check], searched: int, reader: Entailment | None
) -> Support:
    """How likely a statement follows from evidence that was chosen out of so many words, given its exact checks."""
    found = features(text, evidence, checks, searched, reader)
    weights = WEIGHTS if reader else LEXICAL
    total = weights["constant"] + sum(weights[name] * value for name, value in found.values.items())
    return Support(1 / (1 + math.exp(-total)), found.denial, found.text)


def features(
    text: str, evidence: Sequence[Evidence], checks: Sequence[Check], searched: int, reader: Entailment | None
) -> Features:
    """The features of `support`."""
    failed = [check.kind for check in checks if not check.passed]
    values = {kind: float(min(2, failed.count(kind))) for kind in ("number", "date", "name", "quote")}
    values["nearby"] = float(min(2, sum(check.kind == "nearby" for check in checks)))
    wanted = weighed(text)
    held = frozenset(word for item in evidence for word in content_words(f"{item.header} {item.label} {item.text}"))
    values["words"] = sum(w for word, w in wanted.items() if word in held) / (sum(wanted.values()) or 1)
    values["searched"] = math.log1p(searched / SHORT)
    pairs = list(_pairs(text, evidence, wanted))
    if not reader:
        return Features(values, 0.0, pairs[0].premise)
    judged = reader.entail(pairs)
    best = max(range(len(pairs)), key=lambda i: judged[i].entailment)
    values["entailment"] = _logit(judged[best].entailment)
    denial = judged[best].contradiction
    values["contradiction"] = _logit(denial) if denial else 0.0  # a model of two classes knows none
    return Features(values, denial, pairs[best].premise)


def _logit(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return max(-_SUREST, min(_SUREST, math.log(share / (1 - share))))


def weighed(text: str) -> dict[str, float]:
    """The content words of a statement; longer ones are rarer, and weigh more."""
    return {word: float(min(len(word), 8)) for word in content_words(text)}


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    words: frozenset[str]
    item: int


def _pairs(text: str, evidence: Sequence[Evidence], wanted: dict[str, float]) -> Iterator[Pair]:
    """What the reader is shown: short evidence, whole and span by span; of long evidence the nearest sentences."""
    if sum(len(item.text.split()) for item in evidence) <= SHORT:
        yield Pair(" ".join(f"{item.label} {item.text}".strip() for item in evidence), text, evidence[0].header)
        if len(evidence) > 1:
            yield from (Pair(f"{item.label} {item.text}".strip(), text, item.header) for item in evidence)
        return
    spans = [sentence for n, item in enumerate(evidence) for sentence in _sentences(item.text, n)]
    chosen = nearest(wanted, [sentence.words for sentence in spans], max(_MOST_SENTENCES))
    for most in _MOST_SENTENCES[: len(chosen)]:
        rows = [spans[place] for place in sorted(chosen[:most])]
        first = evidence[rows[0].item]
        yield Pair(f"{first.label} {' '.join(row.text for row in rows)}".strip(), text, first.header)


@lru_cache(maxsize=1024)
def _sentences(text: str, item: int) -> tuple[_Sentence, ...]:
    found = (text[span.start : span.end] for span in sentences(text))
    return tuple(_Sentence(sentence, frozenset(content_words(sentence)), item) for sentence in found)


def nearest(wanted: dict[str, float], candidates: Sequence[frozenset[str]], most: int) -> list[int]:
    """The places of the candidates that together have most of the wanted words, the best first."""
    got: set[str] = set()
    chosen: list[int] = []
    while len(chosen) < min(most, len(candidates)):
        weights = {word: weight * (0.25 if word in got else 1) for word, weight in wanted.items()}
        left = (place for place in range(len(candidates)) if place not in chosen)
        best = max(left, key=lambda place: sum(weights.get(word, 0) for word in candidates[place]))
        chosen.append(best)
        got |= candidates[best]
    return chosen
