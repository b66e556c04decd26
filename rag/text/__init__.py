"""What a text says: its sentences, words, names, dates, quantities, speakers."""

import tomllib
from pathlib import Path
from typing import Any

TABLES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("tables.toml").read_text(encoding="utf-8"))
"""The word lists and tables of this package, which are data and no code."""
