"""Reads the dates of a text, relative ones too, against a day."""

from __future__ import annotations

import re
from calendar import month_name, monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

from rag.schema import Article, Precision, Published, Span
from rag.text.calendar import ANY_WEEKDAY, WEEKDAYS, Period, is_year_range, named, phrases
from rag.text.sentences import sentences
from rag.text.words import COUNTS

ANY_YEAR = 4
"""The year of a date whose year nothing tells; a leap year in the calendar that no article is from."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date phrase, characters `start` up to, not including, `end` of a text, with the periods that it can mean."""

    text: str
    start: int
    end: int
    periods: tuple[Period, ...]
    likely: Period | None = None
    """That of them which its sentence means, if that is known."""
    whole: bool = False
    """Whether it is a range of years, so that what is said of it is said of each year in it."""

    @property
    def meant(self) -> tuple[Period, ...]:
        """The likely period, else all that it can mean."""
        return (self.likely,) if self.likely else self.periods


_COUNTS = {"a": 1, "an": 1, **COUNTS}
_RELATIVE = re.compile(
    rf"\b(?:(?P<near>today|tonight|yesterday|tomorrow|this (?:morning|afternoon|evening))"
    rf"|(?:(?P<which>last|next|this|the past|past|coming) )?(?P<weekday>{ANY_WEEKDAY})\b(?!s)"
    rf"|(?<!the )(?P<shift>last|next|this) (?P<unit>day|week|month|year)\b"
    rf"|(?P<part>beginning|start|middle|end) of (?:the|this) month"
    rf"|(?P<count>\d+|{'|'.join(_COUNTS)}) (?P<units>day|week|month|year)s? ago)\b",
    re.IGNORECASE,
)
_NEAR = {"yesterday": -1, "tomorrow": 1}
_SHIFTS = {"last": -1, "next": 1, "this": 0}


@lru_cache(maxsize=4096)
def moments(text: str, published: date | None = None) -> tuple[Moment, ...]:
    """The dates of a text in order. Without `published`, relative ones mean nothing, and have no periods."""
    years = range(published.year - 1, published.year + 2) if published else (ANY_YEAR,)
    found = [_absolute(match, tuple(named(match, years)), published) for match in phrases(text)]
    relative = [m for m in _RELATIVE.finditer(text) if not any(m.start() < f.end and f.start < m.end() for f in found)]
    found += [Moment(m[0], m.start(), m.end(), tuple(_meant(m, published))) for m in relative]
    return tuple(sorted(found, key=lambda moment: moment.start))


def covers(stated: Moment, found: Moment) -> bool:
    """Whether a stated date is the found one, a longer period around what that means, or a year of a range of them."""
    if stated.text.casefold() == found.text.casefold():
        return True
    if found.whole and any(_within(inner, outer) for inner in stated.periods for outer in found.periods):
        return True
    return any(_within(inner, outer) for inner in found.meant for outer in stated.periods)


def overlap(stated: Moment, found: Moment) -> bool:
    """Whether they have a day in common, so that neither makes the other untrue."""
    pairs = [(outer, inner) for outer in stated.periods for inner in found.meant]
    return any(outer.first <= inner.last and inner.first <= outer.last for outer, inner in pairs)


def _absolute(match: re.Match[str], meant: tuple[Period, ...], published: date | None) -> Moment:
    """A date without a year is that nearest to the publication."""
    if published and not match.groupdict().get("year"):
        meant = tuple(sorted(meant, key=lambda p: p.distance(published))[:1])
    return Moment(match[0], match.start(), match.end(), meant, whole=is_year_range(match))


def _within(inner: Period, outer: Period) -> bool:
    if ANY_YEAR in (inner.first.year, outer.first.year):
        inner, outer = _yearless(inner), _yearless(outer)
    return outer.first <= inner.first and inner.last <= outer.last


def _yearless(period: Period) -> Period:
    return Period(period.first.replace(year=ANY_YEAR), period.last.replace(year=ANY_YEAR))


