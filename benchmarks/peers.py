"""Dispatches beside what a user would pick instead, on the same articles and questions, in one run.

    uv run --group peers python benchmarks/peers.py [--articles FILE] [--questions FILE ...] [--articles-most N]
        [--rounds N] [--write NAME]

Each contender adds, starts and searches in processes of its own, by turns with the others, for some rounds; the numbers
are medians over the rounds. `--write` puts the table and the plot into benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from chart import Panel, drawing
from contenders import CONTENDERS, Found
from finding import FIRST, Gold, Quality, mean, quality

HERE = Path(__file__).parent
EVALS = HERE.parent / "evals"
QUESTIONS = [EVALS / "sets" / f"{name}.jsonl" for name in ("facts", "numbers", "names")]
ARTICLES = EVALS / "corpora" / "afghanistan-2021" / "articles.jsonl"
OURS = "Dispatches"
_GOLD_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Round:
    """What a contender took in one round; seconds, megabytes, and the mean quality of its searches."""

    add: float
    add_processor: float
    start: float
    start_processor: float
    p50: float
    p95: float
    search_processor: float
    add_memory: float
    search_memory: float
    disk: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class Measure:
    """A row of the table."""

    name: str
    value: Callable[[Round], float]
    form: str


SPEED = (
    Measure("time to add, s", lambda r: r.add, ".1f"),
    Measure("time to add, s of processors", lambda r: r.add_processor, ".1f"),
    Measure("start to first result, s", lambda r: r.start, ".2f"),
    Measure("start to first result, s of processors", lambda r: r.start_processor, ".2f"),
    Measure("a search, p50, ms", lambda r: 1000 * r.p50, ".1f"),
    Measure("a search, p95, ms", lambda r: 1000 * r.p95, ".1f"),
    Measure("a search, mean, ms of processors", lambda r: 1000 * r.search_processor, ".1f"),
    Measure("peak memory, adding, MB", lambda r: r.add_memory, ".0f"),
    Measure("peak memory, searching, MB", lambda r: r.search_memory, ".0f"),
    Measure("size on disk, MB", lambda r: r.disk, ".1f"),
)
QUALITY = (
    Measure("articles found in the first 10", lambda r: r.quality.article_recall, ".3f"),
    Measure("quotes found in the first 10", lambda r: r.quality.passage_recall, ".3f"),
    Measure("quotes found in the first 4,000 characters", lambda r: r.quality.room_recall, ".3f"),
    Measure("MRR of a quote, first 10", lambda r: r.quality.mrr, ".3f"),
    Measure("characters in the first 10", lambda r: r.quality.characters, ",.0f"),
)
DRAWN = (0, 2, 4, 7, 9)


@dataclass(frozen=True, slots=True)
class Job:
    """What is added and asked."""

    articles: Path
    golds: tuple[Gold, ...]
    searches: int
    """How often each question is asked for the times."""


# In the parent


def main() -> None:
    given = _arguments()
    if given.child:
        print("\n" + json.dumps(child(*given.child, given.searches)), flush=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        if "LlamaIndex" in given.only:
            os.environ["NLTK_DATA"] = str(_copied_words(Path(folder)))
        job = chosen(given, Path(folder))
        rounds: dict[str, list[Round]] = {name: [] for name in given.only}
        for number in range(given.rounds):
            for name in _turned(given.only, number):
                rounds[name].append(measured(name, job, Path(folder)))
                print(f"round {number + 1}: {name} {rounds[name][-1]}", file=sys.stderr, flush=True)
        text = described(job, rounds)
    print(text)
    if given.write:
        write(given.write, text, rounds)


def chosen(given: argparse.Namespace, folder: Path) -> Job:
    """The articles, up to `--articles-most`, and the questions whose evidence is all in them."""
    golds = [gold for path in given.questions for gold in questions(path)]
    lines = {json.loads(line)["id"]: line for line in given.articles.read_text("utf-8").splitlines()}
    most = given.articles_most or len(lines)
    cited = {quote.article for gold in golds for quote in gold.evidence}
    kept = [id for id in lines if id in cited][: round(most * _GOLD_SHARE) if most < len(lines) else None]
    kept += [id for id in lines if id not in cited][: most - len(kept)]
    path = folder / "articles.jsonl"
    path.write_text("".join(f"{line}\n" for id, line in lines.items() if id in set(kept)), "utf-8")
    return Job(path, tuple(g for g in golds if all(e.article in set(kept) for e in g.evidence)), given.searches)


def questions(path: Path) -> Iterator[Gold]:
    """The questions that have evidence."""
    for case in map(json.loads, path.read_text("utf-8").splitlines()):
        if case["answerable"] and case["evidence"] and not case.get("history"):
            yield Gold(case["question"], tuple(Found(e["article"], e["quote"]) for e in case["evidence"]))


def measured(name: str, job: Job, place: Path) -> Round:
    """One round of one contender, in a new folder."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        add = _run(name, "add", folder, job)
        start = time.perf_counter()
        first = _run(name, "first", folder, job)
        seconds = time.perf_counter() - start
        search = _run(name, "search", folder, job)
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    times = sorted(search["seconds"])
    found = [[Found(*text) for text in texts] for texts in search["found"]]
    return Round(
        add=add["took"],
        add_processor=add["processor"],
        start=seconds,
        start_processor=first["total"],
        p50=statistics.median(times),
        p95=times[int(0.95 * (len(times) - 1))],
        search_processor=search["processor"] / len(times),
        add_memory=add["memory"],
        search_memory=search["memory"],
        disk=disk,
        quality=mean([quality(gold, texts) for gold, texts in zip(job.golds, found, strict=True)]),
    )


