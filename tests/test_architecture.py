"""The rules of the code that a reader relies on: imports point one way, SDKs have owners, functions stay small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATHS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "rag").rglob("*.py"))
}

ORDER = (
    ("rag.errors", "rag.files", "rag.schema", "rag.progress"),
    ("rag.text",),
    ("rag.models",),
    ("rag.store",),
    ("rag.checks",),
    ("rag.ingest",),
    ("rag.retrieval",),
    ("rag.compare",),
    ("rag.answer",),
    ("rag.digest",),
    ("rag.render",),
    (
        "rag.arguments",
        "rag.settings",
        "rag.parts",
        "rag.langchain",
        "rag.library",
        "rag.quick",
        "rag.cluster",
        "rag.news",
    ),
    ("rag.chat", "rag.mcp"),
    ("rag.evaluation",),
    ("rag.cli", "rag.__main__"),
    ("rag",),
)
"""The packages and modules of `rag`, lowest first: each imports only from its own line and from those before it."""

OWNERS = {
    "chromadb": {"rag/store/chroma.py"},
    "onnxruntime": {"rag/models/minilm.py"},
    "onnx": {"rag/models/minilm.py"},
    "safetensors": {"rag/models/minilm.py"},
    "tokenizers": {"rag/models/embeddings.py", "rag/models/reader.py"},
    "tiktoken": {"rag/models/budget.py"},
    "sqlite3": {"rag/store/sqlite.py"},
    "psycopg": {"rag/store/servers/postgres.py"},
    "typer": {
        "rag/cli/app.py",
        "rag/cli/answer_commands.py",
        "rag/cli/console.py",
        "rag/cli/library_commands.py",
        "rag/cli/options.py",
        "rag/cli/requests.py",
        "rag/cli/terminal.py",
        "rag/cli/watch_commands.py",
    },
    "rich": {"rag/cli/library_commands.py", "rag/cli/terminal.py", "rag/cli/options.py", "rag/chat/transcript.py"},
    "prompt_toolkit": {"rag/cli/terminal.py"},
    "wcwidth": {"rag/render/lines.py"},
    "sentencex": {"rag/text/sentences.py"},
    "langchain": {"rag/models/chat.py"},
    "langchain_openai": {"rag/models/chat.py"},
    "openai": {"rag/models/errors.py"},
    "httpx2": {"rag/models/transport.py"},
    "jinja2": {"rag/render/page.py"},
    "docx": {"rag/render/sheet.py"},
    "trafilatura": {"rag/ingest/html.py"},
    "feedparser": {"rag/ingest/formats.py"},
    "pypdfium2": {"rag/ingest/pdf.py"},
    "striprtf": {"rag/ingest/office.py"},
    "lxml": {"rag/ingest/document.py", "rag/ingest/html.py"},
    "babel": {"rag/text/foreign_dates.py"},
    "charset_normalizer": {"rag/text/clean.py"},
    "rensa": {"rag/retrieval/near_duplicates.py"},
    "ray": {"rag/cluster.py"},
    "mcp": {"rag/mcp.py"},
    "mcp_types": {"rag/mcp.py"},
    "uvicorn": {"rag/mcp.py"},
}
HEAVY = {
    "chromadb",
    "onnxruntime",
    "onnx",
    "trafilatura",
    "feedparser",
    "pypdfium2",
    "striprtf",
    "lxml",
    "charset_normalizer",
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
    "jinja2",
    "docx",
    "mcp",
    "mcp_types",
    "uvicorn",
}


@cache
def trees() -> dict[str, ast.Module]:
    """All modules of `rag`, parsed."""
    return {name: ast.parse(path.read_text()) for name, path in PATHS.items()}


def imported(node: ast.AST) -> list[str]:
    """The modules that an import statement names: a module of `rag` by its whole name, of others what they are from."""
    match node:
        case ast.Import(names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            inside = [f"{module}.{name.name}" for name in names]
            return list(dict.fromkeys(name if name in PATHS else module for name in inside))
        case ast.ImportFrom():
            raise ValueError("a relative import; wanted the whole name of the module")
        case _:
            return []


@cache
def imports(module: str) -> frozenset[str]:
    """All that a module of `rag` imports."""
    return frozenset(name for node in ast.walk(trees()[module]) for name in imported(node))


def imports_at_start(tree: ast.AST) -> set[str]:
    """What is imported when the module is: not in functions, not for type checking alone."""
    found = set(imported(tree))
    if not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(tree):
            if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)):
                found |= imports_at_start(child)
    return found


def siblings(module: str) -> frozenset[str]:
    """The modules of `rag` that this one imports."""
    return imports(module) & PATHS.keys()


def place(module: str) -> str:
    """The name in ORDER that a module belongs to."""
    found = [name for line in ORDER for name in line if module == name or module.startswith(f"{name}.")]
    return max(found, key=len)


def rank(name: str) -> int:
    return next(number for number, line in enumerate(ORDER) if name in line)


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


def test_every_module_has_its_place() -> None:
    assert [name for name in PATHS if place(name) == "rag"] == ["rag"]


def test_a_module_imports_only_from_its_package_and_those_below() -> None:
    for name in set(PATHS) - {"rag"}:
        home = place(name)
        highest = rank(home)
        above = {other for other in siblings(name) if rank(place(other)) > highest}
        assert not above, f"{name} is in {home}, which is below these"


def test_imports_go_round_in_no_circle() -> None:
    done: set[str] = set()
    while left := set(PATHS) - done:
        free = {name for name in left if not siblings(name) - done - {name}}
        assert free, f"these import one another: {sorted(left)}"
        done |= free


@pytest.mark.parametrize("sdk", sorted(OWNERS))
def test_an_sdk_is_imported_by_its_owner_only(sdk: str) -> None:
    users = {
        PATHS[name].relative_to(ROOT).as_posix()
        for name in PATHS
        if sdk in {module.split(".")[0] for module in imports(name)}
    }
    assert users <= OWNERS[sdk]


def test_the_documents_name_modules_that_are_there() -> None:
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = {path for text in texts for path in re.findall(r"rag/[a-z_/]+\.py", text.read_text(encoding="utf-8"))}
    assert named
    assert not [path for path in sorted(named) if not (ROOT / path).is_file()]


def test_owners_are_files() -> None:
    assert all((ROOT / path).is_file() for paths in OWNERS.values() for path in paths)


def test_heavy_packages_are_imported_when_they_are_needed() -> None:
    for name, tree in trees().items():
        heavy = {module.split(".")[0] for module in imports_at_start(tree)} & HEAVY
        assert not heavy, f"{name} imports these when it is imported"


def test_functions_are_short_and_flat() -> None:
    for name, tree in trees().items():
        for function in functions(tree):
            length = (function.end_lineno or 0) - function.lineno + 1
            assert length <= 60, f"{name}.{function.name} has {length} lines"
            assert depth(function) <= 3, f"{name}.{function.name} is nested {depth(function)} deep"


def test_a_module_says_its_job_in_one_sentence() -> None:
    for name, tree in trees().items():
        first = (ast.get_docstring(tree) or "").split("\n\n")[0]
        assert first.endswith("."), f"{name} has no docstring that starts with a sentence"


def test_no_error_is_caught_without_a_name() -> None:
    for name, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, name
                assert "Exception" not in ast.unparse(node.type).split(), name


def test_the_help_loads_nothing_heavy() -> None:
    code = "import sys, rag.cli.app; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert not loaded & (HEAVY | {"numpy", "langchain_core", "httpx2", "sqlite3", "platformdirs", "rag.library"})


def test_an_answer_without_a_model_loads_no_sdk_of_one() -> None:
    code = "import sys, rag.library, rag.checks.judge, rag.models.cross_encoder; print(*sys.modules)"
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
