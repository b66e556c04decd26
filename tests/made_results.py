"""Cases and results made by hand, for the tests of what is worked out from them."""

from __future__ import annotations

from typing import Any

from rag.evaluation.cases import Claim, QaCase
from rag.evaluation.results import CheckedStatement, Result
from rag.schema import Status, Verdict

TEN = Claim("Ten soldiers fled.", (("ten", "10"), ("soldiers",)))
CLOSED = Claim("The road was closed.", (("closed", "shut"),), vital=False)


def qa(**fields: Any) -> QaCase:
    given = {"id": "c", "question": "How many fled?", "answerable": True, "claims": (TEN, CLOSED)}
    return QaCase(**given | fields)


def said(text: str, *cites: int, **fields: Any) -> CheckedStatement:
    given: dict[str, Any] = {"verdict": Verdict.SUPPORTED, "speaker": None, "outlets": 1, "checks": ()}
    given |= {"entailed": True, "needed": (True,) * len(cites)}
    return CheckedStatement(text=text, shown=text, cites=cites, **given | fields)


def answered(*statements: CheckedStatement, **fields: Any) -> Result:
    given: dict[str, Any] = {"text": " ".join(s.text for s in statements), "status": Status.ANSWERED}
    return Result("c", statements=statements, **given | fields)
