"""Has a language model say what to look for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag.errors import ShapeError
from rag.models.client import Account, Call, Caller
from rag.models.prompts import TEXT, data, fence, load_prompt, object_schema
from rag.schema import Turn
from rag.text.clean import one_line
from rag.text.words import content_words

MOST_PARTS = 4
_MOST_TURNS = 6
_LONGEST, _LONGEST_ANSWER = 300, 600
_QUESTION = object_schema(question=TEXT)
_QUESTIONS = object_schema(questions={"type": "array", "items": TEXT})


def standalone(question: str, history: Sequence[Turn], caller: Caller, account: Account) -> str:
    """The question with what it leaves out of the conversation.

    Raises ModelError; a ShapeError too if it has words from elsewhere, which may be an answer or somebody's order.
    """
    turns = [
        data(one_line(text, _LONGEST_ANSWER))
        for turn in history[-_MOST_TURNS:]
        for text in (turn.question, turn.answer)
    ]
    lines = [f"{'Answer' if place % 2 else 'Question'}: {text}" for place, text in enumerate(turns)]
    inputs = {"fence": fence(*lines), "history": "\n".join(lines), "question": data(question)}
    call = Call(load_prompt("standalone", "fence", "history", "question"), inputs, _QUESTION)
    said = set(content_words(" ".join((question, *turns))))
    return caller.json(call, account, lambda reply: _rewritten(reply, said))


def parts(question: str, caller: Caller, account: Account) -> tuple[str, ...]:
    """The questions that must be looked up to answer a question; none if it asks for one thing. Raises ModelError."""
    return caller.json(Call(load_prompt("plan", "question"), {"question": data(question)}, _QUESTIONS), account, _parts)


def _rewritten(reply: dict[str, Any], said: set[str]) -> str:
    text = reply.get("question")
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise ShapeError(f"the rewritten question is {one_line(repr(text), 80)}; wanted one of {_LONGEST} characters")
    new = set(content_words(text)) - said
    if new:
        raise ShapeError(f"the rewritten question has {', '.join(sorted(new)[:3])}, which nobody said")
    return data(text)


def _parts(reply: dict[str, Any]) -> tuple[str, ...]:
    found = reply.get("questions")
    if not isinstance(found, list) or not all(isinstance(part, str) for part in found):
        raise ShapeError(f"the parts are {one_line(repr(found), 80)}; wanted a list of questions")
    return tuple(one_line(part, _LONGEST) for part in found if content_words(part))[:MOST_PARTS]
