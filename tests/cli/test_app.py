"""The command line as its users and their scripts see it: output, exit codes, JSON."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import command
from fake_embeddings import FakeEmbeddings
from typer.testing import CliRunner, Result

from rag.cli.app import app
from rag.library import Library

ROOT = Path(__file__).parents[2]
SEEDS = str(ROOT / "seeds")
WHO = "Who is the chief negotiator on behalf of the Taliban?"
NEGOTIATOR = "Sher Mohammad Abbas Stanikzai"
OFF_TOPIC = "Which team won the 1998 football World Cup final?"


def run(*arguments: str, stdin: str | None = None, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, env=env)


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded") / "library"
    assert run("add", SEEDS, "--library", str(folder)).exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The library of a test: the seeds' if it asks for `seeded`, else an empty one."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    given = request.getfixturevalue("seeded") if "seeded" in request.fixturenames else tmp_path / "library"
    monkeypatch.setenv("RAG_HOME", str(given))
    return Path(given)


# add


def test_what_is_left_out_of_a_folder_is_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("The ferry ran aground on Monday.")
    (tmp_path / "in" / "deck.pptx").write_text("x")
    result = run("add", str(tmp_path / "in"))
    assert result.stdout == "added 1, updated 0, unchanged 0, duplicates 0, failed 0, left out 1\n"
    assert result.stderr.splitlines()[1:] == ["rag: left out 1, which are of no format that is read: deck.pptx"]


def test_an_outlet_that_no_article_is_from_is_said_with_those_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("source: Brenholm Echo\n\nThe ferry ran aground on Monday.")
    result = run("search", "-a", str(tmp_path / "a.txt"), "--source", "BBC", "ferry")
    assert "no article is from 'BBC'; the outlets are: Brenholm Echo" in result.stderr


def test_a_draft_in_another_encoding_is_read_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The ferry ran aground on Monday.")
    (tmp_path / "draft.txt").write_bytes("The ferry “Aurora” ran aground on Monday.".encode("cp1252"))
    result = run("check", str(tmp_path / "draft.txt"), "--against", str(tmp_path / "a.txt"))
    assert "“Aurora”" in result.stdout
    assert "draft.txt is not UTF-8, read as windows-1252" in result.stderr


def test_add_tells_what_it_did_and_twice_changes_nothing() -> None:
    first, second = run("add", SEEDS), run("add", SEEDS)
    assert first.stdout == "added 1, updated 0, unchanged 0, duplicates 0, failed 0\n"
    assert second.stdout == "added 0, updated 0, unchanged 1, duplicates 0, failed 0\n"
    assert (first.exit_code, second.exit_code, second.stderr) == (0, 0, "")


def test_a_new_library_is_named_once(tmp_path: Path, home: Path) -> None:
    (tmp_path / "a.txt").write_text("One short article about a bridge.")
    told = f"rag: a new library: {home}; --library or RAG_HOME names another one\n"
    assert run("add", "/nowhere").stderr.count("a new library") == 0
    assert run("add", SEEDS).stderr == told
    assert run("add", str(tmp_path / "a.txt")).stderr == ""
    elsewhere = ("--library", str(tmp_path / "other"))
    assert f"a new library: {tmp_path}/other;" in run("articles", "-a", SEEDS, *elsewhere).stderr
    assert run("add", SEEDS, "-q", "--library", str(tmp_path / "third")).stderr == ""


def test_what_cannot_be_added_is_a_line_and_stops_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    found = run("add", str(tmp_path / "bad.json"), SEEDS)
    assert (found.exit_code, run("add", str(tmp_path / "bad.json")).exit_code) == (11, 1)
    assert found.stdout.startswith("added 1,")
    assert found.stdout.endswith("failed 1\n")
    assert f"rag: {tmp_path}/bad.json: " in found.stderr
    assert found.stderr.count("\n") == 2


def test_add_fails_if_all_failed() -> None:
    assert run("add", "/nowhere").exit_code == 1


def test_add_gives_its_report_as_json() -> None:
    found = json.loads(run("add", SEEDS, "/nowhere", "--json").stdout)
    assert list(found) == ["added", "updated", "unchanged", "duplicates", "failed", "warnings", "left_out"]
    assert found["added"] == 1
    assert found["failed"][0]["origin"] == "/nowhere"


def test_offline_refuses_urls() -> None:
    found = run("add", "--offline", "https://example.org/feed")
    assert found.exit_code == 2
    assert "https://example.org/feed needs the network, which --offline refuses" in found.stderr
    assert "RAG_OFFLINE refuses" in run("add", "https://example.org/", env={"RAG_OFFLINE": "1"}).stderr


def test_an_address_of_this_machine_is_admitted_only_if_asked() -> None:
    assert "allow" in run("add", "http://127.0.0.1:9/").stderr
    assert "allow" not in run("add", "--allow-private", "http://127.0.0.1:9/").stderr


# articles, remove, reindex


def test_articles_are_lines_with_tabs_in_a_pipe(seeded: Path) -> None:
    (line,) = run("articles").stdout.splitlines()
    id, day, source, title, characters = line.split("\t")
    assert (day, source) == ("2021-07-07", "")
    assert title.startswith("Iran said an Afghan government delegation")
    assert int(characters) > 2000
    assert json.loads(run("articles", "--json").stdout) == [
        {
            "id": id,
            "title": title,
            "source": None,
            "published": day,
            "url": None,
            "author": None,
            "revision": 1,
            "characters": int(characters),
        }
    ]


@pytest.mark.parametrize(
    "command",
    [("ask", WHO), ("search", WHO), ("summarize",), ("timeline", "x"), ("articles", "--json"), ("conflicts",),
     ("remove", "x"), ("reindex",), ("chat",)],
)  # fmt: skip
def test_where_no_library_is_none_is_made_to_read_it(command: tuple[str, ...], tmp_path: Path) -> None:
    found = run(*command, "--library", str(tmp_path / "typo"))
    assert (found.exit_code, found.stdout) == (3, "")
    assert f"no library in {tmp_path}/typo; name another one, or make it with `rag add PATH`" in found.stderr
    assert not (tmp_path / "typo").exists()


def test_articles_of_an_empty_library_say_how_to_add() -> None:
    run("add", SEEDS)
    run("remove", run("articles").stdout.split("\t")[0])
    found = run("articles", "--json")
    assert (found.exit_code, found.stdout) == (0, "[]\n")
    assert "add some with `rag add PATH`" in found.stderr


def test_what_cannot_be_added_first_shows_in_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    none = run("ask", "-a", str(tmp_path / "bad.json"), WHO)
    assert (none.exit_code, none.stdout) == (1, "")
    assert "nothing that --add names could be added" in none.stderr
    some = run("ask", "-a", str(tmp_path / "bad.json"), "-a", SEEDS, WHO)
    assert some.exit_code == 11
    assert "[1]" in some.stdout
    assert run("ask", "-a", SEEDS, WHO).exit_code == 0


def test_add_first_works_with_every_reading_command(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One short article about a bridge.")
    found = run("articles", "-a", str(tmp_path / "a.txt"), "--add", "/nowhere")
    assert (found.exit_code, found.stdout.count("\n")) == (11, 1)
    assert found.stderr.splitlines()[1].startswith("rag: /nowhere: ")
    assert found.stderr.splitlines()[2] == "rag: added 1, updated 0, unchanged 0, duplicates 0, failed 1"
    assert run("articles", "-a", str(tmp_path / "a.txt")).stderr == ""
    assert "unchanged 1" in run("articles", "-a", str(tmp_path / "a.txt"), "-v").stderr


def test_remove_prints_what_it_removed() -> None:
    run("add", SEEDS)
    id = run("articles").stdout.split("\t")[0]
    found = run("remove", id)
    assert found.stdout.startswith(f"removed {id}  Iran said an Afghan government delegation")
    assert run("articles").stdout == ""


def test_removing_an_unknown_id_is_refused() -> None:
    run("add", SEEDS)
    found = run("remove", "nothing")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "no article has the id 'nothing'" in found.stderr


def test_reindex_counts_passages() -> None:
    run("add", SEEDS)
    assert run("reindex").stdout == "indexed 2 passages\n"
    assert json.loads(run("reindex", "--json").stdout) == {"passages": 2}


# ask and search


def test_ask_answers_with_marks_and_sources(seeded: Path) -> None:
    found = run("ask", WHO)
    assert found.exit_code == 0
    first, rest = found.stdout.split("\n", 1)
    assert NEGOTIATOR in first
    assert first.endswith("[1]")
    assert rest.endswith("] Iran said an Afghan government delegation met with the Taliban, 2021-07-07\n")


def test_the_words_of_a_question_need_no_quotes_and_stdin_is_a_dash(seeded: Path) -> None:
    by_words = run("ask", *WHO.split(), "--json")
    by_stdin = run("ask", "-", "--json", stdin=f"{WHO}\n")
    assert json.loads(by_words.stdout)["question"] == json.loads(by_stdin.stdout)["question"] == WHO


def test_the_json_of_an_answer_keeps_its_contract(seeded: Path) -> None:
    found = json.loads(run("ask", WHO, "--json").stdout)
    assert list(found) == [
        *("schema", "question", "standalone_question", "status", "reason", "text", "statements", "conflicts"),
        *("nearest", "citations", "as_of", "mode", "model", "usage", "timings", "warnings"),
    ]
    assert (found["schema"], found["status"], found["reason"], found["mode"]) == (1, "answered", None, "offline")
    statement, citation = found["statements"][0], found["citations"][0]
    assert list(statement) == ["text", "citations", "verdict", "speaker", "checks"]
    assert (statement["citations"], statement["verdict"]) == ([1], "supported")
    assert list(citation) == [
        *("number", "article_id", "title", "source", "published", "url", "start", "end", "quote", "answer"),
    ]
    assert citation["end"] - citation["start"] == len(citation["quote"])
    assert found["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost": 0.0, "estimated": False}


def test_the_json_of_a_search_keeps_its_contract(seeded: Path) -> None:
    found = json.loads(run("search", WHO, "--json", "-k", "1").stdout)
    assert list(found) == ["schema", "question", "hits", "timings", "warnings"]
    (hit,) = found["hits"]
    assert list(hit) == ["rank", "score", "passage", "article"]
    assert list(hit["passage"]) == ["id", "article_id", "start", "end", "text"]
    assert list(hit["article"]) == ["id", "title", "source", "published", "url"]
    assert hit["rank"] == 1


def test_search_shows_the_passages(seeded: Path) -> None:
    found = run("search", WHO)
    assert found.stdout.startswith("1. ")
    assert "chief negotiator" in " ".join(found.stdout.split())


def test_an_abstention_says_so_and_fails_only_if_strict(seeded: Path) -> None:
    found = run("ask", OFF_TOPIC)
    assert (found.exit_code, found.stdout.splitlines()[0]) == (0, "The articles do not answer this question.")
    assert run("ask", OFF_TOPIC, "--strict").exit_code == 8
    assert run("ask", WHO, "--strict").exit_code == 0


def test_dates_and_sources_limit_what_is_read(seeded: Path) -> None:
    assert json.loads(run("ask", WHO, "--since", "2021-07", "--json").stdout)["status"] == "answered"
    late = json.loads(run("ask", WHO, "--since", "2021-08", "--json").stdout)
    assert (late["status"], late["reason"]) == ("abstained", "outside_dates")
    assert json.loads(run("search", WHO, "--as-of", "2021-07-06", "--json").stdout)["hits"] == []
    assert json.loads(run("search", WHO, "--source", "Nobody", "--json").stdout)["hits"] == []


@pytest.mark.parametrize("command", ["ask", "search"])
def test_an_empty_library_exits_with_3_and_says_how_to_add(command: str) -> None:
    found = run(command, WHO)
    assert (found.exit_code, found.stdout) == (3, "")
    assert "rag add" in found.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", " "),
        ("ask", "-"),
        ("ask", WHO, "--batch", "x.jsonl"),
        ("ask", "--batch", "/nowhere.jsonl", "-a", SEEDS),
        ("ask", WHO, "--since", "soon"),
        ("ask", WHO, "-k", "0"),
        ("ask", WHO, "--nonsense"),
        ("search",),
        ("add",),
        ("remove",),
        ("nonsense",),
    ],
)
def test_a_usage_error_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments, stdin="").exit_code == 2


# batches


def test_a_batch_answers_line_by_line_and_goes_on_after_a_bad_one(seeded: Path, tmp_path: Path) -> None:
    records: list[Any] = [
        {"id": "a", "question": WHO, "history": None, "as_of": None, "claims": [{"vital": True}]},
        {"id": 2, "question": OFF_TOPIC, "history": [{"question": "Q?", "answer": "A."}]},
        {"id": "bad", "question": WHO, "until": "soon"},
        {"id": "late", "question": WHO, "since": "2021-08-01", "sources": []},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(map(json.dumps, records)) + "\n{\n")
    found = run("ask", "--batch", str(file), "--json")
    answers = lines(found.stdout)
    assert found.exit_code == 1
    assert [answer["id"] for answer in answers] == ["a", 2, "bad", "late", None]
    assert [answer.get("status") for answer in answers] == ["answered", "abstained", None, "abstained", None]
    assert answers[2] == {
        "id": "bad",
        "error": "line 3: until is 'soon'; wanted a date such as 2021-07-07, 2021-07 or 2021",
    }
    assert [line.split(": ")[1] for line in found.stderr.splitlines()] == ["line 3", "line 5"]


def test_a_batch_comes_from_stdin_too(seeded: Path) -> None:
    question = json.dumps({"id": 1, "question": WHO})
    found = run("search", "--batch", "-", "--json", stdin=question)
    assert (found.exit_code, lines(found.stdout)[0]["id"]) == (0, 1)
    assert lines(found.stdout)[0]["hits"]


def test_a_strict_batch_exits_as_its_worst_answer(seeded: Path) -> None:
    good, bad = json.dumps({"question": WHO}), json.dumps({"question": OFF_TOPIC})
    assert run("ask", "--batch", "-", "--strict", stdin=good).exit_code == 0
    assert run("ask", "--batch", "-", "--strict", stdin=f"{bad}\n{good}").exit_code == 8
    assert run("ask", "--batch", "-", "--strict", stdin=f"{bad}\n{{").exit_code == 1


def test_a_batch_on_an_empty_library_exits_with_3() -> None:
    assert run("ask", "--batch", "-", stdin=json.dumps({"question": WHO})).exit_code == 3


# terminals and pipes


def test_what_drives_a_terminal_is_not_printed(tmp_path: Path) -> None:
    record = {
        "title": "Bridge \x1b]0;owned\x07of [red]Herat[/red]",
        "text": "The bridge of \x1b[31mHerat\u202e fell on Monday.",
    }
    (tmp_path / "a.json").write_text(json.dumps(record))
    printed = ""
    for shown in (("articles",), ("search", "bridge of Herat"), ("ask", "When did the bridge of Herat fall?")):
        found = run(*shown, "-a", str(tmp_path / "a.json"))
        assert found.exit_code == 0
        printed += found.stdout
    assert not set(printed) & set("\x1b\x07\u202e")
    assert "[red]" in printed  # the article's own brackets are text


def test_a_reader_that_leaves_ends_it_quietly(seeded: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    found = subprocess.run([*command(), "articles"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (found.returncode, found.stderr) == (0, b"")


def test_an_interrupt_exits_with_130_and_says_nothing(seeded: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "inputs")
    child = subprocess.Popen([*command(), "ask", "--batch", str(tmp_path / "inputs")], stderr=subprocess.PIPE)
    with (tmp_path / "inputs").open("wb"):  # opens when the other end is: it is running
        child.send_signal(signal.SIGINT)
        assert child.communicate() == (None, b"")
    assert child.returncode == 130


def terminal(*arguments: str, **environment: str) -> str:
    """What a command prints on a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [*command(), *arguments],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "COLUMNS": "100", "TERM": "xterm", **environment},
    )
    os.close(theirs)
    printed = b""
    try:
        while part := os.read(ours, 65536):
            printed += part
    except OSError:  # Linux's way to say that the other end is closed
        pass
    assert child.wait() == 0
    os.close(ours)
    return printed.decode()


