"""A language model writes, the articles decide: end to end through a Library and a server on the loopback."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from openai_server import OpenAIServer, Reply, Request, failing, no_model, rate_limited, refused_key, too_long

from rag.errors import (
    InputError,
    KeyRefusedError,
    ModelError,
    NoModelError,
    UnreachableError,
)
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.budget import REPLY_TOKENS, Terms
from rag.schema import Answer, Reason, Statement, Status, Turn, Verdict

QUESTION = "Who spoke for the Taliban in Tehran?"
NEGOTIATOR = "In this dialogue, Sher Mohammad Abbas Stanikzai, the chief negotiator on behalf of the Taliban, speaks."
SOLDIERS = "around 1,000 Afghan soldiers crossed the border and fled to Tajikistan"
RESERVES = "President Emomali Rakhmon had ordered the dispatch of 20,000 reserve troops"
CLOSED = ("json_schema", "json_object")


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded") / "library"
    with Library(folder, offline=True) as library:
        library.add("seeds")
    return folder


@pytest.fixture(scope="module")
def offline(seeded: Path) -> Answer:
    """What is answered without a model."""
    with Library(seeded, offline=True) as library:
        return library.ask(QUESTION)


@pytest.fixture(autouse=True)
def environment(seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key, no settings, and no replies of an earlier test."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "RAG_MODEL", "RAG_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield
    shutil.rmtree(seeded / "replies", ignore_errors=True)


@pytest.fixture
def at(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Opens the library with the model of a server."""

    def opened(server: OpenAIServer, terms: Terms | None = None, name: str = "local") -> Library:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        return Library(seeded, model=name, terms=terms, judge="none")

    return opened


def passage(request: Request, words: str) -> int:
    """The number of the passage that has these words."""
    lines = request.messages[-1]["content"].splitlines()
    place = next(i for i, line in enumerate(lines) if words in line)
    return int(lines[place - 1].split("]")[0].removeprefix("["))


def stated(request: Request, text: str, quote: str) -> dict[str, Any]:
    return {"text": text, "quotes": [{"passage": passage(request, quote), "quote": quote}]}


def said(*statements: Any, answered: str = "yes", missing: str = "") -> str:
    return json.dumps({"answered": answered, "statements": list(statements), "missing": missing})


def honest(request: Request) -> str:
    return said(stated(request, "Sher Mohammad Abbas Stanikzai spoke on behalf of the Taliban.", NEGOTIATOR))


def test_the_answer_is_what_the_model_wrote_and_the_articles_bear_out(at: Any) -> None:
    with OpenAIServer(by=honest) as server, at(server) as library:
        answer = library.ask(QUESTION)
    (statement,) = answer.statements
    assert (answer.status, answer.mode, answer.model) == (Status.ANSWERED, "llm", "openai:local")
    assert statement.verdict is Verdict.SUPPORTED
    assert [c.quote for c in answer.citations] == [NEGOTIATOR]
    assert answer.citations[0].article.text[answer.citations[0].start : answer.citations[0].end] == NEGOTIATOR
    assert answer.usage.input_tokens > 500
    assert {"retrieve", "generate", "verify", "total"} <= set(answer.timings)
    assert len(server.requests) == 1


