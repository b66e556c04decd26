"""Makes briefings of a whole library, and summaries with the sections that a user asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.checks.quotes import numbered
from rag.digest.briefing import (
    THEMES,
    Division,
    Theme,
    budget,
    divided,
    latest_news,
    new_section,
    themed,
    unknown_section,
)
from rag.digest.conflicts import (
    current,
    differing,
    open_conflicts,
    with_outlets,
    with_replies,
)
from rag.digest.extractive import Budget, Content, content_of
from rag.digest.generative import Model
from rag.digest.news import News, news
from rag.digest.request import Request, Resources, gathered, warn
from rag.digest.sections import parted, themes, written
from rag.digest.writing import finished, write
from rag.schema import Conflict, Section, Statement, Summary

_BRIEFING_WORDS = 2
_CONFLICT_WORDS, _MOST_SIDES = 0.75, 4


def briefing(request: Request, resources: Resources) -> Summary:
    """A section for each theme, for what is new, for what is open between sources, and for what is not known.

    No sentence is in two sections.
    """
    account, check, words = resources.account, resources.check, request.room.words * _BRIEFING_WORDS
    with account.clock.time("gather"):
        found, latest = divided(resources.catalog, request.window), latest_news(resources.catalog, request.window)
    pools = [*(theme.pool for theme in found.themes), latest.pool]
    warn(account, *pools)
    articles = tuple({article.id: article for pool in pools for article in pool.articles}.values())
    with account.clock.time("summarize"):
        sections, model = _sections(found, words, request, resources)
        taken = _contents(sections)
        unknown = unknown_section(pools, latest.day, words, check, taken)
        fresh = news(latest.pool, None, resources.embeddings)
        sections += [new_section(latest, fresh.events, words, check, [*taken, *_contents([unknown])]), unknown]
        differences = differing(pools)
        sections = _current(sections, with_replies(differences, _statements(sections), pools), resources)
        sides = Budget(round(request.room.words * _CONFLICT_WORDS), _MOST_SIDES)
        sections.insert(-1, open_conflicts(differences, sides, check))
        statements = resources.judged(with_outlets(numbered(_statements(sections))))
        conflicts = with_replies(differences, statements, pools)
    summary = _divided(Summary(request.topic, articles, statements), sections)
    return finished(summary, statements, conflicts, request=request, resources=resources, model=model)


def sectioned(request: Request, resources: Resources) -> Summary:
    """The sections that are asked for, of articles or on a topic."""
    account = resources.account
    pool, topic = gathered(request, resources)
    with account.clock.time("summarize"):
        found = news(pool, topic, resources.embeddings)
        sections, model = _own_sections(found, request.room.words, request, resources)
        differences = differing([pool])
        sections = _current(sections, with_replies(differences, _statements(sections), [pool]), resources)
        statements = resources.judged(with_outlets(numbered(_statements(sections))))
        conflicts = with_replies(differences, statements, [pool])
    summary = _divided(Summary(request.topic, pool.articles, statements), sections if statements else ())
    return finished(summary, statements, conflicts, request=request, resources=resources, model=model)


def _divided(summary: Summary, sections: Sequence[Section]) -> Summary:
    """The summary with its statements in the sections that they were in."""
    left = iter(summary.statements)
    return replace(
        summary, sections=tuple(replace(s, statements=tuple(next(left) for _ in s.statements)) for s in sections)
    )


def _own_sections(
    found: News, words: int, request: Request, resources: Resources
) -> tuple[list[Section], Model | None]:
    """The sections that are asked for, and the model that wrote any of them."""
    parts = parted(found, request.sections, resources.embeddings)
    if resources.model:
        sections, model = _written_themes(themes(parts, found.pool), words, resources)
        if model:
            return sections, model
    return written(parts, found.pool, words, resources.check), None


def _sections(
    found: Division, words: int, request: Request, resources: Resources
) -> tuple[list[Section], Model | None]:
    """A section for each theme that has something to report, and the model that wrote any of them."""
    if request.sections:
        return _own_sections(news(found.leads, None, resources.embeddings), words, request, resources)
    if resources.model:
        sections, model = _written_themes(found.themes, words, resources)
        if model:
            return sections, model
    events = news(found.leads, None, resources.embeddings)
    return themed(events, found.themes, budget(words, THEMES), resources.check), None


def _written_themes(found: Sequence[Theme], words: int, resources: Resources) -> tuple[list[Section], Model | None]:
    """A section for each theme that has something to report, and the model that wrote any of them."""
    sections: list[Section] = []
    model, wrote = resources.model, None
    for theme in found:
        space, taken = budget(words, THEMES / len(found)), _contents(sections)
        written = write(theme.leads, None, space, resources, model=model, taken=taken)
        model = written.model if theme.pool.hits else model
        wrote = wrote or written.model
        if written.statements:
            sections.append(Section(theme.heading, written.statements))
    return sections, wrote


def _current(sections: Sequence[Section], conflicts: Sequence[Conflict], resources: Resources) -> list[Section]:
    """The sections with what holds now; a statement that another section has appears once."""
    shown = _statements(sections)
    found: list[Section] = []
    for section in sections:
        statements = tuple(current(section.statements, conflicts, resources.check, others=shown))
        shown += statements
        found.append(replace(section, statements=statements))
    return found


def _statements(sections: Sequence[Section]) -> list[Statement]:
    return [statement for section in sections for statement in section.statements]


def _contents(sections: Sequence[Section]) -> list[Content]:
    return [content_of(statement.text) for statement in _statements(sections)]
