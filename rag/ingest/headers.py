"""Separates the header of a text file from the text that may be cited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rag.errors import LoadError
from rag.ingest.metadata import is_field
from rag.text.calendar import parse_published
from rag.text.clean import one_line

_FRONT_MATTER = re.compile(r"\s{0,8}---[ \t]*\n(?P<yaml>.{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_PAIR = re.compile(r"[ \t]*(?P<key>[A-Za-z]{2,12})[ \t]*:[ \t]*(?P<value>\S[^\n]{0,500})(?:\n|\Z)")
_DATE_LINE = re.compile(
    r"\s{0,8}date[ \t:]+(?P<date>[^\n]{4,50}?)(?:[ \t]+[A-Za-z][A-Za-z ]{0,30}:|:)?[ \t]*(?:\n|\Z)", re.I
)
_SINGLE = ("title", "published", "source", "author", "url", "id")


@dataclass(frozen=True, slots=True)
class Headed:
    """A text without its header, and the fields of the header by the names that the file uses."""

    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def headed(text: str) -> Headed:
    """Reads YAML front matter, a line such as ` date 2021-07-07 Strong points:`, or `Key: value` lines of known keys.

    A header that cannot be read is left in the text; front matter that is not YAML raises LoadError.
    """
    return _front_matter(text) or _date_line(text) or _pairs(text) or Headed(text)


def _front_matter(text: str) -> Headed | None:
    import yaml

    found = _FRONT_MATTER.match(text)
    if not found:
        return None
    try:
        fields = yaml.load(found["yaml"], Loader=yaml.BaseLoader)  # builds text only: no types, no objects
    except (yaml.YAMLError, RecursionError) as error:
        seen = one_line(str(error), 120)
        raise LoadError(f"has front matter that is not YAML ({seen}); put its values in quotes") from None
    return Headed(_after(text, found), fields) if isinstance(fields, dict) else None


def _date_line(text: str) -> Headed | None:
    found = _DATE_LINE.match(text)
    readable = found and parse_published(found["date"])
    return Headed(_after(text, found), {"date": found["date"]}) if found and readable else None


def _pairs(text: str) -> Headed | None:
    fields: dict[str, str] = {}
    rest = text.lstrip()
    while (found := _PAIR.match(rest)) and _is_header(found["key"], found["value"]):
        fields[found["key"]] = found["value"].strip()
        rest = rest[found.end() :]
    return Headed(rest.lstrip("\n"), fields) if fields else None


def _is_header(key: str, value: str) -> bool:
    if is_field(key, "published"):
        return parse_published(value) is not None
    return any(is_field(key, name) for name in _SINGLE)


def _after(text: str, found: re.Match[str]) -> str:
    return text[found.end() :].lstrip("\n")
