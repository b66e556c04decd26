"""Reads the members of a JSON object while it is still coming."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_DECODE = json.JSONDecoder().raw_decode
_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Member:
    """A key of the object with its value; or, of the list that is read item by item, with one item."""

    name: str
    value: Any


class Members:
    """The first JSON object of a text that comes in pieces; the list called `listed` is given item by item."""

    def __init__(self, listed: str) -> None:
        self._listed = listed
        self._in_list = False
        self._at = -1
        self.text = ""
        self.done = False

    @property
    def begun(self) -> bool:
        """Whether the object has started."""
        return self._at >= 0

    def feed(self, piece: str) -> Iterator[Member]:
        """The members that the piece made whole, in their order."""
        self.text += piece
        if not self.begun:
            self._at = self.text.find("{") + 1 or -1
        while self.begun and not self.done and (found := self._next()):
            if isinstance(found, Member):
                yield found

    def _next(self) -> Member | bool:
        """The next member; True if only a step was made, False if more of the text is needed."""
        self._skip(_SPACE + ",")
        if self._at >= len(self.text):
            return False
        if self.text[self._at] == ("]" if self._in_list else "}"):
            self._at += 1
            self.done = not self._in_list
            self._in_list = False
            return True
        try:
            return self._item() if self._in_list else self._member()
        except (ValueError, IndexError, RecursionError):  # not whole yet, or never
            return False

    def _item(self) -> Member:
        value, self._at = self._decoded(self._at)
        return Member(self._listed, value)

    def _member(self) -> Member | bool:
        name, end = self._decoded(self._at)
        end = self._after(end, _SPACE)
        if self.text[end] != ":":
            raise ValueError("a key without a colon")
        start = self._after(end + 1, _SPACE)
        if name == self._listed and self.text[start] == "[":
            self._in_list, self._at = True, start + 1
            return True
        value, self._at = self._decoded(start)
        return Member(str(name), value)

    def _decoded(self, start: int) -> tuple[Any, int]:
        """A number at the end of what has come may go on."""
        value, end = _DECODE(self.text, start)
        if end == len(self.text) and isinstance(value, int | float):
            raise ValueError("not whole yet")
        return value, end

    def _skip(self, characters: str) -> None:
        self._at = self._after(self._at, characters)

    def _after(self, place: int, characters: str) -> int:
        while place < len(self.text) and self.text[place] in characters:
            place += 1
        return place
