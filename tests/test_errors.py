"""Whatever was seen, an error is one line of bounded length that can be printed."""

from __future__ import annotations

import pytest

from rag.errors import InputError, LoadError, RagError


@pytest.mark.parametrize("seen", ["a\nb", "a\r\nb", "a\0b", "a\x1b[31mb", "a\u202eb", "a\u2028b", "a\ud800b", "a\x9bb"])
def test_what_was_seen_is_shown_on_one_line_without_what_drives_a_terminal(seen: str) -> None:
    told = str(LoadError(f"saw {seen}; wanted x"))
    assert told.isprintable()
    assert (told[:5], told[-10:]) == ("saw a", "; wanted x")


def test_what_was_seen_may_be_long_and_the_error_is_not() -> None:
    assert str(InputError("x" * 100_000)) == "x" * 999 + "…"


def test_letters_that_are_joined_stay_as_they_are_spelled() -> None:
    assert str(RagError("می\u200cشود is no date")) == "می\u200cشود is no date"
