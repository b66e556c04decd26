"""Summaries in the sections that a user names, through the Library and the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rag
from rag.cli.app import app
from rag.errors import InputError
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Summary

TEXTS = {
    "Talks open in Doha": "Negotiators of the government and the Taliban opened peace negotiations in Doha on Sunday.",
    "No deal in Doha": "Diplomats flew home from Qatar on Monday after peace negotiations that brought no agreement.",
    "Rovers win": "Rovers won the football match against United 2-1 with a goal in the last minute on Sunday.",
    "United sack coach": "The football club United dismissed its coach, Jan Berg, after the lost match on Monday.",
    "Rate rises": "The central bank raised its interest rate to 4 percent on Monday.",
}
SECTIONS = ["peace negotiations", "football"]


def articles() -> list[Article]:
    days = ("2021-07-04", "2021-07-05", "2021-07-04", "2021-07-05", "2021-07-05")
    return [article(t, id=n, title=n, published=d) for (n, t), d in zip(TEXTS.items(), days, strict=True)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("news") / "library", offline=True) as found:
        found.add(*articles())
        yield found


def titles(summary: Summary) -> dict[str, list[str]]:
    return {s.heading: [x.citations[0].article.title for x in s.statements] for s in summary.sections}


def test_each_event_is_below_the_nearest_heading_only_and_the_rest_in_the_last(library: Library) -> None:
    summary = library.summarize(sections=SECTIONS, length="long")
    found = titles(summary)
    assert list(found)[:3] == ["peace negotiations", "football", "Other"]
    assert found["peace negotiations"] == ["Talks open in Doha", "No deal in Doha"]
    assert found["football"] == ["Rovers win", "United sack coach"]
    assert found["Other"] == ["Rate rises"]
    assert [x for s in summary.sections for x in s.statements] == list(summary.statements)
    assert list(found)[3:] == list(titles(library.summarize()))[-3:], "what is new, open and not known stays"


def test_given_articles_have_nothing_but_the_sections(library: Library) -> None:
    summary = library.summarize("Rovers win", "Rate rises", sections=["football"])
    assert titles(summary) == {"football": ["Rovers win"], "Other": ["Rate rises"]}


def test_a_topic_can_be_in_sections(library: Library) -> None:
    summary = library.summarize(topic="peace negotiations in Doha", sections=SECTIONS)
    assert titles(summary)["peace negotiations"] == ["Talks open in Doha", "No deal in Doha"]
    assert library.summarize(topic="volcanoes", sections=["eruptions"]).sections == ()


def test_a_heading_that_nothing_is_near_says_so_and_there_is_no_last_section_for_nothing(library: Library) -> None:
    summary = library.summarize("Rovers win", sections=["football", "quantum physics"])
    assert titles(summary) == {"football": ["Rovers win"], "quantum physics": []}
    assert summary.sections[1].note == "No event was found to fit here."


def test_without_vectors_the_words_of_headings_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with Library(tmp_path / "library", embeddings="openai:text-embedding-3-small", offline=True) as bare:
        assert bare.embeddings is None
        bare.add(*articles())
        found = titles(bare.summarize(*TEXTS, sections=SECTIONS, length="long"))
    assert found["football"] == ["Rovers win", "United sack coach"]
    assert found["Other"] == ["Rate rises"]


@pytest.mark.parametrize("sections", [["the"], [" "], "football", [3]])
def test_what_is_no_heading_is_refused(library: Library, sections: object) -> None:
    with pytest.raises(InputError, match=r"no words in it; name one|wanted a list of headings"):
        library.summarize(sections=sections)  # type: ignore[arg-type]  # on purpose


def test_the_command_takes_headings_with_commas_between_them(library: Library) -> None:
    arguments = ["summarize", "-q", "--offline", "--library", str(library.path), "--sections", " football , , the bank"]
    lines = CliRunner().invoke(app, arguments).stdout.splitlines()
    assert [line for line in lines if line.isupper()][:3] == ["FOOTBALL", "THE BANK", "OTHER"]


def test_one_call_reads_files_into_sections(tmp_path: Path) -> None:
    (tmp_path / "match.txt").write_text(TEXTS["Rovers win"])
    found = rag.summarize(tmp_path / "match.txt", sections=["football"])
    assert [section.heading for section in found.sections] == ["football"]
