"""Starts `rag` as a process of its own in a tenth of the time that an interpreter takes to load it.

    subprocess.run([*command(), "articles"], ...)

One process for each process of tests has the program's modules loaded, and forks for each command. What a test starts
is a small client: it hands its arguments, environment, folder and open files to the fork, passes signals on, and ends
as the fork ends. If the client is killed, so is the fork. A terminal becomes the fork's own, so that Ctrl-C reaches it.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import cache, partial
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from tempfile import TemporaryDirectory

_CLIENT = """
import json, os, signal, socket, sys
place, *arguments = sys.argv[1:]
server = socket.socket(socket.AF_UNIX)
server.connect(place)
request = json.dumps([arguments, dict(os.environ), os.getcwd()]).encode()
socket.send_fds(server, [len(request).to_bytes(8, "big")], [0, 1, 2])
server.sendall(request)
child = int.from_bytes(server.recv(8), "big")
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, _: os.kill(child, number))
for number in (0, 1, 2):
    os.close(number)  # who reads them sees the end when the fork ends
ended = server.recv(8)
code = int.from_bytes(ended, "big", signed=True) if ended else 70
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@cache
def command() -> tuple[str, ...]:
    """What runs `rag`, before its arguments."""
    folder = TemporaryDirectory(prefix="rag")
    place = f"{folder.name}/socket"
    reading, writing = os.pipe()
    alone = os.environ | dict.fromkeys(("RAG_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    server = subprocess.Popen([sys.executable, __file__, place, str(writing)], pass_fds=[writing], env=alone)
    os.close(writing)
    assert os.read(reading, 1), "the program cannot be loaded"
    os.close(reading)

    def end() -> None:
        server.kill()
        server.wait()
        folder.cleanup()

    atexit.register(end)
    return sys.executable, "-I", "-S", "-c", _CLIENT, place


class _Server:
    """Forks for each client until the process that started it has ended."""

    def __init__(self, place: str) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(place)
        self._listening.listen(32)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)

    def serve(self) -> None:
        parent = os.getppid()
        while os.getppid() == parent:
            for key, _ in self._selector.select(5.0):
                if key in self._selector.get_map().values():  # else what came before it ended it
                    key.data()

    def _accept(self) -> None:
        client, _ = self._listening.accept()
        size, files, *_ = socket.recv_fds(client, 8, 3)
        request = b""
        while len(request) < int.from_bytes(size, "big") and (more := client.recv(65536)):
            request += more
        if not request or len(request) < int.from_bytes(size, "big"):  # it was killed
            client.close()
            for file in files:
                os.close(file)
            return
        fork = get_context("fork").Process(target=_run, args=(*json.loads(request), files))
        fork.start()
        assert fork.pid
        with suppress(OSError):
            client.sendall(fork.pid.to_bytes(8, "big"))
        for file in files:
            os.close(file)
        self._selector.register(client, selectors.EVENT_READ, fork.kill)  # it ends before the fork if it is killed
        self._selector.register(fork.sentinel, selectors.EVENT_READ, partial(self._ended, client, fork))

    def _ended(self, client: socket.socket, fork: ForkProcess) -> None:
        fork.join()
        self._selector.unregister(client)
        self._selector.unregister(fork.sentinel)
        with suppress(OSError), client:
            client.sendall((fork.exitcode or 0).to_bytes(8, "big", signed=True))
        fork.close()


def _run(arguments: list[str], environment: dict[str, str], folder: str, files: list[int]) -> None:
    """Runs the program as an interpreter does that is started with these."""
    import fcntl
    import termios

    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.setsid()
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["rag", *arguments]
    sys.stdin, sys.stdout = os.fdopen(0, encoding="utf-8"), os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    from rag.__main__ import main

    main()


def _load() -> None:
    """Imports what commands use and loads the local models, for one thread each: a fork has no others."""
    for name in (
        "langchain_openai",
        "prompt_toolkit",
        "rag.chat.commands",
        "rag.cli.app",
        "rag.cli.terminal",
        "rag.mcp",
    ):
        import_module(name)
    from rag.library import Library

    with TemporaryDirectory() as folder, Library(folder, offline=True) as library:
        library.load()


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])
    _load()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    served = _Server(sys.argv[1])
    os.write(int(sys.argv[2]), b"1")
    os.close(int(sys.argv[2]))
    served.serve()
