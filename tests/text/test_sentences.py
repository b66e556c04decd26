"""Sentences of news: abbreviations, initials, ranks, decimals, quotations, lists, headlines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.text.sentences import sentences

HARD = Path(__file__).parents[1] / "data" / "hard_sentences.jsonl"


def cut(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]


def test_of_323_hard_sentences_at_least_318_are_cut_right() -> None:
    cases = [json.loads(line) for line in HARD.read_text().splitlines()]
    right = sum(sentence in cut(case["text"]) for case in cases for sentence in case["sentences"])
    assert sum(len(case["sentences"]) for case in cases) == 323
    assert right >= 318


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Critics of Ms. Orr say it. She denies it.", ["Critics of Ms. Orr say it.", "She denies it."]),
        ("Talks end at 4 p.m. Friday. Nobody came.", ["Talks end at 4 p.m. Friday.", "Nobody came."]),
        ("Rain fell. al-Shabab fled. iPads sold.", ["Rain fell.", "al-Shabab fled.", "iPads sold."]),
        ("Look! a cry went up. He ran.", ["Look! a cry went up.", "He ran."]),
        ("nobody spoke. nobody left.", ["nobody spoke.", "nobody left."]),
        ("Port reopens\n\nShips came in.", ["Port reopens", "Ships came in."]),
    ],
)
def test_a_sentence_ends_where_its_author_ended_it(text: str, expected: list[str]) -> None:
    assert cut(text) == expected
