"""The rules of the code that a reader relies on: imports point one way, SDKs have owners, functions stay small."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "rag").rglob("*.py"))
TREES = {path.relative_to(ROOT / "rag").with_suffix("").as_posix(): ast.parse(path.read_text()) for path in MODULES}

BASE = {"schema", "errors"}
EDGE = {
    "cli",
    "batch",
    "chatcommand",
    "console",
    "rendering",
    "inputs",
    "diagnosis",
    "explaining",
    "opening",
    "options",
    "picture",
    "prompting",
    "summarycommands",
    "conflictcommand",
    "storecommands",
    "evalcommand",
    "summarylines",
    "timelinepages",
    "webpages",
}
CHAT = {"chat", "conversation", "commands", "effects", "talk", "transcript"}
MEASURING = {"campaign", "evaluating", "grading", "identity", "observing", "rivals", "runner"}
"""What of the evaluation asks a library, or a judge."""
ABOVE_LIBRARY = EDGE | CHAT | {"__init__", "asking", "cluster"} | {f"evaluation/{name}" for name in MEASURING}
PAGES = {f"evaluation/{name}" for name in ("page", "charts", "casecards", "goldcards")}
"""The parts of the page of a report, which is rendered as other pages are."""

OWNERS = {
    "chromadb": {"chroma"},
    "onnxruntime": {"sessions"},
    "onnx": {"minilm"},
    "safetensors": {"minilm"},
    "tokenizers": {"embeddings"},
    "tiktoken": {"tokens"},
    "sqlite3": {"sqlite"},
    "psycopg": {"postgres"},
    "typer": {"cli", "batch", "console", "options"}
    | {f"{name}command" for name in ("chat", "conflict", "eval")}
    | {f"{name}commands" for name in ("store", "summary")},
    "rich": {"storecommands", "chat", "opening", "picture"},
    "prompt_toolkit": {"prompting"},
    "wcwidth": {"rendering"},
    "sentencex": {"chunking"},
    "langchain": {"models"},
    "langchain_openai": {"models"},
    "openai": {"failures"},
    "httpx2": {"transport"},
    "rensa": {"copies"},
    "ray": {"cluster"},
}
HEAVY = {
    "chromadb",
    "onnxruntime",
    "onnx",
    "trafilatura",
    "feedparser",
    "pypdf",
    "tokenizers",
    "safetensors",
    "rich",
    "prompt_toolkit",
    "wcwidth",
    "langchain",
    "langchain_openai",
    "openai",
    "tiktoken",
    "psycopg",
    "ray",
}


def imported(node: ast.AST) -> list[str]:
    """The modules that an import statement names."""
    match node:
        case ast.Import(names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return [f"{module}.{name.name}" for name in names] if module == "rag" else [module]
        case _:
            return []


def imports(tree: ast.AST) -> set[str]:
    return {name for node in ast.walk(tree) for name in imported(node)}


def imports_at_start(tree: ast.AST) -> set[str]:
    """What is imported when the module is: not in functions, not for type checking alone."""
    found = set(imported(tree))
    if not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(tree):
            if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)):
                found |= imports_at_start(child)
    return found


def siblings(tree: ast.AST) -> set[str]:
    """The modules of `rag` that this one imports."""
    return {name.split(".")[1] for name in imports(tree) if name.startswith("rag.")} & set(TREES)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def depth(node: ast.AST) -> int:
    """How deep blocks stand in one another; `elif` and `case` do not add, nor do functions inside."""
    blocks = ast.If | ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith | ast.Try | ast.Match
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        follows = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child) + (isinstance(child, blocks) and not follows))
    return deepest


@pytest.mark.parametrize("name", sorted(BASE))
def test_the_base_imports_nothing_of_the_package(name: str) -> None:
    assert not siblings(TREES[name]) - BASE


@pytest.mark.parametrize("name", sorted(set(TREES) - ABOVE_LIBRARY - PAGES - {"library"}))
def test_a_stage_imports_no_library_no_settings_and_no_edge(name: str) -> None:
    assert not siblings(TREES[name]) & (ABOVE_LIBRARY | {"library", "settings"})


def test_the_library_imports_no_edge() -> None:
    """It may ask settings for the default folder."""
    assert not siblings(TREES["library"]) & ABOVE_LIBRARY


def test_imports_go_round_in_no_circle() -> None:
    done: set[str] = set()
    while left := set(TREES) - done:
        free = {name for name in left if not siblings(TREES[name]) - done - {name}}
        assert free, f"these import one another: {sorted(left)}"
        done |= free


@pytest.mark.parametrize("sdk", sorted(OWNERS))
def test_an_sdk_is_imported_by_its_owner_only(sdk: str) -> None:
    users = {name for name, tree in TREES.items() if sdk in {module.split(".")[0] for module in imports(tree)}}
    assert users <= OWNERS[sdk]


@pytest.mark.parametrize("name", sorted(TREES))
def test_heavy_packages_are_imported_when_they_are_needed(name: str) -> None:
    assert not {module.split(".")[0] for module in imports_at_start(TREES[name])} & HEAVY


@pytest.mark.parametrize("name", sorted(TREES))
def test_functions_are_short_and_flat(name: str) -> None:
    for function in functions(TREES[name]):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= 60, f"{name}.{function.name} has {length} lines"
        assert depth(function) <= 3, f"{name}.{function.name} is nested {depth(function)} deep"


@pytest.mark.parametrize("name", sorted(set(TREES) - {"__init__"}))
def test_a_module_says_its_job_in_one_sentence(name: str) -> None:
    first = (ast.get_docstring(TREES[name]) or "").split("\n\n")[0]
    assert first.endswith("."), f"{name} has no docstring that starts with a sentence"


@pytest.mark.parametrize("name", sorted(TREES))
def test_no_error_is_caught_without_a_name(name: str) -> None:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None
            assert "Exception" not in ast.unparse(node.type).split()


def test_the_help_loads_nothing_heavy() -> None:
    code = "import sys, rag.cli; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert not loaded & (HEAVY | {"numpy", "langchain_core", "httpx2", "sqlite3", "platformdirs", "rag.library"})


def test_an_answer_without_a_model_loads_no_sdk_of_one() -> None:
    code = "import sys, rag.library, rag.judging, rag.entailment; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert not loaded & {
        "langchain",
        "langchain_core",
        "langchain_openai",
        "openai",
        "httpx2",
        "onnxruntime",
        "tiktoken",
    }
