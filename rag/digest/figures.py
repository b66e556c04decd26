"""Lists the figures that articles on a topic give, by what they count.

A figure is left out if its sentence does not say plainly what it counts, what happened, and that it is on the topic.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.checks.exact import Number, counted
from rag.checks.rules.reading import Force, Word, is_past, read_text
from rag.digest.days import is_long_past, periods_of
from rag.digest.excerpts import Excerpt, of_passages
from rag.errors import InputError
from rag.retrieval.near_duplicates import clusters, outlets
from rag.retrieval.retriever import Searcher, is_on
from rag.schema import Article, Citation, Figure, Figures, Reason, Series, Span, Status, Window
from rag.text.speakers import SAYING, voice
from rag.text.words import content_words, listed, stem

_BE = listed("is are was were been being be")
_HAVE = listed("has have had")
_JOINING = listed("that and after when while which because as but where since said")
"""What may stand before the subject of a clause."""
_PLURALS = listed("people men women children lives wives halves")
"""Irregular plurals, which are no past tenses."""
_STATES = listed("to dead missing")
_PARTICLES = listed("away back down off out over up")
_BESIDE = listed("across along amid among around beside inside near outside per via")
_DETERMINERS = listed("the a an their its his her")
_SAYS = re.compile(SAYING)
_SHARED = re.compile(r"\s+of\s+(?:the|its|their|his|her|all)\b", re.IGNORECASE)
_TOLL = re.compile(r"\b(?:[a-z]+ )?toll\b(?=[^.;:,()]*$)", re.IGNORECASE)
_TO = re.compile(r"\b(?:to|at|of|pass(?:es|ed)|reach(?:es|ed))\s+$", re.IGNORECASE)
_ENDS = re.compile(r"\s?(to|and|-|–)\s?")
_RANGE, _CHANGE = re.compile(r"\bbetween\s+$", re.IGNORECASE), re.compile(r"\bfrom\s+$", re.IGNORECASE)
_ONLY_SPACE = re.compile(r"\s+")
_HYPHENS = ("-", "–", "—")
_LONGEST = 5
"""How many words may say what is counted."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a number counts, in words, and the key that it shares with others that count the same."""

    text: str
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Reported:
    """A figure without its citation's number and its outlets, and what it counts."""

    counts: _Counted
    figure: Figure

    @property
    def article(self) -> Article:
        return self.figure.citation.article


def ledger(searcher: Searcher, topic: str, *, counting: str | None, k: int, window: Window) -> Figures:
    """The figures of the articles on a topic among the `k` passages nearest to it; only of `counting`, if it is given.

    Raises EmptyLibraryError if there is no article, InputError if the topic, or what is counted, has no words.
    """
    searcher.check_filled()
    for name, text in (("topic", topic), ("quantity", counting)):
        if text is not None and not content_words(text):
            raise InputError(f"the {name} {text!r} has no words to look for; wanted some, such as 'airport attack'")
    hits = searcher.find(searcher.query(topic, window), k=k, window=window).hits[:k]
    near = {hit.article.id: hit.article for hit in hits}
    found = _figures(searcher, [id for id, article in sorted(near.items()) if is_on(article, topic)], topic)
    series = _series(r for r in found if counting is None or _is_counted(r.counts, counting))
    result = Figures(topic, _numbered(series), as_of=window.as_of)
    if series:
        return replace(result, citations=tuple(f.citation for s in result.series for f in s.figures))
    return replace(result, status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES if near else Reason.OUTSIDE_DATES)


def figures_of(excerpt: Excerpt) -> Iterator[_Reported]:
    """The figures of a sentence of which it is clear what they count."""
    text = excerpt.article.text[excerpt.own : excerpt.span.end]
    words = read_text(text).words
    for number in _amounts(text):
        counts = _what(number, words)
        if counts:
            yield _Reported(counts, _figure(number, excerpt, _speaker(excerpt)))


def _speaker(excerpt: Excerpt) -> str | None:
    """Who gives a figure; None if the name does not stand directly beside a verb of saying."""
    found = voice(excerpt.article.text, Span(excerpt.own, excerpt.span.end))
    if not found or found.at is not None:
        return found.name if found else None
    said = (
        rf"{re.escape(found.name)}\W+(?:\w+\W+){{0,2}}?(?:{SAYING})\b|\baccording to (?:the )?{re.escape(found.name)}"
    )
    return found.name if re.search(said, excerpt.sentence, re.IGNORECASE) else None


def _figures(searcher: Searcher, ids: Sequence[str], topic: str) -> list[_Reported]:
    catalog = searcher.index.catalog
    pool = of_passages(catalog, [passage for id in ids for passage in catalog.passage_ids(id)])
    excerpts = {(e.article.id, e.own): e for e in pool.excerpts if not _is_history(e)}
    return [reported for e in excerpts.values() for reported in figures_of(e) if _is_about(reported.counts, e, topic)]


