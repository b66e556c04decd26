"""Pure functions from texts and dates to how much they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rag.text.words import words


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two collections share: `shared` of `found` are among the `wanted`."""

    shared: int
    found: int
    wanted: int

    @property
    def precision(self) -> float:
        return self.shared / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.shared / self.wanted if self.wanted else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both: 2 PR / (P + R)."""
        return 2 * self.shared / (self.found + self.wanted) if self.found + self.wanted else 0.0

    def __add__(self, other: Overlap) -> Overlap:
        return Overlap(self.shared + other.shared, self.found + other.found, self.wanted + other.wanted)


def rouge_n(text: str, reference: str, n: int) -> Overlap:
    """ROUGE-N of stemmed words: the n-grams in common, each as often as it is in both (Lin 2004)."""
    found, wanted = _grams(words(text), n), _grams(words(reference), n)
    return Overlap((found & wanted).total(), found.total(), wanted.total())


def rouge_l(text: str, reference: str) -> Overlap:
    """ROUGE-L of stemmed words, over the whole texts: the longest common subsequence (Lin 2004)."""
    found, wanted = words(text), words(reference)
    row = [0] * (len(wanted) + 1)
    for word in found:
        before = row
        row = [0]
        for place, other in enumerate(wanted):
            row.append(before[place] + 1 if word == other else max(before[place + 1], row[place]))
    return Overlap(row[-1], len(found), len(wanted))


def date_overlap(found: Collection[date], wanted: Collection[date]) -> Overlap:
    """The days that two timelines have in common; its F1 is the date F1 of Tran et al. (2013)."""
    return Overlap(len(set(found) & set(wanted)), len(set(found)), len(set(wanted)))


def agreement(found: Mapping[date, str], wanted: Mapping[date, str], n: int) -> Overlap:
    """ROUGE-N of what two timelines say on the same days: "agreement" of Martschat and Markert (2017)."""
    total = Overlap(0, 0, 0)
    for day in sorted({*found, *wanted}):
        total += rouge_n(found.get(day, ""), wanted.get(day, ""), n)
    return total


def _grams(found: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(found[i : i + n]) for i in range(len(found) - n + 1))
