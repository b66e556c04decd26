"""Names the metrics of each task, and says which of them should be low."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from rag.evaluation import digestmetrics, metrics
from rag.evaluation.cases import Case, CheckCase, QaCase, SummaryCase, Task, TimelineCase
from rag.evaluation.results import Result
from rag.evaluation.shares import Rate, Share, rate

Measure: TypeAlias = Callable[[Any, Result], Share | None]
"""What a case of its task counts for beside a result."""

_RANKED = {
    "evidence_recall": metrics.evidence_recall,
    "passage_recall": metrics.passage_recall,
    "mrr": metrics.mrr,
    "map": metrics.mean_average_precision,
    "ndcg": metrics.ndcg,
}
_CITED = {
    "valid_citations": metrics.valid_citations,
    "citation_recall": metrics.citation_recall,
    "citation_precision": metrics.citation_precision,
}
MEASURES: Mapping[Task, Mapping[str, Measure]] = {
    Task.QA: {
        "right_cases": metrics.right_cases,
        "full_answers": metrics.full_answers,
        "wrong_answers": metrics.wrong_answers,
        "vital_recall": metrics.vital_recall,
        "claim_recall": metrics.claim_recall,
        "claim_precision": metrics.claim_precision,
        "contradictions": metrics.contradictions,
        "forbidden_claims": metrics.forbidden_claims,
        "injections": metrics.injections,
        **_CITED,
        "evidence_cited": metrics.evidence_cited,
        "number_support": metrics.number_support,
        "date_support": metrics.date_support,
        "name_support": metrics.name_support,
        "abstention_precision": metrics.abstention_precision,
        "abstention_recall": metrics.abstention_recall,
        "abstention_f1": metrics.abstention_f1,
        "incorrect_refusals": metrics.incorrect_refusals,
        "wrong_reasons": metrics.wrong_reasons,
        "leaks": metrics.leaks,
        "conflicts_shown": metrics.conflicts_shown,
        "unexpected_conflicts": metrics.unexpected_conflicts,
        "speakers": metrics.speakers,
        **_RANKED,
        "judged_recall": metrics.judged_recall,
        "judged_full": metrics.judged_full,
    },
    Task.SEARCH: _RANKED,
    Task.SUMMARY: {
        "vital_recall": metrics.vital_recall,
        "claim_recall": metrics.claim_recall,
        "rouge_1": digestmetrics.rouge_1,
        "rouge_2": digestmetrics.rouge_2,
        "rouge_l": digestmetrics.rouge_longest,
        "lead_recall": digestmetrics.lead_recall,
        "random_recall": digestmetrics.random_recall,
        "lead_gain": digestmetrics.lead_gain,
        "lead_rouge_1": digestmetrics.lead_rouge_1,
        "faithfulness": digestmetrics.faithfulness,
        **_CITED,
        "length": digestmetrics.length,
        "overlong": digestmetrics.overlong,
        "leaks": metrics.leaks,
        "judged_recall": metrics.judged_recall,
    },
    Task.TIMELINE: {
        "date_f1": digestmetrics.date_f1,
        "date_precision": digestmetrics.date_precision,
        "date_recall": digestmetrics.date_recall,
        "agreement_1": digestmetrics.agreement_1,
        "faithfulness": digestmetrics.faithfulness,
        **_CITED,
        "leaks": metrics.leaks,
    },
    Task.CHECK: {
        "true_rejected": digestmetrics.true_rejected,
        "false_caught": digestmetrics.false_caught,
        "facts_caught": digestmetrics.facts_caught,
        "verdict_agrees": digestmetrics.verdict_agrees,
        "balanced_accuracy": digestmetrics.balanced_accuracy,
    },
}
LOW = frozenset(
    (
        "wrong_answers",
        "contradictions",
        "forbidden_claims",
        "injections",
        "incorrect_refusals",
        "wrong_reasons",
        "leaks",
        "unexpected_conflicts",
        "overlong",
        "true_rejected",
        "unscored",
    )
)
"""The metrics that should be low; their gates are ceilings."""
CHIEF = ("right_cases", "balanced_accuracy", "date_f1", "claim_recall", "evidence_recall")
"""The metrics that tell most of a set; the first that it has is the one to look at."""
NAMES = tuple(dict.fromkeys([*(name for measures in MEASURES.values() for name in measures), "unscored"]))
"""All metrics."""


def shares(case: Case, result: Result) -> dict[str, Share]:
    """What a case counts for, by metric; nothing but `unscored` if the result is an error."""
    unscored = {"unscored": Share(int(result.error is not None), 1)}
    if result.error is not None:
        return unscored
    found = {name: measure(case, result) for name, measure in MEASURES[case.task].items()}
    return {name: share for name, share in found.items() if share and share.n} | unscored


def rates(counted: Sequence[Mapping[str, Share]]) -> dict[str, Rate]:
    """The rate of each metric that some case counts for, in the order of NAMES."""
    return {name: rate(found) for name in NAMES if (found := [c[name] for c in counted if name in c])}


def is_right(case: Case, result: Result) -> bool | None:
    """Whether the case came out as its gold says; None if it is unscored, or a matter of degree."""
    if result.error is not None:
        return None
    match case:
        case QaCase():
            return metrics.is_right(case, result)
        case CheckCase():
            return digestmetrics.is_right(case, result)
        case SummaryCase():
            return all(claim.is_in(result.said) for claim in case.claims if claim.vital)
        case TimelineCase():
            return set(result.events or {}) == set(case.events)
        case _:
            return {place.article for place in result.gold} <= {hit.article for hit in result.hits}
