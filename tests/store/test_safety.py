"""What a library is worth after `kill -9`, and with several processes at work.

Run as a program it kills `add` at random instants: `python tests/store/test_safety.py FOLDER KILLS`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fake_embeddings import FakeEmbeddings

from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Window
from rag.store.catalog import Catalog
from rag.store.vector_index import VectorIndex
from rag.text.words import content_words

ROOT = Path(__file__).parents[2]
ALL = Window()
STEPS = 4
EXACT = 40
"""So many passages are compared one by one: the first step has fewer, all steps have more."""
ARTICLES = [
    article(
        " ".join(f"Envoy {n} said in Doha that point {i} of draft {n} stood." for i in range(60)),
        id=f"a{n:02}",
        title=f"Report {n}",
        source="ToloNews",
    )
    for n in range(12)
]
CORRECTED = article("Nothing stood, the envoy said in Tehran.", id="a00", title="Report 0")


@pytest.mark.parametrize("kills", [2, pytest.param(18, marks=pytest.mark.slow)])
def test_a_killed_add_leaves_a_library_that_answers_and_completes_itself(tmp_path: Path, kills: int) -> None:
    command = [sys.executable, __file__, str(tmp_path), str(kills)]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, env=environment())
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["killed"] == kills


@pytest.mark.slow
def test_a_reader_that_stays_open_sees_what_other_writers_add_at_once(tmp_path: Path) -> None:
    with opened(tmp_path / "library") as reader:
        reader.add(ARTICLES[0])
        before = state(reader)
        code = (
            "import sys; from test_safety import *; first = int(sys.argv[2])\n"
            "with opened(Path(sys.argv[1])) as library:\n"
            "    for each in ARTICLES[first : first + 4]: library.add(each)"
        )
        writers = [
            subprocess.Popen([sys.executable, "-c", code, reader.path, first], cwd=ROOT, env=environment())
            for first in ("1", "5")
        ]
        assert [writer.wait() for writer in writers] == [0, 0]
        assert len(before["articles"]) == 1
        with Library(tmp_path / "undisturbed", embeddings=FakeEmbeddings()) as undisturbed:
            undisturbed.add(*ARTICLES[:9])
            assert state(reader) == state(undisturbed)
        assert not reader.vectors.is_behind


class Overtaken(Catalog):
    """A catalog in which another process corrects the first article just before articles are read."""

    editions = 0

    def articles(self, ids: Iterable[str] | None = None) -> list[Article]:
        self.editions += 1
        text = f"The envoy said in Tehran that draft 0 fell at noon, in the edition of number {self.editions}."
        with Library(self.folder, embeddings=FakeEmbeddings()) as other:
            assert other.add(article(text, id="a00", title="Report 0")).updated == 1
        return super().articles(ids)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(folder / "catalog.sqlite")


def test_what_is_shown_of_an_article_that_is_corrected_meanwhile_is_all_of_one_edition(tmp_path: Path) -> None:
    with Library(tmp_path, embeddings=FakeEmbeddings()) as library:
        library.add(ARTICLES[0])
        library.catalog = Overtaken(tmp_path)
        hits = library.search("What did the envoy say of draft 0?").hits
        assert hits
        assert all(hit.article.text[hit.passage.start : hit.passage.end] == hit.passage.text for hit in hits)
        for told in (library.summarize(topic="draft 0 of the envoy"), library.summarize("a00"), library.timeline()):
            assert len({c.article.text for c in told.citations}) <= 1
        assert library.catalog.editions > 4


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in (".", "tests", "tests/store"))}


def opened(folder: Path) -> Library:
    """A library that has an index of its vectors from the second step on."""
    library = Library(folder, embeddings=FakeEmbeddings())
    library.vectors.exact = EXACT
    return library


def state(library: Library) -> dict[str, list[str]]:
    """All that can be asked of a library: what is in it, and what it finds by words and by vectors."""
    vectors = VectorIndex(library.path / "vectors", library.catalog)
    articles = library.articles()
    passages = [id for a in articles for id in library.catalog.passage_ids(a.id)]
    questions = ["envoy in Tehran", *(f"What did envoy {n} say of draft {n}?" for n in range(0, 12, 3))]
    fake = FakeEmbeddings()
    return {
        "articles": [f"{a.id} {a.sha256}" for a in articles],
        "passages": passages,
        "texts": [s.passage.text for s in library.catalog.passages(passages)],
        "lexical": [id for q in questions for id in library.catalog.lexical(content_words(q), limit=9, window=ALL)],
        "dense": [
            id
            for q in questions
            for id in vectors.search(np.array(fake.embed_query(q), np.float32), limit=9, window=ALL)
        ],
    }


# The program


def main(folder: Path, kills: int) -> None:
    import chromadb  # before the forks, each of which would take two seconds for it

    assert chromadb
    chance = random.Random(7)
    expected, duration = undisturbed(folder / "undisturbed")
    killed = rounds = 0
    while killed < kills and rounds < kills * 4:
        delay = chance.uniform(0, duration * 1.3)
        wait = partial(sleep, delay) if rounds % 3 else partial(sleep_until_chroma_writes, delay / 20)
        killed += killed_once(folder / f"{rounds}", wait, expected)
        rounds += 1
    print(json.dumps({"killed": killed, "rounds": rounds}))


def undisturbed(folder: Path) -> tuple[dict[str, list[str]], float]:
    start = time.perf_counter()
    reap(forked(lambda: add_all(folder)))
    duration = time.perf_counter() - start
    reap(forked(lambda: write_state(folder)))
    return json.loads((folder / "state.json").read_text()), duration


def killed_once(folder: Path, wait: Callable[[Path], None], expected: dict[str, list[str]]) -> bool:
    """Whether the process was still at work when it was killed."""
    child = forked(lambda: add_all(folder))
    wait(folder)
    os.kill(child, signal.SIGKILL)
    was_killed = os.waitpid(child, 0)[1] == signal.SIGKILL
    reap(forked(lambda: check_and_complete(folder, expected)))
    shutil.rmtree(folder)
    return was_killed


def sleep(seconds: float, folder: Path) -> None:
    time.sleep(seconds)


def sleep_until_chroma_writes(seconds: float, folder: Path) -> None:
    """Some time into one of the moments in which the vector index is in pieces."""
    deadline = time.monotonic() + 5
    while not (folder / "vectors").exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    catalog = Catalog(folder / "catalog.sqlite")
    while catalog.embedded.index_version % 2 == 0 and time.monotonic() < deadline:
        time.sleep(0.001)
    catalog.close()
    time.sleep(seconds)


def add_all(folder: Path) -> None:
    """Adds in steps, corrects the first article, and records each step after `add` has reported it."""
    with opened(folder) as library:
        for start in range(0, len(ARTICLES), STEPS):
            step = ARTICLES[start : start + STEPS]
            assert library.add(*step).added == STEPS
            record(folder, [a.id for a in step])
        assert library.add(CORRECTED).updated == 1
        record(folder, ["corrected"])


def record(folder: Path, ids: list[str]) -> None:
    with (folder / "reported").open("a") as file:
        file.writelines(f"{id}\n" for id in ids)


def check_and_complete(folder: Path, expected: dict[str, list[str]]) -> None:
    with opened(folder) as library:
        reported = (folder / "reported").read_text().split() if (folder / "reported").exists() else []
        check_as_left(library, reported)
        library.add(*(ARTICLES if CORRECTED.sha256 not in digests(library) else ARTICLES[1:]))
        library.add(CORRECTED)
        found = state(library)
        assert found == expected, {key: (found[key], expected[key]) for key in expected if found[key] != expected[key]}
        assert not library.vectors.is_behind
        assert in_chroma(folder) == set(found["passages"])


def check_as_left(library: Library, reported: list[str]) -> None:
    found = state(library)
    there = {a.id for a in library.articles()}
    assert {id for id in reported if id != "corrected"} <= there
    assert "corrected" not in reported or CORRECTED.sha256 in digests(library)
    assert set(found["lexical"]) <= set(found["passages"])
    assert not there or found["dense"]
    assert len(set(found["passages"])) == len(found["texts"])


def digests(library: Library) -> set[str]:
    return {a.sha256 for a in library.articles()}


def in_chroma(folder: Path) -> set[str]:
    import chromadb

    settings = chromadb.Settings(anonymized_telemetry=False)
    collection = chromadb.PersistentClient(str(folder / "vectors"), settings).get_collection(
        "passages", embedding_function=None
    )
    return set(collection.get(include=[])["ids"])


def write_state(folder: Path) -> None:
    with Library(folder, embeddings=FakeEmbeddings()) as library:
        (folder / "state.json").write_text(json.dumps(state(library)))


def forked(job: Callable[[], None]) -> int:
    """A process that does a job: one that starts anew would take seconds for its imports."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        job()
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


def reap(child: int) -> None:
    status = os.waitpid(child, 0)[1]
    if status:
        raise SystemExit(f"a process ended with status {status}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
