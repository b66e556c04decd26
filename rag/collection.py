"""Keeps the articles of a library: adds, lists, removes and indexes them."""

from __future__ import annotations

from asyncio import to_thread
from dataclasses import replace

from rag.arguments import validated
from rag.ingest.loaders import Origin
from rag.ingest.pipeline import Ingestion
from rag.ingest.repair import mend
from rag.parts import CATALOG, Parts
from rag.progress import Meter, Progress
from rag.schema import AddReport, Article, Window
from rag.store.filters import admits


class Collection(Parts):
    """The articles of a library, to which one process writes at a time."""

    limits: Window = Window()
    """What all reading is limited to; of a view, what it was made with."""

    @validated
    def add(
        self,
        *origins: Origin | Article,
        progress: Progress | None = None,
        wait: float = 600,
        allow_private: bool = False,
    ) -> AddReport:
        """Adds files, folders, URLs, `-` for the standard input, or articles; what is there already costs nothing.

        What cannot be loaded is in the report and stops nothing else. `allow_private` admits URLs on private addresses.
        Raises LockedError if another process has been writing for `wait` seconds, and EmbeddingError if the library was
        made with another embedding model.
        """
        report = self._ingestion(progress, wait).add(origins, allow_private=allow_private)
        return replace(report, warnings=(*report.warnings, *self.warnings))

    async def aadd(
        self,
        *origins: Origin | Article,
        progress: Progress | None = None,
        wait: float = 600,
        allow_private: bool = False,
    ) -> AddReport:
        """`add`, in a thread of its own."""
        return await to_thread(self.add, *origins, progress=progress, wait=wait, allow_private=allow_private)

    @validated
    def remove(self, *ids: str, progress: Progress | None = None, wait: float = 600) -> int:
        """Removes articles with all of their revisions; raises InputError, and removes none, if an id is unknown."""
        return self._ingestion(progress, wait).remove(ids)

    @validated
    def work(self, *, progress: Progress | None = None, wait: float = 600) -> int:
        """Embeds and indexes what has no vector yet, beside others; returns how many passages it has embedded."""
        return self._ingestion(progress, wait).work()

    @validated
    def reindex(self, *, progress: Progress | None = None, wait: float = 600) -> int:
        """Rebuilds every index from the catalog; returns how many passages have a vector.

        Embeds only what has no embedding yet: all of it, if the library was made with another embedding model. A
        damaged catalog file is rebuilt from its articles, and `warnings` says so; raises DamagedError if they cannot
        be read.
        """
        kept = mend(self.catalog, self.path / CATALOG, self.embeddings, meter=Meter(progress), wait=wait)
        if kept:
            self.close()
            told = f"the catalog was damaged, and was made anew from its articles; the damaged one is kept as {kept}"
            self.warnings = (*self.warnings, told)
        return self._ingestion(progress, wait).reindex()

    def articles(self) -> list[Article]:
        """The current revisions of all articles, by id."""
        return [article for article in self.catalog.articles() if admits(self.limits, article)]

    def _ingestion(self, progress: Progress | None, wait: float) -> Ingestion:
        return Ingestion(self.catalog, self.vectors, self.embeddings, Meter(progress), wait)
