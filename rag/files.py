"""Files that are written whole or not at all, and the digests of files."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from rag.errors import InputError


def write_private(path: Path, text: str) -> None:
    """Writes a file, in a folder that is made if need be, all of it or nothing; only its user may read it.

    Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".new")  # 0600 from the start
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def write_new(path: Path, content: bytes) -> None:
    """Writes a file that is not there yet; raises InputError if it is, or cannot be written."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise InputError(f"{path} is there already; choose another name, or remove it") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place") from None


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
