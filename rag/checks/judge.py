"""Has a language model settle what the local checks leave open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.errors import InputError, KeyRefusedError, ModelError, NoModelError, ShapeError
from rag.models.client import Account, Call, Caller
from rag.models.prompts import INTEGER, TEXT, array_schema, data, fence, load_prompt, object_schema
from rag.schema import Check, Citation, Opinion, Statement, Verdict
from rag.text.clean import one_line
from rag.text.speakers import label

_VERDICTS = (Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.CONTRADICTED)
_EXACT = ("number", "date", "quote", "citation", "order")
_MOST = 12
"""How many statements one call is about."""
_SCHEMA = object_schema(
    verdicts=array_schema(number=INTEGER, reason=TEXT, verdict={"type": "string", "enum": list(_VERDICTS)})
)


def is_open(statement: Statement) -> bool:
    """Whether a judge may settle it: it failed its check, but not in what is exact, or its speaker is not shown."""
    if not statement.citations or is_exact(statement.verdict, statement.checks):
        return False
    unshown = any(check.kind == "speaker" and not check.passed for check in statement.checks)
    return unshown or statement.verdict is not Verdict.SUPPORTED


def is_exact(verdict: Verdict, checks: Sequence[Check]) -> bool:
    """Whether a number, a date or a quote is among what failed, or another name, which no judge may overrule."""
    failed = [check for check in checks if not check.passed]
    other_name = verdict is Verdict.CONTRADICTED and any(c.kind == "name" and c.found for c in failed)
    return other_name or any(c.kind in _EXACT for c in failed)


class Judge:
    """Gives verdicts by one model, in one call for the statements of an answer."""

    def __init__(self, caller: Caller) -> None:
        self.id = caller.choice.id
        self._caller = caller
        self._prompt = load_prompt("verify", "claims", "fence")

    def judged(self, statements: Sequence[Statement], account: Account) -> tuple[Statement, ...]:
        """The statements, those that are open with the verdict of the judge; nothing is asked if none is.

        What the judge fails at is UNCHECKED, and says why; what passed but for its speaker stays as it is. Raises
        KeyRefusedError and NoModelError, and on strict terms other ModelErrors.
        """
        found = list(statements)
        places = [place for place, statement in enumerate(statements) if is_open(statement)]
        for first in range(0, len(places), _MOST):
            some = places[first : first + _MOST]
            opinions = self._opinions([statements[place] for place in some], account)
            for place, opinion in zip(some, opinions, strict=True):
                if Verdict.UNCHECKED is not opinion.verdict or statements[place].verdict is not Verdict.SUPPORTED:
                    found[place] = replace(statements[place], verdict=opinion.verdict, opinion=opinion)
        return tuple(found)

    def _opinions(self, statements: Sequence[Statement], account: Account) -> list[Opinion]:
        lines = [_line(number, statement) for number, statement in enumerate(statements, start=1)]
        call = Call(self._prompt, {"claims": "\n".join(lines), "fence": fence(*lines)}, _SCHEMA)
        try:
            found = self._caller.json(call, account, lambda reply: self._read(reply, len(lines)))
        except (KeyRefusedError, NoModelError):
            raise
        except (ModelError, InputError) as error:  # InputError: it would take more than the terms allow
            if account.terms.strict and isinstance(error, ModelError):
                raise
            return [Opinion(self.id, Verdict.UNCHECKED, one_line(str(error)))] * len(lines)
        nothing = Opinion(self.id, Verdict.UNCHECKED, "the judge gave no verdict on it")
        return [found.get(number, nothing) for number in range(1, len(lines) + 1)]

    def _read(self, reply: dict[str, Any], count: int) -> dict[int, Opinion]:
        """The opinions by the number of their statement; one that is given twice with another verdict is none."""
        rows = reply.get("verdicts")
        rows = [reply] if rows is None and count == 1 else rows
        if not isinstance(rows, list):
            raise ShapeError(f"the verdicts are {one_line(repr(rows), 80)}; wanted a list")
        found: dict[int, Opinion] = {}
        for row in rows:
            number, opinion = self._opinion(row, count)
            if found.setdefault(number, opinion).verdict is not opinion.verdict:
                raise ShapeError(f"statement {number} has two verdicts; wanted one for each")
        return found

    def _opinion(self, row: Any, count: int) -> tuple[int, Opinion]:
        fields = row if isinstance(row, dict) else {}
        number, verdict = fields.get("number", 1 if count == 1 else None), fields.get("verdict")
        named = str(verdict).strip().casefold()
        if named not in _VERDICTS:
            raise ShapeError(f"the verdict is {one_line(repr(verdict), 60)}; wanted one of {', '.join(_VERDICTS)}")
        if type(number) is not int or not 0 < number <= count:
            raise ShapeError(f"the number is {one_line(repr(number), 60)}; wanted that of a statement, 1 to {count}")
        reason = fields.get("reason")
        told = one_line(reason, 300) if isinstance(reason, str) else ""
        return number, Opinion(self.id, Verdict(named), told or "no reason given")


def _line(number: int, statement: Statement) -> str:
    """JSON, so that no quote can look like the start of another one."""
    evidence = [dict(_evidence(citation)) for citation in statement.citations]
    return json.dumps({"number": number, "text": data(statement.text), "evidence": evidence}, ensure_ascii=False)


def _evidence(citation: Citation) -> Iterator[tuple[str, str | None]]:
    article = citation.article
    yield "quote", data(citation.quote)
    yield "title", data(article.title)
    yield "source", article.source and data(article.source)
    yield "date", str(article.published) if article.published else None
    if speaker := label(article.text, citation.start):
        yield "speaker", data(speaker)
