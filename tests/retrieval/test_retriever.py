"""Search: what is found, spelled otherwise, by outlet, by part and within a window."""

from collections.abc import Iterator
from datetime import date
from itertools import accumulate
from random import Random

import pytest
from fake_embeddings import FakeEmbeddings

from rag.errors import EmptyLibraryError, InputError
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Passage, Turn, Window
from rag.store.catalog import Catalog, PreparedArticle

ARTICLES = [
    article(
        "The Taliban attacked Kalat-e-Nav on Wednesday, residents said. Shops in the centre burned through the night.",
        title="Fighting in the west",
        source="Harirud Post",
        published="2021-07-07",
    ),
    article(
        "Iranian Foreign Minister Javed Zarif opened the meeting of both sides. He asked them for patience.",
        title="Meeting opens",
        source="Harirud Post",
        published="2021-07-08",
    ),
    article(
        "President Emomali Rakhmon ordered reservists to the river. The order took effect at once.",
        title="Reservists called up",
        source="Pamir Wire",
        published="2021-07-05",
    ),
    article(
        "Flights to Mazar-i-Sharif were cancelled. Passengers waited at the gate.",
        title="Flights cancelled",
        source="Pamir Wire",
        published="2021-07-09",
    ),
    article(
        "Sher Mohammad Abbas Stanikzai led the envoys. They left after two days.",
        title="Envoys leave",
        source="Pamir Wire",
        published="2021-07-10",
    ),
    article(
        "The price of bread rose in the capital. Bakers blamed the price of flour.",
        title="Bread is dearer",
        source="Kabul Bazaar",
        published="2021-07-10",
    ),
    article("Bread was short in the capital. Flour was dearer.", title="Undated bread", source="Kabul Bazaar"),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("library")) as made:
        made.add(*ARTICLES)
        yield made


def titles(library: Library, question: str, *, k: int = 3, window: Window = Window()) -> list[str]:
    return [hit.article.title for hit in library.search(question, k=k, window=window).hits]


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What happened in Qala-i-Naw?", "Fighting in the west"),
        ("What did Mohammad Javad Zarif do?", "Meeting opens"),
        ("What did Rahmon order?", "Reservists called up"),
        ("What happened in Mazar-e Sharif?", "Flights cancelled"),
        ("Whom did Stanekzai lead?", "Envoys leave"),
        ("whom did stanekzai lead?", "Envoys leave"),
    ],
)
def test_a_name_that_is_spelled_otherwise_is_found_first(library: Library, question: str, title: str) -> None:
    assert titles(library, question)[0] == title


def test_an_outlet_that_is_asked_gives_all_hits(library: Library) -> None:
    hits = library.search("What did Kabul Bazaar report about the fighting?").hits
    assert {hit.article.source for hit in hits} == {"Kabul Bazaar"}


def test_two_outlets_that_are_asked_both_give_hits(library: Library) -> None:
    hits = library.search("Compare what Pamir Wire reported and what Harirud Post said of the river", k=4).hits
    assert {hit.article.source for hit in hits} == {"Pamir Wire", "Harirud Post"}


def test_an_outlet_that_is_asked_does_not_widen_the_window(library: Library) -> None:
    window = Window(sources=("Pamir Wire",))
    hits = library.search("What did Kabul Bazaar report about flights?", window=window).hits
    assert {hit.article.source for hit in hits} == {"Pamir Wire"}


