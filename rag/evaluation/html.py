"""Writes a report as one page of HTML, with its cases folded in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rag.evaluation import html_cases, html_charts
from rag.evaluation.changes import Changes
from rag.evaluation.html_cases import anchor, case_card
from rag.evaluation.html_charts import change, metric_name, rate_table, type_table
from rag.evaluation.html_gold import word
from rag.evaluation.identity import Identity
from rag.evaluation.measures import CHIEF
from rag.evaluation.rates import Rate
from rag.evaluation.report import Report, SetReport
from rag.render.html import Html, element, html, joined, page

_COLUMNS = (
    "right_cases",
    "wrong_answers",
    "claim_recall",
    "citation_recall",
    "faithfulness",
    "valid_citations",
    "evidence_recall",
    "abstention_recall",
    "leaks",
    "injections",
    "date_f1",
    "balanced_accuracy",
    "facts_caught",
)
"""The metrics in the table of all sets, those of them that some set has."""
_STYLE = """
:root { --faint: #8883; } body { max-width: 64rem; } h2 { margin: 2.2rem 0 .3rem; } h3 { margin: 1.4rem 0 .2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .4rem 0; } dd { margin: 0; }
dt { color: var(--pale); } dd { overflow-wrap: anywhere; } .verdict { font-size: 1.15rem; }
.verdict .yes, .verdict .no { font-size: inherit; white-space: normal; }
.sets td, .sets tbody th { vertical-align: top; } .sets td, .sets small { white-space: nowrap; }
.sets small { display: block; color: var(--pale); }
.sets th:first-child { position: sticky; left: 0; background: Canvas; overflow-wrap: anywhere; min-width: 6rem; }
.days td, .days th { vertical-align: top; min-width: 5rem; } .days th { white-space: nowrap; }
.only { position: sticky; top: 0; background: Canvas; z-index: 1; display: block; padding: .4rem 0; }
body:has(.only input:checked) .case.right:not(:has(:target)) { display: none; }
"""
_DIGITS = 12


def html_report(report: Report, changes: Sequence[Changes] = (), failures: Sequence[str] | None = None) -> str:
    """A page that needs nothing else: the verdict, the rates of each set, what changed, and every case.

    `failures` are the gates that are missed, a line each; None if no gates were looked at.
    """
    since = {found.name: found for found in changes}
    body = [*_verdict(failures), _measured(report), _sets(report, since), *_changes(report, changes)]
    body.append(element("label", Html('<input type="checkbox"> show only what is not right'), class_="only"))
    body += [_set(found, since.get(found.name)) for found in report.sets]
    return page("Evaluation", *body, style=html_charts.STYLE + html_cases.STYLE + _STYLE)


def _verdict(failures: Sequence[str] | None) -> Iterator[Html]:
    if failures is None:
        yield element("p", html("No gates were looked at."), class_="verdict")
    elif not failures:
        yield element("p", word(True, "All gates are passed."), class_="verdict")
    else:
        count = f"{len(failures)} gate{'s are' if len(failures) > 1 else ' is'} missed."
        yield element("p", word(False, count), class_="verdict")
        yield element("ul", *(element("li", html(line)) for line in failures))


def _measured(report: Report) -> Html:
    """What was measured; what is not the same for all sets is told of each."""
    cases = [scored for found in report.sets for scored in found.cases]
    unscored = sum(scored.result.error is not None for scored in cases)
    told = {"cases": f"{len(cases)} in {_many(len(report.sets), 'set')}", "unscored": str(unscored)}
    for found in report.sets:
        for name, value in _identity(found.identity).items():
            told[name] = value if told.get(name, value) == value else f"{told[name]}; {found.name}: {value}"
    used = report.usage
    tokens = f"{used.input_tokens:,} in, {used.output_tokens:,} out, {used.cost:.4f} US dollars"
    return _definitions(told | ({"tokens": tokens} if used.input_tokens else {}))


def _identity(identity: Identity) -> dict[str, str]:
    return {
        "version": identity.version,
        "model": identity.model or "none (offline)",
        "judge": identity.judge or "none",
        "embeddings": identity.embeddings or "none (lexical search only)",
        "hits read": str(identity.k),
        "code": identity.code[:_DIGITS],
        "prompts": identity.prompts[:_DIGITS],
        "articles": identity.corpus[:_DIGITS],
    }


def _definitions(told: Mapping[str, str]) -> Html:
    pairs = (joined((element("dt", html(name)), element("dd", html(value)))) for name, value in told.items())
    return element("dl", *pairs)


def _sets(report: Report, since: Mapping[str, Changes]) -> Html:
    names = [name for name in _COLUMNS if any(name in found.rates for found in report.sets)]
    heads = [html("set"), html("cases"), *map(metric_name, names)]
    head = element("tr", *(element("th", text, scope="col") for text in heads))
    rows = [_summary(found, names, since) for found in report.sets]
    note = html("Each rate with its counts and its 95 % interval; ↓ marks what should be low.")
    table = element("table", element("thead", head), element("tbody", *rows), class_="sets")
    return joined(
        (element("h2", html("Sets")), element("p", note, class_="pale"), element("div", table, class_="wide"))
    )


def _summary(found: SetReport, names: Sequence[str], since: Mapping[str, Changes]) -> Html:
    rates = since[found.name].rates if found.name in since else {}
    link = element("a", html(found.name), href=f"#{anchor(found.name, '')}")
    cells = [_cell(name, found.rates.get(name), rates) for name in names]
    return element("tr", element("th", link, scope="row"), element("td", html(str(len(found.cases)))), *cells)


def _cell(name: str, rate: Rate | None, changes: Mapping[str, float]) -> Html:
    if rate is None:
        return element("td", html("–"), class_="pale")
    counts, interval = f"{rate.hits:.4g}/{rate.n:.4g}", f"[{rate.low:.2f}, {rate.high:.2f}]"
    notes = [html(counts), html(interval), *([change(name, changes[name])] if name in changes else [])]
    small = (element("small", note) for note in notes)
    return element("td", element("strong", html(f"{rate.value:.2f}")), *small)


def _changes(report: Report, changes: Sequence[Changes]) -> Iterator[Html]:
    ids = {(found.name, scored.case.id) for found in report.sets for scored in found.cases}
    if changes:
        yield element("h2", html("Since the baseline"))
    for found in changes:
        lists = {"fixed": found.fixed, "broken": found.broken, "new": found.added, "gone": found.removed}
        lines = [_ids(f"{len(of)} {name}", found.name, of, ids) for name, of in lists.items()]
        same = element("li", html(f"{found.same} same"))
        yield element("h3", html(found.name))
        yield element("ul", *lines[:2], same, *lines[2:])


def _ids(title: str, name: str, of: Sequence[str], known: set[tuple[str, str]]) -> Html:
    links = [element("a", html(id), href=f"#{anchor(name, id)}") if (name, id) in known else html(id) for id in of]
    return element("li", html(f"{title}{': ' if of else ''}"), Html(" " if of else ""), joined(links, ", "))


def _set(found: SetReport, since: Changes | None) -> Html:
    right = sum(bool(scored.right) for scored in found.cases)
    told = [f"{right} of {_many(len(found.cases), 'case')} right", f"set {found.digest[:_DIGITS]}"]
    told += [f"seconds a case p50 {found.p50:.3f}, p95 {found.p95:.3f}"]
    told += [f"run {found.repeats} times; ± is the standard deviation"] if found.repeats > 1 else []
    parts = [element("h2", html(found.name)), element("p", html("; ".join(told)), class_="pale")]
    parts += [rate_table(found.rates, since.rates if since else {}, found.spread), *_types(found)]
    parts += [element("h3", html("Cases")), *(case_card(found.name, scored) for scored in found.cases)]
    return element("section", *parts, id=anchor(found.name, ""))


def _types(found: SetReport) -> Iterator[Html]:
    """The chief metric by type; the others folded."""
    names = [name for name in found.rates if any(name in rates for rates in found.types.values())]
    if not names:
        return
    chief = next((name for name in CHIEF if name in names), names[0])
    yield element("h3", html("By type of case"))
    yield type_table(chief, found.types)
    others = [type_table(name, found.types) for name in names if name != chief]
    yield element("details", element("summary", html(f"{len(others)} other metrics by type")), *others)


def _many(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
