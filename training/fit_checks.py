"""Fits the weights of `rag/checks/support.py` to labelled claims: `fit_checks.py CACHE [--test FILE] SOURCE ...`.

A source is a folder with `documents.jsonl` and `claims.jsonl` (its held-out documents are used, as `prepare.py` has
them), a file of claims with whole texts (`source`, `claim`, `supported`), or a set of check cases. `--articles` are
files of the articles that cases or claims name. What the reader makes of each claim is kept in CACHE.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from prepare import Document, held, lines

from rag.checks import document
from rag.checks.exact import compare
from rag.checks.support import features
from rag.checks.verify import evidence
from rag.ingest.metadata import article
from rag.models.reader import Entailment, Reader
from rag.schema import Article, Citation, Precision, Published, Statement

SIGNS = {
    "entailment": 1,
    "contradiction": -1,
    "number": -1,
    "date": -1,
    "name": -1,
    "quote": -1,
    "nearby": -1,
    "words": 1,
    "searched": 0,
}
NAMES = tuple(SIGNS)
FOLDS, RIDGE = 5, 0.02


@dataclass(frozen=True, slots=True)
class Claim:
    """A labelled claim with the spans it is checked against, or the whole article."""

    source: str
    article: Article
    text: str
    label: str
    kind: str
    spans: tuple[Citation, ...] = ()

    @property
    def supported(self) -> bool:
        return self.label == "supported"


@dataclass(frozen=True, slots=True)
class Row:
    """The features of a claim against its own evidence, and its exact checks that failed."""

    source: str
    article: str
    text: str
    label: str
    kind: str
    values: dict[str, float]
    denial: float
    failed: list[list[str | None]]
    other: dict[str, float]
    """The reader's features beside another claim's evidence, and beside none."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cache", type=Path)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--articles", type=Path, nargs="*", default=[])
    parser.add_argument("--test", type=Path, nargs="*", default=[], help="sources that are not fitted to")
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    articles = {row["id"]: row for path in options.articles for row in lines(path)}
    reader = Reader(weights=options.weights) if options.weights else Reader()
    fitted = [row for path in options.sources for row in rows(path, articles, reader, options.cache)]
    tested = [row for path in options.test for row in rows(path, articles, reader, options.cache)]
    for names in (NAMES, NAMES[2:]):
        report(fitted, tested, names)


def rows(path: Path, articles: dict[str, Any], reader: Reader, cache: Path) -> list[Row]:
    """The features of a source, from the cache if they are there."""
    kept = cache / f"{path.parent.name}-{path.stem}-{reader.version}.jsonl"
    if not kept.exists():
        found = list(measured(list(claims(path, articles)), reader))
        cache.mkdir(parents=True, exist_ok=True)
        kept.write_text("".join(json.dumps(asdict(row)) + "\n" for row in found))
    return [Row(**row) for row in lines(kept)]


def measured(found: Sequence[Claim], reader: Reader) -> Iterator[Row]:
    chooser = random.Random(11)
    for claim in found:
        spans, searched = near(claim)
        shown = [evidence(span) for span in spans]
        exact = compare(claim.text, shown)
        own = features(claim.text, shown, exact, searched, reader)
        alien = near(Claim(**{**fields(chooser.choice(found)), "text": claim.text}))[0]
        none = [evidence(article_span(made("", "", None, "...")))]
        other = {
            "other": margin(claim.text, [evidence(s) for s in alien], reader),
            "none": margin(claim.text, none, reader),
            "own": own.values["entailment"],
        }
        failed = [[c.kind, c.expected, c.found] for c in exact if not c.passed]
        yield Row(
            claim.source, claim.article.id, claim.text, claim.label, claim.kind, own.values, own.denial, failed, other
        )


def fields(claim: Claim) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in ("source", "article", "text", "label", "kind", "spans")}


def margin(text: str, shown: Sequence[Any], reader: Entailment) -> float:
    return features(text, shown, [], 0, reader).values["entailment"] if shown else 0.0


def near(claim: Claim) -> tuple[Sequence[Citation], int]:
    """The spans of a claim, or those of its article that `rag check` would hold it against, and the words searched."""
    if claim.spans:
        return claim.spans, sum(len(span.quote.split()) for span in claim.spans)
    seen: list[tuple[Sequence[Citation], int]] = []

    def verify(statement: Statement, spans: Sequence[Citation], *, searched: int | None = None) -> Statement:
        seen.append((spans, searched or 0))
        return statement

    document.compared(Statement(claim.text, ()), document.whole([claim.article]), verify)
    return seen[0]


def claims(path: Path, articles: dict[str, Any]) -> Iterator[Claim]:
    """The labelled claims of a source."""
    if path.is_dir():
        documents = {row["id"]: row for row in lines(path / "documents.jsonl")}
        for row in lines(path / "claims.jsonl"):
            if not row.get("easy") and "held" in held({}, row["document"]):
                yield from cited("held", row, documents[row["document"]])
        return
    for row in lines(path):
        if "supported" in row:
            label = "supported" if row["supported"] else "unsupported"
            yield Claim(row["set"], made(row["id"].rsplit("-", 1)[0], "", None, row["source"]), row["claim"], label, "")
        elif "claim" in row:
            yield from cited(path.stem, row, articles[row["article"]])
        else:
            spans = [span for item in row["evidence"] for span in quoted(item, articles)]
            yield Claim(path.stem, spans[0].article, row["text"], row["verdict"], row["type"], tuple(spans))


