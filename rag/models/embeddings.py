"""Embeds passages with the local MiniLM on ONNX Runtime, a model that a server runs, or any LangChain Embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingError, ModelError, ReplyError
from rag.models.chat import MINILM, MOST_TEXTS, ModelChoice, embedding_model
from rag.models.errors import is_too_large, model_errors, wait_before
from rag.models.minilm import (
    DIGEST,
    DIMENSIONS,
    Session,
    cores,
    forward,
    installed_weights,
    minilm_session,
    shared_session,
)
from rag.text.sentences import sentences

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from tokenizers import Encoding, Tokenizer

WINDOW = 256
_BATCH, _BATCH_TOKENS = 8, 256  # more waste the caches of a core: benchmarks/README.md
_FEW = 32  # texts that are embedded sooner than the session for many is opened

Vector: TypeAlias = NDArray[np.float32]
WordPieces: TypeAlias = "Tokenizer"
Encoded: TypeAlias = "Encoding"
OnBatch: TypeAlias = Callable[[int], None]
"""Is called after each batch with the number of texts in it."""


class Embedder(Protocol):
    """What of LangChain's Embeddings is used; importing those takes longer than to answer a question."""

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question, of any length but 0; it is the same length for all texts."""
        ...

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A vector for each text, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """The identity of an embedding model: a digest of its weights, or of its name if it is remote."""

    id: str
    digest: str


@dataclass(frozen=True, slots=True)
class HeadedText:
    """The text of a passage and the header that is embedded with it."""

    header: str
    text: str

    @property
    def joined(self) -> str:
        """What is embedded: the header, a line break, the text."""
        return f"{self.header}\n{self.text}" if self.header else self.text

    @property
    def offset(self) -> int:
        """Where the text starts in `joined`."""
        return len(self.header) + 1 if self.header else 0


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The unit vector of a passage; those of its sentences (float16, a row each) if the model gives them."""

    vector: Vector
    sentences: NDArray[np.float16] | None


class MiniLM:
    """all-MiniLM-L6-v2, local and exact; raises EmbeddingError if its weights are not installed.

    It takes `threads` cores, by default all that the process may use. Nothing is loaded before it is needed. The ONNX
    graph is built once and kept in the user's cache folder.
    """

    id = MINILM
    digest = DIGEST
    dimensions = DIMENSIONS
    window = WINDOW

    def __init__(self, *, weights: Path | None = None, cache: Path | None = None, threads: int | None = None) -> None:
        self._weights = weights or installed_weights()
        self._cache = cache
        self.threads = threads or cores()

    def load(self) -> None:
        """Loads the weights now."""
        self._session, self._tokenizer  # noqa: B018

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a text, 384 numbers; tokens past the first 256 are left out."""
        return self.embed_documents([text])[0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The unit vector of each text."""
        found = self.embed_passages([HeadedText("", text) for text in texts])
        return [embedded.vector.tolist() for embedded in found]

    def embed_passages(self, texts: Sequence[HeadedText], on_batch: OnBatch = lambda _: None) -> list[Embedded]:
        """The vectors of each passage and of its sentences, from one forward pass.

        A sentence is the mean of its tokens in the context of the passage: late chunking (Günther et al. 2024).
        """
        encodings = self._tokenizer.encode_batch([text.joined for text in texts])
        found: dict[int, Embedded] = {}
        for batch in self._embedded(texts, encodings):
            found |= batch
            on_batch(len(batch))
        return [found[i] for i in range(len(texts))]

    def count(self, texts: Sequence[str]) -> list[int]:
        """The word pieces of each text, all of them, without the two that mark its start and end."""
        return [len(encoding.ids) for encoding in self._counter.encode_batch(list(texts), add_special_tokens=False)]

    def _embedded(self, texts: Sequence[HeadedText], encodings: Sequence[Encoding]) -> Iterator[dict[int, Embedded]]:
        """What is embedded, by its place, a batch at a time.

        Of many texts, each thread runs batches of its own: the threads of one batch wait for each other at every layer,
        which only pays if there is nothing else to do.
        """
        places = list(batches([len(encoding.ids) for encoding in encodings]))
        if self.threads == 1 or len(texts) <= _FEW:
            session = self._session
            yield from (_batch(session, texts, encodings, batch) for batch in places)
            return
        session, pool = self._session_of_many, ThreadPoolExecutor(self.threads, "embedding")
        try:
            yield from pool.map(lambda batch: _batch(session, texts, encodings, batch), reversed(places))
        finally:
            pool.shutdown(cancel_futures=True)

    @cached_property
    def _session(self) -> Session:
        """For a question: its threads share each batch."""
        return self._opened(self.threads)

    @cached_property
    def _session_of_many(self) -> Session:
        """To be run by several threads at once."""
        return self._opened(1)

    def _opened(self, threads: int) -> Session:
        weights = self._weights / "model.safetensors"
        return minilm_session(weights, self._cache, threads) if self._cache else shared_session(weights, threads)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return shared_tokenizer(self._weights, WINDOW)

    @cached_property
    def _counter(self) -> Tokenizer:
        return shared_tokenizer(self._weights, None)


