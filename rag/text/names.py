"""Keys that are the same for the different spellings of a transliterated name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise, product

from rag.schema import Span
from rag.text import TABLES
from rag.text.calendar import MONTHS, WEEKDAYS
from rag.text.words import COUNTS, FUNCTION_WORDS, listed

_PARTICLES = listed("ad al an ar as ash at az bin bint da de del den der di du e el i ibn la le ul ur van von ye yi")
TITLES = listed(TABLES["names"]["titles"])
"""The titles of persons, in lower case."""
_QUALIFIERS = listed("acting defense deputy ex foreign former interior prime senior special staff vice")
_BEFORE_NAMES = TITLES | _QUALIFIERS
_KINDS = listed("city district province state")
_OTHERS = listed(TABLES["names"]["ordinary"])
_ORDINARY = frozenset[str]().union(
    _PARTICLES, _BEFORE_NAMES, _KINDS, _OTHERS, FUNCTION_WORDS, COUNTS, MONTHS, WEEKDAYS, (d[:3] for d in WEEKDAYS)
)
_PRONOUN = re.compile(
    r"(?:any|every|no|some)(?:body|how|one|thing|times|way|where)|(?:how|wh\w+)ever|(?:your|my|him|her|it|our|them)sel(?:f|ves)"
)
_LEADING = listed("east new north south west")
# Endings that are English rather than a name's: anywhere; at the start of a sentence, where any word is capitalized.
_ABSTRACT = re.compile(r"(?:[ts]ions?|ments|ships?|ness|ities|[^t]ity|ology)$")
_ENGLISH = re.compile(r"(?:ing|ed|ly|ions?|ments?|ness|ists?|[ae]nces?|[eo]rs|ies|ives?|ables?|ful|als|[ae]nts)$")

_MARKS, _HYPHENS, _SPACES = "'’‘ʼʿʾ`´", "-‐‑", " \xa0"
_WORD = re.compile(rf"[^\W\d_]+(?:[{_MARKS}][^\W\d_]+)*")
_CLITIC = re.compile(rf"(?:n[{_MARKS}]t|[{_MARKS}](?:s|m|d|ll|re|ve))$", re.I)
_EZAFE = rf"(?:[{_HYPHENS}](?:i|e|ye|yi)[{_HYPHENS}{_SPACES}]|[{_SPACES}](?:i|e|ye|yi)[{_SPACES}])"
_AFTER_EZAFE = re.compile(rf"{_EZAFE}$")
_BEFORE_EZAFE = re.compile(rf"[{_HYPHENS}](?:i|e|ye|yi)[{_HYPHENS}{_SPACES}]")
# An Arabic word in -a has a t before the ezafe, written or not: Qala-i-Naw, Kalat-e-Nav.
_CONSTRUCT = re.compile(rf"(?<=a)t(?={_EZAFE}\w)", re.I)
_JOINT = rf"[{_HYPHENS}{_SPACES}]"
_ARTICLE = rf"(?i:(?:al|el|ul|ur|bin|ibn|bint|van|von|der|den|de|del|da|di|du|la|le){_JOINT}|a[a-z]{{1,2}}-)"
_INITIAL = rf"(?!U\.[ ]?S\.)[A-Z]\.[{_SPACES}]?"
_GAP = re.compile(rf"{_JOINT}|{_EZAFE}|{_JOINT}{_ARTICLE}{{1,2}}|[{_SPACES}](?:{_INITIAL}){{1,2}}")
_LABEL = re.compile(rf"[A-Z][{_HYPHENS}A-Z .{_MARKS}]*:")

_PLAIN = str.maketrans({"ı": "i", "ł": "l", "đ": "d", "ð": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ə": "a"})
# One capital letter for each sound that is written with two: S sh, C ch, K kh.
_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"sch|shh?", "S"),
        (r"t?ch", "C"),
        (r"dzh|dj", "j"),
        (r"kh", "K"),
        (r"ph", "f"),
        (r"([zgtd])h", r"\1"),
        (r"ck", "k"),
        (r"qu(?=[aeio])", "kw"),
        (r"c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"^x", "s"),
        (r"x", "ks"),
        (r"dz", "z"),
        (r"d(?=g)", ""),
        (r"^ye", "e"),
        (r"(?<=.)y", "i"),
        (r"ij$", "i"),
        (r"ee|ie(?!h$)", "i"),
        (r"oo|ou(?!$)", "u"),
        (r"[ao][uw]$", "av"),
        (r"(?:a[uw]|ow)(?![aeiou])", "o"),
        (r"w", "v"),
        (r"(.)\1+", r"\1"),
        (r"(?:(?<=[^aeiou])e|a[ei]|ei)$", "i"),
        (r"a[ei]|ei", "e"),
        (r"(?<=.)h$", ""),
        (r"[^a-zSCK]", ""),
    )
]
_CONSONANTS = {"K": "kh", "q": "kg", "S": "x", "C": "c"}
_VOWELS = {"a": "a", "e": "ai", "i": "i", "o": "u", "u": "u"}
_DISTANCES = {"ei": 0.1, "ou": 0.1, "ae": 0.25, "ao": 0.25, "iu": 0.4}
# How far apart the vowels of a name may be: by the number of their places up to four, in longer names for each place.
_SHORT, _LONG = {1: 0.2, 2: 0.2, 3: 0.2, 4: 0.5}, 0.25
_MOST_KEYS, _MOST_WORDS = 8, 12


@dataclass(frozen=True, slots=True)
class Name:
    """A proper name in a text, without its titles: the characters `start` up to, not including, `end`."""

    text: str
    start: int
    end: int


def names(text: str) -> list[Name]:
    """The proper names in a text, in order; acronyms, which have one spelling, are left out."""
    spans: list[Span] = []
    for word in _WORD.finditer(text):
        if not _is_name(text, word):
            continue
        start, end = word.start(), word.start() + len(_CLITIC.sub("", word[0]))
        if spans and _GAP.fullmatch(text, spans[-1].end, start):
            start = spans.pop().start
        spans.append(Span(start, end))
    return [Name(text[s.start : s.end], s.start, s.end) for s in spans]


@lru_cache(maxsize=1 << 16)
def keys(name: str) -> tuple[str, ...]:
    """Index terms for a name, or for any single word: of each word, and of each two adjacent words as one.

    Spellings of a name have a key in common. So have a few different names, which `same` tells apart. A key is `xn`,
    lower-case letters and `0`: one token of a full-text index, never a word, not altered by a stemmer. Ordinary words
    such as "the" or "minister" have none.
    """
    words = _words(name)
    proper = [_fold(word) for word in words if not _is_ordinary(word)]
    joined = [_fold(a) + _fold(b) for a, b in pairwise(words)] if proper else []
    return tuple(dict.fromkeys(key for part in [*proper, *joined] for key in _keys(part)))


@lru_cache(maxsize=1 << 16)
def same(a: str, b: str) -> bool:
    """Whether two names can be spellings of one.

    The words of the shorter must be in the longer, in order, and the last one must be the last: "Javed Zarif" is
    "Mohammad Javad Zarif"; "Ashraf Ghani" is not "Abdul Ghani Baradar". Titles and particles do not count.
    """
    shorter, longer = sorted((_units(a), _units(b)), key=len)
    return _alike("".join(shorter), "".join(longer)) or _ends(shorter, longer)


@lru_cache(maxsize=1 << 16)
def spelled(a: str, b: str) -> bool:
    """Whether two names are one word for word, spelling aside; where a word ends does not count: Lashkargah."""
    return _alike("".join(_units(a)), "".join(_units(b)))


def occurs(name: str, text: str) -> bool:
    """Whether a text names this, spelling aside: by a name that is the `same`, or by one with all its words in it."""
    units = _units(name)
    return any(same(name, found.text) or _within(units, _units(found.text)) for found in names(text))


def _is_name(text: str, word: re.Match[str]) -> bool:
    if not word[0][0].isupper():
        return _in_compound(text, word)
    base = _CLITIC.sub("", word[0])
    if len(base) == 1 or _is_ordinary(base):
        return _in_compound(text, word) or _leads(text, word)
    if _starts_sentence(text, word.start()) and _ENGLISH.search(base):
        return False
    return not _is_acronym(base) or _in_label(text, word)


def _is_ordinary(word: str) -> bool:
    lowered = word.lower()
    return lowered in _ORDINARY or bool(_PRONOUN.fullmatch(lowered) or _ABSTRACT.search(word))


def _leads(text: str, word: re.Match[str]) -> bool:
    """Whether it begins the name of a place: New York, North Korea."""
    following = _WORD.match(text, word.end() + 1) if text.startswith(" ", word.end()) else None
    if word[0].lower() not in _LEADING or not following:
        return False
    return following[0][0].isupper() and not _is_ordinary(following[0])


def _in_compound(text: str, word: re.Match[str]) -> bool:
    """Whether an ezafe joins it to another word: hyphenated in any case (qala-i-naw), else capitalized (Qala e Now)."""
    start, end = word.span()
    if text[end : end + 1] in _HYPHENS and _BEFORE_EZAFE.match(text, end):
        return True
    if text[start - 2 : start - 1] not in ("i", "e"):
        return False
    ezafe = _AFTER_EZAFE.search(text[max(0, start - 4) : start])
    return bool(ezafe and (word[0][0].isupper() or ezafe[0][0] in _HYPHENS))


def _is_acronym(word: str) -> bool:
    letters = word.removesuffix("s")
    return letters.isupper() and len(letters) <= 4


def _starts_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 20) : start].rstrip(" \t\xa0\"'“”‘([")
    return not before or before[-1] in ".!?:;—\n"


def _in_label(text: str, word: re.Match[str]) -> bool:
    """Whether it is in a speaker's label, all capitals up to a colon: MS. PSAKI:"""
    line = text.rfind("\n", max(0, word.start() - 60), word.start()) + 1
    label = _LABEL.match(text, line)
    return bool(label and label.end() > word.end())


