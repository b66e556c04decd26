"""How long adding takes, beside embedding the same passages and nothing else.

    python benchmarks/adding.py ARTICLES.jsonl
    python benchmarks/adding.py FOLDER
    python benchmarks/adding.py 1000   # so many small files, which are made for it

Each runs in a process of its own, one after the other. The time of embedding is from the loaded model to the last
vector; that of adding has everything in it but the start of the interpreter and the imports of the library.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.ingest.loaders import listing, load
from rag.ingest.pipeline import article_batches, cut
from rag.library import Library
from rag.models.embeddings import HeadedText, MiniLM
from rag.schema import Article

MOST_RATIO, MOST_MEGABYTES = 1.15, 1500


@dataclass(frozen=True, slots=True)
class Run:
    """What one process did."""

    articles: int
    passages: int
    seconds: float
    processor: float
    megabytes: float


def adding(path: Path) -> Run:
    """Adds the articles to a new library."""
    with tempfile.TemporaryDirectory() as folder, Library(folder) as library:
        start, busy = time.perf_counter(), time.process_time()
        report = library.add(path)
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        passages = sum(len(library.catalog.passage_ids(a.id)) for a in library.articles())
    return Run(report.added, passages, seconds, busy, peak())


def embedding(path: Path) -> Run:
    """Embeds the same passages in the same batches."""
    model = MiniLM()
    model.embed_query("warm")
    loaded = (item for place in listing(path).places for item in load(place) if isinstance(item, Article))
    parts = [cut(batch.articles, model) for batch in article_batches(loaded)]
    texts: list[list[HeadedText]] = [[text for article in part for text in article.texts] for part in parts]
    start, busy = time.perf_counter(), time.process_time()
    for batch in texts:
        model.embed_passages(batch)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    return Run(sum(map(len, parts)), sum(map(len, texts)), seconds, busy, peak())


def peak() -> float:
    """The most memory that this process has held at once, in megabytes (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def in_a_process(job: str, path: Path) -> Run:
    output = subprocess.check_output([sys.executable, __file__, str(path), job], text=True)
    return Run(**json.loads(output.splitlines()[-1]))


def small_files(folder: Path, count: int) -> Path:
    """A folder of articles of some 130 words, each in a file of its own."""
    for n in range(count):
        points = (f"The {i}th point of draft {n} was accepted by {(n * 31 + i * 17) % 97} delegates." for i in range(8))
        lead = f"Envoy {n} met the elders of district {n * 7} in Doha on {1 + n % 28} July 2021."
        (folder / f"{n:04}.txt").write_text(f"Envoy {n} meets elders\n\n{lead} {' '.join(points)}", encoding="utf-8")
    return folder


def main(path: Path) -> int:
    runs = {job: in_a_process(job, path) for job in JOBS}
    for job, run in runs.items():
        print(
            f"{job:9}  {run.articles} articles  {run.passages} passages  {run.seconds:.1f} s  "
            f"({run.processor:.1f} s of processors)  "
            f"{run.passages / run.seconds:.1f} passages/s  peak {run.megabytes:.0f} MB"
        )
    ratio = runs["adding"].seconds / runs["embedding"].seconds
    megabytes = runs["adding"].megabytes
    processor = runs["adding"].processor / runs["embedding"].processor
    print(f"ratio of the processor time, which other programs disturb less: {processor:.3f}")
    print(f"ratio {ratio:.3f} (wanted: at most {MOST_RATIO}), peak {megabytes:.0f} MB (at most {MOST_MEGABYTES})")
    return int(ratio > MOST_RATIO or megabytes > MOST_MEGABYTES)


JOBS = {"embedding": embedding, "adding": adding}

if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(asdict(JOBS[sys.argv[2]](Path(sys.argv[1])))))
    elif sys.argv[1].isdigit():
        with tempfile.TemporaryDirectory() as made:
            sys.exit(main(small_files(Path(made), int(sys.argv[1]))))
    else:
        sys.exit(main(Path(sys.argv[1])))
