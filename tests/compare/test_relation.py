"""Two sentences of different articles: what is exact, and what the reader adds."""

import numpy as np
import pytest

from rag.compare.relation import FEATURES, Regression, Report, features, regressions, related, values
from rag.ingest.loaders import article
from rag.models.reader import Probabilities
from rag.schema import Span

OPEN = Probabilities(0.0, 1.0, 0.0)


def report(text: str, published: str = "2021-07-05", source: str = "Pamir Wire", cosine: float = 1.0) -> Report:
    vector = np.array([cosine, (1 - cosine**2) ** 0.5], np.float32)
    return Report(article(text, source=source, published=published), "p", Span(0, len(text)), text, vector)


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
    (found,) = related([(report(told, published="2021-07-08"), report(told, published="2021-07-15"))], None)
    assert not found.same
    assert found.values == ("Monday", "Monday")


def test_without_a_reader_only_what_is_exact_and_nearly_verbatim_is_the_same() -> None:
    told = report("The flood killed 20 people in Kunar, the governor said.")
    others = [
        report("The flood in Kunar killed 20 people, the governor said.", source="Herat News"),
        report("The flood in Kunar killed 20 people, the governor said.", source="Herat News", cosine=0.7),
        report("The flood in Kunar killed 55 people, the governor said.", source="Herat News"),
    ]
    found = related([(told, other) for other in others], None)
    assert [(r.same, r.conflict) for r in found] == [(True, False), (False, False), (False, True)]


def test_the_fitted_weights_are_of_these_features() -> None:
    told = report("The flood killed 20 people in Kunar.")
    assert len(features(told, told, OPEN, OPEN)) == len(FEATURES)
    assert {len(found.weights) for found in regressions()} == {len(FEATURES)}


@pytest.mark.parametrize(("least", "holds"), [(1.0, True), (1.1, False), (None, False)])
def test_a_regression_holds_from_its_least_log_odds_on(least: float | None, *, holds: bool) -> None:
    assert Regression(0.5, (1.0, 0.0), least).holds([0.5, 9.0]) == holds