def _is_about(counts: _Counted, excerpt: Excerpt, topic: str) -> bool:
    """Whether a figure is on a topic by its sentence and those before it in its paragraph, the first with the title.

    A sentence without a word of the topic is on it only if what is counted happened in those before it too.
    """
    wanted, text = frozenset(content_words(topic)), excerpt.article.text
    start = text.rfind("\n\n", 0, excerpt.own)
    title = excerpt.article.title if start < 0 else ""
    before = frozenset(content_words(f"{title} {text[max(0, start) : excerpt.own]}"))
    own = frozenset(content_words(excerpt.sentence))
    return wanted <= own | before and bool(wanted & own or counts.key[1] in before)


def _is_history(excerpt: Excerpt) -> bool:
    return any(is_long_past(period, excerpt) for period in periods_of(excerpt).values())


def _figure(number: Number, excerpt: Excerpt, speaker: str | None) -> Figure:
    value = number.value
    return Figure(
        " ".join(number.sentence[value.begin : value.end].split()),
        None if value.bound in ("under", "most") else value.low,
        None if value.bound in ("over", "least") else value.high,
        excerpt.citation(1),
        value.unit,
        value.bound == "about",
        speaker,
    )


def _amounts(text: str) -> Iterator[Number]:
    """The numbers of a text, two that are the ends of a range as one; without rough ones and times of day."""
    found = [n for n in counted(text) if n.value.unit != ":"]
    for place, number in enumerate(found):
        before = found[place - 1] if place else None
        joined = before and _ENDS.fullmatch(text, before.value.end, number.value.begin)
        after = found[place + 1] if place + 1 < len(found) else None
        if before and joined:
            opening = _RANGE.search(text, 0, before.value.begin)
            is_range = bool(opening) == (joined[1] == "and") and before.value.low < number.value.low
            if is_range and not _CHANGE.search(text, 0, before.value.begin):
                begin = opening.start() if opening else before.value.begin
                value = replace(before.value, end=number.value.end, high=number.value.high, begin=begin)
                yield replace(number, value=value)
        elif number.value.exact and not (after and _ENDS.fullmatch(text, number.value.end, after.value.begin)):
            yield number


def _what(number: Number, words: Sequence[Word]) -> _Counted | None:
    """What a number counts: `60 Afghans were killed`, `killed 60 Afghans`, `the death toll rose to 60`."""
    text, value = number.sentence, number.value
    if value.measure or (value.text.isalpha() and value.high < 2):
        return None
    before = [w for w in words if w.end <= value.begin]
    within = next((w for w in words if w.end > value.start), None)
    if within is None or within.negated or within.force is not Force.FACT:
        return None
    shared = _SHARED.match(text, value.end)
    if value.unit == "%" and not shared:
        return None
    after = _run(text, shared.end() if shared else value.end, words)
    return _toll(number, after) or _subject(text, value.begin, before, after) or _object(text, before, after, number)


def _run(text: str, start: int, words: Sequence[Word]) -> list[Word]:
    """The words from a place on that only spaces part."""
    found: list[Word] = []
    for word in (w for w in words if w.start >= start):
        if not _ONLY_SPACE.fullmatch(text, found[-1].end if found else start, word.start):
            break
        found.append(word)
    return found


def _subject(text: str, start: int, before: Sequence[Word], after: Sequence[Word]) -> _Counted | None:
    """What it counts as the subject of a clause: what was done to it, or what it did."""
    if before and _ONLY_SPACE.fullmatch(text, before[-1].end, start) and before[-1].text.lower() not in _JOINING:
        return None
    noun = _noun(after)
    verbs = list(after[len(noun) : len(noun) + 4])
    auxiliary = [w.text.lower() for w in verbs if w.text.lower() in _BE | _HAVE]
    left = verbs[len(auxiliary) :]
    if not noun or not left or not _is_deed(left[0]) or (left[1:] and _goes_on(left[1])):
        return None
    following = after[len(noun) + len(auxiliary) + 1 :]
    if _BE.intersection(auxiliary):
        return _counted_as(noun, [left[0], *_particle(following)], "object")
    deed = [left[0], *(_particle(following) or _done_to(following))]
    return _counted_as(noun, deed, "subject")


