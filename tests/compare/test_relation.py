"""Two sentences of different articles, related by what is exact."""

import numpy as np
import pytest

from rag.compare.relation import ReportedSentence, related, values
from rag.ingest.metadata import article
from rag.schema import Span


def report(
    text: str, published: str = "2021-07-05", source: str = "Pamir Wire", cosine: float = 1.0
) -> ReportedSentence:
    vector = np.array([cosine, (1 - cosine**2) ** 0.5], np.float32)
    return ReportedSentence(article(text, source=source, published=published), "p", Span(0, len(text)), text, vector)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("The flood killed 20 people.", "The flood killed 55 people.", ("20", "55")),
        ("The flood killed 20 people.", "The flood killed 20 people.", ("", "")),
        ("The flood killed 20 people in 3 towns.", "The flood killed 55 people in 9 towns.", ("", "")),
        ("The flood killed 20 people.", "The flood drowned 55 cows.", ("", "")),
        ("The bridge fell on July 3.", "The bridge fell on July 4.", ("July 3", "July 4")),
    ],
)
def test_two_reports_differ_in_one_number_of_the_same_noun_or_in_the_day(
    first: str, second: str, expected: tuple[str, str]
) -> None:
    assert values(report(first), report(second)) == expected


def test_a_weekday_of_another_week_is_another_day() -> None:
    told = "The bridge fell on Monday."
    found = related(report(told, published="2021-07-08"), report(told, published="2021-07-15"))
    assert not found.same
    assert found.values == ("Monday", "Monday")


def test_only_what_is_exact_and_nearly_verbatim_is_the_same() -> None:
    told = report("The flood killed 20 people in Kunar, the governor said.")
    others = [
        report("The flood in Kunar killed 20 people, the governor said.", source="Herat News"),
        report("The flood in Kunar killed 20 people, the governor said.", source="Herat News", cosine=0.7),
        report("The flood in Kunar killed 55 people, the governor said.", source="Herat News"),
    ]
    found = [related(told, other) for other in others]
    assert [(r.same, r.conflict) for r in found] == [(True, False), (False, False), (False, True)]


def test_a_report_that_corrects_an_amount_does_not_confirm_it() -> None:
    told = report("The strike cost the line 15 million kroner, it said.")
    corrected = report("The strike cost the line 17.5 million kroner, not 15 million, it said.", source="Herat News")
    assert related(told, report("It said that the strike cost 15 million kroner.", source="Herat News")).same
    assert not related(told, corrected).same


def test_a_plan_does_not_confirm_what_was_done() -> None:
    done = report("The Front has freed 57 soldiers in all, it said.")
    assert related(done, report("The Front has in all freed 57 soldiers, it said.", source="Herat News")).same
    assert not related(done, report("The Front will free 57 soldiers in all, it said.", source="Herat News")).same
