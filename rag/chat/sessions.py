"""Keeps conversations in private files, to be resumed and searched."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rag.chat.conversation import Conversation, Exchange
from rag.chat.transcript import with_citations
from rag.errors import InputError, LibraryError
from rag.files import write_private
from rag.library import Library
from rag.schema import Answer, Citation, Window
from rag.text.calendar import window
from rag.text.clean import one_line


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation that was kept: its file, when it was last added to, and what was asked and answered."""

    path: Path
    library: str
    changed: str
    exchanges: tuple[Mapping[str, Any], ...]
    limits: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Its last day, its first question and how many there are."""
        more = f" (+{len(self.exchanges) - 1})" if len(self.exchanges) > 1 else ""
        return f"{self.changed[:16].replace('T', ' ')}  {one_line(self.exchanges[0]['question'], 100)}{more}"

    def has(self, words: str) -> bool:
        """Whether a question or an answer has the words."""
        wanted = words.casefold()
        return any(wanted in f"{e['question']} {e['answer']['text']}".casefold() for e in self.exchanges)


class Sessions:
    """The conversations in a folder; only their user may read them."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        self._path: Path | None = None

    def of(self, library: str) -> list[Session]:
        """Those with a library, the latest first; a file that is none of ours is left out."""
        found = [session for path in self._folder.glob("*.json") if (session := _session_of(path))]
        mine = [session for session in found if session.library == library]
        return sorted(mine, key=lambda s: (s.changed, s.path.name), reverse=True)

    def keep(self, conversation: Conversation) -> None:
        """Writes what was asked and answered; a conversation without any goes. Raises LibraryError if it cannot."""
        if not conversation.exchanges and not self._path:
            return
        try:
            self._path = self._path or self._free()
            if conversation.exchanges:
                write_private(self._path, json.dumps(_record(conversation, self._now())))
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise LibraryError(
                f"{self._folder} cannot keep the chat ({error.strerror}); check its permissions"
            ) from None

    def begin(self) -> None:
        """What is kept from now on is another conversation."""
        self._path = None

    def resume(self, conversation: Conversation, session: Session) -> None:
        """Puts a conversation where a session ended, within its limits if none were set."""
        found = (_exchange(record, conversation.library) for record in session.exchanges)
        conversation.exchanges = tuple(found)
        if not conversation.window.limits and not conversation.topic:
            conversation.window, conversation.topic = _limits(session.limits), session.limits.get("topic")
        self._path = session.path

    def _free(self) -> Path:
        stamp = self._now().strftime("%Y%m%dT%H%M%S")
        names = (f"{stamp}-{os.getpid()}{f'-{n}' if n else ''}.json" for n in range(10_000))
        return next(path for name in names if not (path := self._folder / name).exists())


def _record(conversation: Conversation, now: datetime) -> dict[str, Any]:
    at = conversation.window
    days = {"as_of": at.as_of, "since": at.since, "until": at.until}
    return {
        "schema": 1,
        "library": conversation.library.name,
        "changed": now.isoformat(timespec="seconds"),
        "limits": {
            "topic": conversation.topic,
            "sources": list(at.sources),
            **{name: day.isoformat() if day else None for name, day in days.items()},
        },
        "exchanges": [
            {
                "question": e.question,
                "answer": e.answer.to_dict(),
                "passages": {_span_key(c): c.passage_id for c in (*e.answer.citations, *e.answer.nearest)},
            }
            for e in conversation.exchanges
        ],
    }


def _session_of(path: Path) -> Session | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        exchanges = tuple(record["exchanges"])
        for exchange in exchanges:
            Answer.from_dict(exchange["answer"])
            if not isinstance(exchange["question"], str) or not isinstance(exchange["passages"], dict):
                return None
        _limits(record["limits"])
        return Session(path, record["library"], record["changed"], exchanges, record["limits"]) if exchanges else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        return None


def _limits(record: Mapping[str, Any]) -> Window:
    return window(record.get("as_of"), record.get("since"), record.get("until"), record.get("sources") or ())


def _exchange(record: Mapping[str, Any], library: Library) -> Exchange:
    """The exchange with the articles of the library, where they still have what was quoted."""
    answer, passages = Answer.from_dict(record["answer"]), record["passages"]
    cited = [*answer.citations, *answer.nearest]
    known = {article.id: article for article in library.catalog.articles({c.article.id for c in cited})}

    def attached(citation: Citation) -> Citation:
        article = known.get(citation.article.id)
        if not article or article.text[citation.start : citation.end] != citation.quote:
            return citation
        return replace(citation, article=article, passage_id=passages.get(_span_key(citation), ""))

    return Exchange(record["question"], with_citations(answer, attached))


def _span_key(citation: Citation) -> str:
    return f"{citation.article.id}:{citation.start}:{citation.end}"
