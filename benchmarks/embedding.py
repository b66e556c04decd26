"""How near the embedding model comes to the machine's arithmetic, and how other ways to run it compare.

    python benchmarks/embedding.py [--articles FILE] [--questions FILE ...] [--passages N] [--rounds N]

The arithmetic is that of NumPy's product of two large float32 matrices on one core. It and every way to
run the model take turns in one process; the ratios are medians over the rounds. Seconds of processors are shown beside
those of the clock, since other programs disturb them less. "Quotes found" is by the vectors alone, over all passages
of the articles.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before NumPy is imported
    os.environ[name] = "1"

import numpy as np  # noqa: E402
from contenders import Found  # noqa: E402
from finding import FIRST, Gold, Quality, mean, quality  # noqa: E402
from peers import ARTICLES, QUESTIONS, questions  # noqa: E402

from rag.embeddings import HeadedText, MiniLM, batches, installed_weights  # noqa: E402
from rag.loaders import load  # noqa: E402
from rag.minilm import DIMENSIONS, LAYERS, build, load_weights  # noqa: E402
from rag.preparation import cut  # noqa: E402
from rag.schema import Article  # noqa: E402

BATCH = 8  # as rag.embeddings has it
SIDE = 1024
NOW = "as it is"
Encode = Callable[[Sequence[HeadedText]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to run the model: its graph, its threads (0: one a core), and what is in a batch."""

    graph: bytes
    threads: int = 0
    spins: bool = False
    batch: int = BATCH
    sorts: bool = True


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of the clock and of all processors together."""

    clock: float
    processors: float


def ways(graph: bytes) -> dict[str, Way]:
    """What is compared; the first is what the program does."""
    return {
        NOW: Way(graph),
        "threads spin": Way(graph, spins=True),
        "one thread": Way(graph, threads=1),
        "batches of 1": Way(graph, batch=1),
        "batches of 32": Way(graph, batch=32),
        "not sorted by length": Way(graph, sorts=False),
        "int8 weights": Way(quantized(graph)),
    }


def quantized(graph: bytes) -> bytes:
    """The graph with weights of 8 bits, a scale for each column, and activations that are scaled as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
        whole.write_bytes(graph)
        options = {"MatMulConstBOnly": True}  # else it would quantize attention, which has no weights
        quantize_dynamic(
            whole, small, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True, extra_options=options
        )
        return small.read_bytes()


def runner(way: Way) -> Encode:
    """Gives the unit vector of each text, a row each, as `rag.embeddings` does."""
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, way.threads
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(way.spins)))
    session = onnxruntime.InferenceSession(way.graph, options, providers=["CPUExecutionProvider"])
    tokenizer = MiniLM()._tokenizer

    def encode(texts: Sequence[HeadedText]) -> np.ndarray:
        ids = [e.ids for e in tokenizer.encode_batch([t.joined for t in texts])]
        found = np.empty((len(ids), DIMENSIONS), np.float32)
        for places in _batches([len(i) for i in ids], way):
            padded, mask = _padded([ids[p] for p in places])
            tokens = session.run(None, {"input_ids": padded, "mask": mask})[0]
            sums = (tokens * mask[:, :, None]).sum(axis=1)
            found[places] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return found

    return encode


def _batches(lengths: Sequence[int], way: Way) -> Iterator[list[int]]:
    if way.sorts and way.batch == BATCH:
        return batches(lengths)
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] if way.sorts else 0)
    return (order[start : start + way.batch] for start in range(0, len(order), way.batch))


def _padded(ids: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    width = max(map(len, ids))
    padded = np.array([[*row, *[0] * (width - len(row))] for row in ids], np.int64)
    return padded, (np.arange(width) < np.array([[len(row)] for row in ids])).astype(np.float32)


def operations(lengths: Sequence[int]) -> float:
    """Additions and multiplications that the model needs for texts of so many tokens, without padding.

    A layer has 12 weights of d x d a token (4 of attention, 8 of the two beside it), and two products of n x d in
    attention for each of n tokens.
    """
    return sum(LAYERS * (24 * DIMENSIONS**2 * n + 4 * DIMENSIONS * n**2) for n in lengths)


def timed(work: Callable[[], object]) -> Took:
    clock, processors = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - clock, time.process_time() - processors)


