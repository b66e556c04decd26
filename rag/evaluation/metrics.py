"""Pure functions from an answer beside its gold to shares.

Each takes a case and its result and gives what the case counts for, or None if it does not count. No model takes part:
a claim is made if its strings are in the statements (`Claim`), and whether a citation supports its statement is judged
by the program's own checker, anew. The latter shows what gets worse; how right the checker is, the sets of checks show.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeAlias

from rag.evaluation import ranking
from rag.evaluation.cases import Claim, QaCase, SearchCase, SummaryCase
from rag.evaluation.rates import Share
from rag.evaluation.results import Laid, Place, Result, Told
from rag.schema import Verdict

Ranked: TypeAlias = Callable[[Sequence[str], Collection[str]], float]
"""How well ids are ranked, best first, of which some are relevant."""


class Spanned(Protocol):
    """Characters of an article."""

    @property
    def article(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def is_full(case: QaCase, result: Result) -> bool:
    """Whether every vital claim is in the statements of the answer."""
    return all(claim.is_in(result.said) for claim in case.claims if claim.vital)


def is_right(case: QaCase, result: Result) -> bool:
    """Whether an answer says all that is vital and nothing forbidden, and has all else that its case expects."""
    answers = is_full(case, result) if case.answerable else result.abstained
    return answers and _meets(case, result) and not _says(case.forbidden, result.text)


def telling(case: QaCase, result: Result) -> list[Told]:
    """The statements that make all vital claims."""
    vital = [claim for claim in case.claims if claim.vital]
    return [s for s in result.statements if all(claim.is_in(s.shown) for claim in vital)]


def meet(span: Spanned, gold: Place) -> bool:
    """Whether a span has characters in common with gold evidence."""
    return span.article == gold.article and span.start < gold.end and gold.start < span.end


def right_cases(case: QaCase, result: Result) -> Share:
    """Cases whose answer is full, or an abstention where there is none, with all else that they expect."""
    return _one(is_right(case, result))


def full_answers(case: QaCase, result: Result) -> Share | None:
    """Answerable questions whose vital claims are all in the statements."""
    return _one(is_full(case, result)) if case.answerable else None


def wrong_answers(case: QaCase, result: Result) -> Share:
    """Questions answered without all that is vital, or that have no answer."""
    return _one(not result.abstained and not (case.answerable and is_full(case, result)))


def vital_recall(case: QaCase | SummaryCase, result: Result) -> Share | None:
    """Vital claims that are made, of all of them."""
    return _made([claim for claim in case.claims if claim.vital], result)


def claim_recall(case: QaCase | SummaryCase, result: Result) -> Share | None:
    """Claims that are made, vital or not."""
    return _made(case.claims, result)


def claim_precision(case: QaCase, result: Result) -> Share | None:
    """Statements that make a gold claim whole or in part, or cite gold evidence; the others are beside the point."""
    if not case.answerable or not result.statements:
        return None
    return Share(sum(_is_to_the_point(case, result, s) for s in result.statements), len(result.statements))


def contradictions(case: QaCase, result: Result) -> Share | None:
    """Statements that make a forbidden claim, or that what they cite contradicts."""
    wrong = [s.verdict is Verdict.CONTRADICTED or _says(case.forbidden, s.shown) for s in result.statements]
    return Share(sum(wrong), len(wrong)) if wrong else None


def forbidden_claims(case: QaCase, result: Result) -> Share | None:
    """Answers that say what they must not, of those with something forbidden."""
    return _one(_says(case.forbidden, result.text)) if case.forbidden else None


def injections(case: QaCase, result: Result) -> Share | None:
    """Answers that do what an article, or a question of type `injection`, tries to make them do."""
    return forbidden_claims(case, result) if case.type.startswith("injection") else None


def valid_citations(case: QaCase, result: Result) -> Share | None:
    """Citations whose quote stands in the article where they say."""
    return Share(sum(c.valid for c in result.citations), len(result.citations)) if result.citations else None


def citation_recall(case: QaCase, result: Result) -> Share | None:
    """Statements that what they cite supports (citation recall of ALCE, Gao et al. 2023)."""
    told = result.statements
    return Share(sum(s.entailed for s in told), len(told)) if told else None


def citation_precision(case: QaCase, result: Result) -> Share | None:
    """Citations of supported statements that take part in supporting them (citation precision of ALCE)."""
    needed = [s.entailed and need for s in result.statements for need in s.needed]
    return Share(sum(needed), len(needed)) if needed else None


def evidence_cited(case: QaCase, result: Result) -> Share | None:
    """Full answers that cite gold evidence: a span that has characters in common with it."""
    if not case.answerable or not result.gold or result.abstained or not is_full(case, result):
        return None
    return _one(any(meet(cited, gold) for cited in result.citations for gold in result.gold))


def number_support(case: QaCase, result: Result) -> Share | None:
    """Numbers in statements that stand in what they cite."""
    return _support(result, "number")


def date_support(case: QaCase, result: Result) -> Share | None:
    """Dates in statements that what they cite has, or means."""
    return _support(result, "date")


def name_support(case: QaCase, result: Result) -> Share | None:
    """Names in statements that what they cite has, in any spelling."""
    return _support(result, "name")


def abstention_precision(case: QaCase, result: Result) -> Share | None:
    """Unanswerable questions among those it abstained from."""
    return _one(not case.answerable) if result.abstained else None


def abstention_recall(case: QaCase, result: Result) -> Share | None:
    """Unanswerable questions that it abstained from."""
    return None if case.answerable else _one(result.abstained)


def abstention_f1(case: QaCase, result: Result) -> Share | None:
    """The harmonic mean of both: 2 TP / (2 TP + FP + FN)."""
    both = not case.answerable and result.abstained
    return Share(2 * both, 2 * both + (result.abstained is case.answerable)) if both or _errs(case, result) else None


def incorrect_refusals(case: QaCase, result: Result) -> Share | None:
    """Answerable questions that it abstained from."""
    return _one(result.abstained) if case.answerable else None


def wrong_reasons(case: QaCase, result: Result) -> Share | None:
    """Rightful abstentions that give another reason than the case does."""
    if case.answerable or case.reason is None or not result.abstained:
        return None
    return _one(result.reason is not case.reason)


def leaks(case: QaCase | SummaryCase, result: Result) -> Share | None:
    """Things cited, found or told of that were published after the last day of the window."""
    last = case.window.last
    if last is None:
        return None
    days = [*(c.published for c in result.citations), *(h.published for h in result.hits), *result.seen]
    return Share(sum(day is None or day > last for day in days), len(days)) if days else None


def conflicts_shown(case: QaCase, result: Result) -> Share | None:
    """Conflicts with a position for each expected value, of those that are expected."""
    wanted = case.conflicts
    shown = [any(_lays(found, w.kind, w.values) for found in result.conflicts) for w in wanted]
    return Share(sum(shown), len(shown)) if shown else None


def unexpected_conflicts(case: QaCase, result: Result) -> Share | None:
    """Answers that show a conflict where the case has none."""
    return None if case.conflicts or result.abstained else _one(bool(result.conflicts))


def speakers(case: QaCase, result: Result) -> Share | None:
    """Answers that give what is asked to the right speaker, of those where the case names one."""
    return _one(_has_speaker(case, result)) if case.speaker else None


def evidence_recall(case: QaCase | SearchCase, result: Result, *, k: int = 10) -> Share | None:
    """Gold articles among those of the first ten hits (recall@10, over all evidence)."""
    gold = {place.article for place in result.gold}
    found = {hit.article for hit in result.hits[:k]}
    return Share(len(gold & found), len(gold)) if gold and _is_answerable(case) else None


def passage_recall(case: QaCase | SearchCase, result: Result, *, k: int = 10) -> Share | None:
    """Gold quotes that have characters in common with one of the first ten hits."""
    found = [any(meet(hit, gold) for hit in result.hits[:k]) for gold in result.gold]
    return Share(sum(found), len(found)) if found and _is_answerable(case) else None


def mrr(case: QaCase | SearchCase, result: Result) -> Share | None:
    """Mean reciprocal rank of the first gold article."""
    return _ranked(case, result, ranking.mrr)


def mean_average_precision(case: QaCase | SearchCase, result: Result) -> Share | None:
    """Mean average precision (MAP), by article."""
    return _ranked(case, result, ranking.average_precision)


def ndcg(case: QaCase | SearchCase, result: Result) -> Share | None:
    """nDCG of the first ten, by article."""
    return _ranked(case, result, lambda ids, gold: ranking.ndcg_at_k(ids, gold, 10))


def judged_recall(case: QaCase | SummaryCase, result: Result) -> Share | None:
    """Claims that are made, as a judge reads the answer."""
    grades = result.grades
    return Share(sum(grades.claims), len(grades.claims)) if grades and grades.claims else None


def judged_full(case: QaCase, result: Result) -> Share | None:
    """Answerable questions whose vital claims are all made, and nothing forbidden, as a judge reads the answer."""
    if not case.answerable or result.grades is None:
        return None
    made = zip(case.claims, result.grades.claims, strict=True)
    return _one(all(yes for claim, yes in made if claim.vital) and not any(result.grades.forbidden))


def _one(hit: bool) -> Share:
    return Share(int(hit), 1)


def _says(claims: Collection[Claim], text: str) -> bool:
    return any(claim.is_in(text) for claim in claims)


def _made(claims: Collection[Claim], result: Result) -> Share | None:
    return Share(sum(claim.is_in(result.said) for claim in claims), len(claims)) if claims else None


def _support(result: Result, kind: str) -> Share | None:
    checks = [check.passed for s in result.statements for check in s.checks if check.kind == kind]
    return Share(sum(checks), len(checks)) if checks else None


def _errs(case: QaCase, result: Result) -> bool:
    return result.abstained is case.answerable


def _is_answerable(case: QaCase | SearchCase) -> bool:
    return not isinstance(case, QaCase) or case.answerable


def _ranked(case: QaCase | SearchCase, result: Result, measure: Ranked) -> Share | None:
    gold = {place.article for place in result.gold}
    ids = list(dict.fromkeys(hit.article for hit in result.hits))
    return Share(measure(ids, gold), 1) if gold and _is_answerable(case) else None


def _is_to_the_point(case: QaCase, result: Result, statement: Told) -> bool:
    """Whether it has a string of each group of some claim, or of one group of a claim of several, or cites gold."""
    cites = [c for c in result.citations if c.number in statement.cites]
    return any(claim.is_partly_in(statement.shown) for claim in case.claims) or any(
        meet(cited, gold) for cited in cites for gold in result.gold
    )


def _meets(case: QaCase, result: Result) -> bool:
    """Whether an answer has the reason, outlets, speaker and conflicts that a case expects, where it says."""
    laid = conflicts_shown(case, result)
    return (
        case.reason in (None, result.reason)
        and (case.independent is None or [s.outlets for s in telling(case, result)[:1]] == [case.independent])
        and (not case.speaker or _has_speaker(case, result))
        and (laid is None or laid.hits == laid.n)
    )


def _has_speaker(case: QaCase, result: Result) -> bool:
    said_by = [s.speaker or "" for s in telling(case, result)[:1]]
    return any(name in said for said in said_by for name in case.speaker)


def _lays(found: Laid, kind: str, values: Collection[Collection[str]]) -> bool:
    """Whether a conflict is of a kind, and has a position for each of the values."""
    told = [position.casefold() for position in found.positions]
    return found.kind == kind and all(any(v.casefold() in text for text in told for v in group) for group in values)
