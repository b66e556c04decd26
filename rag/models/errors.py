"""Turns the errors of a chat model's SDK into those of rag/errors.py."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

from rag.errors import (
    ContextError,
    KeyRefusedError,
    ModelError,
    NoModelError,
    RagError,
    RateLimitedError,
    ReplyError,
    RequestError,
    TimedOutError,
    UnreachableError,
)
from rag.models.chat import ModelChoice

# OpenAI and vLLM: "maximum context length"; llama.cpp: "available context size"; others: "context window".
_CONTEXT = re.compile(r"context[_ ](?:length|size|window)", re.I)
_PARAMETER = re.compile(
    r"response_format|json_schema|json_object|grammar|guided|structured output|stream_options", re.I
)
_NO_CREDIT = "insufficient_quota"
_LONGEST_WAIT = 120.0  # seconds
# What LangChain and the SDK raise over a reply that is not of the wire format, such as the page of a proxy.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, AssertionError)


@contextmanager
def model_errors(choice: ModelChoice) -> Iterator[None]:
    """Within it, what a call of the model raises is a ModelError, one line that never has the key.

    Nothing but the call belongs inside. Errors of other providers pass if neither LangChain nor the network made them.
    """
    try:
        yield
    except RagError:
        raise
    except _sdk_errors() as error:
        raise _translated(error, choice) from None
    except _MALFORMED as error:
        seen = f"{type(error).__name__}: {choice.safe(str(error))}"
        raise ReplyError(
            f"{choice.place} sent no reply of a model ({seen}); check the base URL and the model"
        ) from None


def wait_before(error: ModelError, pause: float) -> float | None:
    """Seconds until the same may be asked again: what the server wants, else `pause`; None if it is of no use.

    It is of none if the server says so, or wants a wait of more than two minutes.
    """
    response = getattr(error.__context__, "response", None)
    headers: Mapping[str, str] = response.headers if response is not None else {}
    if headers.get("x-should-retry") == "false" or not _may_pass(error):
        return None
    asked = _wait_asked(headers)
    seconds = pause if asked is None else asked
    return seconds if seconds <= _LONGEST_WAIT else None


def is_too_large(error: ModelError) -> bool:
    """Whether less of the same may be taken, as far as the status tells: servers have no common word for it."""
    status = getattr(error.__context__, "status_code", None)
    return isinstance(error, ContextError | RequestError) and status in (400, 413, 422)


def _may_pass(error: ModelError) -> bool:
    """Whether it is of the moment."""
    cause = error.__context__
    status = getattr(cause, "status_code", None)
    if isinstance(error, NoModelError) or getattr(cause, "code", None) == _NO_CREDIT:
        return False
    if status is None:
        return isinstance(error, UnreachableError | TimedOutError)
    return status in (408, 409, 429) or (status >= 500 and status != 501)


def _wait_asked(headers: Mapping[str, str]) -> float | None:
    """The seconds of Retry-After, or of what OpenAI has beside it."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]+)?", value := headers.get(name, "")):
            return float(value) * unit
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, until.timestamp() - time.time())


def _sdk_errors() -> tuple[type[Exception], ...]:
    """Imported only when something was raised."""
    from langchain_core.exceptions import ModelError as LangChainModelError
    from openai import OpenAIError

    network = [sys.modules[name].HTTPError for name in ("httpx", "httpx2") if name in sys.modules]
    return LangChainModelError, OpenAIError, ConnectionError, TimeoutError, *network


def _translated(error: Exception, choice: ModelChoice) -> ModelError:
    """LangChain's classes are the same for all providers; the names that OpenAI's errors have besides say more."""
    status = getattr(error, "status_code", None)
    # LangChain looks for the code in the text, where openai 3 no longer puts it.
    if status in (None, 400, 413, 422) and _CONTEXT.search(f"{getattr(error, 'code', '')} {error}"):
        return _too_long(error, choice)
    for base in type(error).__mro__:
        if base.__name__ in _KINDS:
            return _KINDS[base.__name__](error, choice)
    # What has no class: a rare status, or an error that came amid a stream.
    return _refused(error, choice) if hasattr(error, "status_code") else _failed(error, choice)


def _too_long(error: Exception, choice: ModelChoice) -> ModelError:
    return ContextError(
        f"the prompt is too long for {choice.id} ({_seen(error, choice)}); give it fewer passages with -k"
    )


def _key_refused(error: Exception, choice: ModelChoice) -> ModelError:
    variable = "OPENAI_API_KEY" if choice.provider == "openai" else f"the variable of {choice.provider}"
    return KeyRefusedError(
        f"{choice.place} refuses the key for {choice.id} ({_seen(error, choice)}); "
        f"wanted a valid one in {variable}, or --offline"
    )


