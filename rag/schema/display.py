"""What every result offers to a notebook and to other programs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import pandas

_LONGEST = 200


class Displayed:
    """A short repr, Markdown, HTML, a table, and the way back from JSON.

    What lays results out is in packages above this one, so it is imported when it is asked for.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        """What it is on one line of less than 300 characters."""
        line = " ".join(self._brief().split())
        return f"<{type(self).__name__} {line if len(line) <= _LONGEST else f'{line[: _LONGEST - 1]}…'}>"

    def to_markdown(self) -> str:
        """Markdown with a footnote for each source, to paste into a document."""
        return str(import_module("rag.render.markdown").markdown(self))

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each statement, hit or event, with its source; raises InputError if pandas is not installed."""
        return import_module("rag.render.tables").frame(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The result whose `to_dict` gave this; raises InputError for anything else.

        Of an article it has only what was quoted, each quote at its place.
        """
        found: Self = import_module("rag.schema.records").result(cls, record)
        return found

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_html_(self) -> str:
        return str(import_module("rag.render.page").html(self))

    def _brief(self) -> str:
        raise NotImplementedError
