"""Replies of a language model about the seed article: one that is right, one with the errors that models make."""

from __future__ import annotations

import json
from typing import Any

from openai_server import Request

QUESTION = "How many Afghan soldiers fled to Tajikistan?"
SOLDIERS = "around 1,000 Afghan soldiers crossed the border and fled to Tajikistan"
RESERVES = "President Emomali Rakhmon had ordered the dispatch of 20,000 reserve troops"
NUMBER = "Around 1,500 Afghan soldiers crossed the border and fled to Tajikistan."
NAME = "President Ashraf Ghani had ordered the dispatch of 20,000 reserve troops."
NOT_GIVEN = "The soldiers sold their rifles in Dushanbe."
NOWHERE = "sold their rifles in Dushanbe"
INVENTED = "The Red Cross gave each of them a tent."
RIGHT = "Around 1,000 Afghan soldiers crossed the border and fled to Tajikistan."


def stated(request: Request, text: str, quote: str) -> dict[str, Any]:
    lines = request.messages[-1]["content"].splitlines()
    place = next(i for i, line in enumerate(lines) if quote in line)
    number = int(lines[place - 1].split("]")[0].removeprefix("["))
    return {"text": text, "quotes": [{"passage": number, "quote": quote}]}


def said(*statements: Any, answered: str = "yes", missing: str = "") -> str:
    return json.dumps({"answered": answered, "statements": list(statements), "missing": missing})


def right(request: Request) -> str:
    return said(stated(request, RIGHT, SOLDIERS))


def wrong(request: Request) -> str:
    """One number and one name altered, one citation and one sentence invented, and one statement that is true."""
    return said(
        stated(request, RIGHT, SOLDIERS),
        stated(request, NUMBER, SOLDIERS),
        stated(request, NAME, RESERVES),
        {"text": NOT_GIVEN, "quotes": [{"passage": 42, "quote": NOWHERE}]},
        {"text": INVENTED, "quotes": []},
    )
