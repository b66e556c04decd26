"""Calls a chat model within the limits of one question."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from rag.errors import ContextError, InputError, ModelError, ReplyError, RequestError, ShapeError, TimedOutError
from rag.models.budget import REPLY_TOKENS, Tariff, Terms, TokenCount, count_tokens, tariff
from rag.models.chat import OPENAI_URL, ModelChoice
from rag.models.errors import model_errors, wait_before
from rag.models.prompts import Prompt, data, fence, load_prompt
from rag.models.replies import ReplyCache, first_object
from rag.progress import Clock, Meter
from rag.schema import Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig


T = TypeVar("T")

_TOKENS_PER_MESSAGE = 4
_LANGCHAIN = ("langchain", "chat_models", "langchain_core", "language_models", "tests")

MOST_CHARACTERS = 32_000
_MOST_COUNTED = 10**9
_OPTIONAL = {
    "stream_options": re.compile(r"stream_options|include_usage"),
    "stream": re.compile(r"\bstream(?:ing)?\b", re.I),
    "temperature": re.compile(r"\btemperature\b", re.I),
    "max_tokens": re.compile(r"max_(?:completion_|output_)?tokens", re.I),
    "reasoning_effort": re.compile(r"reasoning[_ .]?effort|\breasoning\b", re.I),
    "system": re.compile(r"\bsystem\b.*\bnot supported|\bnot support\b.*\bsystem\b", re.I),
}
"""What a server or a model may not take, and how its refusal names it."""
_PAUSES = (0.5, 1.0)
"""Seconds before each further try, if the server asks for no others."""
_MOST_REPLY, _MOST_THOUGHT = 4_000, 16_000
"""Tokens that a reply may have, and that of a model which thinks before it."""


class Account:
    """What one question has used, and what it may use."""

    def __init__(self, terms: Terms | None = None, clock: Clock | None = None, meter: Meter | None = None) -> None:
        self.terms = terms or Terms()
        self.clock = clock or Clock()
        self.meter = meter or Meter()
        self.usage = Usage()
        self.warnings: tuple[str, ...] = ()

    def charge(self, usage: Usage) -> None:
        """Adds what a call used."""
        self.usage += usage

    def warn(self, warning: str) -> None:
        """Adds something that the reader of the answer must know; once."""
        if warning not in self.warnings:
            self.warnings += (warning,)

    def admit(self, size: TokenCount, prices: Tariff) -> None:
        """Raises InputError if a call with a prompt of that size might take more than is allowed."""
        terms, spent = self.terms, self.usage
        more = prices.usage(size.count, REPLY_TOKENS, estimated=True)
        total = spent + more
        tokens = total.input_tokens + total.output_tokens
        told = f"about {total.input_tokens:,} tokens in and up to {total.output_tokens:,} out"
        if terms.max_tokens is not None and tokens > terms.max_tokens:
            raise InputError(
                f"the question takes {told}, more than the {terms.max_tokens:,} of --max-tokens; "
                "raise it, or read fewer passages with -k"
            )
        if terms.max_cost is None:
            return
        if not prices.is_priced:
            self.warn("the price of the model is not known, so that --max-cost has no effect")
        if total.cost > terms.max_cost:
            raise InputError(
                f"the question takes {told}, which cost ${total.cost:.4f}, more than the ${terms.max_cost:.4f} "
                "of --max-cost; raise it, or read fewer passages with -k"
            )


@dataclass(frozen=True, slots=True)
class Call:
    """A prompt with its inputs, the JSON schema of the reply that it asks for, and what was wrong with the last one."""

    prompt: Prompt
    inputs: Mapping[str, str]
    schema: Mapping[str, Any]
    problem: str | None = None

    @property
    def texts(self) -> list[str]:
        """The texts of the two messages: rules and user."""
        texts = _texts(self.prompt, self.inputs)
        if self.problem is None:
            return texts
        more = {"fence": fence(self.problem, *texts), "problem": self.problem}
        return ["\n\n".join(pair) for pair in zip(texts, _texts(load_prompt("again", *more), more), strict=True)]


@dataclass(frozen=True, slots=True)
class Manner:
    """How a server is asked: the place of the form in `ways`, and without what it does not take."""

    form: int = 0
    without: frozenset[str] = frozenset()

    def is_limited(self, refusal: ContextError) -> bool:
        """Whether it is the limit of the reply, beside the prompt, that is too long for the server."""
        return "max_tokens" not in self.without and bool(_OPTIONAL["max_tokens"].search(str(refusal)))

    def after(self, refusal: ModelError) -> Manner:
        """How to ask instead: without what the refusal names, else in the next form."""
        named = (
            name for name, pattern in _OPTIONAL.items() if name not in self.without and pattern.search(str(refusal))
        )
        name = next(named, None)
        return replace(self, without=self.without | {name}) if name else replace(self, form=self.form + 1)


class Caller:
    """Calls one chat model; replies that were of use are kept in `replies`.

    A rate limit, a failing server or a broken connection before the reply is tried again after each of the `pauses`, or
    after the wait that the server asks for. Silence is not: it would take as long again.
    """

    def __init__(
        self,
        model: BaseChatModel,
        choice: ModelChoice,
        replies: ReplyCache | None = None,
        *,
        pauses: Sequence[float] = _PAUSES,
    ) -> None:
        self._pauses = pauses
        self.choice = choice
        self.tariff = tariff(choice.name, window=(getattr(model, "profile", None) or {}).get("max_input_tokens"))
        self._model = model
        self._replies = replies
        self._manner = Manner()

    def count(self, text: str) -> TokenCount:
        """The tokens of a text for this model; exact only for OpenAI's own."""
        return count_tokens(text, self.choice.name if self.choice.place == OPENAI_URL else None)

    def size(self, call: Call) -> TokenCount:
        """The tokens of a prompt."""
        texts = call.texts
        return sum(map(self.count, texts), TokenCount(_TOKENS_PER_MESSAGE * len(texts), estimated=False))

    def pieces(self, call: Call, account: Account) -> Generator[str, None, None]:
        """The reply as it comes; one that was kept comes at once, and costs nothing.

        Raises what `model_errors` says, ReplyError if the reply is refused, cut or empty, and InputError if it would
        take more than the terms allow. What came before an error is charged.
        """
        kept = self._replies.get(*self._asked(call)) if self._replies and account.terms.cache else None
        if kept is not None:
            yield kept
            return
        account.admit(self.size(call), self.tariff)
        chunks: list[BaseMessage] = []
        length = 0
        account.meter.say(f"waiting for {self.choice.id}")
        try:
            for chunk in self._chunks(call, account):
                if not chunks:
                    account.meter.say(f"{self.choice.id} writes")
                chunks.append(chunk)
                length += len(chunk.text)
                if length > MOST_CHARACTERS:
                    raise ReplyError(
                        f"the reply goes on after {MOST_CHARACTERS:,} characters; ask again, or another model"
                    )
                if chunk.text:
                    yield chunk.text.encode("utf-8", "replace").decode()  # a lone surrogate could not be kept
        finally:
            if chunks:
                account.charge(self._usage(call, chunks))
        reply_text(_whole(chunks), self.choice)

    def keep(self, call: Call, reply: str, account: Account) -> None:
        """Keeps a reply that was of use, if the terms are so."""
        if self._replies and account.terms.cache:
            self._replies.put(reply, *self._asked(call))

    def json(self, call: Call, account: Account, read: Callable[[dict[str, Any]], T]) -> T:
        """What is read of the reply, a JSON object; asked once more if that raises ShapeError, or if it is none."""
        try:
            return self._read(call, call, account, read)
        except ShapeError as error:
            return self._read(self.again(call, error, account), call, account, read)

    def again(self, call: Call, error: ShapeError, account: Account) -> Call:
        """The call with what was wrong with its reply; raises the error if the terms allow no other call."""
        more = replace(call, problem=data(str(error)))
        try:
            account.admit(self.size(more), self.tariff)
        except InputError:
            raise error from None
        return more

    def _read(self, call: Call, kept_as: Call, account: Account, read: Callable[[dict[str, Any]], T]) -> T:
        text = "".join(self.pieces(call, account))
        try:
            reply = first_object(text)
        except (ValueError, RecursionError) as error:
            raise ShapeError(f"the reply is no JSON object ({error}); wanted one and nothing else") from None
        found = read(reply)
        self.keep(kept_as, text, account)
        return found

    def _asked(self, call: Call) -> tuple[str, ...]:
        return (self.choice.place, self.choice.id, call.prompt.name, str(call.prompt.version), *call.texts)

    def _chunks(self, call: Call, account: Account) -> Iterator[BaseMessage]:
        """The chunks of the first try that begins."""
        for pause in (*self._pauses, None):
            begun = False
            try:
                for chunk in self._accepted(call, account):
                    begun = True
                    yield chunk
                return
            except ModelError as error:
                wait = None if begun or pause is None or isinstance(error, TimedOutError) else wait_before(error, pause)
                if wait is None:
                    raise
            account.meter.say(f"{self.choice.place} is asked again in {wait:.0f} s")
            time.sleep(wait)

    def _accepted(self, call: Call, account: Account) -> Iterator[BaseMessage]:
        """The chunks in the first form that is not refused; one is given up only if a later one is not."""
        forms, manner, refused = ways(self._model, call.schema), self._manner, None
        while manner.form < len(forms):
            try:
                chunks = self._asking(call, forms[manner.form], manner.without, account)
                first = next(chunks, None)
            except (RequestError, ContextError) as error:
                if isinstance(error, ContextError) and not manner.is_limited(error):
                    raise
                manner, refused = manner.after(error), error
                continue
            self._manner = manner
            if first is not None:
                yield first
            yield from chunks
            return
        assert refused  # there is always a last form
        raise refused

    def _asking(
        self, call: Call, form: Mapping[str, Any], without: frozenset[str], account: Account
    ) -> Iterator[BaseMessage]:
        limit = {} if "max_tokens" in without else self._limit(call)
        model = _lacking(self._model, without).bind(**_with_limit(form, limit, self._model))
        messages = _messages(call.texts, without)
        config: RunnableConfig = {"metadata": {"prompt": call.prompt.name, "prompt_version": call.prompt.version}}
        streamed = account.terms.streamed and "stream" not in without
        chunks: Iterator[BaseMessage] | None = model.stream(messages, config) if streamed else None
        while True:
            with account.clock.time("generate"), model_errors(self.choice):
                chunk = next(chunks, None) if chunks else model.invoke(messages, config)
            if chunk is not None:
                yield chunk
            if chunk is None or chunks is None:
                return

    def _limit(self, call: Call) -> dict[str, int]:
        """The longest reply that the window holds, for a model of OpenAI's interface that has no limit of its own.

        Servers of one's own know it as `max_tokens`, OpenAI's newer models by another name.
        """
        if not _is_openai(self._model) or getattr(self._model, "max_tokens", None):
            return {}
        most = _MOST_THOUGHT if getattr(self._model, "reasoning_effort", None) else _MOST_REPLY
        name = "max_completion_tokens" if self.choice.place == OPENAI_URL else "max_tokens"
        return {name: max(REPLY_TOKENS, min(most, self.tariff.window - self.size(call).count))}

    def _usage(self, call: Call, chunks: list[BaseMessage]) -> Usage:
        """As the server counted, else as we do."""
        whole = _whole(chunks)
        told = getattr(whole, "usage_metadata", None) or {}
        counted = whole.response_metadata.get("token_usage")
        other = counted if isinstance(counted, Mapping) else {}
        size = told.get("input_tokens") or other.get("prompt_tokens")
        length = told.get("output_tokens") or other.get("completion_tokens")
        if _is_count(size) and _is_count(length):
            return self.tariff.usage(size, length, estimated=False)
        return self.tariff.usage(self.size(call).count, self.count(whole.text).count, estimated=True)


