"""What a line of a chat leads to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from rag.render.lines import Line
from rag.schema import Answer, Statement


@dataclass(frozen=True, slots=True)
class Shown:
    """Lines to show."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Paged:
    """Lines to read at leisure, for there may be many."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer that is coming."""

    events: Iterator[Statement | Answer]


@dataclass(frozen=True, slots=True)
class Cleared:
    """The conversation starts again, on an empty screen."""


@dataclass(frozen=True, slots=True)
class Left:
    """The chat is over."""


Effect: TypeAlias = Shown | Paged | Answering | Cleared | Left
