"""Writes a case as HTML: what was asked, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from rag.evaluation.cases import Case, CheckCase, Exchange, QaCase, SearchCase, SummaryCase, TimelineCase
from rag.evaluation.html_gold import gold_parts, part, quoted, word
from rag.evaluation.report import Scored
from rag.evaluation.results import Cited, Found, Result, Told
from rag.render.html import BREAK, Html, element, html, joined
from rag.schema import Check, Verdict

STYLE = """
.case { border: 1px solid var(--line); border-left-width: 4px; border-radius: 4px; margin: .5rem 0; }
.case.wrong, .case.unscored { border-left-color: var(--bad); } .case.right { border-left-color: var(--good); }
.case > summary { padding: .4rem .7rem; cursor: pointer; color: inherit; overflow-wrap: anywhere; }
.case > div { padding: 0 .9rem .7rem; scroll-margin-top: 6rem; overflow-wrap: anywhere; }
.case blockquote { scroll-margin-top: 3rem; }
.case:has(:target) { outline: 2px solid var(--mark); }
.case code { font-size: .85rem; } .case h4 { margin: .9rem 0 .1rem; font-size: .9rem; color: var(--pale); }
.case ul, .case ol { margin: .1rem 0; padding-left: 1.3rem; } .case li { margin: .15rem 0; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 0 1.5rem; }
.yes, .no { font-size: .8rem; font-weight: 600; white-space: nowrap; }
.yes { color: var(--good); } .no { color: var(--bad); }
.state { display: inline-block; min-width: 5.2rem; }
"""
_SIGNS = {True: "right", False: "wrong"}


def anchor(name: str, id: str) -> str:
    """The id of a case in the page, safe to link to; no other of the page is the same."""
    return f"{quote(name, safe='')}/{quote(id, safe='')}"


def state(scored: Scored) -> str:
    """What came of a case in a word."""
    if scored.right is None:
        return "unscored" if scored.result.error is not None else "graded"
    return _SIGNS[scored.right]


def case_card(name: str, scored: Scored) -> Html:
    """A case of the set with such a name, folded to a line."""
    case, result, place = scored.case, scored.result, anchor(name, scored.case.id)
    parts = [*_asked(case), *_outcome(result), *_said(result, place), *gold_parts(case, result), *_rest(scored)]
    kind = state(scored)
    mark = element("span", html(kind) if kind == "graded" else word(kind == "right", kind), class_="state")
    line = [mark, element("code", html(case.id)), element("span", html(case.type), class_="pale"), html(_subject(case))]
    return element(
        "details", element("summary", joined(line, " ")), element("div", *parts, id=place), class_=f"case {kind}"
    )


def _subject(case: Case) -> str:
    match case:
        case QaCase() | SearchCase():
            return case.question
        case CheckCase():
            return case.text
        case _:
            return case.topic or ", ".join(case.articles) or "the whole library"


def _asked(case: Case) -> Iterator[Html]:
    earlier: Sequence[Exchange] = case.history if isinstance(case, QaCase | SearchCase) else ()
    given = [element("li", html(e.question), BREAK, html(e.answer)) for e in earlier]
    turns = case.turns if isinstance(case, QaCase) else ()
    yield part("Said before", element("ol", *given) if given else None)
    yield part("Asked before", element("ol", *(element("li", html(t)) for t in turns)) if turns else None)
    yield part("Asked", element("p", html(_subject(case))), *_limits(case))
    if isinstance(case, CheckCase) and case.against:
        yield part("Checked against", quoted(case.against))


def _limits(case: Case) -> Iterator[Html]:
    window = case.window
    days = {"as of": window.as_of, "since": window.since, "until": window.until}
    told = [f"{name} {day}" for name, day in days.items() if day]
    told += [f"only from {', '.join(window.sources)}"] * bool(window.sources)
    told += [f"in {case.words} words"] if isinstance(case, SummaryCase) else []
    articles = case.articles if isinstance(case, SummaryCase | TimelineCase) and case.topic else ()
    told += [f"of the articles {', '.join(articles)}"] * bool(articles)
    told += [f"an altered form of {case.of}"] if isinstance(case, CheckCase) and case.of else []
    if told:
        yield element("p", html("; ".join(told)), class_="pale")


def _outcome(result: Result) -> Iterator[Html]:
    if result.error is not None:
        yield part("Not scored", element("p", html(result.error), class_="doubt"))
        return
    told = [result.status.value] if result.status else []
    told += [f"because: {result.reason.value}"] if result.reason else []
    tokens = result.usage.input_tokens + result.usage.output_tokens
    told += [result.model or result.mode, f"{result.seconds:.3f} s", *([f"{tokens} tokens"] if tokens else [])]
    warnings = [element("li", html(warning)) for warning in result.warnings]
    yield part("Outcome", element("p", html(", ".join(told))), *([element("ul", *warnings)] if warnings else []))


def _said(result: Result, place: str) -> Iterator[Html]:
    numbers = {cited.number for cited in result.citations}
    told = [element("li", *_statement(s, place, numbers)) for s in result.statements]
    text = element("p", html(result.text)) if result.text else None
    yield part("Answer", element("ol", *told) if told else text)
    yield part("Conflicts shown", *(_conflict(c.kind.value, c.positions) for c in result.conflicts))
    yield part("Cited", *(_quote(cited, place) for cited in result.citations))


def _statement(told: Told, place: str, numbers: set[int]) -> Iterator[Html]:
    yield html(told.shown)
    for number in told.cites:
        mark = html(f"[{number}]")
        yield Html(" ")
        yield element("a", mark, href=f"#{place}/{number}") if number in numbers else mark
    yield Html(" ")
    yield word(told.verdict is Verdict.SUPPORTED, told.verdict.value)
    if told.entailed is not (told.verdict is Verdict.SUPPORTED):
        anew = "supported" if told.entailed else "not supported"
        yield Html(" ")
        yield word(told.entailed, f"checked anew: {anew}")
    notes = [*_notes(told), *(_check(check) for check in told.checks if not check.passed)]
    if notes:
        yield element("div", html("; ".join(notes)), class_="pale")


def _notes(told: Told) -> Iterator[str]:
    if told.speaker:
        yield f"said by {told.speaker}"
    if told.outlets > 1:
        yield f"reported by {told.outlets} independent outlets"
    spare = [f"[{number}]" for number, needed in zip(told.cites, told.needed, strict=False) if not needed]
    if spare:
        yield f"supported without {', '.join(spare)}" if told.entailed else f"no support from {', '.join(spare)}"


def _check(check: Check) -> str:
    return f"{check.kind} {check.expected!r}: the source has {check.found or 'none'}"


def _conflict(kind: str, positions: Sequence[str]) -> Html:
    return element("div", html(f"{kind}:"), element("ul", *(element("li", html(p)) for p in positions)))


def _quote(cited: Cited, place: str) -> Html:
    day = f", {cited.published}" if cited.published else ""
    source = html(f"[{cited.number}] article {cited.article}{day}, characters {cited.start} to {cited.end}")
    valid = word(cited.valid, "stands there" if cited.valid else "does not stand there")
    note = element("cite", source, Html(" "), valid)
    return element("blockquote", html(cited.quote), BREAK, note, id=f"{place}/{cited.number}")


def _rest(scored: Scored) -> Iterator[Html]:
    result = scored.result
    counted = [f"{name} {share.hits:.4g}/{share.n:.4g}" for name, share in scored.shares.items()]
    folded = [_folded("Hits", [_hit(h) for h in result.hits]), _folded("Counts for", counted)]
    source = [f"{name}: {value}" for name, value in (scored.case.provenance or {}).items()]
    yield joined([*folded, _folded("Provenance", source)])


def _hit(hit: Found) -> str:
    day = f", {hit.published}" if hit.published else ""
    return f"{hit.article}{day}, characters {hit.start} to {hit.end}, score {hit.score:.3f}"


def _folded(title: str, lines: Sequence[str]) -> Html:
    if not lines:
        return Html("")
    items = element("ol", *(element("li", html(line)) for line in lines), class_="pale")
    return element("details", element("summary", html(f"{title} ({len(lines)})")), items)
