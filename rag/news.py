"""Finds what new articles change: for a topic, for a figure, for an article that was cited, for a draft."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.files import write_private
from rag.library import Library
from rag.render.lines import differences, origin
from rag.retrieval.retriever import is_on
from rag.schema import Answer, Article, Conflict, Dispute, Failure, Statement, Verdict, Window
from rag.schema.articles import article_record
from rag.text.clean import one_line
from rag.text.quantities import quantities
from rag.text.sentences import sentences
from rag.text.words import content_words

_TOPICS = "topics.json"
_ALIKE = 0.6
"""The share of characters that two sentences have in common if one was made of the other."""
_MOST_TITLES = 20


@dataclass(frozen=True, slots=True)
class Change:
    """Something that matters: `kind` is new, revised, corrected or draft; `article` is the one it comes from."""

    kind: str
    text: str
    article: Article | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of a line of `rag watch --json`."""
        a = self.article
        return {"kind": self.kind, "text": self.text, "article": article_record(a) if a else None}

    def __str__(self) -> str:
        """One line."""
        told = ": ".join(filter(None, (origin(self.article) if self.article else "", self.text)))
        return f"{self.kind}: {told}"


@dataclass(frozen=True, slots=True)
class Revision:
    """An article with what it said before; None if it is new."""

    now: Article
    before: Article | None = None


@dataclass(frozen=True, slots=True)
class Interests:
    """What its user wants to know of: topics, or everything if there are none, and a draft."""

    topics: tuple[str, ...] = ()
    draft: str | None = None


def saved_topics(folder: Path) -> tuple[str, ...]:
    """The topics that are saved in a library's folder. Raises InputError if their file is none of ours."""
    file = folder / _TOPICS
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read ({one_line(str(error), 80)}); remove it") from None
    if not isinstance(found, list) or not all(isinstance(topic, str) and content_words(topic) for topic in found):
        raise InputError(f"{file} is no list of topics; remove it")
    return tuple(found)


def save_topics(folder: Path, topics: Sequence[str]) -> None:
    """Saves the topics of a library, for its user alone to read."""
    write_private(folder / _TOPICS, json.dumps(list(topics)))


@dataclass(slots=True)
class Desk:
    """Adds articles to a library and says what they change; it remembers what the draft was found to be."""

    library: Library
    interests: Interests
    _checked: Answer | None = field(default=None, init=False)

    def add(self, found: Sequence[Article | Failure], *, wait: float = 600) -> list[Change]:
        """What the articles among those change; they are added. Raises what `Library.add` does."""
        articles = [item for item in found if isinstance(item, Article)]
        catalog = self.library.catalog
        known = {old.id: old for article in articles for old in catalog.like(article)}
        before = self._check()
        self.library.add(*articles, wait=wait)
        stored = {now.id: now for article in articles for now in catalog.like(article)}
        every = [Revision(now, known.get(id)) for id, now in sorted(stored.items())]
        changed = [r for r in every if r.before is None or r.now.revision > r.before.revision]
        if not changed:
            return []
        self._checked = None
        return list(_changes(self.library, self.interests, changed, Drafts(before, self._check())))

    def _check(self) -> Answer | None:
        """The draft as the articles have it by now; None without a draft, or without articles."""
        if self.interests.draft and self._checked is None and self.library.catalog.article_count:
            self._checked = self.library.check(self.interests.draft)
        return self._checked


@dataclass(frozen=True, slots=True)
class Drafts:
    """A draft as it was checked before and as it is checked now."""

    before: Answer | None = None
    now: Answer | None = None


def since(library: Library, day: date, interests: Interests) -> list[Change]:
    """What the articles published on a day or later change, and what of the draft the earlier ones had supported.

    Raises EmptyLibraryError if there is no article.
    """
    found = [a for a in library.articles() if a.published and a.published.day >= day]
    changed = [Revision(article, next(iter(library.catalog.revisions(article.id)[-1:]), None)) for article in found]
    if not interests.draft:
        return list(_changes(library, interests, changed, Drafts()))
    before = library.check(interests.draft, window=Window(until=day - timedelta(days=1)))
    return list(_changes(library, interests, changed, Drafts(before, library.check(interests.draft))))


