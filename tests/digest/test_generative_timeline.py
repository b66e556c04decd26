"""Timelines that a language model words: its dates and citations are the program's, and what fails is not shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai_server import OpenAIServer, Reply, Request, failing
from typer.testing import CliRunner, Result

from rag.cli.app import app
from rag.digest import generative
from rag.errors import InputError
from rag.ingest.metadata import article
from rag.library import Library
from rag.models.budget import Terms
from rag.schema import Verdict

FLED = "Around 1,000 Afghan soldiers fled to Tajikistan on Monday."
CLOSED = "Russia closed its consulate in Mazar-i-Sharif on Tuesday."
TOLD = {
    "Around 1,000": "Around 1,000 Afghan soldiers fled to Tajikistan.",
    "Russia": "Russia closed its consulate in Mazar-i-Sharif.",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "library"))
    with Library(tmp_path / "library", offline=True) as library:
        library.add(article(f"{FLED}\n\n{CLOSED}", id="news", published="2021-07-07", source="Pamir Wire"))
    return tmp_path / "library"


def events(request: Request) -> list[dict[str, Any]]:
    lines = request.messages[-1]["content"].splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def says(text: Callable[[dict[str, Any]], str]) -> Callable[[Request], str]:
    """A model that tells each event by what `text` makes of it."""

    def reply(request: Request) -> str:
        return json.dumps({"events": [{"number": e["number"], "text": text(e)} for e in events(request)]})

    return reply


def shorter(event: dict[str, Any]) -> str:
    return next(told for start, told in TOLD.items() if event["quotes"][0]["quote"].startswith(start))


def run(server: OpenAIServer, *arguments: str) -> Result:
    env = {"OPENAI_BASE_URL": server.url, "RAG_MODEL": "writer"}
    return CliRunner().invoke(app, ["timeline", *arguments], env=env)


def test_the_model_words_events_whose_dates_and_citations_stay(home: Path) -> None:
    with OpenAIServer(by=says(shorter)) as server:
        found = json.loads(run(server, "--json").stdout)
        (asked,) = server.requests
    assert [e["date"] for e in events(asked)] == ["2021-07-05", "2021-07-06"]
    assert events(asked)[0]["quotes"] == [{"quote": FLED, "source": "Pamir Wire", "published": "2021-07-07"}]
    told = [(event["date"], event["statement"]["text"], event["statement"]["verdict"]) for event in found["events"]]
    assert told == [("2021-07-05", TOLD["Around 1,000"], "supported"), ("2021-07-06", TOLD["Russia"], "supported")]
    assert [citation["quote"] for citation in found["citations"]] == [FLED, CLOSED]
    assert (found["mode"], found["model"], found["warnings"]) == ("llm", "openai:writer", [])
    assert found["usage"]["input_tokens"] > 0


def test_what_fails_its_check_is_left_out_for_the_articles_own_words(home: Path) -> None:
    with OpenAIServer(by=says(lambda e: shorter(e).replace("1,000", "1,500"))) as server:
        found = run(server)
    assert "1,500" not in found.stdout
    assert "Around 1,000 Afghan soldiers fled to Tajikistan on Monday" in found.stdout
    assert "1 of 2 events are in an article's own words" in found.stderr


def test_another_date_in_a_sentence_fails_its_check(home: Path) -> None:
    with OpenAIServer(by=says(lambda e: f"On 9 July {shorter(e)}")) as server:
        found = json.loads(run(server, "--json").stdout)
    assert [event["statement"]["text"] for event in found["events"]] == [FLED, CLOSED]


def test_a_date_of_the_article_that_is_not_that_of_the_event_fails_its_check(home: Path) -> None:
    text = "Gunmen who robbed the bank of Marsa on 12 June were caught on Monday."
    with Library(home, offline=True) as library:
        library.remove("news")
        library.add(article(text, id="bank", published="2021-07-07", source="Pamir Wire"))
    with OpenAIServer(by=says(lambda _: "Gunmen robbed the bank of Marsa on 12 June.")) as server:
        found = json.loads(run(server, "--json", "--max-events", "1").stdout)
    (event,) = found["events"]
    assert (event["date"], event["statement"]["text"]) == ("2021-07-05", text)


@pytest.mark.parametrize(
    "bad",
    [
        "no JSON",
        '{"events": []}',
        '{"events": [{"number": 1, "text": "Ten fled."}, {"number": 1, "text": "Ten fled."}]}',
        '{"events": [{"number": 1, "text": "Ten fled."}, {"number": 2, "text": " "}]}',
        '{"events": [{"number": [1], "text": "Ten fled."}, {"number": {}, "text": "Ten fled."}]}',
    ],
)
def test_a_reply_that_is_not_what_was_asked_for_is_asked_for_once_more(home: Path, bad: str) -> None:
    replies: Iterator[Callable[[Request], str]] = iter([lambda _: bad, says(shorter)])

    def by(request: Request) -> str:
        return next(replies)(request)

    with OpenAIServer(by=by) as server:
        found = json.loads(run(server, "--json").stdout)
    assert found["mode"] == "llm"
    assert found["events"][0]["statement"]["text"] == TOLD["Around 1,000"]


def fails(_: Request) -> Reply:
    return failing(500)


def test_if_the_model_fails_the_events_are_the_articles_own_with_a_warning(home: Path) -> None:
    with OpenAIServer(by=fails) as server:
        found = run(server)
        strict = run(server, "--strict")
    assert FLED[:-1] in found.stdout
    assert found.exit_code == 0
    assert "articles' own sentences" in found.stderr
    assert strict.exit_code not in (0, 9)


def test_a_timeline_that_was_told_is_not_asked_for_again(home: Path) -> None:
    with OpenAIServer(by=says(shorter)) as server:
        first, second = run(server).stdout, run(server).stdout
        third = run(server, "--no-cache").stdout
        assert len(server.requests) == 2
    assert first == second == third


def test_many_events_are_told_in_groups_that_are_asked_for_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generative, "MOST_EVENTS", 1)
    seen: list[tuple[int, int]] = []
    with OpenAIServer(by=says(shorter)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(home, model="writer") as library:
            found = library.timeline(progress=lambda done, total, _: seen.append((done, total)))
        assert len(server.requests) == 2
    assert [event.statement.verdict for event in found.events] == [Verdict.SUPPORTED] * 2
    assert seen[-1] == (2, 2)


def test_what_would_take_too_much_is_not_asked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with Library(home, model="writer", terms=Terms(max_tokens=100)) as library, pytest.raises(InputError):
            library.timeline()


def test_offline_no_model_is_asked(home: Path) -> None:
    with OpenAIServer() as server:
        found = json.loads(run(server, "--offline", "--json").stdout)
    assert (found["mode"], found["model"]) == ("offline", None)
