"""Questions that lean on the conversation before them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from rag.answer import extractive
from rag.library import Library
from rag.retrieval.followups import context, goes_on, leans_on_history
from rag.schema import Answer, Reason, Turn, Window

FLED = "How many Afghan soldiers fled to Tajikistan?"
SPOKE = "Who spoke for the Taliban in Tehran?"
CLOSED = "Which countries closed their consulates?"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("seeded") / "library", offline=True) as opened:
        opened.add("seeds")
        yield opened


def talk(library: Library, *questions: str, carried: bool = True) -> list[Answer]:
    history: tuple[Turn, ...] = ()
    answers = []
    for question in questions:
        answers.append(library.ask(question, history=history))
        history += (Turn(question, answers[-1].text, answers[-1].citations if carried else ()),)
    return answers


@pytest.mark.parametrize(
    "question",
    [
        "When?",
        "Which ones?",
        "And who was killed there?",
        "What about Russia?",
        "Who ordered it?",
        "How many of them fled?",
        "Why did they flee?",
        "Where was that?",
        "What was his profession, and which state does he come from?",
        "What did Ghani say about it?",
        "When did the council approve it?",
        "Why did the interior ministry deny it?",
        "Who else took part?",
        "Which two cabinet secretaries joined him when he brought company bosses together that October?",
    ],
)
def test_a_question_that_points_back_leans_on_the_conversation(question: str) -> None:
    assert leans_on_history(question)


@pytest.mark.parametrize(
    "question",
    [
        SPOKE,
        FLED,
        CLOSED,
        "What did Zarif say before he left?",
        "Did Iran say that the talks were held?",
        "Which general lost his command?",
        "Is there any agreement on a ceasefire?",
        "What did the Taliban say about their delegation?",
        "Why did the mayor close the bridge and repair it?",
        "Who else spoke in Tehran?",
    ],
)
def test_a_question_whose_pronouns_are_its_own_does_not(question: str) -> None:
    assert not leans_on_history(question)
    assert context(question, [Turn("Who won?", "Ghani won.")]) == ""


def test_only_a_question_without_a_verb_of_its_own_asks_the_last_one_again() -> None:
    assert goes_on("What about Russia?")
    assert goes_on("And for the government?")
    assert not goes_on("And who was killed there?")


def test_a_follow_up_takes_the_last_question_and_the_names_of_its_answer_along() -> None:
    history = [Turn("Who spoke for the Taliban?", "Sher Mohammad Abbas Stanikzai spoke for them.")]
    assert "Stanikzai" in context("And where did he speak?", history)


def test_a_follow_up_of_a_follow_up_reaches_the_question_that_stands_alone() -> None:
    history = [Turn(CLOSED, "Turkey did."), Turn("What about Russia?", "It did too.")]
    assert CLOSED in context("Where?", history)


def test_what_was_asked_of_others_in_between_is_left_out() -> None:
    history = [Turn(CLOSED, "Turkey did."), Turn("What about Russia?", "It did too.")]
    assert context("And Iran?", history) == CLOSED
    history = [Turn(FLED, "Around 1,000."), Turn("And how many reserve troops?", "20,000.")]
    assert "reserve troops" in context("What about Pakistan?", history)


def test_a_question_without_a_word_of_its_own_is_answered_as_likely(library: Library) -> None:
    history = [Turn(FLED, "Around 1,000 Afghan soldiers fled to Tajikistan.")]
    assert library.ask(FLED).reason is None
    assert library.ask("Where?", history=history).reason is Reason.UNCLEAR


def test_the_same_is_asked_of_something_else(library: Library) -> None:
    closed, russia = talk(library, CLOSED, "What about Russia?")
    assert any("consulates" in statement.text for statement in closed.statements)
    assert russia.statements[0].text.startswith("The Turkish and Russian consulates")
    _, government = talk(library, SPOKE, "And for the government?")
    assert government.statements
    assert all("Stanikzai" not in statement.text for statement in government.statements)


def test_a_whole_question_after_others_is_answered_as_if_it_were_the_first(library: Library) -> None:
    *_, last = talk(library, CLOSED, "What about Russia?", "Where?", SPOKE)
    assert last.statements == library.ask(SPOKE).statements
    assert last.standalone_question == SPOKE


def test_who_said_that_is_answered_by_the_sentence_that_was_cited(library: Library) -> None:
    fled, who = talk(library, FLED, "Who said that?")
    assert who.statements[0].text == fled.statements[0].text
    assert who.statements[0].speaker == "reports from Tajikistan"


def test_who_said_that_abstains_where_the_article_tells_it_of_its_own(library: Library) -> None:
    _, who = talk(
        library, "Who is involved in legal negotiations on behalf of the Afghan government?", "Who said that?"
    )
    assert who.reason in (None, Reason.NOT_IN_ARTICLES)
    told = [statement.speaker for statement in who.statements]
    assert all(told), "a sentence without a speaker does not tell who says it"


def test_when_is_about_what_was_answered_last(library: Library) -> None:
    *_, when = talk(library, FLED, "And how many reserve troops?", "When?")
    assert "said Monday" in when.statements[0].text


def test_what_was_cited_before_is_not_read_outside_of_a_window(library: Library) -> None:
    (fled,) = talk(library, FLED)
    earlier = Window(as_of=date(2021, 7, 1))
    history = [Turn(FLED, fled.text, fled.citations)]
    for question in ("Who said that?", "When?"):
        answer = library.ask(question, history=history, window=earlier)
        assert (answer.hits, answer.citations, answer.nearest) == ((), (), ())


def test_without_what_was_cited_the_words_of_the_conversation_do(library: Library) -> None:
    *_, reserves = talk(library, FLED, "And how many reserve troops?", carried=False)
    assert "20,000" in reserves.statements[0].text


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings, and an answer however sure it is: which sentence it is shows what was understood."""
    monkeypatch.setattr(extractive, "confidence", lambda *_: 1.0)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
