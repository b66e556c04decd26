"""That the soak of benchmarks/soak.py sees what it is there to see."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from soaking.checking import Checker
from soaking.ledger import Change, Ledger
from soaking.world import World, word

from rag.schema import Article, Citation, Hit, Passage, Statement, Window
from rag.text.words import words

ROOT = Path(__file__).parents[2]
WORLD = World(7)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Of a library in which article 1 has its second edition, 2 its first, and 3 was removed."""
    made = Ledger(tmp_path / "journal")
    for change in ({1: 1, 2: 1, 3: 1}, {1: 2}, {3: None}):
        done(made, change)
    made.mark()
    return made


def done(ledger: Ledger, change: Change) -> None:
    ledger.end(ledger.begin(change), done=True)


def cited(article: Article, end: int = 40) -> Citation:
    return Citation(1, article, "p", 0, end, article.text[:end])


def seen(ledger: Ledger, article: Article, window: Window = Window()) -> list[str]:
    return [wrong.what for wrong in Checker(WORLD, ledger, window).citations([cited(article)])]


def test_what_is_there_may_be_cited_and_nothing_else(ledger: Ledger) -> None:
    assert seen(ledger, WORLD.article(1, 2)) == []
    assert seen(ledger, WORLD.article(1, 1)) == ["a quote of another edition, or of none, is shown"]
    assert seen(ledger, WORLD.article(3, 1)) == ["an article that was removed, or never added, is shown"]
    assert seen(ledger, WORLD.article(4, 1)) == ["an article that was removed, or never added, is shown"]
    other = replace(WORLD.article(1, 2), source="Nobody")
    assert seen(ledger, other) == ["the date, source or title of another edition is shown"]


def test_what_is_outside_of_the_window_may_not_be_cited(ledger: Ledger) -> None:
    published = WORLD.article(2, 1).published
    assert published
    assert seen(ledger, WORLD.article(2, 1), Window(as_of=published.day)) == []
    before = Window(as_of=published.day - timedelta(1))
    assert seen(ledger, WORLD.article(2, 1), before) == ["an article outside of the window is shown"]


def test_while_an_article_is_changed_it_may_be_what_it_was_or_what_it_is_to_be(ledger: Ledger) -> None:
    number = ledger.begin({1: 3})
    assert seen(ledger, WORLD.article(1, 2)) == seen(ledger, WORLD.article(1, 3)) == []
    assert 1 not in ledger.certain()
    ledger.end(number, done=True)
    assert seen(ledger, WORLD.article(1, 2)) == []  # the question began before
    ledger.mark()
    assert seen(ledger, WORLD.article(1, 2)) == ["a quote of another edition, or of none, is shown"]
    assert ledger.certain() == {1: 3, 2: 1}


def test_a_change_that_a_killed_writer_did_not_make_leaves_what_was(ledger: Ledger) -> None:
    ledger.end(ledger.begin({2: None}), done=False)
    ledger.mark()
    assert ledger.certain() == {1: 2, 2: 1}


def test_another_process_reads_the_same_and_no_half_of_a_line(ledger: Ledger) -> None:
    with ledger.path.open("a") as file:
        file.write('{"begin": 3, "cha')
    other = Ledger(ledger.path)
    other.mark()
    assert other.certain() == ledger.certain()
    done(other, {5: 1})
    assert other.certain() == {1: 2, 2: 1}  # of 5 it was not certain before
    other.mark()
    assert other.certain() == {1: 2, 2: 1, 5: 1}


def test_an_article_that_is_not_found_or_not_listed_is_seen(ledger: Ledger) -> None:
    checker = Checker(WORLD, ledger)
    article = WORLD.article(2, 1)
    hit = Hit(Passage("p", article.id, 0, 9, article.text[:9]), article, 1.0)
    assert [w.what for w in checker.found(2, 1, [])] == ["an article is not found by its word"]
    assert [w.what for w in checker.found(2, 1, [hit])] == []
    assert [w.what for w in checker.hits([replace(hit, passage=replace(hit.passage, text="Some text"))])] == [
        "a quote of another edition, or of none, is shown"
    ]
    assert [w.what for w in checker.articles([article])] == ["an article that was reported as added is lost"]
    early = Checker(WORLD, ledger, Window(as_of=date(2020, 1, 1)))
    assert [w.what for w in early.found(2, 1, [hit])] == ["an article is shown outside of the window"]


def test_a_statement_with_a_number_that_it_does_not_cite_is_seen(ledger: Ledger) -> None:
    article = WORLD.article(2, 1)
    citation = cited(article, len(article.text))
    told = [w.what for w in Checker(WORLD, ledger).statements([Statement("They sold 123456 lamps.", (citation,))])]
    assert told == ["a statement says what it does not cite"]
    assert not list(Checker(WORLD, ledger).statements([Statement(article.text, (citation,))]))


def test_each_article_has_a_word_that_no_other_has() -> None:
    stems = {words(word(number))[0] for number in range(5000)}
    assert len(stems) == 5000


@pytest.mark.slow
def test_a_short_soak_finds_nothing_wrong(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks/soak.py"), "--minutes", "0.1", "--readers", "2"]
    done = subprocess.run(
        [*command, "--articles", "60", "--folder", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)
    assert all(int(counts[name].replace(",", "")) for name in ("added", "beats"))
