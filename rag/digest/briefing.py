"""Divides a whole library into the sections of a briefing."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from rag.answer.annotate import dated
from rag.digest.events import Happening, chosen, ordered
from rag.digest.excerpts import Pool, gather, lexical_vectors, of_window, unit
from rag.digest.extractive import Budget, Check, Content, choose, content_of, stated
from rag.digest.news import News, statement_of
from rag.models.embeddings import Vector
from rag.models.injection import is_order
from rag.schema import Article, Section, Statement, Window
from rag.store.catalog import Catalog
from rag.store.embedding_table import StoredPassage

MOST_THEMES = 5
_MOST_CLUSTERED, _MOST_PASSAGES = 400, 80
"""Articles that are clustered, the latest; passages that are read on a theme, of its most central articles."""
_MOST_READ, _MOST_DAYS = 20_000, 7
"""Passages of a window that are all read; days of news that are read of more, and for what is not known."""
_LONGEST_HEADING, _MOST_HEADLINES = 60, 5
"""Characters of a heading; the headlines, the most central first, of which one that is short enough is taken."""
_LEADS, _MOST_READ_FIRST, _MOST_LEADS = 4, 2000, 3000
"""Sentences of a theme's articles that a model gets; passages and sentences read of all articles for events."""
THEMES, _NEW, _OPEN = 1.0, 0.25, 0.15
"""The shares of the words for all themes, for what is new and for what is not known."""
_FEWEST_WORDS = 35
_NOT_KNOWN = re.compile(
    r"\b(?:not (?:yet |immediately |independently )?(?:been )?(?:clear|known|certain|verified|confirmed|determined)|"
    r"unclear|unknown|uncertain|unconfirmed|remains? to be seen|whether or not|"
    r"could not (?:be )?(?:\w+ly )?(?:verified|confirmed|reached)|no (?:immediate )?(?:comment|confirmation)|"
    r"declined to (?:say|comment))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """Articles of one cluster: their sentences, and the headline of the most central one as the heading."""

    heading: str
    pool: Pool
    ids: frozenset[str]

    @property
    def leads(self) -> Pool:
        """The first sentences of each article: a report starts with what matters most."""
        return _first_sentences(self.pool, max(1, _LEADS // len(self.pool.articles)))


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """The articles of a window: their themes, and their first sentences."""

    themes: tuple[Theme, ...]
    leads: Pool


@dataclass(frozen=True, slots=True, eq=False)
class Latest:
    """The sentences of the last day of news, the day before, and the vectors of all passages until then."""

    day: date | None
    before: date | None
    pool: Pool
    earlier: Vector


def divided(catalog: Catalog, window: Window) -> Division:
    """The articles that a window admits, in at most `MOST_THEMES` clusters, the largest first.

    Of a large library only the last days are read. Clusters are those of the stored vectors, or of the words while
    there are none.
    """
    if catalog.passage_count(window) > _MOST_READ and (days := catalog.days(window, most=_MOST_DAYS)):
        window = replace(window, since=days[-1])
    rows: dict[str, list[StoredPassage]] = defaultdict(list)
    with catalog.snapshot():
        for row in catalog.passages(catalog.admitted(window)):
            rows[row.passage.article_id].append(row)
        articles = catalog.articles(rows)
    articles = sorted(articles, key=lambda a: (str(a.published or ""), a.id), reverse=True)[:_MOST_CLUSTERED]
    if not articles:
        return Division((), gather([], {}))
    vectors = _vectors(articles, rows)
    found: list[Theme] = []
    for places in clustered(vectors):
        center = vectors[places].sum(axis=0)
        central = [articles[i] for i in sorted(places, key=lambda i: (-float(vectors[i] @ center), articles[i].id))]
        read = [row for article in central for row in rows[article.id]][:_MOST_PASSAGES]
        pool = gather(read, {article.id: article for article in central})
        heading = _heading(central, {theme.heading for theme in found})
        found.append(Theme(heading, pool, frozenset(article.id for article in central)))
    each = max(1, _MOST_READ_FIRST // len(articles))
    starts = [row for article in articles for row in rows[article.id][:each]]
    leads = _first_sentences(
        gather(starts, {article.id: article for article in articles}), _MOST_LEADS // len(articles)
    )
    return Division(tuple(found), leads)


def _first_sentences(pool: Pool, most: int) -> Pool:
    seen: Counter[str] = Counter()
    places: list[int] = []
    for place, excerpt in enumerate(pool.excerpts):
        seen[excerpt.article.id] += 1
        if seen[excerpt.article.id] <= most:
            places.append(place)
    return pool.only(places)


def themed(found: News, themes: Sequence[Theme], room: Budget, check: Check) -> list[Section]:
    """The events of most weight that fit, in order of time below the theme of their article."""
    picked = chosen(found.events, found.pool, room)
    rows = {h.places: statement_of(h, found.pool, check) for h in picked}
    sections: list[Section] = []
    for theme in themes:
        own = [h for h in picked if found.pool.excerpts[h.places[0]].article.id in theme.ids]
        if own:
            sections.append(Section(theme.heading, tuple(dated([rows[h.places] for h in ordered(own)]))))
    return sections


def latest_news(catalog: Catalog, window: Window) -> Latest:
    """What the last day of a window reports, and what was there before."""
    days = catalog.days(window)
    nothing = np.zeros((0, 1), np.float32)
    if len(days) < 2:
        return Latest(days[0] if days else None, None, of_window(catalog, window), nothing)
    until = min(filter(None, (window.until, days[1])))
    earlier = catalog.vectors(replace(window, until=until))
    latest = of_window(catalog, replace(window, since=days[0]))
    return Latest(days[0], days[1], latest, earlier.matrix if earlier.ids else nothing)


def budget(words: int, share: float) -> Budget:
    """The room of a section that has a share of the words."""
    return Budget(max(_FEWEST_WORDS, round(words * share)), max(1, round(words * share / 18)))


def new_section(
    found: Latest, events: Sequence[Happening], words: int, check: Check, taken: Sequence[Content]
) -> Section:
    """The events of the last day that are least like anything before."""
    if found.day is None or found.before is None:
        return Section("New", (), "All articles are of one day, so there is no day before to compare with.")
    pool = found.pool.only([happening.places[0] for happening in events])
    scores = np.ones(len(pool.excerpts), np.float32)
    if pool.excerpts and pool.embedded and len(found.earlier):
        scores = 1 - np.maximum(0, pool.vectors @ found.earlier.T).max(axis=1)
    statements = _statements(pool, scores, budget(words, _NEW), check, taken)
    heading = f"New on {found.day}, compared with what was published until {found.before}"
    return Section(heading, statements, None if statements else "Nothing new.")


def unknown_section(
    pools: Sequence[Pool], day: date | None, words: int, check: Check, taken: Sequence[Content]
) -> Section:
    """What the articles of the week until the last day of news say is not known; what older ones say may be by now."""
    room, statements = budget(words, _OPEN), list[Statement]()
    for pool in pools:
        recent = [i for i, excerpt in enumerate(pool.excerpts) if _is_recent(excerpt.article.known_day, day)]
        places = [i for i in recent if _NOT_KNOWN.search(pool.excerpts[i].sentence)]
        left = Budget(room.words - sum(len(s.text.split()) for s in statements), room.most - len(statements))
        before = [*taken, *(content_of(s.text) for s in statements)]
        statements += _statements(pool.only(places), np.ones(len(places), np.float32), left, check, before)
    note = None if statements else "Nothing was found that the latest articles call unknown."
    return Section("Not known", tuple(statements), note)


def _is_recent(published: date | None, day: date | None) -> bool:
    return published is None or day is None or (day - published).days < _MOST_DAYS


def clustered(vectors: Vector) -> list[list[int]]:
    """The rows in at most `MOST_THEMES` clusters, the largest first.

    Agglomerative clustering by Ward's criterion; of the divisions into at least two and at most half as many clusters
    as rows, the one with the best simplified silhouette (Hruschka, de Castro and Campello 2004).
    """
    count = len(vectors)
    best, found = -np.inf, [list(range(count))]
    clusters, sizes = {place: [place] for place in range(count)}, np.ones(count)
    costs = np.round(1 - (vectors @ vectors.T).astype(np.float64), 6)
    np.fill_diagonal(costs, np.inf)
    while len(clusters) > 2:
        one, two = divmod(int(costs.argmin()), count)
        # The cost of a merger with the union, by the formula of Lance and Williams (1967).
        sums = (sizes + sizes[one]) * costs[one] + (sizes + sizes[two]) * costs[two] - sizes * costs[one, two]
        costs[one] = costs[:, one] = np.round(sums / (sizes + sizes[one] + sizes[two]), 6)
        costs[two] = costs[:, two] = np.inf
        sizes[one] += sizes[two]
        clusters[one] = sorted(clusters[one] + clusters.pop(two))
        if len(clusters) <= min(MOST_THEMES, count // 2):
            division = sorted(clusters.values())
            if (value := _silhouette(division, vectors)) > best:
                best, found = value, division
    return sorted(found, key=lambda places: (-len(places), places))


def _silhouette(clusters: Sequence[list[int]], vectors: Vector) -> float:
    """How much nearer the rows are to the center of their own cluster than to the next one, 1 at most; alone 0."""
    centers = np.array([vectors[places].mean(axis=0) for places in clusters])
    values: list[float] = []
    for own, places in enumerate(clusters):
        for place in places:
            distances = np.linalg.norm(centers - vectors[place], axis=1)
            near, other = float(distances[own]), float(np.delete(distances, own).min())
            values.append((other - near) / (max(near, other) or 1.0) if len(places) > 1 else 0.0)
    return float(np.mean(values))


def _vectors(articles: Sequence[Article], rows: Mapping[str, Sequence[StoredPassage]]) -> Vector:
    """A unit vector for each article: the mean of its passages, or of its words if one has no vector."""
    stored = [[row.vector for row in rows[article.id] if row.vector is not None] for article in articles]
    if all(len(known) == len(rows[a.id]) for a, known in zip(articles, stored, strict=True)):
        return unit(np.array([np.mean(known, axis=0) for known in stored], np.float32))
    return lexical_vectors([f"{article.title}. {article.text}" for article in articles])


def _heading(articles: Sequence[Article], used: set[str]) -> str:
    """One of the first headlines that is short enough, else the first, shortened; none that another theme has."""
    titles = [" ".join(article.title.split()) for article in articles if not is_order(article.title)]
    first = sorted(filter(None, titles[:_MOST_HEADLINES]), key=lambda title: len(title) > _LONGEST_HEADING)
    found = map(_shortened, [*first, *filter(None, titles[_MOST_HEADLINES:])])
    return next((title for title in found if title not in used), f"Theme {len(used) + 1}")


def _shortened(title: str) -> str:
    if len(title) <= _LONGEST_HEADING:
        return title
    start = title[: _LONGEST_HEADING + 1]
    pause = max(start.rfind(mark) for mark in (", ", "; ", ": ", " - ", " – ", " — ", " | "))
    return start[:pause] if pause > _LONGEST_HEADING // 3 else start[: start.rfind(" ")].rstrip(",;:") + "…"


def _statements(
    pool: Pool, scores: Vector, room: Budget, check: Check, taken: Sequence[Content]
) -> tuple[Statement, ...]:
    return tuple(dated([stated(pool.excerpts[i], check) for i in choose(pool, scores, room, taken=taken)]))
