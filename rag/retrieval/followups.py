"""Finds what a question leaves to the conversation before it, by rules or by a language model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.errors import ShapeError
from rag.models.client import Account, Call, Caller
from rag.models.injection import is_ordered
from rag.models.prompts import TEXT, data, fence, load_prompt, object_schema
from rag.schema import Answer, Citation, Hit, Reason, Span, Statement, Status, Turn
from rag.text.clean import one_line
from rag.text.names import names
from rag.text.sentences import sentences
from rag.text.speakers import speaker
from rag.text.words import content_words

_FEW_WORDS = 2
_MOST_TURNS = 3
_BACK = 3
_NOT = Reason.NOT_IN_ARTICLES
_MOST_PARTS = 4
_MOST_SHOWN = 6
_LONGEST, _LONGEST_ANSWER = 300, 600
_QUESTION = object_schema(question=TEXT)
_QUESTIONS = object_schema(questions={"type": "array", "items": TEXT})
_BEGINS = re.compile(r"^\W*(?:(?:and|but|so|or|then)\b|(?:what|how) about\b)")
_ELLIPSIS = re.compile(
    r"^\W*(?:(?:what|how) about\b|"
    r"(?:and|but|or)\b(?! (?:who|what|when|where|which|why|how(?! (?:many|much))|did|do|does|was|were|is|are|has)\b))"
)
_POINTS = re.compile(
    r"(?:^|\b(?:was|is|were|are|did|do|does|about|after|before|of|at|by|to|in|on|from|for|with) )"
    r"(?:this|that|these|those)\b(?! the\b)|\b(?:this|that|these|those|there|then|ones?)\W*$|"
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\bthere\b|\bwhich ones?\b"
)
_PRONOUN = re.compile(r"\b(?:(?P<one>he|him|his|she|hers?|it|its)|they|them|theirs?)\b")
_ONE_BEFORE = re.compile(
    r"\b(?:the|an?|(?:which|what)(?! (?:two|three|four|five|several|many|did|does|do)\b)) \w*[^\Ws]\b"
)
_MANY_BEFORE = re.compile(r"\b(?:the|which|what|how many|all|some|any)\b.* ?\b(?:\w+s|people|troops|police|men)\b")
_OBJECT = re.compile(r"\b(?:did|does|do|has|have|had|will)(?: [^\s,]+){2,6} (?:it|him|her|them)\W*$")
"""A pronoun behind its verb, which is not its subject: what did Ghani say about it."""
_LINKING = re.compile(r"\b(?:and|or|but|that|when|while|before|after|because|if|who|which|what|where|to|with)\b")
_NUMBER = re.compile(r"\bhow (?:many|much)\b")
_ELSE = re.compile(r"^\W*(?:who|what|where|which)\b.*?\belse\b")
_WHO_SAYS = re.compile(
    r"^\W*(?:and |but |so )?(?:who (?:said|says|claimed|claims|reported|reports|told|is saying)|"
    r"according to who|says who|who (?:is|was) (?:that|this|it) (?:according to|from)|"
    r"whose (?:words|claim) (?:is|was|are|were))\b.{0,12}$"
)


def leans_on_history(question: str) -> bool:
    """Whether a question cannot be understood alone: it goes on, points back, or names too little."""
    text = question.casefold()
    if _is_object(text) or (_ELSE.search(text) and not names(question)):
        return True
    if _BEGINS.search(text) or _POINTS.search(text) or any(_open(question, found) for found in _PRONOUN.finditer(text)):
        return True
    return len(content_words(question)) < _FEW_WORDS and not names(question)


def goes_on(question: str) -> bool:
    """Whether it asks the last question again of something else, such as "What about Russia?"."""
    return bool(_ELLIPSIS.search(question.casefold()))


def context(question: str, history: Sequence[Turn]) -> str:
    """What a question that leans on the conversation leaves out; empty for one that does not.

    That is the last question, with those that it leaned on itself, and the names in its answer, unless it asks the same
    of something else.
    """
    if not history or not leans_on_history(question):
        return ""
    asked = list(_asked(question, history))
    answer = history[-1].answer
    first = next((answer[span.start : span.end] for span in sentences(answer)), "")
    said = [] if goes_on(question) else [name.text for name in names(first)]
    return " ".join((*asked, *(name for name in dict.fromkeys(said) if name not in asked[0])))


def asks_who_said(question: str) -> bool:
    """Whether it asks who says what was answered last, and nothing else."""
    return bool(_WHO_SAYS.search(question.casefold()))


def who_said(question: str, cited: Sequence[Citation], hits: Sequence[Hit]) -> Answer:
    """What was cited, with the words that tell who says it; an abstention if an article tells it of its own."""
    found = [citation for citation in map(_attribution, cited) if citation]
    if not found:
        told = "the article names nobody who says so; it is the article's own"
        return Answer(
            question,
            question,
            status=Status.ABSTAINED,
            reason=_NOT,
            hits=tuple(hits),
            nearest=tuple(cited),
            warnings=(told,),
        )
    apart = [c for c in dict.fromkeys(found) if not any(other.contains(c) for other in found if other != c)]
    numbered = tuple(replace(c, number=n) for n, c in enumerate(apart, start=1))
    statements = tuple(Statement(" ".join(c.quote.split()), (c,)) for c in numbered)
    return Answer(question, question, statements, tuple(hits), citations=numbered)


def _attribution(cited: Citation) -> Citation | None:
    """The citation with the sentence that tells who says it: its own, or one shortly before in its paragraph."""
    text, first = cited.article.text, cited.article.text.rfind("\n\n", 0, cited.start) + 1
    spans = [Span(first + s.start, first + s.end) for s in sentences(text[first : cited.end])]
    for span in reversed(spans[-_BACK - 1 :]):
        if speaker(text[span.start : span.end]):
            start = min(span.start, cited.start)
            if is_ordered(cited.article, Span(start, cited.end)):
                return None
            return Citation(1, cited.article, cited.passage_id, start, cited.end, text[start : cited.end])
    return None


def _asked(question: str, history: Sequence[Turn]) -> Iterator[str]:
    """The last question, then what it leaned on, up to one that stands alone; of "And X?", "And Y?" only the last."""
    again = goes_on(question)
    for turn in reversed(history[-_MOST_TURNS:]):
        if again and goes_on(turn.question) and not _NUMBER.search(turn.question.casefold()):
            continue
        again = False
        yield turn.question
        if not leans_on_history(turn.question):
            return


def _is_object(question: str) -> bool:
    """Whether its last word is a pronoun, the object of its only verb."""
    found = _OBJECT.search(question)
    return bool(found and not _LINKING.search(found[0]))


def _open(question: str, pronoun: re.Match[str]) -> bool:
    """Whether nothing before the pronoun in its question can be what it stands for."""
    before = question[: pronoun.start()]
    if names(before):
        return False
    return not (_ONE_BEFORE if pronoun["one"] else _MANY_BEFORE).search(before.casefold())


def standalone(question: str, history: Sequence[Turn], caller: Caller, account: Account) -> str:
    """The question with what it leaves out of the conversation.

    Raises ModelError; a ShapeError too if it has words from elsewhere, which may be an answer or somebody's order.
    """
    turns = [
        data(one_line(text, _LONGEST_ANSWER))
        for turn in history[-_MOST_SHOWN:]
        for text in (turn.question, turn.answer)
    ]
    lines = [f"{'Answer' if place % 2 else 'Question'}: {text}" for place, text in enumerate(turns)]
    inputs = {"fence": fence(*lines), "history": "\n".join(lines), "question": data(question)}
    call = Call(load_prompt("standalone", "fence", "history", "question"), inputs, _QUESTION)
    said = set(content_words(" ".join((question, *turns))))
    return caller.json(call, account, lambda reply: _rewritten(reply, said))


def parts_of(question: str, caller: Caller, account: Account) -> tuple[str, ...]:
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
    return tuple(one_line(part, _LONGEST) for part in found if content_words(part))[:_MOST_PARTS]
