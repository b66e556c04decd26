from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from services import HOST, MissingProgramError, Service, chroma, postgres, programs

Server = Callable[[Path], AbstractContextManager[Service]]


@pytest.mark.slow
@pytest.mark.parametrize("server", [postgres, chroma])
def test_a_server_answers_again_after_it_was_killed(server: Server, tmp_path: Path) -> None:
    try:
        with server(tmp_path / "server") as service:
            url = service.url
            assert service.ready()
            service.kill()
            assert not service.ready()
            service.start()
            assert service.ready()
            assert service.url == url
            service.stop()
            assert not service.ready()
    except MissingProgramError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_a_database_keeps_what_was_committed_before_it_was_killed(tmp_path: Path) -> None:
    try:
        psql = programs() / "psql"
    except MissingProgramError as error:
        pytest.skip(str(error))
    with postgres(tmp_path / "server") as service:
        said(psql, service, "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('Doha')")
        service.kill()
        service.start()
        assert said(psql, service, "SELECT word FROM kept") == "Doha"
    with postgres(tmp_path / "server") as again:
        assert said(psql, again, "SELECT word FROM kept") == "Doha"


def said(psql: Path, service: Service, sql: str) -> str:
    assert HOST in service.url
    return subprocess.check_output([psql, "-X", "-q", "-A", "-t", "-d", service.url, "-c", sql], text=True).strip()
