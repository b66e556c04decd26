"""Checks what a library is called with."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeAlias, TypedDict, TypeVar

from rag.errors import InputError
from rag.models.budget import Terms
from rag.schema import Article, Length, Turn, Window
from rag.text.calendar import window as window_of

P = ParamSpec("P")
T = TypeVar("T")

Day: TypeAlias = str | date
"""A day; as a text `2021-07-07`, or a month or year that begins or ends there: `2021-07`, `2021`."""


class Limits(TypedDict, total=False):
    """What limits reading, by name: `as_of`, `since` and `until` are days of publication, `sources` outlets."""

    as_of: Day | None
    since: Day | None
    until: Day | None
    sources: str | Sequence[str] | None


class Asking(Limits, total=False):
    """What a question can be asked with, by name."""

    k: int
    window: Window
    history: Sequence[Turn]


def narrowed(*windows: Window, by: Limits) -> Window:
    """What all the windows and the plain limits admit; raises InputError for limits that are none."""
    _only("limit", by, Limits.__annotations__)
    sources = by.get("sources") or ()
    if not isinstance(sources, str) and not _each(str)(sources):
        raise InputError(f"sources is {_shown(sources)}; wanted the name of an outlet, or several")
    named = (sources,) if isinstance(sources, str) else tuple(sources)
    found = window_of(by.get("as_of"), by.get("since"), by.get("until"), named)
    for window in windows:
        found = window.narrowed(found)
    return found


def validated(call: Callable[P, T]) -> Callable[P, T]:
    """The call with its arguments checked first; a wrong one is an InputError that says what was expected."""
    signature = inspect.signature(call)

    @wraps(call)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            _only(f"argument of `{call.__name__}`", kwargs, signature.parameters)
            raise InputError(f"`{call.__name__}` was called with wrong arguments: {error}") from None
        for name, value in given.items():
            expected = _EXPECTED.get(name)
            if expected and not expected.holds(value):
                raise InputError(f"{name} is {_shown(value)}; wanted {expected.wanted}")
        return call(*args, **kwargs)

    return checked


@dataclass(frozen=True, slots=True)
class _Expected:
    """What an argument of a name has to be, as a test and in words."""

    wanted: str
    holds: Callable[[Any], bool]


def _only(what: str, given: Iterable[str], known: Mapping[str, Any]) -> None:
    """Raises InputError for a name that is not known."""
    for name in given:
        if name not in known:
            names = [n for n in known if n not in {"self", "limits"}] + list(Limits.__annotations__)
            close = difflib.get_close_matches(name, names, 1)
            meant = f"did you mean {close[0]}?" if close else f"wanted {', '.join(dict.fromkeys(names))}"
            raise InputError(f"{name} is no {what}; {meant}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _each(*kinds: type) -> Callable[[Any], bool]:
    """Whether it is several of these, not one text."""
    return lambda value: (
        isinstance(value, Sequence | set | frozenset)
        and not isinstance(value, str)
        and all(isinstance(item, kinds) for item in value)
    )


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _model(value: object) -> bool:
    return value is None or isinstance(value, str) or hasattr(value, "invoke")


def _one_or_each(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds) or _each(*kinds)(value)


_NONE = type(None)
_COUNT = _Expected("a whole number above 0", _counts)
_EXPECTED = {
    "question": _Expected("a question as a text", _is(str)),
    "text": _Expected("a text", _is(str)),
    "topic": _Expected("a text, or None", _is(str, _NONE)),
    "counting": _Expected("a text, or None", _is(str, _NONE)),
    "k": _COUNT,
    "max_events": _COUNT,
    "words": _Expected("a whole number above 0, or None", lambda value: value is None or _counts(value)),
    "length": _Expected("short, medium or long", lambda value: value in list(Length)),
    "window": _Expected("a rag.Window; days and outlets alone are as_of, since, until and sources", _is(Window)),
    "sections": _Expected("a list of headings", _each(str)),
    "history": _Expected("the earlier turns as a list of rag.Turn", _each(Turn)),
    "articles": _Expected("paths, URLs, ids or Articles", _one_or_each(str, Path, Article)),
    "against": _Expected("a list of Articles or of their ids", _each(str, Article)),
    "origins": _Expected("paths, URLs or Articles", _each(str, Path, Article)),
    "ids": _Expected("ids of articles, as texts", _each(str)),
    "progress": _Expected("a function of (done, total, text), or None", lambda v: v is None or callable(v)),
    "wait": _Expected("seconds, 0 or more", lambda v: isinstance(v, int | float) and v >= 0),
    "allow_private": _Expected("True or False", _is(bool)),
    "offline": _Expected("True or False", _is(bool)),
    "terms": _Expected("a rag.Terms, or None", _is(Terms, _NONE)),
    "path": _Expected("the folder of a library, or None", _is(str, Path, _NONE)),
    "judge": _Expected("the name of a chat model, such as openai:gpt-5-mini, or None", _is(str, _NONE)),
    "model": _Expected("the name of a chat model, a LangChain chat model, or None", _model),
}
