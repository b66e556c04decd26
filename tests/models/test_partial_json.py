"""The members of a JSON object are there as soon as they are whole, however the text is cut."""

from __future__ import annotations

import json
from time import perf_counter
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.models.replies import Member, Members

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def read(text: str, size: int) -> tuple[list[Member], Members]:
    members = Members("items")
    found = [m for start in range(0, len(text), size) for m in members.feed(text[start : start + size])]
    return found, members


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4), st.lists(VALUES, max_size=4), st.integers(1, 9))
def test_any_object_comes_whole_in_any_pieces(others: dict[str, object], items: list[object], size: int) -> None:
    others.pop("items", None)
    found, members = read(f"Here: {json.dumps(others | {'items': items}, indent=1)} Bye.", size)
    assert members.done
    assert [m.value for m in found if m.name == "items"] == items
    assert {m.name: m.value for m in found if m.name != "items"} == others


def test_an_item_is_there_before_the_list_is_over() -> None:
    found, members = read('{"a": "x", "items": [{"n": 1}, {"n": 2}, {"n"', 1)
    assert [m.value for m in found] == ["x", {"n": 1}, {"n": 2}]
    assert not members.done


@pytest.mark.parametrize("text", ["", "no object", '{"a" 1}', '{"a": 1', '{"items": [1, 2', "{" * 1000, '{"a": nul}'])
def test_what_is_no_whole_object_is_never_done(text: str) -> None:
    assert not read(text, 3)[1].done


def test_an_object_among_the_thoughts_is_left_for_the_one_after_them() -> None:
    for size in (1, 5, 99):
        found, members = read('{"a": 1, "items": [</think> {"a": 2, "items": [3]}', size)
        assert ([m.value for m in found if m.name == "items"], members.done) == ([3], True)


def test_what_was_given_away_stays_whatever_comes_after() -> None:
    found, _ = read('{"items": ["a", "b </think> {}"]}', 4)
    assert [m.value for m in found] == ["a", "b </think> {}"]


def test_the_name_of_the_list_inside_a_text_is_only_text() -> None:
    found, _ = read('{"a": "\\"items\\": [9]", "items": [1]}', 4)
    assert [m.value for m in found if m.name == "items"] == [1]


@pytest.mark.parametrize("number", ["0.0", "1.5", "2e3", "1E+2", "-0", "0"])
def test_a_number_is_not_whole_before_what_may_go_on_is_over(number: str) -> None:
    found, members = read(f'{{"a": {number}, "b": 1}}', 1)
    assert [repr(m.value) for m in found] == [repr(json.loads(number)), "1"]
    assert members.done


@pytest.mark.parametrize("text", ["[" * 32_000, "{" * 32_000, "<think>" + "{ " * 16_000, "</think>" * 4_000])
def test_what_never_becomes_an_object_is_read_in_a_moment(text: str) -> None:
    start = perf_counter()
    assert read(text, 4) == ([], ANY)
    assert perf_counter() - start < 3  # from the beginning for each piece it took 10 s
