"""Replies to the lines of a chat."""

from __future__ import annotations

from collections.abc import Sequence

from rag.chat.commands import COMMANDS, MADE_OF, NO_ARTICLES, limits, perform
from rag.chat.conversation import Conversation
from rag.chat.effects import Answering, Effect
from rag.library import OFFLINE
from rag.text.clean import clean


class Talk:
    """A conversation as whoever types sees it: a line is a command if it starts with a slash, else a question."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def load(self) -> None:
        """Loads what the first question needs."""
        self._conversation.library.load()

    def reply(self, line: str, *, width: int | None = None) -> Effect:
        """What the line leads to; raises what the command or the question does."""
        text = clean(line).strip()
        if text.startswith("/"):
            return perform(text, self._conversation, width=width)
        return Answering(self._conversation.stream(" ".join(text.split())))

    def status(self) -> str:
        """How many articles there are by now, who writes the answers, and the limits, on one line."""
        library = self._conversation.library
        count, writer = library.catalog.article_count, library.writer
        if not count:
            return NO_ARTICLES
        told = (f"{count:,} article{'' if count == 1 else 's'}", writer.caller.choice.id if writer else MADE_OF)
        return " · ".join(filter(None, (*told, limits(self._conversation))))

    def completions(self, line: str) -> Sequence[tuple[str, str]]:
        """What a line that begins like this can become, each with what that does."""
        name, space, argument = line.partition(" ")
        if not space:
            return [(c.name, c.help) for c in COMMANDS if line and c.name.startswith(name)]
        known = {"/source": self._conversation.library.catalog.sources(), "/model": [OFFLINE]}.get(name, [])
        return [(f"{name} {value}", "") for value in known if value.casefold().startswith(argument.casefold())]
