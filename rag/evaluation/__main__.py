"""Scores a library on a set of questions: `python -m rag.evaluation SET --library DIR`."""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

from rag.errors import RagError
from rag.evaluation.cases import load_cases
from rag.evaluation.report import GATE_FAILED, load_gates, report
from rag.evaluation.runner import run
from rag.library import Library


def main() -> int:
    """Prints the scores; returns 10 if a gate is missed."""
    parser = ArgumentParser(prog="python -m rag.evaluation", description=__doc__)
    parser.add_argument("set", type=Path, help="a JSONL file of cases")
    parser.add_argument("--add", "-a", action="append", default=[], help="articles to add first")
    parser.add_argument("--library", type=Path, help="the library to ask; without it a new one that is not kept")
    parser.add_argument("--gates", type=Path, help="a TOML file with a table of gates for the set")
    arguments = parser.parse_args()
    try:
        return _evaluate(arguments)
    except RagError as error:
        sys.stderr.write(f"rag: {error}\n")
        return error.exit_code


def _evaluate(arguments: Namespace) -> int:
    cases = load_cases(arguments.set)
    with tempfile.TemporaryDirectory() as folder, Library(arguments.library or folder) as library:
        if arguments.add:
            library.add(*arguments.add)
        found = report(run(cases, library))
    failures = found.failures(load_gates(arguments.gates, arguments.set.stem)) if arguments.gates else []
    sys.stdout.write(f"{found}\n")
    sys.stderr.writelines(f"gate: {failure}\n" for failure in failures)
    return GATE_FAILED if failures else 0


if __name__ == "__main__":
    sys.exit(main())
