"""Timeframes: which days a question asks about."""

from datetime import date

import pytest

from rag.text.relative_dates import asked_periods

WEDNESDAY = date(2021, 7, 21)


def days(text: str, today: date | None = WEDNESDAY) -> list[str]:
    return [f"{p.first}..{p.last}" for p in asked_periods(text, years=[2021], today=today)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What happened in early July?", "2021-07-01..2021-07-10"),
        ("What happened in the second week of July?", "2021-07-08..2021-07-14"),
        ("What happened in the week of 5 July?", "2021-07-05..2021-07-11"),
        ("What fell between 5 and 9 August?", "2021-08-05..2021-08-09"),
        ("What fell from August 5 to 9, 2021?", "2021-08-05..2021-08-09"),
        ("What fell between 28 July and 3 August?", "2021-07-28..2021-08-03"),
        ("What fell from 28 December to 3 January 2022?", "2021-12-28..2022-01-03"),
        ("What fell on August 5-9?", "2021-08-05..2021-08-09"),
        ("What was said before the Doha talks on 17 July?", "2021-07-03..2021-07-17"),
        ("What was said after the talks of 17 July?", "2021-07-17..2021-07-31"),
        ("What was said before August?", "2021-07-01..2021-08-01"),
        ("What fell since 1 July?", "2021-07-01..2021-07-21"),
        ("What fell last week?", "2021-07-12..2021-07-18"),
        ("What fell yesterday?", "2021-07-20..2021-07-20"),
        ("What fell two days ago?", "2021-07-19..2021-07-19"),
        ("What fell over the past three days?", "2021-07-18..2021-07-21"),
        ("What fell in the last week?", "2021-07-14..2021-07-21"),
        ("What fell last weekend?", "2021-07-17..2021-07-18"),
    ],
)
def test_a_phrase_means_days(text: str, expected: str) -> None:
    assert days(text) == [expected]


def test_a_weekday_is_the_last_one_or_the_next() -> None:
    assert days("Who spoke on Monday?") == ["2021-07-19..2021-07-19", "2021-07-26..2021-07-26"]


def test_what_stands_before_another_date_does_not_turn_the_next_one() -> None:
    assert days("What was given after 3 July to schools by 20 July?") == [
        "2021-07-03..2021-07-17",
        "2021-07-20..2021-07-20",
    ]


@pytest.mark.parametrize(
    "text",
    ["Who spoke last week?", "Who spoke on Monday?", "Who spoke before the talks?", "Who fled over the past two days?"],
)
def test_without_a_day_to_count_from_nothing_is_known(text: str) -> None:
    assert days(text, today=None) == []


@pytest.mark.parametrize(
    "text",
    ["Were between 5 and 9 people killed?", "Did prices rise from 5 to 9 percent?", "What of the last week of it?"],
)
def test_what_is_no_date_means_nothing(text: str) -> None:
    assert days(text) == []
