"""The errors a caller can catch, one tree.

    RagError                     1
    ├── InputError               2  a flag, argument or question that cannot be used
    ├── LoadError                1  a file, folder, URL or feed that cannot be read as articles
    ├── EmptyLibraryError        3  nothing to answer from
    └── LibraryError             1  the library on disk cannot be used as it is
        ├── LockedError          1  another process is writing and the wait ran out
        ├── EmbeddingError       1  the index was made by another embedding model, or the model is damaged
        └── DamagedError         1  the catalog or the vector index cannot be read

The number is the exit code of the command line.
"""

from __future__ import annotations


class RagError(Exception):
    """Any error that the package raises on purpose; its text is one line that says what to do."""

    exit_code = 1


class InputError(RagError, ValueError):
    """A flag, argument or question that cannot be used."""

    exit_code = 2


class LoadError(RagError):
    """A file, folder, URL or feed that cannot be read as articles."""


class EmptyLibraryError(RagError):
    """There is no article to answer from."""

    exit_code = 3


class LibraryError(RagError):
    """The library on disk cannot be used as it is."""


class LockedError(LibraryError):
    """Another process is writing to the library and the wait ran out."""


class EmbeddingError(LibraryError):
    """The index was made by another embedding model, or the model itself is missing or damaged."""


class DamagedError(LibraryError):
    """The catalog or the vector index cannot be read."""
