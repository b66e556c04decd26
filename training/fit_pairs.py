"""Fits the two regressions of `rag/compare/relation.py`: `fit_pairs.py OWN_FOLDER ... --dev PAIRS ARTICLES`.

The pairs are those that the reader was not trained on: of the documents that are held out (`prepare.held`), and of
`--dev`. The thresholds are the least that make PRECISION of what is shown right, each story scored by regressions that
were fitted without it. Prints what is right of what is shown, for `--unseen` too, which nothing is fitted on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prepare import held, lines

from rag.compare.relation import FEATURES, Report, compatible, features, read_from
from rag.ingest.metadata import article
from rag.models.embeddings import MiniLM, unit
from rag.models.reader import WEIGHTS as READER
from rag.models.reader import Reader
from rag.schema import Span

OUT = Path(__file__).parents[1] / "rag/compare/relation.json"
KINDS = {"same": ("same",), "conflict": ("conflict", "updated")}
PRECISION = 0.95
NEVER = 99.0
PENALTY = 1.0
FEWEST = 15
"""Pairs that must be shown before their share is believed."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """A pair of reports with its relation, the set it is of, and the story that both tell."""

    pair: tuple[Report, Report]
    relation: str
    of: str
    story: str


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("own", type=Path, nargs="+")
    parser.add_argument("--dev", type=Path, nargs=2, required=True)
    parser.add_argument("--unseen", type=Path, nargs=2)
    parser.add_argument("--weights", type=Path, default=READER)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    rows = [row for folder in options.own for row in pairs(folder / "pairs.jsonl", folder / "documents.jsonl", "held")]
    rows += pairs(*options.dev, "dev")
    rows += pairs(*options.unseen, "unseen") if options.unseen else []
    x = featured(rows, Reader(weights=options.weights))
    rows += [replace(row, pair=row.pair[::-1]) for row in rows]
    options.out.write_text(json.dumps({kind: fitted(kind, rows, x) for kind in KINDS}, indent=2) + "\n")


def pairs(path: Path, documents: Path, of: str) -> Iterator[Labelled]:
    known = {row["id"]: row for row in lines(documents)}
    found = [r for r in lines(path) if of != "held" or held({}, r["a"]["document"])]
    vectors = MiniLM().embed_documents([row[side]["quote"] for row in found for side in "ab"])
    for row, a, b in zip(found, vectors[::2], vectors[1::2], strict=True):
        both = report(row["a"], known, a), report(row["b"], known, b)
        yield Labelled(both, row["relation"], of, row["a"]["document"])


def report(side: dict[str, str], known: dict[str, Any], vector: Sequence[float]) -> Report:
    row, quote = known[side["document"]], side["quote"]
    day = str(row.get("published") or "")[:10]
    made = article(row["text"], title=row["title"], source=row.get("source") or "", published=day, id=row["id"])
    start = max(0, made.text.find(quote))
    return Report(made, "", Span(start, start + len(quote)), quote, unit(np.array(vector, np.float32)))


def featured(rows: Sequence[Labelled], reader: Reader) -> Array:
    """The features of all pairs, then those of all of them the other way round."""
    pairs = [row.pair for row in rows]
    read = reader.entail([read_from(b, a) for a, b in pairs] + [read_from(a, b) for a, b in pairs])
    forward, backward = read[: len(rows)], read[len(rows) :]
    there = [features(a, b, *both) for (a, b), *both in zip(pairs, forward, backward, strict=True)]
    back = [features(b, a, *both) for (a, b), *both in zip(pairs, backward, forward, strict=True)]
    return np.array(there + back)


def fitted(kind: str, rows: Sequence[Labelled], x: Array) -> dict[str, Any]:
    y = np.array([row.relation in KINDS[kind] for row in rows], float)
    story, of = (np.array([getattr(row, name) for row in rows]) for name in ("story", "of"))
    known = of != "unseen"
    weights = logistic(x[known], y[known])
    scores = weights[0] + x @ weights[1:]
    for one in sorted(set(story[known])):
        without = logistic(x[known & (story != one)], y[known & (story != one)])
        scores[story == one] = without[0] + x[story == one] @ without[1:]
    if kind == "same":
        scores[[not compatible(*row.pair) for row in rows]] = -NEVER
    least = threshold(scores[known], y[known])
    for name in sorted(set(of)):
        shown, right = scores[of == name] >= least, y[of == name]
        print(f"{kind}, {name}: {right[shown].sum():.0f} of {shown.sum()} right; {right.sum():.0f} in {len(right)}")
    given = dict(zip(FEATURES, np.round(weights[1:], 4).tolist(), strict=True))
    return {"bias": round(float(weights[0]), 4), "weights": given, "least": None if least == NEVER else round(least, 4)}


def logistic(x: Array, y: Array) -> Array:
    """The weights of a logistic regression, the bias first, by Newton's method."""
    x = np.column_stack([np.ones(len(x)), x])
    weights = np.zeros(x.shape[1])
    ridge = np.diag([0.0, *[PENALTY] * (x.shape[1] - 1)])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(x @ weights)))
        weights += np.linalg.solve((x.T * (p * (1 - p))) @ x + ridge, x.T @ (y - p) - ridge @ weights)
    return weights


def threshold(scores: Array, y: Array) -> float:
    """The least score from which on PRECISION of all are right; NEVER if that are too few."""
    order = np.argsort(-scores)
    right = np.cumsum(y[order]) / np.arange(1, len(y) + 1)
    good = np.flatnonzero(right >= PRECISION)
    return float(scores[order[good[-1]]]) if len(good) and good[-1] + 1 >= FEWEST else NEVER


if __name__ == "__main__":
    main()
