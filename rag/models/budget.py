"""What a call of a model may cost, and what it costs: limits, prices, tokens."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING

from rag.schema import Usage

if TYPE_CHECKING:
    from tiktoken import Encoding


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


_MILLION = 1_000_000
_VERSION = re.compile(r"-(?:latest|\d{4}-\d\d-\d\d|\d{8})$")


@dataclass(frozen=True, slots=True)
class Tariff:
    """The context window of a model in tokens, and US dollars for a million tokens in and out; None if not known."""

    window: int
    input_price: float | None = None
    output_price: float | None = None

    @property
    def is_priced(self) -> bool:
        """Whether the price is known."""
        return self.input_price is not None

    def usage(self, input_tokens: int, output_tokens: int, *, estimated: bool) -> Usage:
        """Tokens as usage with their cost: 0, estimated and unpriced, if the price is not known."""
        cost = (input_tokens * (self.input_price or 0.0) + output_tokens * (self.output_price or 0.0)) / _MILLION
        return Usage(input_tokens, output_tokens, cost, estimated or not self.is_priced, not self.is_priced)


DEFAULT = Tariff(8_192)
"""Of a model that is not known. A server that reads less refuses the prompt, which is then halved."""

# List prices without discounts, as published by their makers at the end of 2025.
_KNOWN = {
    "gpt-5.2": Tariff(400_000, 1.75, 14.0),
    "gpt-5.1": Tariff(400_000, 1.25, 10.0),
    "gpt-5": Tariff(400_000, 1.25, 10.0),
    "gpt-5-mini": Tariff(400_000, 0.25, 2.0),
    "gpt-5-nano": Tariff(400_000, 0.05, 0.4),
    "gpt-4.1": Tariff(1_047_576, 2.0, 8.0),
    "gpt-4.1-mini": Tariff(1_047_576, 0.4, 1.6),
    "gpt-4.1-nano": Tariff(1_047_576, 0.1, 0.4),
    "gpt-4o": Tariff(128_000, 2.5, 10.0),
    "gpt-4o-mini": Tariff(128_000, 0.15, 0.6),
    "o3": Tariff(200_000, 2.0, 8.0),
    "o4-mini": Tariff(200_000, 1.1, 4.4),
    "claude-opus-4-5": Tariff(200_000, 5.0, 25.0),
    "claude-sonnet-4-5": Tariff(200_000, 3.0, 15.0),
    "claude-haiku-4-5": Tariff(200_000, 1.0, 5.0),
    "gemini-2.5-pro": Tariff(1_048_576, 1.25, 10.0),
    "gemini-2.5-flash": Tariff(1_048_576, 0.3, 2.5),
}


def tariff(name: str, *, window: int | None = None) -> Tariff:
    """The tariff of a model by its name, whatever its version's date; of another one, `DEFAULT` or its `window`."""
    known = _KNOWN.get(_VERSION.sub("", name))
    return known or (Tariff(window) if window else DEFAULT)


_ASCII, _OTHER = 4.0, 1.5
"""Characters to a token, by our estimate; of other scripts rather too few, so that a budget is kept."""
_LONGEST_DOWNLOAD = 5.0


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens; `estimated` if the model's own tokenizer could not be had."""

    count: int
    estimated: bool

    def __add__(self, other: TokenCount) -> TokenCount:
        return TokenCount(self.count + other.count, self.estimated or other.estimated)


def encoding(model: str) -> Encoding | None:
    """The tokenizer of an OpenAI model; None if it is no such model, or its vocabulary cannot be had.

    The first use downloads the vocabulary; a failure, or `_LONGEST_DOWNLOAD` seconds without success, is remembered.
    """
    import tiktoken

    try:
        return _vocabulary(tiktoken.encoding_name_for_model(model))
    except KeyError:
        return None


def count_tokens(text: str, model: str | None, *, load: Callable[[str], Encoding | None] = encoding) -> TokenCount:
    """How many tokens a text has for a model; an estimate for a model that is not OpenAI's, or None."""
    known = load(model) if model else None
    if known:
        return TokenCount(len(known.encode_ordinary(text)), estimated=False)
    plain = len(text.encode("ascii", "ignore"))
    return TokenCount(math.ceil(plain / _ASCII + (len(text) - plain) / _OTHER), estimated=True)


@cache
def _vocabulary(name: str) -> Encoding | None:
    """Loaded beside, as tiktoken itself would wait without end for a network that swallows what it is sent."""
    found: list[Encoding] = []
    loading = Thread(target=_load, args=(name, found), daemon=True)
    loading.start()
    loading.join(_LONGEST_DOWNLOAD)
    return found[0] if found else None


def _load(name: str, found: list[Encoding]) -> None:
    import tiktoken

    try:
        found.append(tiktoken.get_encoding(name))
    except (OSError, ValueError, RuntimeError):  # no network, or not what was wanted
        return
