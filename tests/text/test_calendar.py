"""Dates are read as written, and no part of one is made up."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.schema import Precision, Published
from rag.text.calendar import date_in_name, parse_published

SEVENTH = Published(date(2021, 7, 7), Precision.DAY)
TEN_UTC = datetime(2021, 7, 7, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2021-07-07",
        " 2021-07-07 ",
        "20210707",
        "2021/7/7",
        "2021.07.07",
        "July 7, 2021",
        "7 July 2021",
        "Jul 7 2021",
        "7-Jul-2021",
        "July 7th, 2021",
        "the 7th of July 2021".removeprefix("the "),
        "Wednesday, July 7, 2021",
        "Wed Jul  7 10:00:00 2021",
        "2021-07-07T10:00",
        "2021-07-07 10:00:00",
        "20210707100000",
        "July 7, 2021 10:00 AM",
        "July 7, 2021 at 10:00 AFT",
        "Wednesday 7th July 2021 at 10.00am",
        "07/07/2021",
    ],
)
def test_a_day_is_read_in_any_of_its_forms_and_a_time_without_zone_counts_for_its_day(text: str) -> None:
    assert parse_published(text) == SEVENTH


@pytest.mark.parametrize("text", ["13/07/2021", "07/13/2021", "13.7.2021", "13-07-2021 18:00"])
def test_a_numeric_date_is_read_when_one_part_can_only_be_the_day(text: str) -> None:
    assert parse_published(text) == Published(date(2021, 7, 13), Precision.DAY)


@pytest.mark.parametrize(
    "stamp",
    [
        "2021-07-07T10:00:00Z",
        "2021-07-07T10:00:00.123456789Z",
        "2021-07-07 10:00:00 +0000",
        "2021-07-07 14:30:00+04:30",
        "20210707T100000Z",
        "Wed, 07 Jul 2021 10:00:00 GMT",
        "Wed Jul 07 10:00:00 +0000 2021",
        "Wed, 07 Jul 2021 14:30:00 +0430",
        "July 7, 2021 6:00 AM EDT",
        "1625652000",
        "1625652000000",
        1625652000,
        1625652000.0,
        1625652000000,
        TEN_UTC,
    ],
)
def test_a_time_with_a_zone_is_kept_to_the_moment(stamp: str | float | datetime) -> None:
    found = parse_published(stamp)
    assert found is not None
    assert isinstance(found.value, datetime)
    assert found.value.replace(microsecond=0) == TEN_UTC
    assert found.precision is Precision.TIME


def test_the_zone_that_was_written_is_kept_so_that_the_day_is_that_of_the_place() -> None:
    found = parse_published("2021-01-21 23:35:00-05:00")
    assert found is not None
    assert found.value == datetime(2021, 1, 21, 23, 35, tzinfo=timezone(timedelta(hours=-5)))
    assert found.day == date(2021, 1, 21)


@pytest.mark.parametrize("text", ["2021-07", "July 2021", "Jul. 2021", "Jul-2021", "Monday July 2021", "2021/07"])
def test_a_month_stays_a_month(text: str) -> None:
    assert parse_published(text) == Published(date(2021, 7, 1), Precision.MONTH)


@pytest.mark.parametrize("stamp", ["2021", 2021])
def test_a_year_stays_a_year(stamp: str | int) -> None:
    assert parse_published(stamp) == Published(date(2021, 1, 1), Precision.YEAR)


@pytest.mark.parametrize(
    "text",
    [
        "mercredi 7 juillet 2021",
        "mer., 07 juil. 2021 08:00:00 +0200",
        "Mi., 7. Juli 2021 um 10:15 Uhr",
        "miércoles, 7 de julio de 2021",
        "7 luglio 2021",
        "7 июля 2021 г., 10:15",
        "липень 7, 2021, 12:19",
        "2021. július 7.",
        "2021年7月7日 10:15",
        "2021년 7월 7일",
        "7 Ιουλίου 2021",
        "7 जुलाई 2021",
        "৭ জুলাই ২০২১",
        "۷ جولائی ۲۰۲۱",
    ],
)
def test_a_day_is_read_with_the_month_names_of_other_languages(text: str) -> None:
    found = parse_published(text)
    assert found is not None
    assert (found.day, found.precision) == (date(2021, 7, 7), Precision.DAY)


@pytest.mark.parametrize(
    "stamp",
    [
        None,
        "",
        "yesterday",
        "07/08/2021",
        "7.8.2021",
        "13/14/2021",
        "07/07/21",
        "Jul 7",
        "July 21",
        "10:30",
        "July 7-8, 2021",
        "7-8 July 2021",
        "July/August 2021",
        "2021-13-07",
        "2021-07-00",
        "2021-00",
        "2021-02-30",
        "2021-07-07 to 2021-08-01",
        "2021-W27",
        "202107",
        "1700-01-01",
        "2300-01-01",
        "7-8 juillet 2021",
        "31 juin 2021",
        "7 listopada 2021",  # October in Croatian, November in Polish
        "Issue 7, Vol 2 2021",
        "x" * 1000,
        True,
        0,
        -1,
        12345,
        10**400,
        float("nan"),
        float("inf"),
        datetime(1700, 1, 1, tzinfo=UTC),
        date(1700, 1, 1),
    ],
)
def test_what_is_ambiguous_or_implausible_or_no_date_is_unknown(stamp: str | float | date | None) -> None:
    assert parse_published(stamp) is None


def test_python_dates_keep_their_precision() -> None:
    assert parse_published(date(2021, 7, 7)) == SEVENTH
    assert parse_published(datetime(2021, 7, 7, 10)) == SEVENTH


@pytest.mark.parametrize(
    "name", ["2021-07-07-tehran-talks.txt", "20210707_talks", "talks 2021_07_07 v2", "a/2021.07.07"]
)
def test_a_date_in_a_file_name_is_found(name: str) -> None:
    assert date_in_name(name) == SEVENTH


@pytest.mark.parametrize(
    "name", ["talks", "2021-07-07 and 2021-07-08", "120210707", "20211307", "2021-0707", "2021-07"]
)
def test_a_file_name_without_one_plain_date_has_none(name: str) -> None:
    assert date_in_name(name) is None


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.datetimes(timezones=st.timezones() | st.none())))
def test_anything_is_a_date_or_unknown_and_never_an_error(stamp: str | float | datetime) -> None:
    found = parse_published(stamp)
    assert found is None or 1800 <= found.day.year <= 2200


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(
        r"(?:(?:Wed,? )?\d{1,2}[ -/]|)(?:July?|Sept?\.?|\d{1,2})[ ,-/]{1,2}\d{1,4}(?:[ T]\d\d:\d\d)?", fullmatch=True
    )
)
def test_a_year_that_is_read_was_written(text: str) -> None:
    found = parse_published(text)
    plain = "".join(str(unicodedata.digit(c, c)) for c in text)  # any script's digits
    years = (str(found.day.year), f"{found.day.year % 100:02}") if found else ("",)  # RFC 822 has two digits
    assert any(year in plain for year in years)
