"""Compares each fact of a statement with the evidence, and says what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import combinations

from rag.contrasts import ALLIES, OPPOSITES, UNITS
from rag.facts import Evidence, Fact, Ground, bind, ground, surroundings
from rag.lexicon import CAPITALS, COUNTRIES, PHRASAL, listed
from rag.moments import Moment, covers, overlap
from rag.names import occurs, same
from rag.quantities import Quantity, agree, comparable
from rag.reading import Word
from rag.schema import Check
from rag.words import stem, words

_NEAR = 0.09
"""The bind from which another value is taken to be of the same thing."""
_RATIOS = {"number": 2.5, "date": 2.5, "name": 3.2, "contrast": 2.5}
"""How many times nearer another value must be to be what the evidence says instead."""
_NEAREST = {"name": 0.28}
"""The bind that another name must have, since many names stand near most things."""
_CLOSE, _CLOSER = 0.38, 2.0
_ALONE, _FAR = 0.14, 8.0
"""The bind and the ratio from which another value is meant whatever its kind."""
_OPPOSED, _DENIED = 0.25, 1.2
"""The bind from which an opposite is taken to be said of the same thing; the ratio for what follows a denial."""
_MARGIN, _CROSSED = 0.04, 1.4
"""How much better two values must fit when they are exchanged."""
_MOST_LISTED, _LEAST_SUM, _SLACK = 5, 20, 0.03
_IN_HOURS = {
    stem(unit): hours
    for unit, hours in {
        "hour": 1.0,
        "day": 24.0,
        "week": 168.0,
        "month": 730.0,
        "year": 8760.0,
        "decade": 87600.0,
    }.items()
}
_ABOUT = listed("about around approximately nearly almost roughly some estimated over more") | {
    phrase for phrase, verb in PHRASAL.items() if verb in ("maximum", "minimum")
}
_HARMED = frozenset(map(stem, listed("die kill injure wound")))
_ANYBODY = frozenset(map(stem, listed("person people man men")))
_DENYING = frozenset(map(stem, listed("deny confirm reject accept acknowledge refuse agree admit")))
_TITLES = listed("""
    president minister prime foreign secretary general ambassador spokesman spokeswoman spokesperson chief director
    commander senator governor mayor king queen prince chancellor chairman chairwoman captain colonel lieutenant major
    judge justice envoy admiral adm rear brigadier brig sergeant corporal inspector superintendent commissioner
    ministers deputy vice former acting sir lord professor doctor mr mrs ms dr gen lt col maj capt sen rep gov sgt
    mullah maulvi mawlawi sheikh haji hajji
""")
_ENDINGS = listed("ism ist ists i s is an ian ians n ns ese ish ic")
_PLACES = listed("island city town village port province district region state bridge")
_TO, _FROM = listed("to into toward towards"), frozenset({"from", "out of"})
_PLACED = _TO | listed("in at from near across on around outside inside through")
_RUN = re.compile(r"\b[A-Z][^\W\d_]*(?:[-'’ ](?:[A-Z]|(?:e|i|ye|yi|al|ul|bin|de|der|von|van|la|di|du)\b)[^\W\d_]*)*")


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A statement, the cited spans with the day of their publication, and all text that a name may be looked up in."""

    statement: Ground
    cited: Ground
    published: date | None
    frame: str
    sources: str


def compare(text: str, evidence: Sequence[Evidence]) -> list[Check]:
    """A check for each number, date, name and contrast of a statement."""
    published = next((e.published for e in evidence if e.published), None)
    frame = "\n".join(dict.fromkeys(e.frame for e in evidence if e.frame))
    texts = [e.text for e in evidence]
    pair = Compared(ground([text], published), ground(texts, published), published, frame, "\n".join((*texts, frame)))
    return [check for fact in pair.statement.facts for check in _CHECKS[fact.kind](fact, pair)]


