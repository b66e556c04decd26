"""Tells whether the files of an index are as they were left."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

_NAME = "seal.json"


@dataclass(frozen=True, slots=True)
class _Left:
    """A file as it was left; `time` is in nanoseconds."""

    size: int
    time: int
    digest: str


def seal(folder: Path) -> None:
    """Writes down what all files in the folders of a folder hold; reads only those that were written since last."""
    known = _sealed(folder) or {}
    left = {name: _left(folder / name, known.get(name)) for name in _names(folder)}
    written = folder / f"{_NAME}.new"
    written.write_text(json.dumps({name: asdict(file) for name, file in left.items()}), encoding="utf-8")
    written.replace(folder / _NAME)


def broken(folder: Path) -> str | None:
    """A file that is not as it was sealed; None if all are, or if nothing was ever sealed.

    A file that nobody has written to since is taken as it is; another one, such as that of a copy, is read.
    """
    sealed = _sealed(folder)
    if sealed is None:
        return _NAME if (folder / _NAME).exists() else None
    return next((name for name, file in sealed.items() if not _holds(folder / name, file)), None)


def _holds(path: Path, file: _Left) -> bool:
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    return path.stat().st_mtime_ns == file.time or _digest(path) == file.digest


def _left(path: Path, known: _Left | None) -> _Left:
    size, time = path.stat().st_size, path.stat().st_mtime_ns
    same = known is not None and (known.size, known.time) == (size, time)
    return known if known and same else _Left(size, time, _digest(path))


def _sealed(folder: Path) -> dict[str, _Left] | None:
    """What was written down; None if nothing was, or if it cannot be read."""
    try:
        read = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        return {name: _Left(**file) for name, file in read.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