def _is_count(number: Any) -> TypeGuard[int]:
    """Whether a server can have counted so many tokens."""
    return type(number) is int and 0 <= number <= _MOST_COUNTED


def choice_of(model: BaseChatModel) -> ModelChoice:
    """Which model a LangChain model is, as far as its attributes say."""
    provider = next((part for part in model.get_lc_namespace() if part not in _LANGCHAIN), model._llm_type)
    name = getattr(model, "model_name", None) or getattr(model, "model", None) or type(model).__name__
    place = getattr(model, "openai_api_base", None)
    return ModelChoice(provider.removeprefix("langchain_"), str(name), place if isinstance(place, str) else None)


def _whole(chunks: list[BaseMessage]) -> BaseMessage:
    """The chunks of a stream as one message."""
    from langchain_core.messages import AIMessageChunk

    parts = [chunk for chunk in chunks if isinstance(chunk, AIMessageChunk)]
    if len(parts) < 2:
        return chunks[0] if chunks else AIMessageChunk(content="")
    return parts[0] + parts[1:]


def _texts(prompt: Prompt, inputs: Mapping[str, str]) -> list[str]:
    """Filled in beside LangChain's tracing, in which it would be a step of its own."""
    return [message.text for message in prompt.template.format_messages(**inputs)]


