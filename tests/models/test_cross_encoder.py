"""A verifier of one's own, from its folder to its probabilities, with a real graph and a real tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_entailment import tiny_model

from rag.errors import VerifierError
from rag.models.cross_encoder import CrossEncoder
from rag.models.reader import Pair, Probabilities

HELD = "The talks were held in Tehran"
FOLLOWS = Pair(HELD, "talks were held")
OPEN = Pair(HELD, "word word ended")
DENIED = Pair(HELD, "The talks were not held in Tehran")


def surest(found: Probabilities) -> str:
    return max(("entailment", "neutral", "contradiction"), key=lambda name: getattr(found, name))


def test_each_pair_gets_its_probabilities(tmp_path: Path) -> None:
    found = CrossEncoder(tiny_model(tmp_path)).entail([FOLLOWS, OPEN, DENIED])
    assert [surest(p) for p in found] == ["entailment", "neutral", "contradiction"]
    assert all(p.entailment + p.neutral + p.contradiction == pytest.approx(1) for p in found)
    assert found[0].entailment == pytest.approx(0.9933, abs=1e-3)  # logits 0, 10, 5


@pytest.mark.parametrize(
    "labels",
    [
        ("entailment", "neutral", "contradiction"),
        ("CONTRADICTION", "NEUTRAL", "ENTAILMENT"),
        ("Neutral", "Contradiction", "Entailment"),
    ],
)
def test_the_labels_may_stand_in_any_order_and_case(tmp_path: Path, labels: tuple[str, ...]) -> None:
    found = CrossEncoder(tiny_model(tmp_path, labels=labels)).entail([FOLLOWS, OPEN, DENIED])
    assert [surest(p) for p in found] == ["entailment", "neutral", "contradiction"]


@pytest.mark.parametrize("labels", [("entailment", "not_entailment"), ("NOT-ENTAILMENT", "ENTAILMENT")])
def test_of_two_labels_what_does_not_follow_is_left_open(tmp_path: Path, labels: tuple[str, ...]) -> None:
    found = CrossEncoder(tiny_model(tmp_path, labels=labels)).entail([FOLLOWS, OPEN])
    assert [surest(p) for p in found] == ["entailment", "neutral"]
    assert [p.contradiction for p in found] == [0.0, 0.0]


def test_a_graph_without_token_types_is_given_none(tmp_path: Path) -> None:
    found = CrossEncoder(tiny_model(tmp_path, types=False)).entail([FOLLOWS, OPEN, DENIED])
    assert [surest(p) for p in found] == ["entailment", "neutral", "contradiction"]


def test_the_graph_may_stand_in_a_folder_of_its_own(tmp_path: Path) -> None:
    tiny_model(tmp_path)
    (tmp_path / "onnx").mkdir()
    (tmp_path / "model.onnx").rename(tmp_path / "onnx" / "model.onnx")
    assert surest(CrossEncoder(tmp_path).entail([FOLLOWS])[0]) == "entailment"


def test_a_score_does_not_depend_on_what_else_is_in_the_batch(tmp_path: Path) -> None:
    verifier = CrossEncoder(tiny_model(tmp_path))
    pairs = [Pair(f"{'word ' * n}{HELD}", hypothesis.hypothesis) for n in range(9) for hypothesis in (FOLLOWS, DENIED)]
    alone = [verifier.entail([pair])[0] for pair in pairs]
    assert verifier.entail(pairs) == alone
    assert verifier.entail(pairs[::-1]) == alone[::-1]
    assert verifier.entail([]) == []


def test_of_a_pair_that_is_too_long_the_end_of_the_premise_is_left_out(tmp_path: Path) -> None:
    verifier = CrossEncoder(tiny_model(tmp_path))
    first, last = Pair(f"{HELD} {'word ' * 600}", "talks held"), Pair(f"{'word ' * 600}{HELD}", "talks held")
    assert [surest(p) for p in verifier.entail([first, last])] == ["entailment", "neutral"]


@pytest.mark.parametrize(
    ("positions", "first", "kind"), [(20, 0, "bert"), (22, 2, "roberta"), (22, 2, "xlm-roberta"), (700, 0, "bert")]
)
def test_a_pair_has_no_more_tokens_than_the_model_has_places(
    tmp_path: Path, positions: int, first: int, kind: str
) -> None:
    verifier = CrossEncoder(tiny_model(tmp_path, positions=positions, first=first, model_type=kind, types=False))
    room = min(512, positions - first) - 3 - 1  # the marks, and the hypothesis
    inside, outside = (Pair(f"{'word ' * (n - 1)}ended", "ended") for n in (room, room + 1))
    assert [surest(p) for p in verifier.entail([inside, outside])] == ["entailment", "neutral"]


def test_a_statement_that_is_too_long_is_refused_and_not_judged_by_a_part(tmp_path: Path) -> None:
    verifier = CrossEncoder(tiny_model(tmp_path, positions=20))
    assert surest(verifier.entail([Pair(HELD, "talks " * 16)])[0]) == "neutral"  # room for one word of the premise
    with pytest.raises(VerifierError, match=r"can read 16 tokens of a statement, this one has more: 'talks talks"):
        verifier.entail([FOLLOWS, Pair(HELD, "talks " * 17)])


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "config.json"])
def test_a_folder_without_a_file_says_which(tmp_path: Path, name: str) -> None:
    (tiny_model(tmp_path) / name).unlink()
    with pytest.raises(VerifierError, match=f"{tmp_path} has no {name}; wanted model.onnx, tokenizer.json and config"):
        CrossEncoder(tmp_path)


def damage(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("damaged", "told"),
    [
        (damage("model.onnx", "no graph"), r"cannot be used \(.*INVALID_PROTOBUF.*; export it anew"),
        (damage("tokenizer.json", "{"), r"cannot be used \(tokenizer\.json: "),
        (damage("config.json", "{"), r"config\.json is no JSON"),
        (damage("config.json", "[]"), r"has id2label = None; wanted entailment, neutral and contradiction"),
        (damage("config.json", '{"id2label": ["entailment"]}'), r"has id2label = \['entailment'\]"),
        (damage("config.json", '{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}'), "LABEL_0.*natural-language"),
        (damage("config.json", '{"id2label": {"0": "entailment", "1": "entailment"}}'), "has id2label"),
        (damage("config.json", '{"id2label": {"0": "entailment", "1": "not_entailment"}}'), r"gave \(1, 3\) numbers"),
    ],
)
def test_a_damaged_folder_is_told_in_one_line(tmp_path: Path, damaged: Callable[[Path], object], told: str) -> None:
    damaged(tiny_model(tmp_path))
    with pytest.raises(VerifierError, match=told) as error:
        CrossEncoder(tmp_path).entail([FOLLOWS])
    assert "\n" not in str(error.value)
    assert "RAG_VERIFIER" in str(error.value) or "config.json" in str(error.value)


def test_a_graph_that_wants_more_says_what(tmp_path: Path) -> None:
    verifier = CrossEncoder(tiny_model(tmp_path, more_inputs=["position_ids"]))
    with pytest.raises(VerifierError, match="it takes input_ids, attention_mask, token_type_ids, position_ids; wanted"):
        verifier.entail([FOLLOWS])


def test_a_graph_that_fails_over_its_input_says_so(tmp_path: Path) -> None:
    verifier = CrossEncoder(tiny_model(tmp_path, positions=8, max_position_embeddings=64))
    with pytest.raises(VerifierError, match=r"cannot be used .*indices element out of data bounds"):
        verifier.entail([FOLLOWS])
