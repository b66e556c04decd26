"""Shows results in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import InputError
from rag.render.lines import differences, notice, origin
from rag.render.links import link
from rag.render.page import rendered
from rag.render.tables import rows
from rag.schema import AddReport, Answer, Figures, SearchResult, Summary, Timeline, heading

if TYPE_CHECKING:
    import pandas


def html(result: Answer | Summary | Timeline | SearchResult | Figures | AddReport) -> str:
    """The result as a part of a page, with its sources as links that mark the quotes."""
    kind = type(result).__name__.lower()
    told = notice(result) if isinstance(result, Answer) and result.question else None
    named = {"differences": differences, "heading": heading, "link": link, "origin": origin}
    return rendered("render/notebook.html", kind=kind, result=result, notice=told, **named)


def frame(result: Answer | Summary | Timeline | SearchResult | Figures | AddReport) -> pandas.DataFrame:
    """The rows of a result as a DataFrame; raises InputError if pandas is not installed, or there can be no rows."""
    if isinstance(result, AddReport):
        raise InputError("a report of what was added has no rows; its numbers are in to_dict()")
    try:
        import pandas
    except ModuleNotFoundError:
        raise InputError("pandas is not installed; install it with `pip install pandas`") from None
    return pandas.DataFrame(rows(result))
