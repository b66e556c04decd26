"""Fits what stands beside the reader: `fit_answers.py SET.jsonl=LIBRARY ... --test SET.jsonl=LIBRARY ...`.

Each set is asked of a library that holds its articles. Prints the weights of `rag/retrieval/rerank.py` (softmax
regression over the sentences that were retrieved) and of `rag/answer/extractive.py` (logistic regression: is the best
sentence a right answer?), with scores cross-validated over questions, and on the test sets, which fit nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from rag.answer import extractive
from rag.library import Library
from rag.retrieval import rerank, retriever
from rag.retrieval.query import Query
from rag.schema import Turn, Window
from rag.text.calendar import parse_published

FOLDS, SEED = 6, 0
Array = NDArray[np.float64]


@dataclass
class Case:
    """A question with the sentences that were retrieved for it, their features, and which of them answer it."""

    set: str
    row: dict[str, Any]
    query: Query
    retrieved: retriever.Retrieved
    features: Array
    gold: NDArray[np.bool_]
    weights: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def answerable(self) -> bool:
        return bool(self.row["answerable"])

    def ranked(self) -> list[rerank.Sentence]:
        scores = self.features @ self.weights
        order = np.argsort(-scores, kind="stable")
        sentences = self.retrieved.sentences
        return [rerank.replace(sentences[i], score=float(scores[i])) for i in order]

    def right(self, most: int = 1, margin: float = 0.0) -> bool:
        """Whether the best sentences make all vital claims and no forbidden one."""
        kept: list[rerank.Sentence] = []
        for s in self.ranked():
            if len(kept) == most or (kept and s.score < kept[0].score - margin):
                break
            if all(_plain(s.text) != _plain(other.text) for other in kept):
                kept.append(s)
        return self.answerable and makes(self.row, " ".join(s.text for s in kept))


def makes(row: Mapping[str, Any], text: str) -> bool:
    low = text.lower()

    def made(claim: Mapping[str, Any]) -> bool:
        return all(any(v.lower() in low for v in group) for group in claim["any_of"])

    vital = [c for c in row["claims"] if c.get("vital", True)]
    return bool(vital) and all(map(made, vital)) and not any(map(made, row.get("forbidden") or []))


def cases(path: Path, library: Library, names: Sequence[str]) -> list[Case]:
    found = []
    searcher = library._pipeline.searcher
    with path.open() as file:
        rows = [json.loads(line) for line in file]
    for row in (r for r in rows if r.get("task", "qa") == "qa"):
        days = {k: parse_published(row[k]) for k in ("as_of", "since", "until") if row.get(k)}
        window = Window(**{k: d.last_day if k != "since" else d.day for k, d in days.items() if d})
        history = [Turn(t["question"], t.get("answer") or "") for t in row.get("history") or []]
        query = searcher.query(row["question"], window, history)
        retrieved = searcher.find(query, k=10, window=window)
        articles = {hit.passage.id: hit.article for hit in retrieved.hits}
        matrix = np.array([[s.features[n] for n in names] for s in retrieved.sentences]).reshape(-1, len(names))
        gold = np.array([_answers(row, s, articles[s.passage_id].text) for s in retrieved.sentences], bool)
        found.append(Case(path.stem, row, query, retrieved, matrix, gold))
    return found


def _answers(row: Mapping[str, Any], sentence: rerank.Sentence, text: str) -> bool:
    """Whether a sentence makes the claims, or is a part of the evidence that makes one."""
    if makes(row, sentence.text):
        return True
    some = any(makes({"claims": [{**c, "vital": True}]}, sentence.text) for c in row["claims"])
    places = [(at, at + len(e["quote"])) for e in row.get("evidence", []) if (at := text.find(e["quote"])) >= 0]
    return some and any(a < sentence.span.end and sentence.span.start < b for a, b in places)


def fit_order(found: Sequence[Case], columns: Sequence[int], penalty: float = 0.02) -> Array:
    """Weights that make the answering sentences likeliest among all of their question; 0 for other columns."""
    data = [(c.features[:, columns], c.gold) for c in found if c.answerable and c.gold.any()]
    scale = np.concatenate([x for x, _ in data]).std(axis=0) + 1e-6

    def loss(w: Array) -> tuple[float, Array]:
        total, slope = 0.0, np.zeros(len(columns))
        for x, gold in data:
            z = x / scale @ w
            p = np.exp(z - z.max())
            p /= p.sum()
            likely = p[gold].sum() + 1e-12
            total -= math.log(likely)
            slope -= (np.where(gold, p, 0) / likely - p) @ (x / scale)
        return total / len(data) + penalty * float(w @ w), slope / len(data) + 2 * penalty * w

    fitted = minimize(loss, np.zeros(len(columns)), jac=True, method="L-BFGS-B").x / scale
    weights = np.zeros(found[0].features.shape[1])
    weights[list(columns)] = fitted
    return weights


def told(case: Case, names: Iterable[str]) -> list[float]:
    found = extractive.features(case.ranked())
    return [found[name] for name in names]


def counted(found: Sequence[Case], hit: Callable[[Case], bool]) -> str:
    by: dict[str, list[bool]] = {}
    for case in (c for c in found if c.answerable):
        by.setdefault(case.set, []).append(hit(case))
    total = f"{sum(map(sum, by.values()))}/{sum(map(len, by.values()))}"
    return total + " " + ", ".join(f"{name} {sum(v)}/{len(v)}" for name, v in by.items())


def outcomes(found: Sequence[Case], sure: Sequence[float], threshold: float) -> str:
    told = []
    for name in dict.fromkeys(c.set for c in found):
        pairs = [(c, p >= threshold) for c, p in zip(found, sure, strict=True) if c.set == name]
        right = sum(c.right() for c, answers in pairs if answers)
        kept = sum(not answers for c, answers in pairs if not c.answerable)
        lost = sum(not answers for c, answers in pairs if c.answerable)
        answerable = sum(c.answerable for c, _ in pairs)
        f1 = 2 * kept / max(1, kept + lost + len(pairs) - answerable)
        told.append(f"{name} {right}/{answerable} + {kept}/{len(pairs) - answerable}, F1 {f1:.2f}")
    return "; ".join(told)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--test", nargs="*", default=[])
    options = parser.parse_args()
    names = list(rerank.READ)
    dev, test = (
        [c for pair in pairs for c in cases(Path(pair.split("=")[0]), Library(pair.split("=")[1], offline=True), names)]
        for pairs in (options.sets, options.test)
    )
    folds = np.random.RandomState(SEED).randint(0, FOLDS, len(dev))
    plain = [names.index(n) for n in rerank.PLAIN]
    for label, columns in (("plain", plain), ("with the reader", list(range(len(names))))):
        for fold in range(FOLDS):
            weights = fit_order([c for c, f in zip(dev, folds, strict=True) if f != fold], columns)
            for case in (c for c, f in zip(dev, folds, strict=True) if f == fold):
                case.weights = weights
        print(f"{label}, best sentence right, cross-validated:", counted(dev, Case.right))
        weights = fit_order(dev, columns)
        for case in test:
            case.weights = weights
        print(f"{label}, best sentence right, test:", counted(test, Case.right))
        print(
            "  two nearly as good:",
            counted(test, lambda c: c.right(2, 0.5)),
            "| any two:",
            counted(test, lambda c: c.right(2, 99)),
        )
        print(label.upper(), {n: round(float(w), 2) for n, w in zip(names, weights, strict=True) if w})
    _confidence(dev, test, folds)


def _confidence(dev: Sequence[Case], test: Sequence[Case], folds: NDArray[np.int64]) -> None:
    """Whether the articles answer at all, and whether the best sentence does."""
    dev, folds = [c for c in dev if len(c.features)], folds[[bool(len(c.features)) for c in dev]]
    test = [c for c in test if len(c.features)]
    right, tested = (np.array([c.right(2, 0.5) for c in found]) for found in (dev, test))
    answerable = np.array([c.answerable for c in dev])
    likely, likely_test = _fitted("READ_CONFIDENCE", dev, test, folds, answerable)
    print("AUC, test", round(roc_auc_score([c.answerable for c in test], likely_test), 3))
    for threshold in np.arange(0.4, 0.81, 0.05):
        total = sum(c.right() if p >= threshold else not c.answerable for c, p in zip(dev, likely, strict=True))
        print(f"{threshold:.2f} dev {total}/{len(dev)}:", outcomes(dev, list(likely), threshold))
        print("     test:", outcomes(test, list(likely_test), threshold))
    sure, sure_test = _fitted("READ_CERTAINTY", dev, test, folds, right)
    print("AUC, test", round(roc_auc_score(tested, sure_test), 3))
    for least in np.arange(0.5, 0.96, 0.05):
        kept, kept_test = sure >= least, sure_test >= least
        known = f"dev {right[kept].sum()}/{kept.sum()} right, test {tested[kept_test].sum()}/{kept_test.sum()}"
        print(f"certainty at least {least:.2f}: {known}")


def _fitted(
    name: str,
    dev: Sequence[Case],
    test: Sequence[Case],
    folds: NDArray[np.int64],
    target: NDArray[np.bool_],
) -> tuple[Array, Array]:
    """The probabilities on dev, cross-validated, and on test; prints the weights."""
    columns = list(getattr(extractive, name))
    x = np.array([told(c, columns) for c in dev])
    found = np.zeros(len(dev))
    for fold in range(FOLDS):
        fitted = LogisticRegression(max_iter=1000).fit(x[folds != fold], target[folds != fold])
        found[folds == fold] = fitted.predict_proba(x[folds == fold])[:, 1]
    whole = LogisticRegression(max_iter=1000).fit(x, target)
    weights = {n: round(float(w), 3) for n, w in zip(columns, whole.coef_[0], strict=True)}
    print(name, weights, "bias", round(float(whole.intercept_[0]), 3), "AUC", round(roc_auc_score(target, found), 3))
    return found, whole.predict_proba(np.array([told(c, columns) for c in test]))[:, 1]


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower())


if __name__ == "__main__":
    main()
