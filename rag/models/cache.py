"""Keeps the replies of models in a folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

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
