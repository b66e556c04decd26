"""Lets one process at a time write to a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import LibraryError, LockedError


@contextmanager
def locked(path: Path, *, wait: float, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock inside; says so if it has to wait, and raises LockedError after `wait` seconds.

    The operating system lets go of it when the process ends, however it ends.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait(f"waiting for another process that is writing to {path.parent}")
            lock.acquire(timeout=wait)
    except Timeout:
        raise LockedError(
            f"another process has been writing to {path.parent} for {wait:g} s; try again when it is done, "
            "or wait longer with `--wait`"
        ) from None
    except OSError as error:
        raise LibraryError(
            f"{path.parent} cannot be written: {error.strerror or error}; check its permissions, or choose another "
            "folder with `--library`"
        ) from error
    try:
        yield
    finally:
        lock.release()
