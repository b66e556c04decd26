"""How near the embedding model comes to the machine's arithmetic, and how other ways to run it compare.

    python benchmarks/embedding.py [--articles FILE] [--questions FILE ...] [--passages N] [--rounds N]

The arithmetic is that of NumPy's product of two large float32 matrices on one core. It and every way to
run the model take turns in one process; the ratios are medians over the rounds. Seconds of processors are shown beside
those of the clock, since other programs disturb them less. "Quotes found" is by the vectors alone, over all passages
of the articles. "Two processes" is as many as there are cores, each with one thread and every so-manieth batch.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # before NumPy is imported
    os.environ[name] = "1"

import numpy as np  # noqa: E402
from contenders import Found  # noqa: E402
from finding import FIRST, Gold, Quality, mean, quality  # noqa: E402
from peers import ARTICLES, QUESTIONS, questions  # noqa: E402

from rag.ingest.loaders import load  # noqa: E402
from rag.ingest.pipeline import cut  # noqa: E402
from rag.models.embeddings import HeadedText, MiniLM, batches  # noqa: E402
from rag.models.minilm import (  # noqa: E402
    DIMENSIONS,
    LAYERS,
    bert_weights,
    build,
    cores,
    installed_weights,
)
from rag.schema import Article  # noqa: E402

BATCH, TOKENS = 8, 256  # as rag.models.embeddings has it
ANY = 8 * 256  # as much as 8 texts can have
SIDE = 1024
NOW = "as it is"
PROCESSES = "a process for each core"
Encode = Callable[[Sequence[HeadedText]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to run the model: its graph, how many threads run batches at once and share one, and what is in a batch."""

    graph: bytes
    workers: int = 0  # one for each core
    threads: int = 1
    spins: bool = False
    batch: int = BATCH
    tokens: int = TOKENS
    sorts: bool = True


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of the clock and of all processors together."""

    clock: float
    processors: float


def ways(graph: bytes) -> dict[str, Way]:
    """What is compared; the first is what the program does with many texts."""
    return {
        NOW: Way(graph),
        "threads share a batch": Way(graph, workers=1, threads=cores()),
        "the same, of any length": Way(graph, workers=1, threads=cores(), tokens=ANY),
        "the same, and spin": Way(graph, workers=1, threads=cores(), tokens=ANY, spins=True),
        "one thread": Way(graph, workers=1),
        "batches of 1": Way(graph, batch=1),
        "batches of 512 tokens": Way(graph, tokens=512),
        "batches of 1,024 tokens": Way(graph, tokens=1024),
        "batches of any length": Way(graph, tokens=ANY),
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
    """Gives the unit vector of each text, a row each, as `rag.models.embeddings` does."""
    session = _session(way)
    tokenizer = MiniLM()._tokenizer

    def encode(texts: Sequence[HeadedText]) -> np.ndarray:
        ids = [e.ids for e in tokenizer.encode_batch([t.joined for t in texts])]
        found = np.empty((len(ids), DIMENSIONS), np.float32)

        def run(places: list[int]) -> None:
            padded, mask = _padded([ids[p] for p in places])
            tokens = session.run(None, {"input_ids": padded, "mask": mask})[0]
            sums = (tokens * mask[:, :, None]).sum(axis=1)
            found[places] = sums / np.linalg.norm(sums, axis=1, keepdims=True)

        with ThreadPoolExecutor(way.workers or cores()) as pool:
            list(pool.map(run, list(_batches([len(i) for i in ids], way))[::-1]))
        return found

    return encode


def _session(way: Way) -> Any:
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, way.threads
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(way.spins)))
    return onnxruntime.InferenceSession(way.graph, options, providers=["CPUExecutionProvider"])


def _batches(lengths: Sequence[int], way: Way) -> Iterator[list[int]]:
    if way.sorts and (way.batch, way.tokens) == (BATCH, TOKENS):
        yield from batches(lengths)
        return
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda i: lengths[i] if way.sorts else 0):
        width = max(lengths[i] for i in [*batch, place])
        if batch and (len(batch) == way.batch or width * (len(batch) + 1) > way.tokens):
            yield batch
            batch = []
        batch.append(place)
    yield batch


class Processes:
    """A process for each core, with one thread; calling it embeds all, and gives the seconds of their processors."""

    def __init__(self, graph: bytes, texts: Sequence[HeadedText]) -> None:
        context = multiprocessing.get_context("spawn")
        lengths = [len(e.ids) for e in MiniLM()._tokenizer.encode_batch([t.joined for t in texts])]
        parts = [[texts[i] for b in list(batches(lengths))[k :: cores()] for i in b] for k in range(cores())]
        pipes = [context.Pipe() for _ in parts]
        self._ends = [ours for ours, _ in pipes]
        for (_, theirs), part in zip(pipes, parts, strict=True):
            context.Process(target=_serve, args=(theirs, graph, part), daemon=True).start()
        self()

    def __call__(self) -> float:
        for end in self._ends:
            end.send(True)
        return float(sum(end.recv() for end in self._ends))

    def close(self) -> None:
        for end in self._ends:
            end.send(False)


def _serve(end: Any, graph: bytes, texts: Sequence[HeadedText]) -> None:
    encode = runner(Way(graph, workers=1))
    encode(texts[:2])
    while end.recv():
        start = time.process_time()
        encode(texts)
        end.send(time.process_time() - start)


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
    """What it returns, if a number, are seconds of processors in other processes."""
    clock, processors = time.perf_counter(), time.process_time()
    others = work()
    elsewhere = others if isinstance(others, float) else 0.0
    return Took(time.perf_counter() - clock, time.process_time() - processors + elsewhere)


def measured(jobs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[Took]]:
    """What each took, by turns, one way round and then the other."""
    took: dict[str, list[Took]] = {name: [] for name in jobs}
    for number in range(rounds):
        for name in list(jobs) if number % 2 else list(jobs)[::-1]:
            took[name].append(timed(jobs[name]))
    return took


def arithmetic() -> Callable[[], object]:
    matrix = np.random.default_rng(7).standard_normal((SIDE, SIDE), np.float32)
    return lambda: [matrix @ matrix for _ in range(20)]


def ask(graph: bytes, question: str, rounds: int) -> None:
    """Prints what one question takes in a session of one thread and in one of all, and what each session holds."""
    jobs, texts = dict[str, Callable[[], object]](), [HeadedText("", question)]
    for threads in (1, cores()):
        before = _held()
        encode = runner(Way(graph, workers=1, threads=threads))
        encode(texts)
        print(f"a session of {threads} threads holds {_held() - before:.0f} MB")
        jobs[f"{threads} threads"] = lambda encode=encode: encode(texts)
    for name, values in measured(jobs, rounds).items():
        clock, busy = (1000 * statistics.median(getattr(v, f) for v in values) for f in ("clock", "processors"))
        print(f"a question with {name}: {clock:.1f} ms, {busy:.1f} ms of processors, median of {rounds}")


def _held() -> float:
    """Megabytes that are in memory now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


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
    graph = build(bert_weights(installed_weights() / "model.safetensors"))
    if golds:
        ask(graph, golds[0].question, 20 * given.rounds)
    encoders = {name: runner(way) for name, way in ways(graph).items()}
    some = texts[: given.passages]
    lengths = [len(e.ids) for e in MiniLM()._tokenizer.encode_batch([t.joined for t in some])]
    print(f"{len(some)} passages, {sum(lengths)} tokens, {given.rounds} rounds; {len(golds)} questions")
    jobs: dict[str, Callable[[], object]] = {"arithmetic": arithmetic()}
    jobs |= {name: lambda e=encode: e(some) for name, encode in encoders.items()}
    for encode in encoders.values():
        encode(texts[:2])
    with closing(Processes(graph, some)) as processes:
        _report(measured(jobs | {PROCESSES: processes}, given.rounds), operations(lengths))
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
            f"{name:24} {rate:6.1f} GFLOP a second of a core  {statistics.median(shares):4.0%} of the arithmetic{times}"
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
