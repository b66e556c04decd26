"""Results as Markdown, as a part of a page, as rows, and the addresses that mark a quote."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.errors import InputError
from rag.ingest.metadata import article
from rag.library import Library
from rag.render.lines import link
from rag.render.tables import rows
from rag.schema import AddReport, Answer, Article, Citation, Failure, Statement, Summary, Timeline, Verdict

QUOTE = "Envoys met in Doha on Tuesday, and agreed - in part - on prisoners & aid."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("home") / "library", offline=True) as made:
        made.add(Path(__file__).parents[2] / "seeds")
        yield made


def told(url: str | None = "https://example.org/a?b=1#part", title: str = "Talks in Doha") -> Article:
    return article(QUOTE, id="a", title=title, url=url)


def cited(found: Article, quote: str = QUOTE) -> Citation:
    return Citation(1, found, "", 0, len(quote), quote)


def answered(found: Article, verdict: Verdict = Verdict.SUPPORTED) -> Answer:
    citation = cited(found)
    return Answer("Who met?", "Who met?", (Statement(QUOTE, (citation,), verdict),), citations=(citation,))


def test_a_long_quote_is_marked_by_its_ends_and_a_short_one_whole() -> None:
    assert link(cited(told())) == (
        "https://example.org/a?b=1#part:~:text=Envoys%20met%20in%20Doha%20on%20Tuesday%2C,"
        "part%20%2D%20on%20prisoners%20%26%20aid."
    )
    assert link(cited(told("https://example.org/a"), "Envoys met")) == "https://example.org/a#:~:text=Envoys%20met"


@pytest.mark.parametrize("url", [None, "", "file:///etc/passwd", "javascript:alert(1)", "https://a b", "https://a\x1b"])
def test_only_a_printable_address_of_the_web_is_a_link(url: str | None) -> None:
    assert link(cited(replace(told(), url=url))) is None


def test_each_source_of_an_answer_is_a_footnote() -> None:
    text = answered(told()).to_markdown()
    assert text.startswith("Envoys met in Doha on Tuesday, and agreed - in part - on prisoners \\& aid.[^1]")
    assert re.search(r"^\[\^1\]: \[Talks in Doha\]\(<https://example\.org/\S+>\): “Envoys", text, re.M)


def test_what_failed_its_check_is_marked() -> None:
    assert "**(" in answered(told(), Verdict.CONTRADICTED).to_markdown()
    assert "contradicted" in answered(told(), Verdict.CONTRADICTED)._repr_html_()


def test_markup_of_an_article_is_text() -> None:
    hostile = answered(told(title="<script>alert(1)</script> ![x](http://e)"))
    assert "<script>" not in hostile.to_markdown().replace("\\<script\\>", "")
    assert "![x](" not in hostile.to_markdown()
    assert "<script>" not in hostile._repr_html_()


def test_a_repr_is_one_short_line(library: Library) -> None:
    results = (
        library.ask("Who spoke for the Taliban in Tehran?"),
        library.search("Tehran"),
        library.summarize(),
        library.timeline(),
        AddReport(added=1),
    )
    for result in results:
        assert len(repr(result)) < 300
        assert "\n" not in repr(result)
        assert repr(result).startswith(f"<{type(result).__name__} ")


def test_every_result_comes_back_from_its_record(library: Library) -> None:
    answer = library.ask("Who spoke for the Taliban in Tehran?")
    assert Answer.from_dict(answer.to_dict()).to_dict() == answer.to_dict()
    summary, timeline, found = library.summarize(), library.timeline(), library.search("Tehran")
    assert Summary.from_dict(summary.to_dict()).to_dict() == summary.to_dict()
    assert Timeline.from_dict(timeline.to_dict()).to_dict() == timeline.to_dict()
    assert type(found).from_dict(found.to_dict()).to_dict() == found.to_dict()
    report = AddReport(added=1, failed=(Failure("a.pdf", "is empty"),))
    assert AddReport.from_dict(report.to_dict()) == report


@pytest.mark.parametrize("record", [{}, {"question": "?"}, [], None])
def test_another_record_is_an_error_that_says_what_is_wanted(record: object) -> None:
    with pytest.raises(InputError, match=r"no Answer .* wanted what its to_dict\(\) gives"):
        Answer.from_dict(record)  # type: ignore[arg-type]


def test_a_statement_has_a_row_for_each_of_its_sources() -> None:
    (row,) = rows(answered(told()))
    assert row["statement"] == row["quote"] == QUOTE
    assert (row["citation"], row["title"], row["verdict"]) == (1, "Talks in Doha", "supported")


def test_a_table_needs_pandas_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="pip install pandas"):
        answered(told()).to_pandas()
    with pytest.raises(InputError, match="no rows"):
        AddReport().to_pandas()


def test_commands_write_markdown(library: Library, tmp_path: Path) -> None:
    run = CliRunner()
    asked = run.invoke(
        app, ["ask", "--library", str(library.path), "--format", "markdown", "Who spoke for the Taliban in Tehran?"]
    )
    assert "[^1]: " in asked.stdout
    draft = tmp_path / "draft.md"
    draft.write_text("Sher Mohammad Abbas Stanikzai spoke for the Taliban in Tehran.")
    checked = run.invoke(app, ["check", "--library", str(library.path), "--format", "markdown", str(draft)])
    assert checked.stdout.startswith("1. ")
    assert "[^1]: " in checked.stdout
    summed = run.invoke(app, ["summarize", "--library", str(library.path), "--format", "markdown"])
    assert summed.stdout.startswith("**")


def test_the_sides_of_a_conflict_are_a_list_with_their_outlets() -> None:
    true = Verdict.SUPPORTED
    sides = (
        Statement(
            "It landed in Dushanbe.", (cited(article(QUOTE, id="a", source="Harirud Post")),), true, side="the place"
        ),
        Statement(
            "It landed in Tashkent.",
            (replace(cited(article(QUOTE, id="b", source="Northern Wire")), number=2),),
            true,
            side="the place",
        ),
    )
    answer = Answer("Where?", "Where?", sides, citations=tuple(c for s in sides for c in s.citations))
    assert answer.to_markdown().startswith(
        "Sources differ on the place.\n\n"
        "- It landed in Dushanbe.[^1] Harirud Post\n- It landed in Tashkent.[^2] Northern Wire\n\n[^1]: "
    )
    assert Answer.from_dict(answer.to_dict()).text == answer.text
    page = answer._repr_html_()
    assert page.count("Sources differ on the place.") == 1
    assert page.index("the place.") < page.index("Dushanbe") < page.index("Harirud Post") < page.index("Tashkent")
