"""Runs, reports, gates and baselines, as a user, a script and a test of one's own see them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer, Reply, Request, failing, refused_key
from typer.testing import CliRunner, Result

import rag
from rag.cli.app import app
from rag.errors import InputError, KeyRefusedError
from rag.evaluation.formats import load_set
from rag.evaluation.gates import Gates, Measured, failures, load_gates, pinned, save_gates
from rag.evaluation.rates import Rate
from rag.evaluation.run import Plan, run
from rag.library import Library
from rag.models.budget import Terms

ROOT = Path(__file__).parents[2]
TEXT = (
    "Around 1,000 Afghan soldiers fled to Tajikistan on Monday. President Emomali Rahmon ordered 20,000 reservists to "
    "the border. Russia closed its consulate in Mazar-i-Sharif."
)
FLED, ORDERED, _ = (f"{part.removesuffix('.')}." for part in TEXT.split(". "))


def qa(id: str, question: str, strings: list[str], quote: str, **fields: Any) -> dict[str, Any]:
    claims = [{"text": quote, "any_of": [strings]}] if strings else []
    evidence = [{"article": "news", "quote": quote}]
    given = {"id": id, "type": "number", "question": question, "answerable": bool(strings)}
    return given | {"claims": claims, "evidence": evidence} | fields


RIGHT = qa("fled", "How many Afghan soldiers fled to Tajikistan?", ["1,000"], FLED)
WRONG = qa("ordered", "How many reservists did Rahmon order to the border?", ["30,000"], ORDERED)
NONE = qa("cup", "Who won the football world cup in 1998?", [], FLED, type="off-topic")


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("news")
    record = {"id": "news", "title": "Soldiers flee", "published": "2021-07-07", "source": "Pamir Wire", "text": TEXT}
    write(place / "articles.jsonl", record)
    return place


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Library:
    opened = Library(tmp_path_factory.mktemp("seeded") / "library", offline=True)
    opened.add(folder)
    return opened


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))


def evaluated(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, ["eval", *map(str, arguments)], env=env)


# In Python


def test_a_report_has_rates_types_and_cases(library: Library, tmp_path: Path) -> None:
    report = rag.evaluate(write(tmp_path / "mine.jsonl", RIGHT, WRONG, NONE), library)
    (found,) = report.sets
    assert [(s.case.id, s.right) for s in found.cases] == [("fled", True), ("ordered", False), ("cup", True)]
    assert (found.rates["right_cases"].hits, found.rates["right_cases"].n) == (2, 3)
    assert (found.rates["abstention_recall"].value, found.rates["valid_citations"].value) == (1.0, 1.0)
    assert found.types["number"]["right_cases"].value == 0.5
    assert found.rates["unscored"].value == 0.0
    assert (found.identity.model, found.identity.judge, len(found.identity.corpus)) == (None, None, 64)
    assert 0 < found.p50 <= found.p95


def test_cases_may_be_given_one_by_one(library: Library, tmp_path: Path) -> None:
    cases = load_set(write(tmp_path / "mine.jsonl", RIGHT, NONE)).cases
    assert [len(found.cases) for found in rag.evaluate(cases, library).sets] == [2]
    assert rag.evaluate(cases[0], library).sets[0].name == "cases"


def test_a_test_of_ones_own_asserts_gates(library: Library, tmp_path: Path) -> None:
    report = rag.evaluate(str(write(tmp_path / "mine.jsonl", RIGHT, WRONG)), library)
    gates = tmp_path / "gates.toml"
    gates.write_text("[mine.gates]\nright_cases = 0.5\nwrong_answers = 0.5\n")
    report.assert_gates(gates)
    gates.write_text("[mine.gates]\nright_cases = 0.6\nwrong_answers = 0.4\nleaks = 0.0\n")
    with pytest.raises(AssertionError) as caught:
        report.assert_gates(str(gates))
    first, second, third = str(caught.value).splitlines()
    assert first == "mine: right_cases is 0.50 (1/2) [0.00, 1.00], the gate is 0.6"
    assert second.startswith("mine: wrong_answers is 0.50 (1/2)")
    assert third == "mine: leaks was not measured, the gate is 0.0"


def test_evidence_that_does_not_stand_in_the_articles_stops_the_run(library: Library, tmp_path: Path) -> None:
    stale = qa("stale", "How many fled?", ["1,000"], "Around 900 soldiers fled.")
    lost = qa("lost", "How many fled?", ["1,000"], FLED) | {"evidence": [{"article": "gone", "quote": "x"}]}
    with pytest.raises(InputError, match=r"case stale: 'Around 900 soldiers fled.' is not in .*; 1 more; add"):
        rag.evaluate(write(tmp_path / "mine.jsonl", stale, lost), library)


def test_a_conversation_is_asked_turn_by_turn(library: Library, tmp_path: Path) -> None:
    case = qa("turn", "And how many reservists?", ["20,000"], ORDERED, turns=["What did President Rahmon order?"])
    (found,) = rag.evaluate(write(tmp_path / "mine.jsonl", case), library).sets
    assert found.cases[0].right


def test_all_tasks_go_through_one_run(library: Library, tmp_path: Path) -> None:
    claims = [{"text": FLED, "any_of": [["1,000"]]}]
    records = [
        RIGHT,
        {"id": "s", "task": "summary", "articles": ["news"], "words": 40, "claims": claims, "reference": FLED},
        {"id": "t", "task": "timeline", "topic": None, "max_events": 3, "events": {"2021-07-05": FLED}},
        {
            "id": "c",
            "task": "check",
            "text": "Around 1,200 Afghan soldiers fled to Tajikistan.",
            "verdict": "contradicted",
        }
        | {"type": "number", "evidence": [{"article": "news", "quote": FLED}]},
        {"id": "w", "task": "check", "text": "Around 1,000 Afghan soldiers fled.", "supported": True, "against": TEXT},
        {"id": "q", "task": "search", "question": "consulate", "evidence": [{"article": "news", "quote": "Russia"}]},
    ]
    (found,) = rag.evaluate(write(tmp_path / "mine.jsonl", *records), library).sets
    wanted = {"claim_recall": 1, "facts_caught": 1, "true_rejected": 0, "mrr": 1}
    assert {name: found.rates[name].value for name in wanted} == wanted
    assert [case.right for case in found.cases] == [
        True,
        True,
        False,
        True,
        True,
        True,
    ]  # two days, of which gold has one


def test_a_run_that_was_stopped_goes_on_where_it_was(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, plan = load_set(write(tmp_path / "mine.jsonl", RIGHT, NONE)), Plan(out=tmp_path / "out")
    first = run(cases, library, plan)
    kept = tmp_path / "out" / "mine.results.jsonl"
    lines = kept.read_text(encoding="utf-8").splitlines()
    kept.write_text(f"{lines[0]}\n{lines[1][:50]}", encoding="utf-8")  # as a kill leaves it
    asked: list[str] = []
    ask = Library.ask
    monkeypatch.setattr(
        Library, "ask", lambda self, question, **more: asked.append(question) or ask(self, question, **more)
    )
    again = run(cases, library, plan)
    assert asked == [NONE["question"]]
    assert again.results[0] == first.results[0]
    assert again.results[1].status == first.results[1].status
    assert len(kept.read_text(encoding="utf-8").splitlines()) == 2
    run(load_set(write(tmp_path / "mine.jsonl", RIGHT | {"claims": []}, NONE)), library, plan)
    run(cases, library, replace(plan, k=3))
    assert len(asked) == 4  # a changed case, then both under another plan


def test_cases_that_are_asked_at_once_are_reported_in_their_order(library: Library, tmp_path: Path) -> None:
    done = run(load_set(write(tmp_path / "mine.jsonl", RIGHT, WRONG)), library, Plan(workers=2))
    assert [result.case for result in done.results] == ["fled", "ordered"]


# Gates


def measured(value: float, n: int = 10, **more: str) -> Measured:
    rates = {"right_cases": Rate(value * n, n, n, value, 0, 1), "wrong_answers": Rate(1, n, n, 1 / n, 0, 1)}
    return Measured(**{"set": "s", "corpus": "c"} | more, rates=rates)


def test_pins_raise_floors_to_one_case_below_what_was_measured() -> None:
    first = pinned(Gates(cases="sets/a.jsonl"), measured(0.9), lower=False)
    assert first == Gates("sets/a.jsonl", (), "s", "c", {"right_cases": 0.8, "wrong_answers": 0.2})
    worse = pinned(first, measured(0.5), lower=False)
    assert (worse.gates or {})["right_cases"] == 0.8
    assert (pinned(first, measured(0.5), lower=True).gates or {})["right_cases"] == 0.4
    assert (pinned(first, measured(1.0), lower=False).gates or {})["right_cases"] == 0.9


def test_a_changed_set_or_corpus_must_be_pinned_again() -> None:
    gates = {"a": pinned(Gates(), measured(0.9), lower=False)}
    assert failures("a", gates, measured(0.9)) == []
    assert [f.split(";")[0] for f in failures("a", gates, measured(0.9, set="t", corpus="d"))] == [
        "a: the set is not the one that was pinned",
        "a: the corpus is not the one that was pinned",
    ]


def test_unscored_cases_miss_the_gate_even_if_no_gate_says_so() -> None:
    found = measured(1.0)
    rates = {**found.rates, "unscored": Rate(1, 10, 10, 0.1, 0, 1)}
    assert failures("a", {"a": Gates()}, replace(found, rates=rates)) == [
        "a: unscored is 0.10 (1/10) [0.00, 1.00], the gate is 0.0"
    ]


def test_gates_are_read_as_they_are_written(tmp_path: Path) -> None:
    gates = {"a": Gates("sets/a.jsonl", ("corpora/x",), "s", "c", {"right_cases": 0.9}), "b": Gates("b.yaml")}
    save_gates(tmp_path / "gates.toml", gates)
    assert load_gates(tmp_path / "gates.toml") == gates | {"b": replace(gates["b"], gates={})}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a.gates]\nfull_answer = 1.0\n", "'full_answer', no metric"),
        ("[a]\ncolour = 'red'\n", "a.colour: Unexpected keyword"),
        ("[a", "cannot be read as gates"),
    ],
)
def test_bad_gates_are_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "gates.toml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_gates(tmp_path / "gates.toml")
    assert "\n" not in str(caught.value)


# On the command line


def test_the_command_prints_a_table_and_what_a_set_scores(folder: Path, tmp_path: Path) -> None:
    found = evaluated(write(tmp_path / "mine.jsonl", RIGHT, WRONG, NONE), "-a", folder, "-q")
    heads, row = found.stdout.splitlines()[:2]
    assert heads.startswith("set   cases  chief metric  value")
    assert row.startswith("mine  3      right_cases   0.67 (2/3)")
    assert re.search(r"^  evidence_recall +1\.00 \(2/2\)", found.stdout, re.M)
    assert found.stdout.endswith("  not right: ordered\n")
    assert (found.exit_code, found.stderr) == (0, "")


def test_pin_then_gate_then_regress(folder: Path, tmp_path: Path) -> None:
    cases, gates = write(tmp_path / "mine.jsonl", *[RIGHT | {"id": str(n)} for n in range(3)]), tmp_path / "gates.toml"
    assert evaluated(cases, "-a", folder, "--gates", gates, "--pin").exit_code == 0
    assert load_gates(gates)["mine"].cases == "mine.jsonl"
    again = evaluated("--gates", gates)  # the file tells which set, and on which articles
    assert (again.exit_code, "mine" in again.stdout) == (0, True)
    write(cases, RIGHT, WRONG | {"id": "w"}, WRONG)
    worse = evaluated("--gates", gates, "--pin")
    assert worse.exit_code == 10
    assert "gate: mine: right_cases is 0.33 (1/3)" in worse.stderr
    assert evaluated("--gates", gates, "--pin", "--allow-regression").exit_code == 0
    assert evaluated("--gates", gates).exit_code == 0


def test_a_baseline_tells_what_was_fixed_and_broken(folder: Path, tmp_path: Path) -> None:
    other = RIGHT | {"id": "other"}
    cases = write(tmp_path / "mine.jsonl", RIGHT, WRONG, other)
    assert evaluated(cases, "-a", folder, "--out", tmp_path / "out").exit_code == 0
    mended = qa("ordered", str(WRONG["question"]), ["20,000"], ORDERED)
    broken = qa("fled", str(RIGHT["question"]), ["2,000"], FLED)
    write(cases, broken, mended, NONE)
    found = evaluated(cases, "-a", folder, "--baseline", tmp_path / "out" / "report.json")
    lines = found.stdout.splitlines()
    assert "mine: 1 fixed, 1 broken, 0 same" in lines
    assert {"  fixed: ordered", "  broken: fled", "  1 new cases, 1 gone"} <= set(lines)


def test_a_pin_keeps_a_baseline_and_leaves_other_sets_in_it(folder: Path, tmp_path: Path) -> None:
    base, gates = tmp_path / "baselines" / "mine.json", tmp_path / "gates.toml"
    for name in ("one", "two"):
        cases = write(tmp_path / f"{name}.jsonl", RIGHT | {"id": name})
        assert evaluated(cases, "-a", folder, "--gates", gates, "--pin", "--baseline", base).exit_code == 0
    assert list(json.loads(base.read_text(encoding="utf-8"))["sets"]) == ["one", "two"]
    assert '{"id": "one", "right": true}' in base.read_text(encoding="utf-8")
    assert "two: 0 fixed, 0 broken, 1 same" in evaluated("--gates", gates, "--baseline", base).stdout


def test_out_keeps_results_and_reports(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert evaluated(write(tmp_path / "mine.jsonl", RIGHT, NONE), "-a", folder, "--out", out).exit_code == 0
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    case = report["sets"]["mine"]["cases"][0]
    assert (report["schema"], case["id"], case["right"], case["result"]["status"]) == (1, "fled", True, "answered")
    assert case["result"]["gold"] == [{"article": "news", "start": 0, "end": len(FLED)}]
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")


def test_the_command_prints_json_and_the_schema(folder: Path, tmp_path: Path) -> None:
    found = json.loads(evaluated(write(tmp_path / "mine.jsonl", RIGHT), "-a", folder, "--json", "-q").stdout)
    assert (found["schema"], found["missed"]) == (1, [])
    assert found["sets"]["mine"]["rates"]["full_answers"]["value"] == 1.0
    assert "QaCase" in evaluated("--schema").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "there is no set to measure; name a file of cases"),
        (["none.jsonl"], "none.jsonl cannot be read as a set of cases"),
        (["mine.jsonl", "--pin"], "--pin has no file to write to"),
        (["mine.jsonl", "--baseline", "mine.jsonl"], "mine.jsonl is no baseline"),
        (["mine.jsonl", "mine.jsonl"], "2 sets are called 'mine'"),
        (["mine.jsonl", "--judge", "openai:m", "--offline"], "needs the network"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine.jsonl", RIGHT)
    found = evaluated(*arguments)
    assert found.exit_code == 2
    assert message in found.stderr
    assert found.stderr.count("\n") == 1


# With a model


def says(quote: str) -> Any:
    """A model that says a quote, and cites it."""

    def reply(request: Request) -> str:
        lines = request.messages[-1]["content"].splitlines()
        place = next(i for i, line in enumerate(lines) if quote in line)
        number = int(lines[place - 1].split("]")[0].removeprefix("["))
        statement = {"text": quote, "quotes": [{"passage": number, "quote": quote}]}
        return json.dumps({"answered": "yes", "statements": [statement], "missing": ""})

    return reply


def test_a_model_is_measured_and_a_judge_reads_it(folder: Path, tmp_path: Path) -> None:
    grade = json.dumps({"grades": [{"number": 1, "words": "Around 1,000", "made": True}]})

    def by(request: Request) -> str:
        return grade if request.json["model"] == "judge" else says(FLED)(request)

    with OpenAIServer(by=by) as server:
        env = {"OPENAI_BASE_URL": server.url, "RAG_MODEL": "writer"}
        cases = write(tmp_path / "mine.jsonl", RIGHT)
        found = json.loads(evaluated(cases, "-a", folder, "--judge", "judge", "--json", "-q", env=env).stdout)
        models = [request.json["model"] for request in server.requests]
    scored = found["sets"]["mine"]
    assert (scored["identity"]["model"], scored["identity"]["judge"]) == ("openai:writer", "openai:judge")
    assert (scored["rates"]["judged_full"]["value"], scored["rates"]["full_answers"]["value"]) == (1.0, 1.0)
    assert scored["cases"][0]["result"]["mode"] == "llm"
    assert models == ["writer", "judge"]
    assert scored["usage"]["input_tokens"] > 0


def test_a_fault_of_the_model_is_unscored_and_misses_the_gate(folder: Path, tmp_path: Path) -> None:
    gates = tmp_path / "gates.toml"
    gates.write_text("[mine.gates]\nright_cases = 1.0\n")
    replies = iter([says(FLED), *[lambda _: failing(500)] * 20])

    def by(request: Request) -> Reply | str:
        return next(replies)(request)

    with OpenAIServer(by=by) as server:
        env = {"OPENAI_BASE_URL": server.url, "RAG_MODEL": "writer"}
        cases = write(
            tmp_path / "mine.jsonl", RIGHT, RIGHT | {"id": "more", "question": "How many soldiers fled away?"}
        )
        found = evaluated(cases, "-a", folder, "--gates", gates, "--json", "-q", env=env)
    rates = json.loads(found.stdout)["sets"]["mine"]["rates"]
    assert (rates["unscored"]["hits"], rates["full_answers"]["n"], rates["full_answers"]["value"]) == (1, 1, 1.0)
    assert found.exit_code == 10
    assert "gate: mine: unscored is 0.50 (1/2)" in found.stderr


def test_a_refused_key_stops_the_run(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(by=lambda _: refused_key()) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(library.path, model="writer", terms=Terms(strict=True)) as opened, pytest.raises(KeyRefusedError):
            rag.evaluate(write(tmp_path / "mine.jsonl", RIGHT), opened)


def test_a_model_does_not_judge_itself(folder: Path, tmp_path: Path) -> None:
    with OpenAIServer() as server:
        env = {"OPENAI_BASE_URL": server.url, "RAG_MODEL": "writer"}
        found = evaluated(write(tmp_path / "mine.jsonl", RIGHT), "-a", folder, "--judge", "writer", "-q", env=env)
    assert found.exit_code == 2
    assert "openai:writer would judge its own answers" in found.stderr


def test_an_answer_in_place_of_the_models_is_refused(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(library.path, model="writer") as opened, pytest.raises(InputError, match="strict=True"):
            rag.evaluate(write(tmp_path / "mine.jsonl", RIGHT), opened)


@pytest.mark.parametrize(
    "grades",
    [
        '{"grades": []}',
        '{"grades": [{"number": 1, "words": "x", "made": "yes"}]}',
        '{"grades": [{"number": 1, "made": true}, {"number": 1, "made": false}]}',
        '{"grades": [{"number": 2, "words": "x", "made": true}]}',
    ],
)
def test_a_judge_that_grades_wrongly_is_asked_once_more_then_the_case_is_unscored(
    folder: Path, tmp_path: Path, grades: str
) -> None:
    def by(request: Request) -> str:
        return grades if request.json["model"] == "judge" else says(FLED)(request)

    with OpenAIServer(by=by) as server:
        env = {"OPENAI_BASE_URL": server.url, "RAG_MODEL": "writer"}
        cases = write(tmp_path / "mine.jsonl", RIGHT)
        found = json.loads(evaluated(cases, "-a", folder, "--judge", "judge", "--json", "-q", env=env).stdout)
        asked = [request.json["model"] for request in server.requests].count("judge")
    assert asked == 2
    assert found["sets"]["mine"]["rates"]["unscored"]["value"] == 1.0
    assert "judge: ShapeError" in found["sets"]["mine"]["cases"][0]["result"]["error"]
