"""Compares who does what to whom in a statement with that of its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from operator import not_

from rag.checks.rules.facts import Fact, Ground
from rag.checks.rules.reading import Word, is_past
from rag.schema import Check
from rag.text.words import listed, stem

_SYMMETRIC = frozenset(
    map(stem, listed("meet talk sign agree discuss speak say negotiate clash fight marry include die"))
)
"""Verbs that do not tell who did it from whom it was done to; with "die" it is what stands behind "by" or "killed"."""
_LINKING = listed("of the")
_NAME_REACH = 7.0
_NEXT, _NAME_AUXILIARIES, _BESIDE = 1.0, 3.0, 4.0
_MOST_BEFORE = 20  # words
_PASSIVE = listed("was were be been being is are by")
_PRONOUNS = listed("he she it they who which that this these those we i you")


def roles(statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for each verb between two nouns or names: the evidence must not have them the other way round."""
    for word in statement.words:
        others = (
            []
            if word.stem in _SYMMETRIC or not _is_verb(word, statement)
            else [w for w in cited.at(word.stem) if _is_verb(w, cited)]
        )
        for beside in (_nouns_beside, _names_beside):
            turned = _turned(beside(word, statement), [beside(other, cited) for other in others])
            if turned:
                yield turned
                break


def subjects(statement: Ground, cited: Ground) -> Iterator[Check]:
    """A check for each name before a verb, if the evidence has that verb, but of somebody else each time."""
    for name in statement.by_kind["name"]:
        verb = _verb_after(name, statement)
        others = [w for w in cited.by_stem.get(verb.stem, ()) if _is_verb(w, cited)] if verb else []
        if verb and others and all(_is_of_another(name, _subject(w, cited), cited) for w in others):
            yield Check("role", f"{name.text} {verb.text}", None, False)


def _verb_after(name: Fact, ground: Ground) -> Word | None:
    """The verb of which it is the subject; one that is passive, or behind a preposition, has none."""
    before = ground.before(name.words[0], _NEXT)[-1:]
    if before and (not before[0].is_content or before[0].stem[0].isdigit()):
        return None
    last = ground.order[name.words[-1]] + 1
    for word in ground.words[last : last + 3]:
        if word.place - name.words[-1].place > _NAME_AUXILIARIES or word.text.lower() in _PASSIVE:
            return None
        if _is_verb(word, ground):
            return word
        if word.is_content and not word.text.endswith("ly"):
            return None
    return None


def _subject(verb: Word, ground: Ground) -> tuple[Word, ...]:
    """The words before a verb back to the start of its clause, without what commas put between."""
    words = ground.words[max(0, ground.order[verb] - _MOST_BEFORE) : ground.order[verb]]
    before = [w for w in words if w.sentence == verb.sentence and w.clause == verb.clause]
    if before and before[-1].text.lower() in _PASSIVE:
        return ()
    parts = _parted([*before, verb])
    if len(parts) > 2 and parts[-1][0] is verb:
        named = parts[-2] if all(w.text[0].isupper() for w in parts[-2]) else []
        return (*parts[-3], *named)
    return tuple(w for w in parts[-1] if w is not verb)


def _parted(words: Sequence[Word]) -> list[list[Word]]:
    """The words between commas and conjunctions."""
    parts = [[words[0]]]
    for last, word in pairwise(words):
        if word.place - last.place > 1:
            parts.append([])
        parts[-1].append(word)
    return parts


def _is_of_another(name: Fact, subject: Sequence[Word], cited: Ground) -> bool:
    """Whether a subject is known, and stands nowhere beside the name, which may be what it is called."""
    nouns = [w for w in subject if w.is_content]
    called = [f for f in cited.by_kind["name"] if f.words[0] in subject]
    if called and not any(w.text.lower() in _PRONOUNS for w in subject):
        return not any(_share(f.words, name.words) for f in called)
    if not nouns or _share(nouns, name.words) or any(w.text.lower() in _PRONOUNS for w in subject):
        return False
    named = [w for part in name.words for w in cited.by_stem.get(part.stem, ())]
    return not any(abs(w.place - n.place) < _BESIDE for noun in nouns for w in cited.by_stem[noun.stem] for n in named)


def _turned(stated: _Clause | None, cited: Sequence[_Clause | None]) -> Check | None:
    found = [clause for clause in cited if clause]
    turned = next((clause for clause in found if stated and _is_turned(stated, clause)), None)
    if stated is None or turned is None or any(_agree(stated, clause) for clause in found):
        return None
    return Check("role", str(stated), str(turned), False)


@dataclass(frozen=True, slots=True)
class _Clause:
    """Who did it, and to whom."""

    agent: tuple[Word, ...]
    verb: Word
    patient: tuple[Word, ...]

    def __str__(self) -> str:
        return " ".join(w.text for w in (*self.agent, self.verb, *self.patient))


def _is_verb(word: Word, of: Ground) -> bool:
    """Whether it has the form of one; what stands behind "the opening of" may be who opens, or what is opened."""
    if not word.is_content or not word.text.islower():
        return False
    after = of.after(word) if word.text.endswith("ing") else None
    return is_past(word.text) or (word.text.endswith("ing") and not (after and after.text == "of"))


def _nouns_beside(verb: Word, ground: Ground) -> _Clause | None:
    i = ground.order[verb]
    before = _phrase(ground.words[max(0, i - 8) : i][::-1])[::-1]
    after = _phrase(ground.words[i + 1 : i + 9])
    return _voiced(before, verb, after, ground) if before and after else None


def _names_beside(verb: Word, ground: Ground) -> _Clause | None:
    named = [f.words for f in ground.by_kind["name"]]
    before = [w for w in named if 0 < verb.place - w[-1].place <= _NAME_REACH]
    after = [w for w in named if 0 < w[0].place - verb.place <= _NAME_REACH]
    return _voiced(before[-1], verb, after[0], ground) if before and after else None


def _voiced(before: tuple[Word, ...], verb: Word, after: tuple[Word, ...], ground: Ground) -> _Clause:
    """The clause of a verb with what stands before and after it, turned round if it is passive."""
    i = ground.order[verb] + 1
    by = any(w.text.lower() == "by" and w.place < after[0].place for w in ground.words[i : i + 9])
    beside = ground.words[i - 2].text.lower() if i > 1 else ""
    amount = after[0].stem[0].isdigit() and beside not in _PASSIVE
    passive = by and not amount
    return _Clause(after, verb, before) if passive else _Clause(before, verb, after)


def _phrase(words: Sequence[Word]) -> tuple[Word, ...]:
    """The first content words that stand together, no more than three stop words on."""
    first = next((i for i, word in enumerate(words[:4]) if word.is_content), None)
    if first is None:
        return ()
    apart = (abs(a.place - b.place) > 1 for a, b in pairwise(words[first:]))
    near = [w for w, _ in zip(words[first + 1 :], takewhile(not_, apart), strict=False)]
    linked = takewhile(lambda w: w.is_content or w.text.lower() in _LINKING, near)
    return (words[first], *(w for w in linked if w.is_content))


def _is_turned(a: _Clause, b: _Clause) -> bool:
    """Whether each has as agent what the other has as patient."""
    return _share(a.agent, b.patient) and _share(a.patient, b.agent) and not _agree(a, b)


def _agree(a: _Clause, b: _Clause) -> bool:
    return _share(a.agent, b.agent) or _share(a.patient, b.patient)


def _share(a: Sequence[Word], b: Sequence[Word]) -> bool:
    return not {w.stem for w in a}.isdisjoint(w.stem for w in b)
