"""Scores of summaries and timelines, worked out by hand, and the command that prints them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from rag.errors import InputError
from rag.evaluation.digests import summary_cases, summary_rows, timeline_cases, timeline_lines
from rag.evaluation.overlap import Overlap, agreement, date_overlap, rouge_l, rouge_n
from rag.library import Library

SETS = Path(__file__).parents[1] / "evals" / "sets"


def test_rouge_n_counts_the_grams_that_both_texts_have() -> None:
    # the, troops, left, kabul | troops, left, the, city: three of four words, one of three pairs
    text, reference = "The troops left Kabul.", "Troops left the city."
    assert rouge_n(text, reference, 1) == Overlap(3, 4, 4)
    assert rouge_n(text, reference, 2) == Overlap(1, 3, 3)
    assert rouge_n(text, reference, 1).f1 == 0.75


def test_a_gram_counts_as_often_as_it_is_in_both() -> None:
    assert rouge_n("Kabul Kabul Kabul", "Kabul Kabul Herat", 1) == Overlap(2, 3, 3)


def test_rouge_l_is_the_longest_common_subsequence() -> None:
    # troops left kabul | troops from kabul left: "troops left" or "troops kabul"
    found = rouge_l("Troops left Kabul", "Troops from Kabul left")
    assert found == Overlap(2, 3, 4)
    assert (found.precision, found.recall, found.f1) == (2 / 3, 0.5, pytest.approx(4 / 7))


def test_words_are_compared_by_their_stems() -> None:
    assert rouge_n("1,000 soldiers fled", "a soldier flees 1000", 1).shared == 3


def test_the_f1_of_dates_is_that_of_the_days_in_common() -> None:
    found, wanted = [date(2021, 8, day) for day in (6, 7, 8, 8)], [date(2021, 8, day) for day in (7, 8, 15, 16)]
    overlap = date_overlap(found, wanted)
    assert overlap == Overlap(2, 3, 4)
    assert overlap.f1 == pytest.approx(4 / 7)


def test_agreement_compares_what_is_told_of_the_same_day() -> None:
    found = {date(2021, 8, 8): "Kunduz fell", date(2021, 8, 9): "Kabul fell"}
    wanted = {date(2021, 8, 8): "Kunduz fell", date(2021, 8, 15): "Kabul fell"}
    assert agreement(found, wanted, 1) == Overlap(2, 4, 4)


def test_nothing_has_nothing_in_common() -> None:
    assert rouge_n("", "", 1).f1 == rouge_l("", "Kabul").f1 == date_overlap([], []).f1 == 0.0


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    opened = Library(tmp_path_factory.mktemp("seeded") / "library", offline=True)
    opened.add("seeds")
    return opened


def test_the_baselines_get_as_many_words_as_the_program(library: Library, tmp_path: Path) -> None:
    (article,) = library.articles()
    claims = [
        {"text": "reserves", "any_of": [["20,000"], ["Rakhmon"]]},
        {"text": "meeting", "any_of": [["delegation met"]]},
    ]
    case = {"id": "s", "articles": [article.id], "topic": None, "words": 60, "claims": claims, "reference": "They met."}
    (tmp_path / "set.jsonl").write_text(json.dumps(case))
    rows = {row.name: row for row in summary_rows(summary_cases(tmp_path / "set.jsonl"), library)}
    assert (rows["rag"].claims.hits, rows["lead"].claims.hits) == (2, 1)
    assert all(0 < row.words <= 60 for row in rows.values())
    assert rows["rag"].supported.value == 1.0


def test_a_timeline_is_scored_by_its_days(library: Library, tmp_path: Path) -> None:
    case = {"id": "t", "topic": None, "max_events": 3, "events": {"2021-07-05": "An order.", "2021-07-06": "No."}}
    (tmp_path / "set.jsonl").write_text(json.dumps(case))
    first, total = timeline_lines(timeline_cases(tmp_path / "set.jsonl"), library)
    assert first.startswith("t        dates F1 0.50 (precision 1/2, recall 1/2)")
    assert total.startswith("all      dates F1 0.50")


def test_a_case_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text('{"id": "x"}\n')
    with pytest.raises(InputError, match=r"set.jsonl:1: not a case"):
        summary_cases(tmp_path / "set.jsonl")


def test_the_sets_of_the_project_can_be_read() -> None:
    assert len(summary_cases(SETS / "summaries.jsonl")) == 12
    assert len(timeline_cases(SETS / "timelines.jsonl")) == 5
