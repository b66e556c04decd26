"""Lays side by side what sources say differently to a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import combinations

from rag.retrieval.query import Kind, Query
from rag.retrieval.rerank import Sentence
from rag.retrieval.retriever import Retrieved
from rag.rules.comparability import comparable, peoples
from rag.rules.differences import COMMON, About, Account, account, differences, may_be_one_day
from rag.rules.stances import Asked, Side, amounts, asked, at_first, plain, same, side, turned
from rag.schema import Article, Citation, Conflict, Dispute, Position
from rag.text.names import names
from rag.text.quantities import Quantity
from rag.text.speakers import voice
from rag.text.words import words

_COVERS, _COVERS_OF_SIDES = 0.84, 0.65
_DAYS = 3
_MOST = 4


def disagreements(query: Query, retrieved: Retrieved) -> tuple[Conflict, ...]:
    """The conflicts and superseded facts among what was found for a question, positions with the latest first.

    Two values of the same thing, or two sides, are a conflict if they were published at the same time; of values and
    sides that were published later the earlier ones are superseded. Citations are numbered from 1 in their order.
    """
    to = asked(query.text, query.terms)
    told = list(_told(to, retrieved))
    found = [
        *_of_numbers(to, told),
        *_of_sides(to, told, named=bool(_named([query.text]))),
        *_of_accounts(query.kind, told),
    ]
    return tuple(_conflict(query.text, kind, views) for kind, views in found)


@dataclass(frozen=True)
class _Told:
    """A sentence that is about what is asked, with its article and who says it."""

    sentence: Sentence
    article: Article
    speaker: str | None
    around: frozenset[str]
    """The stems of the sentence, of the two before it, and of the header where no place is asked about."""
    named: frozenset[str]
    """The names in the sentence and the two before it, without those of the sides and their countries."""

    @property
    def day(self) -> date:
        return self.article.published.day if self.article.published else date.min

    @cached_property
    def account(self) -> Account | None:
        """What it tells to have happened."""
        return account(self.article, self.sentence.span)


@dataclass(frozen=True, slots=True)
class _View:
    """What a sentence holds: a number, a side, or the name of a day, a place or a person."""

    told: _Told
    value: Quantity | Side | str


def _told(to: Asked, retrieved: Retrieved) -> Iterator[_Told]:
    """The sentences of the passages that have about all of what the question is about, the best first."""
    articles = {hit.passage.id: hit.article for hit in retrieved.hits}
    covered = {hit.passage.id: _covers(to, hit.article, retrieved, hit.passage.id) for hit in retrieved.hits}
    least = (_COVERS if to.counted or to.share else _COVERS_OF_SIDES) * max(covered.values(), default=0.0)
    for place, s in sorted(enumerate(retrieved.sentences), key=lambda found: (-found[1].score, found[0])):
        article, last = articles[s.passage_id], retrieved.sentences[max(0, place - 2) : place + 1]
        if covered[s.passage_id] >= max(least, 0.5):
            found = voice(article.text, s.span)
            near = [other for other in last if other.passage_id == s.passage_id]
            top = frozenset() if "hold" in to.acts else frozenset(words(article.header))
            around = top.union(*(other.stems for other in near))
            yield _Told(s, article, found.name if found else None, around, _named(other.text for other in near))


def _covers(to: Asked, article: Article, retrieved: Retrieved, passage_id: str) -> float:
    """The share of what the question is about that a passage has, its header included."""
    has = frozenset(words(article.header)).union(*(s.stems for s in retrieved.sentences if s.passage_id == passage_id))
    return len(to.subjects & has) / len(to.subjects) if to.subjects else 1.0


def _of_numbers(to: Asked, told: Sequence[_Told]) -> Iterator[tuple[Dispute, list[_View]]]:
    """Each value by the first that has it; a conflict of those of one day, and what the latest supersedes."""
    if not to.counted and not to.share:
        return
    views = [_View(t, q) for t in told for q in amounts(t.sentence.text, to)[:1] if _of_its_people(q, t, to)]
    views = [v for v in views if v is views[0] or _counts_the_same(v, views[0])]
    firsts = [v for i, v in enumerate(views) if not any(_agree(v, other) or _one(v, other) for other in views[:i])]
    firsts = sorted(firsts[:_MOST], key=lambda v: v.told.day, reverse=True)
    if len(firsts) < 2:
        return
    latest = firsts[0].told.day
    newest = [v for v in firsts if v.told.day == latest]
    older = [v for v in firsts if v.told.day < latest]
    if len(newest) > 1:
        yield Dispute.CONFLICT, newest
    if older:
        yield Dispute.SUPERSEDED, [newest[0], *older]
    by_day = [[v for v in older if v.told.day == day] for day in dict.fromkeys(v.told.day for v in older)]
    yield from ((Dispute.CONFLICT, views) for views in by_day if len(views) > 1)


def _of_its_people(quantity: Quantity, told: _Told, to: Asked) -> bool:
    """Whether it counts those of the country that is asked about, or tells of no other one."""
    wanted, found = to.countries, peoples(quantity, told.sentence.text)
    return not wanted or not found or bool(wanted & found)


def _counts_the_same(a: _View, b: _View) -> bool:
    """Whether two numbers can be of the same, and not of two days."""
    assert isinstance(a.value, Quantity)
    assert isinstance(b.value, Quantity)
    return may_be_one_day(a.told.account, b.told.account) and comparable(
        a.value, a.told.sentence.text, b.value, b.told.sentence.text
    )


def _agree(a: _View, b: _View) -> bool:
    return isinstance(a.value, Quantity) and isinstance(b.value, Quantity) and same(a.value, b.value)


def _one(a: _View, b: _View) -> bool:
    """Whether one article, or one speaker of it, says both: that is no contradiction, they are of different things."""
    speakers = {a.told.speaker, b.told.speaker}
    return a.told.article.id == b.told.article.id and (len(speakers) == 1 or None in speakers)


def _of_sides(to: Asked, told: Sequence[_Told], *, named: bool) -> Iterator[tuple[Dispute, list[_View]]]:
    """Two sides of about the same days are a conflict, unless the later one tells that it was turned back.

    They are of one thing if the question has it `named`, else if they themselves name the same.
    """
    if not to.acts or to.counted or to.share:
        return
    near = sorted((t for t in told if _is_about(to, t)), key=lambda t: _directness(t, to))  # stable
    views = [_View(t, s) for t in near if (s := side(t.sentence.text, t.speaker, to))]
    so = [v for v in views if v.value is Side.SO]
    against = [v for v in views if v.value is Side.NOT_SO]
    seen: set[Dispute] = set()
    for pair in ((a, b) for a in so for b in against if named or _of_one_thing(a.told, b.told)):
        later, earlier = sorted(pair, key=lambda v: (v.told.day, not at_first(v.told.sentence.text)), reverse=True)
        kind = _dispute(later, earlier)
        if kind and kind not in seen:
            seen.add(kind)
            yield kind, [later, earlier]


def _of_one_thing(a: _Told, b: _Told) -> bool:
    """Whether they have a name in common, if both have names: two towns that were taken are two things."""
    return not a.named or not b.named or bool(a.named & b.named)


def _named(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(name.text.casefold() for text in texts for name in names(text)) - COMMON


def _is_about(to: Asked, told: _Told) -> bool:
    """Whether at least half of what is asked about is in a sentence or around it."""
    shared = to.subjects & told.around
    return bool(shared) and 2 * len(shared) >= len(to.subjects)


_KINDS = {
    Kind.DATE: {About.DATE},
    Kind.PLACE: {About.PLACE},
    Kind.PERSON: {About.DOER, About.HOLDER},
    Kind.OTHER: set(About),
}


def _of_accounts(kind: Kind, told: Sequence[_Told]) -> Iterator[tuple[Dispute, list[_View]]]:
    """The first two that tell otherwise what is asked: when it was, where, who did it, or who holds the office."""
    seen: set[About] = set()
    for a, b in combinations([t for t in told if t.account], 2):
        for found in differences(a.account, b.account) if a.account and b.account else ():
            if found.about in _KINDS.get(kind, ()) and found.about not in seen:
                seen.add(found.about)
                views = [_View(a, found.first), _View(b, found.second)]
                yield Dispute.CONFLICT, sorted(views, key=lambda v: v.told.day, reverse=True)


def _directness(told: _Told, to: Asked) -> tuple[int, bool]:
    """Sorts what itself names what is asked about, and says it plainly, first."""
    return -len(to.subjects & told.sentence.stems), not plain(told.sentence.text)


def _dispute(later: _View, earlier: _View) -> Dispute | None:
    """None if a denial of later days is of something else, since nothing tells that it was turned back."""
    if at_first(earlier.told.sentence.text):
        return Dispute.SUPERSEDED
    apart = (later.told.day - earlier.told.day).days
    if apart > 0 and turned(later.told.sentence.text):
        return Dispute.SUPERSEDED
    if apart <= _DAYS:
        return Dispute.CONFLICT
    return Dispute.SUPERSEDED if later.value is Side.SO else None


def _conflict(topic: str, kind: Dispute, views: Sequence[_View]) -> Conflict:
    return Conflict(kind, topic, tuple(_position(n, view) for n, view in enumerate(views, start=1)))


def _position(number: int, view: _View) -> Position:
    sentence, article = view.told.sentence, view.told.article
    start, end = sentence.span.start, sentence.span.end
    citation = Citation(number, article, sentence.passage_id, start, end, article.text[start:end])
    value = view.value.text if isinstance(view.value, Quantity) else str(view.value)
    return Position(value, citation, view.told.speaker)
