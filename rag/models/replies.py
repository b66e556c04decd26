"""Gets one JSON object from a chat model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rag.errors import ReplyError, RequestError
from rag.models.chat import ModelChoice
from rag.models.errors import model_errors

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.prompt_values import PromptValue

_CUT = {"length": "it reached its length limit", "content_filter": "a content filter stopped it"}


class JsonModel:
    """A chat model that replies with JSON of a schema, held to it as strictly as its server can.

    OpenAI holds a model to the schema, other servers at least to JSON, the oldest to nothing: the strictest way that
    the server took is remembered. The prompt has to say what is wanted in any case.
    """

    def __init__(self, model: BaseChatModel, choice: ModelChoice, schema: Mapping[str, Any]) -> None:
        self._choice = choice
        self._ways = [model.bind(**way) for way in ways(model, schema)]
        self._way = 0

    def ask(self, prompt: PromptValue) -> dict[str, Any]:
        """The object that the model replies with; its keys and values are yet to be checked.

        Raises ModelError: ReplyError if it is no JSON object, else what `model_errors` says.
        """
        text = reply_text(self._reply(prompt), self._choice)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ReplyError(f"the reply is no JSON ({error}); wanted one JSON object and nothing else") from None
        if not isinstance(found, dict):
            raise ReplyError(f"the reply is a JSON {type(found).__name__}; wanted one JSON object")
        return found

    def _reply(self, prompt: PromptValue) -> BaseMessage:
        """A way that is refused is given up only if a later one is not."""
        refused: RequestError | None = None
        for place in range(self._way, len(self._ways)):
            try:
                with model_errors(self._choice):
                    reply = self._ways[place].invoke(prompt)
            except RequestError as error:
                refused = error
            else:
                self._way = place
                return reply
        assert refused  # there is always a last way
        raise refused


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


def _is_openai(model: BaseChatModel) -> bool:
    return "openai" in model.get_lc_namespace()
