"""Finds each setting's value, with where it came from: flag, environment, file or default."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from rag.errors import InputError
from rag.models.chat import MINILM, ModelChoice, Secret, resolve, resolve_embeddings
from rag.store.database import ChromaServer, catalog_address, chroma_server

T = TypeVar("T")

_APP = "dispatches"
_KEYS = {"api_key": "OPENAI_API_KEY", "chroma_key": "CHROMA_API_KEY"}
_MOST_THREADS = 1024
_LONGEST_TIMEOUT = 86_400  # seconds
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value and where it came from, for `rag doctor`."""

    value: T
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the library is kept, whether the network may be used, and which models do the work.

    `threads` is how many cores the local embedding model may use, `timeout` how many seconds a language model may be
    silent.
    """

    library: Setting[Path]
    offline: Setting[bool]
    model: Setting[str | None]
    base_url: Setting[str | None]
    api_key: Setting[Secret | None]
    embeddings: Setting[str]
    threads: Setting[int]
    reader: Setting[Path | None]
    verifier: Setting[Path | None]
    judge: Setting[str | None]
    timeout: Setting[float | None]
    catalog: Setting[str | None]
    chroma: Setting[str | None]
    chroma_key: Setting[Secret | None]

    @property
    def history(self) -> Path:
        """Where the lines of chats are kept: the platform's folder for what a program leaves behind."""
        import platformdirs

        return Path(platformdirs.user_state_dir(_APP)) / "history"

    @property
    def database(self) -> str | None:
        """The address of the PostgreSQL database that is the catalog, which may hold a password; None for the folder's.

        Raises InputError if it is none.
        """
        address = self.catalog.value
        return catalog_address(address, origin=self.catalog.origin) if address else None

    @property
    def index(self) -> ChromaServer | None:
        """The server of the vectors; None if they are in the folder. Raises InputError if it is none."""
        address = self.chroma.value
        return chroma_server(address, origin=self.chroma.origin, key=self.chroma_key.value) if address else None

    def chat(self) -> ModelChoice | None:
        """The chat model that answers; None if the answers are the articles' own sentences.

        Raises InputError if a model is asked for and the network refused, and what `resolve` raises.
        """
        if self.offline.value and self.model.origin == "--model":
            raise InputError(
                f"--model {self.model.value} asks for a language model, which {self.offline.origin} refuses; "
                "leave out one of them"
            )
        return resolve(
            model=self.model.value,
            base_url=self.base_url.value,
            key=self.api_key.value,
            offline=self.offline.value,
        )

    @property
    def embeds_by_network(self) -> bool:
        """Whether the embedding model is another than the local one."""
        return self.embeddings.value.casefold() != MINILM

    def embedding(self) -> ModelChoice | None:
        """The embedding model; None if it is the local one. Raises what `resolve_embeddings` raises."""
        return resolve_embeddings(self.embeddings.value, base_url=self.base_url.value, key=self.api_key.value)


def read_settings(
    *,
    library: Path | None = None,
    offline: bool = False,
    model: str | None = None,
    environment: Mapping[str, str] = os.environ,
    file: Path | None = None,
) -> Settings:
    """The settings: flag, else the variable of the environment, else `config.toml` of the user, else the default.

    A folder that is named by the flag is a library of its own, whatever servers the environment names. Raises
    InputError for a value, a key or a file that cannot be used.
    """
    file = file or config_file()
    places = _Places(environment, _config(file), file)
    servers = _Places({}, {}, file) if library else places
    longest = f"seconds, up to {_LONGEST_TIMEOUT:,}"
    return Settings(
        library=Setting(library, "--library") if library else places.folder("library", "RAG_HOME", default_library()),
        offline=_offline(offline, places),
        model=Setting(model, "--model") if model else places.text("model", "RAG_MODEL", None),
        base_url=places.text("base_url", "OPENAI_BASE_URL", None),
        api_key=places.secret("OPENAI_API_KEY"),
        embeddings=places.text("embeddings", "RAG_EMBEDDINGS", MINILM),
        threads=_threads(places),
        reader=places.folder("reader", "RAG_READER", None),
        verifier=places.folder("verifier", "RAG_VERIFIER", None),
        judge=places.text("judge", "RAG_JUDGE", None),
        timeout=places.number("timeout", "RAG_TIMEOUT", _LONGEST_TIMEOUT, longest, whole=False),
        catalog=servers.text("catalog", "RAG_CATALOG", None),
        chroma=servers.text("chroma", "RAG_CHROMA", None),
        chroma_key=places.secret("CHROMA_API_KEY"),
    )


