"""Scores how well the evidence supports a statement as a whole."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.checks.rules.reading import Word, read_text
from rag.checks.rules.wordvectors import rarity, vector
from rag.models.reader import Pair, Reader
from rag.schema import Check
from rag.text.sentences import sentences

Numbers: TypeAlias = NDArray[np.float64]

THRESHOLD = 0.5
"""The score from which a statement counts as supported."""
SOFT = ("attribution", "speaker")
"""The kinds of checks that say what a reader should know, but what makes no statement untrue."""
# What the share of words that is shown adds to the log odds that it follows, and what is asked for: read off the tables
# of training/fit_support.py.
_WORDS, _CITED, _CHANCE = 6.0, 0.0, 3.0
_STEEP, _MOST, _TINY = 10.0, 0.8, 1e-4
_LONGEST = 900
"""Characters of spans that the verifier reads whole."""
_ORIGIN = re.compile(r"\s*\([^()]*\d{4}\)(?=\.?$)")
"""The outlet and date behind a statement, which the verifier need not look for."""
_COUNTED = ("number", "date", "name")
_MOST_SENTENCES = 8
_SELECTED = 3
_TOGETHER = 2
"""Sentences that may share what a statement says."""
_ALIKE = 0.35


@dataclass(frozen=True, slots=True)
class Support:
    """How far the evidence supports a statement, 0 to 1, and the nearest sentence.

    With what that is made of if the verifier was asked: the log odds that the statement follows, and the share of its
    words that is shown.
    """

    probability: float
    nearest: str | None
    follows: float = math.inf
    shown: float = 1.0

    @property
    def told(self) -> str:
        """The probability with the nearest sentence."""
        return f"{self.probability:.2f}: {self.nearest}" if self.nearest else f"{self.probability:.2f}"


def support(
    statement: str, cited: Mapping[str, str], checks: Sequence[Check], verifier: Reader | None, *, chosen: bool = False
) -> Support:
    """The support of a statement by the texts that it cites, or by texts that were chosen for it out of more.

    The texts have their headers as values. The verifier reads the statement beside all of what it cites, or what is
    nearest in a long text, and says how probably it follows; the more of the statement's words are there, the less of
    that is asked for. More is asked for of what was `chosen`, where much is alike by chance. The facts that passed
    their checks count as found if they are written otherwise. What is copied is supported. Without a verifier the words
    decide.
    """
    aligned = _align(statement, tuple(cited), _known(c for c in checks if c.kind != "name" or chosen))
    if aligned is None:
        return Support(0.0, None)
    nearest = aligned.sentences[aligned.nearest].text
    together = aligned.found[_chosen(aligned)[:_TOGETHER]].max(axis=0)
    shown = float(together @ aligned.weights / aligned.weights.sum())
    whole = " ".join(cited)
    claim = _as_written(_ORIGIN.sub("", statement), checks)
    if statement.rstrip(".") in whole or claim.rstrip(".") in whole:
        return Support(1.0, nearest)
    if not verifier:
        return Support(_logistic(_STEEP * (shown - _MOST)), nearest)
    premises = {whole} if len(whole) <= _LONGEST and not chosen else {_near(aligned), nearest}
    header = next((header for text, header in cited.items() if nearest in text), "")
    entailed = max(_entailed(verifier, Pair(premise, claim, header.replace("\n", ", "))) for premise in premises)
    follows = math.log((entailed + _TINY) / (1 - entailed + _TINY))
    margin = follows + _WORDS * shown - (_CHANCE if chosen else _CITED)
    return Support(_logistic(margin), nearest, follows, shown)


@lru_cache(maxsize=2048)
def _entailed(verifier: Reader, pair: Pair) -> float:
    """The probability that a claim follows; kept, since the groups that a draft is held against overlap."""
    return verifier.entail([pair])[0].entailment


def _as_written(statement: str, checks: Iterable[Check]) -> str:
    """The statement with the numbers and names of the evidence, and without days that this has otherwise.

    These have checks of their own: 48 hours may be two days there, and 9 July Friday. Another name is put in, too.
    """
    for check in checks:
        if not check.found or check.found == check.expected:
            continue
        if check.kind == "date" and check.passed:
            statement = re.sub(rf"(?:,? (?:in|on|by))? {re.escape(check.expected)}\b,?", "", statement, count=1)
        if (check.kind == "number" and check.passed) or check.kind == "name":
            statement = statement.replace(check.expected, check.found.split(" (")[0], 1)
    return statement


def _logistic(margin: float) -> float:
    return 1 / (1 + math.exp(-margin))


@dataclass(frozen=True, slots=True, eq=False)
class _Sentence:
    text: str
    words: tuple[Word, ...]
    stems: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class _Alignment:
    """The words of a statement, and how well each content word is found in each sentence, 0 to 1."""

    words: tuple[Word, ...]
    content: tuple[int, ...]
    weights: Numbers
    found: Numbers
    sentences: tuple[_Sentence, ...]

    @property
    def nearest(self) -> int:
        """The sentence with most of the statement."""
        return int(np.argmax(self.found @ self.weights))


def _known(checks: Iterable[Check]) -> frozenset[str]:
    """The words of the facts that were found."""
    texts = (check.expected for check in checks if check.passed and check.kind in _COUNTED)
    return frozenset(word.stem for text in texts for word in read_text(text).words)


def _align(statement: str, texts: Sequence[str], known: frozenset[str]) -> _Alignment | None:
    words = read_text(statement).words
    content = tuple(i for i, word in enumerate(words) if word.is_content) or tuple(range(len(words)))
    read = [sentence for text in texts for sentence in _split(text)]
    if not words or not read:
        return None
    weights = np.array([rarity(words[i].text.lower()) for i in content])
    own = {words[i].stem: weight for i, weight in zip(content, weights, strict=True)}
    order = sorted(range(len(read)), key=lambda i: (-sum(own[s] for s in own.keys() & read[i].stems), i))
    nearest = tuple(read[i] for i in order[:_MOST_SENTENCES])
    found = np.array([_found([words[i] for i in content], sentence) for sentence in nearest])
    held = frozenset[str]().union(*(sentence.stems for sentence in nearest))
    found[:, [words[i].stem in known - held for i in content]] = 1.0
    return _Alignment(words, content, weights, found, nearest)


@lru_cache(maxsize=2048)
def _split(text: str) -> tuple[_Sentence, ...]:
    read = []
    for span in sentences(text):
        words = read_text(text[span.start : span.end]).words
        if words:
            read.append(_Sentence(text[span.start : span.end], words, frozenset(w.stem for w in words)))
    return tuple(read)


def _found(stated: Sequence[Word], sentence: _Sentence) -> Numbers:
    """1 for a word that is there, else its likeness to the word most like it; a number is like no other."""
    there, table = _vectors(sentence.text)
    likeness = np.array([_likeness(word, there, table) for word in stated])
    exact = np.array([word.stem in sentence.stems for word in stated])
    return np.where(exact, 1.0, likeness)


def _likeness(word: Word, there: Sequence[Word], table: NDArray[np.float32]) -> float:
    if not there or word.stem[0].isdigit():
        return 0.0
    best = float((table @ vector(word.text.lower())).max())
    return best if best > _ALIKE else 0.0


@lru_cache(maxsize=2048)
def _vectors(text: str) -> tuple[tuple[Word, ...], NDArray[np.float32]]:
    """The content words of a sentence that are no numbers, with their vectors."""
    words = tuple(w for w in read_text(text).words if w.is_content and not w.stem[0].isdigit())
    return words, np.array([vector(w.text.lower()) for w in words], np.float32)


def _chosen(aligned: _Alignment) -> list[int]:
    """The nearest sentence and, one after the other, those that add most to it."""
    chosen = [aligned.nearest]
    got = aligned.found[chosen[0]]
    for _ in range(_SELECTED - 1):
        gains = np.maximum(got, aligned.found) @ aligned.weights
        chosen.append(int(np.argmax(gains)))
        got = np.maximum(got, aligned.found[chosen[-1]])
    return chosen


def _near(aligned: _Alignment) -> str:
    """The sentences that show most of a statement, as one text."""
    return " ".join(aligned.sentences[i].text for i in sorted(set(_chosen(aligned))))
