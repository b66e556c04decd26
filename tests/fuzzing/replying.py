"""Targets: what a language model replies, which is data like any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from fake_embeddings import FakeEmbeddings
from hypothesis import strategies as st
from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage

from fuzzing import material
from fuzzing.asking import library, ready
from fuzzing.invariants import is_json, sound_answer, sound_summary, sound_timeline
from fuzzing.loading import folder
from fuzzing.outcomes import Target, holds, told
from rag.checks.judge import Judge
from rag.errors import ReplyError
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.budget import Terms
from rag.models.chat import ModelChoice
from rag.models.client import Account, Caller
from rag.models.replies import Members, first_object
from rag.schema import Citation, Statement, Verdict

_MOST = 8_000
"""Replies are read up to 32,000 characters, which come in pieces of more than one."""
QUESTION = "How many soldiers fled to Tajikistan?"


class Cut(NamedTuple):
    """A text that comes in pieces of a length."""

    text: str
    length: int


ANSWER = {
    "answered": "yes",
    "statements": [
        {
            "text": "Around 1,000 Afghan soldiers fled to Tajikistan on Monday.",
            "quotes": [{"passage": 1, "quote": "Around 1,000 Afghan soldiers fled to Tajikistan on Monday"}],
        },
        {"text": "Russia closed its consulate [2].", "quotes": []},
    ],
    "missing": "",
}
SUMMARY = {
    "statements": [
        {"text": "Russia closed its consulate.", "quotes": [{"passage": 1, "quote": "Russia closed"}], "from": [1]}
    ]
}
EVENTS = {"events": [{"number": n, "text": "Russia closed its consulate in Mazar-i-Sharif."} for n in range(1, 3)]}
OPINION = {"verdicts": [{"number": 1, "reason": "It says so.", "verdict": "supported"}]}
PLAN = {"questions": ["Who fled?", "When?"], "parts": ["Who?"], "repairs": [{"number": 1, "text": "x", "quotes": []}]}


def _replies(*valid: dict[str, Any]) -> st.SearchStrategy[str]:
    """JSON that is nearly right, JSON in prose, prose with marks, and anything."""
    nearly = st.sampled_from(valid).flatmap(material.damaged)
    twice = nearly.flatmap(lambda value: material.damaged(value) if isinstance(value, dict | list) else st.just(value))
    written = st.one_of(nearly, nearly, twice, material.values).map(material.dumped)
    around = st.sampled_from(
        ["{}", "```json\n{}\n```", '<think>{{"answered":"no"}}</think>{}', "Sure! {} {}", "<think>{}", "{}x"]
    )
    return st.one_of(
        written,
        st.builds(lambda frame, text: frame.replace("{}", text).replace("{{", "{").replace("}}", "}"), around, written),
        material.mutated([json.dumps(value).encode() for value in valid]).map(
            lambda body: body.decode("utf-8", "replace")
        ),
        material.prose,
        material.odd_texts,
        material.deep,
    )


@cache
def _model() -> FakeMessagesListChatModel:
    return FakeMessagesListChatModel(responses=[])


def _reply(text: str, **about: Any) -> None:
    """Has the model say that from now on."""
    _model().responses = [AIMessage(text, **about)]


@cache
def _written() -> Library:
    made = Library(
        folder() / "library", embeddings=FakeEmbeddings(), model=_model(), terms=Terms(cache=False, deep=True)
    )
    library()  # whose folder it is
    return made


@cache
def _ready() -> None:
    """Loads what is loaded once."""
    ready()
    for run in (_asked, _summarized, _told, _judged):
        list(run("{}"))


def _asked(reply: str) -> Iterator[str]:
    _reply(reply)
    found = _written().ask(QUESTION)
    sound_answer(found)
    shown = {hit.passage.id for hit in found.hits}
    holds(all(c.passage_id in shown for c in found.citations), "a citation of a passage that was not given")
    holds(all(s.citations or s.verdict is not Verdict.SUPPORTED for s in found.statements), "supported by nothing")
    yield "taken" if found.mode == "llm" else "the articles' own sentences"


def _summarized(reply: str) -> Iterator[str]:
    _reply(reply)
    found = _written().summarize(topic="soldiers fled to Tajikistan")
    sound_summary(found)
    yield "taken" if found.mode == "llm" else "the articles' own sentences"


def _told(reply: str) -> Iterator[str]:
    _reply(reply)
    found = _written().timeline(topic="soldiers consulate Tajikistan", max_events=2)
    sound_timeline(found)
    yield "taken" if found.mode == "llm" else "the articles' own sentences"


def _judged(reply: str) -> Iterator[str]:
    source = article("Soldiers fled.", title="T")
    citation = Citation(1, source, "p", 0, len(source.text), source.text)
    claim = Statement("Men in uniform ran.", (citation,), Verdict.UNSUPPORTED)
    _reply(reply)
    judge = Judge(Caller(_model(), ModelChoice("openai", "x"), pauses=()))
    (found,) = judge.judged([claim], Account(Terms(cache=False)))
    assert found.opinion
    told(found.opinion.reason)
    yield str(found.opinion.verdict)


def _in_pieces(cut: Cut) -> Iterator[str]:
    """What is read piece by piece is what is read at once."""
    members, found = Members("statements"), []
    for start in range(0, len(cut.text), cut.length):
        found += members.feed(cut.text[start : start + cut.length])
    at_once = Members("statements")
    everything = list(at_once.feed(cut.text))
    if "think" not in cut.text.casefold():
        holds(repr(found) == repr(everything), f"in pieces {found!r:.200}, at once {everything!r:.200}")
    try:
        first_object(cut.text)
    except (ValueError, RecursionError):
        yield "no object"


class Message(NamedTuple):
    """A message of a server besides its text."""

    text: str
    more: Any
    metadata: Any


def _metered(message: Message) -> Iterator[str]:
    """What a server says of its reply is no less hostile."""
    _reply(message.text, additional_kwargs=message.more, response_metadata=message.metadata)
    found = _written().ask(QUESTION)
    sound_answer(found)
    is_json(found.to_dict()["usage"])
    yield "taken" if found.mode == "llm" else "the articles' own sentences"


def targets() -> list[Target]:
    """A target for each kind of reply."""
    cuts = st.builds(lambda text, size: Cut(text[:_MOST], size), _replies(ANSWER), st.sampled_from([1, 2, 7, 40]))
    names = st.sampled_from(["finish_reason", "refusal", "model_name", "token_usage"])
    counts = st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens"]), material.scalars)
    about = st.dictionaries(
        names, st.one_of(counts, material.values, st.sampled_from(["length", "stop", "content_filter"])), max_size=3
    )
    messages = st.builds(Message, _replies(ANSWER), about, about)
    reply: Callable[..., st.SearchStrategy[str]] = _replies
    assert ReplyError  # what is raised if the terms are strict
    return [
        Target("reply-answer", reply(ANSWER, ANSWER, PLAN), _asked, 4, _ready),
        Target("reply-summary", reply(SUMMARY), _summarized, 2, _ready),
        Target("reply-timeline", reply(EVENTS), _told, 2, _ready),
        Target("reply-opinion", reply(OPINION), _judged, 3, _ready),
        Target("reply-pieces", cuts, _in_pieces, 5, _ready),
        Target("reply-message", messages, _metered, 1, _ready),
    ]
