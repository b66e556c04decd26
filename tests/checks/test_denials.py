"""A denial right behind a claim: in answers it follows the claim, in checks of drafts it is noted."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_replies import said
from openai_server import OpenAIServer

import rag
from rag.checks.denials import is_denial
from rag.render.lines import check_lines
from rag.render.markdown import markdown
from rag.schema import Verdict

CLAIM = "The Solna Line let two ferries sail with broken pumps in January, the seamen's union said on Monday."
DENIAL = "The line's director, Hedda Brun, denied this."
REST = "Both ferries are in the yard now, where they will stay until April."
DRAFT = "The Solna Line let two ferries sail with broken pumps in January."


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> rag.Library:
    folder: Path = tmp_path_factory.mktemp("denials")
    head = "---\ntitle: Ferries in the yard\ndate: 2025-03-04\nsource: Harbour Post\n---\n"
    (folder / "ferries.md").write_text(f"{head}{CLAIM} {DENIAL} {REST}\n", encoding="utf-8")
    made = rag.Library(folder / "library", offline=True)
    made.add(folder / "ferries.md")
    return made


def test_an_answer_has_the_denial_behind_the_claim(library: rag.Library) -> None:
    answer = library.ask("How many ferries sailed with broken pumps?")
    assert [s.text for s in answer.statements] == [f"{CLAIM} {DENIAL}"]
    assert [c.quote for c in answer.citations] == [f"{CLAIM} {DENIAL}"]


def test_an_answer_that_is_the_denial_has_the_claim_before_it(library: rag.Library) -> None:
    answer = library.ask("What did Hedda Brun, the director of the line, deny?")
    assert all(s.text.startswith(CLAIM) for s in answer.statements if DENIAL in s.text)


def test_a_draft_that_tells_the_claim_has_a_note_and_keeps_its_verdict(library: rag.Library) -> None:
    found = library.check(DRAFT)
    note = f"the article adds: “{DENIAL}”"
    assert found.statements[0].verdict is Verdict.SUPPORTED
    assert f"    - {note}" in [line.text for line in check_lines(found)]
    assert f"    - {note}" in markdown(found)
    assert found.warnings == library.check(f"{DRAFT} The director of the line denied it.").warnings


def test_what_a_model_writes_has_the_denial_beside_it(
    library: rag.Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    wrote = said({"text": "Two ferries sailed with broken pumps.", "quotes": [{"passage": 1, "quote": CLAIM[:65]}]})
    with OpenAIServer(by=lambda _: wrote) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with rag.Library(library.path, model="local", judge="none") as writing:
            answer = writing.ask("How many ferries sailed with broken pumps?")
    assert answer.statements[0].verdict is Verdict.SUPPORTED
    assert answer.text == f"Two ferries sailed with broken pumps. [1] (the article adds: “{DENIAL}”)"
    assert "(the article adds: “The line's director" in markdown(answer)


@pytest.mark.parametrize(
    "draft",
    [
        f"{DRAFT} The director of the line denied it.",
        "The seamen's union says that two ferries sailed with broken pumps, which the director of the line denied.",
        REST,
    ],
)
def test_a_draft_that_tells_of_the_denial_has_no_note(library: rag.Library, draft: str) -> None:
    assert not any(statement.denied for statement in library.check(draft).statements)


@pytest.mark.parametrize(
    ("sentence", "denies"),
    [
        ("A spokeswoman for the yard, Pia Holm, denied it on Tuesday.", True),
        ("Holm disputes that, and points to the log.", True),
        ("Mr Sund rejected this as gossip.", True),
        ("She denied this.", False),
        ("The yard has not denied this.", False),
        ("The yard denied that the pumps were broken.", False),
        ("The union said so, but the yard denied it.", False),
    ],
)
def test_what_denies_the_sentence_before(sentence: str, denies: bool) -> None:
    assert is_denial(sentence) is denies
