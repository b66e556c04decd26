"""Lists the figures that articles on a topic give, by what they count.

A figure is left out if its sentence does not say plainly what it counts, what happened, and that it is on the topic.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from rag.checks.exact import Number, counted
from rag.checks.rules.predication import is_past
from rag.checks.rules.reading import Force, Word, read_text
from rag.digest.days import When, is_long_past, periods_of, stated_whens
from rag.digest.excerpts import Excerpt, of_passages
from rag.errors import InputError
from rag.retrieval.near_duplicates import clusters, outlets
from rag.retrieval.retriever import Searcher, is_on
from rag.schema import Article, Citation, Figure, Figures, Precision, Reason, Series, Span, Status, Window
from rag.text.calendar import WEEKDAYS, Period
from rag.text.names import names, same
from rag.text.speakers import SAYING, voice
from rag.text.words import content_words, listed, stem

_BE = listed("is are was were been being be")
_HAVE = listed("has have had")
_JOINING = listed("that and after when while which because as but where since said")
"""What may stand before the subject of a clause."""
_PLURALS = listed("people men women children lives wives halves police personnel staff aircraft")
"""Plurals that have no -s; some look like past tenses."""
_UNFINISHED = listed("taken took put brought set enabled")
"""Verbs that do not say what happened without what follows: taken prisoner, brought to safety."""
_WHERETO = listed("to from into") | {"out of"}
_STATES = listed("to dead missing")
_PARTICLES = listed("away back down off out up")
_BEFORE_A_PLACE = listed(
    "in on at near during for against from by with within across along since before after this last"
)
"""What may follow a verb that has no object; after other words its object is not read."""
_UNREAL = re.compile(r"\b(?:if|unless|would)\b", re.IGNORECASE)
_BESIDE = listed("across along amid among around beside inside near outside per via")
_DETERMINERS = listed("the a an their its his her")
_NO_NAME = _DETERMINERS - {"the"} | listed("this that these those some")
_SAYS = re.compile(SAYING)
_SHARED = re.compile(r"\s+of\s+(?:the|its|their|his|her|all)\b", re.IGNORECASE)
_TOLL = re.compile(r"\b(?:[a-z]+ )?toll\b(?=[^.;:,()]*$)", re.IGNORECASE)
_TO = re.compile(r"\b(?:to|at|of|pass(?:es|ed)|reach(?:es|ed))\s+$", re.IGNORECASE)
_ENDS = re.compile(r"\s?(to|and|-|–)\s?")
_RANGE, _CHANGE = re.compile(r"\bbetween\s+$", re.IGNORECASE), re.compile(r"\bfrom\s+$", re.IGNORECASE)
_ONLY_SPACE = re.compile(r"\s+")
_OPENING = re.compile(r"(?<![^\s(“‘\"'—])")
_GOES_ON = re.compile(r",\s+(?:\w+\s+)?\w+(?:,|\s+(?:and|or)\b)|,?\s+(?:and|or)\s+")
"""A list that begins with the noun, which a number then counts with the others."""
_HYPHENS = ("-", "–", "—")
_SAID_ON = re.compile(rf"\b(?:{SAYING})\b(?:\s+(?:on|late|early|in|at|by|again|also))*\s*$", re.IGNORECASE)
_NEWS = timedelta(days=6)
_FEWEST_SHARED = 2
"""How many days before its publication an article's news can be; how many words sentences on one event share."""
_LONGEST = 5
"""How many words may say what is counted."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a number counts, in words, and the key that it shares with others that count the same."""

    text: str
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Event:
    """What a sentence says of when and where something happened; `recent` is when it did if it names no day."""

    days: frozenset[When]
    recent: Period | None
    places: tuple[str, ...]
    words: frozenset[str]

    def agrees(self, other: _Event) -> bool:
        """Whether both can be of one event: no other day, and the places of one are among the other's."""
        fewer, more = sorted((self.places, other.places), key=len)
        if not all(any(same(place, found) for found in more) for place in fewer):
            return False
        if self.days and other.days:
            return bool(self.days & other.days)
        recent = [e.recent for e in (self, other) if not e.days and e.recent]
        days = [w.date for w in self.days | other.days] or [p.last for p in recent]
        return any(all(p.distance(day) == 0 for p in recent) for day in days)


@dataclass(frozen=True, slots=True, eq=False)
class _Reported:
    """A figure without its citation's number and its outlets, and what it counts."""

    counts: _Counted
    figure: Figure
    event: _Event

    @property
    def article(self) -> Article:
        return self.figure.citation.article


