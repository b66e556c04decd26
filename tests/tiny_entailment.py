"""A natural-language-inference model of a few nodes: what shares its words follows, a `not` more or less denies it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["not", "the", "talks", "were", "held", "in", "tehran", "doha", "ended", "word"]
LABELS = ("contradiction", "entailment", "neutral")


def tiny_model(
    folder: Path,
    *,
    labels: Sequence[str] = LABELS,
    types: bool = True,
    positions: int = 512,
    first: int = 0,
    more_inputs: Sequence[str] = (),
    **config: Any,
) -> Path:
    """The folder with `model.onnx`, `tokenizer.json` and `config.json`.

    Without `types` the graph takes no token types. It has `positions` places, `first` is that of the first token: it
    fails if a text is longer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(_graph(labels, types, positions, first, more_inputs))
    _tokenizer().save(str(folder / "tokenizer.json"))
    given = {"id2label": {str(i): name for i, name in enumerate(labels)}, "max_position_embeddings": positions}
    (folder / "config.json").write_text(json.dumps(given | config))
    return folder


def tiny_spans(folder: Path, *, answer: str = "tehran", outputs: int = 2) -> Path:
    """A model of question answering that points at one word, or at the first token if it is not there."""
    tiny_model(folder)
    node = _Nodes()
    found = node.number(node("Equal", "input_ids", node.constant(len(SPECIAL) + WORDS.index(answer), np.int64)))
    null = node.number(node("Equal", "input_ids", node.constant(SPECIAL.index("[CLS]"), np.int64)))
    logits = node("Add", node("Mul", found, node.constant(5, np.float32)), null)
    names = ["start_logits", "end_logits"][:outputs]
    node.nodes += [helper.make_node("Identity", [logits], [name]) for name in names]
    shape = ["texts", "tokens"]
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape)]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names]
    graph = helper.make_graph(node.nodes, "tiny", inputs, ends, node.constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    return folder


def _tokenizer() -> Tokenizer:
    vocabulary = {word: i for i, word in enumerate(SPECIAL + WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


class _Nodes:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: Any, kind: Any) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, kind), name))
        return name

    def number(self, value: str) -> str:
        return self("Cast", value, to=TensorProto.FLOAT)


def _graph(labels: Sequence[str], types: bool, positions: int, first: int, more_inputs: Sequence[str]) -> bytes:
    node = _Nodes()
    one, axis1, axis2 = node.constant(1, np.float32), node.constant([1], np.int64), node.constant([2], np.int64)
    mask = node.number("attention_mask")
    words = node("Mul", mask, node.number(node("Greater", "input_ids", node.constant(len(SPECIAL) - 1, np.int64))))
    second = node.number("token_type_ids") if types else _after_separator(node)
    hypothesis, premise = node("Mul", words, second), node("Mul", words, node("Sub", one, second))
    alike = node.number(node("Equal", node("Unsqueeze", "input_ids", axis2), node("Unsqueeze", "input_ids", axis1)))
    shared = node("ReduceMax", node("Mul", alike, node("Unsqueeze", premise, axis2)), axis1, keepdims=0)
    found = node("ReduceSum", node("Mul", shared, hypothesis), axis1)
    share = node("Div", found, node("Max", node("ReduceSum", hypothesis, axis1), one))
    nots = node.number(node("Equal", "input_ids", node.constant(len(SPECIAL), np.int64)))
    sides = [node("ReduceMax", node("Mul", nots, side), axis1) for side in (premise, hypothesis)]
    denied = node("Abs", node("Sub", *sides))
    scores = {
        "entailment": node("Mul", share, node.constant(10, np.float32)),
        "contradiction": node("Mul", denied, node.constant(20, np.float32)),
        "neutral": node("Add", _place(node, mask, positions, first), node.constant(5, np.float32)),
    }
    kinds = [name.lower().replace("not_entailment", "neutral").replace("not-entailment", "neutral") for name in labels]
    node.nodes.append(helper.make_node("Concat", [scores.get(kind, denied) for kind in kinds], ["logits"], axis=1))
    names = ["input_ids", "attention_mask", *(["token_type_ids"] if types else []), *more_inputs]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in names]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(labels)])]
    graph = helper.make_graph(node.nodes, "tiny", inputs, outputs, node.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def _after_separator(node: _Nodes) -> str:
    """1 for what stands after the first separator."""
    marks = node.number(node("Equal", "input_ids", node.constant(3, np.int64)))
    before = node("CumSum", marks, node.constant(1, np.int64), exclusive=1)
    return node("Min", before, node.constant(1, np.float32))


def _place(node: _Nodes, mask: str, positions: int, first: int) -> str:
    """0, if there is a place for each token."""
    before = node("CumSum", mask, node.constant(1, np.int64), exclusive=1)
    place = node("Add", node("Cast", before, to=TensorProto.INT64), node.constant(first, np.int64))
    zeros = node("Gather", node.constant([0.0] * positions, np.float32), place)
    return node("ReduceSum", zeros, node.constant([1], np.int64))
