"""Reads the window that ISO dates and the names of outlets mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from rag.errors import InputError
from rag.schema import Published, Window
from rag.text.calendar import parse_published

_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?", re.ASCII)


def window(
    as_of: str | None = None, since: str | None = None, until: str | None = None, sources: Sequence[str] = ()
) -> Window:
    """The window of ISO dates: `since` a month or year is its first day; `as_of` and `until`, its last.

    Raises InputError for what is no date, or a window that ends before it starts.
    """
    first = _date("since", since)
    return ordered(Window(_last("as_of", as_of), first.day if first else None, _last("until", until), tuple(sources)))


def ordered(window: Window) -> Window:
    """The same window; raises InputError if it ends before it starts."""
    if window.since and window.last and window.since > window.last:
        raise InputError(f"since {window.since} is after the last day, {window.last}; wanted the earlier day in since")
    return window


def _last(name: str, text: str | None) -> date | None:
    found = _date(name, text)
    return found.last_day if found else None


def _date(name: str, text: Any) -> Published | None:
    if text is None:
        return None
    found = parse_published(text) if isinstance(text, str) and _DATE.fullmatch(text) else None
    if not found:
        raise InputError(f"{name} is {text!r}; wanted a date such as 2021-07-07, 2021-07 or 2021")
    return found
