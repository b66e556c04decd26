"""Adds articles to a library on servers with the machines of a Ray cluster."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from rag.errors import InputError, LibraryError
from rag.ingest.loaders import Origin, expand
from rag.library import Library
from rag.models.chat import Secret
from rag.progress import Meter, Progress
from rag.schema import AddReport
from rag.store.database import ChromaServer

_BATCH = 16  # files, or URLs, that a worker takes at once
_PASSED_ON = ("RAG_EMBEDDINGS", "RAG_OFFLINE", "OPENAI_BASE_URL")  # no keys: a machine has its own
_LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Shared:
    """Where the servers of a library are, and the folder of each machine for what only it needs."""

    folder: Path
    catalog: Secret
    chroma: ChromaServer
    allow_private: bool = False


def add_by_ray(
    origins: Sequence[Origin], shared: Shared, address: str, *, progress: Progress | None = None
) -> AddReport:
    """Adds what can be loaded, a worker for each processor; each machine must see the files by the same paths.

    `address` is that of the cluster, `auto`, or `local` for one that is started here and ends with this. What a worker
    that was lost had in hand is done by another. Adding twice changes nothing, so a run that was stopped can be run
    again. `progress` is told of files. Raises InputError if Ray is not installed, LibraryError if the cluster fails.
    """
    places = expand(origins)
    if "-" in places:
        raise InputError("other machines cannot read the standard input; save it as a file, or leave out --ray")
    ray, meter = _ray(), Meter(progress)
    meter.expect(len(places), f"adding by the Ray cluster {address}")
    try:
        _connect(ray, address)
        reports = []
        for row in _rows(ray, places, shared):
            reports.append(AddReport.from_dict(json.loads(row["report"])))
            meter.advance(row["places"])
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise LibraryError(f"the Ray cluster {address} failed: {_last_line(error)}; run the same again") from error
    finally:
        ray.shutdown()
    return reduce(add, reports, AddReport())


class _Worker:
    """One process of the cluster, with the library open."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._library = Library(shared.folder, catalog=shared.catalog.reveal(), chroma=shared.chroma)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        places = [str(place) for place in batch["item"]]
        report = self._library.add(*places, allow_private=self._shared.allow_private)
        return {"report": [json.dumps(asdict(report))], "places": [len(places)]}


def _ray() -> Any:
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray.data
    except ImportError:
        raise InputError("--ray needs Ray; install it with `pip install 'dispatches[ray]'`") from None
    return ray


def _connect(ray: Any, address: str) -> None:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    here = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"} if address == _LOCAL else {"address": address}
    ray.init(
        **here,
        runtime_env={"env_vars": {**passed_on, "RAG_THREADS": os.environ.get("RAG_THREADS", "1")}},
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def _rows(ray: Any, places: Sequence[str], shared: Shared) -> Iterator[dict[str, Any]]:
    batches = -(-len(places) // _BATCH)
    workers = max(1, min(batches, int(ray.cluster_resources().get("CPU", 1))))
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    listed = ray.data.from_items(list(places), override_num_blocks=max(1, batches))
    added = listed.map_batches(
        _Worker, batch_size=_BATCH, concurrency=(1, workers), num_cpus=1, fn_constructor_args=[shared]
    )
    yield from added.iter_rows()


def _last_line(error: Exception) -> str:
    """The last line of an error that came over from a worker, without the traceback before it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("rag.errors.") if lines else type(error).__name__
