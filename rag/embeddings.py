"""LangChain embeddings: the local MiniLM on ONNX Runtime."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

HIDDEN, HEADS, LAYERS, EPSILON = 384, 12, 6, 1e-12


def build(weights: dict[str, Any]) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[Any] = []
    inits: dict[str, Any] = {}

    def const(name: str, value: Any) -> str:
        inits[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(op: str, inputs: list[str], output: str, **attrs: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [output], **attrs))
        return output

    def linear(x: str, name: str, w: Any, b: Any) -> str:
        y = node("MatMul", [x, const(name + ".w", w)], name + ".mm")
        return node("Add", [y, const(name + ".b", b)], name + ".out")

    def norm(x: str, name: str) -> str:
        return node("LayerNormalization", [x, const(name + ".g", weights[name + ".weight"]), const(name + ".b", weights[name + ".bias"])], name + ".out", axis=-1, epsilon=EPSILON)

    word = node("Gather", [const("words", weights["embeddings.word_embeddings.weight"]), "input_ids"], "word")
    const("pos", weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0])
    node("Shape", ["input_ids"], "shape", start=1, end=2)
    node("Slice", ["pos", const("zero", np.array([0], np.int64)), "shape", const("ax0", np.array([0], np.int64))], "position")
    x = norm(node("Add", [word, "position"], "sum"), "embeddings.LayerNorm")
    const("heads", np.array([0, 0, HEADS, HIDDEN // HEADS], np.int64))
    const("merge", np.array([0, 0, HIDDEN], np.int64))
    node("Unsqueeze", ["mask", const("ax12", np.array([1, 2], np.int64))], "mask4")
    node("Sub", [const("one", np.array(1, np.float32)), "mask4"], "inv")
    node("Mul", ["inv", const("minus", np.array(-1e9, np.float32))], "bias")
    for i in range(LAYERS):
        p = f"encoder.layer.{i}."
        a = p + "attention.self."
        parts = {}
        for n in ("query", "key", "value"):
            scale = (HIDDEN // HEADS) ** -0.5 if n == "query" else 1.0
            y = linear(x, a + n, weights[a + n + ".weight"].T * np.float32(scale), weights[a + n + ".bias"] * np.float32(scale))
            y = node("Reshape", [y, "heads"], a + n + ".r")
            parts[n] = node("Transpose", [y], a + n + ".t", perm=[0, 2, 3, 1] if n == "key" else [0, 2, 1, 3])
        s = node("MatMul", [parts["query"], parts["key"]], a + "scores")
        s = node("Softmax", [node("Add", [s, "bias"], a + "masked")], a + "prob", axis=-1)
        c = node("MatMul", [s, parts["value"]], a + "ctx")
        c = node("Reshape", [node("Transpose", [c], a + "ctxt", perm=[0, 2, 1, 3]), "merge"], a + "ctxm")
        o = p + "attention.output."
        c = linear(c, o + "dense", weights[o + "dense.weight"].T, weights[o + "dense.bias"])
        x = norm(node("Add", [c, x], o + "res"), o + "LayerNorm")
        h = linear(x, p + "intermediate.dense", weights[p + "intermediate.dense.weight"].T, weights[p + "intermediate.dense.bias"])
        h = node("Gelu", [h], p + "gelu")
        h = linear(h, p + "output.dense", weights[p + "output.dense.weight"].T, weights[p + "output.dense.bias"])
        x = norm(node("Add", [h, x], p + "res"), p + "output.LayerNorm")
    node("Identity", [x], "tokens")
    graph = helper.make_graph(nodes, "minilm", [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "s"]), helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["b", "s"])], [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["b", "s", HIDDEN])], list(inits.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return model.SerializeToString()