def cited(source: str, row: dict[str, Any], found: dict[str, Any]) -> Iterator[Claim]:
    whole = made(found["id"], found["title"], found.get("published"), found["text"], found.get("source"))
    spans = [article_span(whole, quote) for quote in row["evidence"] if quote in whole.text]
    if spans:
        yield Claim(source, whole, row["claim"], row["label"], row["kind"], tuple(spans))


def quoted(item: dict[str, Any], articles: dict[str, Any]) -> Iterator[Citation]:
    if not item.get("article"):
        yield article_span(made("", item.get("title", ""), item.get("published"), item["quote"]))
        return
    found = articles[item["article"]]
    whole = made(found["id"], found["title"], found.get("published"), found["text"], found.get("source"))
    yield article_span(whole, item["quote"])


def made(id: str, title: str, published: str | None, text: str, source: str | None = None) -> Article:
    day = Document({"id": "", "title": "", "text": "", "published": published}).header
    when = Published(date.fromisoformat(day), Precision.DAY) if day else None
    return article(text, id=id or text[:80], title=title, source=source, published=when)


def article_span(whole: Article, quote: str | None = None) -> Citation:
    quote = whole.text if quote is None else quote
    start = whole.text.index(quote)
    return Citation(1, whole, "", start, start + len(quote), quote)


def report(fitted: Sequence[Row], tested: Sequence[Row], names: Sequence[str]) -> None:
    """Prints the weights, and for each source how well they do when its article was not fitted to."""
    x, y = table(fitted, names)
    fold = np.array([hash_of(row.article) % FOLDS for row in fitted])
    share = balance(fitted)
    signs = [SIGNS[name] for name in names]
    chances = np.zeros(len(fitted))
    for part in range(FOLDS):
        weights = fit(x[fold != part], y[fold != part], share[fold != part], signs)
        chances[fold == part] = probability(x[fold == part], weights)
    weights = fit(x, y, share, signs)
    print({name: round(float(value), 3) for name, value in zip(("constant", *names), weights, strict=True)})
    every = [*zip(fitted, chances, strict=True)]
    if tested:
        every += [*zip(tested, probability(table(tested, names)[0], weights), strict=True)]
    for source in dict.fromkeys(row.source for row, _ in every):
        scores(source, [(row, float(chance)) for row, chance in every if row.source == source])


def scores(source: str, found: Sequence[tuple[Row, float]]) -> None:
    good = np.array([chance for row, chance in found if row.label == "supported"])
    bad = np.array([chance for row, chance in found if row.label != "supported"])
    hard = [
        (row, chance >= 0.5 and not any(kind in ("number", "quote") for kind, *_ in row.failed))
        for row, chance in found
    ]
    true = float(np.mean([shown for row, shown in hard if row.label == "supported"]))
    false = float(np.mean([not shown for row, shown in hard if row.label != "supported"]))
    reads = {
        name: auc(
            *([row.other[name] for row, _ in found if (row.label == "supported") is side] for side in (True, False))
        )
        for name in ("own", "other", "none")
    }
    plain = ((good >= 0.5).mean() + (bad < 0.5).mean()) / 2
    print(f"{source:12} n={len(found):4} balanced {plain:.3f}, AUC {auc(good, bad):.3f}", end="; ")
    print(f"with exact values {(true + false) / 2:.3f} (true kept {true:.3f}, false caught {false:.3f})", end="; ")
    print("reader's AUC", ", ".join(f"{name} {value:.3f}" for name, value in reads.items()))


def table(found: Sequence[Row], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    x = np.array([[1.0, *(row.values[name] for name in names)] for row in found])
    return x, np.array([row.label == "supported" for row in found], float)


def balance(found: Sequence[Row]) -> np.ndarray:
    """Weights that give each source, and in it each side, the same say, as far as it has a hundred rows."""
    counts: dict[tuple[str, bool], int] = {}
    for row in found:
        key = row.source, row.label == "supported"
        counts[key] = counts.get(key, 0) + 1
    return np.array([1 / max(50, counts[row.source, row.label == "supported"]) for row in found])


def fit(x: np.ndarray, y: np.ndarray, share: np.ndarray, signs: Sequence[int]) -> np.ndarray:
    """The regression without the features that it would weigh against their sense."""
    used = np.ones(x.shape[1], bool)
    while True:
        weights = np.zeros(x.shape[1])
        weights[used] = regression(x[:, used], y, share)
        wrong = weights * np.array([0, *signs]) < 0
        if not wrong.any():
            return weights
        used &= ~wrong


def regression(x: np.ndarray, y: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Logistic regression with a small ridge, by Newton's method."""
    scale = np.abs(x).max(axis=0) + 1e-9
    x, share = x / scale, share / share.sum()
    ridge = np.diag([1e-6, *[RIDGE / 10] * (x.shape[1] - 1)])
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = probability(x, weights)
        slope = x.T @ (share * (p - y)) + ridge @ weights
        weights = weights - np.linalg.solve((x.T * (share * p * (1 - p))) @ x + ridge, slope)
    return np.asarray(weights / scale)


def probability(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x @ weights, -30, 30))))


def auc(good: Sequence[float], bad: Sequence[float]) -> float:
    a, b = np.asarray(good)[:, None], np.asarray(bad)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean()) if a.size and b.size else float("nan")


def hash_of(text: str) -> int:
    return sum(ord(c) * (i + 1) for i, c in enumerate(text))


if __name__ == "__main__":
    main()
