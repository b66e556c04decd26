"""Lists the figures that articles on a topic give, by what they count.

A figure is left out if its sentence does not say plainly what it counts, what happened, and that it is on the topic.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from rag.checks.exact import Number
from rag.checks.rules.reading import read_text
from rag.checks.rules.wordvectors import likeness
from rag.digest.counts import Counted, amounts, what_is_counted
from rag.digest.days import When, is_long_past, periods_of, stated_whens
from rag.digest.excerpts import Excerpt, of_passages
from rag.errors import InputError
from rag.retrieval.near_duplicates import clusters, outlets
from rag.retrieval.retriever import Searcher, is_on
from rag.schema import (
    Article,
    Citation,
    Conflict,
    Dispute,
    Figure,
    Figures,
    Position,
    Precision,
    Reason,
    Series,
    Span,
    Status,
    Window,
)
from rag.text.calendar import WEEKDAYS, Period
from rag.text.names import names, same
from rag.text.sentences import sentences
from rag.text.speakers import SAYING, voice
from rag.text.words import content_words, listed, stem

_NO_NAME = listed("a an no this that these those some is are was were has have had")
_BEFORE_A_NAME = listed("at in on of by from with for to")
_SAID_ON = re.compile(rf"\b(?:{SAYING})\b(?:\s+(?:on|late|early|in|at|by|again|also))*\s*$", re.IGNORECASE)
_SAID = frozenset(map(stem, SAYING.split("|")))
_CLAUSE = re.compile(r"[,;:()–—]|\b(?:that|when|after|before|since|until)\b")
_OPENING = 12  # characters
_NEWS = timedelta(days=6)
_ALIKE = 0.4
"""From which likeness on a word of a topic stands for another: blaze and wildfire for fire."""
_FEWEST_SHARED = 2
"""How many days before its publication an article's news can be; how many words sentences on one event share."""


@dataclass(frozen=True, slots=True)
class _Event:
    """What a sentence says of when and where something happened; `recent` is when it did if it names no day.

    `around` has the places of its article's title and first sentence.
    """

    days: frozenset[When]
    recent: Period | None
    places: tuple[str, ...]
    words: frozenset[str]
    around: tuple[str, ...] = ()

    def agrees(self, other: _Event) -> bool | None:
        """Whether both can be of one event: no other day, and the places of one are among the other's.

        None if neither gives its day, and they were published in different weeks.
        """
        if not (self._covers(other) or other._covers(self)):
            return False
        if self.days and other.days:
            return bool(self.days & other.days)
        recent = [e.recent for e in (self, other) if not e.days and e.recent]
        days = [w.date for w in self.days | other.days] or [p.last for p in recent]
        is_near = any(all(p.distance(day) == 0 for p in recent) for day in days)
        return is_near or (None if not self.days | other.days else False)

    def _covers(self, other: _Event) -> bool:
        return all(any(same(place, found) for found in self.places + self.around) for place in other.places)


@dataclass(frozen=True, slots=True, eq=False)
class _Reported:
    """A figure without its citation's number and its outlets, and what it counts.

    `near` is whether the topic is in its sentence or those before it, not only in what its article is about.
    """

    counts: Counted
    figure: Figure
    event: _Event
    near: bool = True

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


def revisions(excerpts: Iterable[Excerpt]) -> list[Conflict]:
    """The figures of one event of which a later day has another one: that of the latest day, before the earlier ones.

    None of an event of which that day has several.
    """
    found: list[Conflict] = []
    for event in _events(_widened(r, e) for e in excerpts if not _is_history(e) for r in figures_of(e)):
        by_value = {(r.figure.least, r.figure.most): r.figure for r in event if r.figure.day}
        dated = sorted(by_value.values(), key=lambda figure: figure.day, reverse=True)
        if dated[1:] and dated[0].day != dated[1].day:
            positions = tuple(Position(f.text, f.citation, f.speaker) for f in dated)
            found.append(Conflict(Dispute.SUPERSEDED, "", positions))
    return found


