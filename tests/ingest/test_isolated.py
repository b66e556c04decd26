"""Documents that are read in another process: what takes too long or too much is refused in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.ingest import isolated
from rag.ingest.loaders import load
from rag.schema import Article, Failure

PARAGRAPH = "The town council of Wardak met on Monday and voted for the bridge. " * 20


def page(path: Path, cells: int) -> Path:
    table = f"<table><tr>{'<td>1' * cells}</table>"
    path.write_text(f"<html><body><article><p>{PARAGRAPH}</p>{table}</article></body></html>")
    return path


@pytest.mark.slow
def test_a_page_whose_table_takes_too_long_is_refused_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(next(iter(load(page(tmp_path / "warm.html", 1)))), Article)
    monkeypatch.setattr(isolated, "SECONDS", 0.5)
    (refused,) = load(page(tmp_path / "slow.html", 40_000))
    assert isinstance(refused, Failure)
    assert "takes over" in str(refused)
    monkeypatch.setattr(isolated, "SECONDS", 30.0)
    (read,) = load(page(tmp_path / "plain.html", 2))
    assert isinstance(read, Article)
    assert "voted for the bridge" in read.text


def test_an_error_of_a_reader_is_the_same_as_without_the_process(tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text(" ")
    (failed,) = load(path)
    assert isinstance(failed, Failure)
    assert "is empty" in str(failed)


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader of its own with 40 MB."""
    monkeypatch.setattr(isolated, "MEMORY", 40_000_000)
    isolated._reader.cache_clear()
    yield
    isolated._reader.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is bounded on Linux")
def test_a_document_that_takes_too_much_memory_is_refused_and_the_next_one_is_read(
    tmp_path: Path, small_memory: None
) -> None:
    (tmp_path / "large.json").write_text(f'{{"text": "Rain fell.", "tags": [{"[]," * 2_000_000}[]]}}')
    (tmp_path / "small.json").write_text('{"text": "Rain fell.", "tags": [[]]}')
    (refused,) = load(tmp_path / "large.json")
    assert isinstance(refused, Failure)
    assert "MB, to read; split it" in str(refused)
    (read,) = load(tmp_path / "small.json")
    assert isinstance(read, Article)


def test_a_line_of_very_many_values_is_left_out_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"text": "Rain.", "tags": [{"[]," * 1_000_000}[]]}}\n{{"text": "Snow fell."}}\n')
    refused, read = load(path)
    assert isinstance(refused, Failure)
    assert "over 1,000,000 values" in str(refused)
    assert isinstance(read, Article)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("text,id\n" + '"a\n",' * 1_100_000, "a line of over 1,000,000 values"),
        ("text,id\nOne.,1\n" + '"' + "x" * 1_000_000 + ("\n" + "x" * 1_000_000) * 20 + '",2\n', "a line over 20 MB"),
    ],
)
def test_a_row_without_end_is_not_gathered_in_memory(tmp_path: Path, table: str, expected: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(table)
    *_, refused = load(path)
    assert isinstance(refused, Failure)
    assert expected in str(refused)
    assert "quotes closed" in str(refused)
