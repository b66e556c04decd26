"""Knows how much well-known models read, and what they cost."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.schema import Usage

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
        """Whether the cost can be told."""
        return self.input_price is not None

    def usage(self, input_tokens: int, output_tokens: int, *, estimated: bool) -> Usage:
        """Tokens as usage with their cost: 0, and estimated, if the price is not known."""
        cost = (input_tokens * (self.input_price or 0.0) + output_tokens * (self.output_price or 0.0)) / _MILLION
        return Usage(input_tokens, output_tokens, cost, estimated or not self.is_priced)


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