def embed_passages(
    embeddings: Embedder, texts: Sequence[HeadedText], on_batch: OnBatch = lambda _: None
) -> list[Embedded]:
    """The vectors of passages by any model; only MiniLM gives those of sentences.

    Any other is called by a few threads at once, each with a batch of its own.
    """
    if isinstance(embeddings, MiniLM):
        return embeddings.embed_passages(texts, on_batch)

    def request(batch: list[str], stopped: Event) -> list[list[float]]:
        vectors = (
            embeddings.embed_until(batch, stopped)
            if isinstance(embeddings, RemoteEmbeddings)
            else embeddings.embed_documents(batch)
        )
        if len(vectors) != len(batch):
            raise EmbeddingError(f"{identity(embeddings).id} gave {len(vectors)} vectors for {len(batch)} texts")
        return vectors

    vectors = embed_at_once([text.joined for text in texts], request, on_batch)
    return [Embedded(unit_vector(np.array(vector, np.float32)), None) for vector in vectors]


def token_counts(embeddings: Embedder | None, texts: Sequence[str]) -> list[int]:
    """The tokens of each text, exact for MiniLM, else about one for 4 ASCII characters or any other one."""
    if isinstance(embeddings, MiniLM):
        return embeddings.count(texts)
    plain = [len(text.encode("ascii", "ignore")) for text in texts]
    return [-(-ascii_only // 4) + len(text) - ascii_only for text, ascii_only in zip(texts, plain, strict=True)]


def identity(embeddings: Embedder) -> ModelIdentity:
    """What distinguishes this model from others."""
    own = getattr(embeddings, "id", None), getattr(embeddings, "digest", None)
    if all(own):
        return ModelIdentity(str(own[0]), str(own[1]))
    name = getattr(embeddings, "model", None) or getattr(embeddings, "model_name", None) or ""
    key = f"{type(embeddings).__name__}:{name}".rstrip(":")
    return ModelIdentity(key, hashlib.sha256(key.encode()).hexdigest())


def unit_vector(vector: Vector) -> Vector:
    """The vector with a length of 1; zero, or what is not finite, stays as it is."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length and np.isfinite(length) else vector


def batches(lengths: Sequence[int], *, texts: int = _BATCH, tokens: int = _BATCH_TOKENS) -> Iterator[list[int]]:
    """The places of texts of like length together, so that little is padding; the shortest first.

    A batch has at most so many `texts`, and so many `tokens` with their padding.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and (len(batch) == texts or lengths[place] * (len(batch) + 1) > tokens):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


@lru_cache(maxsize=4)
def shared_tokenizer(folder: Path, window: int | None) -> Tokenizer:
    """The tokenizer of a folder, one for the whole process, which cuts texts at so many tokens."""
    tokenizer = load_tokenizer(folder)
    if window:
        tokenizer.enable_truncation(window)
    return tokenizer


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model's folder, which neither pads nor cuts.

    Raises OSError or ValueError if its file cannot be read.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer((folder / "tokenizer.json").read_bytes())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@lru_cache(maxsize=50_000)
def is_word(word: str) -> bool:
    """Whether a lower-case word is a common one, which the vocabulary of MiniLM has whole; False if that is missing."""
    words = _vocabulary()
    return words is not None and len(words.encode(word, add_special_tokens=False).ids) == 1


@lru_cache(maxsize=1)
def _vocabulary() -> Tokenizer | None:
    try:
        return shared_tokenizer(installed_weights(), None)
    except (EmbeddingError, OSError, ValueError):
        return None


def _batch(
    session: Session, texts: Sequence[HeadedText], encodings: Sequence[Encoding], places: Sequence[int]
) -> dict[int, Embedded]:
    tokens = forward(session, [encodings[i].ids for i in places])
    return {i: _pooled(texts[i], encodings[i], row) for i, row in zip(places, tokens, strict=True)}


def _pooled(text: HeadedText, encoding: Encoding, tokens: NDArray[np.float32]) -> Embedded:
    tokens = tokens[: len(encoding.ids)]
    vector = unit_vector(tokens.mean(axis=0))
    spans = np.array(encoding.offsets) - text.offset
    rows = []
    for sentence in sentences(text.text):
        inside = (spans[:, 0] >= sentence.start) & (spans[:, 1] <= sentence.end) & (spans[:, 1] > spans[:, 0])
        rows.append(unit_vector(tokens[inside].mean(axis=0)) if inside.any() else vector)
    return Embedded(vector, np.array(rows, np.float16).reshape(-1, DIMENSIONS))


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
