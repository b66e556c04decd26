"""Wire copies: one report under several headlines is found once, shown once and counted once."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answer import extractive
from rag.ingest.metadata import article
from rag.library import Library
from rag.retrieval.near_duplicates import clusters, contained
from rag.schema import Answer, Article

PARAGRAPHS = (
    "The governor of Herat opened the bridge over the Harirud on Monday after two years of work by local builders.",
    "About 40 lorries crossed it in the first hour, a customs officer said, and shops near the river stayed open late.",
    "The bridge had been closed since a flood in spring, when its middle pillar was carried away by the water.",
)
WIRE = article("\n\n".join(PARAGRAPHS), title="Bridge opens", source="Pamir Wire", published="2021-07-05", id="wire")
COPY = article(
    "\n\n".join(PARAGRAPHS[:2]), title="Lorries return to Herat", source="Herat News", published="2021-07-06", id="copy"
)
CORRECTED = article(
    PARAGRAPHS[1].replace("40", "60") + "\n\n" + PARAGRAPHS[2],
    title="Correction: traffic on the bridge",
    source="Herat News",
    published="2021-07-07",
    id="corrected",
)
OTHER = article(
    "In Herat the bridge over the river has carried about 40 lorries in its first hour, drivers told this paper.",
    title="Drivers are glad",
    source="Kabul Ledger",
    published="2021-07-06",
    id="other",
)


def ids(articles: list[Article]) -> list[list[str]]:
    return [[a.id for a in cluster] for cluster in clusters(articles)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("copies")) as made:
        made.add(WIRE, COPY, CORRECTED, OTHER)
        yield made


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answer]:
    """What is asked where another outlet has one sentence of the report, in an article of its own."""
    text = (
        f"{PARAGRAPHS[0]}\n\nThis paper saw drivers wait for the old ferry, whose captain had waived the fare. He has "
        "rowed people and sheep over since he was a boy, and his father did so before him; now he means to fish."
    )
    other = article(text, title="Drivers are glad", source="Kabul Ledger", published="2021-07-06", id="own")
    with Library(tmp_path_factory.mktemp("outlets")) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(extractive, "confidence", lambda *_: 1.0)
        made.add(WIRE, COPY, other)
        yield made.ask("Who opened the bridge over the Harirud?")


def test_a_copy_with_another_headline_and_fewer_paragraphs_is_in_the_cluster_of_its_original() -> None:
    assert ids([COPY, OTHER, WIRE]) == [["wire", "copy"], ["other"]]


@settings(max_examples=50, deadline=None)
@given(st.permutations([WIRE, COPY, CORRECTED, OTHER]))
def test_the_order_of_the_articles_changes_no_cluster(articles: list[Article]) -> None:
    assert ids(articles) == [["wire", "copy", "corrected"], ["other"]]


def test_a_copy_that_corrects_a_number_is_not_contained_in_its_original() -> None:
    assert contained(COPY.text, [WIRE.text]) == 1
    assert contained(CORRECTED.text, [WIRE.text]) == 0


def test_a_search_shows_the_original_and_not_its_copy(library: Library) -> None:
    found = [hit.article.id for hit in library.search("lorries on the bridge").hits]
    assert "wire" in found
    assert "copy" not in found


def test_a_correction_is_found_beside_what_it_corrects(library: Library) -> None:
    assert "corrected" in [hit.article.id for hit in library.search("lorries on the bridge").hits]


def test_an_answer_counts_independent_outlets(answer: Answer) -> None:
    told = next(s for s in answer.statements if "governor of Herat" in s.text)
    assert told.outlets == ("Pamir Wire", "Kabul Ledger")
    assert "(reported by 2 independent outlets)" in answer.text
    assert ["Pamir Wire", "Kabul Ledger"] in [s.get("outlets") for s in answer.to_dict()["statements"]]


def test_many_copies_crowd_out_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    copies = [
        article(
            "\n\n".join(PARAGRAPHS[: 2 + n % 2]) + f"\n\nSeen by desk {chr(97 + n % 26) * (1 + n // 26)}.",
            title=f"Bridge {n}",
            id=f"c{n}",
        )
        for n in range(40)
    ]
    with Library(tmp_path_factory.mktemp("crowd")) as crowd:
        crowd.add(*copies, OTHER)
        found = [hit.article.id for hit in crowd.search("lorries on the bridge over the Harirud").hits]
    assert "other" in found
