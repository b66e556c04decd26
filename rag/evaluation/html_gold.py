"""Writes the gold of a case as HTML, beside what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from rag.evaluation import metrics
from rag.evaluation.cases import Case, CheckCase, Claim, Evidence, QaCase, SearchCase, SummaryCase, TimelineCase
from rag.evaluation.results import Place, Result
from rag.render.html import BREAK, Html, element, html, joined


def gold_parts(case: Case, result: Result) -> Iterator[Html]:
    """What a case expects, each part with whether it is met."""
    scored = result.error is None
    if isinstance(case, QaCase | SummaryCase):
        yield part("Claims", _list(_claim(c, result.said, scored) for c in case.claims))
    yield part("Must not be said", _list(_forbidden(c, result, scored) for c in case.forbidden))
    yield part("Evidence", *_evidence(case, result))
    if isinstance(case, QaCase):
        yield part("Expected", _list(_expected(case, result)) if scored else None)
        yield _judged(case, result)
    if isinstance(case, SummaryCase):
        yield _beside(case, result)
    if isinstance(case, TimelineCase):
        yield part("Days", *_days(case, result))
    if isinstance(case, CheckCase):
        yield part("Verdict", _verdict(case, result))


def part(title: str, *inside: Html | None) -> Html:
    """A part of a card with a heading; nothing if there is nothing in it."""
    found = [piece for piece in inside if piece]
    return element("section", element("h4", html(title)), *found) if found else Html("")


def word(good: bool, text: str) -> Html:
    """A word that tells good or bad, by a sign too."""
    return element("span", html(f"{'✓' if good else '✗'} {text}"), class_="yes" if good else "no")


def quoted(text: str, *notes: Html) -> Html:
    """A quote with what is to be said of it below."""
    below = [BREAK, element("cite", *notes)] if notes else []
    return element("blockquote", html(text), *below)


def _list(lines: Iterator[Html]) -> Html | None:
    items = [element("li", line) for line in lines]
    return element("ul", *items) if items else None


def _claim(claim: Claim, text: str, scored: bool) -> Html:
    kind = html(f"{claim.text}{'' if claim.vital else ' (not vital)'}")
    made = claim.is_in(text)
    mark = word(made, "made" if made else "not made") if scored else html("")
    return joined((mark, kind, element("ul", *(element("li", _group(g, text)) for g in claim.any_of))), " ")


def _group(strings: Sequence[str], text: str) -> Html:
    lowered = text.casefold()
    found = [string for string in strings if string.casefold() in lowered]
    told = " or ".join(f"“{string}”" for string in found or strings)
    return joined((word(bool(found), "has" if found else "lacks"), html(told)), " ")


def _forbidden(claim: Claim, result: Result, scored: bool) -> Html:
    said = claim.is_in(result.text)
    mark = word(not said, "said" if said else "not said") if scored else html("")
    wanted = " and ".join(" or ".join(f"“{string}”" for string in group) for group in claim.any_of)
    return joined((mark, html(claim.text), element("span", html(f"({wanted})"), class_="pale")), " ")


def _evidence(case: Case, result: Result) -> Iterator[Html]:
    places = iter(result.gold)
    for evidence in case.evidence:
        place = next(places, None) if evidence.article else None
        met = joined(_met(case, result, place), " ") if place else Html("")
        yield quoted(evidence.quote, html(_origin(evidence, place)), Html(" "), met)


def _origin(evidence: Evidence, place: Place | None) -> str:
    told = [f"article {evidence.article}" if evidence.article else evidence.title, str(evidence.published or "")]
    told += [f"characters {place.start} to {place.end}"] if place else []
    return ", ".join(filter(None, told))


def _met(case: Case, result: Result, place: Place) -> Iterator[Html]:
    """Whether a hit has characters in common with evidence, and a citation; what was not asked is not told."""
    if result.error is not None or isinstance(case, CheckCase):
        return
    if isinstance(case, QaCase | SearchCase):
        ranks = [rank for rank, hit in enumerate(result.hits, start=1) if metrics.meet(hit, place)]
        near = [rank for rank, hit in enumerate(result.hits, start=1) if hit.article == place.article]
        missed = f"no hit, but hit {near[0]} is of its article" if near else "no hit is of its article"
        yield word(bool(ranks), f"hit {ranks[0]}" if ranks else missed)
    if not isinstance(case, SearchCase):
        numbers = [f"[{cited.number}]" for cited in result.citations if metrics.meet(cited, place)]
        yield word(bool(numbers), f"cited as {', '.join(numbers)}" if numbers else "not cited")


def _expected(case: QaCase, result: Result) -> Iterator[Html]:
    yield _compared("an answer" if case.answerable else "no answer", result.abstained is not case.answerable, "")
    if case.reason:
        seen = result.reason.value if result.reason else "no reason"
        yield _compared(f"reason {case.reason.value}", result.reason is case.reason, seen)
    telling = metrics.telling(case, result)[:1]
    if case.speaker:
        share = metrics.speakers(case, result)
        seen = ", ".join(s.speaker or "nobody named" for s in telling) or "no statement has the vital claims"
        yield _compared(f"said by {' or '.join(case.speaker)}", bool(share and share.hits), seen)
    if case.independent is not None:
        seen = ", ".join(str(s.outlets) for s in telling) or "no statement has the vital claims"
        right = [s.outlets for s in telling] == [case.independent]
        yield _compared(f"reported by {case.independent} independent outlets", right, seen)
    for wanted in case.conflicts:
        values = " against ".join(" or ".join(f"“{value}”" for value in group) for group in wanted.values)
        share = metrics.conflicts_shown(replace(case, conflicts=(wanted,)), result)
        yield _compared(f"{wanted.kind.value}: {values}", bool(share and share.hits), f"{len(result.conflicts)} shown")


def _compared(wanted: str, met: bool, seen: str) -> Html:
    told = f"{wanted}; seen: {seen}" if seen and not met else wanted
    return joined((word(met, "met" if met else "not met"), html(told)), " ")


def _judged(case: QaCase, result: Result) -> Html:
    if result.grades is None:
        return Html("")
    claims = [(c.text, yes, yes) for c, yes in zip(case.claims, result.grades.claims, strict=False)]
    claims += [(c.text, yes, not yes) for c, yes in zip(case.forbidden, result.grades.forbidden, strict=False)]
    lines = (joined((word(good, "said" if said else "not said"), html(text)), " ") for text, said, good in claims)
    return part(f"As {result.grades.judge} reads it", _list(lines))


def _beside(case: SummaryCase, result: Result) -> Html:
    """The reference, the summary, and what was said by rule in as many words, side by side."""
    texts = {"Reference": case.reference, "Summary": result.said}
    texts |= {f"By rule: {name}": text for name, text in result.rivals.items()}
    parts = [part(title, element("p", html(text))) for title, text in texts.items() if text]
    return element("div", *parts, class_="beside")


def _days(case: TimelineCase, result: Result) -> Iterator[Html]:
    events = result.events or {}
    heads = ["day", "", "gold", "found"]
    rows = [_day(day, case.events.get(day), events.get(day)) for day in sorted({*case.events, *events})]
    head = element("tr", *(element("th", html(name), scope="col") for name in heads))
    yield element("div", element("table", element("thead", head), element("tbody", *rows)), class_="wide days")


def _day(day: date, gold: str | None, found: str | None) -> Html:
    told = "not in gold" if gold is None else "missed" if found is None else "found"
    cells = [element("td", html(text or "")) for text in (gold, found)]
    mark = element("td", word(told == "found", told))
    return element("tr", element("th", html(day.isoformat()), scope="row"), mark, *cells)


def _verdict(case: CheckCase, result: Result) -> Html | None:
    if result.verdict is None:
        return None
    wanted = case.verdict.value if case.verdict else "supported" if case.supported else "not supported"
    right = result.verdict is case.verdict if case.verdict else (result.verdict.value == "supported") is case.is_true
    told = f"{wanted} is right, {result.verdict.value} was found"
    return element("p", word(right, "the same" if right else "another"), Html(" "), html(told))
