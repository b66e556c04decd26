"""Reads what a question asks for."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from rag.retrieval.followups import goes_on
from rag.schema import Citation
from rag.text.calendar import Period
from rag.text.names import keys, names
from rag.text.relative_dates import asked_periods
from rag.text.words import content_words


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the retriever and the answerer use it."""

    text: str
    terms: tuple[str, ...]
    """Its stems, stop words left out."""
    background: frozenset[str]
    """Those of them that only the conversation before it has."""
    names: tuple[str, ...]
    """Its proper names, as written."""
    name_keys: tuple[str, ...]
    """The spelling-tolerant keys of its names."""
    periods: tuple[Period, ...]
    """The periods that its date phrases name."""
    sources: tuple[str, ...]
    """The outlets that it asks for."""
    parts: tuple[str, ...]
    """Its clauses, if it asks more than one thing."""
    goes_on: bool = False
    """Whether it asks the question before it again, of something else."""
    evidence: tuple[Citation, ...] = ()
    """What the answer before it cited, if it leans on that."""
    told: str = ""
    """That answer."""
    said: bool = False
    """Whether it asks what somebody says, or who says it."""
    orders: bool = False
    """Whether it gave orders beside what it asks, which are left out of all this."""
    asks: bool = True
    """Whether it asks something at all."""

    @property
    def is_bare(self) -> bool:
        """Whether all that is looked for is from the conversation before it: "Where?"."""
        return bool(self.background) and self.background.issuperset(self.terms)


_SAID = re.compile(
    r"\b(?:who|whom|what|which|how)\b.*\b(?:sa(?:y|id|ys)|tell|told|answer(?:ed)?|repl(?:y|ied)|claim(?:ed)?|den(?:y|ied)|argued?|"
    r"describe[ds]?|warn(?:ed)?|wr(?:ite|ote)|promised?|call(?:ed)?|add(?:ed)?|explain(?:ed)?|ask(?:ed)?|expects?|announced?)\b|"
    r"\baccording to (?:who|whom|which)\b"
)


_PREPOSITIONS = "(?:to|from|by|of|with|for|in|on|at|until|since)"
_CLAUSES = re.compile(rf"\s*(?:[;?]|,? and(?= (?:{_PREPOSITIONS} )?(?:what|who|whom|where|when|which|how|why)\b))\s*")
_MOST_PARTS = 4
_HAPPENED = re.compile(
    r"\b(?:take|took|taken|taking|takes) (?:place|part)\b|\b(?:happen|occur)(?:s|r?ed|r?ing)?\b", re.IGNORECASE
)
_VERBS = "(?:report|say|said|write|wrote|claim|publish|cover|describe|article|account)"
_ATTRIBUTED = (
    rf"\b{{0}}(?:['’]s)? (?:\w+ )?{_VERBS}|"
    r"\b(?:according to|reported by|report by|report from|article (?:by|from|in)|published (?:by|in)) (?:the )?{0}\b"
)


def read(
    text: str,
    *,
    context: str = "",
    sources: Collection[str] = (),
    years: Sequence[int] = (),
    today: date | None = None,
) -> Query:
    """Reads a question against the outlets and years that the library has.

    `context` adds what is looked for. A date phrase without a year means that of each of `years`. The name of an outlet
    that is asked is not looked for.
    """
    whole = f"{text} {context}".strip()
    asked = tuple(s for s in sorted(sources) if _asks_for(text, s))
    outlets = frozenset(stem for source in asked for stem in content_words(source))
    found = [name.text for name in names(whole)]
    if not found and whole == whole.lower():  # typed without capitals: any word that could be a name
        found = [word for word in whole.strip(" ?").split() if len(word) > 3 and keys(word)]
    # Not what only says that something was, unless there is nothing else.
    sought = content_words(_HAPPENED.sub(" ", whole)) or content_words(whole)
    named = [name for name in dict.fromkeys(found) if not outlets.issuperset(content_words(name))]
    return Query(
        text=whole,
        terms=tuple(t for t in sought if t not in outlets),
        background=frozenset(content_words(whole)) - frozenset(content_words(text)),
        names=tuple(named),
        name_keys=tuple(dict.fromkeys(key for name in named for key in keys(name))),
        periods=asked_periods(whole, years=years, today=today),
        sources=asked,
        parts=_parts(text),
        goes_on=bool(context) and goes_on(text),
        said=bool(_SAID.search(text.casefold())),
    )


def _parts(text: str) -> tuple[str, ...]:
    parts = [part for part in _CLAUSES.split(text) if part and len(content_words(part)) > 1]
    return tuple(parts[:_MOST_PARTS]) if len(parts) > 1 else ()


def _asks_for(text: str, source: str) -> bool:
    bare = re.escape(source.casefold().removeprefix("the "))
    return bool(re.search(_ATTRIBUTED.format(bare), text.casefold()))