def _words(name: str) -> list[str]:
    found = (_CLITIC.sub("", word).lower() for word in _WORD.findall(_CONSTRUCT.sub("", name)))
    words = [w for w in found if len(w) > 1 and w not in _PARTICLES]
    while len(words) > 1 and words[0] in _BEFORE_NAMES:
        words = words[1:]
    while len(words) > 1 and words[-1] in _KINDS:
        words = words[:-1]
    return words


@lru_cache(maxsize=1 << 16)
def _units(name: str) -> tuple[str, ...]:
    """Its folded words, those that an ezafe joins as one: Mazar-i-Sharif is no Sharif."""
    joined = re.sub(_EZAFE, "", _CONSTRUCT.sub("", name))
    return tuple(filter(None, map(_fold, _words(joined))))


@lru_cache(maxsize=1 << 16)
def _fold(word: str) -> str:
    """Its sounds, a letter each, with the vowels that it is written with."""
    decomposed = unicodedata.normalize("NFKD", word.lower().translate(_PLAIN))
    folded = "".join(c for c in decomposed if c.isalpha())
    for pattern, sound in _SOUNDS:
        folded = pattern.sub(sound, folded)
    return folded


@lru_cache(maxsize=1 << 16)
def _keys(folded: str) -> tuple[str, ...]:
    """A key for each way to read its ambiguous letters, so that a spelling with either reading shares one."""
    readings = [_VOWELS.get(c) or _CONSONANTS.get(c, c) for c in _skeleton(folded)]
    return tuple(f"xn{''.join(reading)}0" for reading in islice(product(*readings), _MOST_KEYS)) if readings else ()


