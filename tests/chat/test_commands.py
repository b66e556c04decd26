"""The lines of a chat that start with a slash."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_replies import INVENTED, NAME, NOT_GIVEN, NUMBER, QUESTION, RIGHT, right, wrong
from openai_server import OpenAIServer, Request

from rag.chat.commands import Talk
from rag.chat.conversation import Conversation
from rag.chat.effects import Answering, Cleared, Effect, Left, Paged, Shown
from rag.errors import InputError, KeyRefusedError
from rag.library import Library
from rag.parts import OFFLINE
from rag.schema import Answer, Article, Status

SPOKE = "Who is the chief negotiator on behalf of the Taliban?"
NOTHING = "Who won the cricket match in Lahore?"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded") / "library"
    with Library(folder, offline=True) as library:
        library.add("seeds")
    return folder


@pytest.fixture
def conversation(seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Conversation]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    held = Conversation(partial(opened, seeded))
    yield held
    held.library.close()


@pytest.fixture
def talk(conversation: Conversation) -> Talk:
    return Talk(conversation)


def opened(folder: Path, model: str | None) -> Library:
    return Library(folder, model=None if model == OFFLINE else model, offline=model == OFFLINE)


def answer(effect: Effect) -> Answer:
    assert isinstance(effect, Answering)
    *_, last = effect.events
    assert isinstance(last, Answer)
    return last


def text(effect: Effect) -> str:
    assert isinstance(effect, Shown | Paged)
    return "\n".join(line.text for line in effect.lines)


def test_sources_shows_each_quote_and_one_of_them_in_its_passage(talk: Talk) -> None:
    found = answer(talk.reply(SPOKE))
    listed = text(talk.reply("/sources"))
    assert [f"[{c.number}]" for c in found.citations] == [line[:3] for line in listed.splitlines() if line[:1] == "["]
    assert all(f"“{c.quote}”" in listed for c in found.citations)
    shown = text(talk.reply("/sources 1", width=72)).splitlines()
    cited = " ".join(line.removeprefix("  > ") for line in shown if line.startswith("  > "))
    assert cited.startswith("In this dialogue, Sher Mohammad Abbas Stanikzai")
    assert cited.endswith("on behalf of the Taliban, speaks.")
    assert any(line.startswith("    Iranian Foreign Minister Javed Zarif") for line in shown)
    assert max(map(len, shown)) <= 72


def test_the_cited_span_stands_out_and_what_is_around_it_does_not(talk: Talk) -> None:
    answer(talk.reply(SPOKE))
    shown = talk.reply("/sources 1")
    assert isinstance(shown, Shown)
    assert {(line.strong, line.quiet) for line in shown.lines[1:]} == {(True, False), (False, True)}


def test_open_shows_the_whole_article(talk: Talk, conversation: Conversation) -> None:
    (article,) = conversation.library.articles()
    answer(talk.reply(SPOKE))
    shown = text(talk.reply("/open 1")).replace("  > ", "    ")
    assert "".join(article.text.split()) in "".join(shown.split())


def test_a_source_that_there_is_not_is_refused_with_those_that_there_are(talk: Talk) -> None:
    with pytest.raises(InputError, match="nothing was answered yet"):
        talk.reply("/sources")
    numbers = ", ".join(str(c.number) for c in answer(talk.reply(SPOKE)).citations)
    with pytest.raises(InputError, match=f"has no source 9; it has {numbers}$"):
        talk.reply("/sources 9")
    with pytest.raises(InputError, match="wanted its number"):
        talk.reply("/open first")


def test_a_passage_that_was_removed_meanwhile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    held = Conversation(partial(opened, tmp_path / "library"))
    with held.library as library:
        library.add(Article("a", "Herat", "An officer said that Herat fell to the Taliban on Thursday.", "0" * 64))
        answer(Talk(held).reply("What fell to the Taliban on Thursday?"))
        library.remove("a")
        with pytest.raises(InputError, match="changed or removed meanwhile"):
            Talk(held).reply("/sources 1")
        assert "Herat fell" in text(Talk(held).reply("/open 1"))


def test_why_tells_what_was_looked_for_found_and_checked(talk: Talk) -> None:
    answer(talk.reply(SPOKE))
    answer(talk.reply("And for the government?"))
    shown = text(talk.reply("/why"))
    assert f"looked for: And for the government? {SPOKE}" in shown
    assert "(dense 1, words" in shown
    assert "sentence 1 [1]: supported" in shown
    assert "ok, quote: On the other hand" in shown


def test_limits_hold_until_they_are_lifted(talk: Talk, conversation: Conversation) -> None:
    assert text(talk.reply("/as-of 2021-07-01")) == "Limits: as of 2021-07-01."
    assert answer(talk.reply(SPOKE)).as_of == date(2021, 7, 1)
    talk.reply("/since 2021-06")
    assert text(talk.reply("/until 2021-06")) == "Limits: as of 2021-07-01, since 2021-06-01, until 2021-06-30."
    with pytest.raises(InputError, match="since 2021-08-01 is after the last day"):
        talk.reply("/since 2021-08")
    for command in ("/as-of", "/since", "/until"):
        talk.reply(command)
    assert talk.status() == "1 article · made of the articles' own sentences"
    assert answer(talk.reply(SPOKE)).status is Status.ANSWERED


def test_an_outlet_that_no_article_is_from_is_refused(talk: Talk) -> None:
    with pytest.raises(InputError, match="no article is from 'TOLOnews'; no article names one"):
        talk.reply("/source TOLOnews")


def test_outlets_add_up_and_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    held = Conversation(partial(opened, tmp_path / "library"))
    with held.library as library:
        for id, source in (("a", "Khaama Press"), ("b", "TOLOnews")):
            library.add(Article(id, source, f"{source} has it that Herat fell.", id * 64, source=source))
        talk = Talk(held)
        assert talk.completions("/source kh") == [("/source Khaama Press", "")]
        talk.reply("/source tolonews")
        assert text(talk.reply("/source Khaama Press")) == "Limits: only TOLOnews or Khaama Press."
        assert text(talk.reply("/source")) == "Limits: none."


def test_undo_forgets_one_answer_and_clear_all_of_them(talk: Talk, conversation: Conversation) -> None:
    answer(talk.reply(SPOKE))
    answer(talk.reply(NOTHING))
    assert text(talk.reply("/undo")) == f"Forgot: {NOTHING}"
    assert [exchange.question for exchange in conversation.exchanges] == [SPOKE]
    assert isinstance(talk.reply("/clear"), Cleared)
    assert conversation.exchanges == ()
    with pytest.raises(InputError, match="nothing to undo"):
        talk.reply("/undo")


def test_retry_asks_again_within_the_limits_of_now(talk: Talk, conversation: Conversation) -> None:
    with pytest.raises(InputError, match="nothing was asked yet"):
        talk.reply("/retry")
    answer(talk.reply(SPOKE))
    talk.reply("/as-of 2021-07-01")
    assert answer(talk.reply("/retry")).status is Status.ABSTAINED
    assert len(conversation.exchanges) == 1


def test_a_retry_that_is_stopped_leaves_the_answer_that_there_was(talk: Talk, conversation: Conversation) -> None:
    first = answer(talk.reply(SPOKE))
    again = talk.reply("/retry")
    assert isinstance(again, Answering)
    next(again.events)  # and then Ctrl-C
    assert conversation.last is first
    assert answer(talk.reply("/retry")) is conversation.last
    assert len(conversation.exchanges) == 1


def test_retry_asks_the_model_anew_where_a_reply_was_kept(
    seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with OpenAIServer(by=right) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        held = Conversation(partial(opened, seeded))
        with held.library:
            answer(Talk(held).reply(QUESTION))
            answer(Talk(held).reply(QUESTION))
            assert len(server.requests) == 1
            answer(Talk(held).reply("/retry"))
    assert len(server.requests) == 2
    assert held.usage.input_tokens > 0


def test_the_model_can_be_changed(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert text(talk.reply("/model")) == "Answers are made of the articles' own sentences."
    with pytest.raises(KeyRefusedError, match="needs a key"):
        talk.reply("/model gpt-5-mini")
    assert answer(talk.reply(QUESTION)).mode == "offline"
    with OpenAIServer(by=right) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert text(talk.reply("/model local")) == "Answers are written by openai:local."
        talk.reply("/clear")
        written = answer(talk.reply(QUESTION))
        assert (written.mode, written.statements[0].text) == ("llm", RIGHT)
        assert "openai:local" in talk.status()
        assert f"{written.usage.input_tokens:,} tokens in" in text(talk.reply("/usage"))
        talk.reply("/model offline")
        assert answer(talk.reply(QUESTION)).mode == "offline"
        assert len(server.requests) == 1


def test_a_conversation_is_saved_with_its_sources(talk: Talk, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to save"):
        talk.reply("/save x.md")
    answer(talk.reply(SPOKE))
    answer(talk.reply(NOTHING))
    file = tmp_path / "talks.md"
    assert text(talk.reply(f"/save {file}")) == f"Saved {file}."
    saved = file.read_text(encoding="utf-8")
    assert saved.startswith(f"## 1. {SPOKE}\n\nIn this dialogue, Sher Mohammad Abbas Stanikzai")
    assert "speaks. \\[1\\]\n" in saved
    assert "- \\[1\\] “In this dialogue" in saved
    assert f"## 2. {NOTHING}\n\n*The articles do not answer this question.*\n" in saved
    with pytest.raises(InputError, match="is there already"):
        talk.reply(f"/save {file}")
    with pytest.raises(InputError, match="cannot be written"):
        talk.reply(f"/save {tmp_path / 'no' / 'talks.md'}")


def test_what_failed_its_check_is_saved_as_failed_and_markup_as_text(
    seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with OpenAIServer(by=wrong) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        held = Conversation(partial(opened, seeded))
        with held.library:
            answer(Talk(held).reply(QUESTION))
            answer(Talk(held).reply("Who is <script>alert(1)</script> *Zarif*?"))
            Talk(held).reply(f"/save {tmp_path / 'talks.md'}")
    saved = (tmp_path / "talks.md").read_text(encoding="utf-8")
    assert saved.count("**(contradicted by what it cites)**") >= 2
    assert saved.count("**(not supported by what it cites)**") >= 2
    assert "Who is \\<script\\>alert(1)\\</script\\> \\*Zarif\\*?" in saved


def test_a_picture_shows_what_the_terminal_showed_and_needs_nothing_from_elsewhere(talk: Talk, tmp_path: Path) -> None:
    answer(talk.reply(SPOKE))
    talk.reply(f"/save {tmp_path / 'talks.svg'}")
    saved = (tmp_path / "talks.svg").read_text(encoding="utf-8")
    shown = "".join(ElementTree.fromstring(saved).itertext()).replace("\xa0", " ")
    assert f"> {SPOKE}" in shown
    assert "Sher Mohammad Abbas Stanikzai" in shown
    assert "url(http" not in saved
    assert "href" not in saved


def test_help_lists_every_command_and_fits_the_width(talk: Talk) -> None:
    shown = text(talk.reply("/help", width=60)).splitlines()
    assert max(map(len, shown)) <= 60
    for name in ("/sources [N]", "/open N", "/why", "/as-of [DATE]", "/save FILE", "/quit"):
        assert any(line.startswith(name) for line in shown)


def test_an_unknown_command_is_no_question(talk: Talk) -> None:
    with pytest.raises(InputError, match="there is no command /sorces; did you mean /sources"):
        talk.reply("/sorces 1")
    with pytest.raises(InputError, match="/help lists them"):
        talk.reply("/xyzzy")


def test_quit_leaves(talk: Talk) -> None:
    assert isinstance(talk.reply("/quit"), Left)


def test_what_is_marked_stays_in_what_the_next_question_builds_on(
    seeded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    asked: list[str] = []

    def reply(request: Request) -> str:
        asked.append(str(request.messages[-1]["content"]))
        return json.dumps({"question": QUESTION}) if "Last question:" in asked[-1] else wrong(request)

    with OpenAIServer(by=reply) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        held = Conversation(partial(opened, seeded))
        with held.library:
            answer(Talk(held).reply(QUESTION))
            answer(Talk(held).reply("And when?"))
    (rewriting,) = (text for text in asked if "Last question:" in text)
    assert RIGHT in rewriting
    assert all(text in rewriting for text in (NUMBER, NAME, NOT_GIVEN, INVENTED))
