"""The scores of the checker: hand-worked rates, sets that are read strictly, and gates that fail."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tiny_entailment import tiny_model

from rag.errors import InputError
from rag.evaluation.checks import judged, main, outcomes
from rag.evaluation.claims import CitedClaim, Claim, SourcedClaim, load_claims
from rag.evaluation.metrics import (
    Outcome,
    Rate,
    balanced_accuracy,
    false_caught,
    true_rejected,
    verdict_agrees,
)
from rag.evaluation.report import load_gates
from rag.evaluation.scores import GATES, claims_report
from rag.schema import Verdict

YES, NO, OTHER = Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.CONTRADICTED
CITED: dict[str, Any] = {
    "id": "a-1",
    "kind": "number",
    "claim": "President Rahmon ordered 20,000 reservists to the border.",
    "evidence": ["On Monday President Emomali Rahmon ordered 20,000 reservists to the border."],
    "published": "2021-07-07",
    "title": "Reservists called up",
    "verdict": "supported",
    "of": None,
}
ALTERED = CITED | {
    "id": "a-2",
    "claim": "President Rahmon ordered 12,000 reservists to the border.",
    "verdict": "contradicted",
    "of": "a-1",
}
SOURCED: dict[str, Any] = {
    "id": "s-1",
    "set": "public",
    "source": "The road was closed. " + CITED["evidence"][0] + " Prices of wheat rose in Kabul.",
    "claim": "President Rahmon ordered 20,000 reservists to the border.",
    "supported": True,
}
INVENTED = SOURCED | {
    "id": "s-2",
    "claim": "Schools in Kabul stay closed until spring, teachers say.",
    "supported": False,
}

RUN = [
    Outcome("1", "number", YES, YES),
    Outcome("2", "number", YES, NO),
    Outcome("3", "number", OTHER, OTHER),
    Outcome("4", "number", OTHER, NO),
    Outcome("5", "number", OTHER, YES),
    Outcome("6", "cause", YES, YES),
    Outcome("7", "cause", YES, YES),
    Outcome("8", "cause", NO, NO),
    Outcome("9", "public", None, OTHER),
    Outcome("10", "public", YES, Verdict.UNCHECKED),
]


def test_the_rates_are_what_they_are_by_hand() -> None:
    assert true_rejected(RUN) == Rate(2, 5)
    assert false_caught(RUN) == Rate(4, 5)
    assert verdict_agrees(RUN) == Rate(2, 3)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (0, 10, (3 / 5 + 4 / 5) / 2),
        (0, 5, (1 / 2 + 2 / 3) / 2),
        (5, 8, 1.0),
        (0, 2, 0.5),
        (2, 5, 2 / 3),
        (0, 0, 0.0),
    ],
)
def test_balanced_accuracy_is_the_mean_of_the_shares_of_true_and_false(first: int, last: int, expected: float) -> None:
    assert balanced_accuracy(RUN[first:last]) == pytest.approx(expected)


def test_a_report_has_its_groups_the_main_kinds_and_all() -> None:
    report = claims_report(RUN)
    assert list(report.groups) == ["number", "cause", "public"]
    assert (report.main.rejected, report.main.caught) == (Rate(1, 2), Rate(2, 3))
    assert (report.all.rejected, report.all.caught) == (Rate(2, 5), Rate(4, 5))
    assert [outcome.id for outcome in report.wrong] == ["2", "5", "10"]


def test_a_report_prints_a_row_a_group() -> None:
    heads, number, *_, main_kinds, every = str(claims_report(RUN)).splitlines()
    assert heads.split() == ["true", "rejected", "false", "caught", "verdict", "agrees", "balanced"]
    assert number.split() == ["number", "0.50", "(1/2)", "0.67", "(2/3)", "0.50", "(1/2)", "0.58"]
    assert main_kinds.startswith("numbers, dates, names, negations, quotes")
    assert every.split()[:3] == ["all", "0.40", "(2/5)"]


def test_what_was_not_counted_has_no_rate() -> None:
    rows = str(claims_report(RUN[8:])).splitlines()
    assert [row.split()[0] for row in rows[1:]] == ["public", "all"]
    assert rows[1].split() == ["public", "1.00", "(1/1)", "1.00", "(1/1)", "-", "0.50"]


def test_floors_and_ceilings_fail_when_they_are_missed() -> None:
    report = claims_report(RUN)
    assert report.failures({"max_rejected": 0.4, "min_caught": 0.8, "min_caught_main": 0.66}) == []
    assert report.failures({"max_rejected": 0.3, "min_caught": 0.9, "min_caught_main": 0.7}) == [
        "max_rejected is 0.3, found 0.40 (2/5)",
        "min_caught is 0.9, found 0.80 (4/5)",
        "min_caught_main is 0.7, found 0.67 (2/3)",
    ]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_set_holds_claims_with_spans_or_with_articles(tmp_path: Path) -> None:
    cited, sourced = load_claims(write(tmp_path / "set.jsonl", CITED, SOURCED | {"label": "x", "supporting": [[1]]}))
    assert isinstance(cited, CitedClaim)
    assert (cited.published, cited.verdict, len(cited.evidence)) == (date(2021, 7, 7), YES, 1)
    assert isinstance(sourced, SourcedClaim)
    assert (sourced.set, sourced.supported) == ("public", True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "set.jsonl:2: not a claim"),
        ("[1]", "set.jsonl:2: not a claim"),
        (json.dumps(CITED | {"colour": "red"}), "set.jsonl:2: not a claim: unknown field 'colour'"),
        (json.dumps({k: v for k, v in CITED.items() if k != "kind"}), "the field 'kind' is missing"),
        (json.dumps(CITED | {"verdict": "true"}), "the verdict is 'true', wanted supported"),
        (json.dumps(CITED | {"published": "Monday"}), "Monday"),
        (json.dumps(CITED | {"evidence": []}), r"the field 'evidence' is \[\], wanted a list of texts"),
        (json.dumps(CITED | {"evidence": "a text"}), "the field 'evidence' is 'a text'"),
        (json.dumps(CITED | {"claim": " "}), "the field 'claim' is ' ', wanted a text"),
        (json.dumps(SOURCED | {"supported": "yes"}), "supported is 'yes', wanted true or false"),
        (json.dumps({"id": "1", "set": "s", "source": "a", "supported": True}), "the field 'claim' is missing"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, row: str, message: str) -> None:
    path = write(tmp_path / "set.jsonl", CITED)
    path.write_text(path.read_text() + row + "\n")
    with pytest.raises(InputError, match=message) as caught:
        load_claims(path)
    assert "\n" not in str(caught.value)


def test_a_set_that_is_not_there_or_is_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_claims(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="has no claims"):
        load_claims(write(tmp_path / "empty.jsonl"))


@pytest.mark.parametrize("name", ["dev", "test"])
def test_the_sets_are_valid_and_each_altered_claim_is_of_a_true_one(name: str) -> None:
    path = Path(f"evals/checks/{name}.jsonl")
    claims = {claim.id: claim for claim in load_claims(path)}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(claims) == len(rows) >= 200
    for row in (row for row in rows if row["of"]):
        origin = claims[row["of"]]
        assert isinstance(origin, CitedClaim)
        assert (origin.verdict, origin.kind, list(origin.evidence)) == (YES, row["kind"], row["evidence"])
        assert row["verdict"] != "supported"


def test_any_judge_can_be_scored(tmp_path: Path) -> None:
    asked: list[str] = []

    def credulous(claim: Claim) -> Verdict:
        asked.append(claim.id)
        return YES

    found = outcomes(load_claims(write(tmp_path / "set.jsonl", CITED, ALTERED, SOURCED, INVENTED)), credulous)
    assert asked == ["a-1", "a-2", "s-1", "s-2"]
    assert [(o.group, o.right, o.found) for o in found] == [
        ("number", YES, YES),
        ("number", OTHER, YES),
        ("public", YES, YES),
        ("public", None, YES),
    ]
    assert balanced_accuracy(found) == 0.5


def test_the_checker_reads_spans_with_their_day_and_articles_as_a_whole(tmp_path: Path) -> None:
    dated = CITED | {"id": "a-3", "claim": "On 5 July President Rahmon ordered 20,000 reservists to the border."}
    other = dated | {"id": "a-4", "claim": "On 6 July President Rahmon ordered 20,000 reservists to the border."}
    claims = load_claims(write(tmp_path / "set.jsonl", CITED, ALTERED, dated, other, SOURCED, INVENTED))
    assert [judged(claim) for claim in claims] == [YES, OTHER, YES, OTHER, YES, NO]


def test_gates_of_a_set_stand_in_a_table_under_checks() -> None:
    for name in ("dev", "test"):
        assert set(load_gates(Path("evals/gates.toml"), f"checks.{name}", known=GATES)) == set(GATES)


def test_the_command_prints_the_rates_and_exits_with_10_if_a_gate_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims, gates = write(tmp_path / "mine.jsonl", CITED, ALTERED), tmp_path / "gates.toml"
    gates.write_text("[checks.mine]\nmax_rejected = 0.0\nmin_caught = 1.0\n")
    assert main([str(claims), "--gates", str(gates)]) == 0
    assert "number" in capsys.readouterr().out
    gates.write_text("[checks.mine]\nmin_caught = 1.1\n")
    assert main([str(claims), "--gates", str(gates)]) == 10
    assert capsys.readouterr().err == "gate: min_caught is 1.1, found 1.00 (1/1)\n"


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write(tmp_path / "set.jsonl", CITED, ALTERED)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == 1
    assert found["groups"]["number"]["false_caught"] == {"hits": 1, "n": 1, "value": 1.0}
    assert found["all"]["balanced_accuracy"] == 1.0
    assert (found["wrong"], found["failures"]) == ([], [])


def test_the_command_can_ask_an_entailment_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = CITED | {"claim": "In Tehran the talks were held.", "evidence": ["The talks were held in Tehran."]}
    claims, folder = write(tmp_path / "set.jsonl", row), tiny_model(tmp_path / "model")
    assert main([str(claims), "--verifier", str(folder)]) == 0
    assert "0.00 (0/1)" in capsys.readouterr().out
    assert main([str(claims), "--verifier", str(tmp_path / "none")]) == 1
    assert "has no model.onnx" in capsys.readouterr().err


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "set.jsonl", CITED)
    assert main([str(tmp_path / "none.jsonl")]) == 2
    assert main([str(path), "--gates", str(tmp_path / "none.toml")]) == 2
    assert main([str(path), "--gates", "evals/gates.toml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "has no gates for the set 'checks.set'" in lines[2]