def _not_found(error: Exception, choice: ModelChoice) -> ModelError:
    if getattr(error, "code", None) == "model_not_found" or choice.name in str(error):
        return NoModelError(f"{choice.place} has no model {choice.name!r}; name one that it has with {choice.setting}")
    return UnreachableError(
        f"{choice.place} is no place of models ({_seen(error, choice)}); wanted a base URL, which mostly ends in /v1"
    )


def _rate_limited(error: Exception, choice: ModelChoice) -> ModelError:
    seen = _seen(error, choice)
    if getattr(error, "code", None) == _NO_CREDIT:
        return RateLimitedError(f"the account at {choice.place} has no credit left ({seen}); add some, or --offline")
    response = getattr(error, "response", None)
    wait = response.headers.get("retry-after") if response is not None else None
    after = f"in {choice.safe(wait)} seconds" if wait and wait.isdigit() else "in a minute"
    return RateLimitedError(f"{choice.place} takes no more requests for now ({seen}); ask again {after}")


def _timed_out(error: Exception, choice: ModelChoice) -> ModelError:
    """A server that does not even take the connection is not a slow one."""
    if any(type(cause).__name__ in ("ConnectTimeout", "PoolTimeout") for cause in _causes(error)):
        return UnreachableError(
            f"{choice.place} cannot be reached (it takes no connection); check the network and OPENAI_BASE_URL, "
            "or take --offline"
        )
    return TimedOutError(
        f"{choice.id} at {choice.place} did not reply in time; ask again, or another model, "
        "or give it longer with RAG_TIMEOUT"
    )


def _failed(error: Exception, choice: ModelChoice) -> ModelError:
    """Some servers fail, instead of refusing, over a parameter that they cannot honour."""
    if getattr(error, "status_code", None) == 501 or _PARAMETER.search(str(error)):
        return _refused(error, choice)
    return UnreachableError(f"{choice.place} failed ({_seen(error, choice)}); ask again later, or take --offline")


def _refused(error: Exception, choice: ModelChoice) -> ModelError:
    return RequestError(
        f"{choice.place} refuses the request to {choice.id} ({_seen(error, choice)}); try another model"
    )


def _cut(error: Exception, choice: ModelChoice) -> ModelError:
    return ReplyError(f"the reply of {choice.id} was cut ({_seen(error, choice)}); ask again, or another model")


def _unreachable(error: Exception, choice: ModelChoice) -> ModelError:
    causes = list(_causes(error))
    seen = choice.safe(str(causes[-1]))
    if any(type(cause).__name__ == "ConnectError" or isinstance(cause, ConnectionRefusedError) for cause in causes):
        return UnreachableError(
            f"{choice.place} cannot be reached ({seen}); check the network and OPENAI_BASE_URL, or take --offline"
        )
    return UnreachableError(f"the connection to {choice.place} broke before the reply was whole ({seen}); ask again")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, then what it came from, down to the first."""
    found: BaseException | None = error
    while found:
        yield found
        found = found.__cause__ or found.__context__


def _seen(error: Exception, choice: ModelChoice) -> str:
    """The status and text of an error."""
    status = getattr(error, "status_code", None)
    text = choice.safe(str(getattr(error, "message", "") or error).removeprefix(f"Error code: {status} - "))
    return f"{status}: {text}" if status else text


_KINDS: dict[str, Callable[[Exception, ModelChoice], ModelError]] = {
    "ModelAuthenticationError": _key_refused,
    "ModelPermissionDeniedError": _key_refused,
    "ModelNotFoundError": _not_found,
    "ModelRateLimitError": _rate_limited,
    "ModelTimeoutError": _timed_out,
    "ModelConnectionError": _unreachable,
    "ModelAPIError": _failed,
    "ContextOverflowError": _too_long,
    "ModelInvalidRequestError": _refused,
    "LengthFinishReasonError": _cut,
    "ContentFilterFinishReasonError": _cut,
    # Embedding models raise those of the SDK as they are.
    "AuthenticationError": _key_refused,
    "PermissionDeniedError": _key_refused,
    "NotFoundError": _not_found,
    "RateLimitError": _rate_limited,
    "APITimeoutError": _timed_out,
    "APIConnectionError": _unreachable,
    "InternalServerError": _failed,
    # Others let through what their network raises.
    "TimeoutError": _timed_out,
    "TimeoutException": _timed_out,
    "ConnectionError": _unreachable,
    "TransportError": _unreachable,
}
