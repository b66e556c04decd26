"""What of a draft claims something."""

from __future__ import annotations

import pytest

from rag.checks.document import claims
from rag.text.sentences import sentences


def claimed(draft: str) -> list[str]:
    text = claims(draft)
    return [" ".join(text[span.start : span.end].split()) for span in sentences(text)]


@pytest.mark.parametrize(
    "line",
    [
        "# The talks in Tehran",
        "The talks in Tehran\n===================",
        "The talks in Tehran\n---",
        "The talks in Tehran\n",
        "*By A. Reporter, Kabul*\n",
        "---\ntitle: The talks\ndate: 2021-07-07\n---",
        "Source: Reuters, 7 July 2021.",
        "**Sources:** Reuters; AFP",
        "Source: [Reuters](https://reuters.example/x), 7 July 2021.",
        "Photo: AFP",
        "See also: the ministry's list.",
        "https://example.org/a",
        "Reuters, 7 July 2021, https://reuters.example/x",
        "- Reuters: https://reuters.example/x",
        '[1] Reuters, "Talks", https://reuters.example/x',
        '[^1]: Reuters, "Talks", 7 July 2021.',
        "[reuters]: https://reuters.example/x",
        "![A picture of Herat.](herat.jpg)",
        "<!-- Ask the desk. -->",
        "```\nA listing of code.\n```",
    ],
)
def test_a_line_that_claims_nothing_is_left_out(line: str) -> None:
    assert claimed(f"{line}\n\nThe Taliban took Herat on Friday.") == ["The Taliban took Herat on Friday."]


@pytest.mark.parametrize("marker", ["- ", "* ", "• ", "1. ", "(2) ", "a) ", "(iv) ", "1.2 ", "> ", "- [x] ", "> - "])
def test_a_list_marker_is_no_part_of_a_claim(marker: str) -> None:
    assert claimed(f"{marker}The Taliban took Herat.\n{marker}Kabul fell.") == [
        "The Taliban took Herat.",
        "Kabul fell.",
    ]


@pytest.mark.parametrize("mark", ["[^1]", " [^note]"])
def test_a_short_claim_alone_on_its_line_may_have_a_footnote(mark: str) -> None:
    assert claimed(f"Kabul fell on Sunday.{mark}\n\nHerat fell before.") == [
        "Kabul fell on Sunday.",
        "Herat fell before.",
    ]


def test_a_short_claim_alone_on_its_line_may_have_marks() -> None:
    assert claimed("Kabul fell on Sunday. [1][2]\n\nHerat fell before.")[0] == "Kabul fell on Sunday. [1][2]"


def test_a_link_keeps_its_words_and_loses_its_address() -> None:
    draft = "The Taliban [took Herat](https://a.example/x_(y)), as https://b.example/ reports\non Friday."
    assert claimed("Kabul fell, as [Reuters](https://a.example/x) says.") == ["Kabul fell, as Reuters says."]
    assert "on Friday." in claimed(draft)[-1]
    assert "https" not in " ".join(claimed(draft))


def test_an_item_of_several_lines_is_one_claim() -> None:
    assert claimed("- The Taliban took Herat\n  on Friday.\n- Kabul fell.") == [
        "The Taliban took Herat on Friday.",
        "Kabul fell.",
    ]


def test_rows_of_a_table_are_claims_and_its_head_is_not() -> None:
    draft = "| City | Day |\n|------|-----|\n| Herat fell | on Friday. |\n| Kabul fell | on Sunday. |"
    assert claimed(draft) == ["Herat fell, on Friday.", "Kabul fell, on Sunday."]
