from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import psycopg
import pytest
from fake_embeddings import FakeEmbeddings

from rag.errors import DamagedError, InputError, LibraryError
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.embeddings import Embedded, ModelIdentity
from rag.schema import Article, Passage, Precision, Published, Window
from rag.store.catalog import Catalog, PreparedArticle
from rag.store.embedding_table import StoredModel
from rag.text.names import keys
from rag.text.words import content_words

ALL = Window()
JULY_7 = Published(date(2021, 7, 7), Precision.DAY)
JULY = Published(date(2021, 7, 1), Precision.MONTH)
AUGUST_1 = Published(datetime(2021, 8, 1, 9, 30, tzinfo=UTC), Precision.TIME)


@pytest.fixture
def catalog(place: Path | str) -> Iterator[Catalog]:
    opened = Catalog(place)
    yield opened
    opened.close()


def drafted(made: Article, *, vector: float | None = 1.0) -> PreparedArticle:
    """An article with a passage for each line."""
    passages, start = [], 0
    for line in made.text.splitlines(keepends=True):
        text = line.rstrip("\n")
        id = f"{made.id}-{made.revision}-{start}"
        passages.append(Passage(id, made.id, start, start + len(text), text))
        start += len(line)
    return PreparedArticle(made, tuple(passages), tuple(None if vector is None else f"k{vector}" for _ in passages))


def save(catalog: Catalog, *articles: Article) -> None:
    catalog.save((drafted(a) for a in articles), {"k1.0": embedded(1.0)})


def embedded(value: float) -> Embedded:
    return Embedded(np.array([value, 0], np.float32), np.array([[value, 0], [0, value]], np.float16))


def found(catalog: Catalog, question: str, window: Window = ALL) -> list[str]:
    return catalog.lexical(content_words(question), limit=10, window=window)


TEHRAN = article(
    "Talks opened in Tehran.\nThey end today.", id="tehran", title="Talks", source="ToloNews", published=JULY_7
)
DOHA = article("Talks went on in Doha.", id="doha", title="More talks", source="DW", published=AUGUST_1)
KABUL = article("Kabul waits for the talks.", id="kabul", title="Waiting", source="DW", published=JULY)
UNDATED = article("Nobody dated these talks.", id="undated", title="Undated")


def test_gives_back_what_was_saved(catalog: Catalog) -> None:
    save(catalog, TEHRAN, DOHA, KABUL, UNDATED)
    assert catalog.articles() == [DOHA, KABUL, TEHRAN, UNDATED]
    assert catalog.articles(["kabul", "nowhere", "doha", "kabul"]) == [KABUL, DOHA]
    assert catalog.article("tehran") == TEHRAN
    assert catalog.article_count == 4
    assert catalog.sources() == ["DW", "ToloNews"]


def test_counts_sources_and_years_are_of_what_is_there_now(catalog: Catalog) -> None:
    july = Window(as_of=date(2021, 7, 31))
    save(catalog, TEHRAN)
    assert (catalog.passage_count(july), catalog.sources(july), catalog.years()) == (2, ["ToloNews"], [2021])
    save(catalog, DOHA, KABUL, article("Nobody dated it.", id="undated", title="Undated", source="DW"))
    assert (catalog.passage_count(july), catalog.sources(july)) == (3, ["DW", "ToloNews"])
    catalog.remove(["tehran", "doha", "kabul"])
    assert (catalog.passage_count(july), catalog.sources(july), catalog.years()) == (0, [], [])
    assert catalog.sources() == ["DW"]


def test_as_of_the_last_day_words_find_what_they_find_without_a_day(catalog: Catalog) -> None:
    texts = [f"Envoy {n % 7} met envoy {n % 5}. " + "The river rose. " * (n % 4) for n in range(80)]
    save(catalog, *(article(text, id=f"a{n}", source=f"S{n % 3}", published=JULY_7) for n, text in enumerate(texts)))
    catalog.remove([f"a{n}" for n in range(10, 80, 9)])
    for window in (ALL, Window(sources=("S1",)), Window(since=date(2021, 7, 1)), Window(until=date(2021, 7, 8))):
        for question in ("envoy", "river rose", "Envoy 3 met envoy 4 at the river"):
            terms = content_words(question)
            expected = catalog.lexical(terms, limit=15, window=window)
            assert catalog.lexical(terms, limit=15, window=replace(window, as_of=date(2021, 9, 1))) == expected
    assert catalog.lexical(terms, limit=15, window=Window(as_of=date(2021, 7, 6))) == []