def _copied_words(folder: Path) -> Path:
    """A copy of what LlamaIndex's splitter reads: NLTK refuses files with hard links, as uv makes them."""
    spec = importlib.util.find_spec("llama_index.core")
    if not spec or not spec.origin:
        raise SystemExit("LlamaIndex is not installed; run it with `uv run --group peers`, or without it by `--only`")
    return shutil.copytree(Path(spec.origin).parent / "_static" / "nltk_cache", folder / "nltk")


def _run(name: str, phase: str, folder: str, job: Job) -> dict[str, Any]:
    asked = json.dumps([gold.question for gold in job.golds])
    command = [sys.executable, __file__, "--searches", str(job.searches), "--child", name, phase, folder]
    environment = os.environ | {"ANONYMIZED_TELEMETRY": "False"}
    output = subprocess.run(
        [*command, str(job.articles)], input=asked, env=environment, text=True, check=True, stdout=subprocess.PIPE
    ).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


# In a child


def child(name: str, phase: str, folder: str, articles: str, searches: int) -> dict[str, Any]:
    """Does one phase; the seconds of `add` and `search` are without the start of the process and its imports."""
    asked: list[str] = json.load(sys.stdin)
    contender = CONTENDERS[name](Path(folder))
    if phase == "search":
        found = [contender.search(question, FIRST) for question in asked]
    start, busy = time.perf_counter(), time.process_time()
    seconds: list[float] = []
    if phase == "add":
        contender.add(Path(articles))
    elif phase == "first":
        contender.search(asked[0], FIRST)
    else:
        seconds = [_timed(lambda q=question: contender.search(q, FIRST)) for _ in range(searches) for question in asked]
    took, processor = time.perf_counter() - start, time.process_time() - busy
    return {
        "took": took,
        "processor": processor,
        "total": time.process_time(),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "seconds": seconds,
        "found": [[(t.article, t.text) for t in texts] for texts in found] if phase == "search" else [],
    }


def _timed(search: Callable[[], object]) -> float:
    start = time.perf_counter()
    search()
    return time.perf_counter() - start


# The report


def described(job: Job, rounds: Mapping[str, Sequence[Round]]) -> str:
    """What was measured, and the table."""
    count = len(job.articles.read_text("utf-8").splitlines())
    size = job.articles.stat().st_size / 1e6
    turns = len(next(iter(rounds.values())))
    return (
        f"{count} articles ({size:.2f} MB), {len(job.golds)} questions, {turns} rounds, each question {job.searches} "
        f"times a round; {date.today()}, {os.cpu_count()} cores ({platform.machine()}), Python "
        f"{platform.python_version()}. In brackets: times that of {OURS}, median of the rounds.\n\n{table(rounds)}\n"
    )


def table(rounds: Mapping[str, Sequence[Round]]) -> str:
    """Medians over the rounds; in brackets the median of each round's ratio to Dispatches."""
    lines = [f"| | {' | '.join(rounds)} |", f"|---|{'---:|' * len(rounds)}"]
    for measure in SPEED:
        cells = [_cell(measure, own, rounds.get(OURS, ())) for own in rounds.values()]
        lines.append(f"| {measure.name} | {' | '.join(cells)} |")
    for measure in QUALITY:
        cells = [format(_median(measure, own), measure.form) for own in rounds.values()]
        lines.append(f"| {measure.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(measure: Measure, own: Sequence[Round], ours: Sequence[Round]) -> str:
    ratios = [measure.value(a) / measure.value(b) for a, b in zip(own, ours, strict=False)]
    beside = f" ({statistics.median(ratios):.2f})" if ratios else ""
    return f"{_median(measure, own):{measure.form}}{beside}"


def _median(measure: Measure, rounds: Sequence[Round]) -> float:
    return statistics.median(map(measure.value, rounds))


def write(name: str, text: str, rounds: Mapping[str, Sequence[Round]]) -> None:
    """Puts the report between the marks of this name in the README, and its plot beside it."""
    measures = [*(SPEED[i] for i in DRAWN), *QUALITY[1:4]]
    panels = [Panel(m.name, {n: _median(m, own) for n, own in rounds.items()}, m.form) for m in measures]
    (HERE / f"peers-{name}.svg").write_text(drawing(f"Dispatches beside its peers: {name}", panels), "utf-8")
    readme, start, end = HERE / "README.md", f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    before, rest = readme.read_text("utf-8").split(start)
    after = rest.split(end)[1]
    plot = f"![The same numbers as bars](peers-{name}.svg)\n"
    readme.write_text(f"{before}{start}{text}\n{plot}{end}{after}", "utf-8")


def _turned(names: Sequence[str], number: int) -> list[str]:
    """Another one goes first in each round."""
    place = number % len(names)
    return [*names[place:], *names[:place]]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=ARTICLES)
    parser.add_argument("--questions", type=Path, nargs="+", default=QUESTIONS)
    parser.add_argument("--articles-most", type=int, metavar="N")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--searches", type=int, default=3, metavar="N", help="times each question is asked in a round")
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS))
    parser.add_argument("--write", metavar="NAME")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
