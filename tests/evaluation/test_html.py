"""The page of a report: what it shows of each case, and that nothing in it is taken for markup."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from made_results import CLOSED, TEN, answered, qa, said

from rag.evaluation.cases import (
    Case,
    CaseSet,
    CaseTask,
    CheckCase,
    Claim,
    Disagreement,
    GivenTurn,
    GoldEvidence,
    ReplyCase,
    SearchCase,
    SummaryCase,
    TimelineCase,
    Written,
)
from rag.evaluation.report import Changes, Report, html_report, report
from rag.evaluation.results import CitedPlace, FoundPlace, Grades, Identity, Place, Result, Run, ShownConflict
from rag.evaluation.run import run
from rag.library import Library
from rag.schema import Check, Dispute, Reason, Status, Verdict

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DAY = date(2021, 7, 7)
IDENTITY = Identity("0.1.0", "c" * 64, "d" * 64, "e" * 64, "minilm", None, None, 10)
VOID = {"meta", "br", "input"}
HOSTILE = "</title></style><script>document.title='taken'</script><img src=x onerror=\"a\"> & \" ' \x1b[31m"


class Page(HTMLParser):
    """The tags, ids, links and text of a page, and its cards by the id of their case; raises if tags do not balance."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        self.text = re.sub(r"\s+", " ", self.text)
        assert not self.open, f"{self.open} are not closed"

    def handle_starttag(self, tag: str, attributes: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.text += " "
        self.open += [tag] * (tag not in VOID)
        for name, value in attributes:
            {"id": self.ids, "href": self.links, "src": self.links, "aria-label": self.labels}.get(name, []).append(
                value or ""
            )

    def handle_startendtag(self, tag: str, attributes: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += " "

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data


def reported(*pairs: tuple[Case, Result], name: str = "set") -> Report:
    cases, results = tuple(case for case, _ in pairs), tuple(result for _, result in pairs)
    return report([Run(CaseSet(name, cases, "a" * 64), IDENTITY, results)])


def text(*pairs: tuple[Case, Result], **fields: Any) -> str:
    return Page(html_report(reported(*pairs, **fields))).text


ABSTAINED = Result("c", text="The articles do not answer.", status=Status.ABSTAINED, reason=Reason.NOT_IN_ARTICLES)
FULL = answered(
    said("Ten soldiers fled.", 1), citations=(CitedPlace(1, "news", DAY, 0, 18, "Ten soldiers fled.", True),)
)


def test_the_verdict_lists_the_gates_that_are_missed() -> None:
    found = reported((qa(), FULL))
    missed = Page(html_report(found, failures=["set: leaks is 0.5, the gate is 0.0", "set: mrr was not measured"])).text
    assert "2 gates are missed." in missed
    assert "set: leaks is 0.5, the gate is 0.0" in missed
    assert "All gates are passed." in html_report(found, failures=[])
    assert "No gates were looked at." in html_report(found)


def test_it_tells_what_was_measured() -> None:
    page = text((qa(), FULL), (qa(id="d"), Result("d", error="ModelError: no reply")))
    for words in ("1 of 2 cases right", "version 0.1.0", "model none (offline)", "hits read 10", "c" * 12):
        assert words in page
    assert "c" * 13 not in page


def test_identities_that_differ_are_told_by_set() -> None:
    other = Identity("0.1.0", "c" * 64, "d" * 64, "f" * 64, "minilm", "some:model", "some:judge", 5)
    runs = [Run(CaseSet(name, (qa(),), "a"), i, (FULL,)) for name, i in (("one", IDENTITY), ("two", other))]
    page = Page(html_report(report(runs))).text
    assert "sets from one version 0.1.0 model none (offline)" in page
    assert "sets from two version 0.1.0 model some:model judge some:judge" in page


def test_each_rate_has_its_value_counts_interval_and_picture() -> None:
    page = Page(html_report(reported((qa(), FULL), (qa(id="d"), ABSTAINED))))
    assert "right_cases 0.50 (1/2) [0.00, 1.00], on a line from 0 to 1" in page.labels
    assert "0.50 1/2 [0.00, 1.00]" in page.text
    assert page.tags.count("svg") == page.tags.count("circle") == len(page.labels)


def test_types_have_rates_of_their_own() -> None:
    page = Page(html_report(reported((qa(type="who"), FULL), (qa(id="d", type="when"), ABSTAINED))))
    assert "By type of case" in page.text
    assert {"right_cases 1.00 (1/1) [1.00, 1.00], on a line from 0 to 1"} <= set(page.labels)
    assert "By type of case" not in text((qa(type="who"), FULL))


def test_a_change_has_a_sign_and_a_word_that_knows_what_should_be_low() -> None:
    rates = {"right_cases": 0.25, "wrong_answers": 0.25, "claim_recall": -0.1, "leaks": -0.1, "valid_citations": 0.0}
    found = reported((qa(as_of=DAY), FULL))
    page = Page(html_report(found, [Changes("set", (), (), 1, (), (), rates)])).text
    for words in ("▲ +0.250 better", "▲ +0.250 worse", "▼ -0.100 worse", "▼ -0.100 better", "= same"):
        assert words in page


def test_changed_cases_link_to_where_they_are() -> None:
    found = reported((qa(id="a b"), FULL), (qa(id="d#"), ABSTAINED))
    page = Page(html_report(found, [Changes("set", ("a b",), ("d#",), 7, (), ("old",), {})]))
    assert {"#set/a%20b", "#set/d%23"} <= set(page.links)
    for words in ("1 fixed: a b", "1 broken: d#", "7 same", "0 new", "1 gone: old"):
        assert words in page.text


def test_a_card_tells_the_window_the_conversation_and_the_turns() -> None:
    case = qa(as_of=DAY, sources=("Kabul News",), history=(GivenTurn("Who fled?", "Soldiers."),), turns=("Why so?",))
    page = text((case, FULL))
    for words in ("as of 2021-07-07; only from Kabul News", "Who fled? Soldiers.", "Why so?", "How many fled?"):
        assert words in page


def test_a_card_tells_each_statement_with_its_verdict_and_what_failed() -> None:
    wrong = Check("number", "10", "12", False)
    statements = (
        said("Ten fled.", 1, 9, verdict=Verdict.CONTRADICTED, entailed=False, checks=(wrong,), speaker="Ghani"),
        said("The road was closed.", 1, 2, outlets=3, needed=(True, False)),
        said("All is well.", 2, verdict=Verdict.SUPPORTED, entailed=False, needed=(False,)),
    )
    quotes = (
        CitedPlace(1, "news", DAY, 0, 9, "Twelve fled.", True),
        CitedPlace(2, "other", None, 3, 9, "Shut.", False),
    )
    page = Page(html_report(reported((qa(), answered(*statements, citations=quotes)))))
    assert [link for link in page.links if link.count("/") == 2] == ["#set/c/1", "#set/c/1", "#set/c/2", "#set/c/2"]
    for words in (
        "Ten fled. [1] [9] ✗ contradicted",
        "said by Ghani; number '10': the source has 12",
        "reported by 3 independent outlets; supported without [2]",
        "✓ supported ✗ checked anew: not supported",
        "[1] article news, 2021-07-07, characters 0 to 9 ✓ in the article",
        "[2] article other, characters 3 to 9 ✗ not in the article",
    ):
        assert words in page.text


def test_claims_tell_which_strings_are_there_and_which_are_lacking() -> None:
    page = text((qa(forbidden=(Claim("The road", (("road",),)),)), answered(said("TEN men took the road."))))
    assert "✗ not made Ten soldiers fled. ✓ has “ten” or “10” ✗ lacks “soldiers”" in page
    assert "✗ not made The road was closed. (not vital) ✗ lacks “closed” or “shut”" in page
    assert "✗ said The road (“road”)" in page


def test_evidence_tells_whether_it_was_found_and_cited() -> None:
    evidence = tuple(GoldEvidence(f"Quote {n}.", article) for n, article in enumerate(("news", "news", "other")))
    gold = (Place("news", 0, 10), Place("news", 50, 60), Place("other", 0, 10))
    hits = (FoundPlace("x", DAY, 0, 100, 1.0), FoundPlace("news", DAY, 5, 20, 0.5))
    quotes = (CitedPlace(4, "news", DAY, 9, 12, "abc", True), CitedPlace(5, "other", DAY, 10, 12, "ab", True))
    page = text((qa(evidence=evidence), answered(said("Ten", 4), gold=gold, hits=hits, citations=quotes)))
    assert "characters 0 to 10 ✓ hit 2 ✓ cited as [4]" in page
    assert "characters 50 to 60 ✗ no hit, but hit 2 is of its article ✗ not cited" in page
    assert "article other, characters 0 to 10 ✗ no hit is of its article ✗ not cited" in page


def test_expectations_tell_what_was_seen_instead() -> None:
    wanted = Disagreement(Dispute.CONFLICT, (("ten",), ("twelve",)))
    case = qa(speaker=("Ghani",), independent=2, conflicts=(wanted,))
    answer = answered(said("Ten soldiers fled.", speaker="Zarif", outlets=3))
    page = text((case, answer))
    assert "✗ not met said by Ghani; seen: Zarif" in page
    assert "✗ not met reported by 2 independent outlets; seen: 3" in page
    assert "✗ not met conflict: “ten” against “twelve”; seen: 0 shown" in page
    laid = (ShownConflict(Dispute.CONFLICT, ("Ten Ten fled.", "twelve Twelve fled.")),)
    met = text((case, answered(said("Ten soldiers fled.", speaker="Mr. Ghani", outlets=2), conflicts=laid)))
    assert met.count("✓ met") == 4
    assert "conflict: Ten Ten fled. twelve Twelve fled." in met
    abstained = text((qa(answerable=False, claims=(), reason=Reason.OUTSIDE_DATES), ABSTAINED))
    assert "✓ met no answer" in abstained
    assert "✗ not met reason outside_dates; seen: not_in_articles" in abstained


def test_a_judge_is_shown_beside_the_strings() -> None:
    found = answered(said("Ten"), grades=Grades("some:judge", (True, False), (True,)))
    page = text((qa(forbidden=(CLOSED,)), found))
    assert "As some:judge reads it ✓ said Ten soldiers fled." in page
    assert "✗ not said The road was closed. ✗ said The road was closed." in page


def test_an_unscored_case_tells_its_error_and_claims_nothing_of_its_gold() -> None:
    page = text((qa(forbidden=(CLOSED,)), Result("c", error="ModelError: no reply", gold=(Place("news", 0, 1),))))
    card = page[page.index("✗ unscored") :]
    assert "Not scored ModelError: no reply" in card
    assert not re.search(r"✗ not made|✓ not said|✗ not met", card)


def test_each_task_shows_its_gold() -> None:
    found = {DAY: "Talks began.", date(2021, 7, 9): "They ended."}
    days = TimelineCase(
        id="t", task=CaseTask.TIMELINE, topic="talks", events={DAY: "Talks.", date(2021, 7, 8): "Pause."}
    )
    claim = CheckCase(
        id="k", task=CaseTask.CHECK, text="Ten fled.", against="Twelve fled.", verdict=Verdict.CONTRADICTED
    )
    summary = SummaryCase(id="s", task=CaseTask.SUMMARY, topic="flight", words=9, claims=(TEN,), reference="They fled.")
    search = SearchCase(id="f", task=CaseTask.SEARCH, question="Who fled?", evidence=(GoldEvidence("Quote.", "news"),))
    quotes = (GoldEvidence("Ten were gone.", "news"),)
    statements = (Written("Ten fled.", quotes), Written("Two fled.", quotes, planted=True))
    reply = ReplyCase(id="r", task=CaseTask.REPLY, question="Who fled?", statements=statements)
    page = text(
        (reply, answered(said("Ten fled."), said("Two fled."), gold=(Place("news", 0, 14),) * 2)),
        (days, answered(said("Talks began."), events=found)),
        (claim, Result("k", verdict=Verdict.UNSUPPORTED, status=Status.ANSWERED)),
        (summary, answered(said("Ten fled."))),
        (search, Result("f", hits=(FoundPlace("news", DAY, 0, 9, 1.0),), gold=(Place("news", 3, 5),))),
    )
    for words in (
        "2021-07-07 ✓ found Talks. Talks began.",
        "2021-07-08 ✗ missed Pause.",
        "2021-07-09 ✗ not in gold They ended.",
        "Checked against Twelve fled.",
        "✗ another contradicted is right, unsupported was found",
        "Reference They fled.",
        "characters 3 to 5 ✓ hit 1",
        "✓ supported Ten fled. (true)",
        "✗ supported Two fled. (an error is planted)",
    ):
        assert words in page
    assert page.count("not cited") == 2


def test_text_from_cases_and_articles_stays_text() -> None:
    evil = qa(
        id=HOSTILE,
        type=HOSTILE,
        question=HOSTILE,
        sources=(HOSTILE,),
        history=(GivenTurn(HOSTILE, HOSTILE),),
        turns=(HOSTILE,),
        claims=(Claim(HOSTILE, ((HOSTILE,),)),),
        forbidden=(Claim(HOSTILE, ((HOSTILE,),)),),
        evidence=(GoldEvidence(HOSTILE, HOSTILE),),
        speaker=(HOSTILE,),
        conflicts=(Disagreement(Dispute.CONFLICT, ((HOSTILE,), (HOSTILE,))),),
        provenance={HOSTILE: HOSTILE},
    )
    check = Check(HOSTILE, HOSTILE, HOSTILE, False)
    answer = answered(
        said(HOSTILE, 1, checks=(check,), speaker=HOSTILE),
        citations=(CitedPlace(1, HOSTILE, DAY, 0, 5, HOSTILE, True),),
        hits=(FoundPlace(HOSTILE, DAY, 0, 5, 1.0),),
        conflicts=(ShownConflict(Dispute.CONFLICT, (HOSTILE,)),),
        gold=(Place(HOSTILE, 0, 5),),
        grades=Grades(HOSTILE, (True,), (False,)),
        warnings=(HOSTILE,),
    )
    found = reported((evil, answer), (qa(type="other"), Result("c", error=HOSTILE)), name=HOSTILE)
    changes = [Changes(HOSTILE, (HOSTILE,), (), 0, (), (HOSTILE,), {})]
    markup = html_report(found, changes, [HOSTILE])
    page = Page(markup)
    assert not {"script", "img"} & set(page.tags)
    assert page.tags.count("title") == 1 + page.tags.count("svg")
    assert "\x1b" not in markup
    assert page.text.count("<script>document.title='taken'</script>") > 30
    assert_sound(page)


def assert_sound(page: Page) -> None:
    """Ids are there once, and every link leads to one of them."""
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)


def test_sets_and_cases_whose_names_run_together_keep_apart() -> None:
    runs = [
        Run(CaseSet(name, cases, "a"), IDENTITY, (FULL,) * len(cases))
        for name, cases in (("a", (qa(id="b/1"), qa(id="b"))), ("a/b", (qa(id="1"),)))
    ]
    page = Page(html_report(report(runs)))
    assert len(page.ids) == 2 + 3 + 3
    assert_sound(page)


def test_a_page_needs_nothing_from_elsewhere_and_has_both_colors() -> None:
    markup = html_report(reported((qa(), FULL)))
    page = Page(markup)
    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "default-src 'none'" in markup
    assert "color-scheme: light dark" in markup
    assert "prefers-color-scheme: dark" in markup
    assert "url(" not in markup
    assert "width=device-width" in markup


def test_a_report_of_nothing_is_a_page() -> None:
    assert "0 sets." in Page(html_report(Report(()))).text


ARTICLES = {
    "road": "The road to Kunduz was closed on Monday. Ten soldiers fled across the river.",
    "talks": "Talks opened in Doha on 7 July 2021. President Ghani said that they would go on for a week.",
    "bridge": "Engineers finished the bridge at Termez on 9 July 2021. It is 800 metres long.",
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    folder = tmp_path_factory.mktemp("real")
    for name, content in ARTICLES.items():
        (folder / f"{name}.txt").write_text(f"{name.title()} news\n\n{content}\n", encoding="utf-8")
    with Library(folder / "library", offline=True) as library:
        library.add(*(str(folder / f"{name}.txt") for name in ARTICLES))
        ids = {name: article.id for article in library.articles() for name in ARTICLES if name in article.title.lower()}
        yield report([run(CaseSet("real", tuple(cases(ids)), "a" * 64), library)])


def cases(ids: dict[str, str]) -> Iterator[Case]:
    ten = GoldEvidence("Ten soldiers fled across the river.", ids["road"])
    yield qa(id="fled", question="How many soldiers fled across the river?", claims=(TEN,), evidence=(ten,))
    yield qa(id="cost", question="What did the wheat harvest in Brazil cost?", answerable=False, claims=())
    yield SearchCase(id="long", task=CaseTask.SEARCH, question="How long is the bridge?", evidence=(ten,))
    yield SummaryCase(id="sum", task=CaseTask.SUMMARY, articles=(ids["bridge"],), words=40, claims=(TEN,))
    yield TimelineCase(id="time", task=CaseTask.TIMELINE, max_events=5, events={DAY: "Talks opened in Doha."})
    wrong = "Twelve soldiers fled across the river."
    yield CheckCase(id="check", task=CaseTask.CHECK, text=wrong, evidence=(ten,), verdict=Verdict.CONTRADICTED)


def test_a_real_report_has_every_case_with_what_came_of_it(real: Report) -> None:
    page = Page(html_report(real))
    assert_sound(page)
    assert {f"real/{scored.case.id}" for scored in real.sets[0].cases} <= set(page.ids)
    for scored in real.sets[0].cases:
        assert scored.result.error is None
        for statement in scored.result.statements:
            assert statement.shown in page.text
    for words in (
        "✓ made Ten soldiers fled.",
        "✓ cited as [1]",
        "abstained, because:",
        "contradicted is right",
        "Doha",
    ):
        assert words in page.text


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_a_browser_runs_nothing_of_it(tmp_path: Path) -> None:
    found = reported((qa(id=HOSTILE, question=HOSTILE, type=HOSTILE), answered(said(HOSTILE))), name=HOSTILE)
    (tmp_path / "page.html").write_text(html_report(found), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    command = [str(BROWSER), *options, (tmp_path / "page.html").as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "<title>Evaluation</title>" in shown
    assert "<details" in shown
