"""Runs as other people's tools read them: TREC run files and CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from fake_embeddings import FakeEmbeddings

from rag.evaluation.cases import CaseSet, Claim, Evidence, QaCase, SearchCase, Task
from rag.evaluation.metrics import is_right, shares
from rag.evaluation.report import Scored, report
from rag.evaluation.results import FoundPlace, Place, Result
from rag.evaluation.run import run
from rag.evaluation.views import csv_lines, save_views, trec_run
from rag.ingest.loaders import article
from rag.library import Library
from rag.schema import Status

SEARCH = SearchCase(id="q1", task=Task.SEARCH, question="Who sank?", evidence=(Evidence(article="d1"),))
ASK = QaCase(id="q2", type="who", question="Who, and when?", answerable=True, claims=(Claim("Holm", (("Holm",),)),))


def hits(*found: tuple[str, float]) -> tuple[FoundPlace, ...]:
    return tuple(FoundPlace(article, None, 0, 10, score) for article, score in found)


def scored(case: SearchCase | QaCase, result: Result) -> Scored:
    return Scored(case, result, shares(case, result), is_right(case, result))


def rows(*found: Scored) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("\n".join(csv_lines(found)))))


def test_an_article_has_one_line_at_the_rank_and_score_of_its_best_passage() -> None:
    result = Result("q1", hits=hits(("d2", 0.5), ("d1", 0.4), ("d2", 0.3), ("d3", 0.2), ("d1", 0.1)))
    assert list(trec_run([result], "try-1")) == [
        "q1 Q0 d2 1 0.500000 try-1",
        "q1 Q0 d1 2 0.400000 try-1",
        "q1 Q0 d3 3 0.200000 try-1",
    ]


def test_scores_fall_with_the_rank_in_single_precision_too() -> None:
    result = Result("q1", hits=hits(("d1", 150.1), ("d2", 150.1), ("d3", 999.0), ("d4", 0.0), ("d5", 0.0)))
    lines = [line.split() for line in trec_run([result])]
    assert [line[2] for line in lines] == ["d1", "d2", "d3", "d4", "d5"]
    assert np.all(np.diff(np.array([line[4] for line in lines], dtype=np.float32)) < 0)


def test_a_run_has_six_columns_whatever_the_ids() -> None:
    result = Result("case one", hits=hits(("my\u00a0article 1", 0.5)))
    (line,) = trec_run([result], "a tag")
    assert line == "case%20one Q0 my%C2%A0article%201 1 0.500000 a%20tag"


def test_a_case_without_hits_has_no_line() -> None:
    assert list(trec_run([Result("q1", error="TimedOutError: no reply")])) == []


def test_a_case_is_a_row_with_its_own_share_of_each_metric() -> None:
    found = Result(
        "q1", hits=hits(("d2", 0.5), ("d1", 0.4)), gold=(Place("d1", 0, 10), Place("d9", 0, 10)), seconds=0.25
    )
    (row,) = rows(scored(SEARCH, found))
    assert (row["id"], row["task"], row["question"], row["hits"]) == ("q1", "search", "Who sank?", "d2 d1")
    assert (row["evidence_recall"], row["mrr"], row["right"], row["seconds"]) == ("0.5", "0.5", "False", "0.250")


def test_a_metric_that_a_case_does_not_count_for_is_empty() -> None:
    answered = Result("q2", text="Holm, in\n1990.", status=Status.ANSWERED)
    search, ask = rows(scored(SEARCH, Result("q1", gold=(Place("d1", 0, 1),))), scored(ASK, answered))
    assert (search["full_answers"], search["evidence_recall"]) == ("", "0.0")
    assert (ask["full_answers"], ask["evidence_recall"], ask["text"], ask["type"]) == (
        "0.0",
        "",
        "Holm, in\n1990.",
        "who",
    )


def test_a_case_that_failed_is_a_row_with_its_error() -> None:
    (row,) = rows(scored(ASK, Result("q2", error="TimedOutError: no reply")))
    assert (row["error"], row["right"], row["unscored"], row["status"]) == ("TimedOutError: no reply", "", "1.0", "")


def test_no_text_is_a_formula_to_a_spreadsheet() -> None:
    (row,) = rows(scored(ASK, Result("q2", text='=HYPERLINK("x")', status=Status.ANSWERED)))
    assert row["text"] == '\'=HYPERLINK("x")'


def test_both_are_saved_for_each_set_of_a_report(tmp_path: Path) -> None:
    cases = CaseSet("tiny", (SEARCH,), "digest", (article("Mads Holm sank.", id="d1"),))
    with Library(tmp_path / "library", embeddings=FakeEmbeddings()) as library:
        library.add(*cases.articles)
        save_views(report([run(cases, library)]), (), None, tmp_path / "out")
    assert (tmp_path / "out" / "tiny.trec").read_text().startswith("q1 Q0 d1 1 ")
    (row,) = csv.DictReader((tmp_path / "out" / "tiny.csv").open(encoding="utf-8", newline=""))
    assert (row["id"], row["right"], row["evidence_recall"]) == ("q1", "True", "1.0")
