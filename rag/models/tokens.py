"""Counts the tokens of a text."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

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
    """How many tokens a model makes of a text; an estimate for a model that is not OpenAI's, or None."""
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
