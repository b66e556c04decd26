"""How soon `rag chat` shows its prompt, beside `rag --help` and the interpreter alone, and when it is ready to answer.

    python benchmarks/starting.py [RUNS]

Each is started anew in a pseudo-terminal, in turns, on an empty library; the medians are of wall-clock time.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from terminal import Terminal, home

INTERPRETER = [sys.executable, "-c", "pass"]
HELP = [sys.executable, "-c", "from rag.cli.app import main; main()", "--help"]


def command(arguments: list[str]) -> float:
    start = perf_counter()
    subprocess.run(arguments, check=True, capture_output=True)
    return perf_counter() - start


def chat(folder: Path) -> tuple[float, float]:
    """Seconds until the prompt is on the screen, and until what an answer needs is loaded."""
    start = perf_counter()
    with Terminal("chat", env=home(folder) | {"RAG_HOME": str(folder / "library")}) as terminal:
        terminal.wait_for("> ")
        prompt = perf_counter() - start
        terminal.wait_for("no articles yet")
        return prompt, perf_counter() - start


def main(runs: int) -> None:
    rows: dict[str, list[float]] = {"interpreter": [], "rag --help": [], "chat, prompt": [], "chat, loaded": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            seconds = (command(INTERPRETER), command(HELP), *chat(Path(folder)))
            for row, value in zip(rows.values(), seconds, strict=True):
                row.append(value)
    beside = statistics.median(rows["rag --help"])
    for name, values in rows.items():
        middle = statistics.median(values)
        print(f"{name:14} {middle:6.2f} s   {middle / beside:5.2f} x rag --help   n={runs}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
