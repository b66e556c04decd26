"""What articles give as the values of quantities, over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rag.schema.answers import CitedResult, Reason
from rag.schema.statements import Citation


@dataclass(frozen=True, slots=True)
class Figure:
    """A value that an article gives: between `low` and `high`; one is None if it says at least or at most.

    `text` is as it is written, `about` whether it is hedged, `outlets` those that give this value independently.
    """

    text: str
    low: float | None
    high: float | None
    citation: Citation
    unit: str = ""
    about: bool = False
    speaker: str | None = None
    outlets: tuple[str, ...] = ()

    @property
    def least(self) -> float | None:
        """The lowest amount that it names."""
        return self.high if self.low is None else self.low

    @property
    def most(self) -> float | None:
        """The highest amount that it names."""
        return self.low if self.high is None else self.high

    @property
    def day(self) -> str:
        """The day on which its article was published, as far as that is known."""
        return str(self.citation.article.published or "")[:10]


@dataclass(frozen=True, slots=True)
class Series:
    """What is counted in one event, in the articles' words, with its figures, the earliest first.

    There is at least one figure. `happened` is the day of the event, if the articles give one.
    """

    counts: str
    figures: tuple[Figure, ...]
    happened: str | None = None

    @property
    def title(self) -> str:
        """What is counted, and the day of the event if it is known."""
        return f"{self.counts} ({self.happened})" if self.happened else self.counts

    @property
    def minimum(self) -> Figure:
        """The figure with the lowest amount, the latest of several."""
        return min(reversed(self.figures), key=lambda figure: figure.least or 0.0)

    @property
    def maximum(self) -> Figure:
        """The figure with the highest amount, the latest of several."""
        return max(reversed(self.figures), key=lambda figure: (figure.most or 0.0, figure.high is None))

    @property
    def span(self) -> str:
        """The lowest and the highest figure, as they are written."""
        low, high = self.minimum, self.maximum
        return (
            low.text if (low.text, low.least) == (high.text, high.most) else f"lowest {low.text}, highest {high.text}"
        )


@dataclass(frozen=True, slots=True, repr=False)
class Figures(CitedResult):
    """The figures that articles on a topic give, by what they count; the series with most figures comes first."""

    topic: str
    series: tuple[Series, ...] = ()

    @property
    def text(self) -> str:
        """A line for each series and each of its figures, or one sentence that says why there are none."""
        if not self.series:
            return _NOTHING if self.reason is Reason.NOT_IN_ARTICLES else _OUTSIDE
        return "\n".join(line for series in self.series for line in _lines(series))

    def _request(self) -> dict[str, Any]:
        return {"topic": self.topic}

    def _content(self) -> dict[str, Any]:
        return {"series": [_series(series) for series in self.series]}


_NOTHING = "The articles on this topic give no figure of which it is clear what it counts."
_OUTSIDE = "No article within the given dates and sources is on this topic."


def _lines(series: Series) -> list[str]:
    rows = [f"{f.day or 'no date'}: {f.text} [{f.citation.number}]" for f in series.figures]
    return [f"{series.title}: {series.span}", *rows]


def _series(series: Series) -> dict[str, Any]:
    return {
        "counts": series.counts,
        "happened": series.happened,
        "minimum": _bound(series.minimum, series.minimum.least),
        "maximum": _bound(series.maximum, series.maximum.most),
        "figures": [_figure(figure) for figure in series.figures],
    }


def _bound(figure: Figure, amount: float | None) -> dict[str, Any]:
    return {"amount": amount, "text": figure.text, "citation": figure.citation.number}


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "text": figure.text,
        "low": figure.low,
        "high": figure.high,
        "unit": figure.unit,
        "about": figure.about,
        "day": figure.day or None,
        "speaker": figure.speaker,
        "outlets": list(figure.outlets),
        "citation": figure.citation.number,
    }
