"""The harness: hand-worked numbers, and gates that fail."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import InputError
from rag.evaluation import metrics
from rag.evaluation.cases import Case, Claim, load_cases
from rag.evaluation.metrics import Rate, Scored
from rag.evaluation.report import load_gates, report
from rag.loaders import article
from rag.schema import Answer, Citation, Hit, Passage, Reason, Statement, Status, Verdict, Window

NEWS = article("Ten soldiers fled. The road was closed.", id="news")
HIT = Hit(Passage("p", "news", 0, len(NEWS.text), NEWS.text), NEWS, 1.0)


def case(*, answerable: bool = True, evidence: frozenset[str] = frozenset({"news"}), forbidden: str = "") -> Case:
    claims = (Claim("ten soldiers", True, (("ten", "10"), ("soldiers",))),) if answerable else ()
    never = (Claim(forbidden, True, ((forbidden,),)),) if forbidden else ()
    return Case("c", "number", "How many fled?", (), Window(), answerable, claims, never, evidence)


def answered(text: str) -> Answer:
    start = NEWS.text.index(text)
    citation = Citation(1, NEWS, "p", start, start + len(text), text)
    statement = Statement(text, (citation,), Verdict.SUPPORTED)
    return Answer("q", "q", Status.ANSWERED, None, (statement,), (citation,), (HIT,))


ABSTAINED = Answer("q", "q", Status.ABSTAINED, Reason.NOT_IN_ARTICLES)
RUN = [
    Scored(case(forbidden="closed"), answered("Ten soldiers fled."), 0.1),
    Scored(case(forbidden="closed"), answered("The road was closed."), 0.2),
    Scored(case(evidence=frozenset({"news", "other"})), ABSTAINED, 0.3),
    Scored(case(answerable=False, evidence=frozenset()), ABSTAINED, 0.4),
    Scored(case(answerable=False, evidence=frozenset()), answered("The road was closed."), 0.5),
]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (metrics.full_answers, Rate(1, 3)),
        (metrics.evidence_recall, Rate(2, 4)),
        (metrics.abstention_precision, Rate(1, 2)),
        (metrics.abstention_recall, Rate(1, 2)),
        (metrics.wrong_answers, Rate(2, 5)),
        (metrics.forbidden_claims, Rate(1, 2)),
        (metrics.valid_citations, Rate(3, 3)),
    ],
)
def test_a_metric_is_what_it_is_by_hand(metric: object, expected: Rate) -> None:
    assert callable(metric)
    assert metric(RUN) == expected


def test_percentiles_are_nearest_ranks() -> None:
    assert [metrics.percentile([0.5, 0.1, 0.4, 0.2, 0.3], share) for share in (0.5, 0.95, 0.2)] == [0.3, 0.5, 0.1]


def test_a_missed_floor_and_a_passed_ceiling_are_failures() -> None:
    found = report(RUN)
    assert found.failures({"full_answers": 0.3, "wrong_answers": 0.4}) == []
    assert found.failures({"full_answers": 0.4, "wrong_answers": 0.3}) == [
        "full_answers is 0.33 (1/3), the gate is 0.4",
        "wrong_answers is 0.40 (2/5), the gate is 0.3",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "set.jsonl:2: not a case"),
        ('{"id": "a", "question": "q", "answerable": true}', "set.jsonl:2: .*'claims' is missing"),
        ('{"id": "a", "question": "q", "answerable": true, "claims": [], "claim": 1}', "unknown field 'claim'"),
    ],
)
def test_a_bad_case_is_named_by_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"id": "a", "question": "q", "answerable": True, "claims": []}) + "\n" + line)
    with pytest.raises(InputError, match=message):
        load_cases(path)


def test_every_set_is_valid_and_its_evidence_stands_in_the_seed() -> None:
    text = Path("seeds/2021-07-07-tehran-talks.txt").read_text(encoding="utf-8")
    for line in Path("evals/sets/seed.jsonl").read_text(encoding="utf-8").splitlines():
        assert all(evidence["quote"] in text for evidence in json.loads(line)["evidence"])
    assert len(load_cases(Path("evals/sets/seed.jsonl"))) >= 28


def test_gates_for_a_metric_that_there_is_not_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text("[seed]\nfull_answer = 1.0\n")
    with pytest.raises(InputError, match="'full_answer' is no metric"):
        load_gates(path, "seed")
    with pytest.raises(InputError, match="no gates for the set 'other'"):
        load_gates(path, "other")


def test_the_command_exits_with_10_when_a_gate_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text("[seed]\nfull_answers = 1.1\n")
    command = [sys.executable, "-m", "rag.evaluation", "evals/sets/seed.jsonl", "-a", "seeds", "--gates", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 10
    assert "gate: full_answers is" in done.stderr
