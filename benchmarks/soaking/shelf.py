"""Sets the scene: the library of the soak, whose vectors are searched by Chroma from the first passage on."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from rag.library import Library
from rag.store.vector_index import VectorIndex
from soaking.board import Board
from soaking.ledger import Ledger
from soaking.world import Embeddings, World


class Shelf(Library):
    """A Library whose passages are never so few that Chroma is left out."""

    @cached_property
    def vectors(self) -> VectorIndex:
        index = super().vectors
        index.exact = 0
        return index


@dataclass(frozen=True, slots=True)
class Scene:
    """What one process of the soak works with; `row` is its row on the board."""

    folder: Path
    world: World
    board: Board
    row: int
    chance: Random

    def library(self) -> Library:
        """The library, with an embedding model that costs nothing; what it warns of is counted."""
        logging.getLogger("rag.store.vector_index").handlers = [_Counter(self.board, self.row)]
        servers = {name: os.environ.get(f"RAG_{name.upper()}") for name in ("catalog", "chroma")}
        return Shelf(self.folder / "library", **servers, embeddings=Embeddings(), offline=True)

    def ledger(self) -> Ledger:
        return Ledger(self.folder / "journal")


class _Counter(logging.Handler):
    """Counts warnings on the board."""

    def __init__(self, board: Board, row: int) -> None:
        super().__init__(logging.WARNING)
        self._board, self._row = board, row

    def emit(self, record: logging.LogRecord) -> None:
        self._board.count(self._row, "warnings")
