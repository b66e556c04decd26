"""`rag ask` with a language model, as its users and their scripts see it."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import command
from made_replies import (
    INVENTED,
    NAME,
    NOT_GIVEN,
    NOWHERE,
    NUMBER,
    QUESTION,
    RIGHT,
    SOLDIERS,
    right,
    said,
    stated,
    wrong,
)
from openai_server import OpenAIServer, Reply, failing, no_model, rate_limited, refused_key
from typer.testing import CliRunner, Result

import rag
from rag.cli.app import app
from rag.library import Library


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded") / "library"
    with Library(folder, offline=True) as library:
        library.add("seeds")
    return folder


@pytest.fixture(autouse=True)
def home(seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("RAG_HOME", str(seeded))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "RAG_MODEL", "RAG_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield seeded
    shutil.rmtree(seeded / "replies", ignore_errors=True)


def run(server: OpenAIServer, *arguments: str, model: str = "local") -> Result:
    env = {"OPENAI_BASE_URL": server.url, "RAG_MODEL": model}
    return CliRunner().invoke(app, ["ask", QUESTION, "--judge", "none", *arguments], env=env)


def test_all_four_errors_of_a_model_are_marked_in_the_terminal() -> None:
    with OpenAIServer(by=wrong) as server:
        found = run(server)
    lines = found.stdout.splitlines()
    doubts = {line.split(" (")[0].split(" [")[0]: line for line in lines if line.endswith("what it cites)")}
    assert set(doubts) == {NUMBER, NAME, NOT_GIVEN, INVENTED}
    assert "contradicted" in doubts[NUMBER]
    assert "contradicted" in doubts[NAME]
    assert "not supported" in doubts[NOT_GIVEN]
    assert "not supported" in doubts[INVENTED]
    assert f"{RIGHT} [1]" in lines
    assert "    - number: 1,500; the articles have 1,000" in lines
    assert any("[42]" in line and "stands for nothing" in line for line in lines)
    assert "This is a partial answer: what is marked did not pass the check against the articles." in lines
    assert "warning: 2 of 5 statements contradicted by what is cited" in found.stderr
    assert "citations stand for nothing that was given" in found.stderr


def test_all_four_are_marked_in_json_and_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(by=wrong) as server:
        record = json.loads(run(server, "--json").stdout)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with rag.Library(model="local", judge="none") as library:
            answer = library.ask(QUESTION)
    verdicts = ["supported", "contradicted", "contradicted", "unsupported", "unsupported"]
    assert [statement["verdict"] for statement in record["statements"]] == verdicts
    assert [statement.verdict.value for statement in answer.statements] == verdicts
    assert (record["status"], record["reason"], record["mode"]) == ("partial", "unsupported", "llm")
    assert record["model"] == "openai:local"
    assert record["text"].count("(contradicted by what it cites)") == 2
    assert record["text"].count("(not supported by what it cites)") == 2
    failed = [check for check in record["statements"][3]["checks"] if check["kind"] == "citation"]
    assert failed == [{"kind": "citation", "expected": f"[42] “{NOWHERE}”", "found": None, "passed": False}]


def test_strict_exits_with_9_when_a_statement_failed_its_check() -> None:
    with OpenAIServer(by=wrong) as server:
        assert run(server, "--strict").exit_code == 9


def test_an_answer_that_failed_as_a_whole_is_shown_with_its_doubts_and_what_it_cites() -> None:
    with OpenAIServer(by=lambda request: said(stated(request, NUMBER, SOLDIERS))) as server:
        found = run(server)
    assert f"{NUMBER} [1] (contradicted by what it cites)" in found.stdout
    assert "This is a partial answer: what is marked did not pass the check against the articles." in found.stdout
    assert f"“{SOLDIERS}”" in found.stdout


def test_a_model_that_finds_no_answer_abstains() -> None:
    with OpenAIServer(said(answered="no", missing="Their ranks."), said(answered="no")) as server:
        found = run(server)
        strict = run(server, "--strict", "--no-cache")
    assert found.stdout.startswith("The articles do not answer this question.\n")
    assert "warning: the model finds no answer to this in the articles: Their ranks." in found.stderr
    assert (found.exit_code, strict.exit_code) == (0, 8)


@pytest.mark.parametrize(
    ("reply", "code"),
    [(refused_key(), 4), (no_model("local"), 5), (failing(), 5), (rate_limited(retry_after="0"), 6), ("nonsense", 1)],
)
def test_strict_ends_in_one_line_and_the_exit_code_of_the_fault(reply: Reply | str, code: int) -> None:
    with OpenAIServer(by=lambda _: reply) as server:
        found = run(server, "--strict")
    assert (found.exit_code, found.stdout) == (code, "")
    assert found.stderr.startswith("rag: ")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize(("reply", "code"), [(refused_key(), 4), (no_model("local"), 5), (failing(), 0)])
def test_otherwise_only_the_key_and_the_name_of_the_model_do(reply: Reply, code: int) -> None:
    with OpenAIServer(by=lambda _: reply) as server:
        found = run(server)
    assert found.exit_code == code
    assert ("1,000" in found.stdout) is (code == 0)
    assert ("warning: " in found.stderr) is (code == 0)


def test_a_model_and_offline_exclude_each_other_and_a_name_needs_a_key() -> None:
    found = CliRunner().invoke(app, ["ask", QUESTION, "--model", "openai:gpt-5-mini", "--offline"])
    assert (found.exit_code, "--offline refuses" in found.stderr) == (2, True)
    assert CliRunner().invoke(app, ["ask", QUESTION, "--model", "openai:gpt-5-mini"]).exit_code == 4


def test_the_flag_names_the_model() -> None:
    with OpenAIServer(by=right) as server:
        assert json.loads(run(server, "--json", "--model", "other:7b").stdout)["model"] == "openai:other:7b"
    assert server.requests[0].json["model"] == "other:7b"


def test_limits_stop_before_the_call_and_say_the_estimate() -> None:
    with OpenAIServer() as server:
        tokens = run(server, "--max-tokens", "200")
        cost = run(server, "--max-cost", "0.00001", model="gpt-4o-mini")
    assert (tokens.exit_code, cost.exit_code, server.requests) == (2, 2, [])
    assert "tokens in and up to 1,000 out, more than the 200 of --max-tokens" in tokens.stderr
    assert "more than the $0.0000 of --max-cost" in cost.stderr


def test_a_dry_run_prints_the_prompt_and_its_size_and_asks_nobody() -> None:
    with OpenAIServer() as server:
        text, record = run(server, "--dry-run"), json.loads(run(server, "--dry-run", "--json").stdout)
        batch = CliRunner().invoke(app, ["ask", "--batch", "-", "--dry-run"], env={"OPENAI_BASE_URL": server.url})
    assert server.requests == []
    assert f"Question: {QUESTION}" in text.stdout
    assert SOLDIERS in text.stdout
    assert text.stdout.rstrip().endswith("tokens, and up to 1,000 of the reply; price unknown")
    assert record["tokens"] > 500
    assert record["estimated"] is True
    assert batch.exit_code == 2


def test_a_dry_run_without_a_model_says_so() -> None:
    found = CliRunner().invoke(app, ["ask", QUESTION, "--dry-run"])
    assert (found.exit_code, "no language model" in found.stderr) == (2, True)


def test_the_same_question_is_asked_once_unless_that_is_asked_for() -> None:
    with OpenAIServer(by=right) as server:
        first, second = (json.loads(run(server, "--json").stdout) for _ in range(2))
        run(server, "--no-cache")
    assert first["statements"] == second["statements"]
    assert first["usage"]["input_tokens"] > 0
    assert second["usage"]["input_tokens"] == 0
    assert len(server.requests) == 2


def test_no_stream_asks_for_the_reply_as_a_whole() -> None:
    with OpenAIServer(by=right) as server:
        whole, pieces = run(server, "--no-stream"), run(server, "--no-cache")
    assert whole.stdout == pieces.stdout
    assert [request.json.get("stream", False) for request in server.requests] == [False, True]


def test_a_batch_is_answered_by_the_model(tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_text(f'{{"id": 1, "question": "{QUESTION}"}}\n{{"id": 2, "question": ""}}\n')
    with OpenAIServer(by=right) as server:
        env = {"OPENAI_BASE_URL": server.url}
        found = CliRunner().invoke(app, ["ask", "--batch", str(tmp_path / "questions.jsonl"), "--json"], env=env)
    first, second = map(json.loads, found.stdout.splitlines())
    assert (first["id"], first["mode"], second["id"]) == (1, "llm", 2)
    assert "error" in second


def test_a_line_of_a_batch_that_the_model_fails_at_is_told_and_the_others_are_answered(tmp_path: Path) -> None:
    lines = [json.dumps({"id": number, "question": f"{QUESTION}{' ' * number}"}) for number in range(2)]
    (tmp_path / "questions.jsonl").write_text("\n".join(lines))
    command = ["ask", "--batch", str(tmp_path / "questions.jsonl"), "--json", "--strict", "--no-cache"]
    faults = iter([failing()])
    with OpenAIServer(by=lambda request: next(faults, None) or right(request)) as server:
        found = CliRunner().invoke(app, command, env={"OPENAI_BASE_URL": server.url})
    with OpenAIServer(refused_key()) as server:
        refused = CliRunner().invoke(app, command, env={"OPENAI_BASE_URL": server.url})
    first, second = map(json.loads, found.stdout.splitlines())
    assert (first["id"], "failed (500" in first["error"], second["mode"], found.exit_code) == (0, True, "llm", 1)
    assert (refused.stdout, refused.exit_code) == ("", 4)


@pytest.mark.slow
def test_in_a_terminal_statements_appear_one_by_one_and_the_whole_is_the_same(home: Path) -> None:
    with OpenAIServer(by=wrong) as server:
        whole = run(server, "--no-cache").stdout
        env = os.environ | {"OPENAI_BASE_URL": server.url, "RAG_MODEL": "local", "COLUMNS": "400", "NO_COLOR": "1"}
        main, worker = pty.openpty()
        asking = [*command(), "ask", QUESTION, "--no-cache", "--judge", "none"]
        with subprocess.Popen(asking, stdout=worker, stderr=subprocess.DEVNULL, env=env):
            os.close(worker)
            shown = _read(main)
    assert " ".join(shown.split()) == " ".join(whole.split())


def _read(terminal: int) -> str:
    found = b""
    try:
        while piece := os.read(terminal, 4096):
            found += piece
    except OSError:  # the other end was closed
        pass
    os.close(terminal)
    return found.decode()
