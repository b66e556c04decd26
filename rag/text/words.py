"""The stemmed words of a text, as the index, the retriever and the answerer all see them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

import Stemmer

from rag.text.lexicon import base, plain

_WORD = re.compile(r"u\.s(?:\.a)?(?=\.)|u\.k(?=\.)|[^\W_]+(?:[.,]\d+)*")
_STEMMER = Stemmer.Stemmer("english")
_STOP = """
a an and are as at be been being by did do does done for from had has have having he her hers him his how i if in into
is it its me my many much of on or our she so than that the their them then there these they this those to too was we
were what when where which who whom whose why will with would could should can may might must shall you your us not no
nor but about after before during over under between against through out up down off again just also only own same such
very s t d ll m re ve am any all both each few more most other some other said say says tell told give gave get got
while because until
"""


def words(text: str) -> list[str]:
    """The stems of a text in order, lower case: `1,000` is `1000`, `spoke` is `speak`, `U.S.` is `usa`."""
    return [stem(w) for w in _WORD.findall(plain(text))]


def forms(text: str) -> dict[str, str]:
    """The stems of a text, each with the word it stands for."""
    return {stem(w): w for w in _WORD.findall(plain(text))}


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball (Porter 2) English stem of the base form of a lower-case word."""
    return cast(str, _STEMMER.stemWord(base(word).replace(",", "")))


STOP_WORDS = frozenset(stem(w) for w in _STOP.split())


def content_words(text: str) -> list[str]:
    """The distinct stems of a text that are not stop words, in order."""
    return [w for w in dict.fromkeys(words(text)) if w not in STOP_WORDS]


def alike(a: frozenset[str], b: frozenset[str], share: float) -> bool:
    """Whether two sets of stems have the same numbers, and more than a share of all stems in common (Jaccard).

    With other numbers a text that is alike word for word says something else.
    """
    if min(len(a), len(b)) <= share * max(len(a), len(b)):
        return False
    common = len(a & b)
    if common <= share * (len(a) + len(b) - common):
        return False
    return not any(stem[0].isdigit() for stem in a ^ b)
