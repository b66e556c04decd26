"""An embedding model that a server runs, from the settings to the answer."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic

import pytest
from openai_server import OpenAIServer, Reply, failing, no_model, rate_limited, refused_key
from typer.testing import CliRunner, Result

from rag.cli.app import app
from rag.errors import (
    InputError,
    KeyRefusedError,
    ModelError,
    NoModelError,
    RateLimitedError,
    ReplyError,
    UnreachableError,
)
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.chat import MOST_TEXTS
from rag.schema import Status

QUESTION = "Who spoke for the Taliban in Tehran?"
NAME = "openai:small"
TALKS = article("Stanikzai spoke for the Taliban in Tehran.", title="Talks", source="ToloNews")


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings name the model, and there is no key and no server."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "library"))
    monkeypatch.setenv("RAG_EMBEDDINGS", NAME)


def run(server: OpenAIServer, *arguments: str, **env: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"OPENAI_BASE_URL": server.url, **env})


def embedded(server: OpenAIServer) -> list[str]:
    """The texts that were sent to be embedded."""
    requests = [r.json["input"] for r in server.requests if r.path == "/v1/embeddings"]
    return [text for given in requests for text in ([given] if isinstance(given, str) else given)]


def test_articles_and_questions_are_embedded_by_the_model_of_the_settings(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        added = run(server, "add", "seeds")
        asked = run(server, "search", QUESTION, "--json")
        told = run(server, "doctor", "--json")
    facts = {fact["name"]: fact["value"] for fact in json.loads(told.stdout)["facts"]}
    assert (added.exit_code, asked.exit_code, told.exit_code) == (0, 0, 0)
    assert embedded(server)[-1] == QUESTION
    assert json.loads(asked.stdout)["warnings"] == []
    assert facts["embeddings"] == facts["embedding model"] == facts["library embedding"] == NAME
    assert facts["vectors indexed"] == facts["passages"] == len(embedded(server)) - 1
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer none"}


def test_the_model_may_be_named_in_python_and_has_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.setenv("RAG_EMBEDDINGS", "minilm")
    with OpenAIServer('{"answered": "no", "statements": [], "missing": ""}') as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(tmp_path, embeddings="bge-m3:latest") as library:
            library.add(TALKS)
            answer = library.ask(QUESTION)
    assert answer.status is Status.ABSTAINED
    assert {request.json["model"] for request in server.requests[:2]} == {"bge-m3:latest"}
    assert server.requests[0].headers["authorization"] == "Bearer sk-mine"


def test_many_passages_are_sent_in_bounded_batches_and_each_is_told(tmp_path: Path) -> None:
    articles = [article(f"Stanikzai spoke {n} times in Tehran.", title=f"Talks {n}") for n in range(MOST_TEXTS + 6)]
    told: list[int] = []
    with OpenAIServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.url)
        with Library(tmp_path) as library:
            library.add(*articles, progress=lambda done, total, text: told.append(done))
    assert sorted(len(request.json["input"]) for request in server.requests) == [6, MOST_TEXTS]
    assert {0, MOST_TEXTS + 6} < set(told)


def test_a_long_question_is_cut_as_the_server_would_refuse_it(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        run(server, "add", "seeds")
        assert run(server, "search", "Tehran " * 1_000).exit_code == 0
    assert len(embedded(server)[-1]) == 2_000


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (refused_key(), KeyRefusedError, "refuses the key for openai:small (401"),
        (no_model("small"), NoModelError, "has no model 'small'; name one that it has with RAG_EMBEDDINGS"),
        (Reply("page not found", 404), UnreachableError, "mostly ends in /v1"),
        (failing(), UnreachableError, "failed (500"),
        (rate_limited("No quota.", code="insufficient_quota", x_should_retry="false"), RateLimitedError, "no credit"),
        (Reply(body=b"<html>"), ReplyError, "sent no reply of a model"),
        (Reply(body=b'{"data": []}'), ReplyError, "sent no reply of a model"),
        (Reply(body=b'{"data": [{"embedding": [null, 1.0]}]}'), ReplyError, "sent what is no vector"),
        (Reply(body=b'{"data": [{"embedding": []}]}'), ReplyError, "sent what is no vector"),
        (
            Reply(body=b'{"data": [{"embedding": [1, 2]}, {"embedding": [1, 2]}]}'),
            ReplyError,
            "2 vectors of openai:small for 1",
        ),
    ],
)
def test_what_goes_wrong_is_one_line_of_its_kind_and_nothing_is_half_added(
    reply: Reply, kind: type[ModelError], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OpenAIServer(embeddings=(reply,)) as server, Library(tmp_path / "library") as library:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with pytest.raises(kind) as error:
            library.add(TALKS)
        assert told in str(error.value)
        assert "\n" not in str(error.value)
        assert library.articles() == []
        assert library.add(TALKS).added == 1


@pytest.mark.parametrize(("reply", "code"), [(refused_key(), 4), (failing(), 5), (Reply(body=b"x"), 1)])
def test_the_command_ends_with_one_line_and_the_exit_code_of_the_fault(reply: Reply, code: int) -> None:
    with OpenAIServer(embeddings=(reply,)) as server:
        found = run(server, "add", "seeds")
    assert (found.exit_code, found.stdout, found.stderr.count("rag: ")) == (code, "", 1)


@pytest.mark.slow
def test_a_question_that_cannot_be_embedded_is_told_too() -> None:
    with OpenAIServer() as server:
        run(server, "add", "seeds")
    found = run(server, "search", QUESTION)
    assert found.exit_code == 5
    assert "cannot be reached" in found.stderr


def test_a_rate_limit_is_waited_for_as_the_server_asks() -> None:
    with OpenAIServer(embeddings=(rate_limited(retry_after="0.6"),)) as server:
        start = monotonic()
        assert run(server, "add", "seeds").exit_code == 0
        assert monotonic() - start >= 0.6


def test_the_waits_for_a_rate_limit_come_to_an_end() -> None:
    with OpenAIServer(embeddings=(rate_limited(retry_after="0.01"),) * 20) as server:
        assert run(server, "add", "seeds").exit_code == 6
    assert len(server.requests) == 5


def test_offline_nothing_is_sent_and_words_are_searched_with_a_warning() -> None:
    with OpenAIServer() as server:
        run(server, "add", "seeds")
        before = len(server.requests)
        found = run(server, "search", QUESTION, "--offline")
        added = run(server, "add", "README.md", RAG_OFFLINE="1")
        again = run(server, "reindex", RAG_OFFLINE="1")
        doctor = run(server, "doctor", "--offline")
        assert len(server.requests) == before
        assert run(server, "add", "README.md").exit_code == 0
        assert len(server.requests) > before
    assert "Stanikzai" in found.stdout
    for told in (found, added, again):
        assert told.exit_code == 0
        assert "words only: openai:small needs the network, which " in told.stderr
    assert "--offline refuses" in found.stderr
    assert "not used: --offline" in doctor.stdout


def test_without_a_key_and_a_server_it_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["add", "seeds"])
    told = CliRunner().invoke(app, ["doctor"])
    assert (found.exit_code, "set OPENAI_API_KEY" in found.stderr) == (4, True)
    assert (told.exit_code, "wrong: the model openai:small needs a key" in told.stdout) == (1, True)


@pytest.mark.parametrize("name", ["mini", "openai:", "nobody:model", "cohere:embed"])
def test_a_name_that_is_none_or_of_what_is_not_installed_is_refused(name: str, tmp_path: Path) -> None:
    with Library(tmp_path, embeddings=name) as library, pytest.raises(InputError) as error:
        library.add(TALKS)
    assert "\n" not in str(error.value)


def test_another_model_than_the_librarys_is_refused_with_the_command_that_embeds_anew() -> None:
    with OpenAIServer() as server:
        assert CliRunner().invoke(app, ["add", "seeds"], env={"RAG_EMBEDDINGS": "minilm"}).exit_code == 0
        for command in (("search", QUESTION), ("add", "README.md")):
            found = run(server, *command)
            assert found.exit_code == 1
            assert "embedding model minilm, this is openai:small; " in found.stderr
            assert "`rag reindex`" in found.stderr
        told = run(server, "doctor")
        assert "made with the embedding model minilm, the program has openai:small" in told.stdout
        assert run(server, "reindex").exit_code == 0
        assert run(server, "search", QUESTION).exit_code == 0
        assert run(server, "search", QUESTION, RAG_EMBEDDINGS="openai:large").exit_code == 1


def test_a_model_whose_vectors_have_another_length_now_is_refused() -> None:
    with OpenAIServer() as server:
        run(server, "add", "seeds")
    with OpenAIServer(dimensions=6) as server:
        for command in (("search", QUESTION), ("ask", QUESTION), ("add", "README.md")):
            found = run(server, *command)
            assert (found.exit_code, "`rag reindex`" in found.stderr) == (1, True)
