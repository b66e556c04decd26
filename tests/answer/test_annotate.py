"""Editorial marks and outlets of what a language model writes, through a Library and a server on the loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openai_server import OpenAIServer, Request

from rag.ingest.metadata import article
from rag.library import Library
from rag.render.lines import answer_lines
from rag.schema import Answer, Article, Verdict

QUESTION = "How many soldiers fled over the bridge of Kunduz?"


def told(id: str, text: str, published: str = "2021-08-10") -> Article:
    return article(text, id=id, title=f"Bridge of Kunduz, by {id}", source=id, published=published)


WIRE = told(
    "Wire",
    "Some 300 soldiers fled over the bridge of Kunduz on Sunday, officers said. General Omar Stanak led them. "
    "He said on Monday that the bridge of Kunduz would be held.",
)
FLED = "Some 300 soldiers fled over the bridge of Kunduz on Sunday, officers said."
HELD = "He said on Monday that the bridge of Kunduz would be held."
POST = told("Post", f"{FLED} A reporter of this paper saw boots and rifles on the bank, and heard shots.", "2021-08-11")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("OPENAI_API_KEY", "RAG_MODEL", "RAG_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    with Library(tmp_path / "library", offline=True) as made:
        made.add(WIRE, POST)
    return tmp_path / "library"


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, *quotes: str) -> Answer:
    """The answer of a model that states a text by quotes."""

    def reply(request: Request) -> str:
        lines = request.messages[-1]["content"].splitlines()
        wire = next(i for i, line in enumerate(lines) if "by Wire | Wire" in line)
        places = [next(i for i, line in enumerate(lines) if i > wire and quote in line) for quote in quotes]
        numbers = [int(lines[place - 1].split("]")[0].removeprefix("[")) for place in places]
        cited = [{"passage": n, "quote": quote} for n, quote in zip(numbers, quotes, strict=True)]
        return json.dumps({"answered": "yes", "statements": [{"text": text, "quotes": cited}], "missing": ""})

    with OpenAIServer(by=reply) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(folder, model="local") as library:
            return library.ask(QUESTION)


def test_a_relative_date_that_a_model_takes_over_is_marked_outside_of_its_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "About 300 soldiers fled on Sunday over the bridge of Kunduz, officers said."
    answer = written(folder, monkeypatch, text, FLED)
    (statement,) = answer.statements
    assert (statement.text, statement.verdict) == (text, Verdict.SUPPORTED)
    assert statement.shown == text.replace("on Sunday", "on Sunday [8 August 2021]")
    assert answer.to_dict()["statements"][0]["notes"] == [{"at": text.index(" over"), "text": "8 August 2021"}]
    assert "on Sunday [8 August 2021] over" in next(answer_lines(answer)).text


def test_a_day_that_the_model_worked_out_itself_is_not_marked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "About 300 soldiers fled on Sunday, 8 August, over the bridge of Kunduz, officers said."
    (statement,) = written(folder, monkeypatch, text, FLED).statements
    assert (statement.verdict, statement.notes) == (Verdict.SUPPORTED, ())


def test_a_relative_date_that_is_not_in_what_is_cited_is_not_marked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (statement,) = written(
        folder, monkeypatch, "About 300 soldiers fled on Tuesday over the bridge of Kunduz, officers said.", FLED
    ).statements
    assert (statement.verdict, statement.notes) == (Verdict.CONTRADICTED, ())


def test_a_pronoun_that_speaks_is_marked_with_the_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (statement,) = written(folder, monkeypatch, "He said that the bridge of Kunduz would be held.", HELD).statements
    assert statement.shown == "He [Omar Stanak] said that the bridge of Kunduz would be held."


def test_the_outlets_that_report_it_independently_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = written(folder, monkeypatch, "About 300 soldiers fled over the bridge of Kunduz.", FLED)
    assert answer.statements[0].outlets == ("Wire", "Post")
    assert "reported by 2 independent outlets" in answer.text
