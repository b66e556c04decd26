"""Names the metrics of each task, and says which of them should be low."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from rag.evaluation import digest_metrics, metrics
from rag.evaluation.cases import Case, CheckCase, QaCase, SummaryCase, Task, TimelineCase
from rag.evaluation.rates import Rate, Share, rate
from rag.evaluation.results import Result

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
        "rouge_1": digest_metrics.rouge_1,
        "rouge_2": digest_metrics.rouge_2,
        "rouge_l": digest_metrics.rouge_longest,
        "lead_recall": digest_metrics.lead_recall,
        "random_recall": digest_metrics.random_recall,
        "lead_gain": digest_metrics.lead_gain,
        "lead_rouge_1": digest_metrics.lead_rouge_1,
        "faithfulness": digest_metrics.faithfulness,
        **_CITED,
        "length": digest_metrics.length,
        "overlong": digest_metrics.overlong,
        "leaks": metrics.leaks,
        "judged_recall": metrics.judged_recall,
    },
    Task.TIMELINE: {
        "date_f1": digest_metrics.date_f1,
        "date_precision": digest_metrics.date_precision,
        "date_recall": digest_metrics.date_recall,
        "agreement_1": digest_metrics.agreement_1,
        "faithfulness": digest_metrics.faithfulness,
        **_CITED,
        "leaks": metrics.leaks,
    },
    Task.CHECK: {
        "true_rejected": digest_metrics.true_rejected,
        "false_caught": digest_metrics.false_caught,
        "facts_caught": digest_metrics.facts_caught,
        "verdict_agrees": digest_metrics.verdict_agrees,
        "balanced_accuracy": digest_metrics.balanced_accuracy,
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
            return digest_metrics.is_right(case, result)
        case SummaryCase():
            return all(claim.is_in(result.said) for claim in case.claims if claim.vital)
        case TimelineCase():
            return set(result.events or {}) == set(case.events)
        case _:
            return {place.article for place in result.gold} <= {hit.article for hit in result.hits}
