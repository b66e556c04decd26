"""Answers questions about news articles; `Library` is where to start, `ask` the one-liner."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.asking import ask
    from rag.errors import (
        DamagedError,
        EmbeddingError,
        EmptyLibraryError,
        InputError,
        LibraryError,
        LoadError,
        LockedError,
        RagError,
    )
    from rag.library import Library
    from rag.schema import (
        AddReport,
        Answer,
        Article,
        Check,
        Citation,
        Hit,
        Passage,
        Precision,
        Published,
        Reason,
        SearchResult,
        Statement,
        Status,
        Turn,
        Usage,
        Verdict,
        Window,
    )

__all__ = [
    "AddReport",
    "Answer",
    "Article",
    "Check",
    "Citation",
    "DamagedError",
    "EmbeddingError",
    "EmptyLibraryError",
    "Hit",
    "InputError",
    "Library",
    "LibraryError",
    "LoadError",
    "LockedError",
    "Passage",
    "Precision",
    "Published",
    "RagError",
    "Reason",
    "SearchResult",
    "Statement",
    "Status",
    "Turn",
    "Usage",
    "Verdict",
    "Window",
    "__version__",
    "ask",
]

_HOMES = {"Library": "rag.library", "ask": "rag.asking"}


def __getattr__(name: str) -> Any:
    """Each exported name from its module when it is first used, so that `import rag` costs nothing."""
    if name == "__version__":
        return import_module("importlib.metadata").version("dispatches")  # slow to import
    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    home = _HOMES.get(name) or ("rag.errors" if name.endswith("Error") else "rag.schema")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return __all__