def _object(text: str, before: Sequence[Word], after: Sequence[Word], number: Number) -> _Counted | None:
    """What it counts as what somebody did something to."""
    if not before or not _is_deed(before[-1]) or not _ONLY_SPACE.fullmatch(text, before[-1].end, number.value.begin):
        return None
    ahead = [w.text.lower() for w in before[-3:-1]]
    if ahead[-1:] and (ahead[-1] in _BE or ahead[-1] in ("the", "a", "an") or ahead[-1].endswith(("'d", "’d"))):
        return None
    if ahead == ["to", "have"]:  # appears to have killed
        return None
    noun = _noun(after)
    if noun and text[noun[-1].end : noun[-1].end + 1] in _HYPHENS:
        return None
    following = after[len(noun) : len(noun) + 1]
    if following and (following[0].is_content or following[0].text.lower() in _BE | _HAVE):
        return None
    return _counted_as(noun, before[-1:], "object") if noun else None


def _toll(number: Number, after: Sequence[Word]) -> _Counted | None:
    before = number.sentence[: number.value.begin]
    found, to = _TOLL.search(before), _TO.search(before)
    if not found or not to or (after and after[0].is_content):
        return None
    return _Counted(found[0].lower().removeprefix("the "), ("toll", *content_words(found[0])))


def _noun(after: Sequence[Word]) -> list[Word]:
    """The words up to a verb or a preposition; none if they do not end so, or stand for something said before."""
    noun: list[Word] = []
    for word in after:
        if not word.is_content or _has_past_form(word) or word.stem[0].isdigit() or word.text.lower() in _BESIDE:
            break
        noun.append(word)
    return noun if len(noun) <= _LONGEST else []


def _is_deed(word: Word) -> bool:
    """Whether it is a verb for something that was done, not said, denied or planned."""
    return _has_past_form(word) and not word.negated and word.force is Force.FACT and not _SAYS.fullmatch(word.text)


def _has_past_form(word: Word) -> bool:
    return word.text.islower() and is_past(word.text) and word.text not in _PLURALS and word.text not in _STATES


def _goes_on(word: Word) -> bool:
    """Whether it makes something else of the verb before it: were feared dead, were said to have gone."""
    return word.text.lower() in _STATES or _has_past_form(word)


def _particle(following: Sequence[Word]) -> list[Word]:
    return [w for w in following[:1] if w.text.lower() in _PARTICLES]


def _done_to(following: Sequence[Word]) -> list[Word]:
    """The object behind a verb: crossed the border, lost their homes, left Kabul."""
    determiner = [w for w in following[:1] if w.text.lower() in _DETERMINERS]
    noun = _noun(following[len(determiner) :])
    return [*determiner, *noun] if noun and (determiner or not noun[0].text.islower()) else []


def _counted_as(noun: Sequence[Word], deed: Sequence[Word], role: str) -> _Counted:
    text = " ".join(w.text for w in (*noun, *deed))
    return _Counted(text, (role, *(w.stem for w in (*deed, *noun) if w.is_content)))


def _is_counted(counts: _Counted, wanted: str) -> bool:
    return set(content_words(wanted)) <= {stem(word.lower()) for word in counts.text.split()}


def _series(found: Iterable[_Reported]) -> list[Series]:
    """The figures of each thing that is counted, the earliest first, each value once for each independent report."""
    by_thing: dict[tuple[str, ...], dict[tuple[object, ...], list[_Reported]]] = defaultdict(lambda: defaultdict(list))
    for reported in found:
        figure = reported.figure
        value = (figure.low, figure.high, figure.unit, figure.about)
        by_thing[(*reported.counts.key, figure.unit)][value].append(reported)
    made = [_of_values(list(values.values())) for values in by_thing.values()]
    return sorted(made, key=lambda series: (-len(series.figures), series.figures[0].day, series.counts))


def _of_values(values: Sequence[Sequence[_Reported]]) -> Series:
    figures = [figure for same in values for figure in _independent(same)]
    figures.sort(key=lambda f: (f.day or "9999", f.citation.article.id, f.citation.start, f.least or 0.0))
    first = min((r for same in values for r in same), key=lambda r: (r.figure.day or "9999", r.article.id))
    return Series(first.counts.text, tuple(figures))


def _independent(same: Sequence[_Reported]) -> list[Figure]:
    """The figures of one value, of copies of one report only the first; each with all outlets that give it."""
    articles = {r.article.id: r.article for r in same}
    named = outlets(articles.values())
    firsts = [copies[0].id for copies in clusters(articles.values())]
    by_article = {r.article.id: r.figure for r in reversed(same)}
    return [replace(by_article[id], outlets=named) for id in firsts]


def _numbered(series: Sequence[Series]) -> tuple[Series, ...]:
    """The series with citations that are numbered through."""
    numbers: dict[tuple[str, int, int], Citation] = {}

    def cite(figure: Figure) -> Figure:
        c = figure.citation
        place = (c.article.id, c.start, c.end)
        return replace(figure, citation=numbers.setdefault(place, replace(c, number=len(numbers) + 1)))

    return tuple(replace(s, figures=tuple(map(cite, s.figures))) for s in series)
