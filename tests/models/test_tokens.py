"""Tokens are counted as the model would, else estimated, and the answer says which."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tiktoken import Encoding

from rag.models.budget import DEFAULT, TokenCount, count_tokens, tariff

BYTES = Encoding(
    "bytes", pat_str=r"\w+|\s+|[^\w\s]+", mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={}
)


def test_a_known_tokenizer_counts() -> None:
    assert count_tokens("Kabul.", "known", load=lambda _: BYTES) == TokenCount(6, estimated=False)


def test_a_text_that_looks_like_a_special_token_is_only_text() -> None:
    special = Encoding(
        "s", pat_str=r".", mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={"<|end|>": 256}
    )
    assert count_tokens("<|end|>", "known", load=lambda _: special).count == 7


@pytest.mark.parametrize("model", [None, "llama3.2:3b", "local"])
def test_another_model_is_estimated(model: str | None) -> None:
    assert count_tokens("a" * 400, model) == TokenCount(100, estimated=True)


def test_other_scripts_take_more_tokens() -> None:
    assert count_tokens("کابل " * 100, None).count > 2 * count_tokens("kabul" * 100, None).count


def test_without_a_network_an_openai_model_is_estimated_and_tried_once() -> None:
    code = (
        "import socket, sys\n"
        "calls = []\n"
        "def refuse(*_, **__):\n"
        "    calls.append(1)\n"
        "    raise ConnectionRefusedError('no network')\n"
        "socket.getaddrinfo = refuse\n"
        "from rag.models.budget import count_tokens\n"
        "assert 'tiktoken' not in sys.modules\n"
        "found = [count_tokens('Kabul fell.', 'gpt-4o-mini') for _ in range(3)]\n"
        "print(found[0].estimated, len(set(found)), len(calls))\n"
    )
    environment = {"TIKTOKEN_CACHE_DIR": "", "PATH": ""}
    out = subprocess.run([sys.executable, "-c", code], env=environment, text=True, capture_output=True, check=True)
    assert out.stdout.split()[:2] == ["True", "1"]
    assert int(out.stdout.split()[2]) <= 1
    assert out.stderr == ""


def test_counts_add_up_and_keep_the_doubt() -> None:
    assert TokenCount(2, estimated=False) + TokenCount(3, estimated=True) == TokenCount(5, estimated=True)


@pytest.mark.parametrize("name", ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "gpt-4o-mini-latest"])
def test_a_model_costs_the_same_in_all_its_versions(name: str) -> None:
    usage = tariff(name).usage(1_000_000, 1_000_000, estimated=False)
    assert (round(usage.cost, 6), usage.estimated) == (0.75, False)


def test_an_unknown_model_costs_nothing_that_is_known() -> None:
    assert tariff("llama3.2:3b") == DEFAULT
    assert tariff("llama3.2:3b", window=4096).window == 4096
    usage = DEFAULT.usage(10, 5, estimated=False)
    assert (usage.cost, usage.estimated) == (0.0, True)
