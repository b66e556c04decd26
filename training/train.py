"""Trains the reader: `train.py DATA.jsonl OUT.safetensors --minutes N [--init W] [--rate R] [--end SHARE]`.

Questions and claims take turns in one trunk. With WORLD_SIZE processes of one thread each (`run.sh`), each learns from
rows of its own and their weights are averaged every 40 seconds (local SGD, Stich 2019). A checkpoint with the optimizer
is written every ten minutes; started again, it goes on there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from model import Reader, tokenizer

Row = dict[str, Any]
LONGEST, BATCH, MARK = 192, 1536, 1  # tokens a window, tokens a step and process; the word that marks a claim
SAVE_EVERY, AVERAGE_EVERY = 600, 40  # seconds
RANK, WORLD = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


class Encoder:
    """Rows as token ids with their labels."""

    def __init__(self) -> None:
        self.tokens = tokenizer()

    def ids(self, text: str, most: int) -> list[int]:
        return list(self.tokens.encode(text, add_special_tokens=False).ids[:most])

    def claim(self, row: Row) -> Row:
        header = [*self.ids(row["header"], 40), 102] if row["header"] else []
        head = [101, MARK, *self.ids(row["claim"], 64), 102, *header]
        ids = head + self.ids(row["evidence"], LONGEST - len(head) - 1) + [102]
        return {"ids": ids, "label": row["label"], "size": len(ids)}

    def question(self, row: Row) -> Row:
        windows = [self.window(row["question"], w) for w in row["windows"]]
        return {"windows": windows, "size": sum(len(w["ids"]) for w in windows)}

    def window(self, question: str, window: Row) -> Row:
        header = [*self.ids(window["header"], 32), 102] if window["header"] and random.random() < 0.75 else []
        head = [101, *self.ids(question, 48), 102, *header]
        text = self.tokens.encode(" ".join(window["sentences"]), add_special_tokens=False)
        room = LONGEST - len(head) - 1
        offsets = text.offsets[:room]
        starts = [0]
        for sentence in window["sentences"]:
            starts.append(starts[-1] + len(sentence) + 1)

        def covered(a: int, b: int) -> tuple[int, int] | None:
            inside = [k for k, (x, y) in enumerate(offsets) if x < b and y > a]
            return (len(head) + inside[0], len(head) + inside[-1]) if inside else None

        parts = [covered(starts[i], starts[i] + len(s)) for i, s in enumerate(window["sentences"])]
        spans = [covered(starts[s] + a, starts[s] + b) for s, a, b in window["answers"] if a >= 0]
        whole = [parts[s] for s, a, _ in window["answers"] if a < 0]
        return {
            "ids": [*head, *text.ids[:room], 102],
            "base": len(head),
            "spans": sorted({s for s in spans if s}),
            "whole": [p for p in whole if p],
            "parts": [p for p in parts if p],
            "gold": {p for s, _, _ in window["answers"] if (p := parts[s])},
        }


def padded(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, rows))
    ids, mask = torch.zeros(len(rows), longest, dtype=torch.long), torch.zeros(len(rows), longest)
    for i, row in enumerate(rows):
        ids[i, : len(row)], mask[i, : len(row)] = torch.tensor(row), 1
    return ids, mask


def claim_loss(model: Reader, batch: list[Row]) -> torch.Tensor:
    logits = torch.log_softmax(model.entails(*padded([row["ids"] for row in batch])), -1)
    either = torch.logsumexp(logits[:, 1:], 1, keepdim=True)
    labels = torch.tensor([row["label"] for row in batch])
    return -torch.cat([logits, either], 1)[torch.arange(len(batch)), labels].mean()


def question_loss(model: Reader, batch: list[Row]) -> torch.Tensor:
    """Spans within each window, and sentences of all windows of a question against each other and "none" (score 0)."""
    windows = [w for row in batch for w in row["windows"]]
    ids, mask = padded([w["ids"] for w in windows])
    out = model.spans(ids, mask)
    allowed = torch.full(out.shape[:2], -1e9)
    for i, w in enumerate(windows):
        allowed[i, 0] = allowed[i, w["base"] : len(w["ids"]) - 1] = 0
    out = out + allowed[:, :, None]
    logs, margin = torch.log_softmax(out, 1), out - out[:, :1]
    within = [_window_loss(logs[i], w) for i, w in enumerate(windows)]
    across, i = [], 0
    for row in batch:
        every, gold = [torch.zeros(())], []
        for w in row["windows"]:
            for part in w["parts"]:
                every.append(torch.logsumexp(margin[i, part[0] : part[1] + 1], 0).mean())
                if part in w["gold"]:
                    gold.append(every[-1])
            i += 1
        best = torch.logsumexp(torch.stack(gold), 0) if gold else torch.zeros(())
        across.append(torch.logsumexp(torch.stack(every), 0) - best)
    return 0.5 * torch.stack(within).mean() + torch.stack(across).mean()


def _window_loss(logs: torch.Tensor, window: Row) -> torch.Tensor:
    starts, ends = logs[:, 0], logs[:, 1]
    if window["spans"]:
        return -torch.logsumexp(torch.stack([starts[a] + ends[b] for a, b in window["spans"]]), 0) / 2
    if window["whole"]:
        inside = [k for a, b in window["whole"] for k in range(a, b + 1)]
        return -(torch.logsumexp(starts[inside], 0) + torch.logsumexp(ends[inside], 0)) / 2
    return -(starts[0] + ends[0]) / 2


def batches(rows: list[Row], size: int) -> Iterator[list[Row]]:
    """Rows of like length, in chunks that are shuffled; for ever."""
    while True:
        random.shuffle(rows)
        made = []
        for at in range(0, len(rows), 1200):
            batch: list[Row] = []
            for row in sorted(rows[at : at + 1200], key=lambda r: r["size"]):
                batch.append(row)
                if sum(r["size"] for r in batch) >= size:
                    made.append(batch)
                    batch = []
            made += [batch] if batch else []
        random.shuffle(made)
        yield from made


@torch.no_grad()
def validate(model: Reader, claims: list[Row], questions: list[Row]) -> str:
    model.eval()
    right = {0: [0, 0], 1: [0, 0]}
    for at in range(0, len(claims), 32):
        batch = claims[at : at + 32]
        guess = model.entails(*padded([row["ids"] for row in batch])).argmax(1).tolist()
        for row, label in zip(batch, guess, strict=True):
            side = int(row["label"] != 0)
            right[side][0] += int((label != 0) == bool(side))
            right[side][1] += 1
    loss = sum(float(question_loss(model, questions[at : at + 8])) for at in range(0, len(questions), 8))
    model.train()
    rates = [a / max(1, b) for a, b in right.values()]
    return f"held: claims balanced {sum(rates) / 2:.3f} {right}, questions loss {loss * 8 / max(1, len(questions)):.3f}"


@torch.no_grad()
def average(parameters: list[torch.nn.Parameter]) -> None:
    flat = torch.cat([p.reshape(-1) for p in parameters])
    dist.all_reduce(flat)
    flat, at = flat / WORLD, 0
    for p in parameters:
        p.copy_(flat[at : at + p.numel()].view_as(p))
        at += p.numel()


def main() -> None:
    options = _options()
    if WORLD > 1:
        dist.init_process_group("gloo")
    torch.set_num_threads(1)
    random.seed(2 * options.seed + RANK)
    torch.manual_seed(options.seed)
    data = Data.read(options.data)
    run = Run(options, data)
    while not run.over():
        run.step()
        if RANK == 0:
            run.report()
    if WORLD > 1:
        average(run.parameters)
    if RANK == 0:
        run.model.save(options.out)
        run.state.unlink(missing_ok=True)
        print(validate(run.model, data.test_claims, data.test_questions), "steps", run.steps, flush=True)


def _same_start(began: float) -> float:
    latest = torch.tensor(began, dtype=torch.float64)
    dist.all_reduce(latest, op=dist.ReduceOp.MAX)
    return float(latest)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--end", type=float, default=0.02, help="share of the rate that is left at the end")
    parser.add_argument("--drop", type=float, default=0.0)
    parser.add_argument("--freeze", type=int, default=0, help="lowest layers that stay as they are")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the rows")
    parser.add_argument("--claims", type=float, default=0.35, help="share of the steps that goes to claims")
    return parser.parse_args()


@dataclass
class Data:
    """Encoded rows of this process, and some that are held out."""

    claims: list[Row]
    questions: list[Row]
    test_claims: list[Row]
    test_questions: list[Row]

    @classmethod
    def read(cls, path: Path) -> Data:
        encoder = Encoder()
        with path.open() as file:
            rows = [json.loads(line) for line in file]
        kept = [row for row in rows if "held" in row]
        random.Random(1).shuffle(kept)
        rows = [row for row in rows if "held" not in row][RANK::WORLD]
        data = cls(
            [encoder.claim(row) for row in rows if "claim" in row],
            [encoder.question(row) for row in rows if "question" in row],
            [encoder.claim(row) for row in kept if row.get("source") == "own" and "claim" in row][:160],
            [encoder.question(row) for row in kept if "question" in row][:40],
        )
        tokens = sum(row["size"] for row in data.claims + data.questions)
        print(len(data.claims), "claims,", len(data.questions), "questions,", tokens, "tokens", flush=True)
        return data


class Run:
    """A training run: model, optimizer, and how far it has come."""

    def __init__(self, options: argparse.Namespace, data: Data) -> None:
        self.options, self.data = options, data
        self.state = options.out.with_suffix(".state")
        self.model = Reader()
        self.model.drop = options.drop
        if options.init:
            self.model.load(options.init)
        self.model.train()
        if options.freeze:
            lowest = (self.model.positions, self.model.norm, *self.model.layers[: options.freeze])
            for part in (p for module in lowest for p in module.parameters()):
                part.requires_grad = False
            self.model.kind.requires_grad = False
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        deep = [p for p in self.parameters if p.ndim > 1]
        flat = [p for p in self.parameters if p.ndim == 1]
        groups = [{"params": deep, "weight_decay": 0.01}, {"params": flat, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.98), fused=True)
        self.spent, self.steps, self.tokens, self.share = 0.0, 0, 0, 0.0
        if self.state.exists():
            saved = torch.load(self.state, weights_only=True)
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.spent, self.steps = saved["spent"], saved["step"]
            random.seed(self.steps + RANK)
        self.feeds = (batches(data.claims, BATCH), batches(data.questions, BATCH))
        self.losses: tuple[list[float], list[float]] = ([], [])
        self.began = self.told = self.written = self.averaged = time.time()
        if WORLD > 1:
            self.began = self.averaged = _same_start(self.began)

    def over(self) -> bool:
        """Whether the time is up; on the way there, the processes average their weights by the clock."""
        spent = self.spent + time.time() - self.began
        self.share = spent / (60 * self.options.minutes)
        if WORLD > 1 and time.time() >= self.averaged + AVERAGE_EVERY:
            average(self.parameters)
            self.averaged += AVERAGE_EVERY
        return self.share >= 1

    def step(self) -> None:
        task = 0 if random.Random(2 * self.steps + RANK).random() < self.options.claims else 1
        batch = next(self.feeds[task])
        loss = (claim_loss, question_loss)[task](self.model, batch)
        loss.backward()
        rate = self.options.rate * min(1, (self.steps + 1) / 50) * (1 - (1 - self.options.end) * self.share)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.losses[task].append(float(loss.detach()))
        self.steps += 1
        self.tokens += WORLD * sum(row["size"] for row in batch)

    def report(self) -> None:
        now = time.time()
        if now - self.told > 60:
            means = [sum(x[-60:]) / max(1, len(x[-60:])) for x in self.losses]
            speed = self.tokens / (now - self.began)
            done = f"{100 * self.share:.0f} % step {self.steps} {self.tokens} tokens {speed:.0f}/s"
            print(f"{done} losses {means[0]:.3f} {means[1]:.3f}", flush=True)
            self.told = now
        if now - self.written > SAVE_EVERY:
            self.model.save(self.options.out)
            spent = self.share * 60 * self.options.minutes
            model, optimizer = self.model.state_dict(), self.optimizer.state_dict()
            torch.save({"model": model, "optimizer": optimizer, "spent": spent, "step": self.steps}, self.state)
            print(validate(self.model, self.data.test_claims, self.data.test_questions), flush=True)
            self.written = time.time()


if __name__ == "__main__":
    main()
