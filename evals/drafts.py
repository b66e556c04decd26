"""Checks the statements of sets as drafts: `uv run python evals/drafts.py SET.jsonl=CORPUS[+CORPUS] ...`.

For each set: of its true statements and of those that are false or have a planted error, how many pass as [ok], and how
many are called contradicted. The evidence is searched in the whole corpora, which are in `evals/corpora`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag import InputError, Library, Verdict

ROOT = Path(__file__).parent


def main() -> None:
    for argument in sys.argv[1:]:
        path, _, corpora = argument.partition("=")
        told: Counter[tuple[bool, Verdict]] = Counter()
        with tempfile.TemporaryDirectory() as folder, Library(folder, offline=True) as library:
            library.add(*(ROOT / "corpora" / name for name in corpora.split("+")))
            for text, is_true in (
                pair for line in Path(path).read_text(encoding="utf-8").splitlines() for pair in _stated(line)
            ):
                try:
                    told[is_true, library.check(text).statements[0].verdict] += 1
                except InputError:  # no sentence
                    continue
        for is_true in (True, False):
            n = sum(count for (known, _), count in told.items() if known is is_true)
            passed, denied = told[is_true, Verdict.SUPPORTED], told[is_true, Verdict.CONTRADICTED]
            sys.stdout.write(f"{path}: {n} {str(is_true).lower()}, ok {passed}, contradicted {denied}\n")


def _stated(line: str) -> Iterator[tuple[str, bool]]:
    """The statements of a case of replies, or the claim of one of claims, and whether each is true."""
    case: dict[str, Any] = json.loads(line)
    if "text" in case:
        yield case["text"], case["verdict"] == "supported"
    for statement in case.get("statements", ()):
        yield statement["text"], not statement.get("planted")


if __name__ == "__main__":
    main()