def ledger(searcher: Searcher, topic: str, *, counting: str | None, k: int, window: Window) -> Figures:
    """The figures of the articles on a topic among the `k` passages nearest to it; only of `counting`, if it is given.

    Raises EmptyLibraryError if there is no article, InputError if the topic, or what is counted, has no words.
    """
    searcher.check_filled()
    for name, text in (("topic", topic), ("quantity", counting)):
        if text is not None and not content_words(text):
            raise InputError(f"the {name} {text!r} has no words to look for; wanted some, such as 'airport attack'")
    hits = searcher.find(searcher.query(topic, window), k=k, window=window).hits[:k]
    near = {hit.article.id: hit.article for hit in hits}
    found = _figures(searcher, [id for id, article in sorted(near.items()) if is_on(article, topic)], topic)
    series = _series((r for r in found if counting is None or _is_counted(r.counts, counting)), topic)
    result = Figures(topic, _numbered(series), as_of=window.as_of)
    if series:
        return replace(result, citations=tuple(f.citation for s in result.series for f in s.figures))
    return replace(result, status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES if near else Reason.OUTSIDE_DATES)


def figures_of(excerpt: Excerpt) -> Iterator[_Reported]:
    """The figures of a sentence of which it is clear what they count."""
    text = excerpt.article.text[excerpt.own : excerpt.span.end]
    words = read_text(text).words
    for number in _amounts(text):
        counts = _what(number, words)
        if counts:
            speaker = _speaker(excerpt)
            yield _Reported(counts, _figure(number, excerpt, speaker), _event(excerpt, speaker))


def _speaker(excerpt: Excerpt) -> str | None:
    """Who gives a figure; None if the name does not stand directly beside a verb of saying, or is no name."""
    found = voice(excerpt.article.text, Span(excerpt.own, excerpt.span.end))
    words = found.name.lower().split() if found else []
    named = [word for word in content_words(found.name) if not word[0].isdigit()] if found else []
    if not found or not named or {words[0], words[-1]} & _NO_NAME or _BE.intersection(words):
        return None
    name = re.escape(found.name)
    said = rf"{name}\W+(?:\w+\W+){{0,2}}?(?:{SAYING})\b|\baccording to (?:the )?{name}"
    is_named = found.at is not None or re.search(said, excerpt.sentence, re.IGNORECASE)
    return found.name if is_named else None


def _figures(searcher: Searcher, ids: Sequence[str], topic: str) -> list[_Reported]:
    catalog = searcher.index.catalog
    pool = of_passages(catalog, [passage for id in ids for passage in catalog.passage_ids(id)])
    excerpts = {(e.article.id, e.own): e for e in pool.excerpts if not _is_history(e)}
    return [reported for e in excerpts.values() for reported in figures_of(e) if _is_about(reported.counts, e, topic)]


def _is_about(counts: _Counted, excerpt: Excerpt, topic: str) -> bool:
    """Whether a figure is on a topic by its sentence and those before it in its paragraph, the first with the title.

    A sentence without a word of the topic is on it only if what is counted happened in those before it too.
    """
    wanted, text = frozenset(content_words(topic)), excerpt.article.text
    start = text.rfind("\n\n", 0, excerpt.own)
    title = excerpt.article.title if start < 0 else ""
    before = frozenset(content_words(f"{title} {text[max(0, start) : excerpt.own]}"))
    own = frozenset(content_words(excerpt.sentence))
    return wanted <= own | before and bool(wanted & own or counts.key[1] in before)


def _is_history(excerpt: Excerpt) -> bool:
    return any(is_long_past(period, excerpt) for period in periods_of(excerpt).values())


def _figure(number: Number, excerpt: Excerpt, speaker: str | None) -> Figure:
    value, hedge = number.value, number.hedge
    return Figure(
        " ".join(number.sentence[number.start : value.end].split()),
        None if hedge == "under" else value.low,
        None if hedge == "over" else value.high,
        excerpt.citation(1),
        value.unit,
        hedge == "about",
        speaker,
    )


