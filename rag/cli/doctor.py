"""Gathers what the program is set up with, for `rag doctor`."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rag.errors import EmbeddingError, InputError, KeyRefusedError, LibraryError, VerifierError
from rag.models.cross_encoder import CrossEncoder, SpanModel
from rag.models.embeddings import MiniLM, ModelIdentity, RemoteEmbeddings, identity
from rag.models.minilm import PACKAGE, cores
from rag.models.reader import VERIFIER, Extract, Pair, shared_reader
from rag.schema import Span, Window
from rag.settings import Setting, Settings
from rag.store.catalog import Catalog
from rag.store.vector_index import VectorIndex

_PACKAGES = (
    *("chromadb", "langchain", "langchain-core", "langchain-openai", "numpy", "onnx", "onnxruntime", "openai"),
    *("tokenizers", "trafilatura", "typer"),
)
_BESIDE = ("vectors", "vectors.lock", "write.lock", "catalog.sqlite-wal")
"""What a library that was added to has beside its catalog."""
_OFFLINE = "answers are sentences of the articles"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is set up, and why or from where."""

    name: str
    value: str | int | None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is set up; each problem is a line that says what is wrong and what to do."""

    facts: tuple[Finding, ...]
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `rag doctor --json`."""
        return {"schema": 1, "facts": [asdict(fact) for fact in self.facts], "problems": list(self.problems)}

    def lines(self) -> Iterator[str]:
        """The same for a person."""
        for fact in self.facts:
            value = "unknown" if fact.value is None else fact.value
            yield f"{fact.name:26}{value}" + (f"  ({fact.origin})" if fact.origin else "")
        yield ""
        yield from (f"wrong: {problem}" for problem in self.problems)
        if not self.problems:
            yield "nothing is wrong"


def diagnose(settings: Settings) -> Diagnosis:
    """What is set up and what is wrong with it; changes nothing, and makes no library where there is none."""
    parts = (
        _program(settings),
        _chat(settings),
        _embedding(settings),
        _reader(settings),
        _verifier(settings),
        _library(settings),
        _packages(),
    )
    return Diagnosis(
        tuple(fact for part in parts for fact in part.facts),
        tuple(problem for part in parts for problem in part.problems),
    )


def _program(settings: Settings) -> Diagnosis:
    facts = (
        Finding("version", version("dispatches")),
        Finding("python", platform.python_version()),
        Finding("network", "refused" if settings.offline.value else "allowed", settings.offline.origin),
    )
    return Diagnosis(facts, ())


def _chat(settings: Settings) -> Diagnosis:
    """The language model that is meant; whether its server is there is not asked."""
    key = Finding("api key", "yes" if settings.api_key.value else "no", settings.api_key.origin)
    try:
        choice = settings.chat()
    except (InputError, KeyRefusedError) as error:
        name = Finding("model", settings.model.value, settings.model.origin)
        return Diagnosis((Finding("mode", None), name, _place(settings, None), key), (str(error),))
    origin = settings.offline.origin if settings.offline.value else settings.model.origin
    if choice is None:
        name = Finding("model", "none", origin)
        return Diagnosis((Finding("mode", "offline", _OFFLINE), name, _place(settings, None), key), ())
    name = Finding("model", choice.id, origin)
    silence = f"{settings.timeout.value:g} s" if settings.timeout.value else "that of the model's place"
    more = (
        Finding("judge", settings.judge.value or "auto", settings.judge.origin),
        Finding("timeout", silence, settings.timeout.origin),
    )
    return Diagnosis((Finding("mode", "model"), name, _place(settings, choice.place), key, *more), ())


def _place(settings: Settings, checked: str | None) -> Finding:
    """A URL that was not checked may hold a password."""
    given = "given, not used" if settings.base_url.value else "none"
    return Finding("base url", checked or given, settings.base_url.origin)


def _embedding(settings: Settings) -> Diagnosis:
    """The embedding model that is meant; of a remote one, whether its server is there is not asked."""
    named = Finding("embeddings", settings.embeddings.value, settings.embeddings.origin)
    try:
        choice = settings.embedding()
    except (InputError, KeyRefusedError) as error:
        return Diagnosis((named,), () if settings.offline.value else (str(error),))
    if choice is None:
        return _local_embedding(named, settings.threads)
    where = f"not used: {settings.offline.origin}" if settings.offline.value else choice.place
    return Diagnosis((named, Finding("embedding model", choice.id, where)), ())


def _local_embedding(named: Finding, threads: Setting[int]) -> Diagnosis:
    facts = (
        named,
        Finding("embedding model", MiniLM.id),
        Finding("embedding digest", MiniLM.digest),
        Finding("threads", threads.value, threads.origin),
    )
    spec = find_spec(PACKAGE)
    place = next(iter(spec.submodule_search_locations or []), None) if spec else None
    try:
        MiniLM(threads=threads.value).embed_query("test")
    except EmbeddingError as error:
        return Diagnosis((*facts, Finding("embedding loads", "no", place)), (str(error),))
    return Diagnosis((*facts, Finding("embedding loads", "yes", place)), ())


def _reader(settings: Settings) -> Diagnosis:
    folder, origin = settings.reader.value, settings.reader.origin
    if folder is None:
        reader = shared_reader(settings.threads.value or cores())
        return Diagnosis((Finding("reader", reader.version if reader else "none: words only"),), ())
    extract = Extract("", "A test.", (Span(0, 7),))
    return _loaded("reader", folder, origin, lambda: SpanModel(folder).read("What is it?", [extract]))


