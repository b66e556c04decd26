"""Works out which days the dates in an article mean, relative ones against its own day and the dates before them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from rag.schema import Article, Precision, Published, Span
from rag.text.periods import Period, phrases
from rag.text.relative_dates import ANY_YEAR, Moment, moments, shifted
from rag.text.sentences import sentences


@dataclass(frozen=True, slots=True)
class EventDate:
    """A date, characters `start` up to, not including, `end` of the article, and the days that it means."""

    start: int
    end: int
    period: Period
    about: bool = False
    """Whether it is only near that: three weeks earlier."""

    def __str__(self) -> str:
        """As a reader writes it: `7 July 2021`, `12–18 July 2021`, `July 2021`, `2021`."""
        return f"about {_written(self.period)}" if self.about else _written(self.period)


_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
_ANCHORED = re.compile(
    rf"\b(?P<count>\d+|{'|'.join(_NUMBERS)}) (?P<unit>day|week|month|year)s? (?:(?P<before>earlier|before(?=[.,;]))"
    r"|later|after(?=[.,;]))(?! than)\b|"
    r"\b(?P<same>(?:on )?(?:the same|that) day)\b(?! (?:of|in|when|on))|\b(?:the )?(?P<next>next|following) day\b|"
    r"\bthe (?:day before|previous day)\b",
    re.IGNORECASE,
)
_AHEAD = re.compile(
    r"\b(?:will|shall|would|won[’']t|going to|scheduled|set to|due|plan(?:s|ned)?|expect(?:s|ed)?|is to|are to|was to|"
    r"were to|next|coming|upcoming)\b(?:(?!said|says|told|announced|admitted|reported)[^.,;])*$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['’]s\b")
_WEEKDAY = re.compile(r"(?:mon|tues|wednes|thurs|fri|satur|sun)day", re.IGNORECASE)
_OBVIOUS = re.compile(r"this |tonight", re.IGNORECASE)
_HINT = re.compile(r"day\b|today|night|ago\b|week|month|year|earlier|later|before|after|this |tomorrow", re.IGNORECASE)
_ON = re.compile(r"\bon\s+$", re.IGNORECASE)
_OPEN = re.compile(
    r"\bto [a-z]+\b[^.,;]*$|(?:^|[.!?]\s+)On\s+$|"
    r"\b(?:before|by|until|till|from|if|can|could|may|might|should|must)\b[^.,;]*$"
)
_ABOUT = 3
_BACK = 1_500  # characters


@lru_cache(maxsize=8192)
def event_dates(text: str, span: Span, published: Published | None) -> tuple[EventDate, ...]:
    """The relative dates of a sentence in that span of an article, in order; none if the day of the article is unknown.

    A weekday is the last one up to the day of publication, or the next one in a sentence about what is to come; "three
    days earlier" counts from the last date before it. What stays unclear is left out.
    """
    if not published or published.precision in (Precision.YEAR, Precision.MONTH) or not _may_have(text, span):
        return ()
    day, anchor, found = published.day, published.day, list[EventDate]()
    anchored = _ANCHORED.search(text, span.start, span.end)
    for sentence in _up_to(text, span) if anchored else (span,):
        found = list(_sentence(text, sentence, day, anchor))
        absolute = [m for m in moments(text[sentence.start : sentence.end], day) if phrases(m.text)]
        known = [*(m.periods[0] for m in absolute if m.periods), *(e.period for e in found)]
        anchor = next((p.first for p in reversed(known) if p.first == p.last), anchor)
    return tuple(found)


def passage_dates(article: Article, span: Span) -> tuple[EventDate, ...]:
    """All dates of a passage whose days are known, in order, relative ones and others."""
    text, published = article.text, article.published
    spans = [Span(span.start + s.start, span.start + s.end) for s in sentences(text[span.start : span.end])]
    found = [e for s in spans for e in (*event_dates(text, s, published), *_absolute(text, s, published))]
    return tuple(sorted(found, key=lambda e: (e.start, e.end)))


@lru_cache(maxsize=4096)
def dated(text: str, day: date | None) -> tuple[Moment, ...]:
    """The dates of a text of that day in order, weekdays with what their sentence makes of them.

    "A day earlier" is one of them if the text has the date from which it counts.
    """
    found = [_likely(moment, text) for moment in moments(text, day)]
    if day and _ANCHORED.search(text):
        found += _counted(text, Published(day, Precision.DAY), found)
    return tuple(sorted(found, key=lambda moment: moment.start))


def _likely(moment: Moment, text: str) -> Moment:
    """A weekday behind "on" with the day that is meant, unless an infinitive or the like leaves that open."""
    before = text[: moment.start]
    alone = len(moment.periods) > 1 and _WEEKDAY.fullmatch(moment.text) and _ON.search(before)
    if not alone or (_OPEN.search(before) and not _AHEAD.search(before)):
        return moment
    return replace(moment, likely=_meant(moment, text))


def _counted(text: str, published: Published, known: Sequence[Moment]) -> Iterator[Moment]:
    for span in sentences(text):
        for event in event_dates(text, span, published):
            counts = _ANCHORED.fullmatch(text, event.start, event.end)
            before = any(m.periods and m.end <= event.start for m in known)
            if counts and before and not any(m.start < event.end and event.start < m.end for m in known):
                around = timedelta(days=_ABOUT if event.about else 0)
                period = Period(event.period.first - around, event.period.last + around)
                yield Moment(counts[0], event.start, event.end, (period,))


def _absolute(text: str, span: Span, published: Published | None) -> Iterator[EventDate]:
    for moment in moments(text[span.start : span.end], published.day if published else None):
        if moment.periods and phrases(moment.text) and moment.periods[0].first.year != ANY_YEAR:
            yield EventDate(span.start + moment.start, span.start + moment.end, moment.periods[0])


def _may_have(text: str, span: Span) -> bool:
    """Whether it has a word of a relative date, which is quickly told."""
    return bool(_HINT.search(text, span.start, span.end))


def _up_to(text: str, span: Span) -> Iterator[Span]:
    """The sentences shortly before one in its article, then itself."""
    first = max(0, span.start - _BACK)
    yield from (Span(first + s.start, first + s.end) for s in sentences(text[first : span.start]))
    yield span


def _sentence(text: str, span: Span, day: date, anchor: date) -> Iterator[EventDate]:
    sentence = text[span.start : span.end]
    relative = [m for m in moments(sentence, day) if m.periods and not phrases(m.text)]
    found = [
        EventDate(span.start + m.start, span.start + _end(m, sentence), _meant(m, sentence))
        for m in relative
        if not _OBVIOUS.match(m.text)
    ]
    days = [e.period.first for e in found if e.period.first == e.period.last]
    for match in _ANCHORED.finditer(sentence):
        before = [d for e, d in zip(found, days, strict=False) if e.end <= span.start + match.start()]
        yield _anchored(match, span.start, before[-1] if before else anchor)
    yield from found


def _anchored(match: re.Match[str], offset: int, anchor: date) -> EventDate:
    start, end, unit = offset + match.start(), offset + match.end(), (match["unit"] or "day").lower()
    if match["same"]:
        return EventDate(start, end, Period(anchor, anchor))
    if not match["unit"]:
        return EventDate(start, end, shifted(anchor, "day", 1 if match["next"] else -1))
    count = _NUMBERS.get(match["count"].lower()) or int(match["count"])
    sign = -1 if match["before"] else 1
    if unit == "week":
        return EventDate(start, end, shifted(anchor, "day", 7 * sign * count), about=True)
    return EventDate(start, end, shifted(anchor, unit, sign * count))


def _end(moment: Moment, sentence: str) -> int:
    possessive = _POSSESSIVE.match(sentence, moment.end)
    return possessive.end() if possessive else moment.end


def _meant(moment: Moment, sentence: str) -> Period:
    """Of the days that a weekday can be, the past one, or the one to come if what is before it tells of a plan."""
    ahead = _WEEKDAY.match(moment.text) and _AHEAD.search(sentence[: moment.start])
    return moment.periods[-1 if ahead else 0]


def _written(period: Period) -> str:
    first, last = period.first, period.last
    if first == last:
        return f"{first.day} {first:%B %Y}"
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31):
        return f"{first.year}"
    if period.days < 28:
        return f"{first.day}{'' if first.month == last.month else f' {first:%B}'}–{last.day} {last:%B %Y}"
    return f"{first:%B %Y}"