def default_library() -> Path:
    """The library's folder if nothing else was said: the platform's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir(_APP))


def config_file() -> Path:
    """The user's settings file; it need not exist."""
    import platformdirs

    return Path(platformdirs.user_config_dir(_APP)) / "config.toml"


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a setting may stand; an empty variable says nothing."""

    environment: Mapping[str, str]
    config: dict[str, Any]
    file: Path

    def text(self, name: str, variable: str, default: T) -> Setting[str | T]:
        if self.environment.get(variable):
            return Setting(self.environment[variable], variable)
        if name in self.config:
            return Setting(self._text(name, "a name in quotes"), str(self.file))
        return Setting(default, "default")

    def secret(self, variable: str) -> Setting[Secret | None]:
        """Only from the environment."""
        value = self.environment.get(variable)
        return Setting(Secret(value), variable) if value else Setting(None, "default")

    def folder(self, name: str, variable: str, default: T) -> Setting[Path | T]:
        """A path in the file is relative to the file."""
        if self.environment.get(variable):
            return Setting(Path(self.environment[variable]).expanduser(), variable)
        if name in self.config:
            path = Path(self._text(name, "a folder's path in quotes")).expanduser()
            return Setting(self.file.parent / path, str(self.file))
        return Setting(default, "default")

    def number(self, name: str, variable: str, most: int, wanted: str, *, whole: bool) -> Setting[float | None]:
        """A number above 0, at most `most`."""
        if text := self.environment.get(variable):
            shape = r"[0-9]{1,4}" if whole else r"[0-9]{1,5}(?:\.[0-9]+)?"
            if not re.fullmatch(shape, text) or not 0 < float(text) <= most:
                raise InputError(f"{variable} is {text!r}; wanted {wanted}")
            return Setting(float(text), variable)
        if name not in self.config:
            return Setting(None, "default")
        value = self.config[name]
        if type(value) not in ((int,) if whole else (int, float)) or not 0 < value <= most:
            raise self.refused(name, wanted)
        return Setting(float(value), str(self.file))

    def refused(self, name: str, wanted: str) -> InputError:
        """The error over a value of the file."""
        return InputError(f"the settings file {self.file} has {name} = {self.config[name]!r}; wanted {wanted}")

    def _text(self, name: str, wanted: str) -> str:
        value = self.config[name]
        if isinstance(value, str) and value:
            return value
        raise self.refused(name, wanted)


def _offline(flag: bool, places: _Places) -> Setting[bool]:
    if flag:
        return Setting(True, "--offline")
    text, value = places.environment.get("RAG_OFFLINE"), places.config.get("offline", False)
    if text is not None and text.strip().lower() not in _YES + _NO:
        raise InputError(f"RAG_OFFLINE is {text!r}; wanted 1 or 0")
    if text is not None:
        return Setting(text.strip().lower() in _YES, "RAG_OFFLINE")
    if not isinstance(value, bool):
        raise places.refused("offline", "true or false")
    return Setting(value, str(places.file) if "offline" in places.config else "default")


def _threads(places: _Places) -> Setting[int]:
    wanted = f"a whole number from 1 to {_MOST_THREADS}"
    found = places.number("threads", "RAG_THREADS", _MOST_THREADS, wanted, whole=True)
    if found.value is not None:
        return Setting(int(found.value), found.origin)
    from rag.models.minilm import cores  # loads numpy, which the help does without

    return Setting(cores(), "default")


def _config(file: Path) -> dict[str, Any]:
    try:
        config = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InputError(f"the settings file {file} cannot be read as TOML ({error}); mend or remove it") from None
    for name, variable in _KEYS.items():
        if name in config:
            raise InputError(f"the settings file {file} has {name!r}; keep the key in the variable {variable} alone")
    known = [f.name for f in fields(Settings) if f.name not in _KEYS]
    unknown = [key for key in config if key not in known]
    if unknown:
        raise InputError(f"the settings file {file} has {unknown[0]!r}; it knows {', '.join(known)}: mend or remove it")
    return config
