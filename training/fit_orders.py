"""Fits the detector of planted orders, `rag/models/orders.safetensors`, and measures it on what it was not fitted on.

    uv run --with scikit-learn python training/fit_orders.py --ordinary FILE.jsonl ... --test FILE.jsonl ...

`--ordinary` and `--test` are articles whose sentences count as ordinary. The rows of `data/orders.jsonl` with the half
"kept" are only measured on; so are the files of `--test`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from rag.models import order_probe
from rag.models.embeddings import MiniLM
from rag.text.sentences import sentences

DATA = Path(__file__).parent / "data" / "orders.jsonl"
PASS, ALARMS, MARGIN = 0.05, 0.004, 1.15
"""Shares of ordinary sentences: that reach the second regression, and that are taken for orders."""
MOST = 40_000


@dataclass(frozen=True)
class Rows:
    """Sentences as the detector reads them: their vectors, and the means of their word embeddings."""

    vectors: NDArray[np.float32]
    means: NDArray[np.float32]

    @property
    def both(self) -> NDArray[np.float32]:
        return np.concatenate([self.vectors, self.means], axis=1)


def fast(
    orders: NDArray[np.float32], others: NDArray[np.float32], ordinary: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """The regression on means; a share of `PASS` of the ordinary sentences passes on."""
    x, y = np.vstack([orders, others, ordinary]), np.r_[np.ones(len(orders)), np.zeros(len(others) + len(ordinary))]
    fitted = LogisticRegression(C=3, max_iter=1000, class_weight={0: 1, 1: 4}).fit(x, y)
    bias = -np.quantile(ordinary @ fitted.coef_[0], 1 - PASS)
    return {"fast": fitted.coef_[0].astype(np.float32), "fast_bias": np.array(bias, np.float32)}


def whole(orders: Rows, others: Rows, ordinary: Rows, seen: int) -> dict[str, NDArray[np.float32]]:
    """The regression on both; `ALARMS` of the `seen` ordinary sentences, those that did not pass included, are above
    the limit, and scores count from a `MARGIN` beyond it.

    The limit follows from scores of the ordinary ones by regressions that were not fitted on them.
    """
    x = np.vstack([orders.both, others.both, ordinary.both])
    y = np.r_[np.ones(len(orders.means)), np.zeros(len(x) - len(orders.means))]
    regression = LogisticRegression(C=10, max_iter=1000, class_weight={0: 1, 1: 4})
    scores = cross_val_predict(regression, x, y, cv=5, method="decision_function")[-len(ordinary.means) :]
    limit = np.sort(scores)[-max(1, int(ALARMS * seen))]
    fitted = regression.fit(x, y)
    bias = fitted.intercept_[0] - limit - MARGIN
    return {"whole": fitted.coef_[0].astype(np.float32), "whole_bias": np.array(bias, np.float32)}


def main() -> None:
    options = _options()
    rows = [json.loads(line) for line in DATA.open(encoding="utf-8")]
    train = [row for row in rows if row["half"] == "train"]
    words, model = order_probe.WordMeans(), MiniLM()

    def read(texts: list[str]) -> Rows:
        return Rows(np.array(model.embed_documents(texts), np.float32), words.of(texts))

    orders = read([row["text"] for row in train if row["order"]])
    others = read([row["text"] for row in train if not row["order"]])
    ordinary = _sentences(options.ordinary)
    means = words.of(ordinary)
    weights = fast(orders.means, others.means, means)
    near = [t for t, m in zip(ordinary, means, strict=True) if m @ weights["fast"] >= -weights["fast_bias"]]
    weights |= whole(orders, others, read(near), len(ordinary))
    save_file(weights, order_probe.WEIGHTS)
    measure([row for row in rows if row["half"] == "kept"], options.test)


def measure(kept: list[dict[str, str]], test: Iterable[Path]) -> None:
    """Prints the share that is found of each style, and of the ordinary sentences of each file."""
    styles: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    for row, score in zip(kept, order_probe.scores([row["text"] for row in kept]), strict=True):
        styles[bool(row["order"]), row["style"]].append(score >= 0)
    for order in (True, False):
        found = [hit for (is_order, _), hits in styles.items() if is_order == order for hit in hits]
        print(f"{'orders' if order else 'look-alikes'}: {sum(found)} of {len(found)}")
    for (order, style), hits in sorted(styles.items()):
        print(f"  {'order' if order else 'none '} {style}: {sum(hits)} of {len(hits)}")
    for path in test:
        texts = _sentences([path])
        found = sum(score >= 0 for score in order_probe.scores(texts))
        print(f"{path}: {found} of {len(texts)} ordinary sentences")


def _sentences(paths: Iterable[Path]) -> list[str]:
    articles = [json.loads(line)["text"] for path in paths for line in path.open(encoding="utf-8")]
    found = [" ".join(text[s.start : s.end].split()) for text in articles for s in sentences(text)]
    texts = list(dict.fromkeys(found))
    random.Random(0).shuffle(texts)
    return texts[:MOST]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ordinary", nargs="+", type=Path, required=True)
    parser.add_argument("--test", nargs="*", type=Path, default=[])
    return parser.parse_args()


if __name__ == "__main__":
    main()
