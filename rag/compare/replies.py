"""Finds what the report of another article says to a sentence: that it is not so, or what came of its plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from rag.checks.rules.reading import NEGATING, Force, Word, read_text
from rag.compare.relation import Report, day_of, is_of_one_event, meet, plain
from rag.text.relative_dates import Moment, moments
from rag.text.speakers import SAYING, is_pronoun, voice
from rag.text.words import content_words

_ONE_TIME = timedelta(days=7)
"""How long after a report somebody may deny it; later, it may have become otherwise."""
_SHARED, _FEWEST = 0.6, 3
"""The share of a plan's words that a report of what came of it has, and how many at least."""
_SAID = re.compile(rf"\b(?:{SAYING})(?= |$)(?: (?:on|late|early|in)\b)*")


def denies(later: Report, first: Report) -> bool:
    """Whether somebody says in the later report that it is not so, all of it in words that the first one has.

    Both are of one event by names and days. Of 25,582 sentences of training/data two are denied so, both rightly.
    """
    is_near = timedelta(0) <= day_of(later) - day_of(first) <= _ONE_TIME
    if later.article.id == first.article.id or not is_near:
        return False
    who, whose = _speaker(later), _speaker(first)
    if not who or who & whose or not any(_has_all(first, clause, who) for clause in _denied(later)):
        return False
    mine, theirs = _moments(later), _moments(first)
    is_then = not mine or not theirs or any(meet(m, t) for m in mine for t in theirs)
    return is_then and is_of_one_event(later, first, but=who | whose, days=False)


def overtakes(later: Report, first: Report) -> str | None:
    """The day of a plan in the first report, as written, if the later one has that day and most of the plan's words.

    None if the later report only tells the same plan.
    """
    if day_of(later) <= day_of(first) or not _is_plan(first):
        return None
    coming = {p.first: m.text for m in _moments(first) for p in m.meant if p.days == 1 and p.first > day_of(first)}
    told = [p.first for m in _moments(later) for p in m.meant if p.days == 1 and p.first in coming]
    but = _speaker(first) | _speaker(later)
    planned = plain(first.text) - _speaker(first)
    shared = len(planned & plain(later.text))
    if not told or shared < max(_FEWEST, _SHARED * len(planned)) or (day_of(later) <= told[0] and _is_open(later)):
        return None
    return coming[told[0]] if is_of_one_event(first, later, but=but, days=False) else None


def _is_plan(report: Report) -> bool:
    words = read_text(report.text).words
    return any(w.is_content and w.force in (Force.SET, Force.PLAN) and not w.negated for w in words)


def _is_open(report: Report) -> bool:
    """Whether it may still be to come: as a plan, or in the present tense ("is due", "are scheduled")."""
    return _is_plan(report) or bool(re.search(r"\b(?:is|are)\b(?! not\b)", report.text))


def _denied(report: Report) -> Iterator[list[Word]]:
    """The words of each clause that denies something, without days and without the verb that says so."""
    words = read_text(report.text).words
    left_out = [(m.start, m.end) for m in moments(report.text)]
    left_out += [m.span() for m in _SAID.finditer(report.text)]
    left = [w for w in words if w.stem not in NEGATING and not any(a <= w.start < b for a, b in left_out)]
    for clause in sorted({w.clause for w in left if w.negated and w.is_content}):
        yield [w for w in left if w.clause == clause]


def _has_all(first: Report, denied: Sequence[Word], who: frozenset[str]) -> bool:
    """Whether a report tells as done what is denied; that which a pronoun means, it must name too."""
    told = {w.stem: w for w in read_text(first.text).words if w.is_content}
    own = {w.stem: w for w in denied if w.is_content and w.stem not in who}
    if (
        len(own) < 2
        or not own.keys() <= told.keys()
        or (any(is_pronoun(w.text) for w in denied) and not who & told.keys())
    ):
        return False
    return all(
        not told[stem].negated and told[stem].force in (Force.FACT, Force.CLAIM) for stem in own if own[stem].negated
    )


def _speaker(report: Report) -> frozenset[str]:
    found = voice(report.article.text, report.span)
    return frozenset(content_words(found.name)) if found and not is_pronoun(found.name) else frozenset()


def _moments(report: Report) -> list[Moment]:
    """Its dates but that on which something was said."""
    published = report.article.published
    said = {m.end() for m in _SAID.finditer(report.text)}
    found = moments(report.text, published.day if published else None)
    return [m for m in found if m.periods and not {m.start, m.start - 1} & said]
