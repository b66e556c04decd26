"""Reads the members of a JSON object while it is still coming."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_DECODE = json.JSONDecoder().raw_decode
_SPACE = " \t\r\n"


# How models mark what they think, where their server leaves it in the reply; some servers leave out the first mark.
_THINKS = re.compile(r"\s*(?:<think(?:ing)?>|\[THINK\]|◁think▷)")
_ENDS = ("</think>", "</thinking>", "[/THINK]", "◁/think▷")
_THOUGHT_ENDS = re.compile("|".join(map(re.escape, _ENDS)))
_MAY_START = re.compile(r'["}>\]▷]')
"""What a piece has, if an object starts with it, or thoughts end."""
_LONGEST_MARK = 12
_MORE = re.compile(r"\.?[eE]?[+-]?")
_OBJECT = re.compile(r'\{(?=\s*["}])')


@dataclass(frozen=True, slots=True)
class Member:
    """A key of the object with its value; or, of the list that is read item by item, with one item."""

    name: str
    value: Any


def said(text: str) -> str:
    """The text of a reply without what the model thought before; empty if it has not come to an end of that."""
    end = max(place + len(mark) if (place := text.rfind(mark)) >= 0 else 0 for mark in _ENDS)
    if end:
        return text[end:]
    return "" if _THINKS.match(text) else text


def first_object(text: str) -> dict[str, Any]:
    """The first JSON object of a reply; raises ValueError or RecursionError if there is none."""
    start = _start(text)
    if start is None:
        raise ValueError("no { with a key")
    found: dict[str, Any] = _DECODE(text, start)[0]
    return found


def _start(text: str) -> int | None:
    """Where the object starts, as far as has come."""
    spoken = said(text)
    found = _OBJECT.search(spoken)
    return len(text) - len(spoken) + found.start() if found else None


class Members:
    """The first JSON object of a text that comes in pieces; the list called `listed` is given item by item.

    What a model thinks before it replies is no part of it, even if there are objects in it.
    """

    def __init__(self, listed: str) -> None:
        self._listed = listed
        self._in_list = self._given = False
        self._at = -1
        self.text = ""
        self.done = False

    @property
    def begun(self) -> bool:
        """Whether the object has started."""
        return self._at >= 0

    @property
    def after(self) -> int:
        """How many characters have come since the object was whole."""
        return len(self.text) - self._at if self.done else 0

    def feed(self, piece: str) -> Iterator[Member]:
        """The members that the piece made whole, in their order."""
        self.text += piece
        if self.begun and not self._given and self._thought(len(piece)):
            self._at, self._in_list, self.done = -1, False, False
        if not self.begun and _MAY_START.search(piece):
            start = _start(self.text)
            self._at = -1 if start is None else start + 1
        while self.begun and not self.done and (found := self._next()):
            if isinstance(found, Member):
                yield found

    def _thought(self, length: int) -> bool:
        """Whether the object was one of the thoughts, which end in the last piece."""
        return bool(_THOUGHT_ENDS.search(self.text, max(self._at, len(self.text) - length - _LONGEST_MARK)))

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
        self._given = True
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
        """A number at the end of what has come may go on: `1` with `.5`, `1.` with `5`."""
        value, end = _DECODE(self.text, start)
        if isinstance(value, int | float) and not isinstance(value, bool) and _MORE.fullmatch(self.text, end):
            raise ValueError("not whole yet")
        return value, end

    def _skip(self, characters: str) -> None:
        self._at = self._after(self._at, characters)

    def _after(self, place: int, characters: str) -> int:
        while place < len(self.text) and self.text[place] in characters:
            place += 1
        return place
