"""Libraries whose files were damaged: what is wrong is found and named, and nothing wrong is shown."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_embeddings import FakeEmbeddings

from rag.cli.doctor import diagnose
from rag.errors import DamagedError, EmbeddingError, RagError
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Window
from rag.settings import read_settings

ROOT = Path(__file__).parents[2]
QUESTION = "How many soldiers did envoy 7 count in Doha?"
ARTICLES = [
    article(
        f"Envoy {n} counted {n},000 soldiers in Doha on 3 July 2021. "
        + " ".join(f"Point {i} of draft {n} stood, he said." for i in range(20)),
        id=f"a{n:02}",
        title=f"Report {n}",
        source="ToloNews",
        published="2021-07-04",
    )
    for n in range(1, 13)
]
TEXTS = {item.id: item.text for item in ARTICLES}
Harm = Callable[[Path], object]


class Broken(FakeEmbeddings):
    """An embedding model that gives what is no vector."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[self.value] * self.dimensions for _ in texts]


def opened(folder: Path) -> Library:
    return Library(folder, embeddings=FakeEmbeddings(), offline=True)


def indexed(folder: Path) -> Library:
    """A library that has an index of its vectors, however few there are."""
    library = opened(folder)
    library.vectors.exact = 0
    return library


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "library"
    with indexed(folder) as library:
        library.add(*ARTICLES)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "library"))


def problems(folder: Path) -> list[str]:
    """What `rag doctor` finds, but for the model, which is a fake here."""
    found = diagnose(read_settings(library=folder, offline=True, environment={}, file=folder / "config.toml")).problems
    return [problem for problem in found if "made with the embedding model" not in problem]


