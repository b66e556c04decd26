"""Has a language model tell which claims an answer makes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rag.errors import ShapeError
from rag.evaluation.cases import QaCase, SummaryCase
from rag.evaluation.results import Grades, Result
from rag.models.budget import Terms
from rag.models.client import Account, Call, Caller
from rag.models.prompts import data, fence, load_prompt

_SCHEMA = {
    "type": "object",
    "properties": {
        "grades": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "number": {"type": "integer"},
                    "words": {"type": "string"},
                    "made": {"type": "boolean"},
                },
                "required": ["number", "words", "made"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["grades"],
    "additionalProperties": False,
}


class Grader:
    """Reads answers by one model, which is not to be the one that wrote them; replies are not kept."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.id = caller.choice.id

    def __call__(self, case: QaCase | SummaryCase, result: Result) -> Grades:
        """Which claims the statements make, then which forbidden ones; raises ModelError."""
        claims = [claim.text for claim in (*case.claims, *case.forbidden)]
        if not claims:
            return Grades(self.id, (), ())
        made = self._made(_question(case), result.said, claims)
        size = len(case.claims)
        return Grades(self.id, made[:size], made[size:])

    def _made(self, question: str, answer: str, claims: Sequence[str]) -> tuple[bool, ...]:
        lines = [json.dumps({"number": n, "claim": data(c)}, ensure_ascii=False) for n, c in enumerate(claims, start=1)]
        texts = {"question": data(question), "answer": data(answer), "claims": "\n".join(lines)}
        inputs = texts | {"fence": fence(*texts.values())}
        call = Call(load_prompt("grade", *inputs), inputs, _SCHEMA)
        return self._caller.json(call, Account(Terms(cache=False)), lambda reply: _read(reply, len(claims)))


def _question(case: QaCase | SummaryCase) -> str:
    return case.question if isinstance(case, QaCase) else case.topic or "a summary of the articles"


def _read(reply: dict[str, Any], size: int) -> tuple[bool, ...]:
    """Whether each claim is made, by its number; raises ShapeError if one has no grade, or several."""
    grades = reply.get("grades")
    rows = grades if isinstance(grades, list) else []
    found = {row["number"]: row["made"] for row in rows if isinstance(row, dict) and {"number", "made"} <= row.keys()}
    if len(rows) != size or any(not isinstance(found.get(n), bool) for n in range(1, size + 1)):
        raise ShapeError(f"the reply grades {sorted(map(str, found))}; wanted each of 1 to {size} once, true or false")
    return tuple(found[n] for n in range(1, size + 1))
