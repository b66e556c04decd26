"""Finds the articles that are copies of one report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rag.schema import Article
from rag.text.words import COUNTS, words

if TYPE_CHECKING:
    from rensa import RMinHash

# A copy with two thirds of the paragraphs cut has a Jaccard similarity of 0.33: it shares a band with a probability of
# 0.9, one with half of them cut of 0.9998; unrelated articles (0.01) of 0.00006. Candidates are then compared exactly.
_HASHES, _BANDS = 192, 64
_SEED = 7
_SHINGLE = 4  # words
_CONTAINED = 0.6
_SMALLEST = 0.2
_FEWEST = 8  # shingles
_LONGEST = 8_000  # characters: what a copy has in common stands near its beginning


def clusters(articles: Iterable[Article]) -> list[tuple[Article, ...]]:
    """The articles in clusters of copies, most of them alone in theirs; in each the original, the oldest, leads.

    Two articles are copies if at least 60 % of the shorter one's runs of four words are in the longer one, whatever
    their headlines and bylines, and it has at least a fifth of its length; so are the copies of a copy.
    """
    # The earliest first, of those the longest, since copies are cut.
    ordered = sorted(articles, key=lambda a: (str(a.published or "9999"), -len(a.text), a.id))
    texts = [article.text[:_LONGEST] for article in ordered]
    leaders = list(range(len(ordered)))
    for pair in _candidates(texts):
        if _is_copy(_shingles(texts[pair.first]), _shingles(texts[pair.second])):
            a, b = _leader(leaders, pair.first), _leader(leaders, pair.second)
            leaders[max(a, b)] = min(a, b)
    found: dict[int, list[Article]] = {}
    for place, article in enumerate(ordered):
        found.setdefault(_leader(leaders, place), []).append(article)
    return [tuple(cluster) for cluster in found.values()]


def outlets(articles: Iterable[Article]) -> tuple[str, ...]:
    """The outlets of articles, the first one first; copies of one report count once, as the first of them.

    Articles of no known outlet may be of any of them: they count, as one, only if there are no others.
    """
    firsts = sorted((copies[0] for copies in clusters(articles)), key=lambda a: (str(a.published), a.id))
    known = [article.source for article in firsts if article.source]
    return tuple(dict.fromkeys(known)) or tuple(article.title for article in firsts[:1])


def contained(text: str, texts: Iterable[str]) -> float:
    """The share of a text's runs of four words that are in any of the others; 1 if it is too short to have one.

    It is 0 if it has a number that none of them has: a copy that corrects one says something else.
    """
    others = list(texts)
    if numbers(text).difference(*map(numbers, others)):
        return 0.0
    own = _shingles(text)
    return len(own.intersection(frozenset().union(*map(_shingles, others)))) / len(own) if own else 1.0


@lru_cache(maxsize=4096)
def numbers(text: str) -> frozenset[str]:
    """The stems of a text that are numbers, in figures or in words."""
    return frozenset(w for w in words(text) if w[0].isdigit() or w in _NUMERALS)


class _CopyPair(NamedTuple):
    first: int
    second: int


_SCALES = "hundred thousand million dozen half third quarter"
_NUMERALS = frozenset(words(" ".join((*(word for word, number in COUNTS.items() if number > 1), _SCALES))))


@lru_cache(maxsize=512)
def _shingles(text: str) -> frozenset[str]:
    found = words(text)
    return frozenset(" ".join(found[i : i + _SHINGLE]) for i in range(len(found) - _SHINGLE + 1))


def _candidates(texts: Sequence[str]) -> Iterator[_CopyPair]:
    """The pairs that an index of MinHash sketches (Broder 1997) finds alike, each once, by place."""
    from rensa import RMinHashLSH

    index = RMinHashLSH(threshold=_CONTAINED, num_perm=_HASHES, num_bands=_BANDS)
    for place, text in enumerate(texts):
        if sketch := _sketch(text):
            yield from (_CopyPair(other, place) for other in sorted(set(index.query(sketch))))
            index.insert(place, sketch)


@lru_cache(maxsize=16_384)
def _sketch(text: str) -> RMinHash | None:
    """The sketch of a text; None if the text is too short to tell whether it is a copy."""
    from rensa import RMinHash

    found = _shingles(text)
    return RMinHash.from_token_sets([list(found)], num_perm=_HASHES, seed=_SEED)[0] if len(found) >= _FEWEST else None


def _is_copy(a: frozenset[str], b: frozenset[str]) -> bool:
    short, long = sorted((len(a), len(b)))
    return short >= _SMALLEST * long and len(a & b) >= _CONTAINED * short


def _leader(leaders: list[int], place: int) -> int:
    """The first of its cluster, noted for the next time (path halving)."""
    while leaders[place] != place:
        leaders[place] = leaders[leaders[place]]
        place = leaders[place]
    return place
