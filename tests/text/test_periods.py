"""Periods: what the date phrases of a question name."""

from collections.abc import Sequence
from datetime import date

import pytest

from rag.text.calendar import Period, named, phrases


def periods(text: str, *, years: Sequence[int] = ()) -> tuple[Period, ...]:
    return tuple(period for match in phrases(text) for period in named(match, years))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("the talks of 7 July 2021", date(2021, 7, 7), date(2021, 7, 7)),
        ("the talks of July 7th, 2021", date(2021, 7, 7), date(2021, 7, 7)),
        ("on 2021-07-07", date(2021, 7, 7), date(2021, 7, 7)),
        ("in early July 2021", date(2021, 7, 1), date(2021, 7, 10)),
        ("in mid-August 2021", date(2021, 8, 10), date(2021, 8, 20)),
        ("at the end of June 2021", date(2021, 6, 24), date(2021, 6, 30)),
        ("in February 2024", date(2024, 2, 1), date(2024, 2, 29)),
        ("in autumn 2021", date(2021, 9, 1), date(2021, 11, 30)),
        ("in the first half of 2021", date(2021, 1, 1), date(2021, 6, 30)),
        ("in 2001", date(2001, 1, 1), date(2001, 12, 31)),
    ],
)
def test_a_phrase_names_its_days(text: str, first: date, last: date) -> None:
    assert periods(text) == (Period(first, last),)


def test_a_phrase_without_a_year_stands_for_each_year_of_the_library() -> None:
    assert periods("on 17 July", years=[2020, 2021]) == tuple(
        Period(date(y, 7, 17), date(y, 7, 17)) for y in (2020, 2021)
    )
    assert periods("on 17 July") == ()


def test_a_modal_verb_is_no_month() -> None:
    assert periods("when may the troops leave?", years=[2021]) == ()


def test_a_day_that_does_not_exist_is_left_out() -> None:
    assert periods("on 31 June 2021") == ()


def test_distance_is_counted_in_days_from_the_nearest_end() -> None:
    july = Period(date(2021, 7, 1), date(2021, 7, 31))
    assert [july.distance(d) for d in (date(2021, 6, 29), date(2021, 7, 15), date(2021, 8, 1))] == [2, 0, 1]
    assert july.days == 31