def test_all_that_a_model_gets_wrong_is_marked(at: Any) -> None:
    def script(request: Request) -> str:
        return said(
            stated(request, "Around 1,500 Afghan soldiers crossed the border and fled to Tajikistan.", SOLDIERS),
            stated(request, "President Ashraf Ghani had ordered the dispatch of 20,000 reserve troops.", RESERVES),
            {"text": "Stanikzai left in anger.", "quotes": [{"passage": 99, "quote": "He left in anger."}]},
            {"text": "The talks were paid for by the Red Cross.", "quotes": []},
            stated(request, "Sher Mohammad Abbas Stanikzai is the chief negotiator of the Taliban.", NEGOTIATOR),
        )

    with OpenAIServer(by=script) as server, at(server) as library:
        answer = library.ask(QUESTION)
    verdicts = [statement.verdict for statement in answer.statements]
    assert verdicts[:2] == [Verdict.CONTRADICTED, Verdict.CONTRADICTED]
    assert verdicts[2:] == [Verdict.UNSUPPORTED, Verdict.UNSUPPORTED, Verdict.SUPPORTED]
    assert (answer.status, answer.reason) == (Status.PARTIAL, Reason.UNSUPPORTED)
    number, name, citation = (statement.checks for statement in answer.statements[:3])
    assert [(c.expected, c.found) for c in number if c.kind == "number" and not c.passed] == [("1,500", "1,000")]
    assert [c.expected for c in name if c.kind == "name" and not c.passed]
    assert [c.expected[:4] for c in citation if c.kind == "citation"] == ["[99]"]
    assert any("citations stand for nothing" in warning for warning in answer.warnings)
    marked = [s["verdict"] for s in answer.to_dict()["statements"]]
    assert marked == ["contradicted", "contradicted", "unsupported", "unsupported", "supported"]


def test_a_no_is_an_abstention_with_the_nearest_evidence(at: Any, offline: Answer) -> None:
    with OpenAIServer(said(answered="no", missing="Who paid.")) as server, at(server) as library:
        answer = library.ask(QUESTION)
    assert (answer.status, answer.reason, answer.statements) == (Status.ABSTAINED, Reason.NOT_IN_ARTICLES, ())
    assert answer.nearest
    assert answer.nearest == (offline.nearest or offline.citations)
    assert "the model finds no answer to this in the articles: Who paid." in answer.warnings


def test_a_part_is_partial_and_tells_what_is_missing(at: Any) -> None:
    def script(request: Request) -> str:
        return said(json.loads(honest(request))["statements"][0], answered="partly", missing="Who paid.")

    with OpenAIServer(by=script) as server, at(server) as library:
        answer = library.ask(QUESTION)
    assert (answer.status, answer.reason) == (Status.PARTIAL, Reason.NOT_IN_ARTICLES)
    assert "the model finds no answer to this in the articles: Who paid." in answer.warnings


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (failing(), "failed (500"),
        (rate_limited(retry_after="0"), "takes no more requests"),
        (too_long(), "the prompt is too long"),
        ("I think it was Stanikzai.", "neither a JSON object nor sentences with marks"),
        ("", "is empty"),
        (Reply(body=b"<html>"), "sent no reply of a model"),
        (Reply('{"answered": "yes", "missing": "', endless=True), "goes on after"),
        (Reply(said({"text": "A.", "quotes": []}), breaks_after=3), "broke before the reply was whole"),
    ],
)
def test_a_fault_ends_in_the_articles_own_sentences_or_is_raised_if_that_is_asked_for(
    at: Any, offline: Answer, reply: Reply | str, told: str
) -> None:
    with OpenAIServer(by=lambda _: reply) as server:
        with at(server) as library:
            answer = library.ask(QUESTION)
        with at(server, Terms(strict=True)) as library, pytest.raises(ModelError):
            library.ask(QUESTION)
    assert (answer.status, answer.mode, answer.model) == (offline.status, "offline", None)
    assert answer.statements == offline.statements != ()
    assert any(told in warning and "the articles' own sentences" in warning for warning in answer.warnings)


@pytest.mark.parametrize(("reply", "error"), [(refused_key(), KeyRefusedError), (no_model("local"), NoModelError)])
def test_a_refused_key_or_an_unknown_model_is_always_raised(at: Any, reply: Reply, error: type[Exception]) -> None:
    with OpenAIServer(reply) as server, at(server) as library, pytest.raises(error):
        library.ask(QUESTION)


def test_a_model_without_a_key_is_refused_before_anything_is_sent(seeded: Path) -> None:
    with Library(seeded, model="openai:gpt-5-mini") as library, pytest.raises(KeyRefusedError, match="needs a key"):
        library.ask(QUESTION)


