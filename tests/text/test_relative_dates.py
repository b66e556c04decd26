"""Moments: which days a date phrase can mean, and which of them cover others."""

from __future__ import annotations

from datetime import date

import pytest

from rag.text.calendar import Period
from rag.text.relative_dates import covers, moments

WEDNESDAY = date(2021, 7, 7)


def day(month: int, number: int, year: int = 2021) -> Period:
    return Period(date(year, month, number), date(year, month, number))


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("on 5 July", day(7, 5)),
        ("on July 5, 2021", day(7, 5)),
        ("on 2021-07-05", day(7, 5)),
        ("by September 11", day(9, 11)),
        ("on the 11th of September", day(9, 11)),
        ("on 30 December", day(12, 30, 2021)),
        ("yesterday", day(7, 6)),
        ("tomorrow", day(7, 8)),
        ("tonight", day(7, 7)),
        ("three days ago", day(7, 4)),
        ("last week", Period(date(2021, 6, 28), date(2021, 7, 4))),
        ("next month", Period(date(2021, 8, 1), date(2021, 8, 31))),
        ("at the end of the month", Period(date(2021, 7, 24), date(2021, 7, 31))),
        ("last year", Period(date(2020, 1, 1), date(2020, 12, 31))),
        ("in May 2020", Period(date(2020, 5, 1), date(2020, 5, 31))),
        ("in 2019", Period(date(2019, 1, 1), date(2019, 12, 31))),
    ],
)
def test_a_phrase_means_a_period_seen_from_the_day_of_publication(text: str, period: Period) -> None:
    (found,) = moments(text, WEDNESDAY)
    assert found.periods == (period,)
    assert text[found.start : found.end] == found.text


def test_a_day_without_a_year_is_the_one_nearest_to_the_publication() -> None:
    (found,) = moments("on 30 December", date(2022, 1, 4))
    assert found.periods == (day(12, 30, 2021),)


def test_a_weekday_is_the_last_one_or_the_next() -> None:
    (found,) = moments("on Monday", WEDNESDAY)
    assert found.periods == (day(7, 5), day(7, 12))
    (today,) = moments("on Wednesday", WEDNESDAY)
    assert day(7, 7) in today.periods


def test_a_relative_date_means_nothing_without_a_publication() -> None:
    assert [m.periods for m in moments("yesterday and on Monday")] == [(), ()]


@pytest.mark.parametrize("text", ["They march on.", "It may rain.", "Every party agreed.", "on Saturdays"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert moments(text, WEDNESDAY) == ()


def test_dates_come_in_the_order_of_the_text() -> None:
    assert [m.text for m in moments("yesterday, July 1 and Monday", WEDNESDAY)] == ["yesterday", "July 1", "Monday"]


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("on 5 July", "on Monday"),
        ("on Monday", "on 5 July"),
        ("on 6 July", "yesterday"),
        ("in July", "on 5 July"),
        ("last week", "on 1 July"),
        ("on July 5", "on July 5, 2021"),
        ("in 2021", "on July 5"),
        ("two weeks ago", "on June 23"),
    ],
)
def test_a_date_covers_itself_and_what_lies_in_it(stated: str, found: str) -> None:
    assert covers(moments(stated, WEDNESDAY)[0], moments(found, WEDNESDAY)[0])


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("on 6 July", "on Monday"),
        ("on 5 July", "in July"),
        ("on 5 July 2020", "on 5 July 2021"),
        ("tomorrow", "yesterday"),
        ("last month", "on 5 July"),
        ("on Tuesday", "on Monday"),
    ],
)
def test_a_date_covers_no_other_one_and_none_that_is_wider(stated: str, found: str) -> None:
    assert not covers(moments(stated, WEDNESDAY)[0], moments(found, WEDNESDAY)[0])


def test_a_day_without_a_year_covers_the_same_day_where_no_publication_is_known() -> None:
    assert covers(moments("on 5 July")[0], moments("on July 5, 2021")[0])


@pytest.mark.parametrize("text", ["5-7 July", "between 5 and 7 July", "from July 5 to 7"])
def test_both_ends_of_a_range_of_days_are_dates(text: str) -> None:
    meant = [period for moment in moments(text, WEDNESDAY) for period in moment.periods]
    assert any(period.first <= date(2021, 7, 5) for period in meant)
    assert any(period.last >= date(2021, 7, 7) for period in meant)