def _number(fact: Fact, pair: Compared) -> Iterator[Check]:
    stated = fact.value
    assert isinstance(stated, Quantity)
    numbers = [f for f in pair.cited.by_kind["number"] if isinstance(f.value, Quantity) and comparable(stated, f.value)]
    fitting = [f for f in numbers if _agrees(fact, f, pair)]
    if not fitting and _is_derived(stated, pair.cited):
        yield Check("number", fact.text, fact.text, True)
        return
    rivals = [f for f in numbers if f not in fitting]
    counted = next((f for f in rivals if _counts_the_same(fact, f, fitting, pair)), None)
    decided = _decided(fact, fitting, rivals, pair)
    if fitting and counted:
        yield Check("number", fact.text, counted.text, False)
    elif decided.passed or (not _may_count(stated, counted) and (decided.found or stated.unit != "th")):
        yield decided


def _agrees(fact: Fact, found: Fact, pair: Compared) -> bool:
    """Whether a number says the same, one of a time by its length."""
    own, other = _hours(fact, pair.statement), _hours(found, pair.cited)
    if own and other:
        return abs(own - other) <= _SLACK * own
    if not isinstance(fact.value, Quantity) or not isinstance(found.value, Quantity):
        return False
    return agree(fact.value, found.value, about=_is_about(fact, pair.statement))


def _is_about(fact: Fact, of: Ground) -> bool:
    return any(w.text.lower() in _ABOUT for w in of.before(fact.words[0], 3))


def _hours(fact: Fact, of: Ground) -> float | None:
    """The hours of a number before a unit of time."""
    head, value = _head(fact, of), fact.value
    known = head in _IN_HOURS and isinstance(value, Quantity) and value.exact
    return value.low * _IN_HOURS[head] if known and head and isinstance(value, Quantity) else None


def _is_derived(stated: Quantity, cited: Ground) -> bool:
    """Whether it is the sum of two numbers of a sentence, or half of one where a half is spoken of."""
    numbers = [(f.value, f.words[0].sentence) for f in cited.by_kind["number"] if isinstance(f.value, Quantity)]
    exact = [(number.low, sentence) for number, sentence in numbers if number.exact and number.unit == stated.unit]
    if any(number.text.lower() == "half" for number, _ in numbers) and any(a == 2 * stated.low for a, _ in exact):
        return True
    pairs = combinations(exact, 2) if stated.low >= _LEAST_SUM else ()
    return any(a + b == stated.low and first == second for (a, first), (b, second) in pairs)


def _may_count(stated: Quantity, counted: Fact | None) -> bool:
    """Whether it is a small number in words, which may count what the evidence lists, unless that counts it itself."""
    return counted is None and stated.exact and stated.high <= _MOST_LISTED and stated.text.isalpha()


def _counts_the_same(fact: Fact, other: Fact, fitting: Sequence[Fact], pair: Compared) -> bool:
    """Whether another number, and none that agrees, stands before the very word that this one does: 44 Italians."""
    head = _head(fact, pair.statement)
    if head is None or head in UNITS or head in _ANYBODY or _head(other, pair.cited) != head:
        return False
    heads = {_head(f, pair.cited) for f in fitting}
    return heads.isdisjoint(ALLIES.get(head, {head}) | _HARMED | {None})


@lru_cache(maxsize=1 << 13)
def _head(number: Fact, of: Ground) -> str | None:
    """The stem of the noun that follows a number at once; in 44 Italian soldiers, that is the soldiers."""
    following = _adjacent(number.words[-1], of)
    if following and following.stem in COUNTRIES:
        following = _adjacent(following, of) or following
    return following.stem if following else None


def _adjacent(word: Word, of: Ground) -> Word | None:
    """The next word if it is a content word and nothing is between."""
    following = of.after(word)
    if following is None or following.place > word.place + 1:
        return None
    return following if following.is_content and following.text.isalpha() else None


