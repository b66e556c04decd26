"""Adding by a Ray cluster of this machine, to a real database and a real Chroma server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import MissingProgramError, chroma

from rag.library import Library
from rag.schema import Window

ROOT = Path(__file__).parents[1]


@pytest.fixture
def environment(database: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """That of commands on a library on servers."""
    pytest.importorskip("ray.data", reason="no Ray; install it with `uv sync --extra ray`")
    try:
        with chroma(tmp_path / "chroma") as server:
            home = str(tmp_path / "home")
            yield {**os.environ, "RAG_HOME": home, "RAG_CATALOG": database, "RAG_CHROMA": server.url}
    except MissingProgramError as error:
        pytest.skip(str(error))


def rag(*words: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from rag.cli.app import main; main()", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)


def folder(place: Path, count: int) -> Path:
    place.mkdir()
    for n in range(count):
        (place / f"{n:03}.txt").write_text(f"Report {n}\n\nEnvoy {n} met the elders in Doha. They spoke for {n} hours.")
    return place


@pytest.mark.slow
def test_a_folder_is_added_by_the_workers_of_a_cluster_once(environment: dict[str, str], tmp_path: Path) -> None:
    made = folder(tmp_path / "made", 40)
    (made / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    done = rag("add", str(made), "--ray", "local", "--json", environment=environment)
    assert done.returncode == 11, done.stderr  # one of the files could not be read
    report = json.loads(done.stdout)
    assert (report["added"], len(report["failed"])) == (40, 1)
    assert "broken.pdf" in done.stderr
    with Library(tmp_path / "home", catalog=environment["RAG_CATALOG"], chroma=environment["RAG_CHROMA"]) as library:
        assert library.catalog.article_count == 40
        assert library.catalog.embedded.count(Window()) == library.catalog.passage_count(Window())
        assert not library.vectors.is_behind
        library.vectors.check()
        assert library.ask("Whom did Envoy 17 meet?").statements
    again = rag("add", str(made), environment=environment)
    assert again.stdout.startswith("added 0, updated 0, unchanged 40,")


@pytest.mark.long
def test_a_run_that_was_killed_is_completed_by_the_next(environment: dict[str, str], tmp_path: Path) -> None:
    made = folder(tmp_path / "made", 60)
    listing = tmp_path / "listing.txt"
    listing.write_text("\n".join(map(str, sorted(made.iterdir()))))
    words = ["add", "--listing", str(listing), "--ray", "local", "-q"]
    command = [sys.executable, "-c", "from rag.cli.app import main; main()", *words]
    first = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True)
    with Library(tmp_path / "home", catalog=environment["RAG_CATALOG"], embeddings=None) as library:
        while not library.catalog.article_count and first.poll() is None:
            pass
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        assert rag(*words, environment=environment).returncode == 0
        assert library.catalog.article_count == 60
        assert not library.catalog.embedded.missing(1)


def test_a_library_in_a_folder_is_no_place_for_a_cluster(tmp_path: Path) -> None:
    done = rag("add", "seeds", "--ray", "local", "--library", str(tmp_path), environment=dict(os.environ))
    assert done.returncode == 2
    assert done.stderr == (
        "rag: --ray needs a library on servers; set RAG_CATALOG and RAG_CHROMA, and leave out --library\n"
    )
