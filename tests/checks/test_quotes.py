"""Citations: marks taken out, quotations found word for word."""

from __future__ import annotations

import pytest

from rag.checks.quotes import check_quotes, locate, quotations, unmarked

SPAN = (
    "Zarif warned that the Afghan people and leaders must make difficult decisions for the future of their country. "
    "“We don't have any more time,” he said, “and the world knows it.” The talks began on Wednesday."
)


@pytest.mark.parametrize(
    ("text", "bare", "numbers"),
    [
        ("The talks began. [1]", "The talks began.", (1,)),
        ("The talks [2] began [1][3].", "The talks began.", (2, 1, 3)),
        ("The talks began [2, 3].", "The talks began.", (2, 3)),
        ("The talks began [2; 3]!", "The talks began!", (2, 3)),
        ("The [Afghan] talks began.", "The [Afghan] talks began.", ()),
        ("In [2021] they began.", "In [2021] they began.", ()),
    ],
)
def test_marks_are_taken_out_and_told(text: str, bare: str, numbers: tuple[int, ...]) -> None:
    found = unmarked(text)
    assert (found.text, found.numbers) == (bare, numbers)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('He said "no more time" twice.', ["no more time"]),
        ("He said “no more time” and “go home”.", ["no more time", "go home"]),
        ("He said ‘we don’t know’ to them.", ["we don’t know"]),
        ("He said «no more time».", ["no more time"]),
        ("The Taliban's men didn't say.", []),
    ],
)
def test_what_stands_in_quotation_marks_is_quoted(text: str, quoted: list[str]) -> None:
    assert quotations(text) == quoted


@pytest.mark.parametrize(
    "quote",
    [
        "must make difficult decisions",
        "Must make   difficult decisions,",
        "We don’t have any more time",
        "the Afghan people ... must make difficult decisions",
        "the Afghan people [...] must make difficult decisions",
        "the Afghan people… must make difficult decisions",
        "[Afghan leaders] must make difficult decisions",
    ],
)
def test_a_quote_is_found_whatever_its_case_spaces_and_gaps(quote: str) -> None:
    span = locate(quote, SPAN)
    assert span is not None
    assert SPAN[span.start : span.end].startswith(("must", "We", "the Afghan"))
    assert SPAN[span.start : span.end].endswith(("decisions", "time"))


@pytest.mark.parametrize(
    "quote",
    [
        "must make easy decisions",
        "must decisions make difficult",
        "make difficult decision",
        "must make difficult decisions for the country",
        "The talks began ... must make difficult decisions",
        "",
        "...",
    ],
)
def test_what_is_not_there_word_for_word_is_not_found(quote: str) -> None:
    assert locate(quote, SPAN) is None


def test_a_span_is_exact() -> None:
    span = locate("difficult decisions", SPAN)
    assert span is not None
    assert SPAN[span.start : span.end] == "difficult decisions"


def test_a_quotation_must_stand_in_one_of_the_spans() -> None:
    (check,) = check_quotes('He said: "We don\'t have any more time."', ["The talks began.", SPAN])
    assert check.passed
    assert check.kind == "quote"


def test_an_altered_quotation_fails_with_what_was_really_said() -> None:
    (check,) = check_quotes('They "must make easy decisions for the future".', [SPAN])
    assert not check.passed
    assert check.expected == "must make easy decisions for the future"
    assert check.found
    assert "must make difficult decisions" in check.found


def test_an_invented_quotation_fails_with_nothing_found() -> None:
    (check,) = check_quotes('He called it "a scandal without any parallel".', [SPAN])
    assert (check.passed, check.found) == (False, None)


def test_two_quotations_stitched_into_one_fail() -> None:
    (check,) = check_quotes('He said, "We don\'t have any more time. The talks began."', [SPAN])
    assert not check.passed


def test_a_text_without_quotations_has_no_check() -> None:
    assert list(check_quotes("Zarif warned them.", [SPAN])) == []
