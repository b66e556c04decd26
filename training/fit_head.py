"""Fits the head for claims to a trunk that was trained on: `fit_head.py ROWS.jsonl OLD NEW OUT`.

Training of questions alone moves the states that the head for claims reads. Ridge regression makes it say on the new
states what it said on the old ones; the rows are those of `prepare.py`.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import torch
from model import Reader
from train import Encoder, Row, padded

FITTED, HELD, BATCH, PENALTIES = 5500, 700, 32, (1, 10, 30, 100, 300)


@torch.no_grad()
def states(model: Reader, rows: list[Row]) -> torch.Tensor:
    """The first token's state of each row, and a 1 for the bias."""
    found = torch.ones(len(rows), model.entailment.in_features + 1, dtype=torch.double)
    order = sorted(range(len(rows)), key=lambda i: rows[i]["size"])
    for at in range(0, len(order), BATCH):
        batch = order[at : at + BATCH]
        found[batch, :-1] = model.trunk(*padded([rows[i]["ids"] for i in batch]))[:, 0].double()
    return found


def solved(x: torch.Tensor, y: torch.Tensor, penalty: float) -> torch.Tensor:
    shrink = penalty * torch.eye(x.shape[1], dtype=torch.double)
    shrink[-1, -1] = 0
    weights: torch.Tensor = torch.linalg.solve(x.T @ x + shrink, x.T @ y)
    return weights


@torch.no_grad()
def main() -> None:
    path, old, new, out = map(Path, sys.argv[1:5])
    random.seed(1)
    with path.open() as file:
        claims = [row for line in file if "claim" in (row := json.loads(line))]
    random.shuffle(claims)
    encoder = Encoder()
    fitted = [encoder.claim(row) for row in claims if "held" not in row][:FITTED]
    held = [encoder.claim(row) for row in claims if "held" in row][:HELD]
    before, after = Reader().load(old).eval(), Reader().load(new).eval()
    head = torch.cat([before.entailment.weight.T, before.entailment.bias[None]]).double()
    wanted, wanted_held = states(before, fitted) @ head, states(before, held) @ head
    x, x_held = states(after, fitted), states(after, held)
    heads = {p: solved(x, wanted, p) for p in PENALTIES}
    errors = {p: float((x_held @ heads[p] - wanted_held).square().mean()) for p in PENALTIES}
    best = min(errors, key=lambda p: errors[p])
    pairs = zip((x_held @ heads[best]).T, wanted_held.T, strict=True)
    print(best, errors, "correlations", [round(float(torch.corrcoef(torch.stack(pair))[0, 1]), 3) for pair in pairs])
    after.entailment.weight.copy_(heads[best][:-1].T)
    after.entailment.bias.copy_(heads[best][-1])
    after.save(out)


if __name__ == "__main__":
    main()
