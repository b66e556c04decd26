"""Compares each name of a statement with those of the evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rag.checks.rules.facts import Fact, Ground
from rag.checks.rules.matching import (
    NEAR,
    TITLES,
    Compared,
    alike,
    best,
    decide,
    free,
    is_dateline,
    is_placed,
    kind_of,
)
from rag.checks.rules.reading import Word
from rag.schema import Check
from rag.text.names import occurs, same
from rag.text.words import CAPITALS, listed, stem, words

_ENDINGS = listed("ism ist ists i s is an ian ians n ns ese ish ic")
_APPOSED = r"\b{}[’']s? (?:[a-z-]+ ){{1,3}}(?:[A-Z][\w-]+ )?{}\b"
"""Somebody's that is told by office and name: Blue Line's spokesman Henrik Aas."""
_RUN = re.compile(r"\b[A-Z][^\W\d_]*(?:[-'’ ](?:[A-Z]|(?:e|i|ye|yi|al|ul|bin|de|der|von|van|la|di|du)\b)[^\W\d_]*)*")


def check_name(fact: Fact, pair: Compared) -> Iterator[Check]:
    """A check that a name is there, and where the evidence has it."""
    others = [f for f in pair.cited.by_kind["name"] if len(f.text) > 1]
    fitting = [f for f in others if alike(fact, f)]
    if len(fact.text) == 1 or _is_opening(fact, pair):
        return
    if not all(_is_named(word, fact, pair) for word in fact.words):
        yield Check("name", fact.text, _instead(fact, others, pair), False)
    elif not fitting:
        other = _in_its_place(fact, others, pair)
        yield Check("name", fact.text, other or fact.text, other is None)
    elif mixed := _mixed(fact, fitting, pair):
        yield Check("name", fact.text, mixed, False)
    else:
        yield _placed(fact, fitting, others, pair)


def _is_opening(fact: Fact, pair: Compared) -> bool:
    """Whether it is a word that begins the statement, which the articles have in small letters."""
    opens = fact.words == pair.statement.words[:1]
    return opens and bool(re.search(rf"\b{re.escape(fact.text.lower())}\b", pair.sources))


def _instead(fact: Fact, others: Sequence[Fact], pair: Compared) -> str | None:
    """The name that the evidence has in place of one that it has not, if that can be told."""
    sharing = [f for f in others if {w.stem for w in f.words} & {w.stem for w in fact.words}]
    kind = kind_of(fact, pair.statement)
    near = best(fact, sharing or [f for f in others if kind_of(f, pair.cited) == kind], pair)
    return near.fact.text if near and (near.bind > NEAR or sharing) else None


def _mixed(fact: Fact, fitting: Sequence[Fact], pair: Compared) -> str | None:
    """The name that the evidence has, if this one is the first word of one and the last of another."""
    own = {word.stem for word in fact.words if word.text.lower() not in TITLES}
    if any(len(own & {w.stem for w in f.words}) > 1 for f in fitting) or fact.text in pair.sources:
        return None
    begun = any(len(f.words) > 1 and f.words[-1].stem not in own for f in fitting)
    return next((f.text for f in fitting if begun and _conflicts(fact, f)), None)


def _in_its_place(fact: Fact, others: Sequence[Fact], pair: Compared) -> str | None:
    """The name that the evidence has in place of one that only the article around it has."""
    if all(_is_known(word, fact, pair) for word in fact.words):
        return None
    near = best(fact, _of_its_slot(fact, free(fact, others, pair), pair), pair)
    if near and re.search(_APPOSED.format(re.escape(fact.text), re.escape(near.fact.text)), pair.sources):
        return None
    return near.fact.text if near and near.bind > NEAR else None


def _of_its_slot(fact: Fact, others: Sequence[Fact], pair: Compared) -> list[Fact]:
    """Those that could be in its place: of its kind, behind a preposition of place as it is, owning what it owns."""
    slot = is_placed(fact, pair.statement), kind_of(fact, pair.statement)
    like = [f for f in others if (is_placed(f, pair.cited), kind_of(f, pair.cited)) == slot]
    return [f for f in like if _owns(f, pair.cited)] if _owns(fact, pair.statement) else like


def _owns(fact: Fact, of: Ground) -> bool:
    """Whether it has an s behind an apostrophe: Roth's coach may be called Vane."""
    following = of.after(fact.words[-1])
    return following is not None and following.text == "s" and following.place - fact.words[-1].place == 1


