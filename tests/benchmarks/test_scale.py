"""The maker of libraries of any size: the same again, whole, and with known neighbours."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from curves import Curves, curves
from scale import described
from synthetic import BLOCK, PLANTED, QUESTIONS, Block, Maker, limits

from rag.store.filters import admits


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker(BLOCK)


@pytest.fixture(scope="module")
def block(maker: Maker) -> Block:
    return maker.block(0)


@pytest.mark.slow
def test_the_same_size_and_seed_make_the_same_block_wherever_making_is_taken_up() -> None:
    maker = Maker(2 * BLOCK)
    other, first, again = maker.block(0), maker.block(1), Maker(2 * BLOCK).block(1)
    assert first.drafts == again.drafts != other.drafts
    assert sum(len(draft.passages) for draft in first.drafts) == BLOCK == len(first.embedded)


def test_passages_are_spans_of_their_articles(block: Block) -> None:
    for draft in block.drafts:
        assert all(draft.article.text[p.start : p.end] == p.text for p in draft.passages)


def test_each_question_has_as_many_planted_neighbours_that_are_nearest(maker: Maker) -> None:
    rows = maker.vectors(0)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert len(maker.questions) == QUESTIONS
    for question in maker.questions:
        scores = np.sort(rows @ question.vector)[::-1]
        assert scores[PLANTED - 1] > 0.98
        assert scores[PLANTED] < 0.95


@pytest.mark.slow
def test_a_window_of_a_share_admits_about_that_share() -> None:
    drafts = [draft for number in range(4) for draft in Maker(4 * BLOCK).block(number).drafts]
    for limit in limits():
        share = sum(len(d.passages) for d in drafts if admits(limit.window, d.article)) / (4 * BLOCK)
        assert abs(share - limit.share) < 0.05


def test_curves_have_a_line_for_each_name() -> None:
    drawn = curves("Sizes", [Curves("ms", {"words": {1000: 2.0, 100_000: 30.0}, "vectors": {1000: 1.0}})])
    assert drawn.count("<polyline") == 2
    assert "100,000" in drawn


def test_a_report_says_what_each_size_took() -> None:
    taken = [{"clock": 0.3, "processor": 0.002}] * 3
    windows = {name: dict.fromkeys(("vectors", "words", "new", "search"), taken) for name in _names()}
    once = taken[0]
    record = {
        "passages": 1000,
        "date": "2026-11-24",
        "build": {"made": 1000, "catalog": once, "vectors": once, "memory": 1.0},
        "search": {**windows, "memory": 123.4, "disk": {"vectors": 1.0, "catalog": 2.0}},
        "open": {"chroma": once, "first": once, "first as_of": once},
        "change": {"next": once, "writer": {**once, "memory": 5.0}},
        "recall": dict.fromkeys(_names(), 0.5),
    }
    text = described([record])
    assert "| passages | 1,000 |" in text
    assert "| words alone, p50 / p95, ms | 2 / 2 |" in text
    assert "| memory of a reader, MB | 123 |" in text


def _names() -> list[str]:
    return ["none 100 %", *(f"{limit.kind} {100 * limit.share:g} %" for limit in limits())]
