"""Turns questions into rows for the verifier: `prepare_answers.py OUT.jsonl FOLDER [--questions N] [--seed S]`.

A question with an answer behind it is a claim ("Who led the talks? Qanooni"): supported by the sentence that answers.
A name, number or day of a near miss, or of the sentence that shares most words with the question, is not the answer.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from prepare import Document, Row, _gold, held, lines, words

NO, WHOLE = 3, 0.2
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_KINDS = (
    (
        re.compile(r"\b(?:how (?:many|much|long|far|old)|what (?:share|percent\w*|number))\b", re.IGNORECASE),
        r"\d[\d.,]*\d|\d|\b(?:t(?:wo|en|hree)|four|five|s(?:ix|even)|eight|nine|one|half|dozen)\b",
    ),
    (
        re.compile(r"\b(?:when|(?:what|which) (?:day|date|year|month))\b", re.IGNORECASE),
        rf"\b(?:\d{{1,2}} )?(?:{_MONTHS})(?: \d{{1,4}})?\b|\b[A-Z][a-z]+day\b|\b(?:1[5-9]|20)\d\d\b",
    ),
    (
        re.compile(r"\b(?:who|whom|whose|where|which|name)\b", re.IGNORECASE),
        r"(?<![.!?\"“] )(?<!^)\b[A-Z][\w’'-]+(?: (?:of |al-|bin )?[A-Z][\w’'-]+)*",
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("own", type=Path)
    parser.add_argument("--questions", type=int, default=9000)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    random.seed(options.seed)
    documents = {row["id"]: Document(row) for row in lines(options.own / "documents.jsonl")}
    questions = [row for row in lines(options.own / "questions.jsonl") if "conversation" not in row]
    random.shuffle(questions)
    with options.out.open("w") as file:
        told: Counter[int] = Counter()
        for row in questions[: options.questions]:
            for made in _rows(row, documents):
                told[made["label"]] += 1
                file.write(json.dumps(held(made, row["document"]), ensure_ascii=False) + "\n")
    print(told)


def _rows(row: Row, documents: dict[str, Document]) -> Iterator[Row]:
    document = documents[row["document"]]
    gold = _gold(row, document)
    for k, start, end in random.sample(gold, min(1, len(gold))):
        sentence = document.part(k, k)[0]
        yield _made(row, document, k, sentence if start < 0 else sentence[start:end], 0)
    answering = {k for k, _, _ in gold}
    misses = [(document, k) for quote in row["near_misses"] for k in document.holding(quote)[:1]]
    misses += [(d, d.holding(m["quote"])[0]) for m in row.get("elsewhere", []) if (d := documents[m["document"]])]
    asked = words(row["question"])
    others = sorted(range(len(document.spans)), key=lambda k: -len(words(document.part(k, k)[0]) & asked))
    misses += [(document, k) for k in others[:2]]
    wrong = [(d, k) for d, k in misses if d is not document or k not in answering]
    for d, k in random.sample(wrong[:3], min(len(wrong), 1 if gold else 2)):
        text = _alike(row["question"], d.part(k, k)[0])
        if text and text.lower() != row["answer"].lower():
            yield _made(row, d, k, text, NO)


def _alike(question: str, sentence: str) -> str:
    """What in a sentence looks like an answer to such a question."""
    for asks, answers in _KINDS:
        if asks.search(question):
            found = [m.group() for m in re.finditer(answers, sentence) if m.group().lower() not in question.lower()]
            return random.choice(found) if found else _part(sentence)
    return _part(sentence)


def _part(sentence: str) -> str:
    """Some words of a sentence in a row; now and then all of them."""
    told = sentence.split()
    size = len(told) if random.random() < WHOLE else min(len(told), random.randint(2, 12))
    start = random.randint(0, len(told) - size)
    return " ".join(told[start : start + size]).strip(" ,;:")


def _made(row: Row, document: Document, k: int, answer: str, label: int) -> Row:
    low, high = max(0, k - random.choice([0, 1])), min(len(document.spans) - 1, k + random.choice([0, 1]))
    evidence = document.label(low) + " ".join(document.part(low, high))
    header = document.header if random.random() < 0.8 else ""
    claim = f"{row['question']} {answer}"
    return {"claim": claim, "header": header, "evidence": evidence[:900], "label": label, "source": "answer"}


if __name__ == "__main__":
    main()