def _skeleton(folded: str) -> str:
    """Its consonants, final vowel, and first vowel if initial or if they are under four; all of it if under two."""
    consonants = re.sub("[aeiou]", "", folded)
    if len(consonants) < 2:
        return folded
    first, final = re.sub("[^aeiou]", "", folded)[:1], folded[-1] if folded[-1] in _VOWELS else ""
    if folded[0] in _VOWELS:
        return first + consonants + final
    return consonants + (first if len(consonants) < 4 else "") + final


def _ends(shorter: tuple[str, ...], longer: tuple[str, ...]) -> bool:
    """Whether the words of one are in the other, in order, the last one last; two words may be written as one."""
    if not shorter or len(shorter) > _MOST_WORDS:
        return False
    return any(
        _alike("".join(shorter[-i:]), "".join(longer[-j:]))
        and (i == len(shorter) or _within(shorter[:-i], longer[:-j]))
        for i, j in ((1, 1), (1, 2), (2, 1))
        if i <= len(shorter) and j <= len(longer)
    )


@lru_cache(maxsize=1 << 16)
def _within(shorter: tuple[str, ...], longer: tuple[str, ...]) -> bool:
    return any(_ends(shorter, longer[:n]) for n in range(1, len(longer) + 1))


@lru_cache(maxsize=1 << 16)
def _alike(a: str, b: str) -> bool:
    """Whether two folded words have a key in common and like vowels between their consonants."""
    if a == b or set(_keys(a)).isdisjoint(_keys(b)):
        return bool(a) and a == b
    slots = list(zip(re.split("[^aeiou]", a), re.split("[^aeiou]", b), strict=True))
    distance = sum(max(_vowel_distance(x[:1], y[:1]), _vowel_distance(x[-1:], y[-1:])) for x, y in slots)
    return distance <= (_SHORT.get(len(slots)) or _LONG * len(slots))


def _vowel_distance(a: str, b: str) -> float:
    return 0 if a == b else _DISTANCES.get("".join(sorted(a + b)), 0.75)
