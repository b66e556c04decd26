"""Checks any text against articles, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rag.checks.denials import is_denial, with_denial
from rag.checks.quotes import originals, unmarked, without_origin
from rag.checks.rules.reading import read_text
from rag.checks.rules.wordvectors import rarity
from rag.checks.verify import FACTS, Verify, reason, status, verdict, warnings, without_alien
from rag.errors import InputError
from rag.models.injection import is_ordered
from rag.schema import Answer, Article, Check, Citation, Span, Statement, Verdict, Window
from rag.store.filters import admits
from rag.text.sentences import sentences

_MARKS = "marks such as [1] were left out of the check; give the articles that they stand for to have them in it"
_MOST_SENTENCES, _MOST_ARTICLES = 4, 4
_KNOWN, _WORTH = 0.25, 0.15
_FEWEST_WORDS = 2
_BINDING = ("role", "cause")
"""What must stand in the sentences that are shown; a number may stand beside them, and so may a name."""
_FRONT_MATTER = re.compile(
    r"\A\ufeff?---[ \t]*\n(?:[ \t]*[\w-]+:.*\n|[ \t]+.*\n|[ \t]*-\s.*\n|[ \t]*\n)*---[ \t]*(?:\n|\Z)"
)
_FENCE = re.compile(r"^\s*(```|~~~).*?^\s*\1\s*$", re.M | re.S)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_NO_CLAIM = re.compile(
    r"\s*(?:#{1,6}\s.*|[-=*_ ]{3,}|\|?[\s:|-]{3,}|\[[^\]]+\]:.*|\[\d+\]\s.*https?://\S+|<?https?://\S+>?|"
    r"\W*(?:sources?|references?|links?|further reading|read more|see also|photos?|byline)\b\W*(?::.*)?)\s*",
    re.I,
)
_UNDERLINE = re.compile(r"\s{0,3}(?:={3,}|-{3,})\s*")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_MARKERS = re.compile(
    r"^\s*(?:>\s*)*(?:(?:[-*+•–]|\(?\d{1,2}[.)]|\d{1,2}(?:\.\d{1,2})+\.?|\(?[a-z]\)|\([ivx]+\))\s+(?:\[[ xX]\]\s+)?)?"
)
_ADDRESS = r"<?(?:https?://|\bwww\.)[^\s)>]+>?"
_LINKS = re.compile(rf"!\[[^\]]*\]\([^)\s]*\)|\[([^\]]+)\]\([^)]*\)|{_ADDRESS}")
_ENDS_WITH_ADDRESS = re.compile(rf"{_ADDRESS}\W*$")
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|__|(?<!\w)[*_`]|(?<=[^\s*_`])[*_`](?!\w))")
_FOOTNOTE = re.compile(r"\[\^[^\]]+\]")
_ENDED = re.compile(r"[.!?…:;][\"'”’)\]\d]*(?:\s*\[\d+\])*$")
_LONGEST_HEADING = 12  # words


@dataclass(frozen=True, slots=True)
class Region:
    """A part of an article that is searched: a passage, or all of it, which has no passage's id."""

    article: Article
    span: Span
    passage_id: str = ""

    @property
    def text(self) -> str:
        """Its text."""
        return self.article.text[self.span.start : self.span.end]


Find: TypeAlias = Callable[[str], Sequence[Region]]
"""Gives the regions to look for a sentence in."""


def whole(articles: Sequence[Article]) -> list[Region]:
    """Articles as regions."""
    return [Region(article, Span(0, len(article.text))) for article in articles]


def checked(
    text: str,
    find: Find,
    verify: Verify,
    *,
    given: Sequence[Article] = (),
    window: Window = Window(),
) -> Answer:
    """The sentences of a draft as statements, each with the sentences of the articles that are nearest to it.

    Those nearest are in the `given` articles, else in what `find` gives. A mark such as [2] is the second of the given
    ones; one without an article is an error of its statement. Headings, link addresses and lines that name sources are
    left out. Raises InputError if there is no sentence, or if an article is outside of the window.
    """
    for article in given:
        if not admits(window, article):
            raise InputError(f"article {article.id} is not {window.limits}; leave it out, or widen the window")
    text = claims(text)
    statements: list[Statement] = []
    numbered: list[Citation] = []
    spans = sentences(text)
    for place, span in enumerate(spans):
        statement = _checked(text[span.start : span.end], find, verify, given)
        if not any(is_denial(text[after.start : after.end]) for after in spans[place + 1 : place + 2]):
            statement = with_denial(statement, statement.citations[:1])
        own = tuple(replace(c, number=n) for n, c in enumerate(statement.citations, start=len(numbered) + 1))
        numbered += own
        statements.append(replace(statement, citations=own))
    if not statements:
        raise InputError("there is no sentence to check; wanted a text")
    told = () if given or not unmarked(text).numbers else (_MARKS,)
    draft = Answer("", "", citations=tuple(numbered), warnings=told, as_of=window.as_of, window=window)
    return with_verdicts(draft, statements)


