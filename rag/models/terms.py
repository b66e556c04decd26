"""Says on what terms a language model is asked."""

from __future__ import annotations

from dataclasses import dataclass

REPLY_TOKENS = 1_000
"""What a reply is taken to have at most, when its cost is estimated."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a language model is asked.

    `strict` raises every fault of the model, which is otherwise a warning beside the articles' own sentences. `deep`
    plans questions of several parts, and has statements that failed their check written once more. `max_tokens` and
    `max_cost` (US dollars) stop before a call by which a question would be estimated to take more. `cache` keeps
    replies in the library's folder; `streamed` asks the server for the reply in pieces.
    """

    strict: bool = False
    deep: bool = False
    cache: bool = True
    streamed: bool = True
    max_tokens: int | None = None
    max_cost: float | None = None