def _verifier(settings: Settings) -> Diagnosis:
    folder, origin = settings.verifier.value, settings.verifier.origin
    if folder is None:
        verifier = shared_reader(settings.threads.value or cores(), VERIFIER)
        return Diagnosis((Finding("verifier", verifier.version if verifier else "none: words only"),), ())
    return _loaded("verifier", folder, origin, lambda: CrossEncoder(folder).entail([Pair("A test.", "A test.")]))


def _loaded(name: str, folder: Path, origin: str, run: Callable[[], object]) -> Diagnosis:
    fact = Finding(name, str(folder.absolute()), origin)
    try:
        run()
    except VerifierError as error:
        return Diagnosis((fact, Finding(f"{name} loads", "no")), (str(error),))
    return Diagnosis((fact, Finding(f"{name} loads", "yes")), ())


def _library(settings: Settings) -> Diagnosis:
    folder = settings.library.value
    place = settings.database or folder / "catalog.sqlite"
    server = (Finding("chroma", settings.index.name, settings.chroma.origin),) if settings.index else ()
    facts = (Finding("library", str(folder.absolute()), settings.library.origin), *server)
    if isinstance(place, Path) and not (place.is_file() and place.stat().st_size):
        told = (*_missing(place), *_unwritable(folder))
        return Diagnosis((*facts, Finding("articles", 0, "add some with `rag add PATH`")), told)
    try:
        catalog = Catalog(place)
    except LibraryError as error:
        return Diagnosis(
            (*facts, *([Finding("catalog", str(place))] if isinstance(place, Path) else [])), (str(error),)
        )
    try:
        catalog.check()
        catalog.check_texts()
        index = VectorIndex(settings.index or folder / "vectors", catalog)
        stored = _stored(index, _present(settings))
        unsound = _index(settings, index)
    except LibraryError as error:
        stored, unsound = Diagnosis((Finding("catalog", catalog.name),), (str(error),)), ()
    finally:
        catalog.close()
    return Diagnosis(facts + stored.facts, (*stored.problems, *unsound, *_unwritable(folder)))


def _missing(place: Path) -> tuple[str, ...]:
    """What is wrong where a catalog should be and is none; nothing if there was no library yet."""
    seen = "a folder" if place.is_dir() else "empty" if place.is_file() else "missing"
    if seen == "missing" and not any(place.with_name(name).exists() for name in _BESIDE):
        return ()
    return (f"the catalog {place} is {seen}; restore it from a backup, or move it away and run `rag add` again",)


def _index(settings: Settings, index: VectorIndex) -> tuple[str, ...]:
    """What is wrong with the index of the vectors; that in a folder is there only if they were ever many."""
    if not settings.index and not (settings.library.value / "vectors").exists():
        return ()
    try:
        index.check()
    except LibraryError as error:
        return (str(error),)
    return ()


def _stored(index: VectorIndex, present: ModelIdentity | None) -> Diagnosis:
    catalog, model = index.catalog, index.catalog.embedded.model
    passages, embedded = catalog.passage_count(Window()), catalog.embedded.count(Window())
    waiting = len(catalog.embedded.waiting_ids()) if index.is_asked else 0
    how = f"up to {index.exact:,} are compared one by one" if not index.is_asked else "by Chroma"
    facts = (
        Finding("catalog", catalog.name, f"schema {catalog.version}"),
        Finding("articles", catalog.article_count),
        Finding("passages", passages),
        Finding("vectors indexed", embedded - waiting, how),
        Finding("vectors waiting", passages - embedded + waiting),
        Finding("library embedding", model.model.id if model else None, model.model.digest if model else "none yet"),
    )
    other = _other_model(model.model, present) if model and present else ()
    return Diagnosis(facts, (*other, *_unsound(catalog, passages - embedded, waiting)))


def _unsound(catalog: Catalog, unembedded: int, waiting: int) -> Iterator[str]:
    if count := len(catalog.embedded.damaged()):
        yield f"{count} vectors are damaged and not searched; run `rag reindex`, which makes them anew"
    if count := len(catalog.outdated()):
        yield f"{count} passages have vectors of sentences of an earlier version; run `rag reindex`"
    if catalog.article_count and not catalog.orders.is_current:
        yield "sentences addressed to a program were marked by another version; run `rag reindex`"
    if unembedded:
        yield f"{unembedded} passages have no embedding and are found by words only; run `rag work`"
    if waiting:
        yield f"{waiting} passages wait for the vector index; run `rag work`"


def _present(settings: Settings) -> ModelIdentity | None:
    """The embedding model that the program has; None if it has none that may be used."""
    if settings.embeds_by_network and settings.offline.value:
        return None
    try:
        choice = settings.embedding()
    except (InputError, KeyRefusedError):
        return None
    return identity(RemoteEmbeddings(choice)) if choice else ModelIdentity(MiniLM.id, MiniLM.digest)


def _other_model(model: ModelIdentity, present: ModelIdentity) -> tuple[str, ...]:
    if model == present:
        return ()
    return (
        f"the library was made with the embedding model {model.id}, the program has {present.id}; "
        "use that one (RAG_EMBEDDINGS), or embed all anew with `rag reindex`",
    )


def _unwritable(folder: Path) -> tuple[str, ...]:
    nearest = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return ()
    return (f"{nearest} cannot be written; change its permissions, or choose another folder with `--library`",)


def _packages() -> Diagnosis:
    facts, problems = [], []
    for name in _PACKAGES:
        try:
            facts.append(Finding(f"package {name}", version(name)))
        except PackageNotFoundError:
            facts.append(Finding(f"package {name}", None))
            problems.append(f"the package {name} is not installed; install it with `pip install {name}`")
    return Diagnosis(tuple(facts), tuple(problems))
