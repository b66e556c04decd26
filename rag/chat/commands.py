"""Replies to the lines of a chat: questions, and commands that start with a slash."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rag.chat.conversation import Conversation
from rag.chat.effects import Answering, Cleared, Effect, Left, Paged, Shown
from rag.chat.sessions import Sessions
from rag.chat.transcript import export, save
from rag.errors import InputError
from rag.parts import OFFLINE
from rag.progress import Progress
from rag.render.digest_lines import summary_lines, timeline_lines
from rag.render.lines import (
    Line,
    answer_lines,
    article_lines,
    context_lines,
    origin,
    sources_lines,
    whole_article_lines,
    why_lines,
    wrapped,
)
from rag.retrieval.retriever import is_on
from rag.schema import Answer, Citation, Statement, Usage, Window
from rag.text.calendar import window
from rag.text.clean import clean, one_line

_NUMBER = re.compile(r"\[?(\d{1,6})\]?")
_LISTED = re.compile(r"a(\d{1,7})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command with what it is about; `width` is that of the terminal, None in a pipe."""

    conversation: Conversation
    argument: str
    width: int | None
    sessions: Sessions | None = None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, its argument, what it does in words, and the function that does it."""

    name: str
    argument: str
    help: str
    do: Callable[[Invocation], Effect]


class Talk:
    """A conversation as whoever types sees it: a line is a command if it starts with a slash, else a question."""

    def __init__(self, conversation: Conversation, sessions: Sessions | None = None) -> None:
        """Keeps what is asked and answered in `sessions`, if there are any."""
        self._conversation = conversation
        self._sessions = sessions
        self._resumed = 0

    def load(self) -> None:
        """Loads what the first question needs."""
        self._conversation.library.load()

    def resume(self, sessions: Sessions) -> None:
        """Goes on where the last conversation with the library ended; raises InputError if there is none."""
        found = sessions.of(self._conversation.library.name)
        if not found:
            raise InputError("there is no earlier chat with this library to resume; start one with `rag chat`")
        sessions.resume(self._conversation, found[0])
        self._resumed = len(self._conversation.exchanges)

    def reply(self, line: str, *, width: int | None = None, progress: Progress | None = None) -> Effect:
        """What the line leads to; raises what the command or the question does."""
        text = clean(line).strip()
        if text.startswith("/"):
            effect = _perform(text, Invocation(self._conversation, "", width, self._sessions, progress))
            return Answering(self._kept(effect.events)) if isinstance(effect, Answering) else effect
        return Answering(self._kept(self._conversation.stream(" ".join(text.split()), progress=progress)))

    def _kept(self, events: Iterator[Statement | Answer]) -> Iterator[Statement | Answer]:
        for event in events:
            if isinstance(event, Answer) and self._sessions:
                self._sessions.keep(self._conversation)
            yield event

    def status(self) -> str:
        """How many articles there are by now, who writes the answers, and the limits, on one line."""
        library = self._conversation.library
        count, writer = library.catalog.article_count, library.writer
        if not count:
            return NO_ARTICLES
        told = (f"{count:,} article{'' if count == 1 else 's'}", writer.caller.choice.id if writer else MADE_OF)
        resumed = f"goes on after {self._resumed} question{'' if self._resumed == 1 else 's'}" if self._resumed else ""
        return " · ".join(filter(None, (*told, _limits(self._conversation), resumed)))

    def completions(self, line: str) -> Sequence[tuple[str, str]]:
        """What a line that begins like this can become, each with what that does."""
        name, space, argument = line.partition(" ")
        if not space:
            return [(c.name, c.help) for c in COMMANDS if line and c.name.startswith(name)]
        known = {"/source": self._conversation.library.catalog.sources(), "/model": [OFFLINE]}.get(name, [])
        return [(f"{name} {value}", "") for value in known if value.casefold().startswith(argument.casefold())]


def _perform(line: str, call: Invocation) -> Effect:
    """What a line such as `/why` does; raises InputError for a command that there is not, or that cannot be done."""
    name, _, argument = line.strip().partition(" ")
    command = next((c for c in COMMANDS if c.name == name.casefold()), None)
    if not command:
        close = difflib.get_close_matches(name, [c.name for c in COMMANDS], 1)
        raise InputError(
            f"there is no command {one_line(name, 40)}; "
            + (f"did you mean {close[0]}?" if close else "/help lists them")
        )
    return command.do(replace(call, argument=argument.strip()))


def _limits(conversation: Conversation) -> str:
    """The limits that are set, in a few words; empty if there are none."""
    at = conversation.window
    days = (("as of", at.as_of), ("since", at.since), ("until", at.until), ("about", conversation.topic))
    told = [f"{name} {value}" for name, value in days if value]
    return ", ".join(told + ([f"only {' or '.join(at.sources)}"] if at.sources else []))


def _sources(call: Invocation) -> Effect:
    if not call.argument:
        lines = tuple(sources_lines(call.conversation.last, width=call.width))
        return Shown(lines or (Line("The last answer has no sources."),))
    cited = _cited(call)
    (stored,) = call.conversation.library.catalog.passages([cited.passage_id]) or (None,)
    if stored is None:
        raise InputError("its passage is no longer in the library: the article was changed or removed meanwhile")
    return Shown(tuple(context_lines(cited, stored.passage, width=call.width)))


def _open(call: Invocation) -> Effect:
    """The article of a source at its quote, or one of those that /articles lists."""
    if listed := _LISTED.fullmatch(call.argument):
        found, number = call.conversation.library.articles(), int(listed[1])
        if not 0 < number <= len(found):
            raise InputError(f"there is no article a{number}; /articles lists a1 to a{len(found)}")
        return Paged(tuple(whole_article_lines(found[number - 1], width=call.width)))
    return Paged(tuple(article_lines(_cited(call), width=call.width)))


def _cited(call: Invocation) -> Citation:
    number = _NUMBER.fullmatch(call.argument)
    if not number:
        raise InputError(
            f"the source is {call.argument[:40]!r}; wanted its number, as in /sources 1 or /open 1; a1 is an article"
        )
    return call.conversation.citation(int(number[1]))


def _day(limit: str, call: Invocation) -> Effect:
    given: dict[str, Any] = {limit: call.argument or None}
    return _limited(call, replace(call.conversation.window, **{limit: getattr(window(**given), limit)}))


def _source(call: Invocation) -> Effect:
    """One more outlet; none lifts the limit."""
    at, there = call.conversation.window, call.conversation.library.catalog.sources()
    if not call.argument:
        return _limited(call, replace(at, sources=()))
    found = next((name for name in there if name.casefold() == call.argument.casefold()), None)
    if found is None:
        listed = f"there is {', '.join(there[:8])}" if there else "no article names one"
        raise InputError(f"no article is from {call.argument[:60]!r}; {listed}")
    return _limited(call, replace(at, sources=tuple(dict.fromkeys((*at.sources, found)))))


def _limited(call: Invocation, changed: Window) -> Effect:
    if changed.since and changed.last and changed.since > changed.last:
        raise InputError(f"since {changed.since} is after the last day, {changed.last}; change one of them first")
    call.conversation.window = changed
    return _limits_line(call)


def _topic(call: Invocation) -> Effect:
    held, topic = call.conversation, one_line(call.argument)
    held.topic = topic or None
    found = held.library.search(topic, k=50, window=held.window).hits if topic else ()
    if topic and not any(is_on(hit.article, topic) for hit in found):
        return _say(call, f"Limits: {_limits(held)}. No article was found that has all these words; /topic lifts it.")
    return _limits_line(call)


def _limits_line(call: Invocation) -> Effect:
    return _say(call, f"Limits: {_limits(call.conversation) or 'none'}.")


def _summary(call: Invocation) -> Effect:
    """Of the topic that is named, else the one that is set, else of everything."""
    held = call.conversation
    found = held.library.summarize(topic=call.argument or held.topic, window=held.window)
    return Shown(tuple(summary_lines(found, width=call.width)))


def _timeline(call: Invocation) -> Effect:
    held = call.conversation
    found = held.library.timeline(topic=call.argument or held.topic, window=held.window)
    return Shown(tuple(timeline_lines(found, width=call.width)))


def _model(call: Invocation) -> Effect:
    if call.argument:
        call.conversation.use(call.argument)
    writer = call.conversation.library.writer
    return _say(call, f"Answers are {f'written by {writer.caller.choice.id}' if writer else MADE_OF}.")


def _usage(call: Invocation) -> Effect:
    last = call.conversation.exchanges[-1].answer.usage if call.conversation.exchanges else Usage()
    return _say(call, f"Last answer: {_used(last)}. This chat: {_used(call.conversation.usage)}.")


def _used(usage: Usage) -> str:
    about = "about " if usage.estimated else ""
    return f"{about}{usage.input_tokens:,} tokens in, {usage.output_tokens:,} out, {usage.price}"


def _undo(call: Invocation) -> Effect:
    gone = call.conversation.undo()
    if call.sessions:
        call.sessions.keep(call.conversation)
    return _say(call, f"Forgot: {gone.question}")


def _save(call: Invocation) -> Effect:
    return _say(call, f"Saved {save(call.conversation.exchanges, call.argument)}.")


def _export(call: Invocation) -> Effect:
    return _say(call, f"Saved {export(call.conversation.exchanges, call.argument)}.")


def _articles(call: Invocation) -> Effect:
    found = call.conversation.library.articles()
    told = (f"a{number} {origin(article)}" for number, article in enumerate(found, start=1))
    lines = [line for text in told for line in wrapped(text, call.width)]
    return Paged(tuple(lines or [Line(NO_ARTICLES)]))


def _sessions(call: Invocation) -> Effect:
    """Those with the words, or all; with a number, resumes that one."""
    if not call.sessions:
        raise InputError("sessions are kept in a terminal, not in a pipe; run `rag chat` there")
    found = call.sessions.of(call.conversation.library.name)
    if number := _NUMBER.fullmatch(call.argument):
        if not 0 < int(number[1]) <= len(found):
            raise InputError(f"there is no session {number[1]}; there are {len(found)}")
        call.sessions.resume(call.conversation, found[int(number[1]) - 1])
        return Shown(tuple(_resumed(call.conversation, call.width)))
    told = [f"{n}. {s.title}" for n, s in enumerate(found, start=1) if s.has(call.argument)]
    return Shown(tuple(line for text in told or ["No sessions."] for line in wrapped(text, call.width)))


def _resumed(conversation: Conversation, width: int | None) -> Iterator[Line]:
    for exchange in conversation.exchanges:
        yield from wrapped(f"> {exchange.question}", width, Line("", strong=True))
        yield from (*answer_lines(exchange.answer, width=width), Line(""))
    if limits := _limits(conversation):
        yield from wrapped(f"Limits: {limits}.", width)


def _clear(call: Invocation) -> Effect:
    call.conversation.clear()
    if call.sessions:
        call.sessions.begin()
    return Cleared()


def _say(call: Invocation, text: str) -> Effect:
    return Shown(tuple(wrapped(text, call.width)))


def _help_lines(width: int | None) -> Iterator[Line]:
    for command in COMMANDS:
        first, *others = wrapped(command.help, width, Line(" " * 20))
        yield replace(first, text=f"{f'{command.name} {command.argument}'.strip():<20}{first.text[20:]}")
        yield from others
    yield Line("")
    yield from wrapped(
        "Anything else is a question. Alt-Enter starts a new line, Ctrl-C stops an answer, Ctrl-D leaves.", width
    )


MADE_OF = "made of the articles' own sentences"
NO_ARTICLES = "no articles yet: rag add PATH"

COMMANDS = (
    Command("/sources", "[N]", "the sources of the last answer; with a number, that one in its passage", _sources),
    Command("/open", "N|aN", "the whole article of a source, at the quote; a3 is the third of /articles", _open),
    Command(
        "/why",
        "",
        "what was looked for, found and checked",
        lambda c: Shown(tuple(why_lines(c.conversation.last, width=c.width))),
    ),
    Command("/as-of", "[DATE]", "read nothing published later; without a date, lift the limit", partial(_day, "as_of")),
    Command("/since", "[DATE]", "first day of publication: 2021-07-07, 2021-07 or 2021", partial(_day, "since")),
    Command("/until", "[DATE]", "last day of publication", partial(_day, "until")),
    Command("/source", "[NAME]", "only this outlet, or this one too; without a name, all", _source),
    Command(
        "/topic", "[TOPIC]", "what questions, /summary and /timeline are about; without one, lift the limit", _topic
    ),
    Command("/summary", "[TOPIC]", "a summary of the topic; without one, a briefing on all articles", _summary),
    Command("/timeline", "[TOPIC]", "the dated events of the topic, or of all articles", _timeline),
    Command("/model", "[NAME]", "the model that writes the answers; `offline` for none", _model),
    Command("/usage", "", "the tokens and what they cost", _usage),
    Command(
        "/retry", "", "ask the last question again", lambda c: Answering(c.conversation.retry(progress=c.progress))
    ),
    Command("/undo", "", "forget the last question and its answer", _undo),
    Command("/save", "FILE", "the conversation with its sources: Markdown, or a picture if FILE ends with .svg", _save),
    Command("/export", "FILE", "notes to paste into a document: Markdown with footnotes", _export),
    Command(
        "/sessions", "[N|WORDS]", "earlier chats, or those with these words; with a number, resume that one", _sessions
    ),
    Command("/articles", "", "the articles that there are, numbered for /open", _articles),
    Command("/clear", "", "start anew", _clear),
    Command("/help", "", "this list", lambda call: Shown(tuple(_help_lines(call.width)))),
    Command("/quit", "", "leave", lambda _: Left()),
)
"""All commands, in the order of the help."""
