"""The types that flow through the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.compare.articles import Corroborated, compared, differences
from rag.models.client import Account
from rag.retrieval.query import Query
from rag.retrieval.retriever import Index, Retrieved
from rag.schema import Conflict, Hit, Statement, Turn, Window


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it was asked: how many passages are read for it, within what limits, and after what."""

    text: str
    k: int = 10
    window: Window = field(default_factory=Window)
    history: tuple[Turn, ...] = ()
    topic: str | None = None
    """Only articles on it are read."""


@dataclass(frozen=True, slots=True, eq=False)
class Understood:
    """A question, what is looked for, and the account of what it may use."""

    asked: Asked
    query: Query
    account: Account


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A question with what was retrieved for it, and the hits that are read, best first."""

    asked: Asked
    query: Query
    account: Account
    retrieved: Retrieved
    hits: tuple[Hit, ...]
    index: Index

    def compare(self, statements: Sequence[Statement]) -> Corroborated:
        """The statements held against what was retrieved."""
        return compared(statements, self.retrieved, self.index)

    def differences(self, statements: Sequence[Statement]) -> tuple[Conflict, ...]:
        """What was retrieved that differs from the statements."""
        return differences(statements, self.retrieved, self.index)
