"""A chat model that gives the recorded reply of another one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import SimpleChatModel
from langchain_core.messages import BaseMessage

from rag.errors import InputError
from rag.evaluation.cases import GoldEvidence, ReplyCase
from rag.library import Library
from rag.models.budget import Terms

if TYPE_CHECKING:
    from langchain_core.callbacks import CallbackManagerForLLMRun

_PASSAGE = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)


def replaying(case: ReplyCase, library: Library) -> Library:
    """The library, for which a model writes that gives the reply of the case to any question."""
    titles = {quote.article: library.catalog.article(quote.article).title for quote in case.gold if quote.article}
    return library.written_by(Replay(case=case, titles=titles), Terms(strict=True, cache=False))


class Replay(SimpleChatModel):
    """Replies as the prompt of answers wants it, with the numbers that the quoted passages have in the prompt.

    `titles` are those of the articles by id: a wire copy has the same words under another title. Raises InputError if
    a passage that the reply quotes was not given.
    """

    case: ReplyCase
    titles: Mapping[str, str]

    @property
    def _llm_type(self) -> str:
        return "replay"

    def _call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> str:
        prompt = messages[-1].text
        statements = [
            {"text": written.text, "quotes": [self._cited(quote, prompt) for quote in written.quotes]}
            for written in self.case.statements
        ]
        own = {"answered": self.case.answered, "differ": self.case.differ, "missing": self.case.missing}
        return json.dumps({**own, "statements": statements}, ensure_ascii=False)

    def _cited(self, quote: GoldEvidence, prompt: str) -> dict[str, Any]:
        _, *parts = _PASSAGE.split(prompt)
        title, words = self.titles[quote.article or ""], " ".join(quote.quote.split())
        for number, heading, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            if title in heading and words in " ".join(text.split()):
                return {"passage": int(number), "quote": quote.quote}
        raise InputError(f"{quote.quote[:50]!r} of {quote.article} is in none of the passages that the model was given")
