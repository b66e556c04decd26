"""What a question takes for granted is named, and is no sure answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.answer.premise import Premises, premises
from rag.ingest.metadata import article
from rag.library import Library
from rag.render.lines import notice
from rag.retrieval import query
from rag.schema import Answer, Article, Citation, Status

VIRGINIA = article(
    "A first flight with about 200 Afghan interpreters landed in Virginia early on Friday, the White House said. They "
    "were taken to an army base.",
    title="First interpreters arrive",
    source="Gulf Ledger",
    published="2021-07-30",
)
SCHOOLS = article(
    "Schools in Adeh remain open, unlike in the lake district, where they have been closed since 2 May.",
    title="Cholera spreads",
    source="Horn Bulletin",
    published="2021-05-28",
)


def held(question: str, *articles: Article) -> Premises:
    """The premises of a question against the first sentence of each article."""
    cited = []
    for number, one in enumerate(articles, start=1):
        quote = one.text[: one.text.index(".") + 1]
        cited.append(Citation(number, one, "", 0, len(quote), quote))
    return premises(query.read(question), cited, articles)


def test_a_name_that_no_article_has_is_told() -> None:
    found = held("When did the first Afghan interpreters land in Texas?", VIRGINIA)
    assert found.unnamed == ("Texas",)
    assert found.doubtful
    assert found.beside_answer == ("The sentences above do not say “Texas”.",)
    assert found.beside_nearest == ("The nearest articles do not mention “Texas”.",)


def test_another_form_or_spelling_of_a_name_is_that_name() -> None:
    assert not held("When did the interpreters from Afghanistan land?", VIRGINIA).unnamed
    spelled = article("Sher Mohammad Abbas Stanekzai spoke in Tehran.", title="Talks")
    assert not held("What did Stanikzai say in Tehran?", spelled).unnamed


def test_a_name_of_the_article_is_not_unnamed_but_unsaid() -> None:
    text = "The White House said that they landed in Virginia. Stanikzai and the interpreters stayed away."
    found = held("What did the White House say about the interpreters and Stanikzai?", article(text, title="Landing"))
    assert not found.unnamed
    assert found.unsaid == ("Stanikzai", "interpreters")
    assert not found.doubtful


def test_a_common_word_is_no_reason_for_doubt() -> None:
    assert not held("Which country received the interpreters in Virginia?", VIRGINIA).unsaid
    assert held("Which country vaccinated the interpreters in Virginia?", VIRGINIA).unsaid == ("vaccinated",)


def test_the_one_who_does_it_must_be_cited() -> None:
    text = "Ten thousand reservists were ordered to the border. Uzbekistan said nothing."
    found = held("When did Uzbekistan order the reservists to the border?", article(text, title="Border"))
    assert found.unmet
    assert found.doubtful
    assert not found.unnamed


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Why did Zarif praise the pipeline?", "Zarif said that the pipeline was old."),
        ("Why did Dunn approve the pipeline?", "Dunn rejected the pipeline because it would cost too much."),
        ("What grants did the mayor offer?", "The mayor offered loans, but no grants."),
        ("Why did Karzai travel to Doha?", "Karzai had been expected to travel to Doha, but stayed in Kabul."),
        ("How many Afghan soldiers crossed into Iran?", "More than 40 Iranian soldiers crossed into Afghanistan."),
    ],
)
def test_what_the_article_has_nothing_of_or_says_otherwise_is_unmet(question: str, text: str) -> None:
    assert held(question, article(text, title="News")).unmet


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Why did Dunn reject the pipeline?", "Dunn rejected the pipeline because it would cost too much."),
        ("Did the mayor offer grants?", "The mayor offered loans, but no grants."),
        ("What part of the land did they lose?", "They lost almost half of the land."),
        ("When did they plan to travel to Doha?", "They planned to travel to Doha on Monday."),
    ],
)
def test_what_is_asked_and_not_taken_for_granted_is_met(question: str, text: str) -> None:
    assert not held(question, article(text, title="News")).unmet


def test_a_quote_without_letters_says_nothing() -> None:
    one = article("1,000.", title="7")
    found = premises(query.read("How many soldiers fled?"), [Citation(1, one, "", 0, 6, "1,000.")], [one])
    assert found.unsaid == ("fled",)


def test_a_word_much_like_that_of_the_question_is_no_missing_one() -> None:
    found = held("How many people died in Virginia?", article("Ten were killed.", title="Accident in Virginia"))
    assert "died" not in found.unsaid
    assert "people" not in found.unsaid


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("library"), offline=True) as made:
        made.add("seeds", VIRGINIA, SCHOOLS)
        yield made


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("When did the first Afghan interpreters land in Texas?", "do not say “Texas”"),
        ("When did Pakistan close its consulate in Mazar?", "“Pakistan”"),
    ],
)
def test_a_false_premise_is_no_sure_answer(library: Library, question: str, told: str) -> None:
    answer = library.ask(question)
    assert answer.status is not Status.ANSWERED
    assert told in str(notice(answer))
    assert told in answer.to_markdown()
    assert told in answer._repr_html_()
    assert answer.to_dict()["premises"] == list(answer.premises)
    assert Answer.from_dict(answer.to_dict()).premises == answer.premises


def test_a_sure_answer_has_no_premises(library: Library) -> None:
    answer = library.ask("Where did the first flight with Afghan interpreters land?")
    assert answer.status is Status.ANSWERED
    assert "premises" not in answer.to_dict()
