"""Which articles are the same: by file, feed, id in it, URL or text; nothing known is lost, nothing left out unsaid."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fake_embeddings import FakeEmbeddings

from rag.library import Library

FERRY = "The ferry Aurora of Brenholm ran aground on Monday with 212 people on board, the coast guard said."
TRAM = "The council of Ostrava Bay voted on Tuesday to close the tram line to the harbour in June."


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library", embeddings=FakeEmbeddings())


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def feed(*items: str) -> str:
    return f"<rss version='2.0'><channel><title>Echo</title><link>https://echo.example</link>{''.join(items)}</channel></rss>"


def item(guid: str, title: str, text: str) -> str:
    return (
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title><description>{text}</description></item>"
    )


def test_a_corrected_file_is_a_revision(library: Library, tmp_path: Path) -> None:
    library.add(written(tmp_path, "ferry.txt", FERRY))
    report = library.add(written(tmp_path, "ferry.txt", FERRY.replace("212", "221")))
    assert (report.added, report.updated) == (0, 1)
    assert [a.revision for a in library.articles()] == [2]


def test_the_same_text_in_another_file_is_a_duplicate(library: Library, tmp_path: Path) -> None:
    report = library.add(written(tmp_path, "a.txt", FERRY), written(tmp_path, "b.txt", FERRY))
    assert (report.added, report.duplicates) == (1, 1)


@pytest.mark.parametrize("bare_first", [True, False])
def test_what_is_known_is_never_erased_by_a_copy_without_it(library: Library, tmp_path: Path, bare_first: bool) -> None:
    bare = written(tmp_path, "bare.txt", FERRY)
    header = "title: Ferry aground\nsource: Echo\ndate: 2024-03-04\nauthor: Ida Holt\n\n"
    full = written(tmp_path, "full.txt", f"{header}{FERRY}")
    for path in (bare, full) if bare_first else (full, bare):
        library.add(path)
    (found,) = library.articles()
    assert (found.title, found.source, found.author) == ("Ferry aground", "Echo", "Ida Holt")
    assert str(found.published) == "2024-03-04"


def test_a_header_that_a_file_lost_stays_known(library: Library, tmp_path: Path) -> None:
    library.add(written(tmp_path, "f.txt", f"source: Echo\ndate: 2024-03-04\n\n{FERRY}"))
    library.add(written(tmp_path, "f.txt", FERRY.replace("212", "221")))
    (found,) = library.articles()
    assert (found.source, str(found.published), "221" in found.text) == ("Echo", "2024-03-04", True)


def test_items_of_two_feeds_are_told_apart_by_guid(library: Library, tmp_path: Path) -> None:
    first = written(tmp_path, "a.xml", feed(item("1", "Ferry", FERRY), item("2", "Tram", TRAM)))
    report = library.add(first)
    assert report.added == 2
    changed = feed(item("2", "Tram", TRAM.replace("June", "July")), item("3", "Fog", f"Fog stayed. {FERRY}"))
    report = library.add(written(tmp_path, "a.xml", changed))
    assert (report.added, report.updated) == (1, 1)


def test_a_shared_address_that_cannot_be_decided_keeps_both_and_says_so(library: Library, tmp_path: Path) -> None:
    rows = "".join(f'{{"url": "https://echo.example/live", "text": "{text}"}}\n' for text in (FERRY, TRAM))
    report = library.add(written(tmp_path, "rows.jsonl", rows))
    assert report.added == 2
    assert "nothing was replaced" in report.warnings[0]


def test_files_of_no_known_format_are_named(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    written(folder, "a.txt", FERRY)
    written(folder, "notes.pages", "x")
    written(folder, "photo.heic", "x")
    report = library.add(folder)
    assert [Path(path).name for path in report.left_out] == ["notes.pages", "photo.heic"]
    assert str(report).endswith("failed 0, left out 2")


def test_files_whose_names_are_no_text_are_two_articles(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in ((b"a\xff.txt", FERRY), (b"a\xfe.txt", TRAM)):
        (folder / os.fsdecode(name)).write_text(text)
    assert library.add(folder).added == 2
    assert library.add(folder).unchanged == 2