def _date(fact: Fact, pair: Compared) -> Iterator[Check]:
    stated = fact.value
    assert isinstance(stated, Moment)
    dates = [f for f in pair.cited.by_kind["date"] if isinstance(f.value, Moment)]
    fitting = [f for f in dates if isinstance(f.value, Moment) and covers(stated, f.value)]
    rivals = [f for f in dates if not isinstance(f.value, Moment) or not overlap(stated, f.value)]
    if not fitting and _is_publication(stated, pair) and not any(_bound(fact, f, pair) > 3 * _NEAR for f in dates):
        yield Check("date", fact.text, str(pair.published), True)
    elif fitting or not any(_incomparable(stated, f.value) for f in rivals if isinstance(f.value, Moment)):
        yield _decided(fact, fitting, rivals, pair)


def _is_publication(stated: Moment, pair: Compared) -> bool:
    return pair.published is not None and any(p.first <= pair.published <= p.last for p in stated.periods)


def _incomparable(a: Moment, b: Moment) -> bool:
    """Whether one of them is relative to a day that is not known, and the other is not."""
    return bool(a.periods) != bool(b.periods)


def _name(fact: Fact, pair: Compared) -> Iterator[Check]:
    others = [f for f in pair.cited.by_kind["name"] if len(f.text) > 1]
    fitting = [f for f in others if _alike(fact, f)]
    if len(fact.text) == 1:
        return
    if not all(_is_named(word, fact, pair) for word in fact.words):
        yield Check("name", fact.text, _instead(fact, others, pair), False)
    elif not fitting:
        yield Check("name", fact.text, fact.text, True)
    elif turned := _turned(fact, fitting, pair):
        yield Check("direction", fact.text, turned, False)
    else:
        yield _placed(fact, fitting, others, pair)


def _instead(fact: Fact, others: Sequence[Fact], pair: Compared) -> str | None:
    """The name that the evidence has in place of one that it has not, if that can be told."""
    sharing = [f for f in others if {w.stem for w in f.words} & {w.stem for w in fact.words}]
    kind = _class(fact, pair.statement)
    near = _best(fact, sharing or [f for f in others if _class(f, pair.cited) == kind], pair)
    return near.fact.text if near and (near.bind > _NEAR or sharing) else None


def _placed(fact: Fact, fitting: Sequence[Fact], others: Sequence[Fact], pair: Compared) -> Check:
    """A check that a name is where the evidence has it, rather than another one of its class."""
    slot = _slot(fact, pair.statement), _class(fact, pair.statement)
    unlike = [f for f in others if f not in fitting]
    rivals = [f for f in unlike if (_slot(f, pair.cited), _class(f, pair.cited)) == slot]
    own = [*fitting, *(Fact("name", w.text, w.text, (w,)) for w in pair.cited.by_stem.get(fact.words[-1].stem, ()))]
    reported = [f for f in own if not _is_dateline(f)] if rivals else own
    decided = _decided(fact, reported or own, rivals, pair)
    return decided if decided.passed else Check("role", decided.expected, decided.found, False)


def _turned(fact: Fact, fitting: Sequence[Fact], pair: Compared) -> str | None:
    """The preposition between a word and a name if it is "from" where the statement has "to", or the reverse."""
    said = _approach(fact, pair.statement)
    if said is None:
        return None
    found = [a for f in fitting if (a := _approach(f, pair.cited))]
    like = {a.preposition for a in found if a.word.stem in ALLIES.get(said.word.stem, {said.word.stem})}
    own, other = (_TO, _FROM) if said.preposition in _TO else (_FROM, _TO)
    return None if like & own else min(like & other, default=None)


@dataclass(frozen=True, slots=True)
class _Approach:
    """A preposition before a name, and the word before that."""

    word: Word
    preposition: str


def _approach(fact: Fact, of: Ground) -> _Approach | None:
    before = [w for w in of.before(fact.words[0], 4) if w.text.lower() != "the"]
    if len(before) < 2 or before[-1].text.lower() not in _TO | _FROM:
        return None
    return _Approach(before[-2], before[-1].text.lower())


