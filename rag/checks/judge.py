"""Asks a language model for a second opinion on statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from rag.errors import KeyRefusedError, ModelError, NoModelError, ReplyError
from rag.models.chat import ModelChoice
from rag.models.client import JsonModel
from rag.models.prompts import fence, load_prompt
from rag.schema import Citation, Opinion, Statement, Verdict
from rag.text.clean import clean, one_line

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_VERDICTS = (Verdict.SUPPORTED, Verdict.UNSUPPORTED, Verdict.CONTRADICTED)
_SCHEMA = {
    "type": "object",
    "properties": {"reason": {"type": "string"}, "verdict": {"type": "string", "enum": list(_VERDICTS)}},
    "required": ["reason", "verdict"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quote, and the article that it is from."""

    quote: str
    title: str
    source: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement, and what it cites."""

    text: str
    evidence: tuple[Evidence, ...]


def evidence(citation: Citation) -> Evidence:
    """A citation as evidence."""
    article = citation.article
    return Evidence(
        citation.quote, article.title, article.source, str(article.published) if article.published else None
    )


class Judge:
    """Gives opinions on statements by one model; `concurrency` is how many it is asked for at once.

    A reply that cannot be used is asked for once more. What fails then is UNCHECKED with what failed, never a pass.
    """

    def __init__(self, model: BaseChatModel, choice: ModelChoice, *, concurrency: int = 4) -> None:
        self._id = choice.id
        self._concurrency = concurrency
        self._model = JsonModel(model, choice, _SCHEMA)
        self._prompt = load_prompt("verify", "evidence", "fence", "problem", "statement").template

    def opinion(self, text: str, evidence: Sequence[Evidence], *, mark: str | None = None) -> Opinion:
        """Whether the evidence shows the statement; `mark` is the line to fence both in, by default of their digest.

        Raises KeyRefusedError and NoModelError, which would be the same for any statement.
        """
        if not evidence:
            return Opinion(self._id, Verdict.UNCHECKED, "nothing is cited")
        statement, lines = _on_one_line(text), [_line(n, item) for n, item in enumerate(evidence, start=1)]
        mark = mark or fence(statement, *lines)
        inputs = {"fence": mark, "statement": statement, "evidence": "\n".join(lines)}
        try:
            return self._asked(inputs)
        except (KeyRefusedError, NoModelError):
            raise
        except ModelError as error:
            return Opinion(self._id, Verdict.UNCHECKED, one_line(str(error)))

    def opinions(self, claims: Sequence[Claim]) -> list[Opinion]:
        """The opinion on each; when the key is refused, those that were not asked for yet are not."""
        from langchain_core.runnables import RunnableLambda

        asking: RunnableLambda[Claim, Opinion] = RunnableLambda(lambda claim: self.opinion(claim.text, claim.evidence))
        return asking.batch(list(claims), {"max_concurrency": self._concurrency})

    def judged(self, statements: Sequence[Statement]) -> tuple[Statement, ...]:
        """The statements, each with the opinion on it."""
        claims = [Claim(s.text, tuple(evidence(c) for c in s.citations)) for s in statements]
        found = zip(statements, self.opinions(claims), strict=True)
        return tuple(replace(statement, opinion=opinion) for statement, opinion in found)

    def _asked(self, inputs: dict[str, str]) -> Opinion:
        try:
            return self._read(inputs | {"problem": "nothing"})
        except ReplyError as error:
            return self._read(inputs | {"problem": str(error)})

    def _read(self, inputs: dict[str, str]) -> Opinion:
        reply: dict[str, Any] = self._model.ask(self._prompt.invoke(inputs))
        verdict, reason = reply.get("verdict"), reply.get("reason")
        if verdict not in _VERDICTS:
            raise ReplyError(f"the verdict is {_told(verdict)}; wanted one of {', '.join(_VERDICTS)}")
        told = one_line(reason, 300) if isinstance(reason, str) else ""
        if not told:
            raise ReplyError(f"the reason is {_told(reason)}; wanted one short sentence")
        return Opinion(self._id, Verdict(verdict), told)


def _line(number: int, item: Evidence) -> str:
    """JSON, so that no quote can look like the start of another one."""
    fields = {name: value and _on_one_line(value) for name, value in asdict(item).items()}
    return json.dumps({"number": number} | fields, ensure_ascii=False)


def _on_one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _told(value: object) -> str:
    return one_line(repr(value), 60)
