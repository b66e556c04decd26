"""The sets of cases: read strictly, and true to the articles that they are about."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fake_embeddings import FakeEmbeddings

from rag.errors import InputError
from rag.evaluation.cases import CASE, CaseSet, CheckCase, QaCase, ReplyCase, SummaryCase, TimelineCase
from rag.evaluation.formats import load_set
from rag.evaluation.observe import check_gold
from rag.library import Library
from rag.schema import Reason, Turn, Verdict

EVALS = Path(__file__).parents[2] / "evals"
CORPORA = tuple(sorted(path.name for path in (EVALS / "corpora").iterdir() if path.is_dir()))
FILES = sorted(EVALS.glob("sets/*.jsonl"))
QA: dict[str, Any] = {"id": "a", "question": "Who?", "answerable": True, "claims": []}
CHECK: dict[str, Any] = {"id": "a", "task": "check", "text": "It rained.", "verdict": "supported"}
REPLY: dict[str, Any] = {"id": "a", "task": "reply", "question": "Who?", "statements": []}
WRITTEN: dict[str, Any] = {"text": "It rained.", "quotes": [{"article": "n", "quote": "Rain fell."}]}


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


def one(tmp_path: Path, record: dict[str, Any]) -> Any:
    (case,) = load_set(write(tmp_path / "set.jsonl", record)).cases
    return case


def test_a_question_is_the_default_task(tmp_path: Path) -> None:
    record = QA | {
        "history": [{"question": "Who came?", "answer": "Zarif."}],
        "as_of": "2021-07-10",
        "since": None,
        "sources": ["Pamir Wire"],
        "reason": "outside_dates",
        "provenance": {"author": "us"},
    }
    case = one(tmp_path, record)
    assert isinstance(case, QaCase)
    assert (case.window.as_of, case.window.since, case.window.sources) == (date(2021, 7, 10), None, ("Pamir Wire",))
    assert (case.given, case.reason) == ((Turn("Who came?", "Zarif."),), Reason.OUTSIDE_DATES)


def test_a_claim_is_made_if_the_text_has_one_string_of_each_group(tmp_path: Path) -> None:
    case = one(tmp_path, QA | {"claims": [{"text": "Ten fled.", "any_of": [["ten", "10"], ["fled", "ran"]]}]})
    assert [case.claims[0].is_in(text) for text in ("TEN men ran", "ten men", "10 fled")] == [True, False, True]


def test_each_task_has_its_own_fields(tmp_path: Path) -> None:
    summary = {"id": "s", "task": "summary", "words": 60, "claims": [{"text": "x", "any_of": [["x"]]}]}
    timeline = {"id": "t", "task": "timeline", "topic": "talks", "events": {"2021-07-07": "They met."}}
    search = QA | {"id": "q", "task": "search", "evidence": [{"article": "n", "quote": "x"}]}
    del search["answerable"], search["claims"]
    check = CHECK | {"evidence": [{"quote": "It rained.", "title": "Rain", "published": "2021-07-07"}]}
    reply = REPLY | {"id": "r", "answered": "partly", "statements": [WRITTEN, WRITTEN | {"planted": True}]}
    found = load_set(write(tmp_path / "set.jsonl", summary, timeline, search, check, reply)).cases
    assert [case.task for case in found] == ["summary", "timeline", "search", "check", "reply"]
    assert isinstance(found[0], SummaryCase)
    assert isinstance(found[1], TimelineCase)
    assert found[1].events == {date(2021, 7, 7): "They met."}
    assert isinstance(found[3], CheckCase)
    assert found[3].is_true
    assert found[3].evidence[0].published == date(2021, 7, 7)
    assert isinstance(found[4], ReplyCase)
    assert [evidence.quote for evidence in found[4].gold] == ["Rain fell.", "Rain fell."]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("{", "set.jsonl:2: not a case: no JSON"),
        ([1], "set.jsonl:2: not a case: Input should be an object"),
        ({"id": "b", "question": "q", "answerable": True}, "the field 'claims' is missing"),
        (QA | {"id": "b", "claim": 1}, "unknown field 'claim'"),
        (QA | {"id": "b", "task": "chat"}, "the task is 'chat', wanted"),
        (QA | {"id": "b", "answerable": "yes"}, "the field 'answerable': Input should be a valid boolean, not 'yes'"),
        (QA | {"id": "b", "as_of": "Monday"}, "the field 'as_of': .*date"),
        (QA | {"id": "b", "question": " "}, "the field 'question': "),
        (QA | {"id": "b", "reason": "whim"}, "the field 'reason': "),
        (QA | {"id": "b", "claims": [{"text": "x", "any_of": []}]}, r"the field 'claims.0.any_of': "),
        (QA | {"id": "b", "words": 60}, "unknown field 'words'"),
        (QA | {"id": "b", "independent": 0}, "the field 'independent': "),
        (CHECK | {"id": "b"}, "wanted either evidence, or a text"),
        (CHECK | {"id": "b", "against": "It rained.", "supported": True}, "wanted either a verdict, or"),
        (CHECK | {"id": "b", "against": "It rained.", "verdict": "unchecked"}, "the field 'verdict': "),
        (REPLY | {"id": "b"}, "the field 'statements': "),
        (REPLY | {"id": "b", "statements": [WRITTEN], "answered": "maybe"}, "the field 'answered': "),
        (REPLY | {"id": "b", "statements": [WRITTEN | {"quotes": [{"article": "n"}]}]}, "wanted an article and its"),
        (QA, "2 cases have the id 'a'"),
    ],
)
def test_a_bad_case_is_named_by_file_and_line(tmp_path: Path, record: Any, message: str) -> None:
    path = write(tmp_path / "set.jsonl", QA)
    line = record if isinstance(record, str) else json.dumps(record)
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        load_set(path)
    assert "\n" not in str(caught.value)


def test_a_set_may_be_written_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "# questions\n- id: a\n  question: Who?\n  as_of: 2021-07-07\n  answerable: true\n  claims:\n"
        "    - {text: Ten fled., any_of: [[ten, '10']]}\n"
        "- id: b\n  question: When?\n  answerable: maybe\n  claims: []\n"
    )
    with pytest.raises(InputError, match=r"mine.yaml:8: not a case: the field 'answerable'"):
        load_set(path)
    path.write_text(path.read_text().replace("maybe", "false"))
    found = load_set(path)
    assert (found.name, len(found.cases), found.cases[0].as_of) == ("mine", 2, date(2021, 7, 7))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "id: a\n"),
        ("b.yaml", "- [\n"),
        ("c.jsonl", "\n"),
        ("d.yml", ""),
        ("e.yaml", "\x1f"),
        ("f.yaml", "[" * 2_000),
    ],
)
def test_a_file_without_cases_is_refused_in_one_line(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        load_set(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read"):
        load_set(tmp_path / "none.jsonl")


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    first = load_set(write(tmp_path / "a.jsonl", QA))
    again = load_set(write(tmp_path / "b.jsonl", QA))
    other = load_set(write(tmp_path / "c.jsonl", QA | {"question": "Whom?"}))
    assert first.digest == again.digest != other.digest


def test_a_case_is_written_as_it_is_read() -> None:
    for path in FILES:
        for case in load_set(path).cases[:5]:
            assert CASE.validate_json(CASE.dump_json(case)) == case


def test_the_schema_can_be_printed() -> None:
    assert {"QaCase", "SearchCase", "SummaryCase", "TimelineCase", "CheckCase", "ReplyCase"} <= set(
        CASE.json_schema()["$defs"]
    )


# The sets of the project


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    opened = Library(tmp_path_factory.mktemp("articles") / "library", embeddings=FakeEmbeddings(), offline=True)
    opened.add(*(EVALS / "corpora" / name for name in CORPORA), EVALS.parent / "seeds")
    return opened


@pytest.fixture(scope="module")
def sets() -> dict[str, CaseSet]:
    return {path.stem: load_set(path) for path in FILES}


def test_there_is_a_set_for_every_kind_of_thing_that_can_go_wrong(sets: dict[str, CaseSet]) -> None:
    kinds = [
        "smoke",
        "facts",
        "numbers",
        "names",
        "temporal",
        "unanswerable",
        "followups",
        "summaries",
        "timelines",
        "injection",
        "checks",
    ]
    others = ["as_of", "dates", "superseded", "conflicts", "copies", "speakers"]
    assert set(kinds + others) <= set(sets)
    assert sum(len(sets[name].cases) for name in kinds + others) >= 450
    assert all(len(sets[name].cases) >= 25 for name in others)


def test_no_two_cases_have_one_id(sets: dict[str, CaseSet]) -> None:
    ids = [case.id for found in sets.values() for case in found.cases]
    assert len(set(ids)) == len(ids)


@pytest.mark.slow
def test_the_evidence_stands_in_the_articles_that_the_library_keeps(sets: dict[str, CaseSet], library: Library) -> None:
    cases = [case for found in sets.values() for case in found.cases]
    assert sum(len(case.gold) for case in cases) >= 450
    check_gold(cases, library.catalog)


def test_every_answerable_question_has_evidence(sets: dict[str, CaseSet]) -> None:
    cases = [case for found in sets.values() for case in found.cases if isinstance(case, QaCase) and case.answerable]
    assert [case.id for case in cases if not case.evidence] == []
    assert [case.id for case in cases if not any(claim.vital for claim in case.claims)] == []


def test_an_altered_claim_is_of_a_true_one(sets: dict[str, CaseSet]) -> None:
    for name in ("checks-dev", "checks-test"):
        claims = {case.id: case for case in sets[name].cases if isinstance(case, CheckCase)}
        altered = [case for case in claims.values() if case.of]
        assert len(altered) > 100
        for case in altered:
            origin = claims[case.of or ""]
            assert (origin.verdict, origin.type, origin.evidence) == (Verdict.SUPPORTED, case.type, case.evidence)
            assert not case.is_true
