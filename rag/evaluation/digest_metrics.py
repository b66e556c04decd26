"""Pure functions from a summary, a timeline or the verdict on a claim beside its gold to shares."""

from __future__ import annotations

from rag.evaluation.cases import CheckCase, SummaryCase, TimelineCase
from rag.evaluation.overlap import Overlap, agreement, date_overlap, rouge_l, rouge_n
from rag.evaluation.rates import Share
from rag.evaluation.results import Result
from rag.schema import Verdict

MAIN = ("number", "date", "person", "place", "organization", "name", "negation", "quote")
"""The types of claims whose facts must never be wrong."""


def rouge_1(case: SummaryCase, result: Result) -> Share | None:
    """Mean F1 of ROUGE-1 against the reference."""
    return _f1(rouge_n(result.said, case.reference, 1)) if case.reference else None


def rouge_2(case: SummaryCase, result: Result) -> Share | None:
    """Mean F1 of ROUGE-2 against the reference."""
    return _f1(rouge_n(result.said, case.reference, 2)) if case.reference else None


def rouge_longest(case: SummaryCase, result: Result) -> Share | None:
    """Mean F1 of ROUGE-L against the reference."""
    return _f1(rouge_l(result.said, case.reference)) if case.reference else None


def lead_recall(case: SummaryCase, result: Result) -> Share | None:
    """Claims that the first sentences make in as many words."""
    return _made(case, result, "lead")


def random_recall(case: SummaryCase, result: Result) -> Share | None:
    """Claims that random sentences make in as many words."""
    return _made(case, result, "random")


def lead_gain(case: SummaryCase, result: Result) -> Share | None:
    """Claims that the summary makes, less those that the first sentences make in as many words."""
    rival = lead_recall(case, result)
    return Share(sum(claim.is_in(result.said) for claim in case.claims) - rival.hits, rival.n) if rival else None


def lead_rouge_1(case: SummaryCase, result: Result) -> Share | None:
    """Mean F1 of ROUGE-1 of the first sentences against the reference."""
    lead = result.rivals.get("lead")
    return _f1(rouge_n(lead, case.reference, 1)) if lead and case.reference else None


def faithfulness(case: SummaryCase | TimelineCase, result: Result) -> Share | None:
    """Statements that what they cite supports."""
    told = result.statements
    return Share(sum(s.entailed for s in told), len(told)) if told else None


def length(case: SummaryCase, result: Result) -> Share:
    """Words, of those that it may have."""
    return Share(sum(len(s.text.split()) for s in result.statements), case.words)


def overlong(case: SummaryCase, result: Result) -> Share:
    """Summaries with more words than they may have."""
    found = length(case, result)
    return Share(int(found.hits > found.n), 1)


def date_f1(case: TimelineCase, result: Result) -> Share | None:
    """F1 of the days, over all timelines: twice the days in common, of the days of both (Tran et al. 2013)."""
    found = date_overlap(result.events or {}, case.events)
    return Share(2 * found.shared, found.found + found.wanted)


def date_precision(case: TimelineCase, result: Result) -> Share | None:
    """Days of timelines that gold has."""
    found = date_overlap(result.events or {}, case.events)
    return Share(found.shared, found.found) if found.found else None


def date_recall(case: TimelineCase, result: Result) -> Share | None:
    """Gold days that timelines have."""
    found = date_overlap(result.events or {}, case.events)
    return Share(found.shared, found.wanted)


def agreement_1(case: TimelineCase, result: Result) -> Share | None:
    """F1 of ROUGE-1 of what is told of the same days ("agreement" of Martschat and Markert 2017), over all."""
    found = agreement(result.events or {}, case.events, 1)
    return Share(2 * found.shared, found.found + found.wanted) if found.found + found.wanted else None


def true_rejected(case: CheckCase, result: Result) -> Share | None:
    """True claims that were not found to be supported."""
    return Share(int(not _passed(result)), 1) if case.is_true else None


def false_caught(case: CheckCase, result: Result) -> Share | None:
    """Claims that nothing supports, altered ones and others, that were not found to be supported."""
    return None if case.is_true else Share(int(not _passed(result)), 1)


def facts_caught(case: CheckCase, result: Result) -> Share | None:
    """False claims with an altered number, date, name, negation or quote that were not found to be supported."""
    return false_caught(case, result) if case.type in MAIN else None


def verdict_agrees(case: CheckCase, result: Result) -> Share | None:
    """Caught false claims whose verdict is the right one of the two, contradicted or unsupported."""
    if case.is_true or case.verdict is None or _passed(result):
        return None
    return Share(int(result.verdict is case.verdict), 1)


def balanced_accuracy(case: CheckCase, result: Result) -> Share:
    """The mean of the share of the true that passed and the share of the false that were caught."""
    return Share(int(_passed(result) is case.is_true), 1, stratum="true" if case.is_true else "false")


def is_right(case: CheckCase, result: Result) -> bool:
    """Whether a true claim passed, or a false one did not."""
    return _passed(result) is case.is_true


def _made(case: SummaryCase, result: Result, rival: str) -> Share | None:
    said = result.rivals.get(rival)
    return None if said is None else Share(sum(claim.is_in(said) for claim in case.claims), len(case.claims))


def _passed(result: Result) -> bool:
    return result.verdict is Verdict.SUPPORTED


def _f1(overlap: Overlap) -> Share:
    return Share(overlap.f1, 1)