def _contrast(fact: Fact, pair: Compared) -> Iterator[Check]:
    said = fact.words[0].stem
    opposites = pair.cited.by_kind["contrast"]
    fitting = [f for f in opposites if f.value in ALLIES[said]]
    against = [f for f in opposites if f.value in OPPOSITES[said]]
    if fitting and against:
        decided = (_denied if said in _DENYING else _decided)(fact, fitting, against, pair)
        yield Check("direction", decided.expected, decided.found, decided.passed)
        return
    opposed = _best(fact, _free(fact, against, pair), pair)
    if opposed and opposed.bind > _OPPOSED and not pair.cited.by_stem.get(said):
        yield Check("direction", fact.text, opposed.fact.text, False)


def _denied(fact: Fact, fitting: Sequence[Fact], against: Sequence[Fact], pair: Compared) -> Check:
    """A check of what follows a verb such as to deny, since who does may do both."""
    near = [n for n in surroundings(fact, pair.statement, pair.cited) if not n.leads]
    own = max(bind(near, f.words) for f in fitting)
    other = max(against, key=lambda f: bind(near, f.words))
    denied = bind(near, other.words) > max(own * _DENIED, _NEAR)
    return Check(fact.kind, fact.text, other.text if denied else fact.text, not denied)


_CHECKS = {"number": _number, "date": _date, "name": _name, "contrast": _contrast}


@dataclass(frozen=True, slots=True)
class _Bound:
    fact: Fact
    bind: float


def _decided(fact: Fact, fitting: Sequence[Fact], rivals: Sequence[Fact], pair: Compared) -> Check:
    """Passed if the value is there and no other one is clearly nearer to what the statement says of it."""
    own, other = _best(fact, fitting, pair), _best(fact, _free(fact, rivals, pair), pair)
    if own is None:
        found = other.fact.text if other and other.bind > _NEAR else None
        return Check(fact.kind, fact.text, found, False)
    if other and _is_nearer(other, own, fact.kind):
        return Check(fact.kind, fact.text, other.fact.text, False)
    swapped = _swapped(fact, own, pair)
    if swapped:
        return Check(fact.kind, fact.text, swapped.text, False)
    return Check(fact.kind, fact.text, own.fact.text, True)


def _is_nearer(other: _Bound, own: _Bound, kind: str) -> bool:
    if other.bind > max(_ALONE, own.bind * _FAR) or (kind == "name" and other.bind > max(_CLOSE, own.bind * _CLOSER)):
        return True
    return other.bind > max(own.bind * _RATIOS[kind], _NEAREST.get(kind, _NEAR))


def _swapped(fact: Fact, own: _Bound, pair: Compared) -> Fact | None:
    """The value of another fact of the statement, if each fits better where the other one is."""
    partners = [f for f in pair.statement.by_kind[fact.kind] if f is not fact and not _fits(f, own.fact)]
    for partner in partners if own.fact.kind == fact.kind else ():
        theirs = _theirs(partner, pair)
        if theirs is None or theirs.fact is own.fact or _unlike(own.fact, theirs.fact, pair.cited):
            continue
        crossed = _bound(fact, theirs.fact, pair) + _bound(partner, own.fact, pair)
        if crossed > (own.bind + theirs.bind) * _CROSSED + _MARGIN:
            return theirs.fact
    return None


@lru_cache(maxsize=1024)
def _theirs(fact: Fact, pair: Compared) -> _Bound | None:
    """Asked for by every other fact of the statement."""
    return _best(fact, _fitting(fact, pair.cited), pair)


def _unlike(a: Fact, b: Fact, of: Ground) -> bool:
    return a.kind == "name" and _class(a, of) != _class(b, of)


def _free(fact: Fact, candidates: Sequence[Fact], pair: Compared) -> list[Fact]:
    """Those whose value the statement does not have too, as another fact."""
    stated = [f for f in pair.statement.by_kind[fact.kind] if f is not fact]
    return [c for c in candidates if not any(_fits(f, c) for f in stated)]


