from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from chart import Panel, drawing
from contenders import Bm25s, Dispatches, Found
from finding import Gold, Quality, holds, mean, quality, within
from peers import questions

QUOTE = Found("a", "The base lies about 60 kilometres north of Kabul.")


def test_a_text_holds_a_quote_of_which_it_has_half_of_the_runs_of_five_words() -> None:
    assert holds(Found("a", "He said: the base lies\nabout 60 kilometres north of Kabul. It is large."), QUOTE)
    assert holds(Found("a", "The base lies about 60 kilometres north"), QUOTE)  # 3 of 5 runs
    assert not holds(Found("a", "The base lies about 60 kilometres"), QUOTE)  # 2 of 5
    assert not holds(Found("b", QUOTE.text), QUOTE)


def test_a_quote_of_fewer_than_five_words_is_held_whole() -> None:
    assert holds(Found("a", "Then Kabul fell, he said."), Found("a", "Kabul fell"))
    assert not holds(Found("a", "Then Kandahar fell."), Found("a", "Kabul fell"))


def test_quality_is_worked_out_by_hand() -> None:
    other = Found("b", "Talks were held in Tehran on Wednesday, July 7.")
    found = [Found("c", "x" * 3990), QUOTE, *[Found("c", "nothing")] * 8, other]
    measured = quality(Gold("Where?", (QUOTE, other)), found)
    assert measured == Quality(0.5, 0.5, 0.0, 0.5, 3990 + len(QUOTE.text) + 8 * 7)
    assert mean([measured, Quality(1, 1, 1, 1, 0)]).mrr == 0.75


def test_a_room_cuts_the_text_that_does_not_fit() -> None:
    assert within([Found("a", "12345"), Found("b", "12345"), Found("c", "1")], 8) == [
        Found("a", "12345"),
        Found("b", "123"),
    ]


def test_reads_answerable_questions_with_evidence_only(tmp_path: Path) -> None:
    evidence = [{"article": "a", "quote": "Yes."}]
    cases = [
        {"question": "Asked?", "answerable": True, "evidence": evidence, "history": []},
        {"question": "No answer?", "answerable": False, "evidence": [], "history": []},
        {"question": "And then?", "answerable": True, "evidence": evidence, "history": [{"question": "Who?"}]},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(map(json.dumps, cases)), "utf-8")
    assert list(questions(path)) == [Gold("Asked?", (Found("a", "Yes."),))]


@pytest.mark.parametrize("contender", [Dispatches, Bm25s])
def test_a_contender_finds_what_it_kept_when_it_is_opened_anew(tmp_path: Path, contender: type) -> None:
    for package in {Bm25s: ("bm25s", "langchain_text_splitters")}.get(contender, ()):
        pytest.importorskip(package, reason="`uv sync --group peers` installs it")
    articles = tmp_path / "articles.jsonl"
    rows = [
        {"id": "a", "title": "Bagram", "source": "Wire", "published": "2021-07-02", "text": QUOTE.text},
        {"id": "b", "title": "Talks", "source": "Wire", "published": "2021-07-08", "text": "They met in Tehran."},
    ]
    articles.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    contender(tmp_path / "kept").add(articles)
    first, *_ = contender(tmp_path / "kept").search("How far is the base from Kabul?", 10)
    assert first.article == "a"
    assert QUOTE.text in first.text


def test_a_bar_is_as_long_as_its_share_of_the_longest_one() -> None:
    drawn = drawing("All", [Panel("time, s", {"one": 2.0, "two & three": 1.0}, ".1f")])
    assert 'width="240.0"' in drawn
    assert 'width="120.0"' in drawn
    assert "two &amp; three" in drawn
