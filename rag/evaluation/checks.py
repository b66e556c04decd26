"""Scores the checker on a set of claims: `python -m rag.evaluation.checks SET`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from rag.checking import checked, whole
from rag.entailment import Entailment
from rag.errors import RagError
from rag.evaluation.claims import CitedClaim, Claim, SourcedClaim, load_claims
from rag.evaluation.metrics import Outcome
from rag.evaluation.report import GATE_FAILED, load_gates
from rag.evaluation.scores import GATES, claims_report
from rag.records import article
from rag.schema import Citation, Precision, Published, Statement, Status, Verdict
from rag.verification import Verify, verify

Judge: TypeAlias = Callable[[Claim], Verdict]
"""Gives the verdict on a claim."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the rates of the set; returns 10 if a gate is missed."""
    parser = ArgumentParser(prog="python -m rag.evaluation.checks", description=__doc__)
    parser.add_argument("set", type=Path, help="a JSONL file of claims")
    parser.add_argument("--gates", type=Path, help="a TOML file with a table [checks.NAME] for the set")
    parser.add_argument("--verifier", type=Path, help="the folder of an entailment model to use for the support")
    parser.add_argument("--json", action="store_true", help="print JSON, with each claim that was judged wrong")
    try:
        return _evaluate(parser.parse_args(arguments))
    except RagError as error:
        sys.stderr.write(f"rag: {error}\n")
        return error.exit_code


def outcomes(claims: Iterable[Claim], judge: Judge) -> list[Outcome]:
    """Each claim with what the judge makes of it, in order."""
    return [_outcome(claim, judge(claim)) for claim in claims]


def judged(claim: Claim, verify: Verify = verify) -> Verdict:
    """The verdict on a claim: against the spans it cites, or against what is nearest to it in its article."""
    match claim:
        case CitedClaim():
            return verify(Statement(claim.text, ()), _citations(claim)).verdict
        case SourcedClaim():
            regions = whole([article(claim.source)])
            found = checked(claim.text, lambda _: regions, verify)
            return Verdict.SUPPORTED if found.status is Status.ANSWERED else Verdict.UNSUPPORTED


def _evaluate(arguments: Namespace) -> int:
    claims = load_claims(arguments.set)
    gates = load_gates(arguments.gates, f"checks.{arguments.set.stem}", known=GATES) if arguments.gates else {}
    entailment = Entailment(arguments.verifier) if arguments.verifier else None
    report = claims_report(outcomes(claims, partial(judged, verify=partial(verify, entailment=entailment))))
    failures = report.failures(gates)
    shown = json.dumps(report.to_dict() | {"failures": failures}) if arguments.json else str(report)
    sys.stdout.write(f"{shown}\n")
    sys.stderr.writelines(f"gate: {failure}\n" for failure in failures)
    return GATE_FAILED if failures else 0


def _outcome(claim: Claim, found: Verdict) -> Outcome:
    match claim:
        case CitedClaim():
            return Outcome(claim.id, claim.kind, claim.verdict, found)
        case SourcedClaim():
            return Outcome(claim.id, claim.set, Verdict.SUPPORTED if claim.supported else None, found)


def _citations(claim: CitedClaim) -> list[Citation]:
    """Each span as an article of its own, with the title and the day."""
    published = Published(claim.published, Precision.DAY) if claim.published else None
    articles = [article(span, title=claim.title, published=published) for span in claim.evidence]
    return [Citation(n, a, "", 0, len(a.text), a.text) for n, a in enumerate(articles, start=1)]


if __name__ == "__main__":
    sys.exit(main())
