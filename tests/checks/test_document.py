"""Checking a text: each sentence with its verdict, the nearest sentences, what differs, and second opinions."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from openai_server import OpenAIServer, refused_key
from tiny_entailment import tiny_model
from typer.testing import CliRunner, Result

import rag
from rag.cli.app import app
from rag.render.lines import check_lines
from rag.schema import Answer, Article, Precision, Published, Status, Verdict

SEEDS = Path(__file__).parents[2] / "seeds"
SEED = SEEDS / "2021-07-07-tehran-talks.txt"
DRAFT = (
    "Around 1,000 Afghan soldiers fled to Tajikistan. "
    "About 20,000 Afghan soldiers crossed the border. "
    "The Taliban have set up a bank in Herat."
)


def verdicts(answer: Answer) -> list[Verdict]:
    return [statement.verdict for statement in answer.statements]


def run(*arguments: str, stdin: str | None = None, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin, env=env)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> rag.Library:
    made = rag.Library(tmp_path_factory.mktemp("checked") / "library")
    made.add(SEEDS)
    return made


@pytest.fixture
def second() -> Article:
    told = "Kabul lost power on Friday. The grid was attacked by unknown men, the utility said."
    return Article("power", "Power", told, "0", published=Published(date(2021, 7, 9), Precision.DAY))


def test_each_sentence_has_a_verdict_and_its_nearest_sentences(library: rag.Library) -> None:
    answer = library.check(DRAFT)
    assert verdicts(answer) == [Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.UNSUPPORTED]
    assert all(statement.citations for statement in answer.statements)
    assert "around 1,000 Afghan soldiers crossed" in answer.statements[0].citations[0].quote
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))


def test_what_differs_is_named(library: rag.Library) -> None:
    wrong = library.check(DRAFT).statements[1]
    failed = [(c.kind, c.expected, c.found) for c in wrong.checks if not c.passed and c.kind == "number"]
    assert failed == [("number", "20,000", "1,000")]


def test_the_status_comes_from_the_verdicts(library: rag.Library) -> None:
    assert library.check(DRAFT).status is Status.PARTIAL
    assert library.check("Around 1,000 Afghan soldiers fled to Tajikistan.").status is Status.ANSWERED
    assert library.check("The Taliban have set up a bank in Herat.").status is Status.PARTIAL


def test_doubtful_sentences_are_counted_in_warnings_and_marked_in_the_text(library: rag.Library) -> None:
    answer = library.check(DRAFT)
    assert "1 of 3 statements contradicted by what is cited" in answer.warnings
    assert "(contradicted by what it cites)" in answer.text


def test_the_json_is_that_of_an_answer(library: rag.Library) -> None:
    record = json.loads(json.dumps(library.check(DRAFT).to_dict()))
    assert record["schema"] == 1
    assert [s["verdict"] for s in record["statements"]] == ["supported", "contradicted", "unsupported"]
    assert record["statements"][0].keys() == {"text", "citations", "verdict", "speaker", "checks"}


def test_one_call_checks_against_files_without_a_library() -> None:
    assert verdicts(rag.check(DRAFT, SEED)) == verdicts(rag.check(DRAFT, [str(SEED)]))
    assert verdicts(rag.check(DRAFT, SEED))[1] is Verdict.CONTRADICTED


def test_a_mark_is_the_article_in_that_place(second: Article) -> None:
    found = rag.check("Kabul lost power on Friday [2]. Kabul lost power on Friday [1].", [SEED, second])
    assert verdicts(found) == [Verdict.SUPPORTED, Verdict.UNSUPPORTED]
    assert found.statements[0].text == "Kabul lost power on Friday."


def test_a_mark_that_stands_for_nothing_is_told_and_never_dropped(second: Article) -> None:
    found = rag.check("Kabul lost power on Friday [7].", second)
    assert verdicts(found) == [Verdict.UNSUPPORTED]
    assert ("citation", "[7]") in [(c.kind, c.expected) for c in found.statements[0].checks if not c.passed]
    assert "1 citations stand for nothing that was given" in found.warnings


def test_marks_in_a_text_without_given_articles_are_told_of(library: rag.Library) -> None:
    found = library.check("Around 1,000 Afghan soldiers fled to Tajikistan [4].")
    assert verdicts(found) == [Verdict.SUPPORTED]
    assert any("marks such as [1]" in warning for warning in found.warnings)


@pytest.fixture
def outlets() -> list[Article]:
    told = {
        "Pamir Wire": "Nine people died when the dam burst.",
        "Upland Record": "Seven died when the dam burst. All is well. Two of the nine boats sank, the police said.",
    }
    day = Published(date(2021, 7, 9), Precision.DAY)
    return [Article(source, "News", text, source, published=day, source=source) for source, text in told.items()]


def test_an_outlet_in_brackets_is_held_against_its_own_article(outlets: list[Article]) -> None:
    own = rag.check("Nine people died when the dam burst (Pamir Wire, 9 July 2021).", outlets)
    other = rag.check("Nine people died when the dam burst (Upland Record, 9 July 2021).", outlets)
    assert [*verdicts(own), *verdicts(other)] == [Verdict.SUPPORTED, Verdict.CONTRADICTED]
    assert {c.article.source for c in other.citations} == {"Upland Record"}


def test_all_of_a_neighbour_does_not_bear_out_all_of_something_else(outlets: list[Article]) -> None:
    assert verdicts(rag.check("All of the boats sank, the police said.", outlets)) == [Verdict.UNSUPPORTED]


def test_another_number_of_the_same_thing_in_nearer_evidence_decides() -> None:
    articles = SEEDS.parent / "evals/corpora/afghanistan-2021"
    found = rag.check("About 20,000 Afghan soldiers crossed the border to Tajikistan.", articles)
    assert verdicts(found) == [Verdict.CONTRADICTED]


def test_a_number_of_reservists_is_none_of_soldiers() -> None:
    articles = SEEDS.parent / "evals/corpora/afghanistan-2021"
    found = rag.check("Nearly 20,000 Afghan soldiers fled across the border into Tajikistan.", articles)
    assert verdicts(found) == [Verdict.UNSUPPORTED]


def test_another_speaker_is_told() -> None:
    told = (
        "The two officials had approved buildings without inspection, according to prosecutor Jan Lemke. "
        "A lawyer of the builders denied that any rule had been broken."
    )
    article = Article("tesh", "Arrests", told, "0", published=Published(date(2024, 3, 22), Precision.DAY))
    stated = "{} said that two officials had signed off buildings without inspecting them."
    wrong = rag.check(stated.format("The builders' lawyer"), article).statements[0]
    assert [c.found for c in wrong.checks if c.kind == "speaker" and not c.passed] == ["prosecutor Jan Lemke"]
    assert verdicts(rag.check(stated.format("Prosecutor Jan Lemke"), article)) == [Verdict.SUPPORTED]


def test_a_quotation_that_is_not_in_the_articles_fails() -> None:
    found = rag.check("“Taliban terrorists are moving very slowly towards Kabul”, the article says.", SEED)
    quote = next(c for c in found.statements[0].checks if c.kind == "quote")
    assert (quote.passed, quote.found) == (False, "Taliban terrorists are moving very quickly towards Kabul")


def test_a_sentence_without_content_is_not_checked(library: rag.Library) -> None:
    assert verdicts(library.check("Yes.")) == [Verdict.UNCHECKED]


def test_a_text_without_sentences_and_articles_that_are_not_there_are_errors(tmp_path: Path) -> None:
    with pytest.raises(rag.InputError, match="no sentence"):
        rag.check("  ", SEED)
    with pytest.raises(rag.EmptyLibraryError, match=r"none\.txt"):
        rag.check(DRAFT, tmp_path / "none.txt")
    with rag.Library(tmp_path / "library") as empty, pytest.raises(rag.EmptyLibraryError):
        empty.check(DRAFT)


def test_an_unknown_article_is_refused(library: rag.Library) -> None:
    with pytest.raises(rag.InputError, match="no article has the id"):
        library.check(DRAFT, against=["nothing"])


def test_checking_twice_gives_the_same(library: rag.Library) -> None:
    first, again = library.check(DRAFT), library.check(DRAFT)
    assert first.statements == again.statements


def test_a_judge_settles_what_the_checks_leave_open_and_is_not_asked_about_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = {"number": 1, "reason": "The quote says that they fled.", "verdict": "supported"}
    with OpenAIServer(json.dumps({"verdicts": [verdict]})) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with rag.Library(tmp_path / "library", judge="local") as judged:
            judged.add(SEEDS)
            settled = judged.check("Afghan soldiers escaped over the frontier in panic.")
            judged.check("Around 1,000 Afghan soldiers fled to Tajikistan.")
            judged.check("Around 1,500 Afghan soldiers crossed the border and fled to Tajikistan.")
    (statement,) = settled.statements
    assert statement.verdict is Verdict.SUPPORTED
    assert statement.opinion == rag.Opinion("openai:local", Verdict.SUPPORTED, "The quote says that they fled.")
    assert settled.to_dict()["statements"][0]["judge"]["verdict"] == "supported"
    assert not any("not supported" in warning for warning in settled.warnings)
    assert settled.usage.input_tokens > 100
    assert len([request for request in server.requests if request.path.endswith("completions")]) == 1


def test_a_judge_whose_key_is_refused_ends_with_4(tmp_path: Path) -> None:
    with OpenAIServer(by=lambda _: refused_key()) as server:
        env = {"OPENAI_BASE_URL": server.url, "RAG_HOME": str(tmp_path / "library")}
        found = run("check", "-", "--against", str(SEED), "--judge", "local", stdin=DRAFT, env=env)
    assert found.exit_code == 4


def test_a_local_entailment_model_replaces_the_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_VERIFIER", str(tiny_model(tmp_path / "model")))
    found = rag.check("Around 1,000 Afghan soldiers fled to Tajikistan.", SEED)
    kinds = {c.kind for c in found.statements[0].checks}
    assert "entailment" in kinds or "contradiction" in kinds
    assert "support" not in kinds


def test_the_command_prints_verdicts_and_differences(tmp_path: Path) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_text(DRAFT, encoding="utf-8")
    found = run("check", str(draft), "--against", str(SEED), env={"RAG_HOME": str(tmp_path / "library")})
    assert found.exit_code == 0
    assert "[contradicted] About 20,000 Afghan soldiers crossed the border." in found.stdout
    assert "- number: 20,000; the articles have 1,000" in found.stdout
    assert "3 sentences: 1 supported, 1 unsupported, 1 contradicted" in found.stdout


def test_a_strict_check_exits_with_9(tmp_path: Path) -> None:
    env = {"RAG_HOME": str(tmp_path / "library")}
    assert run("check", "-", "-a", str(SEED), "--strict", "-q", stdin=DRAFT, env=env).exit_code == 9


@pytest.mark.parametrize("given", ["/no/such/file", "-"])
def test_what_cannot_be_checked_is_an_error(given: str, tmp_path: Path) -> None:
    found = run("check", given, "--against", str(SEED), stdin=" ", env={"RAG_HOME": str(tmp_path / "library")})
    assert found.exit_code == 2
    assert found.stderr.startswith("rag: ")


def test_lines_keep_to_the_width(library: rag.Library) -> None:
    assert all(len(line.text) <= 60 for line in check_lines(library.check(DRAFT), width=60) if not line.quiet)


ORCHARD = (
    "The orchard at Lenz sold 340 crates of pears in August. The growers hired 25 pickers at the end of the month. "
    "A hailstorm broke 90 panes of the old greenhouse on Tuesday."
)


@pytest.mark.parametrize(
    ("draft", "told", "verdict"),
    [
        (
            "The orchard at Lenz sold 430 crates of pears in August.",
            "number: 430; the articles have 340",
            Verdict.CONTRADICTED,
        ),
        ("The growers at Lenz picked 800 crates of pears.", "number: 800; not confirmed", Verdict.UNSUPPORTED),
    ],
)
def test_another_number_is_named_only_if_it_counts_the_same(draft: str, told: str, verdict: Verdict) -> None:
    orchard = Article("lenz", "Pears", ORCHARD, "0", published=Published(date(2024, 9, 4), Precision.DAY))
    answer = rag.check(draft, orchard)
    assert verdicts(answer) == [verdict]
    assert f"    - {told}" in [line.text for line in check_lines(answer)]
