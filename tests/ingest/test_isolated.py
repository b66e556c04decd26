"""Documents that are read in another process: what takes too long or too much is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.ingest import isolated
from rag.ingest.loaders import load
from rag.schema import Article, Failure

PARAGRAPH = "The town council of Wardak met on Monday and voted for the bridge. " * 20


def page(path: Path, attributes: int) -> Path:
    tag = " ".join(f"a{i}=1" for i in range(attributes))
    path.write_text(f"<html><body><article><p {tag}>{PARAGRAPH}</p></article></body></html>")
    return path


def test_a_page_whose_attributes_take_too_long_is_refused_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(next(iter(load(page(tmp_path / "warm.html", 1)))), Article)
    monkeypatch.setattr(isolated, "SECONDS", 0.5)
    (refused,) = load(page(tmp_path / "slow.html", 20_000))
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
