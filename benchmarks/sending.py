"""How long texts take to an embedding model on a server, one request after another and several at once.

    python benchmarks/sending.py [--texts N] [--delay SECONDS] [--rounds N]

The server is on the loopback and replies with vectors of 1,536 numbers after a delay, which stands for the way there,
back, and the model's own time. Both ways send the same batches, and take turns.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

import numpy as np

from rag.models.chat import ModelChoice
from rag.models.embeddings import AT_ONCE, HeadedText, RemoteEmbeddings, bounded, embed_passages

DIMENSIONS = 1_536
VECTOR = base64.b64encode(np.linspace(0.1, 1, DIMENSIONS, dtype=np.float32).tobytes()).decode()


class Slow(BaseHTTPRequestHandler):
    """Replies after a delay."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    delay = 0.0

    def do_POST(self) -> None:
        texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        time.sleep(self.delay)
        rows = [{"object": "embedding", "index": i, "embedding": VECTOR} for i in range(len(texts))]
        body = json.dumps({"object": "list", "data": rows, "model": "m", "usage": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    given = _arguments()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Slow", (Slow,), {"delay": given.delay}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    model = RemoteEmbeddings(ModelChoice("openai", "m", f"http://127.0.0.1:{server.server_port}/v1"))
    texts = [HeadedText("", f"Text {number}.") for number in range(given.texts)]
    model.embed_query("warm")
    after, at_once = list[float](), list[float]()
    for _ in range(given.rounds):
        start = time.perf_counter()
        for batch in bounded([text.joined for text in texts]):
            model.embed_until(batch, Event())
        middle = time.perf_counter()
        embed_passages(model, texts)
        after.append(middle - start)
        at_once.append(time.perf_counter() - middle)
    ratio = statistics.median(a / b for a, b in zip(after, at_once, strict=True))
    print(f"{given.texts} texts, {given.delay} s a request, {given.rounds} rounds")
    print(f"one after another {statistics.median(after):.2f} s, {AT_ONCE} at once {statistics.median(at_once):.2f} s")
    print(f"{ratio:.2f} times as fast")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=1_024)
    parser.add_argument("--delay", type=float, default=0.3)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
