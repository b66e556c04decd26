"""Which model is meant, and what it is asked over a real socket."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import asdict
from time import monotonic

import pytest
from openai_server import DIMENSIONS, OpenAIServer, Reply, Request, failing, rate_limited

from rag.errors import InputError, KeyRefusedError
from rag.models.chat import DEFAULT_MODEL, OPENAI_URL, ModelChoice, Secret, chat_model, resolve

KEY = Secret("sk-verysecret-0123456789")
URL = "http://localhost:11434/v1"


def chosen(**given: object) -> ModelChoice:
    found = resolve(**given)  # type: ignore[arg-type]  # of several kinds
    assert found
    return found


def test_without_a_model_a_url_and_a_key_it_is_offline() -> None:
    assert resolve() is None


def test_offline_refuses_whatever_else_is_given() -> None:
    assert resolve(model="openai:gpt-5-mini", base_url=URL, key=KEY, offline=True) is None


def test_a_key_alone_means_the_default_model_at_openai() -> None:
    found = chosen(key=KEY)
    assert (found.id, found.place, found.key) == (DEFAULT_MODEL, OPENAI_URL, KEY)


@pytest.mark.parametrize("name", ["openai:gpt-4.1", "gpt-4.1"])
def test_a_bare_name_is_one_of_openai(name: str) -> None:
    assert chosen(model=name, key=KEY).id == "openai:gpt-4.1"


@pytest.mark.parametrize(
    ("name", "id"),
    [
        (None, DEFAULT_MODEL),
        ("openai:local", "openai:local"),
        ("llama3.2:3b", "openai:llama3.2:3b"),
        ("org/model-7b", "openai:org/model-7b"),
    ],
)
def test_at_a_base_url_a_name_may_have_colons_and_no_key_is_needed(name: str | None, id: str) -> None:
    found = chosen(model=name, base_url=f"{URL}/")
    assert (found.id, found.place, found.key) == (id, URL, None)


def test_another_provider_has_its_own_key_and_place() -> None:
    found = chosen(model="anthropic:claude-x", key=KEY)
    assert (found.id, found.place, found.key) == ("anthropic:claude-x", "anthropic", None)


@pytest.mark.parametrize("name", ["gpt-5-mini", "openai:gpt-5-mini"])
def test_a_model_at_openai_without_a_key_says_what_to_do(name: str) -> None:
    with pytest.raises(KeyRefusedError, match=f"the model {name} needs a key .* set OPENAI_API_KEY, or OPENAI_BASE_"):
        resolve(model=name)


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-ключ", "sk-a\x00"])
def test_a_key_that_cannot_be_one_is_told_and_not_shown(key: str) -> None:
    with pytest.raises(KeyRefusedError, match="such as a line break") as error:
        resolve(model="local", base_url=URL, key=Secret(key))
    assert "sk-" not in str(error.value)


@pytest.mark.parametrize("name", ["openai:", ":gpt", ":", "anthropic:"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="wanted a name such as openai:gpt-5-mini"):
        resolve(model=name, key=KEY)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:11434",
        "ftp://host/v1",
        "http://",
        "http://host:port/v1",
        "http://user:hunter2@host/v1",
        "http://host/v1?key=hunter2",
        "http://host/v1#hunter2",
        "http://host/v 1",
        "http://[::1/v1",
    ],
)
def test_a_base_url_that_is_none_or_holds_a_password_is_refused_and_not_told(url: str) -> None:
    with pytest.raises(InputError, match="without user, password or query") as error:
        resolve(base_url=url)
    assert "hunter2" not in str(error.value)


def test_a_secret_is_seen_only_where_it_is_revealed() -> None:
    found = chosen(key=KEY)
    shown = f"{KEY} {KEY!r} {found} {found!r} {asdict(found)} {copy.deepcopy(found)} {vars(OpenAIServer)}"
    assert "verysecret" not in shown
    assert KEY.reveal() == "sk-verysecret-0123456789"


def test_what_a_server_says_is_told_without_the_key_or_parts_of_it() -> None:
    told = chosen(key=Secret("my-key")).safe("Incorrect key\nmy-key, sk-abc***wxyz. \x07Try again.")
    assert told == "Incorrect key …, … Try again."


@pytest.mark.parametrize("mark", ["\u200b", "\u200d", "\ufe0f", "\u034f", "\u3164", "\u00ad"])
def test_a_key_with_unseen_marks_in_it_is_not_told(mark: str) -> None:
    told = chosen(key=Secret("my-secret-key")).safe(f"Incorrect key {mark.join('my-secret-key')}.")
    assert told == "Incorrect key …."


def test_the_key_the_model_and_the_messages_reach_the_server() -> None:
    with OpenAIServer("In Tehran.") as server:
        reply = chat_model(ModelChoice("openai", "local", server.url, KEY)).invoke("Where?")
    (request,) = server.requests
    assert (reply.text, reply.response_metadata["finish_reason"]) == ("In Tehran.", "stop")
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY.reveal()}"
    assert (request.json["model"], request.json["temperature"]) == ("local", 0)
    assert request.messages == [{"role": "user", "content": "Where?"}]


def test_a_server_of_ones_own_is_given_no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:1/v1")
    with OpenAIServer("In Tehran.") as server:
        chat_model(ModelChoice("openai", "local", server.url)).invoke("Where?")
    assert server.requests[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize("name", ["gpt-5-mini", "o4-mini", "openai/o3", "gpt-5.2-pro"])
def test_a_model_with_a_temperature_of_its_own_is_given_none(name: str) -> None:
    with OpenAIServer("Yes.") as server:
        chat_model(ModelChoice("openai", name, server.url)).invoke("Where?")
    assert "temperature" not in server.requests[0].json


def test_a_stream_comes_in_pieces_and_ends_with_its_usage() -> None:
    with OpenAIServer("The talks were in Tehran.") as server:
        pieces = list(chat_model(ModelChoice("openai", "local", server.url)).stream("Where were the talks?"))
    assert [piece.text for piece in pieces if piece.text] == ["The ", "talks ", "were ", "in ", "Tehran."]
    usage = [piece.usage_metadata for piece in pieces if piece.usage_metadata]
    assert [(u["input_tokens"], u["output_tokens"]) for u in usage] == [(4, 5)]


async def test_it_can_be_awaited() -> None:
    with OpenAIServer("In Tehran.") as server:
        reply = await chat_model(ModelChoice("openai", "local", server.url)).ainvoke("Where?")
    assert reply.text == "In Tehran."


def test_a_server_of_ones_own_is_waited_for_longer_as_it_may_have_to_load_the_model() -> None:
    own, theirs = (chat_model(ModelChoice("openai", "local", url, KEY)) for url in (URL, None))
    assert (own.request_timeout.read, theirs.request_timeout.read) == (600, 60)
    assert own.request_timeout.connect == 10


def test_a_rate_limit_waits_as_long_as_the_server_asks() -> None:
    seen: list[float] = []

    def script(request: Request) -> Reply:
        seen.append(monotonic())
        return Reply("Yes.") if len(seen) == 2 else rate_limited(retry_after="0.6")

    with OpenAIServer(by=script) as server:
        assert chat_model(ModelChoice("openai", "local", server.url)).invoke("Where?").text == "Yes."
    assert seen[1] - seen[0] >= 0.6  # without the header it waits for 0.5 seconds at most


@pytest.mark.parametrize(("retries", "requests"), [(0, 1), (2, 3)])
def test_the_retries_are_bounded(retries: int, requests: int) -> None:
    with OpenAIServer(by=lambda _: rate_limited(retry_after="0.01")) as server:
        model = chat_model(ModelChoice("openai", "local", server.url), max_retries=retries)
        with pytest.raises(Exception, match="Rate limit"):
            model.invoke("Where?")
    assert len(server.requests) == requests


def test_a_wait_of_more_than_two_minutes_is_not_waited_for() -> None:
    with OpenAIServer(rate_limited(retry_after="3600")) as server, pytest.raises(Exception, match="Rate limit"):
        chat_model(ModelChoice("openai", "local", server.url)).invoke("Where?")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (ModelChoice("llama3.2", "3b"), "llama3.2:3b cannot be made .*set OPENAI_BASE_URL"),
        (ModelChoice("anthropic", "claude"), "anthropic:claude cannot be made .*langchain-anthropic"),
    ],
)
def test_a_provider_that_is_not_there_is_told_in_one_line(choice: ModelChoice, told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        chat_model(choice)
    assert "\n" not in str(error.value)


def test_to_choose_a_model_loads_no_sdk() -> None:
    code = "import sys, rag.settings; rag.settings.read_settings(); print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert not {"langchain", "langchain_core", "langchain_openai", "openai", "httpx2"} & set(loaded)


# The server that other tests rely on.


def test_the_server_says_which_request_was_too_many() -> None:
    server = OpenAIServer("Once.").__enter__()
    model = chat_model(ModelChoice("openai", "local", server.url))
    model.invoke("Once?")
    with pytest.raises(Exception, match="418"):
        model.invoke("Again?")
    with pytest.raises(AssertionError, match=r"1 requests too many; the first: /v1/chat/completions .*'Again\?'"):
        server.__exit__()


def test_the_server_embeds_the_same_text_alike_in_either_encoding() -> None:
    from langchain_openai import OpenAIEmbeddings
    from openai import OpenAI

    with OpenAIServer() as server:
        given = {"model": "e", "base_url": server.url, "api_key": "none"}
        vectors = OpenAIEmbeddings(check_embedding_ctx_length=False, **given).embed_documents(
            ["Kabul", "Doha", "Kabul"]
        )
        client = OpenAI(base_url=server.url, api_key="none")
        plain = client.embeddings.create(model="e", input="Kabul", encoding_format="float").data[0].embedding
        assert [model.id for model in client.models.list()] == ["model"]
    assert vectors[0] == vectors[2] != vectors[1]
    assert len(vectors[0]) == DIMENSIONS
    assert plain == pytest.approx(vectors[0], abs=1e-6)


def test_a_failing_server_is_not_tried_again_if_it_says_so() -> None:
    with OpenAIServer(failing(503)) as server, pytest.raises(Exception, match="503"):
        chat_model(ModelChoice("openai", "local", server.url)).invoke("Where?")
    assert len(server.requests) == 1
