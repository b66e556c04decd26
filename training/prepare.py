"""Turns labelled data into training rows: `prepare.py OUT.jsonl OWN_FOLDER ... [--public FOLDER]`.

Three kinds of rows:

- `{"windows": [{"header", "sentences", "answers": [[sentence, start, end]]}], "question", "source"}`: windows of text
  that compete for one question; an answer of -1, -1 is the whole sentence. One window, or several with a near miss.
- `{"claim", "header", "evidence", "label", "source"}`: 0 supported, 1 contradicted, 2 neither, 3 one of the last two.

Rows of documents whose hash falls on the held-out tenth carry `"held": true`.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

Row = dict[str, Any]
LABELS = {"supported": 0, "contradicted": 1, "neither": 2}
RELATIONS = {"same": 0, "conflict": 1, "updated": 2, "different": 2}
BREAK = re.compile(r"(?<=[.!?])[\"”’')\]]*\s+(?=[\"“‘'(\[]?[A-Za-z0-9])|\n+")
ABBREVIATION = re.compile(
    r"\b(?:M[rR]|M[rR][sS]|M[sS]|D[rR]|St|Gen|Lt|Col|Sen|Rep|Gov|U\.S|U\.K|U\.N|Jr|Inc|No|vs|[A-Z])\.$"
)
SPEAKER = re.compile(r"^(?:Q\b|[A-Z][A-Z.’' -]{2,40}:)", re.M)
CONVERSATIONS = 0.12  # of the questions are read behind another one of the same document
MOST_OF_NAME = 3  # words
# Share of a public source that is used: its texts are short, or far from news.
KEEP = {
    "snli": 0.3,
    "breaking": 0.12,
    "med": 0.25,
    "conj": 0.4,
    "climate": 0.6,
    "nqg": 0.35,
    "qamr": 0.35,
    "qadisc": 0.4,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("own", type=Path, nargs="*")
    parser.add_argument("--public", type=Path)
    parser.add_argument("--share", type=float, default=1.0, help="of the public rows")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    random.seed(options.seed)
    rows = [row for folder in options.own for row in own(folder)]
    if options.public:
        rows += [row for row in public(options.public) if random.random() < options.share]
    random.shuffle(rows)
    with options.out.open("w") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(len(rows), "rows,", sum("held" in row for row in rows), "held out")


def public(folder: Path) -> Iterator[Row]:
    for row in lines(folder / "questions.jsonl.gz"):
        if random.random() < KEEP.get(row["src"], 1.0):
            window = {"header": row["t"], "sentences": row["s"], "answers": row["a"]}
            yield {"question": row["q"], "windows": [window], "source": row["src"]}
    for row in lines(folder / "groups.jsonl.gz"):
        windows = [{"header": w["t"], "sentences": w["s"], "answers": w["a"]} for w in row["w"][:3]]
        if random.random() < 0.25:
            yield {"question": row["q"], "windows": windows, "source": "groups"}
    for row in lines(folder / "claims.jsonl.gz"):
        if random.random() < KEEP.get(row["src"], 1.0):
            yield {"claim": row["c"], "header": "", "evidence": row["e"], "label": row["y"], "source": row["src"]}


def own(folder: Path) -> Iterator[Row]:
    documents = {row["id"]: Document(row) for row in lines(folder / "documents.jsonl")}
    questions = list(lines(folder / "questions.jsonl"))
    alike = Alike(documents, [row["question"] for row in questions])
    answered: dict[str, list[Row]] = {}
    for row in questions:
        if row["answers"]:
            answered.setdefault(row["document"], []).append(row)
    for at, row in enumerate(questions):
        made = _question(row, documents, alike.windows(at, row))
        before = [r for r in answered.get(row["document"], []) if r is not row and "conversation" not in r]
        if before and "conversation" not in row and random.random() < CONVERSATIONS:
            made["question"] = _after(random.choice(before), row["question"])
        yield held(made, row["document"])
    claims = list(lines(folder / "claims.jsonl"))
    for row in claims:
        for made in _claims(row, documents[row["document"]], claims):
            yield held(made, row["document"])
    for row in lines(folder / "pairs.jsonl"):
        a, b = (documents[row[side]["document"]] for side in "ab")
        label = RELATIONS[row["relation"]]
        for claim, evidence, document in ((row["a"], row["b"], b), (row["b"], row["a"], a)):
            if label == 0 and claim is row["b"]:
                continue  # "same" holds for the facts both have; one side may say more
            header = document.header if random.random() < 0.5 else ""
            made = {"claim": claim["quote"], "header": header, "evidence": evidence["quote"], "label": label}
            yield held({**made, "source": "pair-" + row["relation"]}, row["a"]["document"])


def _after(before: Row, question: str) -> str:
    """A question as the program reads it behind another one: with that, and with the name that answered it."""
    name = before["answer"] if before["answer"][:1].isupper() and len(before["answer"].split()) <= MOST_OF_NAME else ""
    return f"{question} {before['question']} {name}".strip()


def held(row: Row, document: str) -> Row:
    """Every tenth document is held out whole, whatever the order of files."""
    at = int(hashlib.sha256(document.split("#", maxsplit=1)[0].encode()).hexdigest(), 16) % 10
    return {**row, "held": True} if at == 0 else row


class Document:
    """A labelled document with its sentences as spans."""

    def __init__(self, row: Row) -> None:
        self.id, self.text = row["id"], row["text"]
        parts = (row["title"], row.get("source") or "", str(row.get("published") or "")[:10])
        self.header = ", ".join(part for part in parts if part)
        self.spans = list(sentences(self.text))

    def holding(self, quote: str) -> list[int]:
        start = self.text.find(quote)
        return [i for i, (a, b) in enumerate(self.spans) if start >= 0 and a < start + len(quote) and b > start]

    def part(self, low: int, high: int) -> list[str]:
        return [self.text[a:b] for a, b in self.spans[low : high + 1]]

    def label(self, at: int) -> str:
        """The speaker label that governs the sentence, if it stands in an earlier line."""
        start = self.spans[at][0]
        labels = [found.group() for found in SPEAKER.finditer(self.text, 0, start)]
        return labels[-1] + " " if labels and not SPEAKER.match(self.text[start:]) else ""

    def around(self, at: int, most: int = 600) -> tuple[int, int]:
        """Sentences about one of them, grown to either side at random."""
        low = high = at
        size = self.spans[at][1] - self.spans[at][0]
        wanted = random.randint(200, most)
        while size < wanted:
            ways = [i for i in (low - 1, high + 1) if 0 <= i < len(self.spans)]
            ways = [i for i in ways if size + self.spans[i][1] - self.spans[i][0] <= most]
            if not ways:
                break
            way = random.choice(ways)
            size += self.spans[way][1] - self.spans[way][0]
            low, high = min(low, way), max(high, way)
        return low, high


class Alike:
    """Windows of other documents that share words with a question: what a search would bring beside the right one."""

    SAME_STORY = 0.3
    NEAREST = 12

    def __init__(self, documents: dict[str, Document], questions: list[str]) -> None:
        self.documents, self.names = documents, list(documents)
        self.places = [
            (n, at, min(at + 4, len(documents[name].spans) - 1))
            for n, name in enumerate(self.names)
            for at in range(0, len(documents[name].spans), 4)
        ]
        weigh = TfidfVectorizer(sublinear_tf=True, stop_words="english")
        whole = weigh.fit_transform([d.header + "\n" + d.text for d in documents.values()])
        parts = weigh.transform([self._window(k)["header"] + " " + self._text(k) for k in range(len(self.places))])
        self.number = {name: n for n, name in enumerate(self.names)}
        self.story = (whole @ whole.T > self.SAME_STORY).tolil().rows
        self.near: list[list[int]] = []
        for at in range(0, len(questions), 500):
            likeness = (weigh.transform(questions[at : at + 500]) @ parts.T).toarray()
            self.near += np.argsort(-likeness, axis=1)[:, : self.NEAREST].tolist()

    def windows(self, at: int, row: Row) -> list[Row]:
        """One or two of the nearest; none of the same story, nor one that may well have the answer."""
        own = row["document"]
        if is_public(own) and (not row["answers"] or random.random() < 0.5):
            return []
        apart = [k for k in self.near[at] if self.places[k][0] not in self.story[self.number[own]]]
        apart = [k for k in apart if own.split("#")[0] != self._name(k).split("#")[0]]
        answer = row["answer"].lower()
        apart = [k for k in apart if not answer or answer not in self._text(k).lower()]
        return [self._window(k) for k in random.sample(apart[:5], min(len(apart[:5]), random.choice([1, 2])))]

    def _name(self, k: int) -> str:
        return self.names[self.places[k][0]]

    def _text(self, k: int) -> str:
        return " ".join(self._window(k)["sentences"])

    def _window(self, k: int) -> Row:
        n, low, high = self.places[k]
        document = self.documents[self.names[n]]
        return {"header": document.header, "sentences": document.part(low, high), "answers": []}


def is_public(document: str) -> bool:
    """Whether it is a passage of a White House document; these say many things more than once."""
    return document.startswith("20")


def sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for found in BREAK.finditer(text):
        if ABBREVIATION.search(text[start : found.start() + 1].rstrip()) and "\n" not in found.group():
            continue
        if found.start() > start:
            yield start, found.start()
        start = found.end()
    if text[start:].strip():
        yield start, len(text)


def _question(row: Row, documents: dict[str, Document], alike: list[Row]) -> Row:
    document = documents[row["document"]]
    gold = _gold(row, document)
    windows, used, most = [], set(), random.choice([2, 3]) + bool(row.get("elsewhere"))

    def take(low: int, high: int) -> None:
        used.update(range(low, high + 1))
        answers = [[k - low, x, y] for k, x, y in gold if low <= k <= high]
        windows.append({"header": document.header, "sentences": document.part(low, high), "answers": answers})

    if gold:
        take(*document.around(gold[0][0]))
    answering = {k for k, _, _ in gold}
    for miss in row.get("elsewhere", [])[:2]:
        sister = documents[miss["document"]]
        low, high = sister.around(sister.holding(miss["quote"])[0])
        windows.append({"header": sister.header, "sentences": sister.part(low, high), "answers": []})
    near = [k for quote in row["near_misses"] for k in document.holding(quote)[:1]]
    asked = words(row["question"])
    others = sorted(range(len(document.spans)), key=lambda k: -len(words(document.part(k, k)[0]) & asked))
    for k in near + others:
        if len(windows) >= most or k in answering or k in used:
            continue
        low, high = document.around(k)
        if any(low <= g <= high for g in answering):
            low = high = k
        take(low, high)
    return {"question": row["question"], "windows": windows + alike, "source": "own"}


def _gold(row: Row, document: Document) -> list[tuple[int, int, int]]:
    gold = []
    for quote in row["answers"]:
        start = document.text.find(quote)
        held_by = document.holding(quote)
        if not held_by:
            continue
        if row["answer"] and row["answer"] in quote:
            x = start + quote.index(row["answer"])
            y = x + len(row["answer"])
            spans = [(k, *document.spans[k]) for k in held_by]
            gold += [(k, x - a, min(y, b) - a) for k, a, b in spans if a <= x < b]
        else:
            gold.append((held_by[0], -1, -1))
    return gold


def _claims(row: Row, document: Document, claims: list[Row]) -> Iterator[Row]:
    label = LABELS[row["label"]]
    at = sorted({k for quote in row["evidence"] for k in document.holding(quote)})
    evidence = " ".join(row["evidence"])
    spoken = (document.label(at[0]) if at else "") + evidence
    if not row.get("easy"):
        header = document.header if random.random() < 0.7 else ""
        made = {"claim": row["claim"], "header": header, "evidence": spoken, "label": label, "source": "own"}
        yield {**made, "kind": row["kind"]}
        if at and random.random() < 0.4:
            low, high = max(0, at[0] - 1), min(len(document.spans) - 1, at[-1] + 1)
            wider = document.label(low) + " ".join(document.part(low, high))
            if len(wider) < 900:
                yield {**made, "header": document.header, "evidence": wider, "source": "own-wide"}
    # The same claim beside other sentences of its document is left open: the claim alone must not decide.
    others = [c for c in claims if c["document"] == row["document"] and not set(c["evidence"]) & set(row["evidence"])]
    if others and random.random() < (0.5 if label == 0 else 0.15):
        other = " ".join(random.choice(others)["evidence"])
        header = document.header if random.random() < 0.5 else ""
        yield {"claim": row["claim"], "header": header, "evidence": other, "label": 2, "source": "other"}


def words(text: str) -> set[str]:
    return {w for w in re.findall(r"[a-z0-9]+", text.lower()) if len(w) > 3}


def lines(path: Path) -> Iterator[Row]:
    if path.exists():
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            yield from (json.loads(line) for line in file if line.strip())


if __name__ == "__main__":
    main()
