"""Query: what a question asks for."""

import pytest

from rag.retrieval.query import read


def test_the_outlets_that_are_asked_are_known_from_the_outlets_that_there_are() -> None:
    outlets = ["The White House", "TOLOnews", "Ariana"]
    assert read("What did TOLOnews report about Herat?", sources=outlets).sources == ("TOLOnews",)
    assert read("According to the White House, who won?", sources=outlets).sources == ("The White House",)
    assert read("Compare what Ariana reported and what TOLOnews said", sources=outlets).sources == (
        "Ariana",
        "TOLOnews",
    )


def test_an_outlet_that_is_only_talked_about_is_not_asked() -> None:
    assert read("Who visited the White House in July?", sources=["The White House"]).sources == ()


def test_clauses_are_parts_and_a_list_of_nouns_is_not() -> None:
    assert read("Who opened the talks, and how many soldiers fled?").parts == (
        "Who opened the talks",
        "how many soldiers fled",
    )
    assert read("Which Turkish and Russian consulates closed?").parts == ()


def test_names_are_found_in_a_question_without_capitals() -> None:
    assert set(read("who is stanekzai?").name_keys) & set(read("Stanikzai").name_keys)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Where did the meeting take place?", ("meet",)),
        ("When did the attack happen?", ("attack",)),
        ("Who took part in the talks?", ("talk",)),
        ("What happened?", ("happen",)),
        ("Where did they place the guns?", ("place", "gun")),
    ],
)
def test_that_something_took_place_is_not_looked_for(text: str, terms: tuple[str, ...]) -> None:
    assert read(text).terms == terms
