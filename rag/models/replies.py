"""The replies of models: what JSON they hold, also while they are still coming, and where they are kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from rag.files import write_private

MOST_REPLIES = 1_000


class ReplyCache:
    """Replies by what was asked: the model, its place, the prompt's version, and every word of the prompt.

    At most `most` replies, the latest used. A folder that cannot be written keeps nothing, and hinders nothing.
    """

    def __init__(self, folder: Path, *, most: int = MOST_REPLIES) -> None:
        self._folder = folder
        self._most = most

    def get(self, *asked: str) -> str | None:
        """The reply to what was asked, if there is one."""
        path = self._path(asked)
        try:
            reply = json.loads(path.read_text(encoding="utf-8"))["reply"]
            os.utime(path)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return reply if isinstance(reply, str) else None

    def put(self, reply: str, *asked: str) -> None:
        """Keeps a reply; whole or not at all, whatever stops it."""
        with suppress(OSError):
            write_private(self._path(asked), json.dumps({"reply": reply}))
            self._shrink()

    def _path(self, asked: Sequence[str]) -> Path:
        key = hashlib.sha256("\0".join(asked).encode("utf-8", "replace")).hexdigest()
        return self._folder / f"{key}.json"

    def _shrink(self) -> None:
        """Removes a tenth at once, so that it is seldom done."""
        kept = list(self._folder.glob("*.json"))
        if len(kept) > self._most:
            kept.sort(key=lambda path: path.stat().st_mtime)
            for path in kept[: len(kept) - self._most * 9 // 10]:
                path.unlink(missing_ok=True)


_DECODE = json.JSONDecoder().raw_decode
# How models mark what they think, where their server leaves it in the reply; some servers leave out the first mark.
_THINKS = re.compile(r"\s*(?:<think(?:ing)?>|\[THINK\]|◁think▷)")
_ENDS = ("</think>", "</thinking>", "[/THINK]", "◁/think▷")
_MAY_END, _THOUGHTS_MAY_END = re.compile(r'["}>\]▷]'), re.compile(r"[>\]▷]")
"""What a piece has if a value or the thoughts end in it, or the thoughts alone."""
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


class Members:
    """The first JSON object of a text that comes in pieces; the list called `listed` is given item by item.

    What a model thinks before it replies is no part of it, even if there are objects in it.
    """

    def __init__(self, listed: str) -> None:
        self._listed = listed
        self._names: set[str] = set()
        self._items = 0
        self._start: int | None = None
        self._end = 0
        self.text = ""
        self.done = False

    @property
    def begun(self) -> bool:
        """Whether the object has started."""
        return self._start is not None

    @property
    def after(self) -> int:
        """How many characters have come since the object was whole."""
        return len(self.text) - self._end if self.done else 0

    def feed(self, piece: str) -> Iterator[Member]:
        """The members that the piece made whole, in their order."""
        self.text += piece
        if not _MAY_END.search(piece) or (self.done and self._items):
            return
        if not self._items and (self._start is None or _THOUGHTS_MAY_END.search(piece)):
            start = _start(self.text)
            if start != self._start:
                self._start, self.done, self._names = start, False, set()
        if self._start is not None and not self.done:
            yield from self._new(self._start, may_be_done="}" in piece)

    def _new(self, start: int, *, may_be_done: bool) -> Iterator[Member]:
        found = _partial(self.text[start:])
        if may_be_done:
            with suppress(ValueError, RecursionError):
                found, self._end = _DECODE(self.text, start)
                self.done = True
        for place, (name, value) in enumerate(found.items(), start=1):
            is_whole = self.done or place < len(found)
            if name == self._listed and isinstance(value, list):
                known = value if is_whole or _closes(self.text[start:], "]}") else value[:-1]
                yield from (Member(name, item) for item in known[self._items :])
                self._items = max(self._items, len(known))
            elif name not in self._names and (is_whole or _closes(self.text[start:], "}")):
                self._names.add(name)
                yield Member(name, value)


def _start(text: str) -> int | None:
    """Where the object starts, as far as has come."""
    spoken = said(text)
    found = _OBJECT.search(spoken)
    return len(text) - len(spoken) + found.start() if found else None


def _partial(text: str) -> dict[str, Any]:
    """What there is of an object that is not whole; the last value may go on."""
    try:
        found = from_json(text, allow_partial=True)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _closes(text: str, end: str) -> bool:
    """Whether the last value is whole, so that only this end is missing; a number may go on until a comma."""
    text = text.rstrip()
    if text[-1] not in '"}],':
        return False
    try:
        from_json(text.removesuffix(",") + end)
    except ValueError:
        return False
    return True
