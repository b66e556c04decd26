"""What a person reads: the statements with their marks, the sources, and nothing that drives a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from time import perf_counter

import pytest
from wcwidth import wcswidth

from rag.render.lines import answer_lines, safe, search_lines, wrapped
from rag.schema import (
    Answer,
    Article,
    Citation,
    Conflict,
    Dispute,
    Hit,
    Passage,
    Position,
    Precision,
    Published,
    Reason,
    SearchResult,
    Statement,
    Status,
    Verdict,
    Window,
)

TEXT = "The talks were held in Tehran. The chief negotiator spoke."
ARTICLE = Article("a1", "Talks", TEXT, "0", "Example News", Published(date(2021, 7, 7), Precision.DAY))
FIRST = Citation(1, ARTICLE, "p1", 0, 30, TEXT[:30])


def answer(text: str = TEXT[:30], status: Status = Status.ANSWERED, reason: Reason | None = None) -> Answer:
    statement = Statement(text, (FIRST,), Verdict.SUPPORTED)
    return Answer("Where?", "Where?", (statement,), status=status, reason=reason, citations=(FIRST,))


def shown(found: Answer, width: int | None = None) -> list[str]:
    return [line.text for line in answer_lines(found, width=width)]


def test_a_quote_is_shown_only_if_it_is_not_the_statement() -> None:
    assert shown(answer()) == ["The talks were held in Tehran. [1]", "", "[1] Talks — Example News, 2021-07-07"]
    assert shown(answer("They were in Tehran."))[-1] == "    “The talks were held in Tehran.”"


def test_a_quote_that_stands_in_a_conflict_is_not_shown_again() -> None:
    other = Article("a2", "No talks", "The talks\nwere held in Doha.", "1", "Harirud Post")
    second = Citation(2, other, "p2", 0, 29, other.text)
    conflict = Conflict(Dispute.CONFLICT, "the place", (Position("Doha", second), Position("Tehran", FIRST)))
    lines = shown(replace(answer(), citations=(FIRST, second), conflicts=(conflict,)))
    assert [line for line in lines if "Doha" in line] == ["- “The talks were held in Doha.” [2] Harirud Post"]
    assert lines[-1] == "[2] No talks — Harirud Post"


def test_a_partial_answer_says_so() -> None:
    told = "This is a partial answer: the articles do not tell the rest."
    assert told in shown(answer(status=Status.PARTIAL, reason=Reason.NOT_IN_ARTICLES))


def test_a_statement_that_failed_its_check_is_marked() -> None:
    failed = Statement("They were in Kabul.", (FIRST,), Verdict.CONTRADICTED)
    found = Answer("Where?", "Where?", (failed,), citations=(FIRST,))
    assert shown(found)[0] == "They were in Kabul. [1] (contradicted by what it cites)"


def test_an_abstention_gives_the_reason_and_the_nearest_quotes() -> None:
    found = Answer("Who?", "Who?", status=Status.ABSTAINED, reason=Reason.OUTSIDE_DATES, nearest=(FIRST,) * 4)
    lines = shown(found)
    assert lines[:3] == [
        "No article within the given dates and sources answers this question.",
        "",
        "Nearest in the articles:",
    ]
    assert lines[3:] == ["  “The talks were held in Tehran.”", "    Talks — Example News, 2021-07-07"] * 3


def test_an_abstention_without_evidence_is_one_sentence() -> None:
    found = Answer("Who?", "Who?", status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES)
    assert shown(found) == ["The articles do not answer this question."]


def test_lines_fit_the_width() -> None:
    assert max(map(len, shown(answer("word " * 30 + "end."), width=40))) <= 40


def test_a_search_shows_rank_score_origin_and_the_passage() -> None:
    hit = Hit(Passage("p1", "a1", 0, len(TEXT), TEXT), ARTICLE, 0.5)
    lines = [line.text for line in search_lines(SearchResult("Where?", (hit,)), width=44)]
    assert lines[0] == "1. 0.500 Talks — Example News, 2021-07-07"
    assert lines[1:3] == ["    The talks were held in Tehran. The chief", "    negotiator spoke."]
    assert [line.text for line in search_lines(SearchResult("Where?", ()))] == ["No passage matches."]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\x1b[31;1mred\x1b[0m b", "ared b"),
        ("a\x9b31mred", "ared"),
        ("a\x1b]8;;http://x\x07link\x1b]8;;\x1b\\ b", "alink b"),
        ("a\x00\x07\x08b", "ab"),
        ("pay\u202etxt.exe\u202c \u2066x\u2069", "paytxt.exe x"),
        ("in\u200bvis\u2060ible\U000e0041", "invisible"),
        ("[bold]kept as written[/bold] [sic]", "[bold]kept as written[/bold] [sic]"),
        ("an unfinished \x1b]0;title", "an unfinished ]0;title"),
    ],
)
def test_what_drives_a_terminal_is_taken_out(text: str, left: str) -> None:
    assert safe(text) == left


def test_the_window_is_told_under_the_answer() -> None:
    answer = Answer(
        "Q?", "Q?", status=Status.ABSTAINED, window=Window(as_of=date(2021, 7, 10), sources=("Pamir Wire",))
    )
    lines = [line.text for line in answer_lines(answer)]
    assert lines[1] == "Only articles published up to 2021-07-10, by Pamir Wire were read."


@pytest.mark.parametrize(
    "text", ["塔利班" * 20_000, "e\u0301" * 20_000, "🇦🇫" * 20_000, "\x1b]0;x" * 20_000, "\x90" * 50_000]
)
def test_long_lines_of_any_script_are_wrapped_in_a_moment(text: str) -> None:
    start = perf_counter()
    lines = [line.text for line in wrapped(text, 30)]
    assert perf_counter() - start < 4  # by the square of the length it would be minutes
    assert "".join(lines) == safe(text)
    assert max(map(wcswidth, lines), default=0) <= 30
