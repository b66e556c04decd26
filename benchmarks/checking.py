"""How long it takes to check a statement, beside embedding it and nothing else.

    python benchmarks/checking.py [evals/sets/checks-dev.jsonl ...]

Everything runs on one processor, with the models loaded. Each claim of the sets is checked against three passages of
about 200 words: what it cites, filled up with what other claims cite. "First" is on passages that were not read before;
"again" is one more statement on the same passages, as the other statements of an answer are. Then drafts of six claims
are checked against the articles of `evals/corpora/afghanistan-2021`.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"  # read when numpy, ONNX Runtime and the tokenizer are loaded, which is below
os.environ["TOKENIZERS_PARALLELISM"] = "false"
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import onnxruntime  # noqa: E402

from rag import Library  # noqa: E402
from rag.checks.rules.facts import Evidence  # noqa: E402
from rag.checks.verify import check  # noqa: E402
from rag.evaluation.cases import CheckCase  # noqa: E402
from rag.evaluation.formats import load_set  # noqa: E402
from rag.evaluation.rates import percentile  # noqa: E402
from rag.models.embeddings import MiniLM  # noqa: E402

SETS = ("evals/sets/checks-dev.jsonl", "evals/sets/checks-test.jsonl")
PASSAGES, WORDS, WARMING = 3, 200, 20
CORPUS, DRAFT, DRAFTS = Path("evals/corpora/afghanistan-2021"), 6, 13


class OneThread(onnxruntime.SessionOptions):  # type: ignore[misc]  # it has no types
    """The options of a session that stays on the processor it is started on; no environment variable says so."""

    def __init__(self) -> None:
        super().__init__()
        self.intra_op_num_threads = 1


@dataclass(frozen=True, slots=True)
class Case:
    """A statement with the passages that it is checked against."""

    statement: str
    passages: tuple[Evidence, ...]

    @property
    def words(self) -> int:
        return sum(len(passage.text.split()) for passage in self.passages)


def cases(claims: Sequence[CheckCase]) -> list[Case]:
    """Each statement once, with three passages of about 200 words, no two of them the same."""
    fillers = cycle(dict.fromkeys(quoted.quote for claim in claims for quoted in claim.evidence))
    return [Case(claim.text, tuple(passages(claim, fillers))) for claim in {c.text: c for c in claims}.values()]


def passages(claim: CheckCase, fillers: Iterator[str]) -> Iterator[Evidence]:
    for number in range(PASSAGES):
        cited = claim.evidence[number : number + 1] if number < PASSAGES - 1 else claim.evidence[number:]
        spans = [quoted.quote for quoted in cited]
        while sum(len(span.split()) for span in spans) < WORDS:
            spans.append(next(fillers))
        text = " ".join(" ".join(spans).split()[:WORDS])
        yield Evidence(text, claim.evidence[0].title, published=claim.evidence[0].published)


def milliseconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return 1000 * (time.perf_counter() - start)


def measured(case: Case, model: MiniLM) -> dict[str, float]:
    """The milliseconds of each job on one case; by turns, so that what slows the machine down slows all of them."""
    return {
        "embedding": milliseconds(lambda: model.embed_query(case.statement)),
        "checking, first": milliseconds(lambda: check(case.statement, case.passages)),
        "checking, again": milliseconds(lambda: check(f"Moreover, {case.statement}", case.passages)),
    }


def drafted(drafts: Sequence[str], model: MiniLM) -> Iterator[dict[str, float]]:
    """The milliseconds of each job on each draft, against a library that has been asked before."""
    with tempfile.TemporaryDirectory() as folder, Library(folder, offline=True) as library:
        library.add(CORPUS)
        library.check(drafts[0])
        for draft in drafts[1:]:
            yield {
                "embedding": milliseconds(partial(model.embed_query, draft)),
                "draft, first": milliseconds(partial(library.check, draft)),
                "draft, again": milliseconds(partial(library.check, draft)),
            }


def report(runs: Sequence[dict[str, float]]) -> None:
    """Prints how long each job takes, beside embedding."""
    for job in runs[0]:
        times = [run[job] for run in runs]
        p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
        ratio = p50 / percentile([run["embedding"] for run in runs], 0.5)
        print(f"{job:17}  p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  {ratio:5.1f} times the embedding")


def main(paths: Sequence[str]) -> None:
    claims = [case for path in paths for case in load_set(Path(path)).cases if isinstance(case, CheckCase)]
    onnxruntime.SessionOptions = OneThread
    every, model = cases(claims), MiniLM()
    runs = [measured(case, model) for case in every][WARMING:]
    words = sum(case.words for case in every) // len(every)
    print(f"{len(runs)} statements, each against {PASSAGES} passages of {words} words together, on one processor")
    report(runs)
    texts = [case.statement for case in every]
    drafts = [" ".join(texts[i : i + DRAFT]) for i in range(0, DRAFTS * DRAFT, DRAFT)]
    print(f"\n{DRAFTS - 1} drafts of {DRAFT} claims, against a library")
    report(list(drafted(drafts, model)))


if __name__ == "__main__":
    main(sys.argv[1:] or SETS)
