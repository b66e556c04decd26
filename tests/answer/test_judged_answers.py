"""Answers whose statements a judge settles, or whose sources differ: through a Library and a server on the loopback."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer, Reply, Request, failing

from rag.ingest.metadata import article
from rag.library import Library
from rag.models.budget import Terms
from rag.render.lines import answer_lines
from rag.schema import Answer, Opinion, Status, Verdict

QUESTION = "Where did the plane of Karim Wali land?"
POST = "The plane of minister Karim Wali landed in Dushanbe, an airport worker said."
WIRE = "The plane of minister Karim Wali landed in Tashkent, the interior ministry said."
FREE = "The politician’s escape had ended abroad."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("planes") / "library"
    with Library(path, offline=True) as library:
        library.add(
            article(f"{POST} It carried six people.", title="A plane", source="Harirud Post", published="2021-08-15"),
            article(f"{WIRE} Rain fell.", title="A flight", source="Northern Wire", published="2021-08-15"),
        )
    return path


@pytest.fixture
def at(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def opened(server: OpenAIServer, judge: str = "auto", **terms: Any) -> Library:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        return Library(folder, model="local", judge=judge, terms=Terms(cache=False, **terms))

    return opened


def stated(text: str, quote: str) -> dict[str, Any]:
    return {"text": text, "quotes": [{"passage": 1, "quote": quote}]}


def said(*statements: Any, differ: str = "") -> str:
    return json.dumps({"answered": "yes", "differ": differ, "statements": statements, "missing": ""})


def judging(request: Request) -> bool:
    return str(request.messages[0]["content"]).startswith("You check statements")


def script(reply: str, verdict: str | Reply) -> Any:
    if isinstance(verdict, str):
        verdict = Reply(json.dumps({"verdicts": [{"number": 1, "reason": "It does.", "verdict": verdict}]}))
    return lambda request: verdict if judging(request) else reply


def shown(answer: Answer) -> list[str]:
    return [line.text for line in answer_lines(answer)]


def test_what_the_checks_leave_open_is_settled_by_the_model_that_writes_in_one_call(at: Any) -> None:
    reply = said(stated(POST, POST), stated(FREE, POST))
    with OpenAIServer(by=script(reply, "supported")) as server, at(server) as library:
        *streamed, answer = library.stream(QUESTION)
    assert [s.verdict for s in answer.statements] == [Verdict.SUPPORTED, Verdict.SUPPORTED]
    assert [s.opinion.model if s.opinion else None for s in answer.statements] == [None, "openai:local"]
    assert (answer.status, tuple(streamed)) == (Status.ANSWERED, answer.statements)
    assert [judging(request) for request in server.requests] == [False, True]
    assert "    - judged by openai:local: supported — It does." in shown(answer)


def test_an_answer_that_leaves_nothing_open_is_one_call(at: Any) -> None:
    with OpenAIServer(by=script(said(stated(POST, POST)), "supported")) as server, at(server) as library:
        assert library.ask(QUESTION).status is Status.ANSWERED
    assert len(server.requests) == 1


def test_without_a_judge_it_stays_marked(at: Any) -> None:
    with OpenAIServer(by=script(said(stated(FREE, POST)), "supported")) as server, at(server, "none") as library:
        answer = library.ask(QUESTION)
    assert (answer.statements[0].verdict, len(server.requests)) == (Verdict.UNSUPPORTED, 1)
    assert not any(line.startswith(("No answer", "Nearest")) for line in shown(answer))


def test_a_judge_that_fails_leaves_it_unchecked_and_shown(at: Any) -> None:
    with OpenAIServer(by=script(said(stated(FREE, POST)), failing())) as server, at(server) as library:
        answer = library.ask(QUESTION)
    assert (answer.status, answer.statements[0].verdict) == (Status.PARTIAL, Verdict.UNCHECKED)
    assert shown(answer)[0] == f"{FREE} [1] (not checked)"


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("The plane of minister Karim Wali carried nine people.", "It carried six people."),
        ("The plane of minister Karim Wali landed in Dushanbe on 3 May 2021, an airport worker said.", POST),
        ("An airport worker said: “The plane of minister Karim Wali never came to Dushanbe.”", POST),
    ],
)
def test_the_judge_has_no_say_in_a_number_a_date_or_a_quotation(at: Any, text: str, quote: str) -> None:
    wrong = stated(text, quote)
    with OpenAIServer(by=script(said(wrong), "supported")) as server, at(server) as library:
        answer = library.ask(QUESTION)
    assert answer.statements[0].verdict is not Verdict.SUPPORTED
    assert len(server.requests) == 1


def test_another_model_judges_if_it_is_named(at: Any) -> None:
    with OpenAIServer(by=script(said(stated(FREE, POST)), "contradicted")) as server, at(server, "other") as library:
        answer = library.ask(QUESTION)
    assert [request.json["model"] for request in server.requests] == ["local", "other"]
    assert (answer.statements[0].verdict, answer.statements[0].opinion) == (
        Verdict.CONTRADICTED,
        Opinion("openai:other", Verdict.CONTRADICTED, "It does."),
    )
    assert (answer.usage.input_tokens, answer.usage.output_tokens) > (0, 0)


def test_what_sources_differ_on_is_read_once_as_a_list(at: Any) -> None:
    sides = stated(f"{POST} [Harirud Post, 15 August 2021]", POST), stated(WIRE, WIRE)
    reply = said(*sides, differ="where it landed")
    with OpenAIServer(by=lambda _: reply) as server, at(server, "none") as library:
        *streamed, answer = library.stream(QUESTION)
    wanted = [
        "Sources differ on where it landed.",
        f"- {POST} [1] Harirud Post, 15 August 2021",
        f"- {WIRE} [2] Northern Wire, 15 August 2021",
    ]
    assert shown(answer)[:3] == answer.text.splitlines() == wanted
    assert tuple(streamed) == answer.statements
    (conflict,) = answer.to_dict()["conflicts"]
    assert (conflict["topic"], [p["citation"] for p in conflict["positions"]]) == ("where it landed", [1, 2])


@pytest.mark.parametrize(
    "sides",
    [
        (stated(POST, POST), stated(POST, POST)),
        (stated(POST, POST), stated("The plane of minister Karim Wali carried nine people.", "It carried six people.")),
    ],
)
def test_a_difference_that_two_sources_do_not_show_is_not_claimed(at: Any, sides: tuple[Any, ...]) -> None:
    with OpenAIServer(by=lambda _: said(*sides, differ="where it landed")) as server, at(server, "none") as library:
        answer = library.ask(QUESTION)
    assert "where it landed" not in {conflict.topic for conflict in answer.conflicts}
    assert "where it landed" not in answer.text
    assert len(answer.statements) == 2


@pytest.mark.parametrize(("second", "differs"), [("the port authority denied.", True), ("Wali said later.", False)])
def test_the_sources_that_differ_may_be_quoted_by_one_article(
    second: str, differs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = "The harbour of Sarn is closed, minister Karim Wali said.", f"The harbour of Sarn is open, {second}"
    reply = said(*(stated(claim, claim) for claim in claims), differ="whether the harbour is closed")
    with OpenAIServer(by=lambda _: reply) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(tmp_path, model="local", judge="none", terms=Terms(cache=False)) as library:
            library.add(article(" ".join(claims), title="Harbour", source="Sarn Post", published="2021-08-15"))
            answer = library.ask("Is the harbour of Sarn closed?")
    assert answer.text.startswith("Sources differ on whether the harbour is closed.") is differs
    assert len(answer.statements) == 2


def test_a_cut_stream_is_not_called_a_failed_check(at: Any) -> None:
    reply = Reply(said(*[stated(POST, POST)] * 3), breaks_after=45)
    with OpenAIServer(by=lambda _: reply) as server, at(server) as library:
        answer = library.ask(QUESTION)
    assert (answer.status, answer.reason) == (Status.PARTIAL, None)
    assert "This is a partial answer: the reply of the model was cut." in shown(answer)


def test_a_repair_that_drops_the_speaker_is_not_taken(at: Any) -> None:
    def script(request: Request) -> str:
        rules = str(request.messages[0]["content"])
        if rules.startswith("You split"):
            return json.dumps({"questions": []})
        if rules.startswith("You correct"):
            bare = stated("The plane of minister Karim Wali landed in Dushanbe.", POST)
            return json.dumps({"repairs": [{"number": 0, **bare}]})
        return said(stated("The plane of minister Karim Wali landed in Kabul, an airport worker said.", POST))

    with OpenAIServer(by=script) as server, at(server, "none", deep=True) as library:
        answer = library.ask(QUESTION)
    assert "an airport worker said" in answer.statements[0].text
    assert answer.statements[0].verdict is not Verdict.SUPPORTED


def test_a_chain_says_what_it_takes_and_grows_when_it_is_awaited(at: Any) -> None:
    with OpenAIServer(by=lambda _: said(*[stated(POST, POST)] * 3)) as server, at(server) as library:
        chain = library.chain()

        async def counts() -> list[int]:
            return [len(answer.statements) async for answer in chain.astream(QUESTION)]

        assert asyncio.run(counts()) == [1, 2, 3, 3]
        assert {"type": "string"} in chain.get_input_jsonschema()["anyOf"]


def test_progress_says_what_is_waited_for(at: Any) -> None:
    seen: list[str] = []
    with OpenAIServer(by=lambda _: said(stated(POST, POST))) as server, at(server) as library:
        list(library.stream(QUESTION, progress=lambda done, total, text: seen.append(text)))
    assert seen == ["waiting for openai:local", "openai:local writes"]