@pytest.mark.slow
def test_a_terminal_gets_a_bar(home: Path) -> None:
    bar = terminal("add", SEEDS)
    assert "2/2" in bar
    assert bar.endswith("added 1, updated 0, unchanged 0, duplicates 0, failed 0\r\n")


@pytest.mark.slow
def test_a_terminal_gets_a_table_without_color_if_it_wants_none(seeded: Path) -> None:
    table = terminal("articles", NO_COLOR="1").splitlines()
    assert table[0].split() == ["id", "date", "source", "title", "characters"]
    assert "2021-07-07" in table[1]


@pytest.mark.slow
def test_color_is_for_terminals(seeded: Path) -> None:
    assert "\x1b[2m" in terminal("ask", WHO)
    assert "\x1b" not in run("ask", WHO).stdout


def test_an_error_is_one_line_and_a_traceback_is_for_verbose() -> None:
    plain, verbose = run("remove", "nothing"), run("remove", "nothing", "-v")
    assert plain.stderr.startswith("rag: ")
    assert plain.stderr.count("\n") == 1
    assert "Traceback" in verbose.stderr


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "rag", "--version"]
    assert subprocess.check_output(command, text=True) == "dispatches 0.2.0\n"


def test_help_and_version() -> None:
    assert "doctor" in run("--help").stdout
    assert run("--version").stdout == "dispatches 0.2.0\n"
    assert run().exit_code == 2