def test_gives_passages_with_their_vectors_in_the_order_asked_for(catalog: Catalog) -> None:
    save(catalog, TEHRAN, DOHA)
    stored = catalog.passages(["doha-1-0", "nothing", "tehran-1-24"])
    assert [s.passage.text for s in stored] == ["Talks went on in Doha.", "They end today."]
    assert stored[0].vector is not None
    assert stored[0].vector.tolist() == [1, 0]
    assert stored[0].sentences is not None
    assert stored[0].sentences.tolist() == [[1, 0], [0, 1]]
    assert stored[0].sentences.dtype == np.float16


def test_a_passage_without_an_embedding_has_no_vector(catalog: Catalog) -> None:
    catalog.save([drafted(DOHA, vector=None)], {})
    (stored,) = catalog.passages(["doha-1-0"])
    assert stored.vector is None
    assert stored.sentences is None
    assert catalog.embedded.missing(10) == ["doha-1-0"]
    assert catalog.vectors(ALL).ids == ()


def test_an_unknown_article_is_an_error_that_names_it(catalog: Catalog) -> None:
    with pytest.raises(InputError, match="no article has the id 'nowhere'; `rag articles`"):
        catalog.article("nowhere")


def test_words_are_found_by_their_stems_in_text_and_header(catalog: Catalog) -> None:
    save(catalog, TEHRAN, DOHA, KABUL, UNDATED)
    assert found(catalog, "waiting") == ["kabul-1-0"]
    assert sorted(found(catalog, "tolonews")) == ["tehran-1-0", "tehran-1-24"]
    assert set(found(catalog, "talk")) >= {"tehran-1-0", "doha-1-0", "kabul-1-0", "undated-1-0"}
    assert found(catalog, "opium") == []
    assert catalog.lexical([], limit=10, window=ALL) == []
    assert catalog.lexical(["talk"], limit=0, window=ALL) == []


def test_names_are_found_in_another_spelling(catalog: Catalog) -> None:
    qanuni = article("The talks with Yunus Qanuni went on.", id="q", title="Talks")
    save(catalog, qanuni, DOHA)
    assert catalog.lexical(keys("Younus Qanooni"), limit=10, window=ALL) == ["q-1-0"]
    assert catalog.frequencies(keys("Qanooni"))[keys("Qanooni")[0]] == 1


def test_equally_good_passages_come_in_the_order_of_their_ids(catalog: Catalog) -> None:
    twins = [article("The same words here.", id=id, title="T") for id in ("c", "a", "b")]
    save(catalog, *twins)
    assert found(catalog, "words") == ["a-1-0", "b-1-0", "c-1-0"]


@pytest.mark.parametrize(
    "term", ['"', '""', "*", "NEAR(", "a OR b", "-", "header:", "^", "(", "\0", "", "'", "é", "🙂"]
)
def test_no_term_is_taken_for_an_operator(catalog: Catalog, term: str) -> None:
    save(catalog, TEHRAN)
    assert catalog.lexical([term], limit=10, window=ALL) == []
    assert catalog.frequencies([term]) == {term: 0}


def test_frequencies_count_the_passages_that_hold_a_stem(catalog: Catalog) -> None:
    save(catalog, TEHRAN, DOHA, article("A café, one café: cost 3.5 or 1,000.", id="cafe", title="Café"))
    assert catalog.frequencies(["talk", "doha", "café", "3.5", "1000", "none"]) == {
        "talk": 3,
        "doha": 1,
        "café": 1,
        "3.5": 1,
        "1000": 1,
        "none": 0,
    }


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(), {"tehran", "doha", "kabul", "undated"}),
        (Window(as_of=date(2021, 7, 7)), {"tehran"}),
        (Window(as_of=date(2021, 7, 31)), {"tehran", "kabul"}),
        (Window(until=date(2021, 7, 6)), set()),
        (Window(as_of=date(2022, 1, 1), until=date(2021, 7, 30)), {"tehran"}),
        (Window(since=date(2021, 7, 1)), {"tehran", "kabul", "doha"}),
        (Window(since=date(2021, 7, 2)), {"tehran", "doha"}),
        (Window(since=date(2021, 8, 1), until=date(2021, 8, 1)), {"doha"}),
        (Window(sources=("dw",)), {"doha", "kabul"}),
        (Window(sources=("TOLONEWS", "nobody")), {"tehran"}),
        (Window(sources=("DW",), as_of=date(2021, 7, 31)), {"kabul"}),
    ],
)
def test_a_window_is_a_hard_limit(catalog: Catalog, window: Window, expected: set[str]) -> None:
    save(catalog, TEHRAN, DOHA, KABUL, UNDATED)
    assert {id.split("-")[0] for id in found(catalog, "talks", window)} == expected
    assert {id.split("-")[0] for id in catalog.vectors(window).ids} == expected
    passages = sum(2 if name == "tehran" else 1 for name in expected)
    assert catalog.passage_count(window) == catalog.embedded.count(window) == passages