def _amounts(text: str) -> Iterator[Number]:
    """The numbers of a text, two that are the ends of a range as one; without rough ones and times of day."""
    found = [n for n in counted(text) if n.value.unit != ":"]
    for place, number in enumerate(found):
        before = found[place - 1] if place else None
        joined = before and _ENDS.fullmatch(text, before.value.end, number.start)
        after = found[place + 1] if place + 1 < len(found) else None
        if before and joined:
            opening = _RANGE.search(text, 0, before.start)
            is_range = bool(opening) == (joined[1] == "and") and before.value.low < number.value.low
            if is_range and not _CHANGE.search(text, 0, before.start):
                start = opening.start() if opening else before.start
                value = replace(number.value, start=before.value.start, low=before.value.low)
                yield replace(number, value=value, hedge=before.hedge, start=start)
        elif number.value.exact and not (after and _ENDS.fullmatch(text, number.value.end, after.start)):
            yield number


def _what(number: Number, words: Sequence[Word]) -> _Counted | None:
    """What a number counts: `60 Afghans were killed`, `killed 60 Afghans`, `the death toll rose to 60`."""
    text, value = number.sentence, number.value
    if number.unit or value.high < 2 or not _OPENING.match(text, number.start) or _UNREAL.search(text):
        return None
    before = [w for w in words if w.end <= number.start]
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
    return found


def _subject(number: Number, before: Sequence[Word], after: Sequence[Word]) -> _Counted | None:
    """What it counts as the subject of a clause: what was done to it, or what it did."""
    beside = before and _ONLY_SPACE.fullmatch(number.sentence, before[-1].end, number.start)
    if beside and before[-1].text.lower() not in _JOINING:
        return None
    noun = _noun(after)
    verbs = list(after[len(noun) : len(noun) + 4])
    auxiliary = [w.text.lower() for w in verbs if w.text.lower() in _BE | _HAVE]
    left = verbs[len(auxiliary) :]
    if not _is_many(noun, number) or not left or not _is_deed(left[0]) or _is_one_deed_of_several(number, left):
        return None
    if number.value.unit and not auxiliary:  # 45% of the cuts needed must come from
        return None
    following = after[len(noun) + len(auxiliary) + 1 :]
    if _BE.intersection(auxiliary):
        return _counted_as(noun, [left[0], *_completion(following)], "object")
    more = _completion(following) or _done_to(following)
    if following and not more and following[0].text.lower() not in _BEFORE_A_PLACE:
        return None
    return _counted_as(noun, [left[0], *more], "subject")


def _object(number: Number, before: Sequence[Word], after: Sequence[Word]) -> _Counted | None:
    """What it counts as what somebody did something to."""
    text = number.sentence
    if not before or not _is_deed(before[-1]) or not _ONLY_SPACE.fullmatch(text, before[-1].end, number.start):
        return None
    ahead = [w.text.lower() for w in before[-3:-1]]
    if ahead[-1:] and (ahead[-1] in _BE or ahead[-1] in ("the", "a", "an") or ahead[-1].endswith(("'d", "’d"))):
        return None
    noun, following = _noun(after), after[len(_noun(after)) :]
    if ahead == ["to", "have"] or not _is_many(noun, number):  # appears to have killed
        return None
    if text[noun[-1].end : noun[-1].end + 1] in _HYPHENS or _is_one_of_several(number, noun, following):
        return None
    if following and (following[0].is_content or following[0].text.lower() in _BE | _HAVE):
        return None
    return _counted_as(noun, [before[-1], *_completion(following)], "object")


def _is_many(noun: Sequence[Word], number: Number) -> bool:
    """Whether it is a plural, or what a share is of."""
    last = noun[-1].text.lower() if noun else ""
    many = last.endswith(("s", "men", "women")) or last in _PLURALS
    within = {w.text.lower() for w in noun[:-1]}
    return bool(number.value.unit and noun) or (many and last != "times" and not within & (_PLURALS | {"times"}))


def _is_one_of_several(number: Number, noun: Sequence[Word], following: Sequence[Word]) -> bool:
    """Whether the number counts more than the noun: 30 police and soldiers, but not 30 police and two soldiers."""
    found = _GOES_ON.match(number.sentence, noun[-1].end)
    return bool(found) and not (_is_number(following[1:2]))


def _toll(number: Number, after: Sequence[Word]) -> _Counted | None:
    before = number.sentence[: number.start]
    found, to = _TOLL.search(before), _TO.search(before)
    if not found or not to or (after and after[0].is_content):
        return None
    return _Counted(found[0].lower().removeprefix("the "), ("toll", *content_words(found[0])))


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