def _messages(texts: Sequence[str], without: frozenset[str]) -> list[BaseMessage]:
    """The rules and the user's message, or both in one for a model that knows no rules."""
    from langchain_core.messages import HumanMessage, SystemMessage

    rules, user = texts
    return [HumanMessage(f"{rules}\n\n{user}")] if "system" in without else [SystemMessage(rules), HumanMessage(user)]


def _lacking(model: BaseChatModel, without: frozenset[str]) -> BaseChatModel:
    """The model without what its server does not take."""
    values = {
        "temperature": ("temperature", None),
        "stream_options": ("stream_usage", False),
        "reasoning_effort": ("reasoning_effort", None),
    }
    fields = dict(values[name] for name in without if name in values)
    known = {name: value for name, value in fields.items() if name in type(model).model_fields}
    return model.model_copy(update=known) if known else model


_CUT = {"length": "it reached its length limit", "content_filter": "a content filter stopped it"}


def reply_text(message: BaseMessage, choice: ModelChoice) -> str:
    """The text of a whole reply; raises ReplyError if it was refused, cut off, or is empty."""
    refusal = message.additional_kwargs.get("refusal")
    if refusal:
        raise ReplyError(f"{choice.id} refused to reply ({choice.safe(str(refusal))})")
    cut = _CUT.get(str(message.response_metadata.get("finish_reason")))
    if cut:
        raise ReplyError(f"the reply of {choice.id} is not whole: {cut}")
    if not message.text.strip():
        raise ReplyError(f"the reply of {choice.id} is empty")
    return message.text


