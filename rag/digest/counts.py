"""Reads what a number counts: only what a sentence says plainly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.checks.exact import Number, counted
from rag.checks.rules.reading import Force, Word, is_past
from rag.checks.rules.wordvectors import likeness
from rag.models.embeddings import is_word
from rag.text.speakers import SAYING
from rag.text.words import FUNCTION_WORDS, base, content_words, listed, stem

_BE = listed("is are was were been being be")
_AUXILIARIES = re.compile(
    r"(?:\s+(?:(?P<be>is|are|was|were|been|being|be)|(?P<have>(?:known to )?(?:has|have|had))|"
    r"now|still|also|already)\b)*"
)
"""What may stand before the verb: have been; are still; are now known to have."""
_JOINING = listed("that and after when while which because as but where since said")
"""What may stand before the subject of a clause."""
_PLURALS = listed("people men women children lives wives halves police personnel staff aircraft")
"""Plurals that have no -s; some look like past tenses."""
_UNFINISHED = listed("taken took put brought set enabled went came got made did gave kept")
"""Verbs that do not say what happened without what follows: taken prisoner, brought to safety, went on strike."""
_PARTICIPLES = {
    "broke": "broken",
    "chose": "chosen",
    "drove": "driven",
    "flew": "flown",
    "saw": "seen",
    "stole": "stolen",
    "threw": "thrown",
    "wrote": "written",
}
_MEASURES = listed("times cents seconds minutes hours days weeks months years yards miles kilometres metres points")
"""Plurals that measure."""
_CHANGES = listed("fell fallen rose risen dropped climbed grew jumped gained increased decreased declined")
"""Verbs whose number is no count but a difference."""
_WHERETO = listed("to from into") | {"out of"}
_STATES = listed("to dead missing")
_PARTICLES = listed("away back down off out up")
_BEFORE_A_PLACE = listed(
    "in on at near during for against from by with within across along since before after this last"
)
"""What may follow a verb that has no object; after other words its object is not read."""
_AFTER_AN_OBJECT = listed("who whom which that when while because as and")
_BREAK = re.compile(r"\s*(?:[-–—:“\"‘'(]|\d)")
"""What may not follow an object, which then goes on."""
_UNREAL = re.compile(r"\b(?:if|unless|would)\b", re.IGNORECASE)
_BESIDE = listed(
    "across along amid among around beside inside near now outside per since via although though whereas whether"
)
_ARTICLES = listed("the a an")
_DETERMINERS = _ARTICLES | listed("their its his her")
_SAYS = re.compile(SAYING)
_SHARED = re.compile(r"\s+of\s+(?:the|its|their|his|her|all)\b", re.IGNORECASE)
_TOLL = re.compile(
    r"\b(?:(?:[a-z]+ )?toll\b|number of ([a-z]+(?: [a-z]+){0,2}?)(?= (?:"
    rf"passed|reached|rose|climbed|fell|stands|stood|remains|remained|{'|'.join(sorted(FUNCTION_WORDS - {'who'}))})\b))"
    r"(?=[^.;:,()]*$)",
    re.IGNORECASE,
)
_TO = re.compile(
    r"(?:\b(\w+)\s+)?\b(?:to|at|of|as|is|was|pass(?:es|ed)|reach(?:es|ed)|remain(?:s|ed))\s+$", re.IGNORECASE
)
_ENDS = re.compile(r"\s?(to|and|-|–)\s?")
_RANGE, _CHANGE = re.compile(r"\bbetween\s+$", re.IGNORECASE), re.compile(r"\bfrom\s+$", re.IGNORECASE)
_ONLY_SPACE = re.compile(r"\s+")
_OPENING = re.compile(r"(?<![^\s(“‘\"'—])")
_GOES_ON = re.compile(r",\s+(?:\w+\s+)?\w+(?:,|\s+(?:and|or)\b)|,?\s+(?:and|or)\s+")
"""A list that begins with the noun, which a number then counts with the others."""
_HYPHENS = ("-", "–", "—")
_ALIKE = 0.55
"""From which likeness on two verbs are of one deed: killed and died, not destroyed and damaged."""
_LONGEST = 5
"""How many words may say what is counted."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a number counts: the word for what was done, and the stems of what it was done to, or by what.

    `by` is whether what is counted did it; None for the number or the toll of something. `beside` are words that say
    no more of it.
    """

    text: str
    deed: str
    things: frozenset[str]
    by: bool | None = None
    beside: str = ""

    @property
    def stems(self) -> frozenset[str]:
        """All that says what is counted."""
        return self.things.union(content_words(f"{self.text} {self.deed}"))

    def is_of(self, other: Counted) -> bool:
        """Whether both count the same: people who died are those who were killed."""
        if self.things != other.things:
            return False
        is_one = stem(self.deed.lower()) == stem(other.deed.lower())
        if is_one:
            return None in (self.by, other.by) or self.by == other.by
        return likeness(self.deed, other.deed) >= _ALIKE


def amounts(text: str) -> Iterator[Number]:
    """The numbers of a text, two that are the ends of a range as one; without rough ones and times of day."""
    found = [n for n in counted(text) if n.value.unit != ":"]
    for place, number in enumerate(found):
        before = found[place - 1] if place else None
        joined = before and _ENDS.fullmatch(text, before.value.end, number.value.begin)
        after = found[place + 1] if place + 1 < len(found) else None
        if before and joined:
            opening = _RANGE.search(text, 0, before.value.begin)
            is_range = bool(opening) == (joined[1] == "and") and before.value.low < number.value.low
            if joined[1] == "to" and _CHANGE.search(text, 0, before.value.begin):
                yield number
            elif is_range:
                begin = opening.start() if opening else before.value.begin
                value = replace(before.value, end=number.value.end, high=number.value.high, begin=begin)
                yield replace(number, value=value)
        elif number.value.exact and not (after and _ENDS.fullmatch(text, number.value.end, after.value.begin)):
            yield number


def what_is_counted(number: Number, words: Sequence[Word]) -> Counted | None:
    """What a number counts: `60 Afghans were killed`, `killed 60 Afghans`, `the death toll rose to 60`."""
    text, value = number.sentence, number.value
    if (
        (value.measure and value.measure.dimension != "area")
        or value.unit not in ("", "%")
        or value.high < 2
        or not _OPENING.match(text, value.begin)
        or _UNREAL.search(text)
    ):
        return None
    before = [w for w in words if w.end <= number.value.begin]
    within = next((w for w in words if w.end > value.start), None)
    if within is None or within.negated or within.force is not Force.FACT:
        return None
    shared = _SHARED.match(text, value.end)
    if value.unit == "%" and not shared:
        return None
    after = _run(text, shared.end() if shared else value.end, words)
    return _toll(number, after) or _subject(number, before, after) or _object(number, before, after)


def _run(text: str, start: int, words: Sequence[Word]) -> list[Word]:
    """The words from a place on that only spaces part."""
    found: list[Word] = []
    for word in (w for w in words if w.start >= start):
        if not _ONLY_SPACE.fullmatch(text, found[-1].end if found else start, word.start):
            break
        found.append(word)
    return found[:-1] if found and text.startswith("-", found[-1].end) else found  # COVID-19


def _subject(number: Number, before: Sequence[Word], after: Sequence[Word]) -> Counted | None:
    """What it counts as the subject of a clause: what was done to it, or what it did."""
    beside = before and _ONLY_SPACE.fullmatch(number.sentence, before[-1].end, number.value.begin)
    if beside and before[-1].text.lower() not in _JOINING:
        return None
    noun = _noun(after)
    auxiliary = _AUXILIARIES.match(number.sentence, noun[-1].end if noun else number.value.end)
    verbs = [w for w in after if auxiliary and w.start >= auxiliary.end()]
    if not auxiliary or not _is_many(noun, number) or not verbs:
        return None
    done, *following = verbs
    is_passive = auxiliary.lastgroup == "be"
    is_state = is_passive and done.text == "missing"
    is_told = _is_deed(done) and not _is_one_deed_of_several(number, verbs[:4])
    if not is_state and not (is_told and (auxiliary[0] or not number.value.unit)):  # 45% of the cuts needed must come
        return None
    more = _completion(following) or ([] if is_passive else _done_to(following))
    allowed = _BEFORE_A_PLACE | _AFTER_AN_OBJECT | {"of"}
    if following and not more and not is_passive and following[0].text.lower() not in allowed - {"that"}:
        return None
    return _counted_as(noun, [done, *more], by=is_state or not is_passive, beside=auxiliary[0])


def _object(number: Number, before: Sequence[Word], after: Sequence[Word]) -> Counted | None:
    """What it counts as what somebody did something to."""
    noun = _noun(after)
    following = after[len(noun) :]
    if not _is_done(number, before) or not _is_many(noun, number) or _is_one_of_several(number, noun, following):
        return None
    more = _completion(following)
    allowed = _BEFORE_A_PLACE | _AFTER_AN_OBJECT | {"of"}
    if not more and following and following[0].text.lower() not in allowed:
        return None
    if _BREAK.match(number.sentence, noun[-1].end):
        return None
    verb = before[-1] if _has_past_form(before[-1]) else replace(before[-1], text=f"{before[-1].text[:-3]}ed")
    return _counted_as(noun, [verb, *more], by=False)


def _is_done(number: Number, before: Sequence[Word]) -> bool:
    """Whether a verb stands directly before the number, and is neither a passive nor what only seems to have been."""
    text = number.sentence
    if not before or not _ONLY_SPACE.fullmatch(text, before[-1].end, number.value.begin):
        return False
    if not _is_deed(before[-1]) and not _is_result(before[-1], text):
        return False
    if before[-1].text in _CHANGES or text[: before[-1].start].endswith(_HYPHENS):
        return False
    ahead = [w.text.lower() for w in before[-3:-1]]
    is_passive = bool(ahead) and (
        ahead[-1] in _BE | {"to"} or ahead[-1] in _ARTICLES or ahead[-1].endswith(("'d", "’d"))
    )
    return not is_passive and ahead != ["to", "have"]


def _is_many(noun: Sequence[Word], number: Number) -> bool:
    """Whether it is a plural, or what a share is of."""
    last = noun[-1].text.lower() if noun else ""
    many = last != "ones" and (last.endswith(("s", "men", "women")) or last in _PLURALS)
    within = {w.text.lower() for w in noun[:-1]}
    return bool(number.value.unit and noun) or (many and last not in _MEASURES and not within & (_PLURALS | _MEASURES))


def _is_one_of_several(number: Number, noun: Sequence[Word], following: Sequence[Word]) -> bool:
    """Whether the number counts more than the noun: 30 police and soldiers, but not 30 police and (wounded) two."""
    found = _GOES_ON.match(number.sentence, noun[-1].end)
    is_next_deed = _is_number(following[2:3]) and _has_past_form(following[1])
    return bool(found) and not (_is_number(following[1:2]) or is_next_deed)


def _toll(number: Number, after: Sequence[Word]) -> Counted | None:
    before = number.sentence[: number.value.begin]
    found, to = _TOLL.search(before), _TO.search(before)
    if not found or not to or (after and after[0].is_content):
        return None
    text = found[0].lower().removeprefix("the ")
    *_, deed = told = (found[1] or "people died").split()
    deed = next((word for word in told if word not in _PLURALS | _STATES and is_past(word)), deed)
    things = frozenset(content_words(" ".join(word for word in told if word != deed) or "people"))
    return Counted(text, deed, things, beside=to[1] or "")


def _noun(after: Sequence[Word]) -> list[Word]:
    """The words up to a verb or a preposition; none if they do not end so, or stand for something said before."""
    noun: list[Word] = []
    for word in after:
        if not word.is_content or _has_past_form(word) or word.stem[0].isdigit() or word.text.lower() in _BESIDE:
            break
        noun.append(word)
    return noun if len(noun) <= _LONGEST else []


def _is_deed(word: Word) -> bool:
    """Whether it is a verb for something that was done, not said, denied or planned."""
    return _has_past_form(word) and not word.negated and word.force is Force.FACT and not _SAYS.fullmatch(word.text)


def _is_result(word: Word, text: str) -> bool:
    """Whether it is what came of what was said before it: the bomb went off, killing 12 people."""
    is_regular = word.text.endswith("ing") and word.text != "including" and is_word(f"{word.text[:-3]}ed")
    return is_regular and text[: word.start].endswith(", ") and not word.negated and word.force is Force.FACT


def _has_past_form(word: Word) -> bool:
    text = word.text
    if not text.islower() or not is_past(text) or text in _PLURALS | _STATES or word.stem[0].isdigit():
        return False
    if text.endswith("ed"):
        return len(text) > 3 and not text.endswith(("need", "feed", "ceed"))
    return base(text) not in (text.replace("is", "iz"), text.replace("our", "or"))  # a spelling is no tense


def _is_one_deed_of_several(number: Number, verbs: Sequence[Word]) -> bool:
    """Whether something else is made of the verb, or another is named too: feared dead, hurt or killed."""
    following = [w for w in verbs[1:] if w.text.lower() not in ("and", "or")]
    listed_on = re.match(r",\s+\w+ed\b", number.sentence[verbs[0].end :])
    return bool(listed_on) or any(w.text.lower() in _STATES or _has_past_form(w) for w in following[:1])


def _completion(following: Sequence[Word]) -> list[Word]:
    """What completes a verb: flown out, taken to safety, dropped out of the workforce."""
    first = following[0].text.lower() if following else ""
    if first in _WHERETO:
        end = 2 if following[1:] and following[1].text.lower() in _DETERMINERS else 1
        noun = _noun(following[end:])
        return [*following[:end], *noun] if noun else []
    return list(following[:1]) if first in _PARTICLES and not _is_number(following[1:2]) else []


def _is_number(words: Sequence[Word]) -> bool:
    return bool(words) and words[0].stem[0].isdigit()


def _done_to(following: Sequence[Word]) -> list[Word]:
    """The object behind a verb: crossed the border, lost their homes, left Kabul."""
    determiner = [w for w in following[:1] if w.text.lower() in _DETERMINERS]
    noun = _noun(following[len(determiner) :])
    beyond = [w for w in following[len(determiner) + len(noun) :][:1] if w.text.lower() in ("and", "or")]
    is_object = noun and not beyond and (determiner or not noun[0].text.islower())
    return [*determiner, *noun] if is_object else []


def _counted_as(noun: Sequence[Word], deed: Sequence[Word], *, by: bool, beside: str = "") -> Counted | None:
    if deed[0].text in _UNFINISHED and (deed[0].text == "took" or not deed[1:]):  # it took 40 men to lift it
        return None
    done = deed[0].text if by else _PARTICIPLES.get(deed[0].text, deed[0].text)
    text = " ".join((*(w.text for w in noun), done, *(w.text for w in deed[1:])))
    return Counted(text, done, frozenset(w.stem for w in (*deed[1:], *noun) if w.is_content), by, beside)
