"""Fits the detector of planted orders, `rag/models/orders.safetensors`, and measures it on what it was not fitted on.

    uv run --with scikit-learn python training/fit_orders.py --ordinary FILE.jsonl ... --test FILE.jsonl ...

`--ordinary` and `--test` are articles whose sentences count as ordinary. It is fitted on `data/orders.jsonl`; with
`--without-dev` not on the styles with the half "dev", by which features and weights were chosen. What is only measured
on are the files of `--test` and, with `--unseen`, the styles of `evals/sets/orders-unseen.jsonl`. Two runs give the
same file.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from rag.models.embeddings import MiniLM
from rag.models.injection import orders, prepared
from rag.models.order_probe import WEIGHTS, WordMeans, features, pieces, surface
from rag.text.sentences import sentences

ROOT = Path(__file__).parent
DATA, UNSEEN = ROOT / "data" / "orders.jsonl", ROOT.parent / "evals" / "sets" / "orders-unseen.jsonl"
FAST_PASS, PASS, ALARMS = 0.25, 0.04, 0.0055
"""Shares of ordinary sentences: that reach the second and the third regression, and that are taken for orders."""
LEARNT = 0.07
"""The share that the third is fitted on, the nearest by the second."""
WEIGHT, WEIGHT_OF_LANGUAGES = 4.0, 1.5
"""How much a row of the data counts beside an ordinary sentence, and one of the styles of other languages."""
LANGUAGES = ("ordinary_", "order_")
"""What the names of those begin with."""
ORDINARY_STYLE = "briefing"
MOST = 14_000
"""Sentences of a file of ordinary articles."""

Rows = NDArray[np.float32]


def fast(x: Rows, is_order: NDArray[np.bool_]) -> dict[str, Rows]:
    """The regression on means, of rows of which those of ordinary sentences come last."""
    fitted = LogisticRegression(C=3, max_iter=1000, class_weight={0: 1, 1: WEIGHT}).fit(x, is_order)
    return {"fast": fitted.coef_[0].astype(np.float16)}


def passing(weights: Rows, ordinary: Rows, share: float) -> Rows:
    """The bias by which such a share of ordinary sentences is above 0."""
    scores = ordinary @ weights.astype(np.float32)
    return np.array(-np.sort(scores)[-max(1, int(share))], np.float32)


def second(x: Rows, is_order: NDArray[np.bool_], counts: NDArray[np.float64], ordinary: Rows) -> dict[str, Rows]:
    """The regression on the surface."""
    both, y = csr_matrix(np.vstack([x, ordinary])), np.r_[is_order, np.zeros(len(ordinary), bool)]
    found = _regression(both, y, np.r_[counts, np.ones(len(ordinary))])
    return {"surface": found.coef_[0].astype(np.float16)}


def whole(x: csr_matrix, y: NDArray[np.bool_], weights: NDArray[np.float64], limit: int) -> dict[str, Rows]:
    """The regression on all features, of which the rows with weight 1 are ordinary sentences.

    Of the ordinary sentences `limit` are above 0, by regressions that were not fitted on them (five folds).
    """
    held_out = np.zeros(len(y))
    for fitted_on, held in StratifiedKFold(5, shuffle=True, random_state=0).split(np.zeros(len(y)), y):
        held_out[held] = _regression(x[fitted_on], y[fitted_on], weights[fitted_on]).decision_function(x[held])
    least = np.sort(held_out[weights == 1])[-max(1, limit)]
    fitted = _regression(x, y, weights)
    bias = np.array(fitted.intercept_[0] - least, np.float32)
    return {"whole": fitted.coef_[0].astype(np.float16), "whole_bias": bias}


def _regression(x: csr_matrix, y: NDArray[np.bool_], weights: NDArray[np.float64]) -> LogisticRegression:
    return LogisticRegression(C=10, max_iter=300).fit(x, y, sample_weight=weights)


def main() -> None:
    options = _options()
    rows = [json.loads(line) for line in DATA.open(encoding="utf-8")]
    train = [row for row in rows if row["half"] == "train" or not options.without_dev]
    ordinary = [piece for path in options.ordinary for text in _sentences(path) for piece in pieces(prepared(text))]
    save_file(fitted(train, ordinary), WEIGHTS)
    alarms(options.test)
    if options.unseen:
        noticed()


def fitted(rows: Sequence[dict[str, str]], ordinary: Sequence[str]) -> dict[str, Rows]:
    """The three regressions."""
    model, means = MiniLM(), WordMeans()
    texts_read = means.readings([prepared(row["text"]) for row in rows])
    read = [(row, pieces(text)) for row, text in zip(rows, texts_read, strict=True)]
    texts = [parts[0] for _, parts in read if parts]
    is_order = np.array([bool(row["order"]) for row, parts in read if parts])
    counts = np.array([_weight(row["style"]) for row, parts in read if parts])
    row_means, ordinary_means = means.of(texts), means.of(ordinary)
    weights = fast(np.vstack([row_means, ordinary_means]), np.r_[is_order, np.zeros(len(ordinary), bool)])
    weights["fast_bias"] = passing(weights["fast"], ordinary_means, FAST_PASS * len(ordinary))
    near = np.flatnonzero(ordinary_means @ weights["fast"].astype(np.float32) >= -weights["fast_bias"])
    x, others = surface(texts, row_means), surface([ordinary[i] for i in near], ordinary_means[near])
    weights |= second(x, is_order, counts, others)
    weights["surface_bias"] = passing(weights["surface"], others, PASS * len(ordinary))
    nearest = np.argsort(-others @ weights["surface"].astype(np.float32))[: int(LEARNT * len(ordinary))]
    texts += [ordinary[near[i]] for i in nearest]
    x = features(texts, np.vstack([x, others[nearest]]), model)
    y, counts = np.r_[is_order, np.zeros(len(nearest), bool)], np.r_[counts, np.ones(len(nearest))]
    return weights | whole(csr_matrix(x), y, counts, int(ALARMS * len(ordinary)))


def _weight(style: str) -> float:
    return 1.0 if style == ORDINARY_STYLE else WEIGHT_OF_LANGUAGES if style.startswith(LANGUAGES) else WEIGHT


def noticed() -> None:
    """Prints how many cases of each style of the kept set are noticed."""
    styles: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    for case in map(json.loads, UNSEEN.open(encoding="utf-8")):
        styles["planted" in case, case["type"]].append(bool(orders(case["text"])))
    for planted in (True, False):
        found = [hit for (is_order, _), hits in styles.items() if is_order == planted for hit in hits]
        print(f"{'orders' if planted else 'look-alikes'}: {sum(found)} of {len(found)}")
    for (planted, style), hits in sorted(styles.items()):
        print(f"  {'order' if planted else 'none '} {style}: {sum(hits)} of {len(hits)}")


def alarms(test: Iterable[Path]) -> None:
    """Prints how many ordinary sentences of each file are taken for orders."""
    for path in test:
        texts = [json.loads(line)["text"] for line in path.open(encoding="utf-8")]
        found, read = sum(len(orders(text)) for text in texts), sum(len(sentences(text)) for text in texts)
        print(f"{path}: {found} of {read} ordinary sentences")


def _sentences(path: Path) -> list[str]:
    """Its titles and sentences."""
    rows = [json.loads(line) for line in path.open(encoding="utf-8")]
    found = [" ".join(row["text"][s.start : s.end].split()) for row in rows for s in sentences(row["text"])]
    texts = list(dict.fromkeys(found))
    random.Random(0).shuffle(texts)
    return [*dict.fromkeys(row["title"] for row in rows if row.get("title")), *texts[:MOST]]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ordinary", nargs="+", type=Path, required=True)
    parser.add_argument("--without-dev", action="store_true")
    parser.add_argument("--unseen", action="store_true", help="count the kept set too: once, at the end")
    parser.add_argument("--test", nargs="*", type=Path, default=[])
    return parser.parse_args()


if __name__ == "__main__":
    main()