def test_as_many_hits_as_asked_are_given(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Library(tmp_path_factory.mktemp("many"), embeddings=FakeEmbeddings()) as many:
        many.add(*(article(f"Envoy {n} crossed river {n} on day {n}.", id=f"a{n}") for n in range(1, 151)))
        assert len(many.search("Which envoy crossed the river?", k=150).hits) == 150


def test_each_part_of_a_question_has_a_hit(library: Library) -> None:
    question = "Who ordered reservists to the river, and why is bread dearer?"
    assert {"Reservists called up", "Bread is dearer"} <= set(titles(library, question))


def test_nothing_outside_of_the_window_is_found(library: Library) -> None:
    window = Window(as_of=date(2021, 7, 8), since=date(2021, 7, 6))
    hits = library.search("bread, flights, envoys, reservists, Zarif and Qala-i-Naw", window=window).hits
    assert {hit.article.title for hit in hits} == {"Fighting in the west", "Meeting opens"}


def test_sources_of_a_window_are_matched_in_any_case(library: Library) -> None:
    assert set(titles(library, "bread", window=Window(sources=("kabul bazaar",)))) == {
        "Bread is dearer",
        "Undated bread",
    }


def test_nearly_the_same_text_is_shown_once(library: Library, tmp_path_factory: pytest.TempPathFactory) -> None:
    first = "The governor of Herat said that the city was calm, that the road was open and that shops would open too."
    with Library(tmp_path_factory.mktemp("copies")) as copies:
        copies.add(article(first, title="One"), article(first.replace("calm", "quiet"), title="Two"))
        assert len(titles(copies, "What did the governor of Herat say?")) == 1


def test_the_same_question_gives_the_same_hits_in_the_same_order(library: Library) -> None:
    assert library.search("bread in the capital").hits == library.search("bread in the capital").hits


def test_hits_say_where_each_retriever_put_them(library: Library) -> None:
    hit = library.search("Whom did Stanikzai lead?").hits[0]
    assert (hit.ranks.dense, hit.ranks.lexical) == (1, 1)


def test_scores_fall(library: Library) -> None:
    scores = [hit.score for hit in library.search("bread in the capital").hits]
    assert scores == sorted(scores, reverse=True)


def test_a_follow_up_is_searched_with_the_turn_before(library: Library) -> None:
    history = [Turn("Whom did Stanikzai lead?", "Sher Mohammad Abbas Stanikzai led the envoys.")]
    assert library.search("When did they leave?", history=history).hits[0].article.title == "Envoys leave"


def test_an_empty_library_says_how_to_add(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(EmptyLibraryError, match="rag add"):
        Library(tmp_path_factory.mktemp("empty")).search("Who?")


def test_a_question_without_words_is_refused(library: Library) -> None:
    with pytest.raises(InputError, match="no words in it"):
        library.search("?!")


def test_without_an_embedding_model_words_are_searched(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.models.minilm.PACKAGE", "no_such_package")
    with Library(tmp_path_factory.mktemp("words")) as plain:
        plain.add(*ARTICLES)
        found = plain.search("Whom did Stanekzai lead?")
    assert found.hits[0].article.title == "Envoys leave"
    assert "words only" in found.warnings[0]


def test_articles_are_what_was_added(library: Library) -> None:
    assert sorted(a.title for a in library.articles()) == sorted(a.title for a in ARTICLES)
    assert all(isinstance(a, Article) for a in library.articles())


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """So many passages that neither all words nor all dates are looked at; each is one sentence."""
    random = Random(1)
    texts = [
        f"Convoy {n} met a patrol {'near Ghazni' if n % 5_000 == 7 else 'there'} on {1 + n % 28} July 2021."
        f"{' It was late.' * random.randrange(3)}"
        for n in range(21_000)
    ]
    folder = tmp_path_factory.mktemp("crowded")
    catalog = Catalog(folder / "catalog.sqlite")
    long = [article("\n\n".join(texts[n : n + 500]), id=f"a{n}", published="2021-07-29") for n in range(0, 21_000, 500)]
    catalog.save(map(each_line, long), {})
    catalog.close()
    with Library(folder, offline=True) as made:
        yield made


def each_line(whole: Article) -> PreparedArticle:
    """A passage for each line."""
    ends = list(accumulate(len(line) + 2 for line in whole.text.split("\n\n")))
    starts = [0, *ends[:-1]]
    passages = tuple(
        Passage(f"{whole.id}-{n}", whole.id, a, b - 2, whole.text[a : b - 2])
        for n, (a, b) in enumerate(zip(starts, ends, strict=True))
    )
    return PreparedArticle(whole, passages, (None,) * len(passages))


@pytest.mark.slow
@pytest.mark.parametrize("as_of", [None, date(2021, 8, 1)])
def test_the_rare_words_of_a_question_find_it_among_very_many_passages(crowded: Library, as_of: date | None) -> None:
    hits = crowded.search("Which convoy met a patrol near Ghazni on 8 July 2021?", window=Window(as_of=as_of)).hits
    assert "near Ghazni on 8 July" in hits[0].passage.text


@pytest.mark.slow
@pytest.mark.parametrize("window", [Window(), Window(as_of=date(2021, 8, 1)), Window(since=date(2021, 7, 1))])
def test_words_that_very_many_passages_hold_find_as_many_as_are_asked(crowded: Library, window: Window) -> None:
    assert len(crowded.search("Which convoy met a patrol?", k=20, window=window).hits) == 20
