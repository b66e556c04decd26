"""Tables for the limits of support.py: `fit_support.py SET.jsonl[=CORPUS[+CORPUS]] ... [--own FOLDER] [--weights W]`.

Each statement is checked once as if the verifier supported all, and what it makes of it is kept; what passes with other
limits is read off that. Statements are checked beside the quotes that they cite and, in sets with corpora of
`evals/corpora`, as drafts. FOLDER has labelled claims: those on documents that are held out of training are checked
both ways, one half of them, or with `--unseen` the other. `--without` leaves out kinds of checks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from prepare import held, lines
from sklearn.metrics import roc_auc_score

import rag.checks.document as drafts
import rag.checks.verify as checks
from rag import InputError, Library, Verdict
from rag.checks.rules import support as rules
from rag.ingest.metadata import article
from rag.models.reader import VERIFIER, Entailment, Pair, Probabilities, Reader
from rag.schema import Article, Check, Citation, Precision, Published, Statement

EVALS = Path(__file__).parents[1] / "evals"
WRITERS, MOST = ("s33", "s34", "s35"), 500
WEIGHT, WEIGHTS = 6.0, (4.0, 6.0)
Score = tuple[float, float]
COPIED: Score = (math.inf, 1.0)


@dataclass(frozen=True)
class Case:
    """A statement and the quotes that it cites, each with its article, or an article's id."""

    text: str
    is_true: bool
    evidence: list[tuple[Article | str, str]]


@dataclass(frozen=True)
class Outcome:
    """Of a statement: the log odds that it follows with the share of its words, wherever all else passes."""

    is_true: bool
    scores: tuple[Score, ...]

    def margin(self, weight: float) -> float:
        return max((follows + weight * shown for follows, shown in self.scores), default=-math.inf)


class Cached:
    """The verifier, asked once for each pair."""

    def __init__(self, reader: Entailment) -> None:
        self.reader, self.known = reader, dict[Pair, Probabilities]()

    def entail(self, pairs: Iterable[Pair]) -> list[Probabilities]:
        return [self.known.setdefault(p, self.known.get(p) or self.reader.entail([p])[0]) for p in pairs]


class Recorder:
    """Lets the verifier support everything, and keeps what it said."""

    def __init__(self, weights: Path, without: Iterable[str]) -> None:
        self.score, self.found = COPIED, list[Score]()
        reader, support, against = Cached(Reader(weights=weights, threads=1)), rules.support, drafts._against

        def scored(*args: Any, **kinds: Any) -> rules.Support:
            whole = support(*args, **kinds)
            if kinds["chosen"] == self.chosen:
                self.score = (whole.follows, whole.shown) if whole.nearest else (-math.inf, 0.0)
            return replace(whole, probability=1.0)

        def compared(*args: Any) -> Statement:
            self.score = COPIED
            told = against(*args)
            self.keep(told)
            return told

        self.chosen = False
        rules._entailed = lambda _, pair: reader.entail([pair])[0].entailment
        for rule in ("compare", "check_relations"):
            setattr(checks, rule, _filtered(getattr(checks, rule), set(without)))
        checks.support, checks.shared_reader, drafts._against = scored, lambda *_: reader, compared

    def keep(self, told: Statement) -> None:
        if told.verdict is Verdict.SUPPORTED:
            self.found.append(self.score)

    def cited(self, text: str, citations: list[Citation]) -> tuple[Score, ...]:
        self.found, self.score, self.chosen = [], COPIED, False
        self.keep(checks.verify(Statement(text, ()), citations))
        return tuple(self.found)

    def draft(self, text: str, library: Library) -> tuple[Score, ...] | None:
        self.found, self.chosen = [], True
        try:
            library.check(text)
        except InputError:  # no sentence
            return None
        return tuple(self.found)


def _filtered(rule: Callable[..., Iterable[Check]], without: set[str]) -> Callable[..., list[Check]]:
    return lambda *given: [check for check in rule(*given) if check.kind not in without]


