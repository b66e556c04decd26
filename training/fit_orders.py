"""Fits the detector of planted orders, `rag/models/orders.safetensors`, and measures it on what it was not fitted on.

    uv run --with scikit-learn python training/fit_orders.py --ordinary FILE.jsonl ... --test FILE.jsonl ...

`--ordinary` and `--test` are articles whose sentences count as ordinary. It is fitted on `data/orders.jsonl`; with
`--without-dev` not on the styles with the half "dev", by which features and weights were chosen. The styles of
`evals/sets/orders-unseen.jsonl` and the files of `--test` are only measured on. Two runs give the same file.
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
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from rag.models.embeddings import MiniLM
from rag.models.injection import orders, prepared
from rag.models.order_probe import WEIGHTS, WordMeans, features, pieces
from rag.text.sentences import sentences

ROOT = Path(__file__).parent
DATA, UNSEEN = ROOT / "data" / "orders.jsonl", ROOT.parent / "evals" / "sets" / "orders-unseen.jsonl"
PASS, ALARMS, ASKING = 0.07, 0.0025, 0.01
"""Shares of ordinary sentences: that reach the second regression, that are taken for orders, and for requests."""
REQUESTS = frozenset(
    (
        *("quoted_order", "quoted_order_b", "quoted_imperatives", "request_news", "request_b", "requests_official"),
        *("imperative_news", "imperative_b", "imperatives_plain", "recipe_howto", "howto_b", "recipes_howto"),
        *("politicians_call", "work_instructions", "n_orders_given", "n_quoted", "n_plain"),
    )
)
"""The styles of look-alikes that ask for something, of people."""
WEIGHT = 4.0
"""How much a row of the data counts beside an ordinary sentence."""
ORDINARY_STYLE = "briefing"
MOST = 14_000
"""Sentences of a file of ordinary articles."""

Rows = NDArray[np.float32]


def fast(planted: Rows, others: Rows, ordinary: Rows) -> dict[str, Rows]:
    """The regression on means; a share of `PASS` of the ordinary sentences passes on."""
    x = np.vstack([planted, others, ordinary])
    y = np.r_[np.ones(len(planted)), np.zeros(len(others) + len(ordinary))]
    fitted = LogisticRegression(C=3, max_iter=1000, class_weight={0: 1, 1: WEIGHT}).fit(x, y)
    direction = fitted.coef_[0].astype(np.float16).astype(np.float32)
    return {
        "fast": direction.astype(np.float16),
        "fast_bias": np.array(-np.quantile(ordinary @ direction, 1 - PASS), np.float32),
    }


def whole(x: Rows, y: NDArray[np.bool_], weights: NDArray[np.float64], limit: int) -> tuple[Rows, float]:
    """The regression on all features, of which the rows with weight 1 are ordinary sentences: weights, then bias.

    Of the ordinary sentences `limit` are above 0, by regressions that were not fitted on them (five folds).
    """
    held_out = np.zeros(len(x))
    for fitted_on, held in StratifiedKFold(5, shuffle=True, random_state=0).split(x, y):
        held_out[held] = _regression(x[fitted_on], y[fitted_on], weights[fitted_on]).decision_function(x[held])
    least = np.sort(held_out[weights == 1])[-max(1, limit)]
    fitted = _regression(x, y, weights)
    return fitted.coef_[0].astype(np.float16), float(fitted.intercept_[0] - least)


def _regression(x: Rows, y: NDArray[np.bool_], weights: NDArray[np.float64]) -> LogisticRegression:
    return LogisticRegression(C=10, max_iter=1000).fit(x, y, sample_weight=weights)


def main() -> None:
    options = _options()
    rows = [json.loads(line) for line in DATA.open(encoding="utf-8")]
    train = [row for row in rows if row["half"] == "train" or not options.without_dev]
    ordinary = [piece for path in options.ordinary for text in _sentences(path) for piece in pieces(prepared(text))]
    save_file(fitted(train, ordinary), WEIGHTS)
    measure(options.test)


def fitted(rows: Sequence[dict[str, str]], ordinary: Sequence[str]) -> dict[str, Rows]:
    """The two regressions."""
    model, means = MiniLM(), WordMeans()
    read = [(row, pieces(means.reading(prepared(row["text"])))) for row in rows]
    texts = [parts[0] for _, parts in read if parts]
    is_order = np.array([bool(row["order"]) for row, parts in read if parts])
    counts = np.where([row["style"] == ORDINARY_STYLE for row, parts in read if parts], 1.0, WEIGHT)
    row_means, ordinary_means = means.of(texts), means.of(ordinary)
    weights = fast(row_means[is_order], row_means[~is_order], ordinary_means)
    near = np.flatnonzero(ordinary_means @ weights["fast"].astype(np.float32) >= -weights["fast_bias"])
    others = features([ordinary[i] for i in near], ordinary_means[near], model)
    x = np.vstack([features(texts, row_means, model), others])
    counts, none = np.r_[counts, np.ones(len(near))], np.zeros(len(near), bool)
    asks = np.array([bool(row["order"]) or row["style"] in REQUESTS for row, parts in read if parts])
    found = [
        whole(x, np.r_[y, none], counts, int(share * len(ordinary)))
        for y, share in ((is_order, ALARMS), (asks, ASKING))
    ]
    both = {"whole": np.stack([w for w, _ in found]), "whole_bias": np.array([b for _, b in found], np.float32)}
    return weights | both


def measure(test: Iterable[Path]) -> None:
    """Prints the share that is noticed of each unseen style, and of the ordinary sentences of each file."""
    styles: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    for case in map(json.loads, UNSEEN.open(encoding="utf-8")):
        styles["planted" in case, case["type"]].append(bool(orders(case["text"])))
    for planted in (True, False):
        found = [hit for (is_order, _), hits in styles.items() if is_order == planted for hit in hits]
        print(f"{'orders' if planted else 'look-alikes'}: {sum(found)} of {len(found)}")
    for (planted, style), hits in sorted(styles.items()):
        print(f"  {'order' if planted else 'none '} {style}: {sum(hits)} of {len(hits)}")
    for path in test:
        texts = [json.loads(line)["text"] for line in path.open(encoding="utf-8")]
        found, read = sum(len(orders(text)) for text in texts), sum(len(sentences(text)) for text in texts)
        print(f"{path}: {found} of {read} ordinary sentences")


def _sentences(path: Path) -> list[str]:
    articles = (json.loads(line)["text"] for line in path.open(encoding="utf-8"))
    found = [" ".join(text[s.start : s.end].split()) for text in articles for s in sentences(text)]
    texts = list(dict.fromkeys(found))
    random.Random(0).shuffle(texts)
    return texts[:MOST]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ordinary", nargs="+", type=Path, required=True)
    parser.add_argument("--without-dev", action="store_true")
    parser.add_argument("--test", nargs="*", type=Path, default=[])
    return parser.parse_args()


if __name__ == "__main__":
    main()