def claims(draft: str) -> str:
    """A draft without what claims nothing: headings, list markers, Markdown, link addresses, lines of sources."""
    lines = _COMMENT.sub("", _FENCE.sub("", _FRONT_MATTER.sub("", draft))).splitlines()
    ends = any(_ENDED.search(line.strip()) for line in lines)
    kept = []
    for number, line in enumerate(lines):
        bare = _MARKERS.sub("", line)
        item = bare.strip() != line.strip()
        plain = _FOOTNOTE.sub("", _EMPHASIS.sub("", _LINKS.sub(r"\1", _cells(bare)))).strip()
        short = not _ENDED.search(plain.rstrip(":")) and len(plain.split()) <= _LONGEST_HEADING
        heading = short and not item and (_is_underlined(lines, number) or (ends and _is_alone(lines, number)))
        source = _ENDS_WITH_ADDRESS.search(bare) and short and not _goes_on(lines, number)
        empty = any(map(_NO_CLAIM.fullmatch, (line, plain))) or _is_head_of_table(lines, number)
        said = "" if heading or source or empty else plain
        after = "\n" if bare.lstrip().startswith("|") else ""
        kept.append(f"\n{said}{after}" if item or after else said)
    return "\n".join(kept)


def with_verdicts(answer: Answer, statements: Sequence[Statement]) -> Answer:
    """A checked draft with these statements, and what their verdicts make of it."""
    told = [w for w in answer.warnings if w not in warnings(answer.statements)]
    return replace(
        answer,
        statements=tuple(statements),
        status=status(statements),
        reason=reason(statements),
        warnings=(*warnings(statements), *told),
    )


def _checked(sentence: str, find: Find, verify: Verify, given: Sequence[Article]) -> Statement:
    marked = unmarked(sentence)
    statement = Statement(marked.text, ())
    if sum(word.is_content for word in read_text(marked.text).words) < _FEWEST_WORDS:
        return replace(statement, checks=(Check("unchecked", "at least two words that say something", None, False),))
    meant = [given[n - 1] for n in marked.numbers if 0 < n <= len(given)]
    invented = [n for n in marked.numbers if given and not 0 < n <= len(given)]
    compared = _compared(statement, whole(meant or given) or find(marked.text), verify)
    if not invented:
        return compared
    missing = tuple(Check("citation", f"[{n}]", None, False) for n in invented)
    verdict = Verdict.UNSUPPORTED if compared.verdict is Verdict.SUPPORTED else compared.verdict
    return replace(compared, checks=(*compared.checks, *missing), verdict=verdict)


def _compared(statement: Statement, regions: Sequence[Region], verify: Verify) -> Statement:
    """The statement verified against all regions together, or against those of one article that supports it best.

    What one article says is not made untrue by what others say of another day, nor a statement by the outlet and the
    date of one of them in brackets at its end: it is held against all of that one alone.
    """
    searched = sum(len(region.text.split()) for region in regions)
    articles = {region.article.id: region.article for region in regions}
    bare = without_origin(statement.text, list(articles.values()))
    if named := originals(statement.text, list(articles.values())) if bare != statement.text else []:
        articles, regions = {article.id: article for article in named}, whole(named)
    own = [_nearest(statement.text, [r for r in regions if r.article.id == id]) for id in articles]
    own.sort(key=_best_cover, reverse=True)
    groups = own if len(own) == 1 else [_nearest(statement.text, regions), *own[:_MOST_ARTICLES]]

    def best(told: Statement) -> Statement:
        against = (_against(told, group, verify, searched) for group in groups)
        return max((without_alien(found, bare) for found in against), key=_standing)

    found = best(statement)
    if found.verdict is not Verdict.SUPPORTED and bare != statement.text:
        found = best(replace(statement, text=bare))
    return replace(found, text=statement.text)


def _against(statement: Statement, nearest: Sequence[_Found], verify: Verify, searched: int) -> Statement:
    """Held against those sentences and what is around them; what is supported also against what is shown alone.

    A number of a neighbour does not excuse another one in the sentence that is shown for it.
    """
    verified = verify(statement, _joined([_widened(found) for found in nearest]), searched=searched)
    verified = replace(verified, citations=tuple(_citation(found) for found in nearest if found.worth))
    if verified.verdict is not Verdict.SUPPORTED:
        return verified
    alone = verify(statement, verified.citations).checks
    quoted = any(check.kind == "quote" and check.passed for check in verified.checks)
    loose = ("name", "role") if quoted else ("name",)
    failed = (c for c in alone if not c.passed and c.kind in (*FACTS, "quantity") and c.kind not in loose)
    otherwise = [c for c in failed if c.found is not None or c.kind in _BINDING]
    checks = (*verified.checks, *otherwise)
    return replace(verified, checks=checks, verdict=verdict(checks)) if otherwise else verified


