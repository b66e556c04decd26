"""No test sees the key, the server or the model of whoever runs it; tests of the store run over both catalogs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import MissingProgramError, Service, fresh_database, postgres

for name in (
    *("OPENAI_API_KEY", "OPENAI_BASE_URL", "RAG_MODEL", "RAG_EMBEDDINGS", "RAG_OFFLINE", "RAG_HOME"),
    *("RAG_CATALOG", "RAG_CHROMA", "RAG_JUDGE", "RAG_TIMEOUT"),
):
    os.environ.pop(name, None)

# Tests start interpreters, each of which would compile all modules anew where none may be kept.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

if "PYTEST_XDIST_WORKER" in os.environ:  # there is one for each core, so each takes one
    os.environ |= {"RAG_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@pytest.fixture(scope="session", autouse=True)
def remembering_models() -> Iterator[None]:
    """No local model is run twice on the same input in a process of tests."""
    from remembering import RememberingSession  # NumPy, which reads the number of threads

    from rag.models import minilm

    with pytest.MonkeyPatch.context() as patch:
        opened = minilm.open_session
        patch.setattr(minilm, "open_session", lambda *given, **more: RememberingSession(opened(*given, **more)))
        yield


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One PostgreSQL server for all tests that only need a database; skips where there is none."""
    pytest.importorskip("psycopg", reason="no psycopg; install it with `uv sync`")
    try:
        with postgres(tmp_path_factory.mktemp("postgres") / "server") as service:
            yield service
    except MissingProgramError as error:
        pytest.skip(str(error))


@pytest.fixture
def database(database_server: Service) -> str:
    """The address of an empty PostgreSQL database."""
    return fresh_database(database_server)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a catalog is to be: a file, and then a database."""
    return tmp_path / "catalog.sqlite" if request.param == "sqlite" else request.getfixturevalue("database")