# doctor


def test_doctor_tells_what_is_set_up_and_where_from(seeded: Path) -> None:
    found = run("doctor", "--json")
    report = json.loads(found.stdout)
    facts = {fact["name"]: fact for fact in report["facts"]}
    assert (found.exit_code, report["schema"], report["problems"]) == (0, 1, [])
    assert (facts["library"]["value"], facts["library"]["origin"]) == (str(seeded), "RAG_HOME")
    assert (facts["articles"]["value"], facts["passages"]["value"]) == (1, 2)
    assert (facts["vectors indexed"]["value"], facts["vectors waiting"]["value"]) == (2, 0)
    assert facts["embedding model"]["value"] == facts["library embedding"]["value"] == "minilm"
    assert "nothing is wrong" in run("doctor").stdout


def test_doctor_makes_no_library(home: Path) -> None:
    assert run("doctor").exit_code == 0
    assert not home.exists()


def test_doctor_finds_a_damaged_catalog(home: Path) -> None:
    home.mkdir()
    (home / "catalog.sqlite").write_bytes(b"no database" * 100)
    found = run("doctor", "--json")
    assert found.exit_code == 1
    (problem,) = json.loads(found.stdout)["problems"]
    assert "damaged" in problem
    assert "wrong: " in run("doctor").stdout


def test_doctor_says_what_to_do_about_another_embedding_model(home: Path) -> None:
    with Library(home, embeddings=FakeEmbeddings()) as library:
        library.add(SEEDS)
    found = run("doctor", "--json")
    assert found.exit_code == 1
    (problem,) = json.loads(found.stdout)["problems"]
    assert "FakeEmbeddings:fake, the program has minilm; use that one (RAG_EMBEDDINGS), or" in problem
    assert run("reindex").exit_code == run("doctor").exit_code == 0


def test_ctrl_c_while_it_loads_ends_it_quietly() -> None:
    loading = """
import sys, rag.__main__
class Stopped:
    def find_spec(self, name, *_):
        if name == "rag.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Stopped())
rag.__main__.main()
"""
    stopped = subprocess.run([sys.executable, "-c", loading], capture_output=True, text=True, check=False)
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (130, "", "")
