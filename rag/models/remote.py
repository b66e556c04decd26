"""Embeds texts with a model that a server runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from multiprocessing.pool import ThreadPool
from threading import Event, Lock
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rag.errors import ModelError, ReplyError
from rag.models.chat import MOST_TEXTS, ModelChoice, embedding_model
from rag.models.errors import is_too_large, model_errors, wait_before

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


LONGEST = 2_000
"""Characters of a text; the rest is left out. Passages have fewer, so that only questions can be longer."""


_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try, if the server asks for no others."""


class RemoteEmbeddings:
    """The embedding model of a choice, for several threads at once; nothing is loaded or sent before it is needed.

    What fails is a ModelError. A rate limit, a failing server, silence or a broken connection is tried again after each
    of the `pauses`; what the server refuses as too large is sent in halves. Models of other providers than OpenAI, or
    a server like it, try again by themselves.
    """

    def __init__(self, choice: ModelChoice, *, pauses: Sequence[float] = _PAUSES) -> None:
        self.id = choice.id
        self.digest = hashlib.sha256(choice.id.encode()).hexdigest()
        self._choice = choice
        self._pauses = pauses if choice.is_openai else ()
        self._most = MOST_TEXTS
        self._making = Lock()

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        model = self._model()
        return self._sent(lambda: [model.embed_query(text[:LONGEST])], 1, Event())[0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vector of each text."""
        return self.embed_until(texts, Event())

    def embed_until(self, texts: list[str], stopped: Event) -> list[list[float]]:
        """The vector of each text; what fails once `stopped` is set is not tried again."""
        most = self._most
        parts = [[text[:LONGEST] for text in texts[start : start + most]] for start in range(0, len(texts), most)]
        return [vector for part in parts for vector in self._halved(part, stopped)]

    def _halved(self, texts: list[str], stopped: Event) -> list[list[float]]:
        """Where halves are taken, no more than a half is sent from then on."""
        model = self._model()
        try:
            return self._sent(lambda: model.embed_documents(texts), len(texts), stopped)
        except ModelError as error:
            if len(texts) == 1 or stopped.is_set() or not is_too_large(error):
                raise
        half = -(-len(texts) // 2)
        found = [*self._halved(texts[:half], stopped), *self._halved(texts[half:], stopped)]
        self._most = min(self._most, half)
        return found

    def _sent(self, call: Callable[[], list[list[float]]], count: int, stopped: Event) -> list[list[float]]:
        for pause in self._pauses:
            try:
                return self._once(call, count)
            except ModelError as error:
                wait = wait_before(error, pause)
                if wait is None or stopped.wait(wait):
                    raise
        return self._once(call, count)

    def _once(self, call: Callable[[], list[list[float]]], count: int) -> list[list[float]]:
        with model_errors(self._choice):
            vectors = call()
        if len(vectors) != count:
            raise ReplyError(f"{self._choice.place} sent {len(vectors)} vectors of {self.id} for {count} texts")
        for vector in vectors:
            if not vector or None in vector or not np.isfinite(vector).all():
                raise ReplyError(f"{self._choice.place} sent what is no vector of {self.id}; wanted finite numbers")
        return vectors

    def _model(self) -> Embeddings:
        """Made by the first thread that needs it."""
        with self._making:
            return self._made

    @cached_property
    def _made(self) -> Embeddings:
        return embedding_model(self._choice)


AT_ONCE = 4
"""Requests that wait for a reply: enough to hide the way there and back, few enough for a server of one's own."""
MOST_CHARACTERS = 100_000
"""Of one request. OpenAI takes 300,000 tokens, and in no script has a character more than three."""

Vectors: TypeAlias = list[list[float]]
Request: TypeAlias = Callable[[list[str], Event], Vectors]
"""Gives a vector for each text; it need not try again once the event is set."""


def embed_at_once(texts: Sequence[str], request: Request, on_batch: Callable[[int], object]) -> Vectors:
    """The vectors of all texts, in their order; the first error ends it, and is raised.

    Nothing waits for a request that is under way when it ends, be it by an error or by the user.
    """
    parts, found, stopped = list(bounded(texts)), dict[int, Vectors](), Event()
    if not parts:
        return []

    def send(place: int) -> int:
        if not stopped.is_set():
            try:
                found[place] = request(parts[place], stopped)
            except BaseException:
                stopped.set()
                raise
        return place

    pool = ThreadPool(min(AT_ONCE, len(parts)))  # its threads are daemons; those of an executor are waited for
    try:
        for place in pool.imap_unordered(send, range(len(parts))):
            if not stopped.is_set():  # else the error comes next
                on_batch(len(parts[place]))
    finally:
        stopped.set()
        pool.terminate()
    return [vector for place in range(len(parts)) for vector in found[place]]


def bounded(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in the batches that a server takes; a text that is longer than a batch may be is a batch of its own."""
    batch: list[str] = []
    for text in texts:
        if batch and (len(batch) == MOST_TEXTS or sum(map(len, batch)) + len(text) > MOST_CHARACTERS):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch
