"""What a library says and does when its disk is full, its folder cannot be written, or its files are damaged."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from fake_embeddings import FakeEmbeddings
from typer.testing import CliRunner

from rag.cli.app import app
from rag.errors import DamagedError, LibraryError
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"RAG_OFFLINE": "1", "XDG_CONFIG_HOME": "/nonexistent", "NO_COLOR": "1"}
QUESTION = "Whom did envoy 7 meet in Doha?"
ARTICLES = [
    article(
        f"Envoy {n} met minister {n * 7} in Doha on 3 July 2021. "
        + " ".join(f"Point {i} of draft {n} stood, he said." for i in range(40)),
        id=f"a{n:02}",
        title=f"Report {n}",
        source="ToloNews",
    )
    for n in range(40)
]
CORRECTED = article("Envoy 3 met nobody at all.", id="a03", title="Report 3")
TRUTH = ("articles", "revisions")
"""The tables that cannot be made anew."""
DERIVED = (
    *("meta", "passages", "embeddings", "event_days", "orders", "deletions"),
    *("lexical_data", "lexical_idx", "lexical_content", "lexical_docsize", "lexical_config"),
    *("articles_source", "sqlite_autoindex_articles_1", "passages_article", "sqlite_autoindex_passages_1"),
)
root_only = pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="wants to become another user")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "library"
    with opened(folder) as library:
        library.add(*ARTICLES)
        library.add(CORRECTED)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "library"))


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) for n in DERIVED[2:]] + list(DERIVED[:2]))
def test_a_damaged_page_of_what_can_be_made_anew_is_mended_by_reindex(whole: Path, folder: Path, name: str) -> None:
    damage(folder / "catalog.sqlite", root_page(folder / "catalog.sqlite", name))
    with opened(folder) as library:
        assert library.reindex() == passages(whole)
    with opened(folder) as library, opened(whole) as expected:
        assert library.articles() == expected.articles()
        assert library.catalog.revisions("a03") == expected.catalog.revisions("a03")
        assert library.search(QUESTION).hits == expected.search(QUESTION).hits
        assert found(library) == 1
        assert library.catalog.embedded.model == expected.catalog.embedded.model
        assert library.add(*ARTICLES[:3]).unchanged == 3


def test_what_was_embedded_is_kept_when_a_catalog_is_mended(folder: Path) -> None:
    damage(folder / "catalog.sqlite", root_page(folder / "catalog.sqlite", "passages"))
    embeddings = FakeEmbeddings()
    with Library(folder, embeddings=embeddings) as library:
        library.reindex()
        assert embeddings.log == []
        (told,) = library.warnings
    assert told == (
        "the catalog was damaged, and was made anew from its articles; the damaged one is kept as "
        f"{folder / 'catalog.sqlite.damaged'}"
    )
    assert (folder / "catalog.sqlite.damaged").is_file()


@pytest.mark.parametrize(("name", "kept"), [("passages", True), ("places", False)])
def test_where_articles_were_read_is_kept_when_a_catalog_is_mended(tmp_path: Path, name: str, kept: bool) -> None:
    file, folder = tmp_path / "note.txt", tmp_path / "library"
    file.write_text("Envoy 3 met minister 21 in Doha on 3 July 2021.")
    with opened(folder) as library:
        library.add(file)
    damage(folder / "catalog.sqlite", root_page(folder / "catalog.sqlite", name))
    file.write_text("Envoy 3 met nobody in Doha on 3 July 2021, as was found out later.")
    with opened(folder) as library:
        library.reindex()
        report = library.add(file)
        assert (report.updated, report.added) == ((1, 0) if kept else (0, 1))


@pytest.mark.long
def test_mending_that_is_killed_at_any_instant_loses_nothing(whole: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/store']; from test_faults import *\n"
        "mend_and_kill(*map(Path, sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, str(whole), str(tmp_path)]
    killed = int(subprocess.check_output(command, text=True, cwd=ROOT))
    assert killed > 3
    with opened(whole) as expected:
        for n in range(12):
            with opened(tmp_path / f"{n}") as library:
                library.reindex()
                assert library.articles() == expected.articles()
                assert library.catalog.revisions("a03") == expected.catalog.revisions("a03")
                assert found(library) == 1


@pytest.mark.parametrize("name", TRUTH)
def test_damaged_articles_are_an_error_that_says_what_to_do_and_stay_as_they_are(folder: Path, name: str) -> None:
    path = folder / "catalog.sqlite"
    damage(path, root_page(path, name))
    before = path.read_bytes()
    with opened(folder) as library, pytest.raises(DamagedError, match=r"is damaged: .*; .* restore it from a backup"):
        library.reindex()
    assert path.read_bytes() == before
    assert not list(folder.glob("catalog.sqlite.*"))


def test_a_text_that_is_not_what_was_added_is_not_taken_for_it(folder: Path) -> None:
    path = folder / "catalog.sqlite"
    damage(path, root_page(path, "passages"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Envoy 7 met minister 49", b"Envoy 7 met minister 48"))
    with (
        opened(folder) as library,
        pytest.raises(DamagedError, match=r"the text of a07 is not what was added; restore"),
    ):
        library.reindex()


def test_a_damaged_first_page_says_what_to_do(folder: Path) -> None:
    damage(folder / "catalog.sqlite", 1)
    for command in (["ask", QUESTION], ["reindex"], ["articles"]):
        said = CliRunner().invoke(app, [*command, "--library", str(folder)], env=ENVIRONMENT)
        assert said.exit_code == 1
        assert isinstance(said.exception, SystemExit)
        assert "is damaged: file is not a database; run `rag reindex`" in said.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["articles", "passages", "articles_published", "articles_source"])
def test_doctor_tells_of_a_damaged_page(folder: Path, name: str) -> None:
    damage(folder / "catalog.sqlite", root_page(folder / "catalog.sqlite", name))
    said = CliRunner().invoke(app, ["doctor", "--json", "--library", str(folder)], env=ENVIRONMENT)
    assert said.exit_code == 1
    (problem,) = json.loads(said.stdout)["problems"]
    assert f"{folder / 'catalog.sqlite'} is damaged: " in problem


@pytest.mark.parametrize(
    "file",
    [pytest.param("header.bin", marks=pytest.mark.slow), pytest.param("chroma.sqlite3", marks=pytest.mark.long)],
)
def test_doctor_tells_of_a_damaged_vector_index(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "library"
    with opened(folder) as library:
        library.vectors.exact = 0
        library.add(*(article(f"Envoy {n} met minister {n * 7}.", id=f"b{n}", title=f"T{n}") for n in range(60)))
    assert told_of_vectors(folder) == []
    (damaged,) = (folder / "vectors").rglob(file)
    damaged.write_bytes(os.urandom(100))
    (problem,) = told_of_vectors(folder)
    assert "run `rag reindex`" in problem
    with opened(folder) as library:
        library.reindex()  # by a program that has no use for an index of so few
    assert told_of_vectors(folder) == []
    assert not (folder / "vectors").exists()


@pytest.mark.parametrize(
    "room", [pytest.param(60_000, marks=pytest.mark.slow), pytest.param(300_000, marks=pytest.mark.long)]
)
def test_where_the_disk_is_full_nothing_is_added_by_half(tmp_path: Path, room: int) -> None:
    folder = tmp_path / "library"
    added = rag("add", str(json_lines(tmp_path / "first.jsonl", ARTICLES[:2])), "--library", str(folder))
    assert added.returncode == 0, added.stderr
    size = max(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    more = str(json_lines(tmp_path / "more.jsonl", ARTICLES))
    said = rag("add", more, "--library", str(folder), limit=size + room)
    assert said.returncode == 1
    assert "the space on disk" in one_line(said)
    found = json.loads(rag("articles", "--json", "--library", str(folder)).stdout)
    assert len(found) in (2, 40)  # the first two, or all, if only the index of the vectors had no room
    assert rag("add", more, "--library", str(folder)).returncode == 0
    assert "minister 49" in rag("ask", QUESTION, "--library", str(folder)).stdout
    assert rag("doctor", "--library", str(folder)).returncode == 0


@root_only
@pytest.mark.slow
def test_a_small_disk_that_is_full_can_be_added_to_when_it_has_room_again(tmp_path: Path) -> None:
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(mount)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with opened(mount / "library") as library:
            library.add(*ARTICLES[:2])
        filler = mount / "filler"
        filler.write_bytes(bytes(room(mount) - 40_000))
        with opened(mount / "library") as library:
            with pytest.raises(LibraryError, match="the space on disk"):
                library.add(*ARTICLES)
            assert [a.id for a in library.articles()] == ["a00", "a01"]
            assert found(library) == 0
        filler.unlink()
        with opened(mount / "library") as library:
            assert library.add(*ARTICLES).added == len(ARTICLES) - 2
            assert not library.vectors.is_behind
            assert found(library) == 1
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


@root_only
@pytest.mark.slow
def test_a_folder_that_cannot_be_written_is_an_error_of_one_line_for_each_change(folder: Path, tmp_path: Path) -> None:
    for above in (folder, *list(folder.parents)[:4]):
        above.chmod(0o755)
    for path in folder.rglob("*"):  # as its user may do for others
        path.chmod(0o755 if path.is_dir() else 0o644)
    code = (
        "import sys; sys.path[:0] = ['tests', 'tests/store']; from test_faults import *\n"
        "changes = lambda l: (lambda: l.add(ARTICLES[0], CORRECTED), lambda: l.remove('a01'), lambda: l.reindex())\n"
        "with opened(Path(sys.argv[2])) as own:  # for what is imported late, which another user may not read\n"
        "    own.add(*ARTICLES); found(own); [change() for change in changes(own)]\n"
        "os.setuid(65534); os.environ['HOME'] = '/nonexistent'\n"
        "with opened(Path(sys.argv[1])) as library:\n"
        "    for change in changes(library):\n"
        "        try: change()\n"
        "        except LibraryError as error: print(error)\n"
        "    print(found(library))\n"
    )
    command = [sys.executable, "-c", code, str(folder), str(tmp_path / "own")]
    *errors, answer = subprocess.check_output(command, text=True, cwd=ROOT).splitlines()
    assert len(errors) == 3
    assert all("cannot be written: Permission denied; check its permissions" in error for error in errors)
    assert answer == "1"


def opened(folder: Path) -> Library:
    return Library(folder, embeddings=FakeEmbeddings())


def mend_and_kill(whole: Path, folder: Path) -> None:
    """Mends copies of a library, each until a later instant; forks, so it must not have opened any itself."""
    import chromadb

    assert chromadb
    start = time.perf_counter()
    assert not killed_mending(whole, folder / "undisturbed", after=120)
    duration = time.perf_counter() - start
    print(sum(killed_mending(whole, folder / f"{n}", after=duration * n / 12) for n in range(12)))


def killed_mending(whole: Path, folder: Path, *, after: float) -> bool:
    """Whether a process that mends a copy of the library, one index of which is damaged, was killed at it."""
    shutil.copytree(whole, folder)
    damage(folder / "catalog.sqlite", root_page(folder / "catalog.sqlite", "passages_article"))
    child = os.fork()
    if not child:
        try:
            with opened(folder) as library:
                library.vectors.exact = 0
                library.reindex()
        finally:
            os._exit(0)
    deadline = time.monotonic() + after
    while time.monotonic() < deadline:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def passages(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog:
        return int(catalog.execute("SELECT count(*) FROM passages").fetchone()[0])


def root_page(path: Path, name: str) -> int:
    with closing(sqlite3.connect(path)) as catalog:
        return int(catalog.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [name]).fetchone()[0])


def damage(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(18)[16:18], "big")
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def told_of_vectors(folder: Path) -> list[str]:
    said = rag("doctor", "--json", "--library", str(folder))
    return [problem for problem in json.loads(said.stdout)["problems"] if "vector index" in problem]


def found(library: Library) -> int:
    """In how many of the passages that are found the answer to the question stands."""
    return sum("met minister 49 " in hit.passage.text for hit in library.search(QUESTION).hits)


def json_lines(path: Path, articles: list[Article]) -> Path:
    rows = ({"id": a.id, "title": a.title, "text": a.text, "source": a.source} for a in articles)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def room(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def rag(*arguments: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, which may write files of `limit` bytes."""
    return subprocess.run(
        [sys.executable, "-c", "from rag.cli.app import main; main()", *arguments],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        env=os.environ | ENVIRONMENT,
        preexec_fn=limited(limit) if limit else None,
    )


def limited(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def one_line(said: subprocess.CompletedProcess[str]) -> str:
    """The error, which is the last line, and no traceback."""
    assert "Traceback" not in said.stderr
    return said.stderr.splitlines()[-1]
