"""Tries many hostile inputs on every way in: `uv run python tests/fuzz.py --inputs 100000`.

Inputs are made from the seed, in batches, each in a process of its own; what was stopped goes on with the next batch.
An input that crashes, hangs, takes too much memory or breaks another promise is saved with its traceback in the folder,
as small as it could be made, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import conftest
from fuzzing.every import every
from fuzzing.outcomes import Target, outcomes
from hypothesis import HealthCheck, Phase, given, seed, settings

_SIZE = 1_000
"""How many inputs a process tries."""
_SILENT = 600.0
"""After how many seconds on one input a process is stopped, if not even its own clock could stop it."""
_CURRENT = "current.txt"
_LONGEST_SHOWN = 20_000

assert conftest  # which forgets the key and the model of whoever runs this


@dataclass(frozen=True, slots=True)
class Batch:
    """Some inputs of a target."""

    target: str
    number: int
    size: int
    seed: int
    folder: Path

    @property
    def result(self) -> Path:
        """Where it is written what became of them."""
        return self.folder / f"{self.target}-{self.number:03}-{self.size}-{self.seed}.json"

    @property
    def failure(self) -> Path:
        """Where the input that broke a promise is saved."""
        return self.result.with_suffix(".failed.txt")


def main() -> int:
    """Runs the batches that are not done yet; gives the exit code."""
    logging.disable(logging.CRITICAL)  # what parsers say of damaged files
    flags = _flags()
    flags.folder.mkdir(parents=True, exist_ok=True)
    if flags.one:
        target = next(target for target in every() if target.name == flags.one)
        _try(target, Batch(flags.one, flags.number, flags.inputs, flags.seed, flags.folder))
        return 0
    batches = list(_batches(flags))
    for batch in batches:
        if not batch.result.exists():
            _run(batch)
            print(_told(batch), flush=True)
    return _report(batches)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="how many in all; by weight over the targets")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="where results and failures are kept")
    parser.add_argument("--target", nargs="*", default=[], help="only targets whose names start with one of these")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def _batches(flags: argparse.Namespace) -> Iterator[Batch]:
    chosen = [t for t in every() if not flags.target or t.name.startswith(tuple(flags.target))]
    whole = sum(target.weight for target in chosen)
    for target in chosen:
        left = -(-flags.inputs * target.weight // whole)
        for number in range(-(-left // _SIZE)):
            yield Batch(target.name, number, min(_SIZE, left - number * _SIZE), flags.seed, flags.folder)


def _run(batch: Batch) -> None:
    """Tries a batch in a process of its own, which is stopped if it stays at one input."""
    current = batch.folder / _CURRENT
    current.write_text("nothing yet", encoding="utf-8")
    arguments = [f"--one={batch.target}", f"--inputs={batch.size}", f"--seed={batch.seed}", f"--number={batch.number}"]
    with subprocess.Popen([sys.executable, __file__, *arguments, f"--folder={batch.folder}"]) as process:
        while process.poll() is None:
            time.sleep(0.2)
            if time.time() - current.stat().st_mtime > _SILENT:
                process.kill()
    if not batch.result.exists():
        shown = current.read_text(encoding="utf-8", errors="replace")
        batch.failure.write_text(f"the process ended with {process.returncode} at:\n{shown}\n", encoding="utf-8")
        batch.result.write_text(json.dumps({"inputs": 0, "outcomes": {}}), encoding="utf-8")


def _try(target: Target, batch: Batch) -> None:
    counts: Counter[str] = Counter()
    tried = 0

    @seed(zlib.crc32(f"{batch.seed} {batch.target} {batch.number}".encode()))
    @settings(
        max_examples=batch.size,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(target.inputs)
    def tries(value: Any) -> None:
        nonlocal tried
        tried += 1
        current.seek(0)
        current.write(repr(value)[:_LONGEST_SHOWN])
        current.truncate()
        current.flush()
        counts.update(outcomes(target, value))

    start = time.perf_counter()
    with (batch.folder / _CURRENT).open("w", encoding="utf-8", errors="replace") as current:
        try:
            tries()
        except Exception:  # noqa: BLE001  # whatever it is, it is what was looked for
            told = traceback.format_exc()
            batch.failure.write_text(told, encoding="utf-8", errors="replace")
    found = {"inputs": tried, "seconds": round(time.perf_counter() - start, 1), "outcomes": counts}
    batch.result.write_text(json.dumps(found), encoding="utf-8")


def _report(batches: list[Batch]) -> int:
    """Prints what became of the inputs of each target, and of all."""
    rows: dict[str, Counter[str]] = {}
    tried: Counter[str] = Counter()
    for batch in batches:
        found = json.loads(batch.result.read_text(encoding="utf-8"))
        rows.setdefault(batch.target, Counter()).update(found["outcomes"])
        tried[batch.target] += found["inputs"]
    for name, counts in rows.items():
        print(f"{name:20} {tried[name]:7}  {_listed(counts)}")
    failed = [batch.failure for batch in batches if batch.failure.exists()]
    print(f"{'all':20} {tried.total():7}  {len(failed)} broke a promise")
    for path in failed:
        print(f"  {path}: {_last_line(path)}")
    return 1 if failed else 0


def _told(batch: Batch) -> str:
    found = json.loads(batch.result.read_text(encoding="utf-8"))
    failed = f"  FAILED: {_last_line(batch.failure)}" if batch.failure.exists() else ""
    return f"{batch.result.stem}: {found['inputs']} in {found.get('seconds')} s: {_listed(found['outcomes'])}{failed}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))


def _last_line(path: Path) -> str:
    """What was broken: the line before the one that shows the input."""
    lines = path.read_text(encoding="utf-8").splitlines()
    place = next((n for n, line in enumerate(lines) if "Failing test case" in line), len(lines))
    return next((line for line in reversed(lines[:place]) if line.strip()), "")[:200]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main())
