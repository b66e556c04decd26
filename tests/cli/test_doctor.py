"""What `rag doctor` says of the models: which, from where, and no key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_entailment import tiny_model

from rag.cli.doctor import Diagnosis, Finding, diagnose
from rag.settings import read_settings

KEY = "sk-verysecret-0123456789"


def told(folder: Path, *, offline: bool = False, model: str | None = None, **environment: str) -> Diagnosis:
    settings = read_settings(
        library=folder / "library",
        offline=offline,
        model=model,
        environment=environment,
        file=folder / "config.toml",
    )
    return diagnose(settings)


def fact(diagnosis: Diagnosis, name: str) -> Finding:
    (found,) = (item for item in diagnosis.facts if item.name == name)
    return found


def test_without_any_the_answers_are_the_articles_own_sentences(tmp_path: Path) -> None:
    found = told(tmp_path)
    assert fact(found, "mode") == Finding("mode", "offline", "answers are sentences of the articles")
    for name, value in [("model", "none"), ("base url", "none"), ("api key", "no")]:
        assert fact(found, name) == Finding(name, value, "default")
    assert fact(found, "embeddings") == Finding("embeddings", "minilm", "default")
    assert found.problems == ()


def test_a_key_is_told_with_its_model_and_never_shown(tmp_path: Path) -> None:
    found = told(tmp_path, OPENAI_API_KEY=KEY)
    assert fact(found, "mode").value == "model"
    assert fact(found, "model") == Finding("model", "openai:gpt-5-mini", "default")
    assert fact(found, "base url") == Finding("base url", "https://api.openai.com/v1", "default")
    assert fact(found, "api key") == Finding("api key", "yes", "OPENAI_API_KEY")
    assert "verysecret" not in json.dumps(found.to_dict()) + "\n".join(found.lines()) + repr(found)


def test_a_server_of_ones_own_is_told(tmp_path: Path) -> None:
    found = told(tmp_path, model="llama3.2:3b", OPENAI_BASE_URL="http://localhost:11434/v1")
    assert fact(found, "model") == Finding("model", "openai:llama3.2:3b", "--model")
    assert fact(found, "base url") == Finding("base url", "http://localhost:11434/v1", "OPENAI_BASE_URL")
    assert fact(found, "api key").value == "no"


def test_offline_says_who_refuses_the_network(tmp_path: Path) -> None:
    found = told(tmp_path, offline=True, OPENAI_API_KEY=KEY, OPENAI_BASE_URL="http://localhost/v1")
    assert fact(found, "network") == Finding("network", "refused", "--offline")
    assert fact(found, "model") == Finding("model", "none", "--offline")
    assert fact(found, "base url") == Finding("base url", "given, not used", "OPENAI_BASE_URL")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"RAG_MODEL": "gpt-4.1"}, "the model gpt-4.1 needs a key"),
        ({"OPENAI_BASE_URL": "http://me:hunter2@host/v1"}, "is not the address of a server"),
        ({"RAG_VERIFIER": "/no/such/folder"}, "the model's folder /no/such/folder has no model.onnx"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_problem(tmp_path: Path, given: dict[str, str], problem: str) -> None:
    found = told(tmp_path, **given)
    (told_of,) = found.problems
    assert problem in told_of
    assert "hunter2" not in "\n".join(found.lines())


def test_a_verifier_is_tried(tmp_path: Path) -> None:
    found = told(tmp_path, RAG_VERIFIER=str(tiny_model(tmp_path / "nli")))
    assert fact(found, "verifier") == Finding("verifier", str(tmp_path / "nli"), "RAG_VERIFIER")
    assert fact(found, "verifier loads").value == "yes"
    assert found.problems == ()
