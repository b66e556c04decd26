"""A change for the worse misses a gate: each of these puts one into the program, and runs a set through `rag eval`.

That none is missed as it stands `.ci/run` shows by all the gates, and one of these by one set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import rag
from rag.answer import extractive
from rag.checks import verify
from rag.library import Library
from rag.schema import Answer, Check, Citation, Statement
from rag.store import filters

EVALS = Path(__file__).parents[2] / "evals"
GATES = EVALS / "gates.toml"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return filled(tmp_path_factory.mktemp("seeded"), EVALS.parent / "seeds")


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return filled(tmp_path_factory.mktemp("news"), EVALS / "corpora" / "afghanistan-2021")


def filled(folder: Path, articles: Path) -> Library:
    library = Library(folder / "library", offline=True)
    library.add(articles)
    return library


def missed(library: Library, *sets: str) -> str:
    """The gates that the sets miss, a line each."""
    paths = [EVALS / "sets" / f"{name}.jsonl" for name in sets]
    return "\n".join(rag.evaluate(paths, library).failures(GATES))


@pytest.fixture(scope="module")
def ask() -> Callable[..., Answer]:
    """`Library.ask`, which answers a question only once."""
    asked, answers = Library.ask, dict[str, Answer]()

    def answer(library: Library, *given: Any, **more: Any) -> Answer:
        key = repr((library.path, given, sorted(more.items())))
        if key not in answers:
            answers[key] = asked(library, *given, **more)
        return answers[key]

    return answer


def test_as_it_stands_no_gate_of_the_seeds_is_missed(
    seeded: Library, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Answer]
) -> None:
    monkeypatch.setattr(Library, "ask", ask)
    assert missed(seeded, "smoke") == ""


def test_an_answer_to_everything_is_caught(seeded: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractive, "LIKELY", 0.0)
    found = missed(seeded, "smoke")
    assert "smoke: abstention_recall is" in found
    assert "smoke: wrong_answers is" in found


def test_a_checker_without_numbers_is_caught(news: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = verify.compare

    def blind(*given: Any, **more: Any) -> Iterator[Check]:
        return (check for check in compare(*given, **more) if check.kind != "number")

    monkeypatch.setattr(verify, "compare", blind)
    assert "checks: facts_caught is" in missed(news, "checks")


def test_a_window_that_lets_later_days_in_is_caught(news: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "day_number", lambda _: 99991231)
    found = missed(news, "as_of")
    assert "as_of: leaks is" in found
    assert "as_of: right_cases is" in found


def by_a_sentence(answer: Answer) -> Answer:
    """Each citation is of as many characters further on in its article."""
    return replace(answer, statements=tuple(_moved(s) for s in answer.statements))


def _moved(statement: Statement) -> Statement:
    return replace(statement, citations=tuple(_further(c) for c in statement.citations))


def _further(citation: Citation) -> Citation:
    text, length = citation.article.text, citation.end - citation.start
    start = citation.end if citation.end + length <= len(text) else 0
    return replace(citation, start=start, end=start + length, quote=text[start : start + length], answer=None)


@pytest.mark.parametrize("shift", [by_a_sentence])
def test_citations_that_are_shifted_by_one_are_caught(
    seeded: Library, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Answer], shift: Callable[[Answer], Answer]
) -> None:
    monkeypatch.setattr(Library, "ask", lambda self, *given, **more: shift(ask(self, *given, **more)))
    found = missed(seeded, "smoke")
    assert "smoke: citation_recall is" in found


def test_a_quote_that_does_not_stand_where_it_says_is_caught(
    seeded: Library, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Answer]
) -> None:
    def moved(self: Library, *given: Any, **more: Any) -> Answer:
        answer = ask(self, *given, **more)
        return replace(answer, citations=tuple(_elsewhere(c) for c in answer.citations))

    monkeypatch.setattr(Library, "ask", moved)
    assert "smoke: valid_citations is" in missed(seeded, "smoke")


def _elsewhere(citation: Citation) -> Citation:
    """The quote one character further on, in an article that has one more in front; the library has none such."""
    article = replace(citation.article, text=f" {citation.article.text}")
    return replace(citation, article=article, start=citation.start + 1, end=citation.end + 1, answer=None)
