"""Keeps a library at work for half an hour, while its processes and servers are killed and started again.

    uv run python benchmarks/soak.py --minutes 30 --readers 4 --seed 1
    uv run python benchmarks/soak.py --minutes 30 --postgres --chroma

One process adds, corrects and removes small made-up articles, and writes down what was reported to it; others search
and ask, with and without windows, and check all that they are shown against the articles, which can be told again from
their numbers. Writers and readers are killed at random instants, and started again; so are the servers, if there are
any: `--postgres` and `--chroma` start them in the same temporary folder. In the end all that was reported must be
there, `rag doctor` must find nothing wrong, and `rag reindex` must not change an answer. The last line is the verdict;
the exit code is 1 if anything was seen that must not be.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic, sleep

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tests")]

from services import Service, chroma, postgres
from soaking.board import NAMES, Board
from soaking.reading import answers, read_on, sweep
from soaking.shelf import Scene
from soaking.world import World, number_of
from soaking.writing import Writer, fill, write_on

from rag.library import Library

_TICK = 0.02  # seconds
_STUCK = 90.0  # seconds without a question or a change
_LAST = 120.0  # seconds for what is at work when the time is over
_PATIENCE = 20.0  # seconds for a process that was interrupted
_COMPARED = 60
_LIFE = {"writer": (0.5, 20.0), "reader": (1.0, 30.0), "server": (15.0, 60.0)}
"""The least and the most seconds between a start and the next kill."""
_OTHER_MODEL = "the library was made with the embedding model soak"


@dataclass(slots=True)
class Worker:
    """A process of a row of the board, and when it is to be killed."""

    row: int
    process: int
    kill_at: float
    beats: int = 0
    moved_at: float = field(default_factory=monotonic)


@dataclass(slots=True)
class Soak:
    """The parent of all: it starts, kills and counts, and opens no library itself."""

    folder: Path
    world: World
    board: Board
    chance: Random
    until: float
    services: dict[str, Service]
    size: int
    kills: dict[str, int] = field(default_factory=dict)
    starts: int = 0

    def run(self, readers: int) -> None:
        """Until the time is over; then it waits for the last questions."""
        workers = [self._started(row) for row in range(readers + 1)]
        servers = {name: self._end_of("server") for name in self.services}
        try:
            while monotonic() < self.until:
                workers[:] = map(self._watched, workers)
                for name in [name for name, at in servers.items() if monotonic() > at]:
                    self._struck(name)
                    servers[name] = self._end_of("server")
                sleep(_TICK)
            self._awaited(workers)
        except BaseException:
            for worker in workers:
                os.kill(worker.process, signal.SIGKILL)
            raise

    def _watched(self, worker: Worker) -> Worker:
        """The worker, or the one that comes after it."""
        ended, status = os.waitpid(worker.process, os.WNOHANG)
        if ended:
            if monotonic() < self.until:
                self.board.violation("a process ended by itself", row=worker.row, status=status)
            return self._started(worker.row)
        beats = self.board.of(worker.row, "beats")
        if beats != worker.beats or self.board.any_down:
            worker.beats, worker.moved_at = beats, monotonic()
        elif monotonic() - worker.moved_at > _STUCK:
            self.board.violation("a process does not go on", row=worker.row)
            worker.kill_at = 0
        if monotonic() < worker.kill_at:
            return worker
        name = "writer" if worker.row == 0 else "reader"
        how = signal.SIGKILL if self.chance.random() < 0.8 else signal.SIGINT
        os.kill(worker.process, how)
        self._reap(worker.process, how)
        self._count(f"{name}s killed" if how == signal.SIGKILL else f"{name}s interrupted")
        return self._started(worker.row)

    def _struck(self, name: str) -> None:
        """Ends a server, lets the others be without it for a moment, and starts it again."""
        service = self.services[name]
        self.board.down(stops_readers=name == "postgres")
        if self.chance.random() < 0.7:
            service.kill()
            self._count(f"{name} killed")
        else:
            service.stop()
            self._count(f"{name} stopped")
        sleep(self.chance.uniform(0, 3))
        service.start()
        self.board.up()

    def _started(self, row: int) -> Worker:
        self.starts += 1
        scene = Scene(self.folder, self.world, self.board, row, Random(f"{self.world.seed} {row} {self.starts}"))
        job = partial(read_on, scene, self.until) if row else partial(write_on, scene, self.until, self.size)
        beats = self.board.of(row, "beats")
        return Worker(row, forked(job, self.board), self._end_of("reader" if row else "writer"), beats)

    def _end_of(self, kind: str) -> float:
        return monotonic() + self.chance.uniform(*_LIFE[kind])

    def _awaited(self, workers: list[Worker]) -> None:
        deadline = monotonic() + _LAST
        left = {worker.process for worker in workers}
        while left and monotonic() < deadline:
            left -= {process for process in left if os.waitpid(process, os.WNOHANG)[0]}
            sleep(_TICK)
        for process in left:
            self.board.violation("a process did not end", process=process)
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)

    def _reap(self, process: int, how: signal.Signals) -> None:
        """Waits for the end of a process that was sent a signal; if it does not end, it says where it is."""
        deadline = monotonic() + _PATIENCE
        while not os.waitpid(process, os.WNOHANG)[0]:
            if monotonic() > deadline:
                self.board.violation("a process does not end when it is told to", process=process, how=how)
                os.kill(process, signal.SIGUSR1)
                sleep(1)
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                return
            sleep(_TICK)

    def _count(self, name: str) -> None:
        self.kills[name] = self.kills.get(name, 0) + 1


def main() -> int:
    options = _options()
    with ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        folder.chmod(0o755)
        services = dict(_services(options, folder, stack))
        import chromadb  # before the forks, each of which would take two seconds for it

        assert chromadb
        board, world = Board(options.readers + 1, folder / "violations"), World(options.seed)
        scene = Scene(folder, world, board, 0, Random(options.seed))
        run_apart(partial(fill, scene, options.articles), board)
        until = monotonic() + 60 * options.minutes
        soak = Soak(folder, world, board, Random(options.seed), until, services, options.articles)
        soak.run(options.readers)
        run_apart(partial(ended, scene), board)
        return _told(soak, options)


def ended(scene: Scene) -> None:
    """What must hold when all is quiet."""
    ledger, board = scene.ledger(), scene.board
    with scene.library() as library:
        Writer(scene, library, ledger, 0).settle()
        _swept(library, scene, "at the end")
        if library.vectors.is_behind:
            board.violation("vectors wait for the index at the end")
        asked = sorted(ledger.certain().items())[:: max(1, len(ledger.certain()) // _COMPARED)]
        before = answers(library, scene.world, asked)
    _examined(scene.folder / "library", board)
    with scene.library() as library:
        library.reindex()
        if answers(library, scene.world, asked) != before:
            board.violation("answers are others after `reindex`")
        _swept(library, scene, "after `reindex`")


def _swept(library: Library, scene: Scene, when: str) -> None:
    ledger = scene.ledger()
    for wrong in sweep(library, scene.world, ledger):
        scene.board.violation(f"{wrong.what} {when}", seen=wrong.seen)
    extra = {number_of(a.id) for a in library.articles()} - set(ledger.certain())
    if extra:
        scene.board.violation(f"articles are there that should not be, {when}", seen=sorted(extra))


def _examined(library: Path, board: Board) -> None:
    """`rag doctor` finds nothing but that the embedding model is the soak's own."""
    command = [str(Path(sys.executable).with_name("rag")), "doctor", "--library", str(library), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    problems = json.loads(done.stdout)["problems"] if done.stdout else [done.stderr]
    for problem in problems:
        if not problem.startswith(_OTHER_MODEL):
            board.violation("`rag doctor` finds a problem", seen=problem)


def run_apart(job: Callable[[], None], board: Board) -> None:
    """Does a job in a process of its own, so that the parent of all has nothing open."""
    os.waitpid(forked(job, board), 0)


def forked(job: Callable[[], None], board: Board) -> int:
    """A process that does a job: one that starts anew would take seconds for its imports."""
    child = os.fork()
    if child:
        return child
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has jobs in the background ignore it
    status = 1
    try:
        job()
        status = 0
    except KeyboardInterrupt:
        status = 130
    except BaseException:  # noqa: BLE001  # whatever it is, it is to be seen
        board.violation("a process ended with a traceback", seen=traceback.format_exc())
    finally:
        os._exit(status)


def _services(options: argparse.Namespace, folder: Path, stack: ExitStack) -> Iterator[tuple[str, Service]]:
    if options.postgres:
        service = stack.enter_context(postgres(folder / "postgres"))
        os.environ["RAG_CATALOG"] = service.url
        yield "postgres", service
    if options.chroma:
        service = stack.enter_context(chroma(folder / "chroma"))
        os.environ["RAG_CHROMA"] = service.url
        yield "chroma", service


def _told(soak: Soak, options: argparse.Namespace) -> int:
    counts = {name: soak.board.total(name) for name in NAMES if soak.board.total(name)}
    print(f"seed {options.seed}, {options.minutes:g} minutes, 1 writer, {options.readers} readers")
    for name, number in {**counts, **dict(sorted(soak.kills.items()))}.items():
        print(f"{name:24}{number:>10,}")
    violations = soak.board.violations()
    for line in violations[:40]:
        print(line)
    print(f"{len(violations)} violations" if violations else "nothing was lost, and nothing wrong was shown")
    return 1 if violations else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--articles", type=int, default=600, help="about how many the library has at a time")
    parser.add_argument("--postgres", action="store_true", help="keep the catalog on a PostgreSQL server")
    parser.add_argument("--chroma", action="store_true", help="keep the vectors on a Chroma server")
    parser.add_argument("--folder", help="where to work; a temporary one if none is given")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
