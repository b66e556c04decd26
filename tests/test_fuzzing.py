"""Whatever comes in is taken, or refused by an error of one line; `tests/fuzz.py` tries many more inputs."""

from __future__ import annotations

from typing import Any

import pytest
from fuzzing.asking import Question
from fuzzing.every import every
from fuzzing.outcomes import Target, outcomes
from fuzzing.replying import Message
from hypothesis import HealthCheck, given, settings

from rag.schema import Turn, Window

FOUND: list[tuple[str, Any]] = [
    ("batch", b'{"id": NaN, "question": "Who?"}\n{"id": [1e999], "question": "Who?"}'),
    ("check", "Kabul \ud800 fell."),
    ("ask", Question("Who fled?", window=Window(sources=("\ud800",)))),
    ("ask", Question("Who fled to \ud800 Kabul?")),
    ("search", Question("Who fled?", (Turn("Who was in \ud800 Tehran?", "Nobody."),))),
    ("ask", Question("Who fled?", (Turn("", "\ud800"),))),
    ("summarize-timeline", Question("Taliban \ud800")),
    ("ask", Question("Who fled to Tajikistan? " * 5_000)),
    ("reply-message", Message("{}", {}, {"token_usage": "length"})),
    ("reply-summary", "Soldiers \ud800 fled [1]."),
    ("reply-answer", "Soldiers \ud800 fled [1]."),
    ("reply-message", Message("{}", {}, {"token_usage": {"prompt_tokens": 10**400, "completion_tokens": -1}})),
    ("reply-opinion", '{"reason": "\\u0000", "verdict": "supported"}'),
    ("chat", ["/sources " + "9" * 5_000]),
    ("chat", ["/topic a\x1eb"]),
    ("baseline", b"[" * 20_000),
    ("gates", b'["a b.\\"c\\u007f"]\ncases = "x\\"y.jsonl"'),
    ("gates", b'[smoke]\n"\\u0000" = 1'),
]
"""What once was a crash, a hang or an error of several lines."""
FEW = settings(max_examples=4, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("target", every(), ids=lambda target: target.name)
def test_any_input_is_taken_or_refused_by_an_error_of_one_line(target: Target) -> None:
    @FEW
    @given(target.inputs)
    def tries(value: Any) -> None:
        assert outcomes(target, value)

    tries()


@pytest.mark.parametrize(("name", "value"), FOUND, ids=[f"{name}-{n}" for n, (name, _) in enumerate(FOUND)])
def test_what_once_broke_a_promise_holds(name: str, value: Any) -> None:
    (target,) = (target for target in every() if target.name == name)
    assert outcomes(target, value)
