"""Conversations that outlast the process, and what is written of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest

from rag.chat.commands import Talk
from rag.chat.conversation import Conversation
from rag.chat.effects import Answering, Effect, Paged, Shown
from rag.chat.sessions import Sessions
from rag.errors import InputError
from rag.library import Library
from rag.schema import Answer, Article, Precision, Published

HERAT = (
    "The Taliban captured the city of Herat on Thursday after two weeks of fighting. Governor Abdul Sabur Qani "
    "surrendered to the Taliban on Friday. Ismail Khan, who had led a militia in the defence of Herat, was detained. "
    "Ismail Khan said that the fall of Herat was a plot. Seventeen soldiers were killed in Herat, officials said."
)
KANDAHAR = (
    "The Taliban captured the city of Kandahar on Thursday night. Governor Rohullah Khanzada left the city for Kabul. "
    "Twenty-two soldiers were killed in Kandahar, a doctor said."
)
KILLED = "How many soldiers were killed in Herat?"


def article(id: str, title: str, text: str) -> Article:
    return Article(id, title, text, "", "Harirud Post", Published(date(2021, 8, 14), Precision.DAY))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cities") / "library"
    with Library(made, offline=True) as library:
        library.add(article("h", "Taliban enter Herat", HERAT), article("k", "Kandahar falls", KANDAHAR))
    return made


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path / "chats", lambda: datetime(2021, 8, 20, 12, tzinfo=UTC))


@pytest.fixture
def talks(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Conversation]]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    held = [Conversation(partial(opened, folder)) for _ in range(2)]
    yield held
    for conversation in held:
        conversation.library.close()


def opened(folder: Path, _: str | None) -> Library:
    return Library(folder, offline=True)


def answer(effect: Effect) -> Answer:
    assert isinstance(effect, Answering)
    *_, last = effect.events
    assert isinstance(last, Answer)
    return last


def text(effect: Effect) -> str:
    assert isinstance(effect, Shown | Paged)
    return "\n".join(line.text for line in effect.lines)


def test_follow_ups_after_an_answer_about_herat_resolve(talks: list[Conversation]) -> None:
    talk = Talk(talks[0])
    answer(talk.reply("When did the Taliban capture Herat?"))
    assert "Qani" in answer(talk.reply("And the governor?")).text
    talk.reply("/clear")
    answer(talk.reply(KILLED))
    assert "Twenty-two soldiers" in answer(talk.reply("What about Kandahar?")).text
    talk.reply("/clear")
    answer(talk.reply("Who led a militia in the defence of Herat?"))
    assert "was a plot" in answer(talk.reply("What did he say about it?")).text


def test_a_topic_limits_questions(talks: list[Conversation]) -> None:
    talk = Talk(talks[0])
    talk.reply("/topic Kandahar")
    found = answer(talk.reply("How many soldiers were killed?"))
    assert {hit.article.id for hit in found.hits} == {"k"}
    assert {c.article.id for c in (*found.citations, *found.nearest)} == {"k"}
    assert "Twenty-two" in found.text
    assert "only articles with all words of the topic “Kandahar” were read" in found.warnings
    talk.reply("/topic")
    assert {hit.article.id for hit in answer(talk.reply("How many soldiers were killed?")).hits} == {"h", "k"}
    assert "No article" not in text(talk.reply("/topic Kandahar"))
    assert "No article was found that has all these words" in text(talk.reply("/topic submarines"))


def test_a_chat_goes_on_where_it_ended(talks: list[Conversation], sessions: Sessions, tmp_path: Path) -> None:
    first = Talk(talks[0], sessions)
    before = answer(first.reply(KILLED))
    (file,) = (tmp_path / "chats").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    later = Sessions(tmp_path / "chats", lambda: datetime(2021, 8, 21, tzinfo=UTC))
    second = Talk(talks[1], later)
    second.resume(later)
    assert (talks[1].last.text, talks[1].last.citations) == (before.text, before.citations)
    assert "goes on after 1 question" in second.status()
    assert text(second.reply("/sources 1")) == text(first.reply("/sources 1"))
    assert "Twenty-two soldiers" in answer(second.reply("What about Kandahar?")).text
    assert [len(s.exchanges) for s in later.of(talks[1].library.name)] == [2]


def test_sessions_are_listed_searched_and_resumed(talks: list[Conversation], sessions: Sessions) -> None:
    talk = Talk(talks[0], sessions)
    answer(talk.reply(KILLED))
    talk.reply("/clear")
    answer(talk.reply("Who left Kandahar?"))
    assert text(talk.reply("/sessions")).count("2021-08-20 12:00") == 2
    (line,) = text(talk.reply("/sessions seventeen soldiers")).splitlines()
    assert KILLED in line
    assert text(talk.reply(f"/sessions {line[0]}")).startswith(f"> {KILLED}")
    assert [e.question for e in talks[0].exchanges] == [KILLED]
    with pytest.raises(InputError, match="there is no session 9; there are 2"):
        talk.reply("/sessions 9")


def test_what_was_undone_is_not_kept(talks: list[Conversation], sessions: Sessions) -> None:
    talk = Talk(talks[0], sessions)
    answer(talk.reply(KILLED))
    talk.reply("/undo")
    assert sessions.of(talks[0].library.name) == []
    with pytest.raises(InputError, match="no earlier chat"):
        talk.resume(sessions)


def test_a_damaged_file_is_no_session(talks: list[Conversation], sessions: Sessions, tmp_path: Path) -> None:
    answer(Talk(talks[0], sessions).reply(KILLED))
    (file,) = (tmp_path / "chats").iterdir()
    file.write_text(file.read_text().replace('"quote": "Seventeen', '"quote": "Eighteen, or seventeen'))
    (tmp_path / "chats" / "b.json").write_text('{"exchanges": [1]}')
    assert sessions.of(talks[0].library.name) == []


def test_articles_are_numbered_for_open(talks: list[Conversation]) -> None:
    talk = Talk(talks[0])
    listed = text(talk.reply("/articles")).splitlines()
    assert listed == [
        "a1 Taliban enter Herat — Harirud Post, 2021-08-14",
        "a2 Kandahar falls — Harirud Post, 2021-08-14",
    ]
    assert "Rohullah Khanzada" in text(talk.reply("/open a2"))
    with pytest.raises(InputError, match="there is no article a3; /articles lists a1 to a2"):
        talk.reply("/open a3")


def test_notes_number_their_footnotes_through(talks: list[Conversation], tmp_path: Path) -> None:
    talk = Talk(talks[0])
    first, second = answer(talk.reply(KILLED)), answer(talk.reply("Who left Kandahar for Kabul?"))
    talk.reply(f"/export {tmp_path / 'notes.md'}")
    notes = (tmp_path / "notes.md").read_text()
    numbers = range(1, len(first.citations) + len(second.citations) + 1)
    assert all(notes.count(f"[^{n}]: ") == 1 for n in numbers)
    assert f"## {KILLED}" in notes
    with pytest.raises(InputError, match="is there already"):
        talk.reply(f"/export {tmp_path / 'notes.md'}")


def test_what_is_saved_has_resolved_dates_and_limits(talks: list[Conversation], tmp_path: Path) -> None:
    talk = Talk(talks[0])
    talk.reply("/until 2021-08-15")
    found = answer(talk.reply("When did the Taliban capture Herat?"))
    assert found.statements[0].notes
    talk.reply(f"/save {tmp_path / 'talk.md'}")
    saved = (tmp_path / "talk.md").read_text()
    assert f"\\[{found.statements[0].notes[0].text}\\]" in saved
    assert "Only articles published up to 2021-08-15 were read." in saved
