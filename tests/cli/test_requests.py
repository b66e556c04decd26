"""Questions come from flags or lines of JSON; what cannot be asked says why and hides nothing else."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from rag.cli.requests import BadLine, BatchRequest, one_question, read_requests
from rag.errors import InputError
from rag.schema import Turn, Window
from rag.text.calendar import window

JULY = Window(as_of=date(2021, 7, 31))


def read(record: Any, fallback: Window = Window()) -> BatchRequest | BadLine:
    line = record if isinstance(record, bytes) else json.dumps(record).encode()
    (found,) = read_requests([line], fallback)
    return found


def test_a_month_or_year_is_its_first_day_in_since_and_its_last_elsewhere() -> None:
    assert window("2021-02", "2020-02", "2021") == Window(date(2021, 2, 28), date(2020, 2, 1), date(2021, 12, 31))


def test_a_window_keeps_its_sources() -> None:
    assert window(sources=["A", "B"]).sources == ("A", "B")


@pytest.mark.parametrize("text", ["yesterday", "2021-13", "2021-02-30", "07/07/2021", "2021-7-7", ""])
def test_what_is_no_iso_date_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"since is .*; wanted a date such as 2021-07-07, 2021-07 or 2021"):
        window(since=text)


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InputError, match="since 2021-07-07 is after the last day, 2021-06-30"):
        window(since="2021-07-07", until="2021-06")


def test_words_make_one_question() -> None:
    assert one_question(["Who", " spoke\n", "there\udcff?\x07"]) == "Who spoke there?"
    with pytest.raises(InputError, match="no question was given"):
        one_question([" "])


def test_a_line_carries_its_own_limits_and_history() -> None:
    turn = {"question": "Where?", "answer": "In Tehran."}
    record = {"id": 7, "question": "Who?", "since": "2021-07", "sources": ["A"], "history": [turn], "claims": [{}]}
    assert read(record) == BatchRequest(
        7, "Who?", Window(None, date(2021, 7, 1), None, ("A",)), (Turn("Where?", "In Tehran."),)
    )


def test_nulls_and_absent_keys_fall_back_to_the_flags() -> None:
    record = {"id": None, "question": "Who?", "as_of": None, "since": None, "sources": None, "history": None}
    assert read(record, JULY) == read({"question": "Who?"}, JULY) == BatchRequest(None, "Who?", JULY)
    assert read({"question": "Who?", "as_of": "2021-07-01"}, JULY) == BatchRequest(
        None, "Who?", Window(date(2021, 7, 1))
    )


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (b"{", "line 1: is not JSON"),
        (b"\xff{}", "line 1: is not JSON"),
        (b"[" * 100_000, "line 1: is not JSON"),
        ([], "is a JSON list"),
        ({"id": 1}, "has the question None"),
        ({"id": 1, "question": " "}, "has the question ' '"),
        ({"id": 1, "question": "Q", "since": "soon"}, "since is 'soon'; wanted a date"),
        ({"id": 1, "question": "Q", "since": 2021}, "since is 2021; wanted a date"),
        ({"id": 1, "question": "Q", "sources": "A"}, "has the sources 'A'; wanted a list of names"),
        ({"id": 1, "question": "Q", "history": ["Who?"]}, "has the history"),
        ({"id": 1, "question": "Q", "history": {"question": "Who?"}}, "has the history"),
        ({"id": 1, "question": "Q", "since": "2021-08"}, "since 2021-08-01 is after the last day, 2021-07-31"),
    ],
)
def test_a_line_that_cannot_be_asked_keeps_its_id_and_says_why(record: Any, told: str) -> None:
    found = read(record, JULY)
    assert isinstance(found, BadLine)
    assert found.id == (record.get("id") if isinstance(record, dict) else None)
    assert told in found.message


def test_blank_lines_are_skipped_and_lines_are_numbered_as_in_the_file() -> None:
    found = list(read_requests([b"\n", b'\xef\xbb\xbf{"question": "A?"}\r\n', b"x"], Window()))
    assert isinstance(found[0], BatchRequest)
    assert isinstance(found[1], BadLine)
    assert found[1].message.startswith("line 3: is not JSON")