def figures_of(excerpt: Excerpt) -> Iterator[_Reported]:
    """The figures of a sentence of which it is clear what they count."""
    text = excerpt.article.text[excerpt.own : excerpt.end]
    for number in amounts(text):
        counts = what_is_counted(number, read_text(text).words)
        if counts:
            speaker = _speaker(excerpt)
            event = _event(number, excerpt)
            if counts.by is None:  # it rose on a day, which is not that of what it is the toll of
                event = replace(event, days=frozenset())
            yield _Reported(counts, _figure(number, excerpt, speaker), event)


def _speaker(excerpt: Excerpt) -> str | None:
    """Who gives a figure; None if the name does not stand directly beside a verb of saying, or is no name."""
    found = voice(excerpt.article.text, Span(excerpt.own, excerpt.end))
    words = found.name.lower().split() if found else []
    if not found or _NO_NAME.intersection(words) or not content_words(found.name):
        return None
    if {words[0], words[-1]} & _BEFORE_A_NAME or any(stem(word)[0].isdigit() for word in words):
        return None
    name = re.escape(found.name)
    said = rf"{name}\W+(?:[a-z]\w*\W+){{0,2}}?(?i:{SAYING})\b|\b(?i:according to) (?:the )?{name}"
    is_named = found.at is not None or re.search(said, excerpt.sentence)
    return found.name if is_named else None


def _figures(searcher: Searcher, ids: Sequence[str], topic: str) -> list[_Reported]:
    catalog = searcher.index.catalog
    pool = of_passages(catalog, [passage for id in ids for passage in catalog.passage_ids(id)])
    excerpts = {(e.article.id, e.own): e for e in pool.excerpts if not _is_history(e)}
    found = [(e, _widened(reported, e)) for e in excerpts.values() for reported in figures_of(e)]
    near = [replace(reported, near=_is_near(reported.counts, e, topic)) for e, reported in found]
    return [r for (e, _), r in zip(found, near, strict=True) if r.near or _is_in_news(r, e, topic)]


def _widened(reported: _Reported, excerpt: Excerpt) -> _Reported:
    """A figure whose clause says no more than what it counts is of the event of what it follows."""
    article, event = excerpt.article, reported.event
    at = article.text.index(reported.figure.text.split()[0], excerpt.own)
    start = max((m.end() for m in _CLAUSE.finditer(article.text, excerpt.own, at)), default=excerpt.own)
    ends = [m.start() for m in _CLAUSE.finditer(article.text, at, excerpt.end)]
    ends += [excerpt.own + n.value.begin for n in amounts(article.text[excerpt.own : excerpt.end])]
    end = min((end for end in ends if end > at), default=excerpt.end)
    own = frozenset(content_words(article.text[start:end])) & event.words
    if event.places or own - reported.counts.stems - frozenset(
        content_words(f"{reported.counts.beside} {reported.figure.text}")
    ):
        return reported
    start = max(0, article.text.rfind("\n\n", 0, excerpt.own))
    if _is_history(replace(excerpt, own=start)):
        return reported
    before = article.text[start : excerpt.own].strip() or _lead(article)
    return replace(reported, event=replace(event, words=event.words | frozenset(content_words(before))))


def _is_in_news(reported: _Reported, excerpt: Excerpt, topic: str) -> bool:
    """Whether an article's title and first sentence are on a topic, and a sentence names nothing that they do not.

    They are if each word of it is there, or one much like it, such as a blaze for a fire.
    """
    article = excerpt.article
    lead = _lead(article)
    named = names(lead)
    is_known = all(any(same(place, found.text) for found in named) for place in reported.event.places)
    lacking = frozenset(content_words(topic)) - frozenset(content_words(lead))
    words = [word for word in topic.split() if not lacking.isdisjoint(content_words(word))]
    return is_known and all(word.islower() and likeness(word, lead) >= _ALIKE for word in words)


def _lead(article: Article) -> str:
    """Its title and first sentence."""
    return f"{article.title} {article.text[: next(iter(sentences(article.text))).end]}"


