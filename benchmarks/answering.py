"""How long an answer by a language model takes beside the model's own time.

    python benchmarks/answering.py LIBRARY [QUESTIONS]

Asks a library, over HTTP on the loopback, a model that replies at once with three statements and their quotes from what
it was given; so all that is measured is the program's, the server's share included. Everything is loaded
before, no reply is kept, and nothing is written.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from openai_server import OpenAIServer, Request

from rag.calling import Terms
from rag.chunking import sentences
from rag.evaluation.metrics import percentile
from rag.library import Library
from rag.schema import Answer, Statement

WARMING, STATEMENTS = 5, 3


def reply(request: Request) -> str:
    """The first sentence of each of the first passages, as a statement that quotes it."""
    found = re.findall(r"^\[(\d+)\] .*\n(.+)$", request.messages[-1]["content"], flags=re.M)[:STATEMENTS]
    quotes = [(int(number), text[sentences(text)[0].start : sentences(text)[0].end]) for number, text in found]
    statements = [
        {"text": f"According to passage {number}, {quote}", "quotes": [{"passage": number, "quote": quote}]}
        for number, quote in quotes
    ]
    return json.dumps({"answered": "yes", "statements": statements, "missing": ""})


def first_and_all(library: Library, question: str) -> tuple[float, float, Answer]:
    """Seconds to the first statement, and to the answer."""
    start, first = perf_counter(), 0.0
    for event in library.stream(question):
        if isinstance(event, Statement):
            first = first or perf_counter() - start
        else:
            answer = event
    return first, perf_counter() - start, answer


def main(folder: str, count: int) -> None:
    with OpenAIServer(by=reply) as server:
        os.environ["OPENAI_BASE_URL"] = server.url
        for streamed in (True, False):
            with Library(folder, model="scripted", terms=Terms(cache=False, strict=True, streamed=streamed)) as library:
                titles = sorted({article.title for article in library.articles()})
                asked = [
                    f"What do the articles say about {title}?" for title in titles[:: max(1, len(titles) // count)]
                ]
                for question in asked[:WARMING]:
                    first_and_all(library, question)
                runs = [first_and_all(library, question) for question in asked]
                print(f"{library.path}: {len(runs)} questions, {'streamed' if streamed else 'whole'} replies")
            show("first statement", [first for first, _, _ in runs])
            show("answer", [whole for _, whole, _ in runs])
            for stage in ("retrieve", "generate", "verify"):
                show(stage, [answer.timings[stage] for _, _, answer in runs])


def show(name: str, seconds: Sequence[float]) -> None:
    """A row of the report."""
    middle, most = (1000 * percentile(seconds, share) for share in (0.5, 0.95))
    print(f"  {name:16} p50 {middle:6.1f} ms   p95 {most:6.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100)
