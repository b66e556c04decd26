"""Locks between processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import LibraryError, LockedError


@contextmanager
def locked(path: Path, *, wait: float, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Holds the lock inside; says so if it has to wait, and raises LockedError after `wait` seconds.

    The operating system releases it when the process ends, however it ends.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, mode=0o600)
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


@contextmanager
def quiet(path: Path) -> Iterator[bool]:
    """Whether nobody is in `undisturbed` of this file; if so, nobody gets there before the end.

    Windows has no such locks: there it is always so.
    """
    file = _opened(path, os.O_RDONLY)
    try:
        yield file is None or _shared(file)
    finally:
        if file is not None:
            os.close(file)


@contextmanager
def undisturbed(path: Path) -> Iterator[None]:
    """Waits for all that are in `quiet` of this file, and lets none in before the end."""
    file = _opened(path, os.O_RDONLY | os.O_CREAT)
    try:
        if file is not None and sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        if file is not None:
            os.close(file)


def _shared(file: int) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(path: Path, flags: int) -> int | None:
    """The lock's file; None if it is not there, which it is before anybody writes, or may not be opened."""
    try:
        return os.open(path, flags, 0o600)
    except OSError:
        return None
