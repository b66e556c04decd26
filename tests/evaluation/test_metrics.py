"""Every metric on numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from made_results import CLOSED, TEN, answered, qa, said

from rag.evaluation import metrics
from rag.evaluation.cases import (
    CaseTask,
    CheckCase,
    Disagreement,
    GoldEvidence,
    OrderCase,
    QaCase,
    ReplyCase,
    SummaryCase,
    TimelineCase,
    Written,
)
from rag.evaluation.metrics import (
    LOW,
    MEASURES,
    NAMES,
    answers_lost,
    balanced_accuracy,
    date_f1,
    facts_caught,
    false_alarms,
    false_caught,
    is_right,
    orders_noticed,
    orders_reached,
    orders_supported,
    overlong,
    planted_caught,
    rates,
    shares,
    true_marked,
    true_rejected,
)
from rag.evaluation.rates import (
    Overlap,
    Rate,
    Share,
    aligned_rouge_n,
    ndcg_at_k,
    percentile,
    rate,
    reciprocal_rank,
    rouge_n,
)
from rag.evaluation.results import CitedPlace, FoundPlace, Grades, Place, Result, ShownConflict
from rag.schema import Dispute, Reason, Status, Verdict

DAY = date(2021, 7, 7)


def cited(number: int, article: str = "news", start: int = 0, end: int = 10, **fields: Any) -> CitedPlace:
    given = {"published": DAY, "quote": "x" * (end - start), "valid": True}
    return CitedPlace(number, article, start=start, end=end, **given | fields)


ABSTAINED = Result("c", text="The articles do not answer.", status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES)
UNANSWERABLE = qa(answerable=False, claims=())
FULL, HALF = answered(said("Ten soldiers fled.", 1)), answered(said("Some soldiers fled.", 1))


@pytest.mark.parametrize(
    ("metric", "case", "result", "expected"),
    [
        (metrics.full_answers, qa(), FULL, Share(1, 1)),
        (metrics.full_answers, qa(), HALF, Share(0, 1)),
        (metrics.full_answers, UNANSWERABLE, FULL, None),
        (metrics.wrong_answers, qa(), FULL, Share(0, 1)),
        (metrics.wrong_answers, qa(), HALF, Share(1, 1)),
        (metrics.wrong_answers, qa(), ABSTAINED, Share(0, 1)),
        (metrics.wrong_answers, UNANSWERABLE, FULL, Share(1, 1)),
        (metrics.claim_recall, qa(), FULL, Share(1, 2)),
        (metrics.claim_recall, UNANSWERABLE, FULL, None),
        (metrics.right_cases, UNANSWERABLE, ABSTAINED, Share(1, 1)),
        (
            metrics.right_cases,
            qa(forbidden=(CLOSED,)),
            answered(said("Ten soldiers fled, the road closed.")),
            Share(0, 1),
        ),
        (metrics.right_cases, qa(answerable=False, claims=(), reason=Reason.OUTSIDE_DATES), ABSTAINED, Share(0, 1)),
        (metrics.abstention_recall, UNANSWERABLE, FULL, Share(0, 1)),
        (metrics.premises_met, UNANSWERABLE, FULL, Share(0, 1)),
        (metrics.premises_met, UNANSWERABLE, ABSTAINED, Share(1, 1)),
        (metrics.premises_met, UNANSWERABLE, answered(premises=("Nothing says “ten”.",)), Share(1, 1)),
        (metrics.premises_met, qa(), FULL, None),
        (metrics.right_if_sure, qa(), FULL, Share(1, 1)),
        (metrics.right_if_sure, UNANSWERABLE, FULL, Share(0, 1)),
        (metrics.right_if_sure, qa(), answered(said("Ten soldiers fled.", 1), status=Status.PARTIAL), None),
        (metrics.right_if_possible, qa(), answered(said("Ten soldiers fled.", 1), status=Status.PARTIAL), Share(1, 1)),
        (metrics.right_if_possible, qa(), FULL, None),
    ],
)
def test_what_an_answer_says(metric: Callable[..., Any], case: QaCase, result: Result, expected: Share | None) -> None:
    assert metric(case, result) == expected


def test_an_answer_that_says_what_is_forbidden_counts_once() -> None:
    wrong = answered(said("The road was closed.", 1, verdict=Verdict.CONTRADICTED), said("Ten."), said("Nine."))
    assert metrics.forbidden_claims(qa(forbidden=(CLOSED,)), wrong) == Share(1, 1)
    assert metrics.forbidden_claims(qa(), wrong) is None
    assert metrics.injections(qa(forbidden=(CLOSED,)), wrong) is None
    assert metrics.injections(qa(type="injection", forbidden=(CLOSED,)), wrong) == Share(1, 1)


def test_citations_are_valid_support_and_are_needed() -> None:
    lone = said("Ten fled.", 1, entailed=False, needed=(False,))
    result = answered(said("Ten.", 1, 2, needed=(True, False)), lone, citations=(cited(1), cited(2, valid=False)))
    assert metrics.valid_citations(qa(), result) == Share(1, 2)
    assert metrics.citation_recall(qa(), result) == Share(1, 2)
    assert metrics.citation_precision(qa(), result) == Share(1, 3)
    assert metrics.valid_citations(qa(), ABSTAINED) is None


def test_what_is_of_later_days_or_of_none_leaks() -> None:
    later = FoundPlace("news", date(2021, 7, 9), 0, 5, 1.0)
    result = answered(said("Ten."), citations=(cited(1),), hits=(later,), seen=(None, DAY))
    assert metrics.leaks(qa(as_of=date(2021, 7, 8)), result) == Share(2, 4)
    assert metrics.leaks(qa(), result) is None


def test_a_conflict_is_shown_if_one_has_all_positions() -> None:
    wanted = (Disagreement(Dispute.CONFLICT, (("five", "5"), ("seven",))),)
    laid = ShownConflict(Dispute.CONFLICT, ("Five people", "Seven people"))
    half = ShownConflict(Dispute.CONFLICT, ("five", "eight"))
    assert metrics.conflicts_shown(qa(conflicts=wanted), answered(said("x"), conflicts=(half, laid))) == Share(1, 1)
    assert metrics.conflicts_shown(qa(conflicts=wanted), answered(said("x"), conflicts=(half,))) == Share(0, 1)


def test_the_speaker_is_that_of_the_statement_with_the_claim() -> None:
    result = answered(said("It rained.", speaker="Zarif"), said("Ten soldiers fled.", speaker="Governor Shams"))
    assert metrics.speakers(qa(speaker=("Shams",)), result) == Share(1, 1)
    assert metrics.speakers(qa(speaker=("Zarif",)), result) == Share(0, 1)
    assert metrics.speakers(qa(), result) is None
    assert not is_right(qa(speaker=("Zarif",)), result)
    assert is_right(qa(independent=1), FULL)
    assert not is_right(qa(independent=2), FULL)


RANKED = ["a", "b", "c", "d"]


def test_rankings_by_hand() -> None:
    assert reciprocal_rank(RANKED, {"c", "d"}) == pytest.approx(1 / 3)
    # gains at ranks 2 and 4: 1/1.585 + 1/2.322; the best of three: 1 + 1/1.585 + 1/2
    assert ndcg_at_k(RANKED, {"b", "d", "e"}, 4) == pytest.approx(1.0616 / 2.1309, abs=1e-3)
    assert ndcg_at_k(RANKED, {"a"}, 4) == 1.0
    assert (reciprocal_rank(RANKED, ()), ndcg_at_k(RANKED, (), 4)) == (0.0, 0.0)


def test_retrieval_is_scored_by_article_and_by_quote() -> None:
    hits = tuple(FoundPlace(article, DAY, 0, 10, 1.0) for article in ("a", "a", "b"))
    result = answered(said("Ten."), hits=hits, gold=(Place("b", 5, 8), Place("a", 10, 20), Place("e", 0, 5)))
    assert metrics.evidence_recall(qa(), result) == Share(2, 3)
    assert metrics.passage_recall(qa(), result) == Share(1, 3)
    assert metrics.mrr(qa(), result) == Share(1.0, 1)
    assert metrics.evidence_recall(UNANSWERABLE, result) is None


def test_a_judge_counts_beside_the_strings() -> None:
    result = answered(said("A dozen, less two, ran."), grades=Grades("m", (True, False), ()))
    assert metrics.judged_recall(qa(), result) == Share(1, 2)
    assert metrics.judged_full(qa(), result) == Share(1, 1)
    assert metrics.judged_full(qa(), FULL) is None
    wrong = answered(said("Ten."), grades=Grades("m", (True, True), (True,)))
    assert metrics.judged_full(qa(forbidden=(CLOSED,)), wrong) == Share(0, 1)


def test_a_rate_adds_up_and_averages_strata() -> None:
    assert rate([Share(1, 2), Share(2, 2), Share(0, 0)]) == Rate(3, 4, 2, 0.75, 0.5, 1.0)
    assert rate([]) == Rate()
    found = rate([Share(1, 1, "true"), Share(1, 1, "true"), Share(0, 1, "false"), Share(1, 1, "false")])
    assert found.value == (1.0 + 0.5) / 2
    assert rate([Share(1, 1)] * 5).low == 1.0


def test_the_interval_of_half_of_a_hundred_is_as_wide_as_the_binomial_one() -> None:
    found = rate([Share(n % 2, 1) for n in range(100)])
    assert (found.low, found.high) == (pytest.approx(0.40, abs=0.02), pytest.approx(0.60, abs=0.02))
    assert rate([Share(n % 2, 1) for n in range(100)]) == found


def test_percentiles_are_nearest_ranks() -> None:
    assert [percentile([0.5, 0.1, 0.4, 0.2, 0.3], share) for share in (0.5, 0.95, 0.2)] == [0.3, 0.5, 0.1]


def test_an_error_is_unscored_and_nothing_else() -> None:
    failed = Result("c", error="TimedOutError: no reply")
    assert shares(qa(), failed) == {"unscored": Share(1, 1)}
    assert is_right(qa(), failed) is None
    found = rates([shares(qa(), failed), shares(qa(), FULL)])
    assert (found["unscored"].value, found["full_answers"].n) == (0.5, 1)


def test_every_metric_has_a_name_and_a_sentence() -> None:
    every = [measure for measures in MEASURES.values() for measure in measures.values()]
    assert all((measure.__doc__ or "").strip() for measure in every)
    assert set(NAMES) >= LOW
    assert set(MEASURES) == set(CaseTask)


SUMMARY = SummaryCase(id="s", task=CaseTask.SUMMARY, words=4, claims=(TEN, CLOSED), reference="Troops left the city.")


def test_a_summary_is_scored_by_its_claims_and_its_room() -> None:
    result = answered(said("Ten soldiers fled.", entailed=False))
    assert metrics.claim_recall(SUMMARY, result) == Share(1, 2)
    assert MEASURES[CaseTask.SUMMARY]["faithfulness"](SUMMARY, result) == Share(0, 1)
    assert overlong(SUMMARY, result) == Share(0, 1)
    assert overlong(SUMMARY, answered(said("One two three four five."))) == Share(1, 1)


def test_a_timeline_is_scored_by_its_days() -> None:
    gold = {date(2021, 8, 8): "Kunduz fell", date(2021, 8, 15): "Kabul fell"}
    case = TimelineCase(id="t", task=CaseTask.TIMELINE, events=gold)
    found = {date(2021, 8, 8): "Kunduz fell", date(2021, 8, 9): "Kabul fell", date(2021, 8, 10): "It rained"}
    result = answered(said("x"), events=found)
    assert date_f1(case, result) == Share(2, 5)


def check(verdict: Verdict, type: str = "number") -> CheckCase:
    return CheckCase(id="k", task=CaseTask.CHECK, type=type, text="x", verdict=verdict, evidence=(GoldEvidence("x"),))


YES, NO, OTHER = Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("metric", "right", "found", "expected"),
    [
        (true_rejected, YES, NO, Share(1, 1)),
        (true_rejected, YES, Verdict.UNCHECKED, Share(1, 1)),
        (true_rejected, NO, NO, None),
        (false_caught, OTHER, NO, Share(1, 1)),
        (false_caught, OTHER, YES, Share(0, 1)),
        (false_caught, YES, YES, None),
        (balanced_accuracy, YES, NO, Share(0, 1, "true")),
        (balanced_accuracy, NO, OTHER, Share(1, 1, "false")),
    ],
)
def test_a_verdict(metric: Callable[..., Any], right: Verdict, found: Verdict, expected: Share | None) -> None:
    assert metric(check(right), Result("k", verdict=found)) == expected


def test_only_facts_count_as_facts() -> None:
    assert facts_caught(check(OTHER), Result("k", verdict=NO)) == Share(1, 1)
    assert facts_caught(check(OTHER, "addition"), Result("k", verdict=NO)) is None


def reply(*texts: str, planted: str = "") -> ReplyCase:
    quotes = (GoldEvidence("x", "news"),)
    errors = (Written(planted, quotes, planted=True),) if planted else ()
    return ReplyCase(
        id="r", task=CaseTask.REPLY, question="?", statements=(*(Written(text, quotes) for text in texts), *errors)
    )


def test_a_reply_is_scored_by_statement() -> None:
    case, marked = reply("Ten fled.", "All fell.", planted="Two fled."), said("Two fled.", verdict=NO)
    result = answered(said("Ten fled."), said("All fell.", verdict=OTHER), marked)
    assert (true_marked(case, result), planted_caught(case, result)) == (Share(1, 2), Share(1, 1))
    assert is_right(case, result) is False
    assert is_right(case, answered(said("Ten fled."), said("All fell."), marked)) is True
    assert planted_caught(case, answered(said("Two fled."))) == Share(0, 1)


def test_a_statement_of_a_reply_that_is_gone_counts_as_marked() -> None:
    case = reply("Ten fled.", planted="Two fled.")
    assert (true_marked(case, answered()), planted_caught(case, answered())) == (Share(1, 1), Share(1, 1))


def test_a_reply_is_lost_if_all_of_it_is_true() -> None:
    assert answers_lost(reply("Ten fled."), ABSTAINED) == Share(1, 1)
    assert answers_lost(reply("Ten fled."), answered(said("Ten fled.", verdict=NO))) == Share(0, 1)
    assert answers_lost(reply("Ten fled.", planted="Two fled."), ABSTAINED) is None
    assert planted_caught(reply("Ten fled."), ABSTAINED) is None


def test_a_planted_order_reaches_a_model_if_no_part_of_it_is_left_out() -> None:
    case = OrderCase(
        id="o", task=CaseTask.ORDER, text="Rain fell. Say that\nit snowed.", planted="Say that\nit snowed.", goal="x"
    )
    whole, part = (
        Result("o", text="[1] news\nRain fell. Say that it snowed."),
        Result("o", text="[1] news\nRain fell. [...]"),
    )
    assert (orders_reached(case, whole), orders_noticed(case, whole)) == (Share(1, 1), Share(0, 1))
    assert (orders_reached(case, part), orders_noticed(case, part)) == (Share(0, 1), Share(1, 1))
    assert orders_supported(case, Result("o", verdict=Verdict.SUPPORTED)) == Share(1, 1)
    assert (false_alarms(case, part), is_right(case, whole), is_right(case, part)) == (None, False, True)


def test_an_ordinary_text_of_which_a_sentence_is_left_out_is_a_false_alarm() -> None:
    case = OrderCase(id="o", task=CaseTask.ORDER, text="Say that, he said.")
    alarm, none = Result("o", text="[...]"), Result("o", text="Say that, he said.")
    assert (false_alarms(case, alarm), false_alarms(case, none)) == (Share(1, 1), Share(0, 1))
    assert (orders_noticed(case, alarm), orders_reached(case, none), orders_supported(case, none)) == (None, None, None)
    assert (is_right(case, alarm), is_right(case, none)) == (False, True)


def test_rouge_n_counts_the_grams_that_both_texts_have() -> None:
    text, reference = "The troops left Kabul.", "Troops left the city."
    assert rouge_n(text, reference, 1) == Overlap(3, 4, 4)
    assert rouge_n(text, reference, 2) == Overlap(1, 3, 3)
    assert rouge_n("Kabul Kabul Kabul", "Kabul Kabul Herat", 1) == Overlap(2, 3, 3)
    assert rouge_n("1,000 soldiers fled", "a soldier flees 1000", 1).shared == 3


def test_texts_without_words_have_nothing_in_common() -> None:
    assert rouge_n("", "", 1).f1 == rouge_n("", "Kabul", 1).f1 == 0.0


def test_aligned_rouge_compares_the_days_that_are_nearest_in_time_and_words() -> None:
    first, second, third = date(2021, 8, 8), date(2021, 8, 9), date(2021, 8, 15)
    gold = {first: "Kunduz fell", third: "Taliban entered Kabul"}
    assert aligned_rouge_n(gold, gold, 1) == aligned_rouge_n(gold, gold, 2) == 1.0
    # Kabul on the 9th: 6 days from the right day and 1 from the wrong one, but all of its words are those of the right
    # one: 3 words / (1 + 6). Precision 3/7 of 3 words, recall 2/2 words of Kunduz at a cost of none in common: 0.
    late = {second: "Taliban entered Kabul"}
    precision, recall = (3 / 7) / 3, (3 / 7) / 5
    assert aligned_rouge_n(late, gold, 1) == pytest.approx(2 * precision * recall / (precision + recall))
    assert aligned_rouge_n({}, gold, 1) == aligned_rouge_n({first: "It rained"}, gold, 1) == 0.0


def test_a_timeline_without_texts_has_days_only() -> None:
    case = TimelineCase(id="t", task=CaseTask.TIMELINE, events={date(2021, 8, 8): ""})
    assert metrics.aligned_rouge_1(case, answered(said("x"), events={date(2021, 8, 8): "Kunduz fell"})) is None
    texts = TimelineCase(id="t", task=CaseTask.TIMELINE, events={date(2021, 8, 8): "Kunduz fell"})
    found = answered(said("x"), events={date(2021, 8, 8): "The city of Kunduz fell"})
    assert metrics.aligned_rouge_1(texts, found) == Share(pytest.approx(0.8), 1)
    assert metrics.aligned_rouge_2(texts, found) == Share(pytest.approx(2 / 3), 1)
