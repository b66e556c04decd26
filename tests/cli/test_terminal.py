"""`rag chat`, as whoever is at the terminal or at the other end of a pipe sees it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import command
from made_replies import INVENTED, NAME, NOT_GIVEN, NUMBER, QUESTION, RIGHT, right, wrong
from openai_server import OpenAIServer, Reply, Request
from terminal import ALT_ENTER, CTRL_C, CTRL_D, ENTER, TAB, Terminal, home

from rag.cli.terminal import GREETING, STOPPED
from rag.library import Library

SPOKE = "Who is the chief negotiator on behalf of the Taliban?"
STANIKZAI = "In this dialogue, Sher Mohammad Abbas Stanikzai, the chief negotiator on behalf of the Taliban, speaks."
ORIGIN = "Iran said an Afghan government delegation met with the Taliban, 2021-07-07"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded") / "library"
    with Library(folder, offline=True) as library:
        library.add("seeds")
    return folder


@pytest.fixture
def env(seeded: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    yield home(tmp_path) | {"RAG_HOME": str(seeded)}
    for reply in seeded.glob("replies/*"):
        reply.unlink()


def piped(env: dict[str, str], *lines: str, arguments: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    text, chat = "\n".join(lines) + "\n", [*command(), "chat", *arguments]
    return subprocess.run(chat, input=text, capture_output=True, text=True, env=os.environ | env, check=False)


def replies(found: subprocess.CompletedProcess[str]) -> list[str]:
    """What was printed for each line; an answer with sources has a blank line inside."""
    return [part for part in found.stdout.split("\n\n") if part.strip()]


def test_a_conversation_in_a_terminal_reads_as_it_should(env: dict[str, str]) -> None:
    with Terminal("chat", env=env | {"NO_COLOR": "1"}) as terminal:
        terminal.wait_for_prompt(1)
        terminal.type(f"{SPOKE}{ENTER}")
        terminal.wait_for_prompt(2)
        terminal.type(f"And for the government?{ENTER}")
        terminal.wait_for_prompt(3)
        terminal.type(f"/as-of 2021-07-01{ENTER}")
        terminal.wait_for_prompt(4)
        assert terminal.foot == "1 article · made of the articles' own sentences · as of 2021-07-01"
        terminal.type(f"When?{ENTER}")
        shown = terminal.wait_for_prompt(5)
        terminal.type(CTRL_D)
        assert terminal.wait_for_end() == 0
    for_taliban = (
        "In this dialogue, Sher Mohammad Abbas Stanikzai, the chief negotiator on behalf\n"
        "of the Taliban, speaks. [1]\n\n"
        f"[1] {ORIGIN}\n\n"
    )
    for_government = (
        "On the other hand, former Vice President Younis is involved in legal\n"
        "negotiations on behalf of the Afghan government. [1]\n\n"
        f"[1] {ORIGIN}\n\n"
    )
    assert shown == (
        f"{GREETING}\n"
        f"> {SPOKE}\n{for_taliban}"
        f"> And for the government?\n{for_government}"
        "> /as-of 2021-07-01\nLimits: as of 2021-07-01.\n\n"
        "> When?\nNo article within the given dates and sources answers this question.\n"
        "Only articles published up to 2021-07-01 were read.\n\n>"
    )


@pytest.mark.slow
def test_what_is_typed_before_the_program_is_loaded_is_not_lost(env: dict[str, str]) -> None:
    with Terminal("chat", env=env) as terminal:
        terminal.type(f"{SPOKE}{ENTER}")
        assert "Stanikzai" in terminal.wait_for("[1]")


@pytest.mark.slow
def test_the_four_errors_of_a_model_are_marked_and_coloured(env: dict[str, str]) -> None:
    with OpenAIServer(by=wrong) as server:
        model = {"OPENAI_BASE_URL": server.url, "RAG_MODEL": "local"}
        with Terminal("chat", columns=140, env=env | model) as terminal:
            terminal.wait_for_prompt(1)
            terminal.type(QUESTION + ENTER)
            shown = " ".join(terminal.wait_for_prompt(2).split())
            colors = [terminal.colors_of(text) for text in (RIGHT, NUMBER, NAME, NOT_GIVEN, INVENTED)]
    assert f"{RIGHT} [1] {NUMBER} [1] (contradicted by what it cites)" in shown
    assert f"{NAME} [2] (contradicted by what it cites)" in shown
    assert f"{NOT_GIVEN} (not supported by what it cites)" in shown
    assert f"{INVENTED} (not supported by what it cites) - it cites nothing" in shown
    assert colors == [{"default"}, {"red"}, {"red"}, {"brown"}, {"brown"}]
    assert "Note: 2 of 5 statements contradicted by what is cited" in shown


@pytest.mark.slow
def test_ctrl_c_stops_an_answer_and_keeps_the_session(env: dict[str, str]) -> None:
    slow = iter([Reply("never", delay=600)])
    with OpenAIServer(by=lambda request: next(slow, right(request))) as server:
        model = {"OPENAI_BASE_URL": server.url, "RAG_MODEL": "local"}
        with Terminal("chat", columns=120, env=env | model) as terminal:
            terminal.wait_for_prompt(1)
            terminal.type(QUESTION + ENTER)
            terminal.wait_for("reading")
            while not server.requests:
                terminal.wait_for("reading")
            terminal.type(CTRL_C)
            terminal.wait_for(STOPPED)
            terminal.wait_for_prompt(2)
            terminal.type(f"/retry{ENTER}")
            assert f"{RIGHT} [1]" in terminal.wait_for_prompt(3)
            server.closing.set()


@pytest.mark.slow
def test_ctrl_c_at_the_prompt_gives_up_the_line_only(env: dict[str, str]) -> None:
    with Terminal("chat", env=env) as terminal:
        terminal.wait_for_prompt(1)
        terminal.type("Who cares")
        terminal.wait_for("Who cares")
        terminal.type(CTRL_C)
        terminal.wait_for_prompt(2)
        terminal.type(f"/quit{ENTER}")
        assert terminal.wait_for_end() == 0


@pytest.mark.slow
def test_a_question_may_have_several_lines(env: dict[str, str]) -> None:
    with Terminal("chat", env=env) as terminal:
        terminal.wait_for_prompt(1)
        terminal.type(f"Who spoke{ALT_ENTER}for the Taliban\\{ENTER}in Tehran?{ENTER}")
        shown = terminal.wait_for("[1]")
    assert "> Who spoke\n  for the Taliban\n  in Tehran?\n" in shown


@pytest.mark.slow
def test_commands_are_completed(env: dict[str, str]) -> None:
    with Terminal("chat", env=env) as terminal:
        terminal.wait_for_prompt(1)
        terminal.type("/us")
        terminal.wait_for("the tokens and what they cost")
        terminal.type(f"{TAB}{ENTER}")
        terminal.wait_for("> /usage")
        assert "This chat: 0 tokens in" in terminal.wait_for_prompt(2)


@pytest.mark.slow
def test_the_lines_of_earlier_chats_come_back_and_are_the_users_alone(env: dict[str, str]) -> None:
    with Terminal("chat", env=env) as terminal:
        terminal.wait_for_prompt(1)
        terminal.type(f"/topic Doha talks{ENTER}")
        terminal.wait_for_prompt(2)
        terminal.type(CTRL_D)
        terminal.wait_for_end()
    (kept,) = Path(env["XDG_STATE_HOME"]).rglob("history")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with Terminal("chat", env=env) as terminal:
        terminal.wait_for_prompt(1)
        terminal.type("\x1b[A")
        terminal.wait_for("> /topic Doha talks")


@pytest.mark.slow
def test_an_article_that_another_process_adds_is_seen(env: dict[str, str], tmp_path: Path) -> None:
    article = tmp_path / "herat.txt"
    article.write_text("date 2021-08-12\n\nHerat fell\n\nAn officer said that Herat fell to the Taliban on Thursday.\n")
    library = tmp_path / "library"
    with Terminal("chat", "--library", str(library), env=env) as terminal:
        terminal.wait_for("no articles yet")
        terminal.type(f"Did Herat fall to the Taliban?{ENTER}")
        terminal.wait_for("has no")
        with Library(library, offline=True) as other:
            other.add(article)
        terminal.wait_for("1 article")
        terminal.type(f"/retry{ENTER}")
        assert "An officer said that Herat fell" in terminal.wait_for("[1]")


@pytest.mark.slow
def test_wide_and_right_to_left_text_fits_into_60_columns(env: dict[str, str], tmp_path: Path) -> None:
    chinese = "外交部发言人赵立坚星期三在北京说中方支持阿富汗各方举行和平谈判 Zhao Lijian said in Beijing."
    arabic = "قال المتحدث باسم طالبان سهيل شاهين إن المحادثات في الدوحة ستستمر Suhail Shaheen said in Doha."
    for name, text in (("a", chinese), ("b", arabic)):
        (tmp_path / f"{name}.txt").write_text(f"date 2021-07-28\n\n{text}\n")
    arguments = ("chat", "--library", str(tmp_path / "library"), "--add", str(tmp_path), "-q")
    with Terminal(*arguments, columns=60, env=env | {"NO_COLOR": "1"}) as terminal:
        terminal.wait_for_prompt(1)
        terminal.type(f"What did Zhao Lijian say in Beijing?{ENTER}")
        terminal.wait_for_prompt(2)
        terminal.type(f"What did Suhail Shaheen say in Doha?{ENTER}")
        shown = terminal.wait_for_prompt(3)
    rows = shown.splitlines()
    assert any("外交部发言人" in row for row in rows)
    assert any("سهيل شاهين" in row for row in rows)
    assert "".join(chinese.split()) in "".join(shown.split())


def test_in_a_pipe_each_line_has_its_answer(env: dict[str, str]) -> None:
    found = piped(env, SPOKE, "", "Who won the cricket match in Lahore?", "/usage")
    spoke, origin, cricket, *_ = replies(found)
    assert spoke.splitlines()[0] == f"{STANIKZAI} [1]"
    assert origin == f"[1] {ORIGIN}"
    assert cricket.splitlines()[:2] == [
        "The articles do not answer this question.",
        "The nearest articles do not mention “Lahore”.",
    ]
    assert "This chat: 0 tokens in" in found.stdout
    assert found.returncode == 0


def test_a_line_that_cannot_be_done_is_told_and_the_next_one_is_done(env: dict[str, str]) -> None:
    found = piped(env, "/sorces", "/sources", "/as-of Friday", SPOKE)
    assert found.stderr.splitlines()[:3] == [
        "rag: there is no command /sorces; did you mean /sources?",
        "rag: nothing was answered yet; ask a question first",
        "rag: as_of is 'Friday'; wanted a date such as 2021-07-07, 2021-07 or 2021",
    ]
    assert "Stanikzai" in found.stdout
    assert found.returncode == 2


@pytest.mark.slow
def test_json_gives_an_answer_a_line(env: dict[str, str]) -> None:
    found = piped(env, SPOKE, "And for the government?", arguments=("--json", "--as-of", "2021-07"))
    first, second = map(json.loads, found.stdout.splitlines())
    assert first["statements"][0]["text"] == STANIKZAI
    assert second["standalone_question"].startswith("And for the government? ")
    assert second["as_of"] == "2021-07-31"


@pytest.mark.slow
def test_strict_ends_with_the_code_of_what_failed(env: dict[str, str]) -> None:
    assert piped(env, "Who won the cricket match in Lahore?", SPOKE, arguments=("--strict",)).returncode == 8


@pytest.mark.slow
def test_a_follow_up_in_llm_mode_is_rewritten_by_the_model(env: dict[str, str]) -> None:
    def reply(request: Request) -> str:
        if "Last question:" in request.messages[-1]["content"]:
            return json.dumps({"question": "Who is the chief negotiator on behalf of the Taliban, and when?"})
        return json.dumps({"answered": "no", "statements": [], "missing": "when"})

    with OpenAIServer(by=reply) as server:
        found = piped(env | {"OPENAI_BASE_URL": server.url}, SPOKE, "And when?", "/why")
    assert "looked for: Who is the chief negotiator on behalf of the Taliban, and when?" in found.stdout
    assert len(server.requests) == 3


def test_a_chat_of_a_terminal_is_resumed(env: dict[str, str]) -> None:
    with Terminal("chat", env=env) as terminal:
        terminal.wait_for_prompt(1)
        terminal.type(f"{SPOKE}{ENTER}")
        terminal.wait_for_prompt(2)
        terminal.type(CTRL_D)
        assert terminal.wait_for_end() == 0
    with Terminal("chat", "--resume", columns=120, env=env) as terminal:
        terminal.wait_for_prompt(1)
        terminal.wait_for("goes on after 1 question")
        terminal.type(f"/sessions{ENTER}")
        assert SPOKE in terminal.wait_for("1. 20")
        terminal.type(CTRL_D)