def _changes(library: Library, interests: Interests, changed: Sequence[Revision], drafts: Drafts) -> Iterator[Change]:
    """The changes, those of the latest articles first."""
    changed = sorted(changed, key=lambda revision: str(revision.now.published or ""), reverse=True)
    conflicts = _superseded(library, interests.topics, [revision.now for revision in changed])
    for revision in changed:
        if revision.before is None:
            yield from _new(revision.now, interests.topics)
        else:
            yield from _corrected(revision.now, revision.before, interests.topics, drafts.before)
    for conflict in conflicts:
        latest, *earlier = (position.citation for position in conflict.positions)
        told = "; ".join(f"“{_plain(c.quote)}” ({origin(c.article)})" for c in earlier)
        yield Change("revised", f"now “{_plain(latest.quote)}”, before {told}", latest.article)
    yield from _fallen(drafts, conflicts)


def _new(article: Article, topics: Sequence[str]) -> Iterator[Change]:
    on = [topic for topic in topics if is_on(article, topic)]
    if on or not topics:
        yield Change("new", f"on {', '.join(f'“{topic}”' for topic in on)}" if on else "", article)


def _corrected(now: Article, before: Article, topics: Sequence[str], draft: Answer | None) -> Iterator[Change]:
    """What an article says otherwise than before, if it was cited or is on a topic."""
    cited = [c.quote for c in (draft.citations if draft else ()) if c.article.id == now.id]
    if now.sha256 == before.sha256 or not (cited or not topics or any(is_on(now, topic) for topic in topics)):
        return
    gone = [quote for quote in dict.fromkeys(cited) if quote not in now.text]
    for quote in gone:
        yield Change("corrected", f"you cited “{_plain(quote)}”, which is no longer in it", now)
    if not gone:
        yield Change("corrected", "what you cited is still in it" if cited else "", now)
    for old, new in _refigured(before.text, now.text):
        yield Change("revised", f"now “{new}”, before “{old}” in the same article", now)


def _refigured(before: str, now: str) -> Iterator[tuple[str, str]]:
    """The sentences that have other figures than the one each was made of."""
    old, new = ([_plain(text[s.start : s.end]) for s in sentences(text)] for text in (before, now))
    left = [sentence for sentence in old if sentence not in new]
    for sentence in (s for s in new if s not in old):
        near = difflib.get_close_matches(sentence, left, 1, _ALIKE)
        if near and _figures(near[0]) != _figures(sentence) and _figures(near[0]) and _figures(sentence):
            yield near[0], sentence


def _figures(sentence: str) -> list[tuple[float, float, str]]:
    return [(q.low, q.high, q.unit) for q in quantities(sentence)]


def _superseded(library: Library, topics: Sequence[str], changed: Sequence[Article]) -> list[Conflict]:
    """The figures that one of the articles gives later than others, each once."""
    ids = {article.id for article in changed}
    wanted = [*topics, *(article.title for article in changed[:_MOST_TITLES])]
    found: dict[tuple[str, ...], Conflict] = {}
    for topic in (topic for topic in dict.fromkeys(wanted) if content_words(topic)):
        for conflict in library.conflicts(topic=topic):
            quotes = tuple(position.citation.quote for position in conflict.positions)
            if conflict.kind is Dispute.SUPERSEDED and conflict.positions[0].citation.article.id in ids:
                found.setdefault(quotes, conflict)
    return list(found.values())


def _fallen(drafts: Drafts, conflicts: Sequence[Conflict]) -> Iterator[Change]:
    """The claims that were supported, and are not now, or of which a later article gives another figure."""
    if not drafts.before or not drafts.now:
        return
    for number, (before, now) in enumerate(zip(drafts.before.statements, drafts.now.statements, strict=False), start=1):
        if before.verdict is not Verdict.SUPPORTED:
            continue
        claim = f"claim {number}, “{_plain(before.text)}”,"
        later = next((p for c in conflicts for p in [c.positions[0]] if _rests_on(before, c)), None)
        if now.verdict is not Verdict.SUPPORTED:
            told = "; ".join(differences(now)) or now.doubt
            source = now.citations[0].article if now.citations else None
            yield Change("draft", f"{claim} was supported and no longer is: {told}", source)
        elif later:
            told = f"rests on a figure that was revised: now “{_plain(later.citation.quote)}”"
            yield Change("draft", f"{claim} {told}", later.citation.article)


def _rests_on(statement: Statement, conflict: Conflict) -> bool:
    """Whether it has an earlier figure of a conflict, from a sentence that it cites."""
    return any(
        c.article.id == p.citation.article.id and c.start <= p.citation.start < c.end and p.value in statement.text
        for c in statement.citations
        for p in conflict.positions[1:]
    )


def _plain(text: str) -> str:
    return " ".join(text.split())
