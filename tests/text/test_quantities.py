"""Quantities: what a text's amounts are worth, and which of them agree."""

from __future__ import annotations

import pytest

from rag.text.quantities import agree, bounds, quantities


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1,030 soldiers crossed", 1030, ""),
        ("twenty thousand reservists", 20_000, ""),
        ("two hundred and fifty vehicles", 250, ""),
        ("fifty-five buses", 55, ""),
        ("a dozen officers", 12, ""),
        ("about a hundred families", 100, ""),
        ("1.5 million people", 1_500_000, ""),
        ("10% of the districts", 10, "%"),
        ("ten per cent of the districts", 10, "%"),
        ("ten percent of the districts", 10, "%"),
        ("a tenth of the districts", 10, "%"),
        ("half of the country", 50, "%"),
        ("$5.2 billion in aid", 5.2e9, "$"),
        ("5.2bn dollars in aid", 5.2e9, "$"),
        ("5.2 billion U.S. dollars in aid", 5.2e9, "$"),
        ("€40m for the clinics", 4e7, "€"),
        ("the 34th province", 34, "th"),
        ("the twenty-first province", 21, "th"),
    ],
)
def test_words_and_figures_are_worth_the_same(text: str, value: float, unit: str) -> None:
    (found,) = quantities(text)
    assert found.low == found.high == pytest.approx(value)
    assert found.unit == unit
    assert text[found.start : found.end] == found.text


def test_a_time_of_day_is_in_minutes_whichever_way_it_is_written() -> None:
    assert {q.low for text in ("at 14:30", "at 2:30 p.m.", "at 2.30 pm") for q in quantities(text)} == {870}


def test_a_rough_amount_is_a_range() -> None:
    (dozens,), (thousands,) = quantities("dozens of trucks"), quantities("tens of thousands of people")
    assert not dozens.exact
    assert dozens.low >= 12
    assert dozens.high < 100
    assert thousands.low <= 20_000
    assert thousands.high > 90_000


def test_both_ends_of_a_range_are_quantities_of_its_unit() -> None:
    assert [(q.low, q.unit) for q in quantities("from 10.4 to 2.4 percent")] == [(10.4, "%"), (2.4, "%")]
    assert [q.low for q in quantities("between 20 and 30 trucks")] == [20, 30]


@pytest.mark.parametrize("text", ["one of them said so", "no one came", "the G7 met", "the Taliban advanced"])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert quantities(text) == ()


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("twenty thousand troops", "20,000 troops"),
        ("a tenth of it", "10 percent of it"),
        ("$5.2 billion", "5.2bn dollars"),
        ("440 million in reserves", "$440 million in reserves"),
        ("dozens of trucks", "47 trucks"),
        ("hundreds of soldiers", "several hundreds of soldiers"),
        ("a third of the city", "33 percent of the city"),
    ],
)
def test_the_same_amount_agrees(stated: str, found: str) -> None:
    assert agree(quantities(stated)[0], quantities(found)[0])


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("12,000 troops", "20,000 troops"),
        ("10 districts", "10 percent of the districts"),
        ("$5 million", "5 percent"),
        ("€5 million", "$5 million"),
        ("20 tents", "20 000 tents"),
        ("500 cubic metres", "12 500 cubic metres"),
        ("2 percent", "2 percentage points"),
        ("47 trucks", "dozens of trucks"),
        ("the 5th brigade", "5 brigades"),
        ("1,000 soldiers", "1,030 soldiers"),
    ],
)
def test_another_amount_or_unit_does_not_agree(stated: str, found: str) -> None:
    assert not agree(quantities(stated)[0], quantities(found)[0])


def test_only_what_says_that_it_is_rounded_may_be() -> None:
    stated, found = quantities("1,000 soldiers")[0], quantities("1,030 soldiers")[0]
    assert agree(stated, found, about=True)
    assert not agree(quantities("900 soldiers")[0], found, about=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 to 3 million people", 2e6),
        ("20 000 troops", 20_000),
        ("1\u202f250\u202f000 people", 1.25e6),
        ("1'200 men", 1_200),
        ("1,50,000 voters", 150_000),
        ("2.5 lakh voters", 250_000),
        ("two crore voters", 2e7),
        ("7½ hours", 7.5),
        ("three and a half million people", 3.5e6),
    ],
)
def test_amounts_in_several_words_are_read_whole(text: str, value: float) -> None:
    assert quantities(text)[0].low == pytest.approx(value)


@pytest.mark.parametrize(
    ("bound", "amount", "holds"),
    [
        ("more than 200 people", "212 people", True),
        ("more than 200 people", "199 people", False),
        ("more than 200 people", "14,000 people", False),
        ("at least 1 kilometre", "1,500 metres", True),
        ("fewer than 200 people", "3 people", True),
    ],
)
def test_a_bound_holds_of_an_amount_that_is_not_far_above_it(bound: str, amount: str, holds: bool) -> None:
    assert bounds(quantities(bound)[0], quantities(amount)[0]) is holds
