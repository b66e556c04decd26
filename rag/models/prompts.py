"""Loads the prompts of prompts/*.toml as LangChain templates."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from rag.errors import InputError

if TYPE_CHECKING:
    from langchain_core.prompts import ChatPromptTemplate

_KEYS = {"version": int, "inputs": list, "system": str, "user": str}


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of a task, with the version that goes into traces and caches."""

    name: str
    version: int
    inputs: tuple[str, ...]
    template: ChatPromptTemplate


def load_prompt(name: str, *inputs: str, folder: Traversable | None = None) -> Prompt:
    """The prompt called `name`, which takes exactly `inputs`.

    Raises InputError if there is none, or if the file's keys, its own inputs or the names in its text do not agree.
    """
    file = (folder or prompts_folder()) / f"{name}.toml"
    data = _read(name, file)
    template = _template(name, data["system"], data["user"])
    declared = set(data["inputs"])
    _agree(f"prompt {name}: `inputs`", declared, "its text", set(template.input_variables))
    _agree(f"prompt {name}: `inputs`", declared, "its caller", set(inputs))
    return Prompt(name, data["version"], tuple(data["inputs"]), template)


def fence(*texts: str) -> str:
    """A line that stands in none of the texts: to hold it, a text would have to know its own digest."""
    return f"=== {hashlib.sha256(chr(0).join(texts).encode('utf-8', 'replace')).hexdigest()[:32]} ==="


def prompts_folder() -> Traversable:
    """Where the prompts are: `rag/_prompts` of an installed wheel, else `prompts/` of the checkout."""
    package = files("rag")
    shipped = package / "_prompts"
    return shipped if shipped.is_dir() else package.joinpath("..", "prompts")


def _read(name: str, file: Traversable) -> dict[str, Any]:
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
