"""The example notebook runs as it is written, and shows what the program prints."""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs/notebook.ipynb"


async def run(source: str, names: dict[str, Any]) -> list[dict[str, Any]]:
    """The outputs of a cell: what it prints, then how a notebook shows its last expression."""
    tree = ast.parse(source)
    *_, last = tree.body
    if isinstance(last, ast.Expr):
        tree.body[-1] = ast.fix_missing_locations(
            ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], last.value), last)
        )
    names["_"] = None
    printed = io.StringIO()
    code = compile(tree, str(NOTEBOOK), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with contextlib.redirect_stdout(printed):
        found = eval(code, names)
        if inspect.iscoroutine(found):
            await found
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": _lines(printed.getvalue())})
    if names["_"] is not None:
        outputs.append({"output_type": "execute_result", "metadata": {}, "data": _shown(names["_"])})
    return outputs


def _shown(value: Any) -> dict[str, Any]:
    markdown = getattr(value, "_repr_markdown_", None)
    shown = {"text/markdown": _lines(markdown())} if markdown else {}
    return shown | {"text/plain": _lines(repr(value))}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


async def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs of its cells."""
    names: dict[str, Any] = {"__name__": "notebook"}
    cells = []
    for count, cell in enumerate(notebook["cells"]):
        changed = {}
        if cell["cell_type"] == "code":
            outputs = await run("".join(cell["source"]), names)
            numbered = [o | ({"execution_count": count} if "data" in o else {}) for o in outputs]
            changed = {"execution_count": count, "outputs": numbered}
        cells.append(cell | changed)
    return notebook | {"cells": cells}


@pytest.mark.slow
async def test_the_notebook_runs_and_shows_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert await executed(shown) == shown


def test_it_is_a_notebook_that_others_can_open() -> None:
    shown = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (shown["nbformat"], shown["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in shown["cells"]}) == len(shown["cells"])
    assert str(ROOT) not in NOTEBOOK.read_text(encoding="utf-8")


if __name__ == "__main__":  # after a change: uv run python tests/test_notebook.py, and read what changed
    import asyncio

    made = asyncio.run(executed(json.loads(NOTEBOOK.read_text(encoding="utf-8"))))
    NOTEBOOK.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
