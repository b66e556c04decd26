"""Reads which days a question asks about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rag.text.periods import Period, named, phrases
from rag.text.relative_dates import moments, shifted

_NEAR = 14
"""How many days before or after a day are meant at least: "before the talks on 17 July"."""
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNTS = {name: i for i, name in enumerate(_NUMBERS, start=1)}
_PAST = re.compile(
    rf"\b(?:the|these|this) (?:last|past|previous) (?:(?P<count>\d{{1,3}}|{'|'.join(_COUNTS)}|few|couple of) )?"
    r"(?P<unit>day|week|month|year)s?\b(?! of)|\b(?:last|past) (?P<bare>\d{1,3}|two|three|four|five|six|seven|ten|few) "
    r"(?P<units>day|week|month|year)s\b(?! of)",
    re.IGNORECASE,
)
_WEEKEND = re.compile(r"\b(?P<which>last|this|the) weekend\b", re.IGNORECASE)
_FEW = 3
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_APART = r"\b(?:(?!\b(?:by|until|till|between)\b)[^,.;:?!]){0,60}$"
_BEFORE = re.compile(rf"\b(?:before|ahead of|prior to|leading up to|run-up to|on the eve of){_APART}", re.IGNORECASE)
_AFTER = re.compile(rf"\b(?:after|following|in the wake of){_APART}", re.IGNORECASE)
_SINCE = re.compile(rf"\bsince{_APART}", re.IGNORECASE)

_LED = re.compile(r"(?:before|after|since)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A date phrase from `start` up to, not including, `end` of the question, with the periods that it can mean."""

    start: int
    end: int
    periods: tuple[Period, ...]


def asked_periods(text: str, *, years: Sequence[int] = (), today: date | None = None) -> tuple[Period, ...]:
    """The periods that the date phrases of a question mean, in their order.

    A date without a year is taken in each of `years`. "Last week", "on Wednesday" and "the past three days" count from
    `today`, and mean nothing without it. "Before the talks on 17 July" are the two weeks up to that day, "after" those
    from it, "since" all from it to `today`.
    """
    found = [_Phrase(_behind(m), m.end(), tuple(named(m, years))) for m in phrases(text)]
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


def _relative(text: str, today: date) -> Iterator[_Phrase]:
    yield from (_Phrase(m.start, m.end, m.periods) for m in moments(text, today) if not phrases(m.text))
    for match in _PAST.finditer(text):
        yield _Phrase(match.start(), match.end(), (Period(today - timedelta(days=_length(match)), today),))
    for match in _WEEKEND.finditer(text):
        week = shifted(today, "week", -1 if today.weekday() < 5 or match["which"].lower() == "last" else 0)
        yield _Phrase(match.start(), match.end(), (Period(week.last - timedelta(days=1), week.last),))


def _length(match: re.Match[str]) -> int:
    count = (match["count"] or match["bare"] or "one").lower()
    number = int(count) if count.isdigit() else _COUNTS.get(count, _FEW)
    return number * _DAYS[(match["unit"] or match["units"]).lower()]


def _turned(before: str, phrase: _Phrase, today: date | None) -> Iterator[Period]:
    """The periods of a phrase, or those that what stands before it makes of them."""
    for period in phrase.periods:
        around = timedelta(days=max(_NEAR, period.days))
        if _BEFORE.search(before):
            yield Period(period.first - around, period.first)
        elif _AFTER.search(before):
            yield Period(period.last, period.last + around)
        elif _SINCE.search(before):
            yield Period(period.first, max(today or period.last, period.last))
        else:
            yield period
