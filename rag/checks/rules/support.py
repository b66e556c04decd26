"""Scores how well the evidence supports a statement as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.checks.quotes import locate, quotations
from rag.checks.rules.reading import Word, read_text
from rag.checks.rules.wordvectors import rarity, vector
from rag.models.minilm import cores
from rag.models.reader import Pair, shared_reader
from rag.schema import Check
from rag.text.sentences import sentences

Numbers: TypeAlias = NDArray[np.float64]

THRESHOLD = 0.5
"""The probability from which a statement counts as supported by what was chosen out of more."""
GROUNDED, _READ, _LEAST_READ = 0.8, 2.0, 0.2
"""The share of its words from which it counts as shown by the spans that it cites; what the reader adds to it, and from
which probability on."""
SOFT = ("attribution", "speaker")
"""The kinds of checks that say what a reader should know, but what makes no statement untrue."""
# Fitted by logistic regression (see evals/README.md), then rounded.
WEIGHTS: Mapping[str, float] = {
    "one": 0.16,
    "density": 5.1,
    "pieces_density": -18.73,
    "pieces_covered": 8.72,
    "many_pieces": -7.73,
    "covered": -4.38,
    "missing": -0.1,
    "missing_run": -0.1,
    "pieces_replaced": -0.13,
    "length": 1.24,
    "sentences": -0.36,
    "quoted": 0.43,
    "tight": 0.33,
}
_LONG, _SOME = 350, 0.2
"""Characters of spans that the reader reads whole; what longer ones have to show of the words before it is asked."""
_COUNTED = ("number", "date", "name")
_MOST_SENTENCES = 8
_SELECTED = 3
_TOGETHER = 2
"""Sentences that may share what a statement says."""
_ALIKE, _FOUND, _REPLACED = 0.35, 0.5, 0.6
_ARTICLE, _SHORTEST = 300, 30
_WHOLE_PIECES = 0.34
_PRONOUNS = ("he", "she", "it", "they", "this", "that", "these", "those", "his", "her", "its", "their", "who")


@dataclass(frozen=True, slots=True)
class Support:
    """How probable it is that the evidence supports a statement, or how much of it shows, and the nearest sentence.

    The reader may raise it above 1 or lower it below 0.
    """

    probability: float
    nearest: str | None

    @property
    def told(self) -> str:
        """The probability with the nearest sentence."""
        return f"{self.probability:.2f}: {self.nearest}" if self.nearest else f"{self.probability:.2f}"


def support(statement: str, texts: Sequence[str], checks: Sequence[Check], *, searched: int) -> Support:
    """The support of a statement by texts that were chosen for it out of `searched` words.

    Of the texts, the eight sentences with most of its words are read. The facts that passed their checks count as found
    if they are written otherwise. Matches by chance are likelier in an article than
    in a span. A sentence that has all of its words supports it, whatever the rest says. If no check failed, the reader
    adds how much surer it is that the nearest sentences show it than that they deny it.
    """
    aligned = _align(statement, texts, _known(checks))
    if aligned is None:
        return Support(0.0, None)
    total = sum(WEIGHTS[name] * value for name, value in _features(aligned, statement, searched).items())
    probability = 1.0 if _is_whole(aligned) else 1 / (1 + math.exp(-total))
    reader = shared_reader(cores()) if all(check.passed or check.kind in SOFT for check in checks) else None
    if reader:
        [read] = reader.entail([Pair(_near(aligned), statement)])
        probability += _READ * (read.entailment - read.contradiction)
    return Support(probability, aligned.sentences[aligned.nearest].text)


def grounding(statement: str, texts: Sequence[str], checks: Sequence[Check] = ()) -> Support:
    """How well the spans that a statement cites show it: 0 to 1 by its words, up to 3 with the reader.

    Numbers and dates that passed their checks count as found if they are written otherwise. A name that is only near
    the spans counts for nothing. The reader is asked about wording of its own alone. Of long
    spans it reads the nearest sentences, if they have some of the words: by it, too much follows from a whole article.
    """
    aligned = _align(statement, texts, _known(c for c in checks if c.kind != "name"))
    if aligned is None:
        return Support(0.0, None)
    together = aligned.found[_chosen(aligned)[:_TOGETHER]].max(axis=0)
    shown = float(together @ aligned.weights / aligned.weights.sum())
    is_long = sum(map(len, texts)) > _LONG
    least = _SOME if is_long else 0.0
    reader = shared_reader(cores()) if least <= shown < GROUNDED else None
    if reader:
        premises = [_near(aligned)] if is_long else list(dict.fromkeys((" ".join(texts), *texts)))
        follows = max(found.entailment for found in reader.entail([Pair(text, statement) for text in premises]))
        shown += _READ * follows if follows >= _LEAST_READ else 0.0
    return Support(shown, aligned.sentences[aligned.nearest].text)


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


def _features(aligned: _Alignment, statement: str, searched: int) -> dict[str, float]:
    copied = _copied(aligned)
    size = len(aligned.words)
    pieces, density = len(copied) / size, sum(n * n for n in copied) / size**2
    best = aligned.found[aligned.nearest]
    chosen = _chosen(aligned)
    covered = float(aligned.found[chosen].max(axis=0) @ aligned.weights / aligned.weights.sum())
    together = aligned.found[chosen].max(axis=0)
    return {
        "one": 1.0,
        "density": density,
        "pieces_density": pieces * density,
        "pieces_covered": pieces * covered,
        "many_pieces": max(0.0, pieces - 0.5),
        "covered": covered,
        "missing": float(min(4, (together < _FOUND).sum())),
        "missing_run": _longest_run(best, aligned.weights),
        "pieces_replaced": pieces * _replaced(aligned),
        "length": math.log(len(aligned.content)),
        "sentences": float(len(set(chosen))),
        "quoted": float(sum(any(locate(q, s.text) for s in aligned.sentences) for q in quotations(statement))),
        "tight": max(0.0, math.log(_ARTICLE / max(_SHORTEST, searched))),
    }


def _is_whole(aligned: _Alignment) -> bool:
    """Whether one sentence has all of its words, and they say who is meant or are copied in large pieces."""
    if not (aligned.found[aligned.nearest] == 1).all():
        return False
    return aligned.words[0].text.lower() not in _PRONOUNS or len(_copied(aligned)) < _WHOLE_PIECES * len(aligned.words)


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


def _longest_run(found: Numbers, weights: Numbers) -> float:
    """The weight that is not found, summed over the longest run of words that are not."""
    longest = run = 0.0
    for have, weight in zip(found, weights, strict=True):
        run = run + (1 - have) * weight if have < _FOUND else 0.0
        longest = max(longest, run)
    return float(longest)


def _copied(aligned: _Alignment) -> list[int]:
    """The lengths in words of the pieces that a statement is copied together from (Grusky et al. 2018, fragments)."""
    stated = [w.stem for w in aligned.words]
    held: list[str | None] = [stem for s in aligned.sentences for stem in (*(w.stem for w in s.words), None)]
    places: dict[str | None, list[int]] = {}
    for place, stem in enumerate(held):
        places.setdefault(stem, []).append(place)
    lengths: list[int] = []
    i = 0
    while i < len(stated):
        longest = max((_common(stated, i, held, place) for place in places.get(stated[i], ())), default=0)
        lengths.append(longest)
        i += max(1, longest)
    return lengths


def _common(stated: Sequence[str], i: int, held: Sequence[str | None], place: int) -> int:
    length = 0
    while i + length < len(stated) and place + length < len(held) and held[place + length] == stated[i + length]:
        length += 1
    return length


def _missing(aligned: _Alignment) -> Iterator[int]:
    """The content words that are in none of the sentences."""
    best = aligned.found.max(axis=0)
    return (i for i, found in zip(aligned.content, best, strict=True) if found < 1)


def _replaced(aligned: _Alignment) -> float:
    """The rarity of a word that stands beside another one than in the statement, where that is missing."""
    neighbours = ((i, step) for i in _missing(aligned) for step in (1, -1) if 0 <= i + step < len(aligned.words))
    return max((_replacing(i, step, aligned) for i, step in neighbours), default=0.0)


def _replacing(i: int, step: int, aligned: _Alignment) -> float:
    word, beside = aligned.words[i], aligned.words[i + step]
    own = {w.stem for w in aligned.words}
    others = [w for w in _beside(beside.stem, -step, aligned) if w.is_content and w.stem not in own]
    if not beside.is_content or not others:
        return 0.0
    alike = max(float(vector(w.text.lower()) @ vector(word.text.lower())) for w in others)
    return rarity(beside.text.lower()) * (1.0 if alike < _REPLACED else 0.5)


def _beside(stem: str, step: int, aligned: _Alignment) -> Iterator[Word]:
    """The words before (-1) or after (1) each occurrence of a stem."""
    for sentence in aligned.sentences:
        for left, right in pairwise(sentence.words):
            at, beside = (right, left) if step < 0 else (left, right)
            if at.stem == stem:
                yield beside
