"""`import rag` exports what it says, and loads it when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rag


def test_every_exported_name_is_there() -> None:
    assert rag.__all__ == sorted(rag.__all__)
    for name in rag.__all__:
        assert getattr(rag, name)
    assert dir(rag) == rag.__all__


def test_the_names_that_programs_rely_on() -> None:
    wanted = "Library Window Article Answer Citation Statement Verdict AddReport RagError ask __version__"
    assert set(wanted.split()) <= set(rag.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'rag' has no attribute 'Libary'"):
        rag.Libary  # noqa: B018


def test_importing_it_imports_nothing_else_of_it() -> None:
    code = "import sys, rag; print([m for m in sys.modules if m.startswith('rag.')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