def sql(*statements: str) -> Harm:
    def harm(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog, catalog:
            for statement in statements:
                catalog.execute(statement)

    return harm


def vector(rows: Any, column: str = "vector") -> Harm:
    """Puts numbers, or bytes, in the place of the vector of the passage that answers the question."""
    blob = rows if isinstance(rows, bytes) else np.asarray(rows, np.float32).tobytes()

    def harm(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog, catalog:
            key = "SELECT embedding FROM passages WHERE article_id = 'a07' ORDER BY number LIMIT 1"
            catalog.execute(f"UPDATE embeddings SET {column} = ? WHERE key = ({key})", [blob])

    return harm


def altered(old: str, new: str, where: str = "a07") -> Harm:
    return sql(f"UPDATE articles SET text = replace(text, '{old}', '{new}') WHERE id = '{where}'")


VECTORS: dict[str, Harm] = {
    "nan": vector([float("nan")] + [0.25] * 15),
    "infinite": vector([float("inf")] * 16),
    "zero": vector([0.0] * 16),
    "long": vector([3.0] * 16),
    "short": vector([0.25] * 8),
    "cut": vector(b"\x00\x01\x02"),
    "empty": vector(b""),
    "sentences": vector(np.full(16, np.nan, np.float16).tobytes(), "sentences"),
    "odd sentences": vector(b"\x00\x01\x02", "sentences"),
    "gone": sql("DELETE FROM embeddings WHERE key = (SELECT embedding FROM passages WHERE article_id = 'a07' LIMIT 1)"),
}


@pytest.mark.parametrize("kind", sorted(VECTORS))
def test_a_damaged_vector_is_found_by_doctor_and_embedded_anew_by_reindex(folder: Path, kind: str) -> None:
    VECTORS[kind](folder)
    assert any("1 vectors are damaged" in problem for problem in problems(folder))
    with opened(folder) as library:
        assert any("7,000" in hit.passage.text for hit in library.search(QUESTION).hits)
        assert library.add(article("Rain fell on Kabul.", id="rain")).added == 1
        assert library.remove("rain") == 1
        library.reindex()
    assert problems(folder) == []
    with opened(folder) as library:
        assert library.search(QUESTION).hits[0].passage.text.startswith("Envoy 7 counted")


def test_sentences_of_an_earlier_version_are_found_by_doctor_and_embedded_anew_by_reindex(folder: Path) -> None:
    vector(np.full(16, 0.25, np.float16).tobytes(), "sentences")(folder)
    assert problems(folder) == ["1 passages have vectors of sentences of an earlier version; run `rag reindex`"]
    with opened(folder) as library:
        assert any("an earlier version embedded some; run `rag reindex`" in w for w in library.summarize().warnings)
        assert library.reindex() == library.catalog.passage_count(Window())
        assert not any("reindex" in warning for warning in library.summarize().warnings)
    assert problems(folder) == []


def test_marks_of_orders_by_another_version_are_found_by_doctor_and_made_anew_by_reindex(folder: Path) -> None:
    sql("UPDATE meta SET value = 'other' WHERE key = 'orders'")(folder)
    assert problems(folder) == ["sentences addressed to a program were marked by another version; run `rag reindex`"]
    with opened(folder) as library:
        assert {a.orders for a in library.articles()} == {None}
        library.reindex()
        assert {a.orders for a in library.articles()} == {()}
    assert problems(folder) == []


def test_a_damaged_vector_that_waits_for_the_index_is_embedded_anew(folder: Path) -> None:
    VECTORS["nan"](folder)
    sql("UPDATE passages SET indexed = 0")(folder)
    with indexed(folder) as library:
        library.add(article("Rain fell on Kabul.", id="rain"))
        library.work()
    assert problems(folder) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_what_is_no_vector_is_not_stored(tmp_path: Path, value: float) -> None:
    with (
        Library(tmp_path, embeddings=Broken(value)) as library,
        pytest.raises(EmbeddingError, match="zero or no numbers; try again, or name another model"),
    ):
        library.add(ARTICLES[0])


def test_an_altered_text_is_an_error_that_names_the_article(folder: Path) -> None:
    altered("7,000", "9,000")(folder)
    (problem,) = problems(folder)
    assert "the text of a07 is not what was added" in problem
    with opened(folder) as library:
        for ask in (library.ask, library.search, library.check):
            with pytest.raises(
                DamagedError, match=r"the text of a07 is not what was added; restore .* `rag remove a07`"
            ):
                ask(QUESTION)
        with pytest.raises(DamagedError, match="a07"):
            library.articles()


def test_an_altered_article_can_be_removed_and_added_again(folder: Path) -> None:
    altered("7,000", "9,000")(folder)
    with opened(folder) as library:
        assert library.remove("a07") == 1
        assert library.add(ARTICLES[6]).added == 1
        assert "7,000" in library.search(QUESTION).hits[0].passage.text
    assert problems(folder) == []


def test_adding_the_true_text_mends_an_altered_one(folder: Path) -> None:
    altered("7,000", "9,000")(folder)
    with opened(folder) as library:
        assert library.add(ARTICLES[6]).updated == 1
        assert "7,000" in library.search(QUESTION).hits[0].passage.text
    assert any("a07" in problem for problem in problems(folder))  # what it said before is not what was added


def test_an_article_of_ones_own_has_the_digest_of_its_text(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        library.add(Article("own", "Own", "Rain fell on Kabul.", sha256="made up"))
        assert [a.id for a in library.articles()] == ["own"]


@pytest.mark.parametrize(("seen", "harm"), [
    ("missing", lambda path: path.unlink()),
    ("empty", lambda path: path.write_bytes(b"")),
    ("a folder", lambda path: (path.unlink(), path.mkdir())),
])  # fmt: skip
def test_doctor_notices_where_a_catalog_should_be(folder: Path, seen: str, harm: Callable[[Path], object]) -> None:
    harm(folder / "catalog.sqlite")
    (problem,) = problems(folder)
    assert f"catalog.sqlite is {seen}; restore it from a backup" in problem


def test_an_altered_id_of_a_passage_is_found_by_doctor(folder: Path) -> None:
    sql("UPDATE passages SET id = number WHERE article_id = 'a07'")(folder)
    (problem,) = problems(folder)
    assert "the id of a passage of a07 is altered; run `rag remove a07` and add the article again" in problem


def test_a_title_that_is_no_text_is_an_error_that_says_so(folder: Path) -> None:
    sql("UPDATE articles SET title = NULL WHERE id = 'a07'")(folder)
    with opened(folder) as library, pytest.raises(DamagedError, match=r"a07 is no article \(its title is None, wanted"):
        library.ask(QUESTION)


def test_doctor_finds_nothing_wrong_where_no_library_is(tmp_path: Path) -> None:
    assert problems(tmp_path / "none") == []


def test_an_index_without_a_seal_is_not_opened(folder: Path) -> None:
    (folder / "vectors" / "seal.json").unlink()
    assert any("seal.json is not as it was left" in problem for problem in problems(folder))
    with indexed(folder) as library:
        assert "7,000" in library.search(QUESTION).hits[0].passage.text
        library.reindex()
    assert problems(folder) == []


@pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")
def test_only_its_user_may_read_a_library(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    before = os.umask(0)
    try:
        with indexed(folder) as library:
            library.add(*ARTICLES[:2])
            seen = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
        folders = {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*")) if path.is_dir()}
    finally:
        os.umask(before)
    assert (seen, folders) == ({0o600}, {0o700})


def files(name: str, harm: Callable[[Path], object], *, sealed: bool) -> Harm:
    """Harms a file of the vector index, and takes its seal away."""

    def harmed(folder: Path) -> None:
        (path,) = (folder / "vectors").rglob(name)
        harm(path)
        if not sealed:
            (folder / "vectors" / "seal.json").unlink()

    return harmed


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def junk(path: Path) -> None:
    path.write_bytes(random.Random(path.name).randbytes(path.stat().st_size))


def flipped(at: int) -> Callable[[Path], None]:
    """Turns 64 bytes round, from a thousandth of the file on."""

    def harm(path: Path) -> None:
        body = bytearray(path.read_bytes())
        start = len(body) * at // 1000
        body[start : start + 64] = bytes(byte ^ 0xA5 for byte in body[start : start + 64])
        path.write_bytes(body)

    return harm


INDEX = ("data_level0.bin", "header.bin", "length.bin", "index_metadata.pickle", "link_lists.bin")
HARMS: dict[str, Harm] = {
    **{f"vector: {kind}": harm for kind, harm in VECTORS.items()},
    **{f"text: {new}": altered(old, new) for old, new in (
        ("7,000", "9,000"), ("Doha", "Oslo"), ("Envoy", ""), ("said", "denied"))},
    **{f"column: {name}": sql(f"UPDATE articles SET {name} WHERE id = 'a07'") for name in (
        "text = NULL", "text = x'0102'", "published = '2021-99-99'", "precision = 'century'", "sha256 = NULL",
        "title = NULL")},
    **{f"passages: {name}": sql(f"UPDATE passages SET {name} WHERE article_id = 'a07'") for name in (
        "id = number", "start = -5", "stop = 99999", "start = 'x'", "stop = start", "embedding = 'none'",
        "article_id = 'gone'")},
    **{f"meta: {name}": sql(f"UPDATE meta SET value = {value} WHERE key = '{name}'") for name, value in (
        ("model_dimensions", "'x'"), ("model_dimensions", "7"), ("generation", "0"), ("index_version", "7"),
        ("model_id", "NULL"))},
    "meta: gone": sql("DELETE FROM meta"),
    "dates": sql("UPDATE event_days SET first = 0, last = 99999999"),
    "orders": sql("INSERT INTO orders VALUES ('a07', -5, 99999)"),
    "indexed": sql("UPDATE passages SET indexed = 1 - indexed"),
    "full text": sql("DELETE FROM lexical_data"),
    "version": sql("PRAGMA user_version = 1"),
    **{f"index: {name} {harm.__name__}": files(name, harm, sealed=False)
       for name in INDEX for harm in (cut, junk, Path.unlink)},
    **{f"index: {name} flipped": files(name, flipped(300), sealed=True) for name in INDEX[:3]},
    **{f"index: log {at}": files("chroma.sqlite3", flipped(at), sealed=True) for at in (0, 100, 400, 700)},
    **{f"index: log {harm.__name__}": files("chroma.sqlite3", harm, sealed=True) for harm in (cut, junk, Path.unlink)},
    **{f"catalog: {at}": lambda folder, at=at: flipped(at)(folder / "catalog.sqlite") for at in range(0, 1000, 90)},
    **{f"catalog: {harm.__name__}": lambda folder, harm=harm: harm(folder / "catalog.sqlite") for harm in (cut, junk)},
    "log: junk": lambda folder: (folder / "catalog.sqlite-wal").write_bytes(b"\xa5" * 5000),
}  # fmt: skip


@pytest.mark.long
def test_no_damage_leads_to_a_crash_or_to_something_that_no_article_says(whole: Path, tmp_path: Path) -> None:
    assert len(HARMS) >= 60
    command = [sys.executable, __file__, str(whole), str(tmp_path)]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    done = subprocess.run(command, cwd=ROOT, env=paths, text=True, capture_output=True, check=False)
    outcomes = dict(json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 0, (done.returncode, list(outcomes)[-1:], done.stderr[-2000:])
    assert {kind: seen for kind, seen in outcomes.items() if seen.startswith("wrong")} == {}
    assert list(outcomes) == list(HARMS)


def outcomes(whole: Path, room: Path) -> Iterator[tuple[str, str]]:
    with opened(whole) as library:
        wanted = shown(library)
    for number, (kind, harm) in enumerate(HARMS.items()):
        folder = Path(shutil.copytree(whole, room / str(number)))
        harm(folder)
        yield kind, outcome(folder, wanted)
        shutil.rmtree(folder)


def outcome(folder: Path, wanted: list[str]) -> str:
    """What a damaged library leads to; "wrong" where something is shown that no article says, or nothing is noticed."""
    noticed = bool(problems(folder))
    try:
        with indexed(folder) as library:
            seen = shown(library)
            library.add(article("Rain fell on Kabul.", id="rain"))
    except RagError as error:
        return f"error: {error}"
    if seen == wanted:
        return "right"
    return "noticed" if noticed else f"wrong: {seen}"


def shown(library: Library) -> list[str]:
    answer = library.ask(QUESTION)
    hits = library.search(QUESTION).hits
    for quote in (*(c.quote for c in answer.citations), *(hit.passage.text for hit in hits)):
        assert any(quote in text for text in TEXTS.values()), quote
    return [answer.text, *(hit.passage.text for hit in hits[:1])]


if __name__ == "__main__":
    for pair in outcomes(Path(sys.argv[1]), Path(sys.argv[2])):
        print(json.dumps(pair), flush=True)
