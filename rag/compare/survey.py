"""Finds what the articles of a library say differently from one another, without a question."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain

from rag.retrieval.near_duplicates import clusters, contained
from rag.rules.comparability import comparable
from rag.rules.differences import COMMON, Account, account, differences, is_report, may_be_one_day
from rag.rules.happenings import happening
from rag.rules.stances import Asked, Side, amounts, at_first, kinds, same, side, things, turned
from rag.schema import Article, Citation, Conflict, Dispute, Position, Span
from rag.text.injection import is_ordered
from rag.text.names import names
from rag.text.quantities import Quantity
from rag.text.sentences import sentences
from rag.text.speakers import voice
from rag.text.words import COUNTRIES, STOP_WORDS, content_words, stem

_DAYS_OF_SIDES, _DAYS = 3, 30
_ALIKE, _DENIED, _FEWEST = 0.6, 0.4, 2
_COPIED = 0.8
_COUNTRIES = frozenset(map(stem, COUNTRIES))
_COMMON = frozenset(("afghanistan", "afghan", "afghans", "taliban", "american", "united states", "us"))


def contention(articles: Iterable[Article]) -> tuple[Conflict, ...]:
    """The conflicts and superseded numbers among articles, the latest first; copies of one report say it once.

    Two sentences are held against one another if they tell the same kind of thing of the same names at about the same
    time. Citations are numbered through, each from the sentence it stands for.
    """
    told = [found for article in _original(articles) for found in _told(article)]
    by_name: dict[str, list[_Told]] = defaultdict(list)
    for item in told:
        for name in item.names:
            by_name[name].append(item)
    shares = [item for item in told if item.number and item.number.unit == "%"]
    pairs = chain(
        (p for item in told for p in _pairs(item, by_name)), (p for item in shares for p in _shares(item, shares))
    )
    found = {(_key(pair), pair.kind): pair for pair in pairs}
    ordered = sorted(found.values(), key=lambda p: (-p.later.day.toordinal(), p.later.article.id, p.later.span.start))
    return tuple(_conflict(pair, 2 * place + 1) for place, pair in enumerate(ordered))


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """A sentence with what is compared of it; `names` are also those of the two sentences before it."""

    article: Article
    span: Span
    text: str
    speaker: str | None
    stems: frozenset[str]
    names: frozenset[str]
    acts: frozenset[str]
    number: Quantity | None
    against: bool
    account: Account | None

    @property
    def day(self) -> date:
        return self.article.published.day if self.article.published else date.min

    @property
    def told(self) -> frozenset[str]:
        return happening(self.article, self.span).stems


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    kind: Dispute
    later: _Told
    earlier: _Told
    values: tuple[str, str]


def _original(articles: Iterable[Article]) -> Iterator[Article]:
    """Each report once, with those of its copies that say something else."""
    for cluster in clusters(articles):
        yield cluster[0]
        yield from (copy for copy in cluster[1:] if contained(copy.text, [cluster[0].text]) < _COPIED)


def _told(article: Article) -> Iterator[_Told]:
    spans = sentences(article.text)
    stems = [frozenset(content_words(article.text[s.start : s.end])) for s in spans]
    for place, span in enumerate(spans):
        text, first = article.text[span.start : span.end], max(0, place - 2)
        acts, found = kinds(text), account(article, span)
        if not (acts or found) or is_ordered(article, span):
            continue
        said_by = voice(article.text, span)
        before = article.text[spans[first].start : span.end]
        about = frozenset(n.text.casefold() for n in names(before)) - _COMMON
        speaker = said_by.name if said_by else None
        number = next((q for q in amounts(text, None) if things(q, text)), None) if acts else None
        against = side(text, speaker, Asked(frozenset(), False, acts, about)) is Side.NOT_SO
        yield _Told(article, span, text, speaker, stems[place], about, acts, number, against, found)


def _pairs(item: _Told, by_name: dict[str, list[_Told]]) -> Iterator[_Pair]:
    """What others say of the same: for a number the nearest other one, for a denial the nearest that says it is so."""
    everyone = {id(o): o for name in sorted(item.names) for o in by_name[name] if o is not item}
    yield from _accounts(item, everyone.values())
    if not item.against and not item.number:
        return
    others = {key: o for key, o in everyone.items() if o.acts & item.acts}
    near = sorted(others.values(), key=lambda o: (-len(o.stems & item.stems), o.article.id, o.span.start))
    if item.against:
        yield from (_sides(item, o) for o in [o for o in near if _opposes(item, o)][:1])
    if item.number:
        yield from (_numbers(item, o) for o in [o for o in near if _counts_otherwise(item, o)][:1])


def _opposes(item: _Told, other: _Told) -> bool:
    """Whether it says what another one denies, in enough of the same words."""
    if other.against or other.speaker == item.speaker or abs((item.day - other.day).days) > _DAYS_OF_SIDES:
        return False
    if item.text.rstrip().endswith("?") or not is_report(other.text):
        return False
    shared, least = item.told & other.told, min(len(item.told), len(other.told))
    named = item.article.id == other.article.id or bool(shared & happening(item.article, item.span).names - COMMON)
    return len(shared) >= max(_FEWEST if named else _FEWEST + 1, _DENIED * least) and bool(shared & item.acts)


def _counts_otherwise(item: _Told, other: _Told) -> bool:
    """Whether it has another number of the same things, with enough of the same words."""
    mine, theirs = item.number, other.number
    if not mine or not theirs or mine.unit != theirs.unit or same(mine, theirs):
        return False
    if item.article.id == other.article.id and (item.speaker == other.speaker or not (item.speaker and other.speaker)):
        return False
    a, b = things(mine, item.text), things(theirs, other.text)
    shared, least = item.stems & other.stems, min(len(item.stems), len(other.stems)) - 1
    if not comparable(mine, item.text, theirs, other.text) or not may_be_one_day(item.account, other.account):
        return False
    return bool(a & b) and len(shared) >= _ALIKE * least and abs((item.day - other.day).days) <= _DAYS


def _shares(item: _Told, others: Iterable[_Told]) -> Iterator[_Pair]:
    """The nearest later one that gives another share of the same things to the same side: a third, then half."""
    later = [o for o in others if o.day > item.day and _shares_otherwise(item, o)]
    yield from (_numbers(item, o) for o in sorted(later, key=_by_day)[-1:])


def _shares_otherwise(item: _Told, other: _Told) -> bool:
    mine, theirs = item.number, other.number
    if not mine or not theirs or same(mine, theirs) or not comparable(mine, item.text, theirs, other.text):
        return False
    if not item.acts & other.acts or (other.day - item.day).days > _DAYS:
        return False
    a, b = happening(item.article, item.span), happening(other.article, other.span)
    holders = (a.names & b.names) - _COUNTRIES
    parts = (things(mine, item.text) & things(theirs, other.text)) - STOP_WORDS - _COUNTRIES
    return a.place == b.place and bool(holders) and bool(parts)


def _accounts(item: _Told, others: Iterable[_Told]) -> Iterator[_Pair]:
    """What others tell otherwise of the same happening, each pair from its later side."""
    for other in others:
        if item.account and other.account and _by_day(other) < _by_day(item):
            for found in differences(item.account, other.account):
                yield _Pair(Dispute.CONFLICT, item, other, (found.first, found.second))


def _sides(item: _Told, other: _Told) -> _Pair:
    """A denial that is told of as past is superseded by what the same day's articles say."""
    later, earlier = sorted((item, other), key=_by_day, reverse=True)
    past = at_first(item.text)
    if past and later.day == earlier.day:
        later, earlier = other, item
    turns = past or (later is item and later.day > earlier.day and turned(later.text))
    values = tuple((Side.NOT_SO if t is item else Side.SO).value for t in (later, earlier))
    return _Pair(Dispute.SUPERSEDED if turns else Dispute.CONFLICT, later, earlier, (values[0], values[1]))


def _numbers(item: _Told, other: _Told) -> _Pair:
    later, earlier = sorted((item, other), key=_by_day, reverse=True)
    values = tuple(t.number.text if t.number else "" for t in (later, earlier))
    kind = Dispute.CONFLICT if later.day == earlier.day else Dispute.SUPERSEDED
    return _Pair(kind, later, earlier, (values[0], values[1]))


def _by_day(told: _Told) -> tuple[date, str, int]:
    return told.day, told.article.id, told.span.start


def _key(pair: _Pair) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((t.article.id, t.span.start) for t in (pair.later, pair.earlier)))


def _conflict(pair: _Pair, first: int) -> Conflict:
    shared = [n.text for n in names(f"{pair.later.text} {pair.earlier.text}")]
    topic = next((n for n in shared if n.casefold() in pair.later.names & pair.earlier.names), "")
    told = zip((pair.later, pair.earlier), pair.values, strict=True)
    return Conflict(pair.kind, topic, tuple(_position(t, v, n) for n, (t, v) in enumerate(told, start=first)))


def _position(told: _Told, value: str, number: int) -> Position:
    start, end = told.span.start, told.span.end
    return Position(value, Citation(number, told.article, "", start, end, told.article.text[start:end]), told.speaker)
