"""Packs passages into the part of a prompt that is data."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.models.prompts import fence
from rag.schema import Hit, Span
from rag.text.clean import clean, one_line
from rag.text.injection import LEFT_OUT, is_order, without_orders

# The tokens that separate turns for many models look like <|im_start|>, </s> or [INST]; servers take them for real even
# in a text. A space makes them words, and quotes are found whatever the spaces.
_TURNS = re.compile(r"<(?=\S)|\[(?=/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL))", re.I)


@dataclass(frozen=True, slots=True)
class Packed:
    """Passages as a model is shown them: number n is `hits[n - 1]`; `fence` is a line that none of them holds."""

    hits: tuple[Hit, ...]
    text: str
    fence: str


def pack(hits: Sequence[Hit], *, budget: int, count: Callable[[str], int]) -> Packed:
    """As many whole passages as fit into the budget of tokens, best first; one in any case.

    Each has its number, title, source and date on a line, and its text on the next: a passage of more lines could
    contain what looks like the heading of another one. In the place of sentences that are addressed to a program is
    `[...]`.
    """
    blocks: list[str] = []
    used = 0
    for number, hit in enumerate(hits, start=1):
        block = _block(number, hit)
        used += count(block)
        if blocks and used > budget:
            break
        blocks.append(block)
    return Packed(tuple(hits[: len(blocks)]), "\n\n".join(blocks), fence(*blocks))


def data(text: str) -> str:
    """A text from outside on one line, without unseen characters or what servers take for the end of a turn."""
    return _TURNS.sub(lambda found: f"{found[0]} ", " ".join(clean(text).split()))


def _block(number: int, hit: Hit) -> str:
    article, passage = hit.article, hit.passage
    text = without_orders(article, Span(passage.start, passage.end))
    title = LEFT_OUT if is_order(article.title) else article.title
    parts = (title, article.source, str(article.published) if article.published else None)
    heading = " | ".join(data(one_line(part, 200)) for part in parts if part)
    return f"[{number}] {heading}\n{data(text)}"
