"""Answers questions about news articles; `Library` is where to start, `ask` and `check` the one-liners."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# fmt: off
# isort: off
if TYPE_CHECKING:
    from rag.errors import (
        ContextError, DamagedError, EmbeddingError, EmptyLibraryError, InputError, KeyRefusedError, LibraryError,
        LoadError, LockedError, ModelError, NoModelError, RagError, RateLimitedError, ReplyError, RequestError,
        TimedOutError, UnreachableError, VerifierError,
    )
    from rag.evaluation.run import evaluate
    from rag.library import Library
    from rag.models.budget import Terms
    from rag.quick import ask, check, summarize, timeline
    from rag.schema import (
        AddReport, Answer, Article, Check, Citation, Event, Hit, Length, Opinion, Passage, Precision, Published, Reason,
        SearchResult, Section, Statement, Status, Summary, Timeline, Turn, Usage, Verdict, Window,
    )

__all__ = [
    "AddReport", "Answer", "Article", "Check", "Citation", "ContextError", "DamagedError", "EmbeddingError",
    "EmptyLibraryError", "Event", "Hit", "InputError", "KeyRefusedError", "Length", "Library", "LibraryError",
    "LoadError", "LockedError", "ModelError", "NoModelError", "Opinion", "Passage", "Precision", "Published",
    "RagError", "RateLimitedError", "Reason", "ReplyError", "RequestError", "SearchResult", "Section", "Statement",
    "Status", "Summary", "Terms", "TimedOutError", "Timeline", "Turn", "UnreachableError", "Usage", "Verdict",
    "VerifierError", "Window", "__version__", "ask", "check", "evaluate", "summarize", "timeline",
]
# isort: on
# fmt: on

_SILENT = {
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # what tokenizers come with
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime, which reads it when it is imported and at no other time
    "RAY_USAGE_STATS_ENABLED": "0",
}
_TRACING = ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING")

os.environ.update(_SILENT)
if not any(name in os.environ for name in _TRACING):  # whoever traces chains of their own has said so
    os.environ.update(dict.fromkeys(_TRACING[:2], "false"))

_HOMES = {
    "Library": "rag.library",
    "Terms": "rag.models.budget",
    "evaluate": "rag.evaluation.run",
} | dict.fromkeys(("ask", "check", "summarize", "timeline"), "rag.quick")


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