def main() -> None:
    options = _options()
    recorder = Recorder(options.weights, options.without)
    found: dict[str, list[Outcome]] = defaultdict(list)
    for argument in options.sets:
        path, _, corpora = argument.partition("=")
        cases = [case for line in lines(Path(path)) for case in _cases(line)]
        sources = [EVALS / "corpora" / name for name in corpora.split("+") if name]
        _check(Path(path).stem, cases, sources, recorder, found)
    if options.own:
        with tempfile.TemporaryDirectory() as folder:
            for writers in WRITERS:
                _check(writers, *_own(options.own, writers, Path(folder), options.unseen), recorder, found)
    for way in ("cited", "draft"):
        _tell(way, {name: outcomes for name, outcomes in found.items() if name.endswith(way)})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*", metavar="SET[=CORPORA]")
    parser.add_argument("--own", type=Path)
    parser.add_argument("--unseen", action="store_true")
    parser.add_argument("--without", nargs="*", default=[], metavar="KIND", help="kinds of checks to do without")
    parser.add_argument("--weights", type=Path, default=VERIFIER)
    return parser.parse_args()


def _cases(line: dict[str, Any]) -> Iterator[Case]:
    for stated in line.get("statements", [line]):
        quotes = [(e.get("article") or _quoted(e), e["quote"]) for e in stated.get("quotes") or stated["evidence"]]
        yield Case(stated["text"], not stated.get("planted") and line.get("verdict") in (None, "supported"), quotes)


def _quoted(evidence: dict[str, Any]) -> Article:
    day = evidence.get("published")
    known = Published(date.fromisoformat(day), Precision.DAY) if day else None
    return article(evidence["quote"], title=evidence.get("title"), published=known)


def _own(folder: Path, writers: str, to: Path, unseen: bool) -> tuple[list[Case], list[Path]]:
    """Claims of those writers on held-out documents, and these as a file."""
    documents = {row["id"]: row for row in lines(folder / "documents.jsonl") if "held" in held({}, row["id"])}
    rows = [row for row in lines(folder / "claims.jsonl") if row["document"] in documents]
    rows = [row for row in rows if row["id"].startswith(writers) and _is_odd(row["document"]) == unseen]
    random.Random(1).shuffle(rows)
    made = to / f"{writers}.jsonl"
    fields = ("id", "title", "text", "source", "published")
    made.write_text("".join(json.dumps({k: d.get(k) for k in fields}) + "\n" for d in documents.values()))
    quotes = [[(row["document"], quote) for quote in row["evidence"]] for row in rows[:MOST]]
    return [Case(r["claim"], r["label"] == "supported", e) for r, e in zip(rows[:MOST], quotes, strict=True)], [made]


def _is_odd(document: str) -> bool:
    return hashlib.sha256(f"half {document}".encode()).digest()[0] % 2 == 1


def _check(
    name: str, cases: list[Case], sources: list[Path], recorder: Recorder, found: dict[str, list[Outcome]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, Library(folder, offline=True) as library:
        if sources:
            library.add(*sources)
        for case in cases:
            try:
                citations = [_citation(library, source, quote) for source, quote in case.evidence]
            except ValueError:  # the quote has spaces or characters that are cleaned when articles are read
                continue
            found[f"{name} cited"].append(Outcome(case.is_true, recorder.cited(case.text, citations)))
            if sources and (scores := recorder.draft(case.text, library)) is not None:
                found[f"{name} draft"].append(Outcome(case.is_true, scores))


def _citation(library: Library, source: Article | str, quote: str) -> Citation:
    source = library.catalog.article(source) if isinstance(source, str) else source
    start = source.text.index(quote)
    return Citation(1, source, "", start, start + len(quote), quote)


def _tell(way: str, found: dict[str, list[Outcome]]) -> None:
    """AUC of each set, then how many of all true and false statements pass at weights and limits."""
    for name, outcomes in found.items():
        margins = [max(-99.0, min(99.0, outcome.margin(WEIGHT))) for outcome in outcomes]
        truths = [outcome.is_true for outcome in outcomes]
        auc = roc_auc_score(truths, margins) if len(set(truths)) > 1 else math.nan
        print(f"{name}: {sum(truths)} true, {len(truths) - sum(truths)} false, AUC {auc:.3f}")
    for weight in WEIGHTS:
        for limit in np.arange(weight - 8, weight + 1, 0.5):
            told = [
                [sum(o.is_true is t and o.margin(weight) >= limit for o in outcomes) for t in (True, False)]
                for outcomes in found.values()
            ]
            sums = np.sum(told, axis=0)
            print(f"{way} {weight:.0f} {limit:+.1f}: true {sums[0]}, false {sums[1]};", *(f"{a}/{b}" for a, b in told))


if __name__ == "__main__":
    main()
