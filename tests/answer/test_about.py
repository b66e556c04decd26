"""Questions about the articles themselves, answered from the catalog."""

from __future__ import annotations

import pytest

from rag.library import Library
from rag.schema import Status, Turn

HEADER = "title: Ferry runs aground\nsource: Brenholm Echo\nauthor: Ida Holt\ndate: 2024-03-04\n\n"
FERRY = f"{HEADER}The ferry Aurora hit a rock."
TRAM = "title: Tram line to close\nsource: Bay Times\n\nThe council closed the tram line. It is old."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("about")
    (folder / "ferry.txt").write_text(FERRY)
    (folder / "tram.txt").write_text(TRAM)
    made = Library(folder / "library")
    made.add(folder / "ferry.txt", folder / "tram.txt")
    return made


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote the article about the ferry?",
        "Who is the author of the news story on the ferry?",
        "When was the article about the ferry published?",
        "On what day was the article on the ferry published?",
        "Which outlet published the article about the ferry?",
    ],
)
def test_author_day_and_outlet_of_an_article_are_told(library: Library, question: str) -> None:
    answer = library.ask(question)
    assert answer.status is Status.ANSWERED
    assert [statement.text for statement in answer.statements] == [
        "“Ferry runs aground” is by Ida Holt, is from Brenholm Echo and was published on 4 March 2024."
    ]
    assert answer.citations[0].quote == "The ferry Aurora hit a rock."


def test_what_an_article_does_not_name_is_said(library: Library) -> None:
    (statement,) = library.ask("Who wrote the article about the tram line?").statements
    assert statement.text == "“Tram line to close” names no author, is from Bay Times and has no known date."


@pytest.mark.parametrize("question", ["Summarize the article about the tram.", "Sum up the article on the tram line"])
def test_a_summary_is_left_to_its_command(library: Library, question: str) -> None:
    answer = library.ask(question)
    assert answer.text.startswith("Possibly: The council closed the tram line.")
    assert "`rag summarize` sums articles up" in answer.warnings[0]


@pytest.mark.parametrize(
    "question", ["Summarize the article", "What is this article about?", "Who wrote this article?"]
)
def test_an_article_that_is_not_named_is_asked_for(library: Library, question: str) -> None:
    answer = library.ask(question)
    assert answer.status is Status.ABSTAINED
    assert "name its subject" in answer.warnings[0]


def test_this_article_is_the_one_that_was_cited_last(library: Library) -> None:
    first = library.ask("Who wrote the article about the ferry?")
    again = library.ask("When was this article published?", history=[Turn("Who?", first.text, first.citations)])
    assert "4 March 2024" in again.text


@pytest.mark.parametrize(
    "question",
    ["Who wrote the constitution?", "When was the report about the ferry published?", "What is the tram about?"],
)
def test_a_question_about_the_world_is_left_to_the_articles(library: Library, question: str) -> None:
    assert "“Ferry runs aground” is by" not in library.ask(question).text
    assert not any("name its subject" in warning for warning in library.ask(question).warnings)
