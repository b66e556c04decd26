"""A larger model for question answering, loaded from a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_entailment import tiny_spans

from rag.errors import VerifierError
from rag.models.cross_encoder import SpanModel
from rag.models.reader import Extract
from rag.schema import Span

TEXT = "The talks ended. The talks were held in Tehran."
SENTENCES = (Span(0, 16), Span(17, len(TEXT)))


def test_it_points_at_the_answer_in_its_sentence(tmp_path: Path) -> None:
    (first, second), (none,) = SpanModel(tiny_spans(tmp_path)).read(
        "Where were the talks held?",
        [Extract("Talks in Tehran, Wire", TEXT, SENTENCES), Extract("", "The talks ended.", (Span(0, 16),))],
    )
    assert TEXT[second.answer.start : second.answer.end] == "Tehran"
    assert second.score > first.score
    assert second.margin == pytest.approx(4)
    assert none.margin < 0


def test_a_model_without_spans_is_told_of_in_one_line(tmp_path: Path) -> None:
    model = SpanModel(tiny_spans(tmp_path, outputs=1))
    with pytest.raises(VerifierError, match="RAG_READER") as raised:
        model.read("Where?", [Extract("", TEXT, SENTENCES)])
    assert "\n" not in str(raised.value)


def test_a_folder_without_a_model_is_told_of_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(VerifierError, match=r"model.onnx.*RAG_READER"):
        SpanModel(tmp_path)
