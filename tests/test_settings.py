"""Each setting comes from the nearest of flag, environment, file and default, and says from where."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.cli.doctor import diagnose
from rag.errors import InputError
from rag.library import Library
from rag.models.chat import ModelChoice
from rag.models.embeddings import MiniLM
from rag.models.minilm import cores
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
        ("model = 4", "model = 4; wanted a name in quotes"),
        ("threads = 0", "threads = 0; wanted a whole number from 1 to 1024"),
        ("threads = true", "threads = True; wanted a whole number"),
        ('threads = "2"', "threads = '2'; wanted a whole number"),
        ("verifier = true", "verifier = True; wanted a folder's path in quotes"),
        ('api_key = "sk-secret"', "has 'api_key'; keep the key in the variable OPENAI_API_KEY alone"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_is_wanted(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=r"config\.toml") as error:
        settings(tmp_path, text)
    assert told in str(error.value)
    assert "sk-secret" not in str(error.value)


def test_a_value_that_is_neither_yes_nor_no_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="RAG_OFFLINE is 'maybe'; wanted 1 or 0"):
        settings(tmp_path, environment={"RAG_OFFLINE": "maybe"})


def test_the_local_model_takes_the_cores_of_the_process_or_fewer(tmp_path: Path) -> None:
    by_default = settings(tmp_path).threads
    by_environment = settings(tmp_path, "threads = 3", environment={"RAG_THREADS": "1"}).threads
    by_file = settings(tmp_path, "threads = 3").threads
    assert (by_default.value, by_default.origin) == (cores(), "default")
    assert (by_environment.value, by_environment.origin) == (1, "RAG_THREADS")
    assert (by_file.value, by_file.origin) == (3, str(tmp_path / "config.toml"))


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "1025", "٢", " 2"])
def test_a_number_of_threads_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=f"^RAG_THREADS is '{text}'; wanted a whole number from 1 to 1024$"):
        settings(tmp_path, environment={"RAG_THREADS": text})


@pytest.mark.parametrize("threads", [1, 3])
def test_the_threads_of_the_settings_reach_the_model_and_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setenv("RAG_THREADS", str(threads))
    model = Library(tmp_path / "library").embeddings
    assert isinstance(model, MiniLM)
    assert model.threads == threads
    told = {fact.name: fact for fact in diagnose(read_settings(library=tmp_path / "library")).facts}
    assert (told["threads"].value, told["threads"].origin) == (threads, "RAG_THREADS")


@pytest.mark.parametrize(
    ("name", "variable", "default"),
    [
        ("model", "RAG_MODEL", None),
        ("base_url", "OPENAI_BASE_URL", None),
        ("embeddings", "RAG_EMBEDDINGS", "minilm"),
    ],
)
def test_a_name_comes_from_the_environment_or_the_file(
    tmp_path: Path, name: str, variable: str, default: str | None
) -> None:
    by_default = getattr(settings(tmp_path, environment={variable: ""}), name)
    by_environment = getattr(settings(tmp_path, f'{name} = "file"', environment={variable: "variable"}), name)
    by_file = getattr(settings(tmp_path, f'{name} = "file"'), name)
    assert (by_default.value, by_default.origin) == (default, "default")
    assert (by_environment.value, by_environment.origin) == ("variable", variable)
    assert (by_file.value, by_file.origin) == ("file", str(tmp_path / "config.toml"))


def test_a_model_by_flag_wins(tmp_path: Path) -> None:
    found = settings(tmp_path, 'model = "file"', model="flag", environment={"RAG_MODEL": "variable"}).model
    assert (found.value, found.origin) == ("flag", "--model")


def test_the_verifier_is_a_folder_or_none(tmp_path: Path) -> None:
    by_environment = settings(tmp_path, environment={"RAG_VERIFIER": "~/nli"}).verifier
    by_file = settings(tmp_path, 'verifier = "nli"').verifier
    assert (by_environment.value, by_environment.origin) == (Path.home() / "nli", "RAG_VERIFIER")
    assert (by_file.value, by_file.origin) == (tmp_path / "nli", str(tmp_path / "config.toml"))
    (tmp_path / "config.toml").unlink()
    assert settings(tmp_path).verifier.value is None


def test_the_key_is_there_or_not_and_never_shown(tmp_path: Path) -> None:
    found = settings(tmp_path, environment={"OPENAI_API_KEY": "sk-secret"})
    assert found.api_key.value
    assert (found.api_key.value.reveal(), found.api_key.origin) == ("sk-secret", "OPENAI_API_KEY")
    assert "sk-secret" not in f"{found} {found!r} {found.api_key} {found.chat()!r}"
    assert settings(tmp_path, environment={"OPENAI_API_KEY": ""}).api_key.value is None


def test_the_settings_say_which_model_answers(tmp_path: Path) -> None:
    own = {"OPENAI_BASE_URL": "http://localhost:11434/v1/"}
    assert settings(tmp_path).chat() is None
    assert settings(tmp_path, model="llama3.2:3b", environment=own).chat() == ModelChoice(
        "openai", "llama3.2:3b", "http://localhost:11434/v1"
    )
    assert settings(tmp_path, offline=True, environment={**own, "RAG_MODEL": "llama3.2:3b"}).chat() is None


@pytest.mark.parametrize(
    ("given", "origin"), [({"offline": True}, "--offline"), ({"environment": {"RAG_OFFLINE": "1"}}, "RAG_OFFLINE")]
)
def test_a_model_by_flag_and_no_network_contradict(tmp_path: Path, given: dict[str, object], origin: str) -> None:
    with pytest.raises(InputError, match=f"--model gpt-5-mini asks .* which {origin} refuses; leave out one of them"):
        settings(tmp_path, model="gpt-5-mini", **given).chat()
