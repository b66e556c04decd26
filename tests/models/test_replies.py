"""JSON is asked for as strictly as the server can, with a limit, and a fault that may pass is tried again."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from openai_server import OpenAIServer, Reply, Request, failing, rate_limited

from rag.errors import ModelError, RateLimitedError, ReplyError, RequestError, TimedOutError, UnreachableError
from rag.models.chat import ModelChoice, chat_model
from rag.models.client import Account, Call, Caller
from rag.models.prompts import load_prompt

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
PLAIN = ("json_schema", "json_object")
CALL = Call(load_prompt("plan", "question"), {"question": "Where?"}, SCHEMA)


class Asked:
    """A model that is asked for JSON."""

    def __init__(self, server: OpenAIServer, *, name: str = "local", timeout: float = 10.0) -> None:
        choice = ModelChoice("openai", name, server.url)
        self.caller = Caller(chat_model(choice, timeout=timeout, max_retries=0), choice, pauses=(0.01, 0.01))

    def ask(self) -> dict[str, Any]:
        return self.caller.json(CALL, Account(), dict)


def model(server: OpenAIServer) -> Asked:
    return Asked(server)


def test_the_schema_is_sent() -> None:
    with OpenAIServer('{"a": 1}') as server:
        assert model(server).ask() == {"a": 1}
    form = server.requests[0].json["response_format"]
    assert form == {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA}}


@pytest.mark.parametrize(
    ("refuses", "formats"),
    [
        (("json_schema",), ["json_schema", "json_object", "json_object"]),
        (("json_schema", "json_object"), ["json_schema", "json_object", None, None]),
    ],
)
def test_what_a_server_refuses_is_asked_for_less_strictly_and_then_remembered(
    refuses: tuple[str, ...], formats: list[str | None]
) -> None:
    with OpenAIServer('{"a": 1}', '{"a": 2}', refuses=refuses) as server:
        asked = model(server)
        assert [asked.ask()["a"], asked.ask()["a"]] == [1, 2]
    assert [request.format for request in server.requests] == formats


def test_a_request_that_is_refused_in_every_way_is_asked_in_every_way_again() -> None:
    refused = Reply("no such parameter", 400)
    with OpenAIServer(refused, refused, refused, '{"a": 1}') as server:
        asked = model(server)
        with pytest.raises(RequestError, match="400: no such parameter"):
            asked.ask()
        assert asked.ask() == {"a": 1}
    assert [request.format for request in server.requests] == ["json_schema", "json_object", None, "json_schema"]


def test_another_failure_is_not_asked_less_strictly() -> None:
    with OpenAIServer(failing()) as server, pytest.raises(UnreachableError):
        model(server).ask()
    assert len(server.requests) == 1


@pytest.mark.parametrize("reply", ["Sure: none.", "[1]", "null", "[" * 20_000])
def test_a_reply_that_is_no_json_object_is_asked_for_once_more_and_told(reply: str) -> None:
    with OpenAIServer(reply, reply, refuses=PLAIN) as server, pytest.raises(ReplyError, match="no JSON object"):
        model(server).ask()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (" \n ", "is empty"),
        (Reply('{"a": 1}', finish="content_filter"), "a content filter stopped it"),
        (Reply('{"a": 1}', finish="length"), "is not whole: it reached its length limit"),
    ],
)
def test_a_reply_that_is_empty_or_cut_says_so(reply: Reply | str, told: str) -> None:
    with OpenAIServer(reply, refuses=PLAIN) as server, pytest.raises(ReplyError) as error:
        model(server).ask()
    assert told in str(error.value)


def test_any_langchain_model_is_asked_plainly() -> None:
    caller = Caller(FakeListChatModel(responses=['{"a": 3}']), ModelChoice("fake", "list"))
    assert caller.json(CALL, Account(), dict) == {"a": 3}


def test_the_longest_reply_is_sent_and_left_out_where_it_is_not_taken() -> None:
    def script(request: Request) -> Reply | str:
        return Reply("Unknown parameter: max_tokens", 400) if "max_tokens" in request.json else '{"a": 1}'

    with OpenAIServer(by=script) as server:
        asked = model(server)
        for _ in range(2):
            asked.ask()
    limits = [request.json.get("max_tokens") for request in server.requests]
    assert limits[1:] == [None, None]
    assert limits[0] >= 1_000
    assert {request.format for request in server.requests} == {"json_schema"}


def test_a_limit_that_does_not_fit_beside_the_prompt_is_left_out_before_the_prompt_is_shortened() -> None:
    told = "'max_tokens' is too large: 4000. This model's maximum context length is 4096 tokens."
    with OpenAIServer(by=lambda r: Reply(told, 400) if "max_tokens" in r.json else '{"a": 1}') as server:
        assert model(server).ask() == {"a": 1}


@pytest.mark.parametrize(("name", "effort"), [("gpt-5-mini", "low"), ("gpt-oss:20b", "low"), ("qwen3:8b", None)])
def test_a_model_that_has_an_effort_is_asked_for_little(name: str, effort: str | None) -> None:
    with OpenAIServer('{"a": 1}') as server:
        Asked(server, name=name).ask()
    assert server.requests[0].json.get("reasoning_effort") == effort


def test_a_rate_limit_is_tried_again_and_an_empty_account_is_not() -> None:
    with OpenAIServer(rate_limited(retry_after="0"), '{"a": 1}') as server:
        assert model(server).ask() == {"a": 1}
    with OpenAIServer(rate_limited("No quota.", code="insufficient_quota")) as server, pytest.raises(RateLimitedError):
        model(server).ask()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "error", "requests"),
    [
        (Reply('{"a": 1}', delay=1.0), TimedOutError, 1),
        (Reply("down", 503), UnreachableError, 3),
        (Reply('{"a": 1}', breaks_after=0), UnreachableError, 3),
    ],
)
def test_silence_is_waited_for_once_and_a_broken_connection_is_tried_again(
    reply: Reply, error: type[ModelError], requests: int
) -> None:
    with OpenAIServer(by=lambda _: reply) as server, pytest.raises(error):
        Asked(server, timeout=0.5 if reply.delay else 10.0).ask()
    assert len(server.requests) == requests
