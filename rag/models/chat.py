"""Makes the chat model or the embedding model that the settings mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import InputError, KeyRefusedError, ReplyError
from rag.text.clean import clean, one_line

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel

DEFAULT_MODEL = "openai:gpt-5-mini"
MINILM = "minilm"
_EMBEDDINGS = "openai:text-embedding-3-small"
MOST_TEXTS = 64
"""How many texts are embedded by one request."""
OPENAI_URL = "https://api.openai.com/v1"
_OPENAI = "openai"
_SILENCE, _SILENCE_OF_OWN = 60.0, 600.0  # seconds
_LONGEST, _LONGEST_OF_OWN = 300.0, 1_800.0
_EMBEDDING_SILENCE, _LONGEST_EMBEDDING = 30.0, 120.0
_NO_KEY = "none"  # a server of one's own needs no key, but the SDK wants one
_OWN_TEMPERATURE = re.compile(r"(?:.*/)?(?:o\d|gpt-[5-9])")  # these models refuse any but the one they have
_HAS_EFFORT = re.compile(r"(?:.*/)?(?:o\d|gpt-[5-9]|gpt-oss)(?!.*-chat)")
_RESPONSES_ONLY = re.compile(r"-pro\b|codex|deep-research|computer-use")
_UNSEEN = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u3164\ufe00-\ufe0f\uffa0]")
"""Marks without width that are left in a clean text, where they may be spelling."""
_KEY_LIKE = re.compile(r"\bsk-[\w*.-]+")


class Secret:
    """A text that only `reveal` shows: not a repr, a log, a traceback or `asdict`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(…)"

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """The other text without the secret."""
        return text.replace(self._text, "…") if self._text else text


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model it is, and where; `base_url` and `key` are those of an OpenAI-compatible server.

    For messages: `setting` is where it is named, and `example` what such a name looks like.
    """

    provider: str
    name: str
    base_url: str | None = None
    key: Secret | None = None
    setting: str = "--model or RAG_MODEL"
    example: str = DEFAULT_MODEL

    @property
    def id(self) -> str:
        """Its provider and name: `openai:gpt-5-mini`."""
        return f"{self.provider}:{self.name}"

    @property
    def is_openai(self) -> bool:
        """Whether it is at OpenAI, or a server that speaks as that does."""
        return self.provider == _OPENAI

    @property
    def place(self) -> str:
        """Where it is, in the words of a message."""
        return self.base_url or (OPENAI_URL if self.provider == _OPENAI else self.provider)

    def safe(self, text: str) -> str:
        """The text of an error or a server on one line, without the key, or parts of one as OpenAI shows them."""
        seen = _UNSEEN.sub("", clean(text))
        return _KEY_LIKE.sub("…", one_line(self.key.hidden_in(seen) if self.key else seen, 300))


def resolve(
    *, model: str | None = None, base_url: str | None = None, key: Secret | None = None, offline: bool = False
) -> ModelChoice | None:
    """The model that is meant; None if it is to be offline, or if there is no model, no URL and no key.

    `model` is `provider:name`, or the name alone at OpenAI. At a `base_url` is an OpenAI-compatible server, whatever
    the name, so that it may have colons (`llama3.2:3b`). Raises InputError for a name or URL that is none, and
    KeyRefusedError if a key is needed and there is none.
    """
    if offline or not (model or base_url or key):
        return None
    return _named_choice(model or DEFAULT_MODEL, ModelChoice(_OPENAI, "", base_url, key))


def resolve_embeddings(name: str, *, base_url: str | None = None, key: Secret | None = None) -> ModelChoice | None:
    """The embedding model that a name means; None if it is the local one. It is read, and raises, as in `resolve`."""
    if name.casefold() == MINILM:
        return None
    if not base_url and ":" not in name:
        raise InputError(f"RAG_EMBEDDINGS is {name!r}; wanted {MINILM}, or a name such as {_EMBEDDINGS}")
    return _named_choice(name, ModelChoice(_OPENAI, "", base_url, key, "RAG_EMBEDDINGS", _EMBEDDINGS))


def chat_model(
    choice: ModelChoice, *, timeout: float | None = None, longest: float | None = None, max_retries: int = 2
) -> BaseChatModel:
    """The LangChain model of a choice; nothing is sent yet.

    After `timeout` seconds of silence (by default 60, or 600 from a server of one's own, which may have to load the
    model and read the prompt on a slow processor first), or `longest` seconds of an unfinished reply (300, or 1,800), a
    call ends with TimedOutError. A rate limit, a failing server or silence is tried again up to `max_retries` times,
    after the wait that the server asks for (Retry-After, if it is at most 2 minutes). Raises InputError for a provider
    that is not installed.
    """
    from langchain.chat_models import init_chat_model

    own = choice.base_url is not None
    timeout = timeout or (_SILENCE_OF_OWN if own else _SILENCE)
    longest = longest or max(timeout, _LONGEST_OF_OWN if own else _LONGEST)
    options: dict[str, Any] = {"max_retries": max_retries}
    if not _OWN_TEMPERATURE.match(choice.name):
        options["temperature"] = 0
    if choice.provider == _OPENAI and _HAS_EFFORT.match(choice.name):
        options["reasoning_effort"] = "low"
    options |= _openai_chat(choice, timeout, longest) if choice.provider == _OPENAI else {"timeout": timeout}
    try:
        model: BaseChatModel = init_chat_model(choice.name, model_provider=choice.provider, **options)
    except (ImportError, ValueError) as error:
        raise _cannot_be_made(choice, error) from None
    return model


def embedding_model(choice: ModelChoice) -> Embeddings:
    """The LangChain embedding model of a choice; all else is as with `chat_model`, but that nothing is tried again."""
    from langchain.embeddings import init_embeddings

    options: dict[str, Any] = {}
    if choice.provider == _OPENAI:
        options = _openai(choice, _EMBEDDING_SILENCE, _LONGEST_EMBEDDING)
        options |= {"max_retries": 0, "chunk_size": MOST_TEXTS}
        options["check_embedding_ctx_length"] = False  # it would count tokens with a vocabulary that is downloaded
    try:
        model: Any = init_embeddings(choice.name, provider=choice.provider, **options)
    except (ImportError, ValueError) as error:
        raise _cannot_be_made(choice, error) from None
    if choice.provider == _OPENAI:
        model.client = _Ordered(model.client, choice)
    found: Embeddings = model
    return found


@dataclass(frozen=True, slots=True)
class _Ordered:
    """OpenAI's client for embeddings, with the vectors of a reply in the order of the texts.

    Each says which text it is of, which LangChain does not look at. Some servers say nothing, or 0 of each.
    """

    client: Any
    choice: ModelChoice

    def create(self, **request: Any) -> Any:
        reply = self.client.create(**request)
        places = [getattr(row, "index", None) for row in reply.data]
        if len({*places}) > 1:
            if sorted(map(str, places)) != sorted(map(str, range(len(places)))):
                raise ReplyError(f"{self.choice.place} does not say which vector of {self.choice.id} is of which text")
            reply.data = sorted(reply.data, key=lambda row: int(row.index))
        return reply


def _named_choice(name: str, place: ModelChoice) -> ModelChoice:
    """The model of that name: at the place if it has a URL or the name is one of OpenAI, else at its provider."""
    provider, colon, rest = name.partition(":")
    if place.base_url or not colon or provider == _OPENAI:
        base_url = place.base_url and _checked(place.base_url)
        found = replace(place, name=name.removeprefix(f"{_OPENAI}:"), base_url=base_url)
    else:
        found = replace(place, provider=provider, name=rest, key=None)
    if not found.name or not found.provider:
        raise InputError(f"the model is {name!r}; wanted a name such as {found.example} in {found.setting}")
    if found.key and not (found.key.reveal().isascii() and found.key.reveal().isprintable()):
        raise KeyRefusedError("OPENAI_API_KEY has characters that no key has, such as a line break; copy it anew")
    if found.place == OPENAI_URL and not found.key:
        raise KeyRefusedError(
            f"the model {name} needs a key and there is none; set OPENAI_API_KEY, "
            "or OPENAI_BASE_URL for a server of your own, or take --offline"
        )
    return found


def _cannot_be_made(choice: ModelChoice, error: Exception) -> InputError:
    return InputError(
        f"the model {choice.id} cannot be made ({choice.safe(str(error))}); "
        "for a server of your own, set OPENAI_BASE_URL"
    )


def _openai_chat(choice: ModelChoice, timeout: float, longest: float) -> dict[str, Any]:
    """LangChain would choose the Responses API by name, which only OpenAI itself has; some models are only there."""
    options = _openai(choice, timeout, longest) | {"stream_usage": True}
    only_there = not choice.base_url and _RESPONSES_ONLY.search(choice.name)
    return options if only_there else options | {"use_responses_api": False}


def _openai(choice: ModelChoice, timeout: float, longest: float) -> dict[str, Any]:
    """Whatever LangChain or the SDK would otherwise take from the environment."""
    from rag.models.transport import client, silence, unused

    return {
        "base_url": choice.base_url or OPENAI_URL,
        "api_key": choice.key.reveal() if choice.key else _NO_KEY,
        "timeout": silence(timeout),
        "http_client": client(longest),
        "http_async_client": unused(),
    }


def _checked(base_url: str) -> str:
    """It is shown in messages, and so may hold no password."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    more = not host or port == 0 or parts.username or parts.password or parts.query or parts.fragment
    if more or parts.scheme not in ("http", "https") or not base_url.isprintable() or " " in base_url:
        raise InputError(
            "OPENAI_BASE_URL is not the address of a server; wanted one such as http://localhost:11434/v1, "
            "without user, password or query"
        )
    return base_url.rstrip("/")
