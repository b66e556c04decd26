"""What sources say differently: laid side by side, the latest first, nothing picked in silence."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.compare.articles import held_against
from rag.compare.relation import ReportedSentence
from rag.ingest.metadata import article
from rag.library import Library
from rag.render.lines import answer_lines
from rag.schema import Answer, Citation, Dispute, Span, Statement, Verdict, Window

ARTICLES = [
    article(
        "At least 20 people were killed in the flood in Kunar, the governor said on Monday. Roads were cut.",
        title="Flood in Kunar",
        source="Pamir Wire",
        published="2021-07-05",
    ),
    article(
        "At least 55 people were killed in the flood in Kunar on Monday, officials said. The search goes on.",
        title="Toll of Kunar flood rises",
        source="Kabul Ledger",
        published="2021-07-07",
    ),
    article(
        "A bridge over the Panj was opened on July 3, the ministry said.",
        title="Bridge opened",
        source="Harirud Post",
        published="2021-07-09",
    ),
    article(
        "A bridge over the Panj was opened on July 4, the ministry said.",
        title="Bridge over Panj",
        source="Pamir Wire",
        published="2021-07-09",
    ),
    article(
        "About 300 families left Ghor in June, aid workers said.",
        title="Families leave Ghor",
        source="Pamir Wire",
        published="2021-07-01",
    ),
]
TOLL = "How many people were killed in the flood in Kunar?"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("sides")) as made:
        made.add(*ARTICLES)
        yield made


@pytest.fixture(scope="module")
def toll(library: Library) -> Answer:
    return library.ask(TOLL)


@pytest.fixture(scope="module")
def bridge(library: Library) -> Answer:
    return library.ask("When was the bridge over the Panj opened?")


def test_the_latest_value_leads_and_the_one_before_is_told(toll: Answer) -> None:
    assert "55 people" in toll.statements[0].text
    (found,) = toll.conflicts
    assert (found.kind, [p.value for p in found.positions]) == (Dispute.SUPERSEDED, ["55", "20"])
    assert toll.text.count("At least 20 people were killed") == 1
    assert toll.text.endswith("\nReported before: [2].")


def test_as_of_a_day_the_value_of_that_day_is_the_answer(library: Library) -> None:
    answer = library.ask(TOLL, window=Window(as_of=date(2021, 7, 6)))
    assert "20 people" in answer.statements[0].text
    assert answer.conflicts == ()
    assert "55" not in answer.text + " ".join(c.quote for c in answer.citations)


def test_two_days_for_one_thing_in_articles_of_one_day_are_a_conflict(bridge: Answer) -> None:
    (found,) = bridge.conflicts
    assert found.kind is Dispute.CONFLICT
    assert {p.citation.article.source for p in found.positions} == {"Harirud Post", "Pamir Wire"}
    assert {p.value for p in found.positions} == {"July 3", "July 4"}
    heading, *sides = bridge.text.splitlines()
    assert heading == "Sources differ."
    assert len(sides) == 2
    assert all(side.startswith("- ") for side in sides)
    assert {side.rsplit("] ", 1)[1].split(",")[0] for side in sides} == {"Harirud Post", "Pamir Wire"}


def test_each_position_has_its_outlet_day_and_citation(bridge: Answer) -> None:
    record = bridge.to_dict()
    numbers = {c["number"]: c for c in record["citations"]}
    for position in record["conflicts"][0]["positions"]:
        cited = numbers[position["citation"]]
        assert (cited["source"], cited["published"]) == (position["source"], position["published"])
    assert "ministry" in [p["speaker"] for p in record["conflicts"][0]["positions"]]


def test_the_citations_of_an_answer_are_numbered_in_order_and_checked(toll: Answer, bridge: Answer) -> None:
    for answer in (toll, bridge):
        assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
        assert all(s.verdict is Verdict.SUPPORTED for s in answer.statements)


def test_a_reader_sees_the_conflict_under_the_statements(bridge: Answer) -> None:
    lines = [line.text for line in answer_lines(bridge)]
    assert lines[0] == "Sources differ."
    assert [line[:2] for line in lines[1:3]] == ["- ", "- "]
    quotes = [" ".join(p.citation.quote.split()) for p in bridge.conflicts[0].positions]
    assert [sum(quote in line for line in lines[:3]) for quote in quotes] == [1, 1]


def test_where_all_agree_there_is_no_conflict(library: Library) -> None:
    assert library.ask("How many families left Ghor?").conflicts == ()


def test_the_conflicts_of_a_library_are_found_without_a_question(library: Library) -> None:
    found = library.conflicts()
    assert [(c.kind, {p.citation.article.title for p in c.positions}) for c in found] == [
        (Dispute.CONFLICT, {"Bridge opened", "Bridge over Panj"}),
        (Dispute.SUPERSEDED, {"Flood in Kunar", "Toll of Kunar flood rises"}),
    ]
    numbers = [p.citation.number for c in found for p in c.positions]
    assert numbers == list(range(1, len(numbers) + 1))


def test_conflicts_keep_within_the_window(library: Library) -> None:
    assert library.conflicts(window=Window(as_of=date(2021, 7, 6))) == ()
    assert library.conflicts(window=Window(sources=("Kabul Ledger",))) == ()


def test_a_topic_narrows_the_conflicts(library: Library) -> None:
    assert Dispute.CONFLICT in {c.kind for c in library.conflicts(topic="a bridge over the Panj", k=2)}
    assert Dispute.SUPERSEDED not in {c.kind for c in library.conflicts(topic="a bridge over the Panj", k=2)}


def test_conflicts_are_printed_and_given_as_json(library: Library) -> None:
    shown = CliRunner().invoke(app, ["conflicts", "--library", str(library.path)]).stdout
    assert "Panj: sources differ" in shown
    assert shown.rstrip().endswith("2 conflicts")
    record = json.loads(CliRunner().invoke(app, ["conflicts", "--library", str(library.path), "--json"]).stdout)
    assert [c["kind"] for c in record["conflicts"]] == ["conflict", "superseded"]
    assert [c["number"] for c in record["citations"]] == [1, 2, 3, 4]


def test_a_library_without_conflicts_says_so(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        library.add(ARTICLES[-1])
    assert "No conflict was found" in CliRunner().invoke(app, ["conflicts", "--library", str(tmp_path)]).stdout


def made(*told: tuple[str, str, str]) -> list[ReportedSentence]:
    """A report for each text, outlet and day, all with one vector."""
    return [
        ReportedSentence(
            article(text, source=source, published=day, id=f"a{n}"), f"p{n}", Span(0, len(text)), text, VECTOR
        )
        for n, (text, source, day) in enumerate(told)
    ]


def stated(report: ReportedSentence) -> Statement:
    return Statement(report.text, (Citation(1, report.article, "p", 0, len(report.text), report.text),))


VECTOR = np.array([1.0, 0.0], np.float32)
OPENED = "The dam of Kamal was opened by 12 engineers."
AGAIN = "The dam of Kamal was opened by 12 engineers on Friday."


def test_the_outlets_that_report_a_statement_are_counted_once_each() -> None:
    given = made(
        (OPENED, "Pamir Wire", "2021-07-01"),
        (AGAIN, "Kabul Ledger", "2021-07-02"),
        (AGAIN, "Kabul Ledger", "2021-07-03"),
        ("The dam of Kamal was opened by 30 engineers.", "Herat News", "2021-07-02"),
    )
    (statement,) = held_against([stated(given[0])], given, {}).statements
    assert statement.outlets == ("Pamir Wire", "Kabul Ledger")


def test_a_copy_counts_as_its_original() -> None:
    given = made((OPENED, "Pamir Wire", "2021-07-01"), (AGAIN, "Kabul Ledger", "2021-07-02"))
    origins = {"a1": given[0].article}
    (statement,) = held_against([stated(given[0])], given, origins).statements
    assert statement.outlets == ("Pamir Wire",)


def test_an_outlet_of_another_month_does_not_bear_a_statement_out() -> None:
    given = made((OPENED, "Pamir Wire", "2021-07-01"), (OPENED, "Kabul Ledger", "2021-09-02"))
    assert held_against([stated(given[0])], given, {}).statements[0].outlets == ("Pamir Wire",)
