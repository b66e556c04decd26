"""A library on servers: PostgreSQL for the catalog, Chroma's own for the vectors; both are real, on loopback."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from fake_embeddings import FakeEmbeddings
from services import MissingProgramError, Service, chroma, fresh_database, postgres
from typer.testing import CliRunner

from rag.cli.app import app
from rag.errors import InputError, LockedError, ServerError
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Precision, Published, Window
from rag.store.database import chroma_server
from rag.store.vector_index import VectorIndex

ROOT = Path(__file__).parents[2]


def place(n: int) -> str:
    """A name that no other number has."""
    return "Qal" + "".join("bdfghklmnr"[int(digit)] + "a" for digit in f"{n:03}")


def story(n: int) -> Article:
    published = Published(date(2021, 7, 1 + n % 28), Precision.DAY)
    text = f"Envoy Rahimi met the elders of {place(n)} on prisoners.\nThey spoke for {n + 2} hours."
    return article(text, id=f"story{n:03}", title=f"Elders of {place(n)}", source="DW", published=published)


@pytest.fixture(scope="module")
def index_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    try:
        with chroma(tmp_path_factory.mktemp("chroma") / "server") as service:
            yield service
    except MissingProgramError as error:
        pytest.skip(str(error))


@pytest.fixture
def shared(tmp_path: Path, database: str, index_server: Service) -> Iterator[Library]:
    with opened(tmp_path / "folder", database, index_server.url) as library:
        yield library


def opened(folder: Path, database: str, url: str) -> Library:
    """A library that asks Chroma however few passages there are."""
    library = Library(folder, catalog=database, chroma=url, embeddings=FakeEmbeddings(), offline=True)
    library.__dict__["vectors"] = VectorIndex(chroma_server(url, origin="test"), library.catalog, exact=0)
    return library


def test_a_library_on_servers_finds_and_answers_as_one_in_a_folder(shared: Library, tmp_path: Path) -> None:
    with Library(tmp_path / "local", embeddings=FakeEmbeddings(), offline=True) as local:
        for library in (shared, local):
            assert library.add(*map(story, range(30))).added == 30
            assert library.add(story(3)).unchanged == 1
            library.remove("story007")
        for window in (Window(), Window(as_of=date(2021, 7, 9)), Window(sources=("nobody",))):
            for question in (
                f"Who met the elders of {place(12)}?",
                f"How long did they speak with the elders of {place(5)}?",
            ):
                one, other = (library.ask(question, window=window) for library in (shared, local))
                assert one.hits == other.hits
                assert one.to_dict() | {"timings": {}} == other.to_dict() | {"timings": {}}
        assert shared.ask(f"Who met the elders of {place(12)}?").statements
        assert [a.id for a in shared.articles()] == [a.id for a in local.articles()]


def test_the_vectors_on_the_server_follow_every_change(shared: Library) -> None:
    shared.add(*map(story, range(10)))
    assert not shared.catalog.embedded.has_changes()
    shared.add(article("The envoy went home.", id="story004", title="Home"))
    shared.remove("story005")
    shared.vectors.check()
    assert shared.catalog.embedded.indexed_count() == shared.catalog.passage_count(Window()) == 9
    assert shared.reindex() == 9
    shared.vectors.check()


def test_two_libraries_on_one_index_server_keep_apart(
    shared: Library, index_server: Service, database_server: Service, tmp_path: Path
) -> None:
    with opened(tmp_path / "other", fresh_database(database_server), index_server.url) as other:
        shared.add(*map(story, range(5)))
        other.add(*map(story, range(3)))
        other.reindex()
        shared.vectors.check()
        assert {hit.article.id for hit in other.search("elders").hits} <= {f"story{n:03}" for n in range(3)}


def test_many_processes_add_at_once_and_each_article_is_there_once(shared: Library, index_server: Service) -> None:
    database = shared._database
    assert database

    def add(first: int) -> int:
        with opened(shared.path, database, index_server.url) as library:
            return library.add(*map(story, range(first, first + 20))).added

    with ThreadPoolExecutor(4) as pool:  # each has connections of its own, as processes have
        added = list(pool.map(add, [0, 10, 20, 10]))
    assert sum(added) == 40
    assert len(shared.articles()) == 40
    assert not shared.catalog.embedded.has_changes()
    assert not shared.catalog.embedded.missing(1)
    shared.vectors.check()


def test_what_one_worker_has_claimed_another_leaves_to_it(database: str, tmp_path: Path) -> None:
    with Library(tmp_path, catalog=database) as one, Library(tmp_path, catalog=database) as other:
        one._given = other._given = None
        for library in (one, other):
            library.__dict__["embeddings"] = None  # so that nothing is embedded as it is added
        one.add(*map(story, range(100)))
        with one.catalog.claiming():
            mine = one.catalog.embedded.missing(60)
            theirs = other.catalog.embedded.missing(100)
            with other.catalog.claiming():
                claimed = other.catalog.embedded.missing(100)
        assert len(mine) == 60
        assert set(claimed) == {id for id in all_ids(one) if id not in mine}
        assert not set(theirs) & set(mine)


def all_ids(library: Library) -> list[str]:
    return [id for found in library.articles() for id in library.catalog.passage_ids(found.id)]


def test_a_worker_that_is_killed_leaves_its_claim_to_others(database: str, tmp_path: Path) -> None:
    with Library(tmp_path, catalog=database) as library:
        library.__dict__["embeddings"] = None
        library.add(*map(story, range(10)))
    code = (
        "import sys; from rag.store.catalog import Catalog; catalog = Catalog(sys.argv[1])\n"
        "with catalog.claiming():\n"
        "    print(len(catalog.embedded.missing(1000)), flush=True); sys.stdin.read()"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code, database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert worker.stdout
    assert worker.stdout.readline() == "10\n"
    with Library(tmp_path, catalog=database, embeddings=FakeEmbeddings(), offline=True) as other:
        assert other.work() == 0
        worker.kill()
        worker.communicate()
        while not (done := other.work()):
            pass  # the server notices the broken connection in a moment
        assert done == 10
        assert other.work() == 0


def test_a_writer_waits_for_another_and_says_so(shared: Library, database: str, tmp_path: Path) -> None:
    told: list[str] = []
    with Library(tmp_path, catalog=database, embeddings=FakeEmbeddings()) as other:
        with (
            shared.catalog.alone("articles", wait=1, on_wait=told.append),
            pytest.raises(LockedError, match=r"writing articles to postgresql://.* for 0\.05 s; try again"),
        ):
            other.add(story(1), wait=0.05, progress=lambda done, total, text: told.append(text))
        assert told[-1].startswith("waiting for another process that is writing articles to postgresql://127.0.0.1")
        assert other.add(story(1)).added == 1


@pytest.mark.slow
def test_while_the_index_server_is_away_answers_stay_and_articles_are_kept(database: str, tmp_path: Path) -> None:
    with chroma(tmp_path / "server") as server, opened(tmp_path / "folder", database, server.url) as library:
        library.add(*map(story, range(10)))
        before = library.search(f"Who met the elders of {place(4)}?").hits
        server.kill()
        assert library.search(f"Who met the elders of {place(4)}?").hits == before
        report = library.add(story(11))
        assert report.added == 1
        assert "the Chroma server at http://127.0.0.1" in report.warnings[0]
        assert "`rag work`" in report.warnings[0]
        assert library.search(f"Who met the elders of {place(11)}?").hits[0].article.id == "story011"
        server.start()
        library.work()
        library.vectors.check()
        assert not library.catalog.embedded.has_changes()


@pytest.mark.slow
def test_an_index_server_that_lost_its_vectors_gets_them_back(database: str, tmp_path: Path) -> None:
    with chroma(tmp_path / "first") as server, opened(tmp_path / "folder", database, server.url) as library:
        library.add(*map(story, range(10)))
        before = library.search(f"Who met the elders of {place(4)}?").hits
    with chroma(tmp_path / "second") as empty, opened(tmp_path / "folder", database, empty.url) as library:
        assert library.search(f"Who met the elders of {place(4)}?").hits == before
        library.add(story(11))
        library.vectors.check()


@pytest.mark.slow
def test_a_database_that_is_started_again_is_read_again(tmp_path: Path) -> None:
    try:
        with postgres(tmp_path / "server") as server:
            library = Library(tmp_path / "folder", catalog=server.url, embeddings=FakeEmbeddings(), offline=True)
            library.add(*map(story, range(5)))
            before = library.search(f"elders of {place(4)}").hits
            server.kill()
            with pytest.raises(
                ServerError, match=r"^postgresql://127.0.0.1:\d+/postgres cannot be reached: .*RAG_CATALOG$"
            ):
                library.search(f"elders of {place(4)}")
            server.start()
            assert library.search(f"elders of {place(4)}").hits == before
            assert library.add(story(6)).added == 1
            library.close()
    except MissingProgramError as error:
        pytest.skip(str(error))


def test_the_command_line_reads_the_servers_of_the_environment(
    database: str, index_server: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_CATALOG", database.replace("dispatches@", "dispatches:hidden@"))
    monkeypatch.setenv("RAG_CHROMA", index_server.url)
    (tmp_path / "a.txt").write_text("The envoy met the delegation in Doha.")
    ran = [CliRunner().invoke(app, words) for words in (["add", str(tmp_path / "a.txt")], ["work"], ["doctor"])]
    assert [r.exit_code for r in ran] == [0, 0, 0]
    assert ran[0].stdout.startswith("added 1,")
    assert ran[1].stdout == "embedded 0 passages\n"
    assert "postgresql://127.0.0.1" in ran[2].stdout
    assert index_server.url in ran[2].stdout
    assert not any("hidden" in r.output for r in ran)
    alone = CliRunner().invoke(app, ["articles", "--library", str(tmp_path / "other")])
    assert "there is no library in" in alone.output


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("RAG_CATALOG", "mysql://user:hidden@host/x", "wanted postgresql://USER@HOST/DATABASE"),
        ("RAG_CATALOG", "postgresql://user:hidden@host", "wanted postgresql://USER@HOST/DATABASE"),
        ("RAG_CATALOG", "postgresql://user:hidden@host:port/x", "wanted postgresql://USER@HOST/DATABASE"),
        ("RAG_CHROMA", "host:8000", "wanted http://HOST:PORT"),
        ("RAG_CHROMA", "http://host:8000/tenant", "wanted http://HOST:PORT"),
        ("RAG_CHROMA", "http://:hidden@host:8000", "keep the key in the variable CHROMA_API_KEY alone"),
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(
    variable: str, value: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InputError, match=wanted) as raised:
        Library()
    assert variable in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_a_database_that_is_not_there_is_an_error_in_one_line_without_the_password() -> None:
    with pytest.raises(ServerError) as raised:
        Library(catalog="postgresql://user:hidden@127.0.0.1:1/none").articles()
    assert "postgresql://127.0.0.1:1/none cannot be reached" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_threads_share_a_library_on_servers(shared: Library) -> None:
    shared.add(*map(story, range(5)))
    found: list[str] = []

    def ask() -> None:
        found.extend(hit.article.id for hit in shared.search(f"Who met the elders of {place(4)}?").hits[:1])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["story004"] * 8
