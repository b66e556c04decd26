"""Makes summaries and timelines, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from rag.answer.annotate import dated
from rag.answer.pipeline import INSTEAD, pass_over
from rag.checks import verify
from rag.checks.judge import Judge
from rag.checks.quotes import numbered
from rag.digest import extractive, generative
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
    compared,
    current,
    differing,
    differing_from,
    is_overtaken,
    open_conflicts,
    with_outlets,
    with_replies,
)
from rag.digest.days import days_of
from rag.digest.excerpts import Pool, of_articles, of_hits, of_window
from rag.digest.extractive import BUDGETS, Budget, Content, content_of
from rag.digest.generative import Assignment, Model
from rag.digest.news import News, news, told
from rag.digest.sections import headings, parted, themes, written
from rag.digest.timeline import chronicle
from rag.digest.topic import Scope, Topic, scope
from rag.errors import InputError, ModelError
from rag.models.client import Account
from rag.models.embeddings import Embedder
from rag.models.injection import left_out
from rag.models.reader import Entailment
from rag.retrieval.retriever import Searcher
from rag.schema import (
    Article,
    Conflict,
    Event,
    Hit,
    Length,
    Mode,
    Reason,
    Section,
    Statement,
    Status,
    Summary,
    Timeline,
    Window,
)
from rag.store.catalog import Catalog
from rag.text.clean import clean
from rag.text.words import content_words

MOST_PASSAGES = 80
"""How many passages are read on a topic."""
_FEWEST_OF_EVENTS = 110
"""Words from which a summary on a topic is of events; in less room single facts say more (71 of 109 claims, not 77)."""
_BRIEFING_WORDS = 2
_CONFLICT_WORDS, _MOST_SIDES = 0.75, 4
_ALL = "everything of weight in these articles"
_OUTDATED = "sentences are weighed by words only, since an earlier version embedded some; run `rag reindex`"


@dataclass(frozen=True, slots=True)
class Request:
    """What to summarize: articles, or all if there are none; on a topic; in how much room; within a window.

    `hits` are the passages retrieved for the topic, and `names` the names in it; `sections` are the headings asked for.
    """

    articles: tuple[Article, ...]
    topic: str | None
    room: Budget
    window: Window
    hits: tuple[Hit, ...] = ()
    names: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resources:
    """What a library gives to a request: its articles, its models, and the account of the request."""

    catalog: Catalog
    embeddings: Embedder | None
    entailment: Entailment | None
    judge: Judge | None
    model: Model | None
    account: Account

    def check(self, statement: Statement) -> Statement:
        """The statement with its verdict by what it cites."""
        return verify.verify(statement, statement.citations, entailment=self.entailment)

    def judged(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """The statements, those that are open with the verdict of the judge, if there is one."""
        if not self.judge:
            return tuple(statements)
        with self.account.clock.time("judge"):
            return self.judge.judged(statements, self.account)


@dataclass(frozen=True, slots=True)
class _Written:
    """Statements, and the model that wrote them, if one did."""

    statements: tuple[Statement, ...]
    model: Model | None


@dataclass(frozen=True, slots=True)
class _Standing:
    """Whether statements were found and passed, and if not why."""

    status: Status
    reason: Reason | None


def requested(  # noqa: PLR0913  # each is a choice of its own
    searcher: Searcher,
    articles: Sequence[str | Article],
    topic: str | None,
    *,
    room: Budget,
    window: Window,
    sections: Sequence[str] = (),
) -> Request:
    """The request for articles, each given or by its id, with the passages nearest to a topic if there are none.

    Raises EmptyLibraryError for none of an empty library.
    """
    if not articles:
        searcher.check_filled()
    named = tuple(a if isinstance(a, Article) else searcher.index.catalog.article(a) for a in articles)
    request = Request(named, topic and clean(topic), room, window, sections=headings(sections))
    if not request.topic or named or not content_words(request.topic):
        return request
    query = searcher.query(request.topic, window)
    hits = searcher.find(query, k=MOST_PASSAGES, window=window).hits[:MOST_PASSAGES]
    return replace(request, hits=hits, names=tuple(query.names))


def room(length: Length, words: int | None) -> Budget:
    """The room of a length, or that of so many words; raises InputError if nothing fits into them."""
    if words is None:
        return BUDGETS[Length(length)]
    if words < 1:
        raise InputError(f"words is {words}; wanted at least 1, such as 120")
    return Budget(words, max(3, words // 10))


def summarize(request: Request, resources: Resources) -> Summary:
    """The summary of a request; a briefing if it names nothing and there is more than one article.

    A model writes it if there is one; if the model fails, it is the articles' own sentences, with a warning, unless the
    terms are strict.
    """
    is_whole = not request.articles and request.topic is None
    if is_whole and len(resources.catalog.article_ids(request.window, most=2)) != 1:
        return _briefing(request, resources)
    if request.sections:
        return _sectioned(request, resources)
    account = resources.account
    with account.clock.time("gather"):
        pool, topic = _pool(request, resources), _topic(request, resources)
    _warn(account, pool)
    with account.clock.time("summarize"):
        written = _written(pool, topic, request.room, resources, model=resources.model)
        differences = differing([pool])
        most = max(request.room.words, _words(written.statements))
        replied = with_replies(differences, written.statements, [pool])
        now = _fitted(current(written.statements, replied, resources.check), most)
        statements = resources.judged(with_outlets(numbered(now or written.statements)))
        conflicts = with_replies(differences, statements, [pool])
    return _summary(request, pool.articles, statements, conflicts, resources=resources, model=written.model)


def timeline(request: Request, resources: Resources) -> Timeline:
    """The timeline of a request, in the articles' own sentences, or in those of a model if there is one.

    If the model fails it is the articles' own, with a warning, unless the terms are strict.
    """
    account = resources.account
    if request.room.most < 1:
        raise InputError(f"max_events is {request.room.most}; wanted at least 1")
    with account.clock.time("gather"):
        pool, topic = _pool(request, resources), _topic(request, resources)
    _warn(account, pool)
    with account.clock.time("summarize"):
        limits = scope(topic.text, pool, days_of) if topic else Scope("")
        if topic and (limits.first or limits.last):
            topic = _embedded(limits.topic, (), resources)
        found = chronicle(pool, topic, resources.check, most=request.room.most, admits=limits.admits)
        plans = [event.statement for event in found]
        replied = with_replies((), plans, [pool])
        found = [event for event in found if not is_overtaken(event.statement, plans, replied)]
        worded = _reworded(found, request, resources)
        model = resources.model if worded is not None else None
        events = found if worded is None else worded
        statements = resources.judged(numbered([event.statement for event in events]))
        conflicts = compared(statements, with_replies(differing_from(statements, pool), statements, [pool]))
    outcome = _outcome(statements, request, resources)
    return Timeline(
        request.topic,
        pool.articles,
        tuple(replace(event, statement=s) for event, s in zip(events, statements, strict=True)),
        conflicts.conflicts,
        status=outcome.status,
        reason=outcome.reason,
        citations=conflicts.citations,
        as_of=request.window.as_of,
        mode=Mode.LLM if model else Mode.OFFLINE,
        model=model.id if model else None,
        usage=account.usage,
        timings=account.clock.times,
        warnings=(*account.warnings, *verify.warnings(statements)),
    )


def _briefing(request: Request, resources: Resources) -> Summary:
    """A section for each theme, for what is new, for what is open between sources, and for what is not known.

    No sentence is in two sections.
    """
    account, check, words = resources.account, resources.check, request.room.words * _BRIEFING_WORDS
    with account.clock.time("gather"):
        found, latest = divided(resources.catalog, request.window), latest_news(resources.catalog, request.window)
    pools = [*(theme.pool for theme in found.themes), latest.pool]
    _warn(account, *pools)
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
    summary = _summary(request, articles, statements, conflicts, resources=resources, model=model)
    return _divided(summary, sections)


def _sectioned(request: Request, resources: Resources) -> Summary:
    """The sections that are asked for, of articles or on a topic."""
    account = resources.account
    with account.clock.time("gather"):
        pool, topic = _pool(request, resources), _topic(request, resources)
    _warn(account, pool)
    with account.clock.time("summarize"):
        found = news(pool, topic, resources.embeddings)
        sections, model = _own_sections(found, request.room.words, request, resources)
        differences = differing([pool])
        sections = _current(sections, with_replies(differences, _statements(sections), [pool]), resources)
        statements = resources.judged(with_outlets(numbered(_statements(sections))))
        conflicts = with_replies(differences, statements, [pool])
    summary = _summary(request, pool.articles, statements, conflicts, resources=resources, model=model)
    return _divided(summary, sections if statements else ())


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
        written = _written(theme.leads, None, space, resources, model=model, taken=taken)
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


def _written(  # noqa: PLR0913  # as many as a summary has sides
    pool: Pool,
    topic: Topic | None,
    space: Budget,
    resources: Resources,
    *,
    model: Model | None,
    taken: Sequence[Content] = (),
) -> _Written:
    """The statements on a pool, by the model as long as it does not fail; a fault of any call raises ModelError."""
    if model and pool.hits:
        try:
            assignment = Assignment(topic.text if topic else _ALL, space)
            made = generative.summarize(pool.hits, assignment, model=model, check=resources.check)
            return _Written(tuple(made), model)
        except ModelError as error:
            pass_over(error, resources.account, INSTEAD)
    if topic and space.words >= _FEWEST_OF_EVENTS:
        found = news(pool, topic, resources.embeddings)
        return _Written(dated(told(found, space, resources.check, taken=taken)), None)
    return _Written(dated(extractive.summarize(pool, topic, space, resources.check, taken=taken)), None)


def _reworded(events: Sequence[Event], request: Request, resources: Resources) -> tuple[Event, ...] | None:
    """The events in the words of the model; None if there is none or it fails."""
    if not resources.model or not events:
        return None
    try:
        return generative.reword(events, request.topic or _ALL, model=resources.model, check=resources.check)
    except ModelError as error:
        pass_over(error, resources.account, INSTEAD)
        return None


def _summary(  # noqa: PLR0913  # what a summary is made of
    request: Request,
    articles: tuple[Article, ...],
    statements: tuple[Statement, ...],
    conflicts: Sequence[Conflict],
    *,
    resources: Resources,
    model: Model | None,
) -> Summary:
    found, outcome, account = (
        compared(statements, conflicts),
        _outcome(statements, request, resources),
        resources.account,
    )
    return Summary(
        request.topic,
        articles,
        statements,
        status=outcome.status,
        reason=outcome.reason,
        citations=found.citations,
        conflicts=found.conflicts,
        as_of=request.window.as_of,
        mode=Mode.LLM if model else Mode.OFFLINE,
        model=model.id if model else None,
        usage=account.usage,
        timings=account.clock.times,
        warnings=(*account.warnings, *verify.warnings(statements)),
    )


def _outcome(statements: Sequence[Statement], request: Request, resources: Resources) -> _Standing:
    if statements:
        return _Standing(verify.status(statements), verify.reason(statements))
    is_outside = request.articles or resources.catalog.passage_count(request.window) == 0
    return _Standing(Status.ABSTAINED, Reason.OUTSIDE_DATES if is_outside else Reason.NOT_IN_ARTICLES)


def _pool(request: Request, resources: Resources) -> Pool:
    """The sentences of the articles named, of the passages on the topic, or of all that the window admits."""
    catalog, topic = resources.catalog, request.topic
    if topic is not None and not content_words(topic):
        raise InputError(f"the topic {topic[:40]!r} has no words in it; name one, such as elections")
    if request.articles:
        return of_articles(catalog, resources.embeddings, request.articles, request.window)
    return of_window(catalog, request.window) if topic is None else of_hits(catalog, request.hits)


def _topic(request: Request, resources: Resources) -> Topic | None:
    return None if request.topic is None else _embedded(request.topic, request.names, resources)


def _embedded(text: str, names: Sequence[str], resources: Resources) -> Topic:
    embeddings = resources.embeddings
    vector = np.array(embeddings.embed_query(text), np.float32) if embeddings else None
    return Topic(text, frozenset(stem for name in names for stem in content_words(name)), vector)


def _statements(sections: Sequence[Section]) -> list[Statement]:
    return [statement for section in sections for statement in section.statements]


def _contents(sections: Sequence[Section]) -> list[Content]:
    return [content_of(statement.text) for statement in _statements(sections)]


def _words(statements: Sequence[Statement]) -> int:
    return sum(len(statement.text.split()) for statement in statements)


def _fitted(statements: Sequence[Statement], words: int) -> list[Statement]:
    """As many of the statements, from the first on, as there is room for."""
    totals = accumulate(len(statement.text.split()) for statement in statements)
    return [statement for statement, total in zip(statements, totals, strict=True) if total <= words]


def _warn(account: Account, *pools: Pool) -> None:
    if any(pool.outdated for pool in pools):
        account.warn(_OUTDATED)
    for warning in left_out(article for pool in pools for article in pool.left_out):
        account.warn(warning)
