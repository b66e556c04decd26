"""Has several groups read at once, within what one question may use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from rag.models.client import Account
from rag.progress import Meter

CONCURRENCY = 4
"""How many groups a model is given at once."""
Group = TypeVar("Group")
Made = TypeVar("Made")


def at_once(
    groups: Sequence[Group],
    read: Callable[[Group, Account], Sequence[Made]],
    account: Account,
    meter: Meter,
    *,
    concurrency: int = CONCURRENCY,
) -> list[Made]:
    """What is made of all groups, in their order; what they use is charged, and what they warn of is told once.

    What all of them may take has to be admitted before. After an error no further group is read; it is raised.
    """
    terms = replace(account.terms, max_tokens=None, max_cost=None)
    accounts = [Account(terms) for _ in groups]
    found: list[Made] = []
    with ThreadPoolExecutor(min(concurrency, len(groups))) as pool:
        coming = [pool.submit(read, g, a) for g, a in zip(groups, accounts, strict=True)]
        try:
            for future in coming:
                found += future.result()
                meter.advance(1)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for one in accounts:
                account.charge(one.usage)
    for warning in dict.fromkeys(w for one in accounts for w in one.warnings):
        account.warn(warning)
    return found
