"""Finds what other articles report as well, and what they say otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.checks.document import Find, Region
from rag.compare.relation import (
    LEAST_COSINE,
    Relation,
    Report,
    ReportedSentence,
    day_of,
    holds,
    may_be_compared,
    outlet,
    related,
)
from rag.compare.replies import denies, overtakes
from rag.compare.sides import sides
from rag.models.injection import is_ordered
from rag.retrieval.near_duplicates import clusters
from rag.retrieval.retriever import Index, Retrieved
from rag.schema import Article, Citation, Conflict, Dispute, Position, Span, Statement, Verdict
from rag.store.catalog import Catalog
from rag.store.embedding_table import StoredPassage
from rag.text.names import names
from rag.text.sentences import sentences
from rag.text.speakers import voice

_MOST_BESIDE, _MOST = 6, 500
"""How many reports are compared with a sentence of a statement, and how many pairs of a library."""
_BLOCK = 512
_FEWEST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Corroborated:
    """Statements with the outlets that report them, and what other articles say otherwise."""

    statements: tuple[Statement, ...]
    conflicts: tuple[Conflict, ...]


def reports(stored: Iterable[StoredPassage], articles: Mapping[str, Article]) -> list[ReportedSentence]:
    """The sentences of passages that were embedded, without questions and those addressed to a program."""
    found: dict[tuple[str, int], ReportedSentence] = {}
    for row in stored:
        article, passage = articles[row.passage.article_id], row.passage
        spans = sentences(passage.text)
        vectors = row.of_sentences(len(spans))
        for sentence, vector in zip(spans, () if vectors is None else vectors, strict=False):
            span = Span(passage.start + sentence.start, passage.start + sentence.end)
            text = " ".join(article.text[span.start : span.end].split())
            if len(text.split()) >= _FEWEST_WORDS and not text.endswith("?") and not is_ordered(article, span):
                found.setdefault((article.id, span.start), ReportedSentence(article, passage.id, span, text, vector))
    return list(found.values())


def compared(statements: Sequence[Statement], retrieved: Retrieved, index: Index) -> Corroborated:
    """The statements held against what was retrieved with them."""
    hits = retrieved.hits if statements else ()
    stored = index.catalog.passages([hit.passage.id for hit in hits])
    near = reports(stored, {hit.article.id: hit.article for hit in hits})
    return held_against(statements, near, retrieved.origins)


def differences(statements: Sequence[Statement], retrieved: Retrieved, index: Index) -> tuple[Conflict, ...]:
    """What other articles say otherwise than statements, else what they answer otherwise to the same question."""
    if found := compared(statements, retrieved, index).conflicts:
        return found
    answers = sides(statements, retrieved)
    revised = all(side.is_revisable for side in answers)
    return (_conflict([(s.report, s.value) for s in answers], 1, revised=revised),) if answers else ()


def with_reporters(statements: Sequence[Statement], find: Find, index: Index) -> tuple[Statement, ...]:
    """The statements of a checked draft, the supported ones with the outlets that report what each cites first."""
    return tuple(
        replace(s, outlets=_reporters(s, find(s.text), index)) if s.verdict is Verdict.SUPPORTED and s.citations else s
        for s in statements
    )


def _reporters(statement: Statement, regions: Sequence[Region], index: Index) -> tuple[str, ...]:
    articles = {region.article.id: region.article for region in regions}
    origins = {article.id: copies[0] for copies in clusters(articles.values()) for article in copies}
    near = reports(index.catalog.passages([region.passage_id for region in regions]), articles)
    (found,) = held_against([replace(statement, citations=statement.citations[:1])], near, origins).statements
    return found.outlets


def held_against(
    statements: Sequence[Statement], given: Sequence[ReportedSentence], origins: Mapping[str, Article]
) -> Corroborated:
    """The statements with the outlets that report them, and the conflicts, one a sentence at most.

    An outlet reports a statement if it has every sentence that is cited. Copies of one report count once, as the
    outlet of their `origins`; so do the articles of one outlet. Citations of each conflict are numbered from 1.
    """
    cited = [[r for r in given if any(holds(c, r) for c in s.citations)] for s in statements]
    own = list({id(r): r for found in cited for r in found}.values())
    found = {id(r): [related(r, other) for other in _nearest(r, given)] for r in own}
    outlets = (_outlets(s, [found[id(r)] for r in held], origins) for s, held in zip(statements, cited, strict=True))
    firsts = [next((r for r in found[id(report)] if r.conflict), None) for report in own]
    conflicts = {frozenset((id(r.first), id(r.second))): r for r in firsts if r}
    return Corroborated(
        tuple(replace(s, outlets=o) for s, o in zip(statements, outlets, strict=True)),
        tuple(_conflict(_valued(relation), 1) for relation in conflicts.values()),
    )


def conflicts(catalog: Catalog, ids: Sequence[str]) -> tuple[Conflict, ...]:
    """What passages say differently from one another, the latest first."""
    with catalog.snapshot():
        stored = catalog.passages(ids)
        articles = catalog.articles({row.passage.article_id for row in stored})
    return contention(reports(stored, {article.id: article for article in articles}))


def contention(given: Sequence[ReportedSentence]) -> tuple[Conflict, ...]:
    """The conflicts among reports, the latest first; what several articles repeat is compared once.

    Citations are numbered from 1 through all conflicts; each cites its sentence.
    """
    by_day = sorted(given, key=lambda r: (day_of(r), r.article.id, r.span.start))
    distinct = list({r.text: r for r in reversed(by_day)}.values())[::-1]
    pairs = sorted(_alike(distinct), key=lambda p: -float(p[0].vector @ p[1].vector))[:_MOST]
    taken: set[int] = set()
    found: list[Relation] = []
    for relation in (related(a, b) for a, b in pairs):
        both = {id(relation.first), id(relation.second)}
        if relation.conflict and not both & taken:
            found.append(relation)
            taken |= both
    found.sort(
        key=lambda r: (-max(day_of(r.first), day_of(r.second)).toordinal(), r.first.article.id, r.first.span.start)
    )
    return tuple(_conflict(_valued(relation), 2 * place + 1) for place, relation in enumerate(found))


def reply(report: Report, others: Sequence[Report]) -> Conflict | None:
    """What another article says to a report, or the report to it: that it is not so, else the latest on its plan.

    Citations are numbered from 1.
    """
    pairs = [(a, b) for other in others for a, b in ((other, report), (report, other)) if denies(a, b)]
    if pairs:
        later, first = pairs[0]
        positions = _position(later, "not so", 1), _position(first, "so", 2)
        return Conflict(Dispute.CONFLICT, _topic(later, first), positions)
    days = [(other, day) for other in others if (day := overtakes(other, report))]
    if not days:
        return None
    last, day = max(days, key=lambda found: day_of(found[0]))
    positions = _position(last, day, 1), _position(report, day, 2)
    return Conflict(Dispute.SUPERSEDED, _topic(last, report), positions)


def _nearest(report: ReportedSentence, given: Sequence[ReportedSentence]) -> list[ReportedSentence]:
    """The reports of other articles, of about the same days, that are nearest to one, the nearest first."""
    others = [(float(report.vector @ o.vector), o) for o in given if may_be_compared(report, o)]
    near = sorted(
        (pair for pair in others if pair[0] >= LEAST_COSINE), key=lambda p: (-p[0], p[1].article.id, p[1].span.start)
    )
    return [other for _, other in near[:_MOST_BESIDE]]


def _alike(given: Sequence[ReportedSentence]) -> Iterator[tuple[ReportedSentence, ReportedSentence]]:
    """The pairs of reports that are nearly alike, each once."""
    if not given:
        return
    vectors = np.array([r.vector for r in given], np.float32)
    for start in range(0, len(given), _BLOCK):
        for row, column in np.argwhere(vectors[start : start + _BLOCK] @ vectors.T >= LEAST_COSINE):
            a, b = given[start + row], given[column]
            if start + row < column and may_be_compared(a, b):
                yield a, b


def _outlets(
    statement: Statement, found: Sequence[Sequence[Relation]], origins: Mapping[str, Article]
) -> tuple[str, ...]:
    own = [origins.get(c.article.id, c.article) for c in statement.citations]
    known = {a.id for a in own}
    told = [[origins.get(r.second.article.id, r.second.article) for r in row if r.same] for row in found]
    by_all = set.intersection(*({outlet(a) for a in row} for row in told)) if told else set()
    others = [a for row in told for a in row if a.id not in known and outlet(a) in by_all]
    return tuple(dict.fromkeys(map(outlet, sorted([*own, *others], key=lambda a: (str(a.published), a.id)))))


def _conflict(given: Sequence[tuple[Report, str]], first: int, *, revised: bool = True) -> Conflict:
    """The latest report leads; the others are superseded if they are of days before and it may revise them.

    Citations are numbered from `first`.
    """
    ordered = sorted(given, key=lambda side: day_of(side[0]), reverse=True)
    latest, *earlier = (day_of(report) for report, _ in ordered)
    kind = Dispute.SUPERSEDED if revised and latest not in earlier else Dispute.CONFLICT
    positions = tuple(_position(report, value, number) for number, (report, value) in enumerate(ordered, first))
    return Conflict(kind, _topic(ordered[0][0], ordered[1][0]), positions)


def _valued(relation: Relation) -> list[tuple[Report, str]]:
    return [(relation.first, relation.values[0]), (relation.second, relation.values[1])]


def _position(report: Report, value: str, number: int) -> Position:
    article, span = report.article, report.span
    found = voice(article.text, span)
    quote = article.text[span.start : span.end]
    citation = Citation(number, article, report.passage_id, span.start, span.end, quote)
    return Position(value, citation, found.name if found else None)


def _topic(later: Report, earlier: Report) -> str:
    """The first name that both have."""
    known = {name.text.casefold() for name in names(earlier.text)}
    return next((name.text for name in names(later.text) if name.text.casefold() in known), "")
