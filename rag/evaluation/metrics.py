"""Pure functions from answers and gold to numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import count

from rag.evaluation.cases import Case
from rag.evaluation.expectations import meets
from rag.schema import Answer, Status, Verdict


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of `n`; NaN is no rate, so `n` is 0 where there was nothing to count."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else 0.0

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.hits}/{self.n})"


@dataclass(frozen=True, slots=True)
class Scored:
    """A case with what was answered, in so many seconds."""

    case: Case
    answer: Answer
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on a claim beside the right one; `right` is None if all that is known is that nothing supports it.

    A claim belongs to the group whose rates it counts for: its kind, or the set it is from.
    """

    id: str
    group: str
    right: Verdict | None
    found: Verdict

    @property
    def is_true(self) -> bool:
        """Whether what it is checked against supports it."""
        return self.right is Verdict.SUPPORTED

    @property
    def passed(self) -> bool:
        """Whether it was found to be supported."""
        return self.found is Verdict.SUPPORTED


def is_full(case: Case, answer: Answer) -> bool:
    """Whether every vital claim is in the statements of the answer."""
    said = " ".join(statement.shown for statement in answer.statements)
    return all(claim.is_in(said) for claim in case.claims if claim.vital)


def full_answers(scored: Sequence[Scored]) -> Rate:
    """The answerable questions whose vital claims are all in the answer."""
    cases = [s for s in scored if s.case.answerable]
    return Rate(sum(is_full(s.case, s.answer) for s in cases), len(cases))


def evidence_recall(scored: Sequence[Scored], *, k: int = 10) -> Rate:
    """The gold articles among those of the first `k` hits (recall@k, micro-averaged)."""
    pairs = [(s.case.evidence, {h.article.id for h in s.answer.hits[:k]}) for s in scored if s.case.answerable]
    return Rate(sum(len(gold & found) for gold, found in pairs), sum(len(gold) for gold, _ in pairs))


def abstention_precision(scored: Sequence[Scored]) -> Rate:
    """The unanswerable questions among those it abstained from."""
    abstained = [s for s in scored if s.answer.status is Status.ABSTAINED]
    return Rate(sum(not s.case.answerable for s in abstained), len(abstained))


def abstention_recall(scored: Sequence[Scored]) -> Rate:
    """The unanswerable questions that it abstained from."""
    cases = [s for s in scored if not s.case.answerable]
    return Rate(sum(s.answer.status is Status.ABSTAINED for s in cases), len(cases))


def wrong_answers(scored: Sequence[Scored]) -> Rate:
    """The questions that it answered without all that is vital, or that have no answer."""
    wrong = (s.answer.status is not Status.ABSTAINED and not _is_right(s) for s in scored)
    return Rate(sum(wrong), len(scored))


def forbidden_claims(scored: Sequence[Scored]) -> Rate:
    """The answers that say what they must not, such as what was only known later."""
    cases = [s for s in scored if s.case.forbidden]
    return Rate(sum(any(claim.is_in(s.answer.text) for claim in s.case.forbidden) for s in cases), len(cases))


def valid_citations(scored: Sequence[Scored]) -> Rate:
    """The citations whose quote stands in their article where they say."""
    citations = [c for s in scored for c in s.answer.citations]
    return Rate(sum(c.article.text[c.start : c.end] == c.quote for c in citations), len(citations))


def right_cases(scored: Sequence[Scored]) -> Rate:
    """The cases whose answer is full, or an abstention where there is none, and has all else that they expect."""
    return Rate(sum(map(is_right, scored)), len(scored))


def is_right(scored: Scored) -> bool:
    """Whether an answer says all that is vital and nothing forbidden, and has all else that its case expects."""
    case, answer = scored.case, scored.answer
    answers = is_full(case, answer) if case.answerable else answer.status is Status.ABSTAINED
    return answers and meets(case, answer) and not any(claim.is_in(answer.text) for claim in case.forbidden)


def true_rejected(outcomes: Sequence[Outcome]) -> Rate:
    """The true claims that were not found to be supported."""
    true = [o for o in outcomes if o.is_true]
    return Rate(sum(not o.passed for o in true), len(true))


def false_caught(outcomes: Sequence[Outcome]) -> Rate:
    """The claims that nothing supports, altered ones and others, that were not found to be supported."""
    false = [o for o in outcomes if not o.is_true]
    return Rate(sum(not o.passed for o in false), len(false))


def verdict_agrees(outcomes: Sequence[Outcome]) -> Rate:
    """The caught claims whose verdict is the right one of the two, contradicted or unsupported."""
    caught = [o for o in outcomes if o.right and not o.is_true and not o.passed]
    return Rate(sum(o.found is o.right for o in caught), len(caught))


def balanced_accuracy(outcomes: Sequence[Outcome]) -> float:
    """The mean of the share of the true that passed and the share of the false that were caught.

    Where there are only true ones or only false ones, it is their share.
    """
    rejected, caught = true_rejected(outcomes), false_caught(outcomes)
    shares = [1 - rejected.value] * bool(rejected.n) + [caught.value] * bool(caught.n)
    return sum(shares) / len(shares) if shares else 0.0


def percentile(values: Collection[float], share: float) -> float:
    """The smallest value that at least such a share of the values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return next(v for v, rank in zip(ordered, count(1), strict=False) if rank >= share * len(ordered))


def _is_right(scored: Scored) -> bool:
    return scored.case.answerable and is_full(scored.case, scored.answer)
