"""`rag summarize` and `rag timeline` as their users and their scripts see them."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rag.cli.app import app
from rag.ingest.metadata import article
from rag.library import Library
from rag.render.digest_lines import timeline_lines
from rag.schema import Citation, Event, Precision, Statement, Timeline, Verdict

SEEDS = str(Path(__file__).parents[2] / "seeds")
MEETING = "Iran’s foreign ministry said an Afghan government delegation met Taliban leaders in the capital Tehran"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded") / "library"
    assert run("add", SEEDS, "--library", str(folder)).exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def home(seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(seeded))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_the_headline_stands_on_top_and_the_sources_below() -> None:
    found = run("summarize")
    lines = found.stdout.splitlines()
    assert lines[:2] == [f"{MEETING} on Wednesday [7 July 2021]. [1]", ""]
    assert lines[-1].startswith("    “")
    assert any(
        line.endswith("Iran said an Afghan government delegation met with the Taliban, 2021-07-07") for line in lines
    )
    assert (found.exit_code, found.stderr) == (0, "")


def test_words_and_topic_are_flags() -> None:
    short = json.loads(run("summarize", "--words", "20", "--json").stdout)
    assert 0 < short["words"] <= 20
    assert "Stanikzai" in run("summarize", "--topic", "negotiations").stdout


def test_an_article_is_an_id_or_a_file_that_is_not_added(tmp_path: Path) -> None:
    (tmp_path / "burned.txt").write_text("The bazaar of Taloqan burned down on 9 August 2021.")
    before = run("articles").stdout
    assert "Taloqan" in run("summarize", str(tmp_path / "burned.txt")).stdout
    assert run("articles").stdout == before
    assert MEETING in run("summarize", before.split("\t")[0]).stdout


def test_strict_exits_with_8_if_there_is_nothing_on_the_topic() -> None:
    for command in ("summarize", "timeline"):
        assert run(command, "--topic", "football").exit_code == 0
        found = run(command, "--topic", "football", "--strict")
        assert (found.exit_code, found.stdout) == (8, "The articles say nothing on this topic.\n")


def test_an_empty_library_exits_with_3(tmp_path: Path) -> None:
    for command in ("summarize", "timeline"):
        assert run(command, "--library", str(tmp_path / "empty")).exit_code == 3


def test_articles_can_be_added_first(tmp_path: Path) -> None:
    found = run("summarize", "-q", "-a", SEEDS, "--library", str(tmp_path / "library"))
    assert (found.exit_code, found.stderr) == (0, "")
    assert MEETING in found.stdout


def test_below_a_section_of_a_briefing_stands_what_was_reported_before(tmp_path: Path) -> None:
    texts = {
        "2021-07-06": "The Taliban now control 150 of the districts of Afghanistan, the government said.",
        "2021-07-21": "The Taliban now control 200 of the districts of Afghanistan, the government said.",
    }
    with Library(tmp_path / "library", offline=True) as library:
        library.add(*(article(text, id=day, title=day, published=day) for day, text in texts.items()))
    lines = run("summarize", "--library", str(tmp_path / "library")).stdout.splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("The Taliban now control 200 of"))
    assert lines[place + 1].startswith("Reported before: “The Taliban now control 150 of")
    assert all(line or after for line, after in pairwise(lines))


def test_the_timeline_has_a_line_for_each_event_with_its_date_once() -> None:
    lines = run("timeline", "--max-events", "4").stdout.splitlines()
    assert lines[0].startswith("2021-07-05  ● A statement issued by the Tajik government said Monday")
    assert lines[1].strip() == "│"
    assert lines[2] == f"2021-07-07  ● {MEETING} on Wednesday. [2]"
    assert lines[3].startswith("            ● Zarif warned that today")
    assert lines[4].startswith("            ○ Now the Taliban have captured 10%")
    assert "○ the article gives no date of its own for it; this is the day of its publication" in lines


def test_a_doubtful_event_is_marked_and_long_ones_are_wrapped_beside_the_line() -> None:
    source = article(
        "Herat fell on Thursday after two weeks of heavy fighting around the city.", id="herat", title="Herat"
    )
    citation = Citation(1, source, "p", 0, len(source.text), source.text)
    statement = Statement(source.text, (citation,), Verdict.UNSUPPORTED)
    event = Event(date(2021, 8, 12), Precision.DAY, statement)
    lines = [line.text for line in timeline_lines(Timeline(None, (source,), (event,)), width=50)]
    assert lines[0] == "2021-08-12  ● Herat fell on Thursday after two"
    assert lines[1].startswith("            │ weeks of heavy")
    assert "(not supported by what it cites)" in " ".join(line.strip(" │") for line in lines)


def test_the_timeline_in_json_has_events_and_citations() -> None:
    record = json.loads(run("timeline", "--json", "--max-events", "2").stdout)
    assert [event["date"] for event in record["events"]] == ["2021-07-05", "2021-07-07"]
    assert [citation["number"] for citation in record["citations"]] == [1, 2]
