"""Each setting comes from the nearest of flag, environment, file and default, and says from where."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import InputError
from rag.library import Library
from rag.settings import Settings, default_library, read_settings


def settings(folder: Path, text: str = "", **given: object) -> Settings:
    file = folder / "config.toml"
    if text:
        file.write_text(text)
    return read_settings(file=file, **{"environment": {}, **given})  # type: ignore[arg-type]  # two kinds of value


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    text = 'library = "/from/file"'
    flag, environment = Path("from-flag"), {"RAG_HOME": "/from/environment"}
    by_flag = settings(tmp_path, text, library=flag, environment=environment).library
    by_environment = settings(tmp_path, text, environment=environment).library
    by_file = settings(tmp_path, text).library
    assert (by_flag.value, by_flag.origin) == (flag, "--library")
    assert (by_environment.value, by_environment.origin) == (Path("/from/environment"), "RAG_HOME")
    assert (by_file.value, by_file.origin) == (Path("/from/file"), str(tmp_path / "config.toml"))


def test_without_any_the_library_is_in_the_data_folder(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert (found.library.value, found.library.origin) == (default_library(), "default")
    assert (found.offline.value, found.offline.origin) == (False, "default")


@pytest.mark.parametrize("environment", [{}, {"RAG_HOME": "~/mine"}])
def test_the_command_and_python_share_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("RAG_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Library().path == read_settings().library.value


def test_a_path_in_the_file_is_relative_to_the_file(tmp_path: Path) -> None:
    assert settings(tmp_path, 'library = "mine"').library.value == tmp_path / "mine"
    assert settings(tmp_path, 'library = "~/mine"').library.value == Path.home() / "mine"


@pytest.mark.parametrize(("text", "value"), [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("", False)])
def test_offline_from_the_environment(tmp_path: Path, text: str, value: bool) -> None:
    found = settings(tmp_path, "offline = true", environment={"RAG_OFFLINE": text}).offline
    assert (found.value, found.origin) == (value, "RAG_OFFLINE")


def test_offline_from_flag_and_file(tmp_path: Path) -> None:
    assert settings(tmp_path, "offline = true").offline.value
    assert settings(tmp_path, "offline = false", offline=True).offline.origin == "--offline"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('libary = "x"', "'libary'; it knows library, offline"),
        ("library = 3", "library = 3; wanted a folder's path"),
        ("offline = 1", "offline = 1; wanted true or false"),
        ("library = ", "cannot be read as TOML"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_is_wanted(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=r"config\.toml") as error:
        settings(tmp_path, text)
    assert told in str(error.value)


def test_a_value_that_is_neither_yes_nor_no_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="RAG_OFFLINE is 'maybe'; wanted 1 or 0"):
        settings(tmp_path, environment={"RAG_OFFLINE": "maybe"})
