"""Briefings on a whole library, through the Library and the command line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.digest.briefing import MOST_THEMES, clustered
from rag.library import Library
from rag.schema import Summary, Verdict

FOOTBALL = Path(__file__).parents[1] / "data" / "football"
WAR = re.compile(r"Afghan|Taliban|Kabul|negotiat|peace|military|fighting|troops", re.IGNORECASE)


@pytest.fixture(scope="module")
def football(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    with Library(tmp_path_factory.mktemp("football") / "library", offline=True) as library:
        library.add(str(FOOTBALL))
        summary = library.summarize()
        assert library.summarize().text == summary.text
        return summary


def themes(summary: Summary) -> list[str]:
    headings = [section.heading for section in summary.sections]
    return headings[: next(i for i, heading in enumerate(headings) if heading.startswith("New"))]


def test_a_library_of_football_articles_gets_a_football_briefing(football: Summary) -> None:
    text = " ".join(statement.text for statement in football.statements)
    assert not WAR.search(football.text)
    assert "Ashmoor City are champions" in text
    assert "Wexham Athletic won the cup final 1-0 against Saint Orin" in text
    assert "48 million euros" in football.text
    assert all(statement.verdict is Verdict.SUPPORTED for statement in football.statements)


def test_sections_are_named_by_headlines_of_their_articles(football: Summary) -> None:
    titles = {article.title for article in football.articles}
    assert 2 <= len(themes(football)) <= MOST_THEMES
    assert len(set(themes(football))) == len(themes(football))
    for heading in themes(football):
        assert any(title.startswith(heading.removesuffix("…")) for title in titles)
        assert len(heading) <= 61


def test_the_command_briefs_on_football(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["summarize", "--offline", "--library", str(tmp_path), "--add", str(FOOTBALL), "--quiet"]
    )
    assert result.exit_code == 0
    assert "Wexham Athletic" in result.stdout
    assert not WAR.search(result.stdout)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 10, 60])
def test_every_row_is_in_one_of_at_most_five_clusters(rows: int) -> None:
    vectors = np.random.default_rng(7).normal(size=(rows, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = clustered(vectors)
    assert sorted(place for places in found for place in places) == list(range(rows))
    assert 1 <= len(found) <= MOST_THEMES
    assert found == clustered(vectors)


def test_rows_of_two_directions_are_two_clusters() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.99, 0.14], [0.14, 0.99], [1, 0.05]], np.float32)
    assert clustered(vectors) == [[0, 2, 4], [1, 3]]
