"""Prompts of prompts/*.toml, and the articles that are packed into them."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.models.injection import labelled, without_orders
from rag.schema import Hit, Span
from rag.text.clean import clean, one_line
from rag.text.speakers import label

if TYPE_CHECKING:
    from langchain_core.prompts import ChatPromptTemplate


_KEYS = {"version": int, "inputs": list, "system": str, "user": str}


TEXT, INTEGER = {"type": "string"}, {"type": "integer"}


def object_schema(**properties: Any) -> dict[str, Any]:
    """The JSON schema of an object that has exactly these properties."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def array_schema(**properties: Any) -> dict[str, Any]:
    """The JSON schema of a list of such objects."""
    return {"type": "array", "items": object_schema(**properties)}


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of a task, with the version that goes into traces and caches."""

    name: str
    version: int
    inputs: tuple[str, ...]
    template: ChatPromptTemplate


def load_prompt(name: str, *inputs: str, folder: Path | None = None) -> Prompt:
    """The prompt called `name`, which takes exactly `inputs`.

    Raises InputError if there is none, or if the file's keys, its own inputs or the names in its text do not agree.
    """
    file = (folder or prompts_folder()) / f"{name}.toml"
    data = _prompt_fields(name, file)
    template = _template(name, data["system"], data["user"])
    declared = set(data["inputs"])
    _agree(f"prompt {name}: `inputs`", declared, "its text", set(template.input_variables))
    _agree(f"prompt {name}: `inputs`", declared, "its caller", set(inputs))
    return Prompt(name, data["version"], tuple(data["inputs"]), template)


def fence(*texts: str) -> str:
    """A line that is in none of the texts: to contain it, a text would have to know its own digest."""
    return f"=== {hashlib.sha256(chr(0).join(texts).encode('utf-8', 'replace')).hexdigest()[:32]} ==="


def prompts_folder() -> Path:
    """Where the prompts are: `rag/_prompts` of an installed wheel, else `prompts/` of the checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "_prompts"
    return shipped if shipped.is_dir() else package.with_name("prompts")


def _prompt_fields(name: str, file: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no prompt {name!r}; wanted a file {name}.toml in prompts/") from None
    except ValueError as error:
        raise InputError(f"prompt {name} is not TOML ({error}); mend {file}") from None
    _agree(f"prompt {name}: the file", set(data), "the format", set(_KEYS))
    for key, kind in _KEYS.items():
        if type(data[key]) is not kind:
            raise InputError(f"prompt {name}: {key} is {data[key]!r}; wanted {kind.__name__}")
    if not all(isinstance(item, str) for item in data["inputs"]):
        raise InputError(f"prompt {name}: inputs is {data['inputs']!r}; wanted a list of names")
    return data


def _template(name: str, system: str, user: str) -> ChatPromptTemplate:
    from langchain_core.prompts import ChatPromptTemplate

    try:
        return ChatPromptTemplate.from_messages([("system", system.strip()), ("human", user.strip())])
    except ValueError as error:
        raise InputError(f"prompt {name}: its braces do not pair ({error}); write {{{{ for one that is meant") from None


def _agree(what: str, seen: set[str], whose: str, wanted: set[str]) -> None:
    wrong = [f"lacks {key!r}" for key in sorted(wanted - seen)] + [
        f"has {key!r} too many" for key in sorted(seen - wanted)
    ]
    if wrong:
        raise InputError(f"{what} {', '.join(wrong)}; {whose} wants {', '.join(sorted(wanted)) or 'none'}")


# The tokens that separate turns for many models look like <|im_start|>, </s> or [INST]; servers take them for real even
# in a text. A space makes them words, and quotes are found whatever the spaces.
_TURNS = re.compile(r"<(?=\S)|\[(?=/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL))", re.I)


@dataclass(frozen=True, slots=True)
class Packed:
    """Passages as a model is shown them: number n is `hits[n - 1]`; `fence` is a line that none of them holds."""

    hits: tuple[Hit, ...]
    text: str
    fence: str


def pack(hits: Sequence[Hit], *, budget: int, count: Callable[[str], int]) -> Packed:
    """As many whole passages as fit into the budget of tokens, best first; one in any case.

    Each has its number, title, source, date and speaker on a line, and its text on the next: a passage of more lines
    could contain what looks like the heading of another one. In the place of sentences that are addressed to a program
    is `[...]`.
    """
    blocks: list[str] = []
    used = 0
    for number, hit in enumerate(hits, start=1):
        block = _block(number, hit)
        used += count(block)
        if blocks and used > budget:
            break
        blocks.append(block)
    return Packed(tuple(hits[: len(blocks)]), "\n\n".join(blocks), fence(*blocks))


def data(text: str) -> str:
    """A text from outside on one line, without unseen characters or what servers take for the end of a turn."""
    return _TURNS.sub(lambda found: f"{found[0]} ", " ".join(clean(text).split()))


def _block(number: int, hit: Hit) -> str:
    article, passage = hit.article, hit.passage
    text = without_orders(article, Span(passage.start, passage.end))
    shown, speaker = labelled(article), label(article.text, passage.start)
    parts = (
        shown.title,
        shown.source,
        str(shown.published) if shown.published else None,
        f"speaker: {speaker}" if speaker else None,
    )
    heading = " | ".join(data(one_line(part, 200)) for part in parts if part)
    return f"[{number}] {heading}\n{data(text)}"
