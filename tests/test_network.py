"""What the program says to the network by itself: nothing, whatever its dependencies would like to report."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
QUESTION = "Who spoke for the Taliban in Tehran?"
COMMANDS = (
    ("add", str(ROOT / "seeds")),
    ("ask", QUESTION),
    ("check", "-"),
    ("chat",),
    ("doctor",),
)
SHOW = "import json, os, rag; print(json.dumps(dict(os.environ)))"


def environment(home: Path, **more: str) -> dict[str, str]:
    """That of a user who has set nothing up; what the program sets itself is not in it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "OMP_NUM_THREADS") if name in os.environ}
    return {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "NO_COLOR": "1", **more}


def sockets(command: list[str], trace: Path, env: dict[str, str]) -> list[str]:
    """The sockets that a command and its children open; pairs within a process are none."""
    strace = shutil.which("strace")
    tried = strace and subprocess.run([strace, "-f", "--seccomp-bpf", "true"], check=False, capture_output=True)
    if not strace or not tried or tried.returncode:
        pytest.skip("strace cannot trace here; install it, and run where ptrace is allowed")
    subprocess.run(
        [strace, "-f", "--seccomp-bpf", "-o", str(trace), "-e", "trace=socket,connect,sendto,sendmsg", *command],
        check=True,
        capture_output=True,
        input=f"{QUESTION}\n",
        text=True,
        env=env,
        cwd=ROOT,
    )
    return [line for line in trace.read_text().splitlines() if "socket(" in line or "connect(" in line]


@pytest.mark.parametrize(
    "offline", [pytest.param(True, marks=pytest.mark.slow), pytest.param(False, marks=pytest.mark.long)]
)
def test_no_socket_is_opened_without_a_model(tmp_path: Path, offline: bool) -> None:
    env = environment(tmp_path, **({"RAG_OFFLINE": "1"} if offline else {}))
    for command in COMMANDS:
        program = [sys.executable, "-m", "rag", *command, "--library", str(tmp_path / "library")]
        assert sockets(program, tmp_path / "trace", env) == [], command
    left = {path.relative_to(tmp_path).parts[:2] for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert left <= {("cache", "dispatches")}


def test_a_socket_would_be_seen(tmp_path: Path) -> None:
    code = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
    found = sockets([sys.executable, "-c", code], tmp_path / "trace", environment(tmp_path))
    assert len(found) == 2


def test_reports_of_dependencies_are_switched_off_whoever_wants_them(tmp_path: Path) -> None:
    set_up = {"ORT_DISABLE_TELEMETRY": "0", "ANONYMIZED_TELEMETRY": "True"}
    told = shown(environment(tmp_path, **set_up))
    wanted = {"ORT_DISABLE_TELEMETRY": "1", "ANONYMIZED_TELEMETRY": "False", "RAY_USAGE_STATS_ENABLED": "0"}
    assert {name: told[name] for name in wanted} == wanted


def test_chains_are_traced_only_if_their_user_says_so(tmp_path: Path) -> None:
    assert shown(environment(tmp_path))["LANGCHAIN_TRACING_V2"] == "false"
    own = shown(environment(tmp_path, LANGSMITH_TRACING="true"))
    assert own["LANGSMITH_TRACING"] == "true"
    assert not {"LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING_V2"} & set(own)


def shown(env: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        subprocess.check_output([sys.executable, "-c", SHOW], text=True, env=env, cwd=ROOT)
    )
    return found
