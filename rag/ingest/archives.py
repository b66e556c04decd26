"""Reads the articles in archives: .zip, .gz."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from pathlib import PurePosixPath
from zlib import error as ZlibError  # noqa: N812

from rag.errors import LoadError
from rag.ingest.document import MAX_FILE, Container, Document, Loaded
from rag.ingest.formats import READERS
from rag.ingest.identity import placed
from rag.ingest.isolated import read_isolated
from rag.ingest.records import noted
from rag.schema import Failure
from rag.store.tables import PART
from rag.text.clean import one_line

ARCHIVES = (".zip", ".gz")
"""The extensions of archives, of which one in another is not read."""


def suffix(name: str) -> str:
    """The extension of a file name that its format goes by: that of `news.jsonl.gz` is `.jsonl`."""
    path = PurePosixPath(name.lower())
    return path.suffixes[-2] if path.suffix == ".gz" and len(path.suffixes) > 1 else path.suffix


def read_archive(document: Document) -> Loaded:
    """The articles of the files in an archive, bounded together; files of no known format are named in a note."""
    if document.name.lower().endswith(".gz"):
        return read_isolated(suffix(document.name), replace(document, stream=io.BytesIO(_unpacked(document))))
    return _zipped(document)


def _zipped(document: Document) -> Loaded:
    container = Container.opened(document)
    names = [n for n in container.names if not n.endswith("/") and not PurePosixPath(n).name.startswith(".")]
    names = [n for n in names if not n.startswith("__MACOSX/")]
    others = ", ".join(n for n in names if suffix(n) not in READERS or n.lower().endswith(ARCHIVES))
    note = f"is in an archive with files that were left out: {one_line(others, 200)}" if others else None
    for name in (n for n in names if suffix(n) in READERS and not n.lower().endswith(ARCHIVES)):
        origin = f"{document.origin}:{one_line(name, 200)}"
        part = Document(origin, PurePosixPath(name).name, io.BytesIO(container.part(name) or b""))
        try:
            for item in placed(read_isolated(suffix(name), part), f"{PART}{name}"):
                yield noted(item, note)
                note = None
        except LoadError as error:
            yield Failure(origin, str(error))


def _unpacked(document: Document) -> bytes:
    try:
        with gzip.GzipFile(fileobj=document.stream) as file:
            body = file.read(MAX_FILE + 1)
    except (OSError, EOFError, ZlibError) as error:
        raise LoadError(f"is no sound gzip file ({one_line(str(error), 80)}); unpack it first") from None
    if len(body) > MAX_FILE:
        raise LoadError(f"unpacks to over {MAX_FILE // 10**6} MB; unpack it first")
    return body
