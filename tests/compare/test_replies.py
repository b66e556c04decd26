"""What a report of another article says to a sentence."""

import pytest

from rag.compare.relation import Report
from rag.compare.replies import denies, overtakes
from rag.ingest.metadata import article
from rag.schema import Span

LEAK = "Solvent from the Brell plant leaked into Lake Aran on Monday, the water board said."


def report(text: str, published: str) -> Report:
    return Report(article(text, source=published, published=published), "p", Span(0, len(text)), text)


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        (LEAK, "Brell said on Tuesday that no solvent had leaked from its plant into Lake Aran.", True),
        (LEAK, "No solvent leaked from the plant into Lake Aran.", False),
        (LEAK, "Brell said on Tuesday that no solvent had been sold to the plant at Lake Aran.", False),
        (LEAK, "The water board said that no solvent had leaked from the plant.", False),
        (
            "The towns of Pell and Tamm fell on Sunday, Ines Corrado said.",
            "Orsk has not fallen, Ulla Brandt said.",
            False,
        ),
        ("Hugo Maas will pay for the lake.", "The town said that Hugo Maas did not pay for the lake.", False),
        ("The Front had closed the school.", "The ministry said that it had not closed the school.", False),
    ],
)
def test_a_denial_has_a_speaker_and_nothing_but_what_it_denies(first: str, later: str, *, expected: bool) -> None:
    assert denies(report(later, "2024-06-04"), report(first, "2024-06-03")) is expected
    assert not denies(report(later, "2024-08-04"), report(first, "2024-06-03"))


@pytest.mark.parametrize(
    ("first", "later", "published", "expected"),
    [
        (
            "A festival at Lake Aran is planned for 15 June.",
            "The festival at Lake Aran on 15 June was called off.",
            10,
            True,
        ),
        ("Hugo Maas will speak in Pell on 12 June.", "Hugo Maas spoke in Pell on 12 June about the lake.", 13, True),
        ("Hugo Maas will speak in Pell on 12 June.", "Hugo Maas is to speak in Pell on 12 June at noon.", 11, False),
        ("Hugo Maas will speak in Pell on 12 June.", "Hugo Maas spoke in Pell on 11 June about the lake.", 13, False),
        ("Hugo Maas will speak in Pell on 12 June.", "A bus from Pell hit a tree on 12 June.", 13, False),
        ("Hugo Maas spoke in Pell on 1 June.", "Hugo Maas spoke in Pell on 1 June about the lake.", 13, False),
    ],
)
def test_what_came_of_a_plan_is_of_its_day_and_no_plan(
    first: str, later: str, published: int, *, expected: bool
) -> None:
    assert bool(overtakes(report(later, f"2024-06-{published}"), report(first, "2024-06-03"))) is expected
