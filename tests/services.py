"""Starts the real servers that a library can be kept on: PostgreSQL, or Chroma's own.

    with postgres(tmp_path / "database") as server:
        ...  # use server.url
        server.kill()
        server.start()

Each listens on a free port of the loopback alone, keeps the port when it is started again, and keeps all of its files
in the folder, or where a link in it leads. A program that is not installed raises MissingProgramError, whose text a
fixture skips with.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic
from urllib.error import URLError
from urllib.request import urlopen

HOST = "127.0.0.1"
_PATIENCE = 180.0  # seconds, of a machine that has much else to do
_ORDERLY = 20.0  # seconds to end in order, with connections that stay
_BETWEEN = 0.05  # seconds
_BINARIES = "/usr/lib/postgresql/*/bin"  # where Debian puts them
_OWNERS = ("postgres", "nobody")  # who runs PostgreSQL in the place of root, whom it refuses
_USER = "dispatches"
_UNSAFE = {"fsync": "off", "full_page_writes": "off"}
_numbers = count()


class MissingProgramError(Exception):
    """The server's program is not installed; the text says how to install it."""


@dataclass(slots=True)
class Service:
    """A server that can be stopped in order, killed, and started again with what it had."""

    url: str
    command: Sequence[str]
    ready: Callable[[], bool]
    log: Path
    owner: str | None = None
    """Whose process it is; None for the own user."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Returns when it answers; raises TimeoutError, with the end of its log, if it does not in three minutes."""
        deadline = monotonic() + _PATIENCE
        while monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                self.process = self._launched()  # again, since what a killed one left may need a moment to go
            if not _ended(self.process, _BETWEEN) and self.ready():
                return
        self.kill()
        raise TimeoutError(f"{self.command[0]} does not answer at {self.url}: {self.tail()}")

    def stop(self) -> None:
        """Ends it in order; connections are cut."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends it at once, as a loss of power would."""
        self._end(signal.SIGKILL)

    def tail(self) -> str:
        """The end of what it has written."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def _launched(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **_as_user(self.owner)
            )

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        if not _ended(self.process, _ORDERLY):
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def postgres(folder: Path) -> Iterator[Service]:
    """A PostgreSQL cluster in a folder, made if it is not there; the url is that of an empty database.

    Its processes may be killed, the machine is not: it does not wait for the disk.
    """
    found, port, owner = programs(), _free_port(), _owner()
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    data = _reachable(folder / "data", owner) if owner else folder / "data"
    if not (data / "PG_VERSION").exists():
        _create(found, data, owner)
    settings = {"listen_addresses": HOST, "port": port, "unix_socket_directories": "", **_UNSAFE}
    service = Service(
        f"postgresql://{_USER}@{HOST}:{port}/postgres",
        [str(found / "postgres"), "-D", str(data), *(f"--{name}={value}" for name, value in settings.items())],
        lambda: _succeeds([found / "pg_isready", "-q", "-h", HOST, "-p", str(port), "-d", "postgres"]),
        folder / "log",
        owner,
    )
    with _started(service):
        yield service


@contextmanager
def chroma(folder: Path) -> Iterator[Service]:
    """Chroma's server, of the chromadb that is installed beside this Python, on the files in a folder."""
    program = shutil.which("chroma", path=str(Path(sys.executable).parent))
    if not program:
        raise MissingProgramError(f"no `chroma` beside {sys.executable}; install it with `pip install chromadb`")
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://{HOST}:{(port := _free_port())}"
    command = [program, "run", "--path", str(folder / "data"), "--host", HOST, "--port", str(port)]
    service = Service(url, command, lambda: _replies(f"{url}/api/v2/heartbeat"), folder / "log")
    with _started(service):
        yield service


def programs() -> Path:
    """The folder of PostgreSQL's programs, of the latest version that is whole; raises MissingProgramError."""
    beside = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    installed = sorted(Path("/").glob(_BINARIES.lstrip("/")), key=lambda path: _number(path.parent.name))
    for folder in [*reversed(installed), *beside]:
        if all((folder / name).is_file() for name in ("initdb", "postgres", "pg_isready")):
            return folder
    raise MissingProgramError(f"no PostgreSQL on the PATH or in {_BINARIES}; install it with `apt install postgresql`")


@contextmanager
def _started(service: Service) -> Iterator[None]:
    service.start()
    try:
        yield
    finally:
        service.stop()


def _create(found: Path, data: Path, owner: str | None) -> None:
    command = [found / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **_as_user(owner))
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _owner() -> str | None:
    """Who runs PostgreSQL: whoever this is, unless it is root."""
    if os.getuid():
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return next(name for name in _OWNERS if name in known)


def _reachable(link: Path, owner: str) -> Path:
    """A folder of the owner's, outside of pytest's, which each suite that starts closes to other users."""
    if not link.is_symlink():
        place = tempfile.mkdtemp(prefix="postgres-")
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        shutil.chown(place, owner)
        link.symlink_to(place)
    return link.resolve()


def _as_user(owner: str | None) -> dict[str, object]:
    if owner is None:
        return {}
    user = pwd.getpwnam(owner)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _succeeds(command: Sequence[str | Path]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _replies(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as reply:
            return bool(reply.status == 200)
    except (URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0


def fresh_database(server: Service) -> str:
    """The address of a new database on a server."""
    import psycopg

    name = f"library_{next(_numbers)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # a name cannot be a parameter
    return f"{server.url.rpartition('/')[0]}/{name}"