def _has_past_form(word: Word) -> bool:
    text = word.text
    is_no_verb = len(text) < 4 or _is_number([word]) or text.endswith("ise") or text in _PLURALS | _STATES
    return text.islower() and is_past(word) and not is_no_verb


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
    return [*determiner, *noun] if noun and (determiner or not noun[0].text.islower()) else []


def _counted_as(noun: Sequence[Word], deed: Sequence[Word], role: str) -> _Counted | None:
    if deed[0].text in _UNFINISHED and (deed[0].text == "took" or not deed[1:]):  # it took 40 men to lift it
        return None
    text = " ".join(w.text for w in (*noun, *deed))
    return _Counted(text, (role, *(w.stem for w in (*deed, *noun) if w.is_content)))


def _is_counted(counts: _Counted, wanted: str) -> bool:
    return set(content_words(wanted)) <= {stem(word.lower()) for word in counts.text.split()}


def _series(found: Iterable[_Reported], topic: str) -> list[Series]:
    """The figures of each thing that is counted in one event, the earliest first."""
    by_thing: dict[tuple[str, ...], list[list[_Reported]]] = defaultdict(list)
    for reported in sorted(found, key=lambda r: (r.figure.day or "9999", r.article.id, r.figure.citation.start)):
        events = by_thing[(*reported.counts.key, reported.figure.unit)]
        same = (e for e in events if all(reported.event.agrees(r.event) for r in e) and _is_linked(reported, e, topic))
        event = next(same, None)
        if event is None:
            events.append(event := [])
        event.append(reported)
    made = [_of_event(event) for events in by_thing.values() for event in events]
    return sorted(made, key=lambda series: (-len(series.figures), series.figures[0].day, series.counts))


def _is_linked(reported: _Reported, event: Sequence[_Reported], topic: str) -> bool:
    """Whether enough words of one of an event's sentences, or of the topic, are its own, what is counted aside."""
    common = frozenset(content_words(topic))
    rest = [(reported.event.words & r.event.words | common) - frozenset(reported.counts.key) for r in event]
    return any(len(words) >= _FEWEST_SHARED for words in rest)


def _event(excerpt: Excerpt, speaker: str | None) -> _Event:
    """What a sentence says of when and where, without who says it and when."""
    text, published = excerpt.article.text, excerpt.article.known_day
    periods = {at: p for at, p in periods_of(excerpt).items() if not _SAID_ON.search(text[excerpt.own : at])}
    recent = Period(published - _NEWS, published) if published else None
    places = tuple(n.text for n in names(excerpt.sentence) if n.text not in (speaker or ""))
    said = content_words(speaker or "") + [stem(verb) for verb in SAYING.split("|")]
    words = frozenset(w for w in content_words(excerpt.sentence) if not w[0].isdigit()) - frozenset([*said, *WEEKDAYS])
    return _Event(frozenset(stated_whens(excerpt, periods)), recent, places, words)


def _of_event(event: Sequence[_Reported]) -> Series:
    by_value: dict[tuple[object, ...], list[_Reported]] = defaultdict(list)
    for r in event:
        by_value[(r.figure.low, r.figure.high, r.figure.unit, r.figure.about)].append(r)
    figures = [figure for same in by_value.values() for figure in _independent(same)]
    figures.sort(key=lambda f: (f.day or "9999", f.citation.article.id, f.citation.start, f.least or 0.0))
    days = list(frozenset[When]().union(*(r.event.days for r in event)))
    happened = days[0].date.isoformat() if len(days) == 1 and days[0].precision is Precision.DAY else None
    return Series(event[0].counts.text, tuple(figures), happened)


def _independent(same: Sequence[_Reported]) -> list[Figure]:
    """The figures of one value, of copies of one report only the first; each with all outlets that give it."""
    articles = {r.article.id: r.article for r in same}
    named = outlets(articles.values())
    firsts = [copies[0].id for copies in clusters(articles.values())]
    by_article = {r.article.id: r.figure for r in reversed(same)}
    return [replace(by_article[id], outlets=named) for id in firsts]


def _numbered(series: Sequence[Series]) -> tuple[Series, ...]:
    """The series with citations that are numbered through."""
    numbers: dict[tuple[str, int, int], Citation] = {}

    def cite(figure: Figure) -> Figure:
        c = figure.citation
        place = (c.article.id, c.start, c.end)
        return replace(figure, citation=numbers.setdefault(place, replace(c, number=len(numbers) + 1)))

    return tuple(replace(s, figures=tuple(map(cite, s.figures))) for s in series)