def _is_near(counts: Counted, excerpt: Excerpt, topic: str) -> bool:
    """Whether a figure is on a topic by its sentence and those before it in its paragraph, the first with the title.

    A sentence without a word of the topic is on it only if what is counted happened in those before it too.
    """
    wanted, text = frozenset(content_words(topic)), excerpt.article.text
    start = text.rfind("\n\n", 0, excerpt.own)
    title = excerpt.article.title if start < 0 else ""
    before = frozenset(content_words(f"{title} {text[max(0, start) : excerpt.own]}"))
    own = frozenset(content_words(excerpt.sentence))
    return wanted <= own | before and bool(wanted & own or stem(counts.deed) in before)


def _is_history(excerpt: Excerpt) -> bool:
    return any(is_long_past(period, excerpt) for period in periods_of(excerpt).values())


def _figure(number: Number, excerpt: Excerpt, speaker: str | None) -> Figure:
    value = number.value
    return Figure(
        " ".join(number.sentence[value.begin : value.end].split()),
        None if value.bound in ("under", "most") else value.low,
        None if value.bound in ("over", "least") else value.high,
        excerpt.citation(1),
        value.unit,
        value.bound == "about",
        speaker,
    )


def _is_counted(counts: Counted, wanted: str) -> bool:
    return set(content_words(wanted)) <= {stem(word.lower()) for word in counts.text.split()}


def _series(found: Iterable[_Reported], topic: str) -> list[Series]:
    """The figures of each thing that is counted in one event, the earliest first."""
    made = map(_of_event, _events(found, topic))
    return sorted(made, key=lambda series: (-len(series.figures), series.figures[0].day, series.counts))


def _events(found: Iterable[_Reported], topic: str = "") -> list[list[_Reported]]:
    """The figures of each thing that is counted in one event, the earliest first."""
    by_thing: dict[tuple[frozenset[str], str], list[list[_Reported]]] = defaultdict(list)
    for reported in sorted(found, key=lambda r: (r.figure.day or "9999", r.article.id, r.figure.citation.start)):
        events = by_thing[reported.counts.things, reported.figure.unit]
        event = next((e for e in events if _is_of(reported, e) and _is_linked(reported, e, topic)), None)
        if event is None:
            events.append(event := [])
        event.append(reported)
    return [event for events in by_thing.values() for event in events]


def _is_of(reported: _Reported, event: Sequence[_Reported]) -> bool:
    """Whether it counts the same as the figures of an event, and can be of it: of about the days of one of them."""
    if not any(reported.counts.is_of(r.counts) for r in event):
        return False
    whens = [reported.event.agrees(r.event) for r in event]
    return any(w is True for w in whens) and False not in whens


def _is_linked(reported: _Reported, event: Sequence[_Reported], topic: str) -> bool:
    """Whether enough words of one of an event's sentences, or of the topic, are its own, what is counted aside."""
    common = frozenset(content_words(topic) if reported.near and all(r.near for r in event) else ())
    rest = [(reported.event.words & r.event.words | common) - reported.counts.stems for r in event]
    return any(len(words) >= _FEWEST_SHARED for words in rest)


def _event(number: Number, excerpt: Excerpt) -> _Event:
    """What a sentence says of when and where, without who says it and when."""
    published = excerpt.article.known_day
    periods = {at: p for at, p in periods_of(excerpt).items() if _is_when(at - excerpt.own, number)}
    recent = Period(published - _NEWS, published) if published else None
    said = voice(excerpt.article.text, Span(excerpt.own, excerpt.end))
    speaker = said.name if said else ""
    places = tuple(n.text for n in names(excerpt.sentence) if n.text not in speaker)
    words = frozenset(w for w in content_words(excerpt.sentence) if not w[0].isdigit() and w not in WEEKDAYS)
    own = words - _SAID - frozenset(content_words(speaker))
    around = tuple(n.text for n in names(_lead(excerpt.article)))
    return _Event(frozenset(stated_whens(excerpt, periods)), recent, places, own, around)


def _is_when(at: int, number: Number) -> bool:
    """Whether the date at a place of a sentence is that of what a number counts: in its clause, or first of all."""
    text, start, end = number.sentence, number.value.begin, number.value.end
    if at > end:
        return not _SAID_ON.search(text[:at]) and not _CLAUSE.search(text, end, at)
    between = text[at:start]
    return not _CLAUSE.search(between.replace(",", "", 1) if at <= _OPENING else between)


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
