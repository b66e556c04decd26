from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest
from numpy.typing import NDArray

from rag.ingest.metadata import article
from rag.models.embeddings import Embedded, ModelIdentity
from rag.schema import Article, Passage, Precision, Published, Window
from rag.store.catalog import Catalog, PreparedArticle
from rag.store.chroma import undisturbed
from rag.store.embedding_table import StoredModel
from rag.store.vector_index import VectorIndex

ROOT = Path(__file__).parents[2]
ALL = Window()
MANY = 1200
EXACT = 1000
SIZE = 16
FILES = ("data_level0.bin", "header.bin", "length.bin", "link_lists.bin", "index_metadata.pickle")
"""What Chroma's native code reads without a look at what it is."""
HARMS = ("cut", "gone", "junk", "flipped")


def vectors(count: int, *, seed: int = 0) -> NDArray[np.float32]:
    found = np.random.default_rng(seed).normal(size=(count, SIZE)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def drafted(made: Article, count: int) -> PreparedArticle:
    """An article of `count` passages of one letter each."""
    passages = tuple(Passage(f"{made.id}-{i:04}", made.id, i, i + 1, made.text[i]) for i in range(count))
    return PreparedArticle(made, passages, tuple(p.id for p in passages))


def save(catalog: Catalog, name: str, rows: NDArray[np.float32], *, day: int = 0, source: str = "DW") -> None:
    published = Published(date(2021, 1, 1) + timedelta(day), Precision.DAY)
    made = article(f"{'x' * len(rows)} {name}", id=name, title="T", source=source, published=published)
    draft = drafted(made, len(rows))
    with catalog.writing():
        catalog.embedded.set_model(StoredModel(ModelIdentity("fake", "0"), SIZE))
        catalog.save([draft], {p.id: Embedded(row, None) for p, row in zip(draft.passages, rows, strict=True)})


def nearest(rows: NDArray[np.float32], query: NDArray[np.float32], name: str = "a") -> list[str]:
    return [f"{name}-{i:04}" for i in np.argsort(-(rows @ query), kind="stable")]


def opened_by_chroma(folder: Path) -> Any:
    """What is in its files, past the index that is tested."""
    client = chromadb.PersistentClient(str(folder), settings=chromadb.Settings(anonymized_telemetry=False))
    return client.get_collection("passages", embedding_function=None)


def in_chroma(folder: Path) -> set[str]:
    return set(opened_by_chroma(folder).get(include=[])["ids"])


@pytest.fixture
def catalog(place: Path | str) -> Iterator[Catalog]:
    opened = Catalog(place)
    yield opened
    opened.close()


@pytest.fixture
def index(catalog: Catalog, tmp_path: Path) -> Iterator[VectorIndex]:
    opened = VectorIndex(tmp_path / "vectors", catalog)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of so many passages that Chroma is used; one day and two sources for each 100."""
    folder = tmp_path_factory.mktemp("many")
    catalog = Catalog(folder / "catalog.sqlite")
    save(catalog, "a", vectors(MANY))
    save(catalog, "b", vectors(100, seed=1), day=100, source="ToloNews")
    index = VectorIndex(folder / "vectors", catalog, exact=EXACT)
    index.synchronize()
    index.close()
    catalog.close()
    return folder


@pytest.fixture
def copy(many: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(many, tmp_path / "copy"))


@pytest.fixture
def big(copy: Path) -> Iterator[VectorIndex]:
    catalog = Catalog(copy / "catalog.sqlite")
    opened = VectorIndex(copy / "vectors", catalog, exact=EXACT)
    yield opened
    opened.close()
    catalog.close()


def test_few_candidates_are_compared_one_by_one(catalog: Catalog, index: VectorIndex) -> None:
    rows, query = vectors(50), vectors(1, seed=9)[0]
    save(catalog, "a", rows)
    assert index.search(query, limit=50, window=ALL) == nearest(rows, query)
    assert index.search(query * 7, limit=3, window=ALL) == nearest(rows, query)[:3]


def test_while_the_index_is_written_all_are_compared_even_if_it_is_always_asked(
    catalog: Catalog, tmp_path: Path
) -> None:
    rows, query = vectors(50), vectors(1, seed=9)[0]
    save(catalog, "a", rows)
    catalog.embedded.set_index_version(1)
    index = VectorIndex(tmp_path / "vectors", catalog, exact=0)
    assert index.search(query, limit=5, window=ALL) == nearest(rows, query)[:5]


def test_nothing_is_found_in_an_empty_library(index: VectorIndex) -> None:
    assert index.search(vectors(1)[0], limit=5, window=ALL) == []
    index.synchronize()


def test_equally_near_passages_come_in_the_order_of_their_ids(catalog: Catalog, index: VectorIndex) -> None:
    save(catalog, "a", np.repeat(vectors(1), 20, axis=0))
    assert index.search(vectors(1)[0], limit=5, window=ALL) == [f"a-{i:04}" for i in range(5)]


def test_a_few_articles_are_added_searched_and_removed_without_chroma(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0] = ['tests']\n"
        "from fake_embeddings import FakeEmbeddings; from rag.library import Library\n"
        "with Library(sys.argv[1], embeddings=FakeEmbeddings(), offline=True) as library:\n"
        "    library.load(); library.add('seeds'); found = library.ask('Who spoke for the Taliban?').hits\n"
        "    library.remove(library.articles()[0].id); library.reindex()\n"
        "    print(bool(found), len(library.articles()), 'chromadb' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code, tmp_path], text=True, cwd=ROOT) == "True 0 False\n"
    assert not (tmp_path / "vectors").exists()


def test_the_change_that_passes_the_limit_makes_the_index_of_all(catalog: Catalog, tmp_path: Path) -> None:
    index, folder = VectorIndex(tmp_path / "vectors", catalog, exact=50), tmp_path / "vectors"
    save(catalog, "a", vectors(30))
    index.synchronize()
    catalog.remove(["a"])
    save(catalog, "b", vectors(50, seed=1))
    index.synchronize()
    assert not folder.exists()
    assert not index.is_behind
    save(catalog, "c", vectors(1, seed=2))
    assert index.is_behind
    index.synchronize()
    index.close()
    assert not index.is_behind
    assert in_chroma(folder) == set(catalog.admitted(ALL))


def test_a_stop_before_the_index_is_made_hides_nothing(catalog: Catalog, tmp_path: Path) -> None:
    rows, query, folder = vectors(60), vectors(1, seed=9)[0], tmp_path / "vectors"
    save(catalog, "a", rows)
    index = VectorIndex(folder, catalog, exact=50)
    index.load()
    assert index.search(query, limit=60, window=ALL) == nearest(rows, query)
    assert not folder.exists()
    index.synchronize()
    assert index.search(query, limit=60, window=ALL)[0] == nearest(rows, query)[0]
    index.close()
    assert in_chroma(folder) == set(catalog.admitted(ALL))


def test_an_index_of_few_is_left_as_it_is_until_there_are_many(catalog: Catalog, tmp_path: Path) -> None:
    folder, query = tmp_path / "vectors", vectors(1, seed=9)[0]
    save(catalog, "a", vectors(30))
    save(catalog, "b", vectors(10, seed=1))
    former = VectorIndex(folder, catalog, exact=0)
    former.synchronize()
    former.close()
    index = VectorIndex(folder, catalog, exact=50)
    catalog.remove(["b"])
    save(catalog, "c", vectors(20, seed=2))
    index.synchronize()
    index.check()
    names = [*(f"a-{i:04}" for i in range(30)), *(f"c-{i:04}" for i in range(20))]
    order = np.argsort(-(np.vstack([vectors(30), vectors(20, seed=2)]) @ query), kind="stable")
    assert index.search(query, limit=50, window=ALL) == [names[i] for i in order]
    index.close()
    assert {id[0] for id in in_chroma(folder)} == {"a", "b"}
    save(catalog, "d", vectors(10, seed=3))
    index.synchronize()
    index.close()
    assert in_chroma(folder) == set(catalog.admitted(ALL))


def test_rebuilding_takes_away_an_index_of_few(catalog: Catalog, tmp_path: Path) -> None:
    save(catalog, "a", vectors(30))
    index = VectorIndex(tmp_path / "vectors", catalog, exact=0)
    index.synchronize()
    index.exact = 50
    index.rebuild()
    assert not (tmp_path / "vectors").exists()
    assert index.search(vectors(30)[7], limit=1, window=ALL) == ["a-0007"]
    index.exact = 0
    assert index.is_behind
    index.synchronize()
    assert index.search(vectors(30)[7], limit=1, window=ALL) == ["a-0007"]
    index.check()


def test_chroma_finds_what_comparing_one_by_one_finds(big: VectorIndex) -> None:
    rows = np.vstack([vectors(MANY), vectors(100, seed=1)])
    names = [*(f"a-{i:04}" for i in range(MANY)), *(f"b-{i:04}" for i in range(100))]
    for query in vectors(10, seed=9):
        exact = [names[i] for i in np.argsort(-(rows @ query))[:20]]
        found = big.search(query, limit=20, window=ALL)
        assert len(set(found) & set(exact)) >= 19
        assert found[0] == exact[0]


def test_chroma_holds_the_passages_of_the_catalog_by_cosine(many: Path) -> None:
    collection = opened_by_chroma(many / "vectors")
    assert collection.count() == MANY + 100
    assert collection.configuration["hnsw"]["space"] == "cosine"


def test_a_window_is_a_hard_limit_of_chroma_too(big: VectorIndex) -> None:
    query = vectors(1, seed=1)[0]
    assert big.search(query, limit=1, window=ALL) == ["b-0000"]
    for window in (
        Window(as_of=date(2021, 4, 10)),
        Window(sources=("dw",)),
        Window(sources=("DW", "x"), since=date(2021, 1, 1)),
    ):
        found = big.search(query, limit=500, window=window)
        assert len(found) == 500
        assert {id[0] for id in found} == {"a"}
    assert {id[0] for id in big.search(query, limit=500, window=Window(since=date(2021, 4, 11)))} == {"b"}
    assert big.search(query, limit=500, window=Window(until=date(2020, 1, 1))) == []


@pytest.mark.parametrize("name", ["ToloNews", "Far"])
def test_a_window_that_admits_few_of_many_finds_what_comparing_one_by_one_finds(copy: Path, name: str) -> None:
    catalog = Catalog(copy / "catalog.sqlite")
    query = vectors(1, seed=9)[0]
    rows = {"ToloNews": vectors(100, seed=1), "Far": vectors(60, seed=4) / 9 - query}
    far = (rows["Far"] / np.linalg.norm(rows["Far"], axis=1, keepdims=True)).astype(np.float32)
    save(catalog, "far", far, source="Far")
    few = VectorIndex(copy / "vectors", catalog, exact=50)
    few.synchronize()
    expected = nearest(far, query, "far") if name == "Far" else nearest(rows[name], query, "b")
    found = few.search(query, limit=20, window=Window(sources=(name,)))
    few.close()
    catalog.close()
    assert len(set(found) & set(expected[:20])) >= 19
    assert found[0] == expected[0]


def test_all_that_is_indexed_is_in_the_files_so_that_no_reader_indexes_it_again(many: Path) -> None:
    lengths = next((many / "vectors").glob("*/length.bin"))
    assert lengths.stat().st_size // 4 >= MANY + 100


def test_what_the_index_does_not_have_yet_is_found_and_what_is_gone_is_not(big: VectorIndex) -> None:
    new = vectors(3, seed=5)
    save(big.catalog, "new", new)
    assert big.search(new[1], limit=1, window=ALL) == ["new-0001"]
    big.catalog.remove(["new", "b"])
    assert big.search(new[1], limit=1, window=ALL)[0][0] == "a"
    found = big.search(vectors(1, seed=1)[0], limit=50, window=ALL)
    assert len(found) == 50
    assert {id[0] for id in found} == {"a"}


@pytest.mark.parametrize("loaded", [False, True])
def test_an_index_that_lacks_something_is_not_trusted_the_second_time_either(big: VectorIndex, loaded: bool) -> None:
    new = vectors(3, seed=5)
    save(big.catalog, "new", new)
    big.catalog.embedded.set_indexed(["new-0000", "new-0001", "new-0002"])
    if loaded:
        big.load()
    for _ in range(2):
        assert big.search(new[1], limit=1, window=ALL) == ["new-0001"]


def test_synchronizing_brings_chroma_up_to_the_catalog(big: VectorIndex, copy: Path) -> None:
    big.catalog.remove(["b"])
    save(big.catalog, "new", vectors(3, seed=5))
    big.synchronize()
    assert not big.catalog.embedded.has_changes()
    big.close()
    assert {id.split("-")[0] for id in in_chroma(copy / "vectors")} == {"a", "new"}


@pytest.mark.parametrize(
    "damage",
    [
        *("no database", "killed", "seal.json junk", "header.bin flipped"),
        *(pytest.param(f"{name} {how}", marks=pytest.mark.long) for name in FILES for how in HARMS),
    ],
)
def test_a_damaged_index_still_answers_and_is_made_anew_by_the_next_change(
    big: VectorIndex, copy: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    damaged(copy / "vectors", damage)
    if damage == "killed":
        big.catalog.embedded.set_index_version(big.catalog.embedded.index_version + 1)
    query, rows = vectors(1, seed=9)[0], vectors(MANY)
    expected = big.search(query, limit=5, window=Window(sources=("dw",)))
    assert expected == nearest(rows, query)[:5]
    assert damage == "killed" or "cannot be read" in caplog.text
    caplog.clear()
    save(big.catalog, "new", vectors(3, seed=5))
    big.synchronize()
    assert not big.catalog.embedded.has_changes()
    assert big.search(query, limit=5, window=Window(sources=("dw",))) == expected
    assert big.search(vectors(1, seed=5)[0], limit=1, window=ALL) == ["new-0000"]
    assert not caplog.text


def test_a_copy_of_an_index_is_as_good_as_the_index(
    many: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(many, tmp_path / "copy", copy_function=shutil.copyfile)  # with times of its own
    with closing(Catalog(tmp_path / "copy/catalog.sqlite")) as catalog:
        index = VectorIndex(tmp_path / "copy/vectors", catalog, exact=EXACT)
        assert index.search(vectors(MANY)[77], limit=1, window=ALL) == ["a-0077"]
        index.close()
    assert not caplog.text


def test_who_comes_while_another_writes_the_index_compares_one_by_one(
    big: VectorIndex, copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged(copy / "vectors", "data_level0.bin junk")  # as it may look in the middle
    with undisturbed(copy / "vectors.lock"):
        assert big.search(vectors(MANY)[77], limit=1, window=ALL) == ["a-0077"]
    assert not caplog.text


def test_a_rebuilt_index_has_all_of_it(big: VectorIndex) -> None:
    big.rebuild()
    assert not big.catalog.embedded.has_changes()
    assert big.search(vectors(MANY)[77], limit=1, window=ALL) == ["a-0077"]


@pytest.mark.slow
def test_a_reader_sees_what_another_process_adds(big: VectorIndex, copy: Path) -> None:
    query = vectors(1, seed=77)[0]
    before = big.search(query, limit=1, window=ALL)
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/store']; from test_vector_index import *; p = Path(sys.argv[1]); "
        "catalog = Catalog(p / 'catalog.sqlite'); save(catalog, 'other', vectors(300, seed=77)); "
        "catalog.remove(['b']); VectorIndex(p / 'vectors', catalog, exact=EXACT).synchronize()"
    )
    subprocess.run([sys.executable, "-c", code, copy], check=True, cwd=ROOT)
    assert before != ["other-0000"]
    assert big.search(query, limit=1, window=ALL) == ["other-0000"]
    assert not big.catalog.embedded.has_changes()
    assert big.search(vectors(1, seed=1)[0], limit=1, window=ALL)[0][0] != "b"


def damaged(folder: Path, damage: str) -> None:
    match damage.split():
        case ["no", "database"]:
            (folder / "chroma.sqlite3").write_bytes(b"x" * 5000)
        case ["killed"]:
            for file in folder.glob("*/*.bin"):
                file.write_bytes(b"")
        case [name, how]:
            (file,) = folder.rglob(name)
            harmed(file, how)


def harmed(file: Path, how: str) -> None:
    content = file.read_bytes()
    match how:
        case "cut":
            file.write_bytes(content[: len(content) // 2])
        case "gone":
            file.unlink()
        case "junk":
            file.write_bytes(np.random.default_rng(0).bytes(len(content)))
        case "flipped":
            at = len(content) // 2
            file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


def test_many_are_more_than_are_compared_one_by_one() -> None:
    assert MANY > EXACT