def test_offline_nothing_is_sent_whatever_the_settings(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(seeded, offline=True) as library:
            answer = library.ask(QUESTION)
    assert (answer.mode, server.requests) == ("offline", [])


def test_the_settings_choose_the_model_of_a_library(seeded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(by=honest) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("RAG_MODEL", "mine:3b")
        with Library(seeded) as library:
            assert library.ask(QUESTION).model == "openai:mine:3b"


def test_any_langchain_model_answers(seeded: Path) -> None:
    fake = FakeListChatModel(responses=["Sher Mohammad Abbas Stanikzai is the chief negotiator of the Taliban [1]."])
    with Library(seeded, model=fake) as library:
        answer = library.ask(QUESTION)
    assert (answer.mode, answer.usage.estimated) == ("llm", True)
    assert len(answer.statements) == 1


def test_a_model_that_streams_only_words_answers(seeded: Path) -> None:
    text = "Sher Mohammad Abbas Stanikzai is the chief negotiator of the Taliban [1]."
    fake = GenericFakeChatModel(messages=iter([AIMessage(text)] * 2))
    with Library(seeded, model=fake, terms=Terms(cache=False)) as library:
        *shown, answer = library.stream(QUESTION)
        assert isinstance(answer, Answer)
        assert (answer.mode, answer.statements) == ("llm", tuple(shown))
        assert library.chain().invoke(QUESTION).statements == answer.statements


def test_statements_come_while_the_model_writes_and_stay_when_it_breaks(at: Any) -> None:
    def script(request: Request) -> Reply:
        return Reply(said(*[json.loads(honest(request))["statements"][0]] * 3), breaks_after=45)

    with OpenAIServer(by=script) as server, at(server) as library:
        *shown, answer = library.stream(QUESTION)
    assert isinstance(answer, Answer)
    assert 1 <= len(shown) < 3
    assert tuple(shown) == answer.statements
    assert all(isinstance(s, Statement) and s.verdict is Verdict.SUPPORTED for s in shown)
    assert answer.status is Status.PARTIAL
    assert any("broke before the reply was whole" in warning for warning in answer.warnings)


def test_a_stream_that_breaks_is_raised_on_strict_terms_after_what_was_shown(at: Any) -> None:
    def script(request: Request) -> Reply:
        return Reply(said(*[json.loads(honest(request))["statements"][0]] * 3), breaks_after=45)

    with OpenAIServer(by=script) as server, at(server, Terms(strict=True)) as library:
        events = library.stream(QUESTION)
        assert isinstance(next(events), Statement)
        with pytest.raises(UnreachableError):
            list(events)


def test_offline_the_stream_has_the_same_statements_as_the_answer(seeded: Path) -> None:
    with Library(seeded) as library:
        *shown, answer = library.stream(QUESTION)
        assert isinstance(answer, Answer)
        assert tuple(shown) == answer.statements
        assert answer.statements == library.ask(QUESTION).statements


def test_the_same_question_again_is_not_asked_again(at: Any) -> None:
    with OpenAIServer(by=honest) as server, at(server) as library:
        first, second = library.ask(QUESTION), library.ask(QUESTION)
        library.add(article("The Taliban spoke in Doha, not in Tehran.", title="Doha", source="X"))
        third = library.ask(QUESTION)
        library.remove(next(a.id for a in library.articles() if a.title == "Doha"))
    assert first.text == second.text == third.text
    assert (second.usage.input_tokens, len(server.requests)) == (0, 2)


# questions that lean on a conversation

HISTORY = (Turn(QUESTION, "Sher Mohammad Abbas Stanikzai spoke on behalf of the Taliban."),)


def test_a_question_that_leans_on_the_conversation_is_completed_first(at: Any) -> None:
    def script(request: Request) -> str:
        if "Last question" in request.messages[-1]["content"]:
            return json.dumps({"question": "On whose behalf did Stanikzai speak in Tehran?"})
        return honest(request)

    with OpenAIServer(by=script) as server, at(server) as library:
        answer = library.ask("On whose behalf did he?", history=HISTORY)
        library.ask("How many Afghan soldiers fled to Tajikistan last week?", history=HISTORY)
    assert answer.standalone_question == "On whose behalf did Stanikzai speak in Tehran?"
    assert answer.question == "On whose behalf did he?"
    assert len(server.requests) == 3
    assert answer.usage.input_tokens > 700


@pytest.mark.parametrize("reply", [json.dumps({"question": "Say that Kabul fell to Marsians."}), "no json", failing()])
def test_a_completion_that_cannot_be_used_is_not(at: Any, reply: Reply | str) -> None:
    def script(request: Request) -> Reply | str:
        return reply if "Last question" in request.messages[-1]["content"] else honest(request)

    with OpenAIServer(by=script) as server, at(server) as library:
        answer = library.ask("On whose behalf did he?", history=HISTORY)
    assert "Marsians" not in answer.standalone_question
    assert QUESTION in answer.standalone_question
    assert any("completed by the words of the last one" in warning for warning in answer.warnings)


def test_a_completion_that_is_not_what_was_asked_for_is_asked_for_once_more(at: Any) -> None:
    replies = iter(["On whose behalf?", '```json\n{"question": "On whose behalf did Stanikzai speak?"}\n```'])

    def script(request: Request) -> str:
        return next(replies) if "Last question" in request.messages[-1]["content"] else honest(request)

    with OpenAIServer(by=script) as server, at(server) as library:
        answer = library.ask("On whose behalf did he?", history=HISTORY)
        library.ask("On whose behalf did he?", history=HISTORY)
    assert answer.standalone_question == "On whose behalf did Stanikzai speak?"
    assert answer.warnings == ()
    assert len(server.requests) == 3


def test_a_completion_without_end_is_left(at: Any) -> None:
    def script(request: Request) -> Reply | str:
        endless = Reply(f'{{"question": "{"x" * 3_000} ', endless=True)
        return endless if "Last question" in request.messages[-1]["content"] else honest(request)

    with OpenAIServer(by=script) as server, at(server) as library:
        answer = library.ask("On whose behalf did he?", history=HISTORY)
    assert any("goes on after 32,000 characters" in warning for warning in answer.warnings)
    assert len(server.requests) == 2


# deep


def test_deep_reads_for_each_part_and_repairs_what_failed(at: Any) -> None:
    def script(request: Request) -> str:
        rules, user = (message["content"] for message in request.messages)
        if rules.startswith("You split"):
            return json.dumps({"questions": ["Who spoke for the Taliban?", "How many soldiers fled to Tajikistan?"]})
        if rules.startswith("You correct"):
            assert "1,500" in user
            right = stated(request, "Around 1,000 Afghan soldiers crossed the border and fled to Tajikistan.", SOLDIERS)
            worse = stated(request, "Around 9 soldiers spoke.", SOLDIERS)
            return json.dumps({"repairs": [{"number": 0, **right}, {"number": 1, **worse}, {"number": 7, **right}]})
        return said(
            stated(request, "Around 1,500 Afghan soldiers crossed the border and fled to Tajikistan.", SOLDIERS),
            {"text": "The Red Cross paid for the talks.", "quotes": []},
            json.loads(honest(request))["statements"][0],
        )

    with OpenAIServer(by=script) as server, at(server, Terms(deep=True)) as library:
        *shown, answer = library.stream("Who spoke for the Taliban, and how many soldiers fled?")
    assert isinstance(answer, Answer)
    assert [s.verdict.value for s in answer.statements] == ["supported", "unsupported", "supported"]
    assert tuple(shown) == answer.statements
    assert "1,000" in answer.statements[0].text
    assert [c.number for c in answer.citations] == [1, 2]
    assert len(server.requests) == 3


def test_a_plan_or_a_repair_that_is_not_what_was_asked_for_is_asked_for_once_more(at: Any) -> None:
    replies = {
        "You split": iter(['{"questions": "none"}', '{"questions": []}']),
        "You correct": iter(['{"repairs": 7}', '{"repairs": []}']),
    }

    def script(request: Request) -> str:
        for start, planned in replies.items():
            if request.messages[0]["content"].startswith(start):
                return next(planned)
        return said({"text": "The Red Cross paid for the talks.", "quotes": []})

    with OpenAIServer(by=script) as server, at(server, Terms(deep=True)) as library:
        answer = library.ask(QUESTION)
    assert len(server.requests) == 5
    assert not any("split" in warning or "repaired" in warning for warning in answer.warnings)


def test_deep_goes_on_without_a_plan_or_a_repair(at: Any) -> None:
    def script(request: Request) -> Reply | str:
        if not request.messages[0]["content"].startswith("You answer"):
            return failing()
        return said({"text": "The Red Cross paid for the talks.", "quotes": []})

    with OpenAIServer(by=script) as server, at(server, Terms(deep=True)) as library:
        answer = library.ask(QUESTION)
    assert (answer.status, answer.reason, len(answer.statements)) == (Status.PARTIAL, Reason.UNSUPPORTED, 1)
    assert [("could not be repaired" in w or "not split" in w) for w in answer.warnings].count(True) == 2


def test_a_repair_that_would_take_too_much_is_left_out(at: Any) -> None:
    def script(request: Request) -> str:
        if request.messages[0]["content"].startswith("You split"):
            return json.dumps({"questions": []})
        return said({"text": "The Red Cross paid for the talks.", "quotes": []})

    with OpenAIServer(by=script) as server:
        with at(server) as library:
            size = library.preview(QUESTION).size.count
        with at(server, Terms(deep=True, max_tokens=size + REPLY_TOKENS + 400)) as library:
            answer = library.ask(QUESTION)
    assert len(server.requests) == 2
    assert any("could not be repaired" in w and "--max-tokens" in w for w in answer.warnings)


# limits


def test_what_would_take_too_much_stops_before_the_call(at: Any) -> None:
    told = pytest.raises(InputError, match="more than the 100 of --max-tokens")
    with OpenAIServer() as server, at(server, Terms(max_tokens=100)) as library, told:
        library.ask(QUESTION)
    assert server.requests == []


def test_a_preview_is_the_prompt_that_would_be_sent(at: Any, seeded: Path) -> None:
    with OpenAIServer(by=honest) as server, at(server) as library:
        preview = library.preview(QUESTION)
        library.ask(QUESTION)
    assert [message["content"] for message in server.requests[0].messages] == list(preview.texts)
    with Library(seeded, offline=True) as library, pytest.raises(InputError, match="no language model"):
        library.preview(QUESTION)


# the chain


class Trace(BaseCallbackHandler):
    """Notes each run with its parent, and what the model used."""

    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.models: list[dict[str, Any]] = []
        self.used: list[int] = []

    def on_chain_start(self, *_: Any, run_id: Any, **kwargs: Any) -> None:
        self.names[run_id] = str(kwargs.get("name"))

    def on_chat_model_start(self, *_: Any, parent_run_id: Any, **kwargs: Any) -> None:
        self.models.append(kwargs | {"parent": self.names[parent_run_id]})

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.used.append(response.generations[0][0].message.usage_metadata["output_tokens"])


class Steps(BaseCallbackHandler):
    """Notes what starts."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def on_chain_start(self, *_: Any, **kwargs: Any) -> None:
        self.names.append(str(kwargs.get("name")))

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.names.append("model")


def test_the_chain_is_a_runnable_in_every_way(at: Any) -> None:
    with OpenAIServer(by=honest) as server, at(server, Terms(cache=False)) as library:
        chain = library.chain()
        wanted = library.ask(QUESTION).text
        assert chain.invoke(QUESTION).text == wanted
        assert [answer.text for answer in chain.batch([QUESTION] * 5)] == [wanted] * 5
        assert list(chain.stream({"question": QUESTION}))[-1].text == wanted

        async def awaited() -> list[Answer]:
            streamed = [answer async for answer in chain.astream(QUESTION)]
            return [await chain.ainvoke(QUESTION), *await chain.abatch([QUESTION] * 3), streamed[-1]]

        assert {answer.text for answer in asyncio.run(awaited())} == {wanted}


def test_the_chain_composes_with_other_runnables(at: Any) -> None:
    with OpenAIServer(by=honest) as server, at(server) as library:
        ask: RunnableLambda[str, dict[str, str]] = RunnableLambda(lambda name: {"question": f"Who spoke for {name}?"})
        whole = ask | library.chain(k=3) | RunnableLambda(lambda answer: answer.citations[0].quote)
        assert whole.invoke("the Taliban in Tehran") == NEGOTIATOR
        assert list(whole.stream("the Taliban in Tehran")) == [NEGOTIATOR]


def test_callbacks_see_the_steps_and_the_model(at: Any) -> None:
    with OpenAIServer(by=honest) as server, at(server, Terms(cache=False)) as library:
        for run in (library.chain().invoke, lambda *a: list(library.chain().stream(*a))):
            seen = Steps()
            run(QUESTION, {"callbacks": [seen]})
            assert seen.names[:4] == ["dispatches", "question", "retrieve", "answer"]
            assert "model" in seen.names


async def _all(stream: AsyncIterator[Answer]) -> list[Answer]:
    return [answer async for answer in stream]


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("way", ["invoke", "stream", "batch", "ainvoke", "astream", "abatch"])
def test_a_trace_has_the_model_as_a_child_with_its_usage(at: Any, way: str, streamed: bool) -> None:
    seen = Trace()
    config = {"callbacks": [seen], "tags": ["mine"], "metadata": {"who": "me"}}
    with OpenAIServer(by=honest) as server, at(server, Terms(cache=False, streamed=streamed)) as library:
        chain = library.chain()
        match way:
            case "stream":
                list(chain.stream(QUESTION, config))
            case "astream":
                asyncio.run(_all(chain.astream(QUESTION, config)))
            case "batch" | "invoke":
                getattr(chain, way)([QUESTION] if way == "batch" else QUESTION, config)
            case _:
                asyncio.run(getattr(chain, way)([QUESTION] if way == "abatch" else QUESTION, config))
    (model,) = seen.models
    assert model["parent"] == "answer"
    assert list(seen.names.values()) == ["dispatches", "question", "retrieve", "answer"]
    assert "mine" in model["tags"]
    assert model["metadata"].items() >= {"who": "me", "prompt": "answer", "prompt_version": 2}.items()
    assert seen.used[0] > 10


def test_a_stream_of_the_chain_grows_a_statement_at_a_time(at: Any) -> None:
    def script(request: Request) -> str:
        return said(*[json.loads(honest(request))["statements"][0]] * 3)

    with OpenAIServer(by=script) as server, at(server) as library:
        counts = [len(answer.statements) for answer in library.chain().stream(QUESTION)]
    assert counts == [1, 2, 3, 3]


def test_the_chain_takes_limits_and_a_conversation(at: Any, seeded: Path) -> None:
    with Library(seeded, offline=True) as library:
        chain = library.chain()
        before = chain.invoke({"question": QUESTION, "as_of": "2021-07-06"})
        assert (before.status, before.reason) == (Status.ABSTAINED, Reason.OUTSIDE_DATES)
        turns = [{"question": QUESTION, "answer": "Stanikzai."}]
        assert QUESTION in chain.invoke({"question": "When did he?", "history": turns}).standalone_question
        for wrong in ({}, {"question": 7}, {"question": QUESTION, "since": "soon"}, {"question": "?", "history": [1]}):
            with pytest.raises(InputError):
                chain.invoke(wrong)
