"""How long an answer by a language model takes beside the model's own time.

    python benchmarks/answering.py LIBRARY [QUESTIONS]

Asks a library, over HTTP on the loopback, a model that replies with three statements and their quotes from what it was
given: streamed at 200 words a second, as a whole at once, or streamed with one statement in other words, which a judge
has to settle. What the model takes, from the arrival of each call to its last word's leaving, is taken off, and what is
left is also given as a share of it. Everything is loaded before, no reply is kept, and nothing is written.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
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

WARMING, STATEMENTS, PAUSE = 1, 3, 0.005


class Server(OpenAIServer):
    """One that notes how long it took for each of its replies."""

    took: list[float]

    def reply(self, request: Request) -> Reply:
        self.asked, self.done = perf_counter(), Event()
        return super().reply(request)

    def replied(self) -> None:
        self.took.append(perf_counter() - self.asked)
        self.done.set()


@dataclass(frozen=True)
class Run:
    """An answer, the seconds to it that are the program's and the model's, and how often the model was asked."""

    answer: Answer
    own: float
    model: float
    calls: int


def reply(request: Request, *, freely: bool = False) -> Reply:
    """The first sentence of each of the first passages, as a statement that quotes it; `freely`, one has its words."""
    prompt = request.messages[-1]["content"]
    if request.messages[0]["content"].startswith("You check statements"):
        numbers = re.findall(r'^\{"number": (\d+)', prompt, flags=re.M)
        verdicts = [{"number": int(n), "reason": "The quote says so.", "verdict": "supported"} for n in numbers]
        return Reply(json.dumps({"verdicts": verdicts}), pause=PAUSE)
    found = re.findall(r"^\[(\d+)\] .*\n(.+)$", prompt, flags=re.M)[:STATEMENTS]
    quotes = [(int(number), text[sentences(text)[0].start : sentences(text)[0].end]) for number, text in found]
    statements = [
        {"text": f"According to passage {number}, {quote}", "quotes": [{"passage": number, "quote": quote}]}
        for number, quote in quotes
    ]
    if freely:
        statements[0]["text"] = "This has been put quite differently in all respects."
    return Reply(json.dumps({"answered": "yes", "statements": statements, "missing": ""}), pause=PAUSE)


def run(library: Library, question: str, server: Server) -> Run:
    """The answer to a question."""
    server.took = []
    start = perf_counter()
    answer = library.ask(question)
    seconds = perf_counter() - start
    server.done.wait()
    return Run(answer, seconds - sum(server.took), sum(server.took), len(server.took))


def main(folder: str, count: int) -> None:
    for name, streamed, freely in (("streamed", True, False), ("whole", False, False), ("judged", True, True)):
        with Server(by=partial(reply, freely=freely)) as server:
            os.environ["OPENAI_BASE_URL"] = server.url
            with Library(folder, model="scripted", terms=Terms(cache=False, strict=True, streamed=streamed)) as library:
                titles = sorted({article.title for article in library.articles()})
                spread = titles[:: max(1, len(titles) // count)][:count]
                asked = [f"What do the articles say about {title}?" for title in spread]
                for question in asked[:WARMING]:
                    run(library, question, server)
                runs = [run(library, question, server) for question in asked]
            print(f"{folder}: {len(runs)} questions, {name}", flush=True)
            show("the program", [r.own for r in runs])
            for stage in ("retrieve", "verify"):
                show(stage, [r.answer.timings[stage] for r in runs])
            show("the model", [r.model for r in runs])
            shares, calls = [r.own / r.model for r in runs], [r.calls for r in runs]
            print(f"  program by model p50 {percentile(shares, 0.5):6.2f}      p95 {percentile(shares, 0.95):6.2f}")
            print(f"  calls            p50 {percentile(calls, 0.5):6.0f}      most {max(calls):5}")


def show(name: str, seconds: Sequence[float]) -> None:
    """A row of the report."""
    middle, most = (1000 * percentile(seconds, share) for share in (0.5, 0.95))
    print(f"  {name:16} p50 {middle:6.1f} ms   p95 {most:6.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 12)
