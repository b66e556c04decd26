"""Quotations: who says them, over sentences and paragraphs."""

from __future__ import annotations

import pytest

from rag.schema import Span
from rag.text.speakers import quoted_by

HARBOUR = (
    "“We found cracks in 14 pillars,” harbour master Odile Brandt told reporters. “It is not safe. Nobody will be "
    "allowed on the pier before spring.” The mayor, Ada Lindqvist, disagreed. “It could open in April,” she said."
)
SPEECH = (
    "Karl Osei addressed the dockers on Friday.\n\n"
    "“We have waited eleven days,” Osei said. “We can wait longer.\n\n"
    "“The company has lost more than we have.\n\n"
    "“It will come back to the table.”\n\n"
    "Norlund declined to comment. “Talks go on,” said Lena Marsh, its spokeswoman."
)
SPLIT = (
    '"The road," said engineer Tom Hale, "is closed until June." His deputy, Ruth Ames, said: "We need a new bridge."'
)
APART = (
    "“The test failed,” Dr. Mina Rao said. The company sells it in nine countries. “Our product is safe,” read a "
    "statement on its website. According to Rao, “the results were clear”."
)


def said(text: str, quote: str) -> str | None:
    start = text.index(quote)
    return quoted_by(text, Span(start, start + len(quote)))


@pytest.mark.parametrize(
    ("text", "quote", "who"),
    [
        (HARBOUR, "We found cracks", "Brandt"),
        (HARBOUR, "Nobody will be allowed", "Brandt"),
        (HARBOUR, "It could open", "Lindqvist"),
        (SPEECH, "We can wait longer", "Osei"),
        (SPEECH, "The company has lost more", "Osei"),
        (SPEECH, "It will come back", "Osei"),
        (SPEECH, "Talks go on", "Lena Marsh"),
        (SPLIT, "The road", "Tom Hale"),
        (SPLIT, "is closed until June", "Tom Hale"),
        (SPLIT, "We need a new bridge", "Ruth Ames"),
        (APART, "The test failed", "Rao"),
        (APART, "the results were clear", "Rao"),
    ],
)
def test_a_quotation_is_said_by_who_is_named_with_it_or_before_it(text: str, quote: str, who: str) -> None:
    assert who in (said(text, quote) or "")


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        (APART, "The company sells"),
        (APART, "Our product is safe"),
        ("Osei spoke first. Later a sign read “No entry”.", "No entry"),
        ("Brandt left. “It is over.” The crowd cheered.", "It is over"),
        ("“Stay calm. Brandt said so. The rest is unknown.", "Stay calm"),
    ],
)
def test_nobody_says_what_is_not_said_by_whom(text: str, quote: str) -> None:
    assert not any(name in (said(text, quote) or "") for name in ("Rao", "Osei", "Brandt"))
