"""The help of the command line: examples that work, completion, one suggestion, exit codes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag import errors
from rag.cli.app import EXAMPLES, app
from rag.cli.console import INTERRUPTED
from rag.cli.library_commands import GATE_FAILED
from rag.cli.requests import ABSTAINED, FAILED, FAILED_CHECK

ROOT = Path(__file__).parents[2]
EXIT_CODES = (ROOT / "docs/exit-codes.md").read_text(encoding="utf-8")
NETWORK_OR_ENDLESS = ("https:", "--model", "--http", "claude ", "watch", "eval ", "remove ")
LINES = [line for lines in EXAMPLES.values() for line in lines]


def run(*arguments: str, stdin: str | None = None) -> str:
    found = CliRunner().invoke(app, list(arguments), input=stdin)
    return found.output


def arguments(line: str) -> list[str]:
    """What a line gives to `rag`, without the shell's own."""
    found = re.search(r"(?:^|\| |-- )rag ([^|<>]*)", line)
    assert found
    return shlex.split(found[1])


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("help") / "library"
    assert CliRunner().invoke(app, ["add", str(ROOT / "seeds"), "--library", str(place)]).exit_code == 0
    return place


@pytest.fixture
def checkout(tmp_path: Path, seeded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the examples name, and a library of the seeds."""
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    (tmp_path / "article.html").write_text(
        "<html><body><article><p>A bridge near Herat was closed.</p></article></body></html>"
    )
    (tmp_path / "draft.txt").write_text("1,000 soldiers crossed the border.")
    (tmp_path / "questions.jsonl").write_text('{"question": "Who fled?"}')
    (tmp_path / "questions.txt").write_text("Who fled?")
    (tmp_path / "files.txt").write_text("article.html")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_HOME", str(shutil.copytree(seeded, tmp_path / "library")))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.mark.parametrize("command", ["", *EXAMPLES])
def test_every_help_shows_its_examples(command: str) -> None:
    shown = run(*command.split(), "--help")
    assert shown == run(*command.split(), "-h")
    examples = [line.strip() for line in shown.split("Examples:")[1].splitlines() if line.strip()]
    assert examples == list(EXAMPLES[command]) if command else len(examples) == 3
    assert "\\" not in shown
    assert "..." not in shown.split("Commands:")[-1] or command


def test_every_command_has_examples() -> None:
    listed = run("--help").split("Commands:")[1].split("Examples:")[0]
    assert [line.split()[0] for line in listed.splitlines() if line.strip()] == list(EXAMPLES)


@pytest.mark.parametrize("line", [line for line in LINES if not any(mark in line for mark in NETWORK_OR_ENDLESS)])
def test_an_example_runs_as_it_is_shown(checkout: Path, line: str) -> None:
    echoed, given = re.search(r"echo '(.*)' \|", line), re.search(r"< (\S+)", line)
    stdin = echoed[1] if echoed else Path(given[1]).read_text() if given else "Who fled?"
    found = CliRunner().invoke(app, arguments(line), input=stdin)
    assert found.exit_code in ((0, ABSTAINED, FAILED_CHECK) if "--strict" in line else (0,)), found.output
    assert found.stdout


@pytest.mark.parametrize("line", LINES)
def test_the_flags_of_an_example_are_in_the_help_of_its_command(line: str) -> None:
    command, *words = arguments(line)
    shown = run(command, "--help").split("Examples:")[0]
    assert not [
        word for word in words if word.startswith("-") and word != "-" and not re.search(rf"(?<![\w-]){word}\b", shown)
    ]


def test_the_shell_completes_commands() -> None:
    environment = os.environ | {"_RAG_COMPLETE": "complete_bash", "COMP_WORDS": "rag ti", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[0] = 'rag'; from rag.cli.app import main; main()"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert found.stdout.split() == ["timeline"]


def test_a_command_that_is_misspelled_is_suggested_once() -> None:
    found = run("serch", "consulates")
    assert found.count("Did you mean") == 1
    assert "'search'" in found


def test_the_manual_page_is_that_of_the_commands() -> None:
    found = spec_from_file_location("manual", ROOT / "docs/manual.py")
    assert found
    assert found.loader
    manual = module_from_spec(found)
    found.loader.exec_module(manual)
    kept = (ROOT / "docs/rag.1").read_text(encoding="utf-8")
    assert kept == manual.page(), "run `uv run python docs/manual.py`"
    for name in EXAMPLES:
        assert f".SS rag {name} " in kept
    assert manual.text(".5 a-b\\") == "\\&.5 a\\-b\\e"


def test_the_page_of_exit_codes_has_each_of_them() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RagError)]
    codes = {kind.exit_code for kind in kinds} | {0, INTERRUPTED, GATE_FAILED, FAILED, ABSTAINED, FAILED_CHECK, 11}
    assert [int(row) for row in re.findall(r"^\| (\d+) \|", EXIT_CODES, re.M)] == sorted(codes)