def _meant(match: re.Match[str], published: date | None) -> Iterator[Period]:
    if published is None:
        return
    near, weekday, shift = match["near"], match["weekday"], match["shift"]
    if near:
        yield shifted(published, "day", _NEAR.get(near.lower(), 0))
    elif weekday:
        back = (published.weekday() - WEEKDAYS[weekday.lower()]) % 7
        yield from (shifted(published, "day", n) for n in _weekdays((match["which"] or "").lower(), back))
    elif shift:
        yield shifted(published, match["unit"].lower(), _SHIFTS[shift.lower()])
    elif match["part"]:
        for phrase in phrases(f"{match['part']} of {month_name[published.month]}"):
            yield from named(phrase, (published.year,))
    else:
        count = match["count"].lower()
        yield shifted(published, match["units"].lower(), -(_COUNTS.get(count) or int(count)))


def _weekdays(which: str, back: int) -> tuple[int, ...]:
    """The days from the publication that a weekday can mean, `back` days before it the last one."""
    match which:
        case "last" | "past" | "the past":
            return (-(back or 7), -back - 7)
        case "next" | "coming":
            return (7 - back, 14 - back)
        case _:
            return (-back, 7 - back)


def shifted(published: date, unit: str, count: int) -> Period:
    """The day, week, month or year that is `count` of them after that of the publication."""
    match unit:
        case "day":
            day = published + timedelta(days=count)
            return Period(day, day)
        case "week":
            monday = published + timedelta(days=7 * count - published.weekday())
            return Period(monday, monday + timedelta(days=6))
        case "month":
            year, month = divmod(published.year * 12 + published.month - 1 + count, 12)
            return Period(date(year, month + 1, 1), date(year, month + 1, monthrange(year, month + 1)[1]))
        case _:
            return Period(date(max(1, published.year + count), 1, 1), date(max(1, published.year + count), 12, 31))


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