def test_a_new_revision_replaces_the_old_one_which_is_kept_but_not_found(catalog: Catalog) -> None:
    save(catalog, DOHA)
    corrected = article("Talks went on in Muscat.", id="doha", title="More talks")
    second = Article(**{f: getattr(corrected, f) for f in corrected.__slots__} | {"revision": 2})
    catalog.embedded.set_indexed(["doha-1-0"])
    save(catalog, second)
    assert found(catalog, "doha") == []
    assert found(catalog, "muscat") == ["doha-2-0"]
    assert catalog.article("doha") == second
    assert catalog.revisions("doha") == [DOHA]
    assert catalog.embedded.deletions() == ["doha-1-0"]


def test_a_removed_article_leaves_nothing_behind(catalog: Catalog) -> None:
    save(catalog, DOHA, KABUL)
    catalog.remove(["doha"])
    assert catalog.articles() == [KABUL]
    assert found(catalog, "doha") == []
    assert catalog.passages(["doha-1-0"]) == []
    assert catalog.embedded.known(["k1.0"]) == {"k1.0"}
    catalog.remove(["kabul"])
    assert catalog.embedded.known(["k1.0"]) == set()


def test_every_change_raises_the_generation_and_is_seen_by_others(catalog: Catalog, place: Path | str) -> None:
    reader = Catalog(place)
    before = reader.generation
    save(catalog, DOHA)
    assert reader.generation > before
    assert reader.article("doha") == DOHA
    save(catalog, article("Muscat.", id="doha", title="Changed"))
    assert reader.article("doha").title == "Changed"
    reader.close()


def test_a_change_that_fails_halfway_changes_nothing(catalog: Catalog) -> None:
    save(catalog, DOHA)
    before = catalog.generation
    twice = drafted(KABUL)
    with pytest.raises(LibraryError):
        catalog.save([drafted(TEHRAN), PreparedArticle(KABUL, twice.passages * 2, twice.keys * 2)], {})
    assert catalog.articles() == [DOHA]
    assert catalog.generation == before
    save(catalog, KABUL)


def test_remembers_the_embedding_model(catalog: Catalog) -> None:
    assert catalog.embedded.model is None
    stored = StoredModel(ModelIdentity("minilm", "53aa"), 384)
    catalog.embedded.set_model(stored)
    assert catalog.embedded.model == stored
    catalog.embedded.forget_model()
    assert catalog.embedded.model is None


def test_words_can_be_indexed_anew(catalog: Catalog, place: Path | str) -> None:
    save(catalog, TEHRAN, DOHA)
    expected = found(catalog, "talks tehran")
    with psycopg.connect(place) if isinstance(place, str) else sqlite3.connect(place) as other:
        other.execute("DELETE FROM lexical")
    assert found(catalog, "talks tehran") == []
    catalog.rebuild_lexical()
    assert found(catalog, "talks tehran") == expected


def test_threads_share_a_catalog(catalog: Catalog) -> None:
    save(catalog, TEHRAN, DOHA, KABUL)
    with ThreadPoolExecutor(8) as pool:
        texts = pool.map(lambda _: [s.passage.text for s in catalog.passages(found(catalog, "doha"))], range(200))
    assert set(map(tuple, texts)) == {("Talks went on in Doha.",)}


def test_a_newer_catalog_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "catalog.sqlite") as newer:
        newer.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match=r"has version 99 .* wanted at most 5; upgrade"):
        Catalog(tmp_path / "catalog.sqlite")


@pytest.mark.parametrize("place", [0, 5000])
def test_a_damaged_catalog_says_what_to_do(tmp_path: Path, place: int) -> None:
    path = tmp_path / "catalog.sqlite"
    catalog = Catalog(path)
    save(catalog, *(article(f"Talks {n}. " * 50, id=f"a{n}", title="T") for n in range(50)))
    catalog.close()
    content = bytearray(path.read_bytes())
    content[place : place + 40_000] = b"x" * 40_000
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=r"is damaged: .*; run `rag reindex`, .* restore it from a backup"):
        found(Catalog(path), "talks")


