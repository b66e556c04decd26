"""Recorded replies: they go through the whole path, cite what they quote, and are scored statement by statement."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
from langchain_core.messages import HumanMessage

from rag.chat.conversation import Exchange
from rag.chat.transcript import save
from rag.errors import InputError
from rag.evaluation.cases import CaseTask, GoldEvidence, ReplyCase, Written
from rag.evaluation.formats import load_set
from rag.evaluation.metrics import shares
from rag.evaluation.observe import observe
from rag.evaluation.rates import Share
from rag.evaluation.replay import Replay, replaying
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Precision, Published, Status, Verdict

ROOT = Path(__file__).parents[2]
SETS, DOCS = ROOT / "evals" / "sets", ROOT / "docs"
COUNT = "Around 1,000 soldiers of the garrison crossed the river into Tarsia on Monday."
ORDER = "President Elmo Vask then called up 20,000 reservists to guard the border."
TRUE = "President Elmo Vask then called up 20,000 reservists to guard the border (River Post)."
WRONG = "Around 1,500 soldiers of the garrison crossed the river into Tarsia on Monday."


def news() -> Article:
    return article(f"{COUNT} {ORDER}", title="Soldiers cross the river", source="River Post")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    opened = Library(tmp_path / "library", offline=True)
    opened.add(news())
    return opened


def reply(*statements: Written) -> ReplyCase:
    return ReplyCase(
        id="r", task=CaseTask.REPLY, question="How many soldiers crossed into Tarsia?", statements=tuple(statements)
    )


def written(text: str, quote: str, *, planted: bool = False) -> Written:
    return Written(text, (GoldEvidence(quote, news().id),), planted)


def test_a_reply_is_checked_against_what_it_quotes(library: Library) -> None:
    case = reply(written(WRONG, COUNT, planted=True), written(TRUE, ORDER))
    result = observe(case, library, k=10)
    assert result.error is None
    assert [s.text for s in result.statements] == [WRONG, ORDER]
    assert [citation.quote for citation in result.citations] == [COUNT, ORDER]
    assert (result.mode, result.statements[0].verdict) == ("llm", Verdict.CONTRADICTED)
    assert shares(case, result)["planted_caught"] == Share(1, 1)


def test_a_number_that_failed_is_beyond_a_judge(library: Library) -> None:
    case = reply(written(WRONG, COUNT), written(TRUE, ORDER))
    scored = shares(case, observe(case, library, k=10))
    assert (scored["true_marked"], scored["beyond_judge"]) == (Share(1, 2), Share(1, 2))


def test_the_library_is_as_before_after_a_replay(library: Library) -> None:
    observe(reply(written(COUNT, COUNT)), library, k=10)
    assert library.writer is None
    assert not library.terms.strict
    assert not (library.path / "replies").exists()
    assert library.ask("How many soldiers crossed into Tarsia?").model is None


def test_a_reply_that_quotes_what_was_not_retrieved_is_unscored(library: Library) -> None:
    later = Published(date(2024, 1, 1), Precision.DAY)
    harvest = "The harvest of plums was poor in the south this year."
    library.add(article(harvest, title="Plums", source="Field Post", published=later))
    library.add(
        article(ORDER, title="Reserves", source="Field Post", published=Published(date(2021, 1, 1), Precision.DAY))
    )
    elsewhere = [a.id for a in library.articles() if a.title == "Plums"]
    quote = GoldEvidence("The harvest of plums was poor in the south this year.", elsewhere[0])
    case = replace(reply(Written("Plums were scarce.", (quote,))), until=date(2022, 1, 1))
    result = observe(case, library, k=1)
    assert result.error is not None
    assert "is in none of the passages" in result.error
    assert shares(case, result) == {"unscored": Share(1, 1)}


def test_of_two_copies_the_article_that_is_quoted_is_cited() -> None:
    prompt = f"===\n[1] A copy | Hill Post\n{COUNT}\n\n[2] Soldiers cross the river | River Post\n{COUNT}\n===\n\nWho?"
    model = Replay(case=reply(written("x", COUNT)), titles={news().id: news().title})
    assert '"passage": 2' in model.invoke([HumanMessage(prompt)]).text
    with pytest.raises(InputError, match="in none of the passages"):
        model.invoke([HumanMessage(prompt.replace("[2] Soldiers", "[2] Officers"))])


def test_a_full_reply_that_ends_as_an_abstention_is_lost(library: Library) -> None:
    case = reply(written(COUNT, COUNT))
    result = observe(case, library, k=10)
    assert shares(case, result)["answers_lost"] == Share(0, 1)
    assert result.status is Status.ANSWERED


@pytest.fixture(scope="module")
def halves() -> list[list[ReplyCase]]:
    loaded = [load_set(SETS / f"replies-{half}.jsonl").cases for half in ("dev", "unseen")]
    return [[case for case in cases if isinstance(case, ReplyCase)] for cases in loaded]


def test_both_halves_have_the_same_kinds_from_different_articles(halves: list[list[ReplyCase]]) -> None:
    dev, unseen = (Counter(case.type for case in half) for half in halves)
    assert dev == unseen
    errors = {kind for kind in dev if kind.startswith("error: ")}
    assert len(errors) == 12
    assert all(dev[kind] >= 3 for kind in errors)
    assert sum(dev[kind] for kind in set(dev) - errors) >= 40
    quoted = [{quote.article for case in half for quote in case.gold} for half in halves]
    assert not quoted[0] & quoted[1]


def test_an_error_is_planted_once_in_a_reply_that_is_true_otherwise(halves: list[list[ReplyCase]]) -> None:
    for case in [case for half in halves for case in half]:
        errors = [statement.planted for statement in case.statements]
        assert sum(errors) == case.type.startswith("error: ")
        assert not all(errors)


def test_true_statements_are_no_copies_of_what_they_quote(halves: list[list[ReplyCase]]) -> None:
    for statement in [s for half in halves for case in half for s in case.statements]:
        said = statement.text.split(" (")[0].rstrip(".")
        assert not any(said in quote.quote for quote in statement.quotes), said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("half", "id", "picture"),
    [("unseen", "replies-unseen-conflict-4", "conflict"), ("dev", "replies-dev-error-name-1", "marked")],
)
def test_the_pictures_in_the_documents_are_what_is_shown(half: str, id: str, picture: str, tmp_path: Path) -> None:
    case = next(c for c in load_set(SETS / f"replies-{half}.jsonl").cases if c.id == id)
    assert isinstance(case, ReplyCase)
    with Library(tmp_path / "library", offline=True) as opened:
        opened.add(str(SETS.parent / "corpora" / "afghanistan-2021"))
        answer = replaying(case, opened).ask(case.question)
    file = tmp_path / "shown.svg"
    save([Exchange(case.question, answer)], str(file))
    shown, kept = (ElementTree.parse(path).getroot() for path in (file, DOCS / f"{picture}.svg"))
    assert "".join(kept.itertext()).split() == "".join(shown.itertext()).split()
