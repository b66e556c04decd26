"""Tells what was measured: versions and digests of the parts, the model and the articles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from rag.library import Library
from rag.models.embeddings import identity as embedding_identity
from rag.models.prompts import prompts_folder


@dataclass(frozen=True, slots=True)
class Identity:
    """What gave the results: two runs that agree in it would give the same, but for what a model makes up.

    `code`, `prompts` and `corpus` are SHA-256 digests: of the package's sources, of the prompts, of the articles as
    the library has them.
    """

    version: str
    code: str
    prompts: str
    corpus: str
    embeddings: str | None
    model: str | None
    judge: str | None
    k: int

    @property
    def digest(self) -> str:
        """The SHA-256 of all of it."""
        return _digest(f"{name}={value}" for name, value in asdict(self).items())


def identify(library: Library, *, judge: str | None, k: int) -> Identity:
    """What would be measured with a library."""
    embeddings, writer = library.embeddings, library.writer
    return Identity(
        version=version("dispatches"),
        code=_files(files("rag"), ".py"),
        prompts=_files(prompts_folder(), ".toml"),
        corpus=corpus_digest(library),
        embeddings=embedding_identity(embeddings).id if embeddings else None,
        model=writer.caller.choice.id if writer else None,
        judge=judge,
        k=k,
    )


def corpus_digest(library: Library) -> str:
    """The SHA-256 of the articles: of their ids, texts, titles, outlets and days."""
    return _digest(f"{a.id} {a.sha256} {a.title} {a.source} {a.published}" for a in library.articles())


def _files(folder: Traversable, ending: str) -> str:
    return _digest(f"{name}\n{file.read_text(encoding='utf-8')}" for name, file in sorted(_walk(folder, "", ending)))


def _walk(folder: Traversable, path: str, ending: str) -> Iterable[tuple[str, Traversable]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _walk(item, f"{path}{item.name}/", ending)
        elif item.name.endswith(ending):
            yield path + item.name, item


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