def _best_cover(nearest: Sequence[_Found]) -> float:
    return nearest[0].covers if nearest else 0.0


def _standing(statement: Statement) -> tuple[bool, float]:
    """What is supported, or has another number of the same thing, first; then that whose evidence is nearer."""
    supported = statement.verdict is Verdict.SUPPORTED
    counted = any(c.kind == "number" and not c.passed and c.found for c in statement.checks)
    scored = next((c.found or "" for c in statement.checks if c.kind in ("support", "entailment")), "")
    return supported or counted, float(scored.split(":")[0] or supported)


@dataclass(frozen=True, slots=True)
class _Found:
    """A sentence of a region, by its place among the region's.

    It covers a share of the statement that those before it do not; it is worth showing if that is enough.
    """

    region: Region
    spans: tuple[Span, ...]
    place: int
    covers: float
    worth: bool


@dataclass(frozen=True, slots=True)
class _Candidate:
    region: Region
    spans: tuple[Span, ...]
    place: int
    stems: frozenset[str]


def _nearest(text: str, regions: Sequence[Region]) -> list[_Found]:
    """The sentence with most of a statement's words, by rarity, then those that have most of what is left."""
    wanted = {w.stem: rarity(w.text.lower()) for w in read_text(text).words if w.is_content}
    candidates = [candidate for region in regions for candidate in _candidates(region)]
    total = sum(wanted.values()) or 1.0
    got: set[str] = set()
    found: list[_Found] = []
    while candidates and len(found) < _MOST_SENTENCES:
        open_weights = {stem: weight * (_KNOWN if stem in got else 1) for stem, weight in wanted.items()}
        best = max(candidates, key=lambda c: sum(w for stem, w in open_weights.items() if stem in c.stems))
        new = sum(weight for stem, weight in wanted.items() if stem in best.stems and stem not in got)
        found.append(_Found(best.region, best.spans, best.place, new / total, not found or new > _WORTH * total))
        got |= best.stems
        candidates.remove(best)
    return found


def _candidates(region: Region) -> Iterator[_Candidate]:
    spans = tuple(sentences(region.text))
    for place, span in enumerate(spans):
        stems = frozenset(w.stem for w in read_text(region.text[span.start : span.end]).words)
        if stems and not is_ordered(region.article, _within(region, span)):
            yield _Candidate(region, spans, place, stems)


def _widened(found: _Found) -> Citation:
    """The sentence with those before and after it."""
    first, last = max(0, found.place - 1), min(len(found.spans) - 1, found.place + 1)
    return _cited(found.region, Span(found.spans[first].start, found.spans[last].end))


def _citation(found: _Found) -> Citation:
    return _cited(found.region, found.spans[found.place])


def _cited(region: Region, span: Span) -> Citation:
    there = _within(region, span)
    quote = region.article.text[there.start : there.end]
    return Citation(1, region.article, region.passage_id, there.start, there.end, quote)


def _within(region: Region, span: Span) -> Span:
    """A span of a region's text as one of the article's."""
    return Span(region.span.start + span.start, region.span.start + span.end)


def _joined(citations: Sequence[Citation]) -> list[Citation]:
    """The citations in the order of the articles, those that overlap or touch as one."""
    joined: list[Citation] = []
    for citation in sorted(citations, key=lambda c: (c.article.id, c.start, c.end)):
        last = joined[-1] if joined else None
        if last and last.article.id == citation.article.id and citation.start <= last.end + 1:
            end = max(last.end, citation.end)
            joined[-1] = replace(last, end=end, quote=last.article.text[last.start : end])
        else:
            joined.append(citation)
    return joined


def _cells(line: str) -> str:
    """A row of a table as its cells with commas between them; any other line as it is."""
    if not line.lstrip().startswith("|"):
        return line
    return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())


def _is_alone(lines: Sequence[str], number: int) -> bool:
    return not any(line.strip() for line in (*lines[number - 1 : number], *lines[number + 1 : number + 2]))


def _is_underlined(lines: Sequence[str], number: int) -> bool:
    return any(_UNDERLINE.fullmatch(line) for line in lines[number + 1 : number + 2])


def _is_head_of_table(lines: Sequence[str], number: int) -> bool:
    return "|" in lines[number] and any("|" in n and _TABLE_RULE.fullmatch(n) for n in lines[number + 1 : number + 2])


def _goes_on(lines: Sequence[str], number: int) -> bool:
    """Whether the line is a part of a sentence that starts before it or ends behind it."""
    before, after = "".join(lines[number - 1 : number]).strip(), "".join(lines[number + 1 : number + 2]).strip()
    starts_before = lines[number][:1].islower() or (bool(before) and not (_ENDED.search(before) or "://" in before))
    return starts_before or after[:1].islower()
