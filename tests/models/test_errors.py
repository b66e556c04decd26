"""Whatever goes wrong with a model becomes one line of a known kind, which never has the key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import ModelAPIError, ModelRateLimitError
from langchain_core.language_models import BaseChatModel
from openai_server import OpenAIServer, Reply, failing, no_model, rate_limited, refused_key, too_long

from rag.errors import (
    ContextError,
    InputError,
    KeyRefusedError,
    ModelError,
    NoModelError,
    RateLimitedError,
    ReplyError,
    RequestError,
    TimedOutError,
    UnreachableError,
)
from rag.models.chat import ModelChoice, Secret, chat_model
from rag.models.errors import model_errors

KEY = "sk-verysecret-0123456789"
NAME = "local-model"
OWN = {"x-should-retry": "false"}


def invoked(model: BaseChatModel) -> Any:
    return model.invoke("Where were the talks?")


def streamed(model: BaseChatModel) -> Any:
    return list(model.stream("Where were the talks?"))


BOTH = pytest.mark.parametrize("call", [invoked, streamed])


def failure(url: str, call: Callable[[BaseChatModel], Any], **limits: float) -> ModelError:
    """What a call of the model raises."""
    choice = ModelChoice("openai", NAME, url, Secret(KEY))
    model = chat_model(choice, max_retries=0, **limits)  # type: ignore[arg-type]  # seconds only
    with pytest.raises(ModelError) as raised, model_errors(choice):
        call(model)
    told = str(raised.value)
    assert KEY not in told
    assert "\n" not in told
    assert len(told) < 500
    return raised.value


def answered(reply: Reply, call: Callable[[BaseChatModel], Any]) -> ModelError:
    longest = 0.5 if reply.delay or (reply.endless and reply.breaks_after is None) else 10.0
    with OpenAIServer(reply) as server:
        return failure(server.url, call, timeout=longest, longest=longest)


@BOTH
@pytest.mark.parametrize(
    ("reply", "kind", "code", "told"),
    [
        (
            refused_key(),
            KeyRefusedError,
            4,
            "refuses the key for openai:local-model (401: Incorrect API key provided.)",
        ),
        (refused_key(status=403), KeyRefusedError, 4, "wanted a valid one in OPENAI_API_KEY, or --offline"),
        (no_model(NAME), NoModelError, 5, "has no model 'local-model'; name one that it has with --model or RAG_MODEL"),
        (Reply("page not found", 404), UnreachableError, 5, "(404: page not found); wanted a base URL, which mostly"),
        (rate_limited(retry_after="7"), RateLimitedError, 6, "(429: Rate limit reached.); ask again in 7 seconds"),
        (rate_limited(), RateLimitedError, 6, "ask again in a minute"),
        (
            rate_limited("No quota.", code="insufficient_quota"),
            RateLimitedError,
            6,
            "has no credit left (429: No quota",
        ),
        (Reply(delay=1.0), TimedOutError, 7, "did not reply in time; ask again, or another model"),
        (failing(), UnreachableError, 5, "failed (500: The server had an error.); ask again later"),
        (failing(503), UnreachableError, 5, "failed (503: "),
        (too_long(), ContextError, 1, "the prompt is too long for openai:local-model (400: This model's maximum"),
        (Reply("exceeds the available context size", 400), ContextError, 1, "give it fewer passages with -k"),
        (Reply("bad temperature", 400), RequestError, 1, "refuses the request to openai:local-model (400: bad temp"),
        (Reply("bad parameter", 422), RequestError, 1, "(422: bad parameter); try another model"),
        (Reply("failed to parse grammar", 500, OWN), RequestError, 1, "(500: failed to parse grammar)"),
        (Reply("no", 501, OWN), RequestError, 1, "(501: no); try another model"),
        (Reply("teapot", 418, OWN), RequestError, 1, "(418: teapot)"),
        (Reply("a b c", breaks_after=1, endless=True), UnreachableError, 5, "broke before the reply was whole (peer"),
        (Reply("a b c", endless=True), TimedOutError, 7, "was not whole after 0.5 seconds"),
        (Reply(body=b"<html>proxy</html>"), ReplyError, 1, "sent no reply of a model (ValueError: "),
        (Reply(body=b'{"error": "overloaded"}'), ReplyError, 1, "check the base URL"),
        (Reply(body=b'{"choices": []}'), ReplyError, 1, "check the base URL"),
        (Reply(body=b'{"choices": [{"index": 0}]}'), ReplyError, 1, "check the base URL"),
    ],
)
def test_each_failure_is_one_line_of_its_kind(
    reply: Reply, kind: type[ModelError], code: int, told: str, call: Callable[[BaseChatModel], Any]
) -> None:
    error = answered(reply, call)
    assert (type(error), error.exit_code) == (kind, code)
    assert told in str(error)


@BOTH
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 503])
def test_a_server_that_repeats_the_key_does_not_show_it(status: int, call: Callable[[BaseChatModel], Any]) -> None:
    answered(Reply(f"The key {KEY} of sk-abc***wxyz is bad", status, OWN), call)
    answered(Reply(body=f"The key {KEY} is bad".encode()), call)


@BOTH
def test_a_server_that_is_not_there_is_told_with_its_address(call: Callable[[BaseChatModel], Any]) -> None:
    with OpenAIServer() as server:
        url = server.url
    error = failure(url, call)
    assert (type(error), error.exit_code) == (UnreachableError, 5)
    assert f"{url} cannot be reached (" in str(error)


def test_an_error_amid_a_stream_is_told() -> None:
    body = b'data: {"error": {"message": "out of memory"}}\n\n'
    error = answered(Reply(body=body, headers={"Content-Type": "text/event-stream"}), streamed)
    assert type(error) is UnreachableError
    assert "failed (out of memory); ask again later" in str(error)


def test_a_reply_that_was_cut_under_a_schema_is_told() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}}}
    error = answered(Reply('{"a": ', finish="length"), lambda model: model.bind(response_format=form).invoke("?"))
    assert type(error) is ReplyError
    assert "the reply of openai:local-model was cut" in str(error)


def test_other_providers_are_told_by_langchains_own_classes() -> None:
    choice = ModelChoice("anthropic", "claude")
    with pytest.raises(RateLimitedError, match="anthropic takes no more requests for now"), model_errors(choice):
        raise ModelRateLimitError("slow down")
    with pytest.raises(UnreachableError, match="anthropic failed"), model_errors(choice):
        raise ModelAPIError("overloaded")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError("refused"), UnreachableError),
        (ConnectionError("Failed to connect to Ollama."), UnreachableError),
        (TimeoutError("timed out"), TimedOutError),
        (httpx.ConnectError("refused"), UnreachableError),
        (httpx.ReadTimeout("timed out"), TimedOutError),
        (httpx.RemoteProtocolError("peer closed"), UnreachableError),
    ],
)
def test_what_the_network_raises_under_other_providers_is_told_too(error: Exception, kind: type[ModelError]) -> None:
    with pytest.raises(kind) as raised, model_errors(ModelChoice("ollama", "llama3.2")):
        raise error
    assert type(raised.value) is kind
    assert "ollama" in str(raised.value)


def test_what_is_no_error_of_a_model_passes() -> None:
    choice = ModelChoice("anthropic", "claude")
    with pytest.raises(InputError, match="mine"), model_errors(choice):
        raise InputError("mine")
    with pytest.raises(OSError, match="disk"), model_errors(choice):
        raise OSError("disk")
