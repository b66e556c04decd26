"""The stemmed words of a text, as the index, the retriever and the answerer all see them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

import Stemmer

from rag.text import TABLES


def listed(words: str) -> frozenset[str]:
    """The words of a list, parted by white space."""
    return frozenset(words.split())


def numbered(words: str, first: int, step: int = 1) -> dict[str, int]:
    """The words of a list with their numbers."""
    return {word: first + i * step for i, word in enumerate(words.split())}


def _pairs(listed: str) -> dict[str, str]:
    """`base form form, base form` -> form: base."""
    groups = (group.split() for group in listed.split(",") if group.strip())
    return {form: base for base, *forms in groups for form in forms}


UNITS = numbered(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen",
    0,
)
TENS = numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
COUNTS = {word: number for word, number in (UNITS | TENS).items() if number}
"""The numbers that are written as one word, without zero."""
_NUMBERS = {word: str(number) for word, number in COUNTS.items() if number > 1} | {"dozen": "12"}
_PEOPLES = _pairs(TABLES["words"]["peoples"])
COUNTRIES = frozenset(_PEOPLES.values())
"""The base forms of countries and their peoples."""
CAPITALS = _pairs(TABLES["words"]["capitals"])
"""The country for whose government a lower-case capital stands."""
_BASES = _pairs(TABLES["words"]["irregular"]) | _NUMBERS | _PEOPLES | {"u.s": "usa", "u.s.a": "usa", "u.k": "britain"}

_PHRASAL = _pairs(TABLES["words"]["phrasal"])
PHRASAL = {"out of": "from"} | {form.replace("_", " "): verb for form, verb in _PHRASAL.items()}
"""The verb that says the same as a verb with a particle."""

_STATES = re.compile(r"\bUSA?\b|\bUnited States(?: of America)?")
_KINGDOM = re.compile(r"\bUnited Kingdom")
_BRITISH_OUR = re.compile(r"^(hon|fav|lab|neighb|col|harb|hum|behavi|arm|rum|endeav)our")
_BRITISH_ISE = re.compile(r"(?<=[a-z]{4})is(?=(?:e|ed|es|ing|ation|ations)$)")


def base(word: str) -> str:
    """The base form of a lower-case word whose forms stemming does not bring together."""
    american = _BRITISH_ISE.sub("iz", _BRITISH_OUR.sub(r"\1or", word))
    return _BASES.get(american, american)


def plain(text: str) -> str:
    """A text in lower case, with one name for the United States and one for Britain."""
    if "US" in text or "United" in text:
        text = _KINGDOM.sub("britain", _STATES.sub("usa", text))
    return text.lower().replace("’s", "").replace("'s", "")


_WORD = re.compile(r"u\.s(?:\.a)?(?=\.)|u\.k(?=\.)|[^\W_]+(?:[.,]\d+)*")
_STEMMER = Stemmer.Stemmer("english")
FUNCTION_WORDS = listed(TABLES["words"]["function"])
"""The words that only bind others, in lower case."""


def words(text: str) -> list[str]:
    """The stems of a text in order, lower case: `1,000` is `1000`, `spoke` is `speak`, `U.S.` is `usa`."""
    return [stem(w) for w in _WORD.findall(plain(text))]


def forms(text: str) -> dict[str, str]:
    """The stems of a text, each with a word that it is the stem of."""
    return {stem(w): w for w in _WORD.findall(plain(text))}


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball (Porter 2) English stem of the base form of a lower-case word."""
    return cast(str, _STEMMER.stemWord(base(word).replace(",", "")))


STOP_WORDS = frozenset(map(stem, FUNCTION_WORDS))


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