def measured(encoders: Mapping[str, Encode], texts: Sequence[HeadedText], rounds: int) -> dict[str, list[Took]]:
    """What each way took for the texts, and the arithmetic under the name of "arithmetic", by turns."""
    matrix = np.random.default_rng(7).standard_normal((SIDE, SIDE), np.float32)
    jobs: dict[str, Callable[[], object]] = {"arithmetic": lambda: [matrix @ matrix for _ in range(20)]}
    jobs |= {name: lambda e=encode: e(texts) for name, encode in encoders.items()}
    for encode in encoders.values():
        encode(texts[:2])
    took: dict[str, list[Took]] = {name: [] for name in jobs}
    for number in range(rounds):
        for name in list(jobs) if number % 2 else list(jobs)[::-1]:
            took[name].append(timed(jobs[name]))
    return took


def found_by(encode: Encode, texts: Sequence[HeadedText], articles: Sequence[str], golds: Sequence[Gold]) -> Quality:
    """What the nearest vectors find."""
    rows = encode(texts)
    asked = encode([HeadedText("", gold.question) for gold in golds])
    nearest = np.argsort(-(asked @ rows.T), axis=1, kind="stable")[:, :FIRST]
    kept = [[Found(articles[i], texts[i].text) for i in row] for row in nearest]
    return mean([quality(gold, found) for gold, found in zip(golds, kept, strict=True)])


def main() -> None:
    given = _arguments()
    articles = [a for a in load(given.articles) if isinstance(a, Article)][: given.articles_most]
    parts = cut(articles, MiniLM())
    texts = [text for part in parts for text in part.texts]
    owners = [part.article.id for part in parts for _ in part.texts]
    golds = [g for p in given.questions for g in questions(p) if {e.article for e in g.evidence} <= set(owners)]
    encoders = {
        name: runner(way) for name, way in ways(build(load_weights(installed_weights() / "model.safetensors"))).items()
    }
    some = texts[: given.passages]
    lengths = [len(e.ids) for e in MiniLM()._tokenizer.encode_batch([t.joined for t in some])]
    print(f"{len(some)} passages, {sum(lengths)} tokens, {given.rounds} rounds; {len(golds)} questions")
    took = measured(encoders, some, given.rounds)
    _report(took, operations(lengths))
    for name in (NOW, "int8 weights") if golds else ():
        found = found_by(encoders[name], texts, owners, golds)
        recall = f"quotes found in the first {FIRST} of {len(texts)}: {found.passage_recall:.3f}"
        print(f"{name}: {recall}, MRR {found.mrr:.3f}")


def _report(took: Mapping[str, Sequence[Took]], needed: float) -> None:
    peak = 20 * 2 * SIDE**3
    for name, values in took.items():
        work = peak if name == "arithmetic" else needed
        shares = [work / v.processors / (peak / a.processors) for v, a in zip(values, took["arithmetic"], strict=True)]
        clock = statistics.median(v.clock / n.clock for v, n in zip(values, took[NOW], strict=True))
        busy = statistics.median(v.processors / n.processors for v, n in zip(values, took[NOW], strict=True))
        rate = statistics.median(work / v.processors for v in values) / 1e9
        times = "" if name == "arithmetic" else f"  clock x {clock:.2f}  processors x {busy:.2f}"
        print(
            f"{name:22} {rate:6.1f} GFLOP a second of a core  {statistics.median(shares):4.0%} of the arithmetic{times}"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=ARTICLES)
    parser.add_argument("--questions", type=Path, nargs="+", default=QUESTIONS)
    parser.add_argument("--articles-most", type=int, metavar="N")
    parser.add_argument("--passages", type=int, default=64, help="how many are timed")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
