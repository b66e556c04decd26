"""How long an answer by a language model takes beside the model's own time.

    python benchmarks/answering.py LIBRARY [QUESTIONS]

Asks a library, over HTTP on the loopback, a model that replies with three statements and their quotes from what it was
given: as a whole at once, or streamed at 200 words a second. What the model takes, from the question's arrival to the
last word's leaving, is taken off. Everything is loaded before, no reply is kept, and nothing is written.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from openai_server import OpenAIServer, Reply, Request

from rag.evaluation.rates import percentile
from rag.library import Library
from rag.models.budget import Terms
from rag.schema import Answer
from rag.text.sentences import sentences

WARMING, STATEMENTS, PAUSE = 5, 3, 0.005


class Server(OpenAIServer):
    """One that notes how long it took for its last reply."""

    def reply(self, request: Request) -> Reply:
        self.asked, self.done = perf_counter(), Event()
        return super().reply(request)

    def replied(self) -> None:
        self.took = perf_counter() - self.asked
        self.done.set()


def reply(request: Request) -> Reply:
    """The first sentence of each of the first passages, as a statement that quotes it."""
    found = re.findall(r"^\[(\d+)\] .*\n(.+)$", request.messages[-1]["content"], flags=re.M)[:STATEMENTS]
    quotes = [(int(number), text[sentences(text)[0].start : sentences(text)[0].end]) for number, text in found]
    statements = [
        {"text": f"According to passage {number}, {quote}", "quotes": [{"passage": number, "quote": quote}]}
        for number, quote in quotes
    ]
    return Reply(json.dumps({"answered": "yes", "statements": statements, "missing": ""}), pause=PAUSE)


def run(library: Library, question: str, server: Server) -> tuple[float, Answer]:
    """Seconds to the answer that are the program's, and the answer."""
    start = perf_counter()
    answer = library.ask(question)
    seconds = perf_counter() - start
    server.done.wait()
    return seconds - server.took, answer


def main(folder: str, count: int) -> None:
    with Server(by=reply) as server:
        os.environ["OPENAI_BASE_URL"] = server.url
        for streamed in (True, False):
            with Library(folder, model="scripted", terms=Terms(cache=False, strict=True, streamed=streamed)) as library:
                titles = sorted({article.title for article in library.articles()})
                asked = [
                    f"What do the articles say about {title}?" for title in titles[:: max(1, len(titles) // count)]
                ]
                for question in asked[:WARMING]:
                    run(library, question, server)
                runs = [run(library, question, server) for question in asked]
                print(f"{library.path}: {len(runs)} questions, {'streamed' if streamed else 'whole'} replies")
            show("answer", [seconds for seconds, _ in runs])
            for stage in ("retrieve", "verify"):
                show(stage, [answer.timings[stage] for _, answer in runs])


def show(name: str, seconds: Sequence[float]) -> None:
    """A row of the report."""
    middle, most = (1000 * percentile(seconds, share) for share in (0.5, 0.95))
    print(f"  {name:16} p50 {middle:6.1f} ms   p95 {most:6.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100)
