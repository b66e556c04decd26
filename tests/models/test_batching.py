"""Many texts are embedded by a few requests at once, in order, whatever goes wrong on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Event

import numpy as np
import pytest
from fake_embeddings import FakeEmbeddings
from openai_server import OpenAIServer, Reply, Request, failing, rate_limited, refused_key, vectors

from rag.errors import EmbeddingError, KeyRefusedError, RateLimitedError, ReplyError, RequestError, UnreachableError
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.chat import MOST_TEXTS, ModelChoice
from rag.models.embeddings import (
    AT_ONCE,
    MOST_CHARACTERS,
    Embedder,
    HeadedText,
    RemoteEmbeddings,
    bounded,
    embed_passages,
)

START = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from rag.cli.app import main; main()"
SOON = 20.0  # seconds; only what fails takes as long
TEXTS = [f"Talks {number}." for number in range(6 * MOST_TEXTS + 5)]


def remote(server: OpenAIServer, tries: int = 3) -> RemoteEmbeddings:
    """It does not wait before it tries again."""
    return RemoteEmbeddings(ModelChoice("openai", "small", server.url), pauses=(0.0,) * (tries - 1))


def embedded(model: Embedder, texts: list[str]) -> np.ndarray:
    return np.array([found.vector for found in embed_passages(model, [HeadedText("", text) for text in texts])])


def expected(texts: list[str]) -> np.ndarray:
    """What a server that nothing goes wrong with gives, one text at a time."""
    with OpenAIServer() as server:
        model = remote(server)
        rows = np.array([model.embed_query(text) for text in texts])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sizes(server: OpenAIServer) -> list[int]:
    return [len(request.json["input"]) for request in server.requests]


def is_first(request: Request) -> bool:
    return bool(request.json["input"][0] == TEXTS[0])


def test_several_requests_are_under_way_and_never_more_than_the_bound() -> None:
    together = Barrier(AT_ONCE)
    full = Event()

    def reply(_: Request) -> None:
        """The first ones wait for each other, so that as many have to be under way."""
        if not full.is_set():
            together.wait(SOON)
            full.set()

    with OpenAIServer(embeds=reply) as server:
        found = embedded(remote(server), TEXTS)
    assert server.most_in_flight == AT_ONCE
    assert sorted(sizes(server)) == [5, *[MOST_TEXTS] * 6]
    assert found.shape == (len(TEXTS), 8)


def test_vectors_are_in_the_order_of_the_texts_though_replies_come_in_another() -> None:
    last = Event()

    def reply(request: Request) -> None:
        """The first batch is answered when the last has come."""
        if is_first(request):
            assert last.wait(SOON)
        if len(request.json["input"]) < MOST_TEXTS:
            last.set()

    told: list[int] = []
    with OpenAIServer(embeds=reply) as server:
        texts = [HeadedText("", text) for text in TEXTS]
        found = np.array([e.vector for e in embed_passages(remote(server), texts, told.append)])
    some = [*range(0, len(TEXTS), 37), len(TEXTS) - 1]
    assert np.allclose(found[some], expected([TEXTS[place] for place in some]), atol=1e-6)
    assert sum(told) == len(TEXTS)


def test_a_batch_has_few_texts_and_few_characters() -> None:
    long = ["a" * 60_000, "b" * 40_000, "c", "d" * (MOST_CHARACTERS + 1), "e"]
    assert [len(batch) for batch in bounded(long)] == [2, 1, 1, 1]
    assert [len(batch) for batch in bounded(["x"] * (MOST_TEXTS + 1))] == [MOST_TEXTS, 1]
    assert list(bounded([])) == []


@pytest.mark.parametrize(
    "faults",
    [
        (rate_limited(retry_after="0"),),
        (rate_limited(retry_after_ms="1"), rate_limited()),
        (rate_limited(Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),),
        (Reply("The server had an error.", 500),),
        (Reply("Bad gateway.", 502), Reply("Busy.", 503)),
        (Reply(body=b'{"object": "list", "data": [{"obj' + b" " * 500, breaks_after=40),),
        (Reply(body=b" " * 500, breaks_after=0),),
    ],
)
def test_what_passes_is_tried_again(faults: tuple[Reply, ...]) -> None:
    with OpenAIServer(embeddings=faults) as server:
        found = embedded(remote(server), TEXTS[:3])
    assert np.allclose(found, expected(TEXTS[:3]), atol=1e-6)
    assert sizes(server) == [3] * (len(faults) + 1)


def test_the_wait_that_the_server_asks_for_is_kept_in_place_of_our_own() -> None:
    with OpenAIServer(embeddings=(rate_limited(retry_after="0"),)) as server:
        model = RemoteEmbeddings(ModelChoice("openai", "small", server.url), pauses=(3_600.0,))
        assert len(model.embed_documents(["Talks."])) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        (rate_limited(retry_after="0"), RateLimitedError, 3),
        (rate_limited(retry_after="121"), RateLimitedError, 1),
        (rate_limited("No quota.", code="insufficient_quota"), RateLimitedError, 1),
        (Reply("The server had an error.", 500), UnreachableError, 3),
        (failing(), UnreachableError, 1),
        (refused_key(), KeyRefusedError, 1),
    ],
)
def test_what_does_not_pass_ends_after_a_bounded_number_of_tries(
    fault: Reply, kind: type[Exception], tries: int
) -> None:
    with OpenAIServer(embeds=lambda _: fault) as server, pytest.raises(kind) as error:
        embedded(remote(server), TEXTS[:2])
    assert "\n" not in str(error.value)
    assert len(server.requests) == tries


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_refused_as_too_large_is_sent_in_halves_and_so_is_what_follows(status: int) -> None:
    def reply(request: Request) -> Reply | None:
        return Reply("Too large.", status) if len(request.json["input"]) > 20 else None

    with OpenAIServer(embeds=reply) as server:
        model = remote(server)
        found = embedded(model, TEXTS[:MOST_TEXTS])
        assert sizes(server) == [64, 32, 16, 16, 32, 16, 16]
        embedded(model, TEXTS[:MOST_TEXTS])
        assert sizes(server)[7:] == [16] * 4
    assert np.allclose(found, expected(TEXTS[:MOST_TEXTS]), atol=1e-6)


def test_one_text_that_is_refused_is_an_error() -> None:
    with OpenAIServer(embeds=lambda _: Reply("Too large.", 400)) as server, pytest.raises(RequestError, match="400"):
        embedded(remote(server), TEXTS[:4])
    assert sizes(server) == [4, 2, 1]


def test_a_batch_that_fails_ends_the_others_though_one_waits_to_try_again() -> None:
    waits = Event()

    def reply(request: Request) -> Reply | None:
        """The first batch is to wait a minute; all others are refused once it does."""
        if is_first(request):
            waits.set()
            return rate_limited(retry_after="60")
        assert waits.wait(SOON)
        return refused_key()

    with OpenAIServer(embeds=reply) as server, pytest.raises(KeyRefusedError):
        embedded(remote(server), TEXTS)
    assert len(server.requests) <= AT_ONCE


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (lambda request: vectors(request, order=[0, 1]), "sent 2 vectors of openai:small for 3 texts"),
        (lambda request: vectors(request, order=[0, 1, 2, 2]), "does not say which vector"),
        (lambda request: vectors(request, order=[0, 0, 2]), "does not say which vector"),
        (lambda request: vectors(request, embedding=[0.5, None]), "sent what is no vector"),
        (lambda request: vectors(request, embedding=[0.5, float("nan")]), "sent what is no vector"),
        (lambda request: vectors(request, embedding=[]), "sent what is no vector"),
    ],
)
def test_a_reply_that_is_not_a_vector_for_each_text_is_refused(shape: object, told: str) -> None:
    with OpenAIServer(embeds=shape) as server, pytest.raises(ReplyError, match=told) as error:  # type: ignore[arg-type]  # of one signature
        embedded(remote(server), TEXTS[:3])
    assert "\n" not in str(error.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("more", [{}, {"index": None}, {"index": 0}])
def test_vectors_go_by_the_places_that_a_reply_tells_or_else_by_their_order(more: dict[str, object]) -> None:
    order = [0, 1, 2] if more else [2, 0, 1]
    with OpenAIServer(embeds=lambda request: vectors(request, order=order, **more)) as server:
        found = embedded(remote(server), TEXTS[:3])
    assert np.allclose(found, expected(TEXTS[:3]), atol=1e-6)


def test_any_langchain_embeddings_are_called_by_several_threads_in_batches(tmp_path: Path) -> None:
    class Together(FakeEmbeddings):
        barrier = Barrier(2)

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            self.barrier.wait(SOON)
            return super().embed_documents(texts)

    articles = [article(f"Stanikzai spoke {n} times in Tehran.", title=f"Talks {n}") for n in range(MOST_TEXTS + 6)]
    with Library(tmp_path, embeddings=Together()) as library:
        assert library.add(*articles).added == len(articles)
        assert "66 times" in library.search("Who spoke 66 times?").hits[0].passage.text


def test_a_model_that_loses_a_vector_is_refused() -> None:
    class Losing(FakeEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return super().embed_documents(texts)[1:]

    with pytest.raises(EmbeddingError, match="gave 63 vectors for 64 texts"):
        embedded(Losing(), TEXTS[:MOST_TEXTS])


@pytest.mark.slow
def test_the_user_stops_it_without_waiting_for_a_reply(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(2 * MOST_TEXTS):
        (folder / f"{number}.txt").write_text(f"Stanikzai spoke {number} times in Tehran.")
    both, over = Barrier(3), Event()

    def reply(_: Request) -> None:
        both.wait(120)
        over.wait(120)

    with OpenAIServer(embeds=reply) as server:
        environment = {**os.environ, "OPENAI_BASE_URL": server.url, "RAG_EMBEDDINGS": "openai:small"}
        command = [sys.executable, "-c", START, "add", str(folder), "--library", str(tmp_path / "library")]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        both.wait(120)
        process.send_signal(signal.SIGINT)
        code = process.wait(SOON)
        over.set()
    assert process.stderr
    assert "Traceback" not in process.stderr.read()
    assert code == 130
