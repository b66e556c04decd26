"""JSON is asked for as strictly as the server can, and read without repair."""

from __future__ import annotations

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_core.prompt_values import ChatPromptValue
from openai_server import OpenAIServer, Reply, failing

from rag.errors import ReplyError, RequestError, UnreachableError
from rag.models.chat import ModelChoice, chat_model
from rag.models.client import JsonModel

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
PLAIN = ("json_schema", "json_object")
PROMPT = ChatPromptValue(messages=[HumanMessage("Reply with JSON.")])


def model(server: OpenAIServer) -> JsonModel:
    choice = ModelChoice("openai", "local", server.url)
    return JsonModel(chat_model(choice, max_retries=0), choice, SCHEMA)


def test_the_schema_is_sent() -> None:
    with OpenAIServer('{"a": 1}') as server:
        assert model(server).ask(PROMPT) == {"a": 1}
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
        assert [asked.ask(PROMPT)["a"], asked.ask(PROMPT)["a"]] == [1, 2]
    assert [request.format for request in server.requests] == formats


def test_a_request_that_is_refused_in_every_way_is_asked_in_every_way_again() -> None:
    refused = Reply("no such parameter", 400)
    with OpenAIServer(refused, refused, refused, '{"a": 1}') as server:
        asked = model(server)
        with pytest.raises(RequestError, match="400: no such parameter"):
            asked.ask(PROMPT)
        assert asked.ask(PROMPT) == {"a": 1}
    assert [request.format for request in server.requests] == ["json_schema", "json_object", None, "json_schema"]


def test_another_failure_is_not_asked_less_strictly() -> None:
    with OpenAIServer(failing()) as server, pytest.raises(UnreachableError):
        model(server).ask(PROMPT)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("Sure: {}", "is no JSON (Expecting value: line 1 column 1 (char 0)); wanted one JSON object"),
        ('```json\n{"a": 1}\n```', "is no JSON"),
        ('{"a": 1} {"a": 2}', "is no JSON (Extra data"),
        ("[" * 100_000, "is no JSON"),
        ("[1]", "is a JSON list; wanted one JSON object"),
        ("null", "is a JSON NoneType"),
        (Reply('{"a": 1}', finish="content_filter"), "a content filter stopped it"),
        (Reply(refusal="I will not."), "refused to reply (I will not.)"),
    ],
)
def test_a_reply_that_is_no_json_object_says_what_it_is(reply: Reply | str, told: str) -> None:
    with OpenAIServer(reply, refuses=PLAIN) as server, pytest.raises(ReplyError) as error:
        model(server).ask(PROMPT)
    assert told in str(error.value)


def test_a_cut_reply_is_none() -> None:
    told = pytest.raises(ReplyError, match="is not whole: it reached its length limit")
    with OpenAIServer(Reply('{"a": 1}', finish="length"), refuses=PLAIN) as server, told:
        model(server).ask(PROMPT)


def test_any_langchain_model_is_asked_plainly() -> None:
    fake = FakeListChatModel(responses=['{"a": 3}'])
    assert JsonModel(fake, ModelChoice("fake", "list"), SCHEMA).ask(PROMPT) == {"a": 3}
