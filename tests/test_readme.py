"""README and the guides run as they are written, and show what the program prints."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.schema import Answer, Status

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLI, JSON, MODELS = ((ROOT / f"docs/{name}.md").read_text(encoding="utf-8") for name in ("cli", "json", "models"))
COMMANDS = (
    "add",
    "ask",
    "chat",
    "check",
    "conflicts",
    "eval",
    "figures",
    "mcp",
    "new",
    "search",
    "summarize",
    "timeline",
    "topics",
    "watch",
    "work",
)


def blocks(language: str, page: str = README) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S)
    return [body for kind, body in found if kind == language]


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the seeds in it, and no library yet."""
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "library"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def test_the_first_command_prints_the_answer_that_is_shown() -> None:
    command = shlex.split(blocks("sh")[0].split("uv run ")[1])
    assert command[0] == "rag"
    found = CliRunner().invoke(app, command[1:])
    assert (found.exit_code, found.stdout.strip()) == (0, blocks("")[0].strip())


def test_the_second_command_is_the_tests() -> None:
    assert blocks("sh")[1] == "pip install -q uv && uv run pytest\n"


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("python")
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    assert printed.startswith("added 1, updated 0, unchanged 0, duplicates 0, failed 0\n")
    assert "around 1,000 Afghan soldiers crossed the border" in printed
    assert printed.endswith("contradicted\n")


def test_readme_is_short() -> None:
    assert len(README.splitlines()) < 200


def test_the_json_shown_has_the_keys_of_an_answer() -> None:
    shown = json.loads(blocks("json", JSON)[0])
    assert set(shown) == set(Answer("", "", status=Status.ABSTAINED).to_dict())


def test_every_command_and_flag_that_is_named_is_there() -> None:
    pages = "\n".join((README, CLI, MODELS.split("## A larger reader")[0]))
    listed = CliRunner().invoke(app, ["--help"]).stdout.split("Commands:")[1].split("Examples:")[0]
    known = {line.split()[0] for line in listed.splitlines() if line.strip()}
    assert set(re.findall(r"(?:`|^ +)rag ([a-z]+)", pages, re.M)) <= known
    assert known <= set(re.findall(r"^\| `rag (\w+)", CLI, re.M))
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", pages)) - {"--help", "--excludes"}
    helps = [CliRunner().invoke(app, [*name.split(), "--help"]).stdout for name in ("", *COMMANDS)]
    assert not {flag for flag in flags if not any(flag in text for text in helps)}


def test_the_conversation_shown_is_the_one_that_the_program_has() -> None:
    questions = (ROOT / "docs/chat.txt").read_text(encoding="utf-8")
    found = CliRunner().invoke(app, ["chat", "-a", "seeds", "-q"], input=questions)
    shown = re.sub(r"^> .*$", "", blocks("text", CLI)[0], flags=re.M)
    assert shown.split() == found.stdout.split()
    assert re.findall(r"^> (.*)$", blocks("text", CLI)[0], flags=re.M) == questions.splitlines()


def test_the_picture_is_of_that_conversation() -> None:
    shown = "".join(ElementTree.fromstring((ROOT / "docs/chat.svg").read_text(encoding="utf-8")).itertext())
    text = re.sub(r"\s", "", blocks("text", CLI)[0])
    assert text in re.sub(r"\s", "", shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "command"),
    [
        ("briefing.md", "summarize --length long --format markdown"),
        ("timeline.html", "timeline --max-events 12 --format html"),
    ],
)
def test_the_pages_of_the_corpus_are_what_the_program_writes(page: str, command: str) -> None:
    articles = str(ROOT / "evals/corpora/afghanistan-2021")
    found = CliRunner().invoke(app, [*command.split(), "--add", articles])
    assert f"`rag {command}`" in " ".join((ROOT / "docs/answers.md").read_text(encoding="utf-8").split())
    assert found.stdout == (ROOT / "docs" / page).read_text(encoding="utf-8")
