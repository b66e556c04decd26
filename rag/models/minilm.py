"""Builds the ONNX graph of MiniLM from its weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

VERSION = 1
"""Changes whenever the graph does."""

DIMENSIONS, HEADS, LAYERS, EPSILON = 384, 12, 6, 1e-12

Weights: TypeAlias = Mapping[str, NDArray[Any]]


def load_weights(path: Path) -> Weights:
    """The named arrays of a safetensors file."""
    from safetensors.numpy import load_file

    return load_file(path)


def load_words(path: Path) -> NDArray[np.float32]:
    """The embedding of each word piece, a row each."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return np.asarray(file.get_tensor("embeddings.word_embeddings.weight"), np.float32)


def build(weights: Weights) -> bytes:
    """A serialized model, opset 20: `input_ids` (int64) and `mask` (float32, 1 for a token, 0 for padding), both of
    texts x tokens, to `tokens`: a float32 vector of 384 numbers for each token.

    It is BERT (Devlin et al. 2019) with 6 layers and exact Gelu, as sentence-transformers/all-MiniLM-L6-v2 has it.
    """
    graph = _Graph(weights)
    x = _embedded(graph)
    bias = _attention_bias(graph)
    for layer in range(LAYERS):
        x = _layer(graph, x, bias, f"encoder.layer.{layer}.")
    graph.node("Identity", [x], "tokens")
    return graph.serialized()


class _Graph:
    """The nodes and constants so far; what a method returns is the name of a value."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def linear(self, x: str, name: str, *, scale: float = 1.0) -> str:
        weight, bias = (self.weights[f"{name}.{part}"] * np.float32(scale) for part in ("weight", "bias"))
        product = self.node("MatMul", [x, self.constant(f"{name}.weight", weight.T)], f"{name}.product")
        return self.node("Add", [product, self.constant(f"{name}.bias", bias)], f"{name}.sum")

    def norm(self, x: str, name: str) -> str:
        parts = [self.constant(f"{name}.{part}", self.weights[f"{name}.{part}"]) for part in ("weight", "bias")]
        return self.node("LayerNormalization", [x, *parts], f"{name}.normal", axis=-1, epsilon=EPSILON)

    def serialized(self) -> bytes:
        from onnx import TensorProto, helper

        shape: list[str | int] = ["texts", "tokens_of_text"]
        inputs = [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, shape),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, shape),
        ]
        outputs = [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, [*shape, DIMENSIONS])]
        graph = helper.make_graph(self._nodes, "minilm", inputs, outputs, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        return bytes(model.SerializeToString())


def _embedded(graph: _Graph) -> str:
    """Word, position and type (always the first) of each token."""
    weights = graph.weights
    words = graph.constant("words", weights["embeddings.word_embeddings.weight"])
    kind = weights["embeddings.token_type_embeddings.weight"][0]
    places = graph.constant("places", weights["embeddings.position_embeddings.weight"] + kind)
    zero = graph.constant("zero", np.array([0], np.int64))
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    word = graph.node("Gather", [words, "input_ids"], "word")
    place = graph.node("Slice", [places, zero, length, zero], "place")
    graph.constant("by_head", np.array([0, 0, HEADS, DIMENSIONS // HEADS], np.int64))
    graph.constant("together", np.array([0, 0, DIMENSIONS], np.int64))
    return graph.norm(graph.node("Add", [word, place], "word_at_place"), "embeddings.LayerNorm")


def _attention_bias(graph: _Graph) -> str:
    """0 for a token, a large negative number for padding, broadcast over heads and queries."""
    axes = graph.constant("axes", np.array([1, 2], np.int64))
    mask = graph.node("Unsqueeze", ["mask", axes], "mask_of_keys")
    padding = graph.node("Sub", [graph.constant("one", np.array(1, np.float32)), mask], "padding")
    return graph.node("Mul", [padding, graph.constant("never", np.array(-1e9, np.float32))], "attention_bias")


def _layer(graph: _Graph, x: str, bias: str, name: str) -> str:
    found = graph.linear(_attention(graph, x, bias, f"{name}attention.self."), f"{name}attention.output.dense")
    x = graph.norm(graph.node("Add", [found, x], f"{name}attended"), f"{name}attention.output.LayerNorm")
    hidden = graph.node("Gelu", [graph.linear(x, f"{name}intermediate.dense")], f"{name}gelu")
    hidden = graph.linear(hidden, f"{name}output.dense")
    return graph.norm(graph.node("Add", [hidden, x], f"{name}whole"), f"{name}output.LayerNorm")


def _attention(graph: _Graph, x: str, bias: str, name: str) -> str:
    query = _heads(graph, graph.linear(x, f"{name}query", scale=(DIMENSIONS // HEADS) ** -0.5), [0, 2, 1, 3])
    key = _heads(graph, graph.linear(x, f"{name}key"), [0, 2, 3, 1])
    value = _heads(graph, graph.linear(x, f"{name}value"), [0, 2, 1, 3])
    scores = graph.node("Add", [graph.node("MatMul", [query, key], f"{name}scores"), bias], f"{name}masked")
    shares = graph.node("Softmax", [scores], f"{name}shares", axis=-1)
    mixed = graph.node("MatMul", [shares, value], f"{name}mixed")
    turned = graph.node("Transpose", [mixed], f"{name}turned", perm=[0, 2, 1, 3])
    return graph.node("Reshape", [turned, "together"], f"{name}context")


def _heads(graph: _Graph, x: str, order: list[int]) -> str:
    split = graph.node("Reshape", [x, "by_head"], f"{x}.split")
    return graph.node("Transpose", [split], f"{x}.heads", perm=order)