def test_opening_a_catalog_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    catalog = Catalog(path)
    save(catalog, DOHA)
    catalog.close()
    before = path.read_bytes(), path.stat().st_mtime_ns
    reader = Catalog(path)
    assert found(reader, "doha") == ["doha-1-0"]
    reader.close()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="wants to become a user who may only read")
def test_a_catalog_in_a_folder_that_cannot_be_written_answers(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite")
    save(catalog, DOHA)
    catalog.close()
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    (tmp_path / "catalog.sqlite").chmod(0o644)  # as its user may do for others
    code = (
        "import os, sys; from pathlib import Path; from rag.store.catalog import Catalog; os.setuid(65534); "
        "catalog = Catalog(Path(sys.argv[1])); print(catalog.articles()[0].id, catalog.frequencies(['doha'])['doha'])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "catalog.sqlite")]
    assert subprocess.check_output(command, text=True, cwd=Path(__file__).parents[2]) == "doha 1\n"


def test_passages_of_more_articles_than_are_cached_are_found(tmp_path: Path) -> None:
    with Library(tmp_path, embeddings=FakeEmbeddings()) as library:
        library.add(*(article(f"Report {n} from the river.", id=f"a{n:03d}") for n in range(300)))
        ids = [library.catalog.passage_ids(f"a{n:03d}")[0] for n in range(300)]
        for part in (ids[:200], ids[150:], ids):
            assert [s.passage.id for s in library.catalog.passages(part)] == part


def test_both_catalogs_find_the_same_passages_in_the_same_order(tmp_path: Path, database: str) -> None:
    rng = np.random.default_rng(7)
    known = ["talks", "Doha", "Kabul", "troops", "Café", "1,000", "U.S. troops", "Younus Qanooni", "ceasefire", "over"]
    made = [
        article(
            " ".join(rng.choice(known, size=rng.integers(1, 40))),
            id=f"a{n:03}",
            title=f"Report {n % 7}",
            source=["DW", "ToloNews", None][n % 3],
            published=Published(date(2021, 7, 1 + n % 28), Precision.DAY) if n % 5 else None,
        )
        for n in range(120)
    ]
    catalogs = [Catalog(tmp_path / "catalog.sqlite"), Catalog(database)]
    for catalog in catalogs:
        save(catalog, *made)
        catalog.remove([f"a{n:03}" for n in range(0, 120, 11)])
    questions = [
        ["talk"],
        ["doha", "kabul"],
        ["1000", "cafe", "troop"],
        [*keys("Yunus Qanuni"), "usa"],
        ["none", "over"],
    ]
    windows = [ALL, Window(as_of=date(2021, 7, 9)), Window(since=date(2021, 7, 20)), Window(sources=("dw",))]
    for terms in questions:
        for window in windows:
            one, other = (catalog.lexical(terms, limit=50, window=window) for catalog in catalogs)
            assert one == other
        assert catalogs[0].frequencies(terms) == catalogs[1].frequencies(terms)
    assert catalogs[1].lexical(["talk"], limit=50, window=ALL)
    for catalog in catalogs:
        catalog.close()


def test_a_word_counts_as_often_as_it_stands_in_a_passage(catalog: Catalog) -> None:
    save(catalog, *(article("talks " * n + "river " * (40 - n), id=f"a{n:02}", title="T") for n in range(1, 40)))
    assert found(catalog, "talks") == [f"a{n:02}-1-0" for n in range(39, 29, -1)]


def test_words_are_counted_in_one_state_while_another_process_writes(catalog: Catalog, place: Path | str) -> None:
    reader, made = Catalog(place), [article(f"Talks {n}.", id=f"a{n}", title="T") for n in range(20)]
    save(catalog, *made)
    with ThreadPoolExecutor(1) as beside:
        writing = beside.submit(lambda: [_again(catalog, made) for _ in range(12)])
        while not writing.done():
            reader.lexical(["talk"], limit=5, window=ALL)
        writing.result()
    assert len(reader.lexical(["talk"], limit=50, window=ALL)) == 20
    reader.close()


def _again(catalog: Catalog, made: list[Article]) -> None:
    catalog.remove([a.id for a in made[1:]])
    save(catalog, *made[1:])