def _placed(fact: Fact, fitting: Sequence[Fact], others: Sequence[Fact], pair: Compared) -> Check:
    """A check that a name is where the evidence has it, rather than another one of its class."""
    rivals = _of_its_slot(fact, [f for f in others if f not in fitting], pair)
    own = [*fitting, *(Fact("name", w.text, w.text, (w,)) for w in pair.cited.by_stem.get(fact.words[-1].stem, ()))]
    reported = [f for f in own if not is_dateline(f)] if rivals else own
    decided = decide(fact, reported or own, rivals, pair)
    return decided if decided.passed else Check("role", decided.expected, decided.found, False)


def _is_named(word: Word, fact: Fact, pair: Compared) -> bool:
    """Whether a word of a name is in the evidence or around it, or a capital or country stands for it."""
    if _is_metonym(word, pair.cited) or _occurs(word, pair, pair.sources):
        return True
    if any(_conflicts(fact, f) for f in pair.cited.by_kind["name"]):
        return False
    return _is_spelled(fact.text, pair.sources) or _is_spelled(word.text, pair.sources)


def _is_known(word: Word, fact: Fact, pair: Compared) -> bool:
    """The same of the evidence and its header alone; nothing happens in a capital because its country is named."""
    if _is_metonym(word, pair.cited) and not is_placed(fact, pair.statement):
        return True
    return _occurs(word, pair, pair.known) or _is_spelled(word.text, pair.known)


def _occurs(word: Word, pair: Compared, sources: str) -> bool:
    """Whether a word of a name is in the evidence or the sources; a title need not be."""
    lowered = word.text.lower()
    if lowered in TITLES or word.stem in pair.cited.by_stem or word.stem in _stems(sources):
        return True
    return any(_derived(lowered, other) for other in _capitalized(pair.cited))


def _is_spelled(name: str, sources: str) -> bool:
    """Whether the sources have another spelling of a name, or an acronym of it."""
    return occurs(name, _runs(sources)) or _is_acronym(name, sources)


@lru_cache(maxsize=512)
def _stems(text: str) -> frozenset[str]:
    return frozenset(words(text))


@lru_cache(maxsize=512)
def _capitalized(cited: Ground) -> frozenset[str]:
    return frozenset(w.text.lower() for w in cited.words if w.text[0].isupper())


@lru_cache(maxsize=512)
def _runs(text: str) -> str:
    """The names of a text with nothing but commas between them, which are found sooner."""
    return ", ".join(("", *dict.fromkeys(_RUN.findall(text))))


def _is_metonym(word: Word, cited: Ground) -> bool:
    """Whether a capital stands for a country that is there, or a country for its capital."""
    lowered = word.text.lower()
    if lowered in CAPITALS:
        return stem(CAPITALS[lowered]) in cited.by_stem
    return any(stem(CAPITALS[other]) == word.stem for other in _capitalized(cited) & CAPITALS.keys())


def _conflicts(stated: Fact, found: Fact) -> bool:
    """Whether it has the same last word after another first one: Angela Merkel, Andrea Merkel."""
    if len(stated.words) < 2 or len(found.words) < 2 or stated.words[-1].stem != found.words[-1].stem:
        return False
    return found.words[-2].text.lower() not in TITLES and not same(stated.text, found.text)


def _derived(a: str, b: str) -> bool:
    """Whether one word is the other with an ending such as -ism, -ist or -ian."""
    shorter, longer = sorted((a, b), key=len)
    if not longer.startswith(shorter):
        return False
    return (len(shorter) in (3, 4) and len(longer) > 6) or (len(shorter) > 3 and longer[len(shorter) :] in _ENDINGS)


def _is_acronym(text: str, sources: str) -> bool:
    """Whether it stands for capitalized words of the sources, or the sources use such an acronym."""
    letters = text.rstrip("s").replace(".", "")
    if len(letters) < 2 or not letters.isupper():
        return False
    return bool(re.search(r"\b" + r"\w*[ -](?:(?:of|the|for|and) )*".join(letters) + r"\w*", sources))
