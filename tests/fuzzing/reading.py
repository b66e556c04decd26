"""Targets: what reads dates, amounts, names and sentences in any text."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any, NamedTuple

from hypothesis import strategies as st

from fuzzing import material
from fuzzing.invariants import in_order, shown
from fuzzing.outcomes import Target, holds, printable
from rag.checks.quotes import locate, quotations, unmarked
from rag.checks.rules.reading import read_text
from rag.cli import requests
from rag.models.injection import is_order, orders
from rag.models.prompts import data
from rag.render.lines import safe, wrapped
from rag.schema import Span
from rag.text.calendar import date_in_name, parse_published
from rag.text.clean import clean, one_line
from rag.text.names import keys, names, occurs, same
from rag.text.quantities import agree, quantities
from rag.text.relative_dates import asked_periods, moments
from rag.text.sentences import sentences

_DATED = str.split(
    "2021-07-07 2021-07 2021 7 July 2021 July 7, 2021 07/07/2021 7.7.2021 20210707 1625616000 2021-07-07T10:00:00Z "
    "Wed, 07 Jul 2021 10:00:00 GMT +0430 -25:00 noon AM PM 31 September 29 February 0 99 24:60 12:00:60 EST W27 Monday "
    "last week early late mid between from to until and the 5th of second month ago days three years later earlier"
)
_dates = st.one_of(
    material.scalars,
    st.lists(st.one_of(st.sampled_from(_DATED), material.odd_texts), max_size=7).map(" ".join),
    st.from_regex(r"[0-9]{1,5}([-/.][0-9]{1,3}){0,3}(T[0-9:]{0,9})?([+-Z][0-9:]{0,6})?", fullmatch=True),
    st.dates(date(1, 1, 1), date(9999, 12, 31)),
    st.datetimes(timezones=st.sampled_from([None, UTC])),
)
_texts = st.one_of(
    material.prose,
    material.odd_texts,
    st.lists(st.one_of(st.sampled_from((*_DATED, *material.WORDS)), material.odd_texts), max_size=25).map(" ".join),
)
_clean_texts = _texts.map(clean)


class Pair(NamedTuple):
    """Two texts, one of which may be held against the other, and the day that they are from."""

    first: str
    second: str
    day: date


def _dated(stamp: Any) -> None:
    found = parse_published(stamp)
    if found:
        holds(1800 <= found.day.year <= 2200, f"a year that was to stay unknown: {found}")
        holds(found.day <= found.last_day, f"{found} ends before it starts")
        again = parse_published(str(found))
        holds(again and (again.day, again.last_day) == (found.day, found.last_day), f"{found} is read as {again}")
    if isinstance(stamp, str):
        date_in_name(stamp)
        requests.window(as_of=stamp, since=stamp, until=stamp, sources=[stamp])


def _windowed(given: dict[str, Any]) -> None:
    found = requests.window(**given)
    holds(not (found.since and found.last) or found.since <= found.last, "a window ends before it starts")


def _cleaned(text: str) -> None:
    for shown_text in (one_line(text), one_line(safe(text), 40), data(text)):
        printable(iter([shown_text]))
    holds(clean(clean(text)) == clean(text), "what is clean is cleaned again")
    printable(safe(text).replace("\t", " ").split("\n").__iter__())
    for width in (1, 7, 80, None):
        shown(wrapped(text, width))


def _read(pair: Pair) -> None:
    text = pair.first
    found = moments(text, pair.day)
    in_order(text, [Span(m.start, m.end) for m in found])
    holds(all(text[m.start : m.end] == m.text for m in found), "a moment is not where it says")
    for period in (
        *(p for m in found for p in m.periods),
        *asked_periods(text, years=[2021], today=pair.day),
    ):
        holds(period.first <= period.last, f"a period ends before it starts: {period}")
    moments(text, None)
    spans = sentences(text)
    in_order(text, spans)
    read_text(text)
    _ordered(text)
    amounts = quantities(text)
    holds(all(a.low <= a.high for a in amounts), f"an amount from more to less: {amounts[:5]}")
    for amount in amounts:
        agree(amount, amount, about=True)


def _ordered(text: str) -> None:
    in_order(text, orders(text))
    is_order(text)


def _held(pair: Pair) -> None:
    first, second, day = pair
    for name in names(first)[:5]:
        keys(name.text)
        holds(occurs(name.text, first), f"the name {name.text!r} is not in its own text")
    same(first, second)
    occurs(first, second)
    unmarked(first)
    for quote in (first, second, *quotations(first)):
        span = locate(quote, second)
        holds(span is None or 0 <= span.start < span.end <= len(second), f"a quote at {span}")
    del day


def targets() -> list[Target]:
    """Targets for dates, windows, texts as they are shown, and for what is read in one text or two."""
    days = st.dates(date(1800, 1, 1), date(2200, 12, 31))
    pairs = st.builds(Pair, _clean_texts, _clean_texts, days)
    limits = st.dictionaries(
        st.sampled_from(["as_of", "since", "until"]),
        st.one_of(_dates, st.from_regex(r"\d{4}(-\d\d){0,2}", fullmatch=True)),
    )
    return [
        Target("dates", _dates, _dated, 5),
        Target("windows", limits, _windowed, 2),
        Target("shown-text", _texts, _cleaned, 4),
        Target("read-text", pairs, _read, 5),
        Target("two-texts", pairs, _held, 5),
    ]
