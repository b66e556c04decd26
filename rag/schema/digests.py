"""Summaries, timelines, and ledgers of figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date as calendar_date  # a field of Event is called `date`
from enum import StrEnum
from typing import Any

from rag.schema.answers import CitedResult, Reason
from rag.schema.articles import Article, Precision, Published
from rag.schema.statements import Citation, Conflict, Statement, conflict_dict, marked, statement_dict


class Length(StrEnum):
    """How long a summary may be: about 60, 120 or 250 words, and twice that for a briefing of a whole library."""

    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a summary under its own heading; `note` says why it has no statements, or what is behind them."""

    heading: str
    statements: tuple[Statement, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Digest(CitedResult):
    """What a summary and a timeline have in common; `topic` is None if no topic was asked for."""

    topic: str | None
    articles: tuple[Article, ...]
    conflicts: tuple[Conflict, ...] = field(default=(), kw_only=True)
    """Where articles differ on what the statements say."""

    def _request(self) -> dict[str, Any]:
        return {"topic": self.topic}

    def _disputed(self) -> dict[str, Any]:
        return {"conflicts": [conflict_dict(c) for c in self.conflicts]} if self.conflicts else {}


@dataclass(frozen=True, slots=True, repr=False)
class Summary(Digest):
    """What articles say, the most important first; the statements of `sections`, if any, are those of `statements`."""

    statements: tuple[Statement, ...] = ()
    sections: tuple[Section, ...] = ()

    @property
    def headline(self) -> str | None:
        """The one sentence that says most; it is the first statement."""
        return self.statements[0].text if self.statements else None

    @property
    def words(self) -> int:
        """How many words the statements have."""
        return sum(len(statement.text.split()) for statement in self.statements)

    @property
    def text(self) -> str:
        """The statements with their citation marks, a line each, or one sentence that says why there are none."""
        if not self.statements:
            return _NOTHING[self.reason or Reason.NOT_IN_ARTICLES]
        if not self.sections:
            told = [line for conflict in self.conflicts for line in conflict.lines(self.statements)]
            return "\n".join((*map(marked, self.statements), *told))
        parts = ((s.heading, *map(marked, s.statements), *([s.note] if s.note else [])) for s in self.sections)
        return "\n\n".join("\n".join(lines) for lines in parts)

    def _content(self) -> dict[str, Any]:
        return {
            "headline": self.headline,
            "statements": [statement_dict(s) for s in self.statements],
            "sections": [
                {"heading": s.heading, "statements": [statement_dict(x) for x in s.statements], "note": s.note}
                for s in self.sections
            ],
            "articles": [article.id for article in self.articles],
            "words": self.words,
            **self._disputed(),
        }


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, or was to happen, at a date of this precision, by one statement.

    `stated` is whether the articles give the date; else it is the day on which they were published. `rank` is 1 for
    the most important event of its timeline.
    """

    date: calendar_date
    precision: Precision
    statement: Statement
    stated: bool = True
    rank: int = 1

    @property
    def day(self) -> str:
        """ISO 8601, as precise as the date is: `2021`, `2021-07` or `2021-07-07`."""
        return str(Published(self.date, self.precision))


@dataclass(frozen=True, slots=True, repr=False)
class Timeline(Digest):
    """The most important events that articles report, earliest first."""

    events: tuple[Event, ...] = ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        """Those of the events, in their order."""
        return tuple(event.statement for event in self.events)

    @property
    def text(self) -> str:
        """A line for each event, or one sentence that says why there are none."""
        if not self.events:
            return _NOTHING[self.reason or Reason.NOT_IN_ARTICLES]
        lines = ((f"{event.day}: {marked(event.statement)}", *self.differing(event)) for event in self.events)
        return "\n".join(line for event in lines for line in event)

    def differing(self, event: Event) -> list[str]:
        """What other articles say otherwise of an event, or said before or later, in lines."""
        own = [event.statement]
        return [line for conflict in self.conflicts if conflict.is_in(own) for line in conflict.lines(own)]

    def _content(self) -> dict[str, Any]:
        return {
            "events": [_event(event) for event in self.events],
            "articles": [article.id for article in self.articles],
            **self._disputed(),
        }


_NOTHING = {
    Reason.NOT_IN_ARTICLES: "The articles say nothing on this topic.",
    Reason.OUTSIDE_DATES: "No article within the given dates and sources says anything on this.",
    Reason.UNCLEAR: "The topic is not clear enough to look for.",
    Reason.UNSUPPORTED: "Nothing that was written on this passed the check against the articles.",
}


def _event(event: Event) -> dict[str, Any]:
    return {
        "date": event.day,
        "precision": event.precision.value,
        "stated": event.stated,
        "rank": event.rank,
        "statement": statement_dict(event.statement),
    }


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
            return _NO_FIGURE if self.reason is Reason.NOT_IN_ARTICLES else _NO_ARTICLE
        return "\n".join(line for series in self.series for line in _series_lines(series))

    def _request(self) -> dict[str, Any]:
        return {"topic": self.topic}

    def _content(self) -> dict[str, Any]:
        return {"series": [_series(series) for series in self.series]}


_NO_FIGURE = "The articles on this topic give no figure of which it is clear what it counts."
_NO_ARTICLE = "No article within the given dates and sources is on this topic."


def _series_lines(series: Series) -> list[str]:
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
    plain = {name: getattr(figure, name) for name in ("text", "low", "high", "unit", "about", "speaker")}
    rest = {"day": figure.day or None, "outlets": list(figure.outlets), "citation": figure.citation.number}
    return plain | rest
