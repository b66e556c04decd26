"""Finds each setting's value, with where it came from: flag, environment, file or default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from rag.errors import InputError

T = TypeVar("T")

_APP = "dispatches"
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value and where it came from, for `rag doctor`."""

    value: T
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the library is, and whether the network may be used."""

    library: Setting[Path]
    offline: Setting[bool]


def read_settings(
    *,
    library: Path | None = None,
    offline: bool = False,
    environment: Mapping[str, str] = os.environ,
    file: Path | None = None,
) -> Settings:
    """The settings: flag, else `RAG_HOME` or `RAG_OFFLINE`, else `config.toml` of the user, else the default.

    Raises InputError for a value, a key or a file that cannot be used.
    """
    file = file or config_file()
    config = _config(file)
    return Settings(_library(library, environment, config, file), _offline(offline, environment, config, file))


def default_library() -> Path:
    """The library's folder if nothing else was said: the platform's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir(_APP))


def config_file() -> Path:
    """The user's settings file; it need not exist."""
    import platformdirs

    return Path(platformdirs.user_config_dir(_APP)) / "config.toml"


def _library(flag: Path | None, environment: Mapping[str, str], config: dict[str, Any], file: Path) -> Setting[Path]:
    if flag:
        return Setting(flag, "--library")
    if environment.get("RAG_HOME"):
        return Setting(Path(environment["RAG_HOME"]).expanduser(), "RAG_HOME")
    if "library" in config:
        return Setting(_path(config["library"], file), str(file))
    return Setting(default_library(), "default")


def _offline(flag: bool, environment: Mapping[str, str], config: dict[str, Any], file: Path) -> Setting[bool]:
    if flag:
        return Setting(True, "--offline")
    if "RAG_OFFLINE" in environment:
        return Setting(_yes(environment["RAG_OFFLINE"]), "RAG_OFFLINE")
    if "offline" in config:
        return Setting(_true(config["offline"], file), str(file))
    return Setting(False, "default")


def _config(file: Path) -> dict[str, Any]:
    try:
        config = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"the settings file {file} cannot be read as TOML ({error}); mend or remove it") from None
    known = [f.name for f in fields(Settings)]
    unknown = [key for key in config if key not in known]
    if unknown:
        raise InputError(f"the settings file {file} has {unknown[0]!r}; it knows {', '.join(known)}: mend or remove it")
    return config


def _path(value: object, file: Path) -> Path:
    if isinstance(value, str) and value:
        return file.parent / Path(value).expanduser()
    raise InputError(f"the settings file {file} has library = {value!r}; wanted a folder's path in quotes")


def _true(value: object, file: Path) -> bool:
    if isinstance(value, bool):
        return value
    raise InputError(f"the settings file {file} has offline = {value!r}; wanted true or false")


def _yes(value: str) -> bool:
    if value.strip().lower() not in _YES + _NO:
        raise InputError(f"RAG_OFFLINE is {value!r}; wanted 1 or 0")
    return value.strip().lower() in _YES