_ANCHORED = re.compile(
    rf"\b(?P<count>\d+|{'|'.join(_COUNTS)}) (?P<unit>day|week|month|year)s? (?:(?P<before>earlier|before(?=[.,;]))"
    r"|later|after(?=[.,;]))(?! than)\b|"
    r"\b(?P<same>(?:on )?(?:the same|that) day)\b(?! (?:of|in|when|on))|\b(?:the )?(?P<next>next|following) day\b|"
    r"\bthe (?:day before|previous day)\b",
    re.IGNORECASE,
)
_YEAR_BEFORE = re.compile(r"\b(?:the (?:year before|previous year)|a year earlier)\b(?! that)", re.IGNORECASE)
_AHEAD = re.compile(
    r"\b(?:will|shall|would|won[’']t|going to|scheduled|set to|due|plan(?:s|ned)?|expect(?:s|ed)?|is to|are to|was to|"
    r"were to|next|coming|upcoming|hop(?:es?|ed|ing) to|promis(?:es?|ed) to|forecast)\b"
    r"(?:(?!\b(?:said|says|told|announced|admitted|reported|did|had|(?:was|were)(?! to))\b)[^.,;:—–])*$|"
    r"\b(?:for|(?:postponed|put off|moved|delayed|deferred) (?:to|until|till))\s+$",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['’]s\b")
_WEEKDAY = re.compile(ANY_WEEKDAY, re.IGNORECASE)
_OBVIOUS = re.compile(r"this |tonight", re.IGNORECASE)
_HINT = re.compile(r"day\b|today|night|ago\b|week|month|year|earlier|later|before|after|this |tomorrow", re.IGNORECASE)
_ON = re.compile(r"\bon\s+$", re.IGNORECASE)
_OPEN = re.compile(
    r"\bto [a-z]+\b[^.,;]*$|(?:^|[.!?]\s+)On\s+$|"
    r"\b(?:before|by|until|till|from|if|can|could|may|might|should|must)\b[^.,;]*$"
)
_UNCLEAR = re.compile(
    rf", to (?!(?:the|{'|'.join(_COUNTS)})\b)[a-z]+\b[^.,;:]*$|"
    r"\b(?:should|must|can|may|might)\b(?! have)[^.,;:]*$|\bfrom\s+$|"
    r"^(?!.*\b(?:was|were|had|did|[a-z]+[^\We]ed)\b).*\b(?:by|until|till)\s+$",
    re.DOTALL,
)
_THEREUPON = re.compile(r"\b(?:after|since|because)\b")
_ABOUT = 3
_BACK = 1_500  # characters


@lru_cache(maxsize=8192)
def event_dates(text: str, span: Span, published: Published | None) -> tuple[EventDate, ...]:
    """The relative dates of a sentence in that span of an article, in order; none if the day of the article is unknown.

    A weekday is the last one up to the day of publication, or the next one in a sentence about what is to come; "three
    days earlier" counts from the last date before it. What stays unclear is left out.
    """
    if not published or published.known_day is None or not _HINT.search(text, span.start, span.end):
        return ()
    day, anchor, found = published.day, published.day, list[EventDate]()
    anchored = _ANCHORED.search(text, span.start, span.end)
    for sentence in _up_to(text, span) if anchored else (span,):
        found = list(_sentence(text, sentence, day, anchor))
        absolute = [m for m in moments(text[sentence.start : sentence.end], day) if phrases(m.text)]
        known = [*(m.periods[0] for m in absolute if m.periods), *(e.period for e in found)]
        anchor = next((p.first for p in reversed(known) if p.first == p.last), anchor)
    return tuple(found)


def anchored_dates(article: Article, span: Span) -> Iterator[Moment]:
    """The dates of a span of an article that count from another one, such as "a day earlier", by place in the span."""
    for sentence in sentences(article.text[span.start : span.end]):
        whole = Span(span.start + sentence.start, span.start + sentence.end)
        for event in event_dates(article.text, whole, article.published):
            if _ANCHORED.fullmatch(article.text, event.start, event.end):
                yield _as_moment(event, article.text, span.start)


def passage_dates(article: Article, span: Span) -> tuple[EventDate, ...]:
    """All dates of a passage whose days are known, in order, relative ones and others."""
    text, published = article.text, article.published
    spans = [Span(span.start + s.start, span.start + s.end) for s in sentences(text[span.start : span.end])]
    found = [e for s in spans for e in (*event_dates(text, s, published), *_absolute_dates(text, s, published))]
    return tuple(sorted(found, key=lambda e: (e.start, e.end)))


@lru_cache(maxsize=4096)
def dated(text: str, day: date | None) -> tuple[Moment, ...]:
    """The dates of a text of that day in order, weekdays with what their sentence makes of them.

    "A day earlier" and "the year before" are among them if the text has the date from which they count.
    """
    found = [_likely(moment, text) for moment in moments(text, day)]
    if day and _ANCHORED.search(text):
        found += _counted(text, Published(day, Precision.DAY), found)
    found += _years_before(text, found)
    return tuple(sorted(found, key=lambda moment: moment.start))


def _years_before(text: str, known: Sequence[Moment]) -> Iterator[Moment]:
    """The years that count from one before them in the text: 18 million in 2024, after 41 million the year before."""
    years = [m for m in known if len(m.periods) == 1 and m.periods[0].days >= _UNIT_DAYS["year"]]
    for match in _YEAR_BEFORE.finditer(text):
        anchor = next((m for m in reversed(years) if m.end <= match.start()), None)
        if anchor:
            yield Moment(match[0], match.start(), match.end(), (shifted(anchor.periods[0].first, "year", -1),))


def _likely(moment: Moment, text: str) -> Moment:
    """A weekday behind "on" with the day that is meant, unless an infinitive or the like leaves that open."""
    before = text[: moment.start]
    alone = len(moment.periods) > 1 and _WEEKDAY.fullmatch(moment.text) and _ON.search(before)
    if not alone or (_OPEN.search(before) and not _AHEAD.search(before)):
        return moment
    return replace(moment, likely=_likely_period(moment, text))


def _counted(text: str, published: Published, known: Sequence[Moment]) -> Iterator[Moment]:
    for span in sentences(text):
        for event in event_dates(text, span, published):
            counts = _ANCHORED.fullmatch(text, event.start, event.end)
            before = any(m.periods and m.end <= event.start for m in known)
            if counts and before and not any(m.start < event.end and event.start < m.end for m in known):
                yield _as_moment(event, text, 0)


def _as_moment(event: EventDate, text: str, offset: int) -> Moment:
    around = timedelta(days=_ABOUT if event.about else 0)
    period = Period(event.period.first - around, event.period.last + around)
    return Moment(text[event.start : event.end], event.start - offset, event.end - offset, (period,))


def _absolute_dates(text: str, span: Span, published: Published | None) -> Iterator[EventDate]:
    for moment in moments(text[span.start : span.end], published.day if published else None):
        if moment.periods and phrases(moment.text) and moment.periods[0].first.year != ANY_YEAR:
            yield EventDate(span.start + moment.start, span.start + moment.end, moment.periods[0])


def _up_to(text: str, span: Span) -> Iterator[Span]:
    """The sentences shortly before one in its article, then itself."""
    first = max(0, span.start - _BACK)
    yield from (Span(first + s.start, first + s.end) for s in sentences(text[first : span.start]))
    yield span


def _sentence(text: str, span: Span, day: date, anchor: date) -> Iterator[EventDate]:
    sentence = text[span.start : span.end]
    relative = [m for m in moments(sentence, day) if m.periods and not phrases(m.text)]
    found = [
        EventDate(span.start + m.start, span.start + _end(m, sentence), _likely_period(m, sentence))
        for m in relative
        if not _OBVIOUS.match(m.text) and not _is_unclear(m, sentence, day)
    ]
    if counted := list(_ANCHORED.finditer(sentence)):
        known = [*found, *_absolute_dates(text, span, Published(day, Precision.DAY))]
        days = sorted((e.end, e.period.first) for e in known if e.period.first == e.period.last)
        for match in counted:
            before = [first for end, first in days if end <= span.start + match.start()]
            yield _anchored(match, span.start, before[-1] if before else anchor)
    yield from found


def _is_unclear(moment: Moment, sentence: str, day: date) -> bool:
    """Whether a weekday may be the last one or the next.

    "A truce, to begin on Sunday"; "will strike after talks broke down on Monday"; a plan for the day of publication.
    """
    if not _WEEKDAY.fullmatch(moment.text):
        return False
    before = sentence[: moment.start]
    if ahead := _AHEAD.search(before):
        of_then = _POSSESSIVE.match(sentence, moment.end) and not before.endswith("for ")
        today = any(period.first == day for period in moment.periods)
        return bool(today or of_then or _THEREUPON.search(before, ahead.start()))
    return bool(_UNCLEAR.search(before)) and not sentence.startswith(" to ", moment.end)


def _anchored(match: re.Match[str], offset: int, anchor: date) -> EventDate:
    start, end, unit = offset + match.start(), offset + match.end(), (match["unit"] or "day").lower()
    if match["same"]:
        return EventDate(start, end, Period(anchor, anchor))
    if not match["unit"]:
        return EventDate(start, end, shifted(anchor, "day", 1 if match["next"] else -1))
    count = _COUNTS.get(match["count"].lower()) or int(match["count"])
    sign = -1 if match["before"] else 1
    if unit == "week":
        return EventDate(start, end, shifted(anchor, "day", 7 * sign * count), about=True)
    return EventDate(start, end, shifted(anchor, unit, sign * count))


def _end(moment: Moment, sentence: str) -> int:
    possessive = _POSSESSIVE.match(sentence, moment.end)
    return possessive.end() if possessive else moment.end


def _likely_period(moment: Moment, sentence: str) -> Period:
    """Of the days that a weekday can be, the past one, or the one to come if what is before it tells of a plan."""
    before = sentence[: moment.start]
    is_of_then = before.endswith("for ") and _POSSESSIVE.match(sentence, moment.end)  # the blame for Monday's blast
    ahead = _WEEKDAY.match(moment.text) and _AHEAD.search(before) and not is_of_then
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


_LEAST_DAYS = 14
"""How many days before or after a day are meant at least: "before the talks on 17 July"."""
_PAST = re.compile(
    rf"\b(?:the|these|this) (?:last|past|previous) (?:(?P<count>\d{{1,3}}|{'|'.join(COUNTS)}|few|couple of) )?"
    rf"(?P<unit>day|week|month|year)s?\b(?! of)|\b(?:last|past) (?P<bare>\d{{1,3}}|{'|'.join(COUNTS)}|few) "
    r"(?P<units>day|week|month|year)s\b(?! of)",
    re.IGNORECASE,
)
_WEEKEND = re.compile(r"\b(?P<which>last|this|the) weekend\b", re.IGNORECASE)
_FEW = 3
_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_APART = r"\b(?:(?!\b(?:by|until|till|between)\b)[^,.;:?!]){0,60}$"
_BEFORE = re.compile(rf"\b(?:before|ahead of|prior to|leading up to|run-up to|on the eve of){_APART}", re.IGNORECASE)
_AFTER = re.compile(rf"\b(?:after|following|in the wake of){_APART}", re.IGNORECASE)
_SINCE = re.compile(rf"\bsince{_APART}", re.IGNORECASE)

_LED = re.compile(r"(?:before|after|since)\b", re.IGNORECASE)


def asked_periods(text: str, *, years: Sequence[int] = (), today: date | None = None) -> tuple[Period, ...]:
    """The periods that the date phrases of a question mean, in their order.

    A date without a year is taken in each of `years`. "Last week", "on Wednesday" and "the past three days" count from
    `today`, and mean nothing without it. "Before the talks on 17 July" are the two weeks up to that day, "after" those
    from it, "since" all from it to `today`.
    """
    found = [Moment(m[0], _behind(m), m.end(), tuple(named(m, years))) for m in phrases(text)]
    if today:
        found += _relative(text, today)
    found.sort(key=lambda phrase: phrase.start)
    ends = [0, *(phrase.end for phrase in found)]
    between = [text[end : phrase.start] for end, phrase in zip(ends, found, strict=False)]
    meant = [p for before, phrase in zip(between, found, strict=True) for p in _turned(before, phrase, today)]
    return tuple(dict.fromkeys(meant))


def _behind(phrase: re.Match[str]) -> int:
    """Where it starts, or where the preposition in it ends: "before August"."""
    led = _LED.match(phrase[0])
    return phrase.start() + (led.end() if led else 0)


def _relative(text: str, today: date) -> Iterator[Moment]:
    yield from (m for m in moments(text, today) if not phrases(m.text))
    for match in _PAST.finditer(text):
        yield Moment(match[0], match.start(), match.end(), (Period(today - timedelta(days=_length(match)), today),))
    for match in _WEEKEND.finditer(text):
        week = shifted(today, "week", -1 if today.weekday() < 5 or match["which"].lower() == "last" else 0)
        yield Moment(match[0], match.start(), match.end(), (Period(week.last - timedelta(days=1), week.last),))


def _length(match: re.Match[str]) -> int:
    count = (match["count"] or match["bare"] or "one").lower()
    number = int(count) if count.isdigit() else COUNTS.get(count, _FEW)
    return number * _UNIT_DAYS[(match["unit"] or match["units"]).lower()]


def _turned(before: str, phrase: Moment, today: date | None) -> Iterator[Period]:
    """The periods of a phrase, or those that what stands before it makes of them."""
    for period in phrase.periods:
        around = timedelta(days=max(_LEAST_DAYS, period.days))
        if _BEFORE.search(before):
            yield Period(period.first - around, period.first)
        elif _AFTER.search(before):
            yield Period(period.last, period.last + around)
        elif _SINCE.search(before):
            yield Period(period.first, max(today or period.last, period.last))
        else:
            yield period