def ways(model: BaseChatModel, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The arguments of each way, the strictest first; only OpenAI's interface has more than the plain one.

    As LangChain's own argument, a format would lose the usage of what is streamed; so it goes around it if it can.
    """
    if not _is_openai(model):
        return [{}]
    strict = {"name": "reply", "strict": True, "schema": schema}
    formats = [{"type": "json_schema", "json_schema": strict}, {"type": "json_object"}]
    found = [{"response_format": form} for form in formats]
    if getattr(model, "use_responses_api", None) is False:
        more = getattr(model, "extra_body", None) or {}
        found = [{"extra_body": more | form} for form in found]
    return [*found, {}]


def _with_limit(form: Mapping[str, Any], limit: Mapping[str, int], model: BaseChatModel) -> dict[str, Any]:
    """The arguments with the limit of the reply, around LangChain, which would give it another name, if it can."""
    if getattr(model, "use_responses_api", None) is not False:
        return dict(form) | ({"max_tokens": max(limit.values())} if limit else {})
    more = form.get("extra_body", getattr(model, "extra_body", None) or {})
    return {**form, "extra_body": more | limit}


def _is_openai(model: BaseChatModel) -> bool:
    return "openai" in model.get_lc_namespace()


CONCURRENCY = 4
"""How many groups a model is given at once."""
Group = TypeVar("Group")
Made = TypeVar("Made")


def at_once(
    groups: Sequence[Group], read: Callable[[Group, Account], Sequence[Made]], account: Account, meter: Meter
) -> list[Made]:
    """What is made of all groups, in their order; what they use is charged, and what they warn of is told once.

    What all of them may take has to be admitted before. After an error no further group is read; it is raised.
    """
    terms = replace(account.terms, max_tokens=None, max_cost=None)
    accounts = [Account(terms) for _ in groups]
    found: list[Made] = []
    with ThreadPoolExecutor(min(CONCURRENCY, len(groups))) as pool:
        coming = [pool.submit(read, g, a) for g, a in zip(groups, accounts, strict=True)]
        try:
            for future in coming:
                found += future.result()
                meter.advance(1)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for one in accounts:
                account.charge(one.usage)
    for warning in dict.fromkeys(w for one in accounts for w in one.warnings):
        account.warn(warning)
    return found