@lru_cache(maxsize=1024)
def _fitting(stated: Fact, cited: Ground) -> tuple[Fact, ...]:
    return tuple(f for f in cited.by_kind[stated.kind] if _fits(stated, f))


def _fits(stated: Fact, found: Fact) -> bool:
    if stated.kind != found.kind:
        return False
    match stated.value, found.value:
        case Quantity() as a, Quantity() as b:
            return agree(a, b)
        case Moment() as a, Moment() as b:
            return covers(a, b)
        case _:
            return _alike(stated, found)


def _best(fact: Fact, candidates: Sequence[Fact], pair: Compared) -> _Bound | None:
    bound = [_Bound(other, _bound(fact, other, pair)) for other in candidates]
    return max(bound, key=lambda b: b.bind, default=None)


def _bound(fact: Fact, other: Fact, pair: Compared) -> float:
    return bind(surroundings(fact, pair.statement, pair.cited), other.words)


@lru_cache(maxsize=1 << 13)
def _class(fact: Fact, of: Ground) -> str:
    """`country` for one, its people or capital, `the` for a name with the article, else nothing."""
    if any(w.stem in COUNTRIES for w in fact.words):
        return "country"
    if any(w.text.lower() in CAPITALS for w in fact.words):
        return "" if _slot(fact, of) else "country"
    return "the" if any(w.text.lower() == "the" for w in of.before(fact.words[0], 1.1)) else ""


@lru_cache(maxsize=1 << 13)
def _slot(fact: Fact, of: Ground) -> bool:
    """Whether a preposition of place stands before it."""
    before = [w.text.lower() for w in of.before(fact.words[0], 4.5)[-2:]]
    return any(w in _PLACED for w in before) or (before[-1:] == ["of"] and before[0] in _PLACES)


def _is_dateline(fact: Fact) -> bool:
    """Whether it is the place in capitals that a report starts with."""
    return fact.text.isupper() and len(fact.text) > 4 and fact.words[0].start == 0


def _is_named(word: Word, fact: Fact, pair: Compared) -> bool:
    """Whether a word of a name is in the evidence or its frame, spelling aside; a title need not be."""
    lowered = word.text.lower()
    if lowered in _TITLES or word.stem in pair.cited.by_stem or word.stem in _stems(pair.frame):
        return True
    capitalized = _capitalized(pair.cited)
    if _is_metonym(word, capitalized, pair.cited) or any(_derived(lowered, other) for other in capitalized):
        return True
    if any(_conflicts(fact, f) for f in pair.cited.by_kind["name"]):
        return False
    named = _runs(pair.sources)
    return occurs(fact.text, named) or occurs(word.text, named) or _is_acronym(word.text, pair.sources)


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


def _is_metonym(word: Word, capitalized: frozenset[str], cited: Ground) -> bool:
    """Whether a capital stands for a country that is there, or a country for its capital."""
    lowered = word.text.lower()
    if lowered in CAPITALS:
        return stem(CAPITALS[lowered]) in cited.by_stem
    return any(stem(CAPITALS[other]) == word.stem for other in capitalized & CAPITALS.keys())


def _conflicts(stated: Fact, found: Fact) -> bool:
    """Whether it has the same last word after another first one: Angela Merkel, Andrea Merkel."""
    if len(stated.words) < 2 or len(found.words) < 2 or stated.words[-1].stem != found.words[-1].stem:
        return False
    return found.words[-2].text.lower() not in _TITLES and not same(stated.text, found.text)


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


@lru_cache(maxsize=1 << 14)
def _alike(a: Fact, b: Fact) -> bool:
    return not _untitled(a).isdisjoint(_untitled(b)) or same(a.text, b.text)


@lru_cache(maxsize=1 << 13)
def _untitled(fact: Fact) -> frozenset[str]:
    return frozenset(w.stem for w in fact.words if w.text.lower() not in _TITLES)
