"""Says which articles are the same: by their file, feed or address, their id in it, their URL, or their text."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from rag.errors import LoadError
from rag.ingest.metadata import derived_id, is_derived_title
from rag.schema import AddReport, Article, Failure, Precision, Published
from rag.store.catalog import Catalog
from rag.store.tables import PART
from rag.text.words import content_words

STDIN = "-"
_LEAST_SHARED = 0.5
"""The share of the words of a text that its correction has too."""


class Apart(NamedTuple):
    """An id or URL that two articles have, and the id that the second one was added by."""

    shared: str
    id: str


@dataclass(frozen=True, slots=True)
class BatchChanges:
    """The articles of a batch that are new or differ, in their order, with their final ids and revisions."""

    articles: tuple[Article, ...]
    report: AddReport
    seen: frozenset[str]
    """The ids of all articles of the batch that the library has now."""
    apart: tuple[Apart, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """Where articles that the library has were read, if that was not known."""


def placed(loaded: Iterable[Article | Failure], home: str) -> Iterator[Article | Failure]:
    """What was loaded from a file, feed or address, each article with its place.

    That of an article alone in its file is the file; of one among others, its id there. One without an id goes by its
    title, source and day; without a title of its own it has no place.
    """
    held: Article | Failure | None = None
    several, fault = False, None
    try:
        for item in loaded:
            if held:
                several = True
                yield _placed(held, home, alone=False)
            held = item
    except (LoadError, OSError) as error:
        fault = error
    if held:
        yield _placed(held, home, alone=not several and home != STDIN)
    if fault:
        raise fault


def deduplicate(catalog: Catalog, articles: Iterable[Article], earlier: Collection[str]) -> BatchChanges:
    """Tells what is new, what is a new revision, and what is there already.

    The same file, or the same id in a file or feed, is the same article. So is the same URL, unless another article of
    this run, which `earlier` has the ids of, has it too. The same text from elsewhere is a duplicate, which may add
    what is not known of the article. Where that cannot be decided, both are kept.
    """
    pending: dict[str, Article] = {}
    seen: set[str] = set()
    changed, apart, places = list[Article](), list[Apart](), dict[str, str]()
    kinds: Counter[str] = Counter()
    for article in articles:
        stored = [a for a in catalog.like(article) if a.id not in pending]
        like = [*stored, *(a for a in pending.values() if _is_like(a, article))]
        found = _match(article, like, {a.id for a in like if a.id in seen or a.id in earlier})
        kinds[found.kind] += 1
        seen.add(found.article.id)
        if found.kind in ("added", "updated"):
            pending[found.article.id] = found.article
            changed.append(found.article)
        elif found.place:
            places[found.article.id] = found.place
        if found.shared:
            apart.append(Apart(found.shared, found.article.id))
    report = AddReport(kinds["added"], kinds["updated"], kinds["unchanged"], kinds["duplicates"])
    return BatchChanges(tuple(changed), report, frozenset(seen), tuple(apart), places)


@dataclass(frozen=True, slots=True)
class _Match:
    kind: Literal["added", "updated", "unchanged", "duplicates"]
    article: Article
    shared: str | None = None
    place: str | None = None


def _match(article: Article, like: Sequence[Article], seen: Collection[str]) -> _Match:
    same = _same(article, like, seen)
    if same.article:
        return _revised(same.article, article)
    twin = next((a for a in like if a.sha256 == article.sha256), None)
    if twin:
        return _completed(twin, article)
    taken = any(a.id == article.id for a in like)
    id = _own_id(article) if taken or same.shared == article.id else article.id
    shared = same.shared or (article.id if taken else None)
    return _Match("added", replace(article, id=id, revision=1), shared)


class _Same(NamedTuple):
    """The article that another one is; or what they share, if it cannot be decided whether they are one."""

    article: Article | None
    shared: str | None = None


def _same(article: Article, like: Sequence[Article], seen: Collection[str]) -> _Same:
    if article.place is None:
        named = article.id != article.sha256[:16]
        given = next((a for a in like if a.id == article.id and (named or a.sha256 == article.sha256)), None)
        if given:
            return _Same(given)
    here = [a for a in like if _is_here(a, article)]
    if here:
        return _same_among(article, here, seen, article.id if _is_named(article) else None)
    linked = [a for a in like if _is_address(article.url) and a.url == article.url and not _are_two(a, article)]
    if linked:
        return _same_among(article, linked, seen, article.url)
    unplaced = [a for a in like if a.id == article.id and (a.place is None or _home(article) == STDIN)]
    if unplaced:
        twin = next((a for a in unplaced if a.sha256 == article.sha256), None)
        return _Same(twin, None if twin else article.id)
    return _Same(None)


def _same_among(article: Article, candidates: Sequence[Article], seen: Collection[str], shared: str | None) -> _Same:
    """That of the same text, else the only one; another article of this run is not corrected by this one."""
    twin = next((a for a in candidates if a.sha256 == article.sha256), None)
    if twin:
        return _Same(twin)
    if len(candidates) == 1 and candidates[0].id not in seen:
        return _Same(candidates[0])
    return _Same(None, shared)


def _is_here(known: Article, article: Article) -> bool:
    """Whether an article was read from the same place, or the file held one alone before, or does now."""
    if known.place is None or _home(known) != _home(article) or _home(article) == STDIN:
        return False
    if known.place == article.place:
        return True
    alone = PART not in known.place or PART not in (article.place or "")
    return alone and (known.id == article.id or PART not in (article.place or ""))


def _are_two(known: Article, article: Article) -> bool:
    """Whether one file, feed or caller has both, each by an id of its own."""
    if known.place is None or PART not in known.place or known.place == article.place:
        return False
    return _home(known) == _home(article) and not {known.id, article.id} & {known.url, article.url}


def _is_named(article: Article) -> bool:
    """Whether its source tells it from others, by an id or by an address of its own."""
    return article.id not in derived_id(article) or _is_address(article.url)


def _is_like(known: Article, article: Article) -> bool:
    return (
        known.id == article.id
        or known.sha256 == article.sha256
        or (known.url is not None and known.url == article.url)
        or (known.place is not None and known.place == article.place)
    )


def _revised(known: Article, article: Article) -> _Match:
    found = _merged(known, article) if _is_correction(known, article) else replace(article, id=known.id)
    same = replace(found, revision=known.revision, place=article.place or known.place)
    if same == known:
        return _Match("unchanged", known, place=article.place if known.place is None else None)
    return _Match("updated", replace(same, revision=known.revision + 1))


def _completed(known: Article, copy: Article) -> _Match:
    """A copy from elsewhere: what it alone knows is added, unless it says otherwise of anything."""
    days = (known.published and known.published.day, copy.published and copy.published.day)
    pairs = ((known.source, copy.source), (known.url, copy.url), (known.author, copy.author), days)
    found = replace(_merged(copy, known), id=known.id)
    if found == known or any(a and b and a != b for a, b in pairs):
        return _Match("duplicates", known)
    return _Match("updated", replace(found, revision=known.revision + 1, place=known.place))


def _merged(known: Article, article: Article) -> Article:
    """The article by the id of the known one, with what is only known of that."""
    keeps_title = is_derived_title(article) and not is_derived_title(known)
    return replace(
        article,
        id=known.id,
        title=known.title if keeps_title else article.title,
        source=article.source or known.source,
        published=_finer(known.published, article.published),
        url=article.url or known.url,
        author=article.author or known.author,
    )


def _finer(known: Published | None, given: Published | None) -> Published | None:
    """The given date, or the known one if that is the same with more of it known."""
    if known is None or given is None:
        return given or known
    fineness = list(Precision)
    less = fineness.index(given.precision) < fineness.index(known.precision)
    return known if less and given.day <= known.day <= given.last_day else given


def _is_correction(known: Article, article: Article) -> bool:
    """Whether a text has so much of another that it corrects it, and does not just stand in its place."""
    if known.sha256 == article.sha256:
        return True
    before, after = set(content_words(known.text)), set(content_words(article.text))
    return len(before & after) >= _LEAST_SHARED * min(len(before), len(after)) > 0


def _placed(item: Article | Failure, home: str, *, alone: bool) -> Article | Failure:
    if isinstance(item, Failure):
        return item
    if item.place is None:
        return replace(item, place=_place(item, home, alone))
    return replace(item, place=f"{home}{item.place}") if item.place.startswith(PART) else item


def _place(article: Article, home: str, alone: bool) -> str | None:
    if alone:
        return home
    if _is_named(article):
        return f"{home}{PART}{article.id}"
    if is_derived_title(article) or home == STDIN:
        return None
    return f"{home}{PART}{article.title}{PART}{article.source or ''}{PART}{article.published or ''}"


def _home(article: Article) -> str | None:
    return article.place.partition(PART)[0] if article.place else None


def _is_address(url: str | None) -> bool:
    """Whether a URL can be that of one article: not the front page of its outlet."""
    parts = urlsplit(url or "")
    return bool(parts.path.strip("/") or parts.query)


def _own_id(article: Article) -> str:
    key = hashlib.sha256(f"{article.place}\0{article.sha256}".encode("utf-8", "replace")).hexdigest()[:8]
    return f"{article.id}-{key}"
