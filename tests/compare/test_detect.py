"""What sources say differently: laid side by side, the latest first, nothing picked in silence."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.ingest.loaders import article
from rag.library import Library
from rag.render.lines import answer_lines
from rag.schema import Answer, Dispute, Verdict, Window

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
        "Rebels captured the fort of Darwaz on Friday, their spokesman said. They showed pictures of its gate.",
        title="Rebels claim fort",
        source="Harirud Post",
        published="2021-07-09",
    ),
    article(
        "The fort of Darwaz has not fallen, the army said on Friday. Its soldiers hold every tower.",
        title="Army denies loss of fort",
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
def fort(library: Library) -> Answer:
    return library.ask("Did rebels capture the fort of Darwaz?")


def test_the_latest_value_leads_and_the_one_before_is_told(toll: Answer) -> None:
    assert "55 people" in toll.statements[0].text
    (found,) = toll.conflicts
    assert (found.kind, [p.value for p in found.positions]) == (Dispute.SUPERSEDED, ["55", "20"])
    assert "Reported before: “At least 20 people were killed" in toll.text


def test_as_of_a_day_the_value_of_that_day_is_the_answer(library: Library) -> None:
    answer = library.ask(TOLL, window=Window(as_of=date(2021, 7, 6)))
    assert "20 people" in answer.statements[0].text
    assert answer.conflicts == ()
    assert "55" not in answer.text + " ".join(c.quote for c in answer.citations)


def test_two_sides_of_one_day_are_a_conflict(fort: Answer) -> None:
    (found,) = fort.conflicts
    assert found.kind is Dispute.CONFLICT
    assert {p.citation.article.source for p in found.positions} == {"Harirud Post", "Pamir Wire"}
    assert {p.value for p in found.positions} == {"so", "not so"}
    assert "Sources differ: " in fort.text


def test_each_position_has_its_outlet_day_and_citation(fort: Answer) -> None:
    record = fort.to_dict()
    numbers = {c["number"]: c for c in record["citations"]}
    for position in record["conflicts"][0]["positions"]:
        cited = numbers[position["citation"]]
        assert (cited["source"], cited["published"]) == (position["source"], position["published"])
    assert "army" in [p["speaker"] for p in record["conflicts"][0]["positions"]]


def test_the_citations_of_an_answer_are_numbered_in_order_and_checked(toll: Answer, fort: Answer) -> None:
    for answer in (toll, fort):
        assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
        assert all(s.verdict is Verdict.SUPPORTED for s in answer.statements)


def test_a_reader_sees_the_conflict_under_the_statements(fort: Answer) -> None:
    assert any(line.text.startswith("Sources differ: ") for line in answer_lines(fort))


def test_where_all_agree_there_is_no_conflict(library: Library) -> None:
    assert library.ask("How many families left Ghor?").conflicts == ()


def test_the_conflicts_of_a_library_are_found_without_a_question(library: Library) -> None:
    found = library.conflicts()
    assert [(c.kind, {p.citation.article.title for p in c.positions}) for c in found] == [
        (Dispute.CONFLICT, {"Rebels claim fort", "Army denies loss of fort"}),
        (Dispute.SUPERSEDED, {"Flood in Kunar", "Toll of Kunar flood rises"}),
    ]
    numbers = [p.citation.number for c in found for p in c.positions]
    assert numbers == list(range(1, len(numbers) + 1))


def test_conflicts_keep_within_the_window(library: Library) -> None:
    assert library.conflicts(window=Window(as_of=date(2021, 7, 6))) == ()
    assert library.conflicts(window=Window(sources=("Kabul Ledger",))) == ()


def test_a_topic_narrows_the_conflicts(library: Library) -> None:
    assert Dispute.CONFLICT in {c.kind for c in library.conflicts(topic="the fort of Darwaz", k=2)}
    assert Dispute.SUPERSEDED not in {c.kind for c in library.conflicts(topic="the fort of Darwaz", k=2)}


def test_conflicts_are_printed_and_given_as_json(library: Library) -> None:
    shown = CliRunner().invoke(app, ["conflicts", "--library", str(library.path)]).stdout
    assert "Darwaz: sources differ" in shown
    assert shown.rstrip().endswith("2 conflicts")
    record = json.loads(CliRunner().invoke(app, ["conflicts", "--library", str(library.path), "--json"]).stdout)
    assert [c["kind"] for c in record["conflicts"]] == ["conflict", "superseded"]
    assert [c["number"] for c in record["citations"]] == [1, 2, 3, 4]


def test_a_library_without_conflicts_says_so(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        library.add(ARTICLES[-1])
    assert "No articles were found" in CliRunner().invoke(app, ["conflicts", "--library", str(tmp_path)]).stdout


def test_two_towns_that_a_question_asks_about_together_are_two_things(tmp_path: Path) -> None:
    reports = [
        ("The Taliban captured the crossing of Torbat, the group said on Friday.", "2021-07-09"),
        ("The interior ministry denied that the crossing of Torbat was lost.", "2021-07-09"),
        ("The Taliban captured the crossing of Ziaret on Wednesday, officials there said.", "2021-07-14"),
    ]
    with Library(tmp_path / "library", offline=True) as library:
        library.add(*(article(text, published=day, source=f"Post {n}") for n, (text, day) in enumerate(reports)))
        conflicts = library.ask("Which crossings did the Taliban capture?").conflicts
    assert [(c.kind.value, [p.value for p in c.positions]) for c in conflicts] == [("conflict", ["so", "not so"])]
