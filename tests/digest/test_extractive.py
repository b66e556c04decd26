"""Summaries offline, through the Library."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fake_embeddings import FakeEmbeddings

import rag
from rag.digest.excerpts import trimmed
from rag.errors import EmptyLibraryError, InputError
from rag.ingest.metadata import article
from rag.library import Library
from rag.schema import Article, Length, Reason, Status, Summary, Verdict, Window

KUNDUZ = "Taliban fighters captured the city of Kunduz on Sunday. At least 40 soldiers were killed in Kunduz."
DOHA = (
    "Delegations of the government and the Taliban resumed their negotiations in Doha. The talks will last three days."
)


def news(id: str, day: str, text: str, source: str = "Kabul Post", title: str = "") -> Article:
    return article(text, id=id, title=title or id, source=source, published=day)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("seeded") / "library", offline=True) as library:
        library.add("seeds")
        yield library


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("several") / "library", offline=True) as library:
        library.add(
            news("kunduz", "2021-08-08", KUNDUZ, title="Kunduz falls"),
            news("doha", "2021-08-10", DOHA, title="Talks in Doha"),
            news(
                "herat", "2021-08-11", "Taliban fighters captured the city of Kunduz on Sunday, 8 August.", "Herat News"
            ),
            news(
                "kabul",
                "2021-08-12",
                "The embassy of Norway in Kabul closed its doors. It is not clear how many people remain there.",
                title="Embassy closes",
            ),
        )
        yield library


def said(summary: Summary) -> str:
    return " ".join(statement.text for statement in summary.statements)


def test_the_seed_in_120_words_has_all_that_it_is_about(seeded: Library) -> None:
    summary = seeded.summarize(words=120)
    text = said(summary)
    meeting = ("Afghan government delegation met Taliban leaders", "Tehran", "Wednesday")
    delegations = ("Stanikzai", "on behalf of the Taliban", "Younis", "on behalf of the Afghan government")
    districts, flight = ("captured 10% of the districts",), ("1,000 government troops fled to Tajikistan",)
    reserves, consulates = ("Tajik", "20,000 reserve troops"), ("Turkish and Russian consulates", "closed")
    for words in (*meeting, *delegations, *districts, *flight, *reserves, *consulates):
        assert words in text
    assert summary.words == len(text.split()) <= 120
    assert summary.headline is not None
    assert "met Taliban leaders in the capital Tehran on Wednesday" in summary.headline


def test_every_statement_is_checked_and_cited_to_an_exact_span(seeded: Library) -> None:
    for statement in seeded.summarize(length=Length.LONG).statements:
        assert statement.verdict is Verdict.SUPPORTED
        for citation in statement.citations:
            assert citation.article.text[citation.start : citation.end] == citation.quote


@pytest.mark.parametrize("words", [15, 20, 60, 120, 250])
def test_the_number_of_words_is_honoured(seeded: Library, words: int) -> None:
    summary = seeded.summarize(words=words)
    assert 0 < summary.words <= words


@pytest.mark.parametrize(("length", "words", "most"), [("short", 60, 3), ("medium", 120, 7), ("long", 250, 15)])
def test_a_length_is_a_number_of_words_and_statements(seeded: Library, length: str, words: int, most: int) -> None:
    summary = seeded.summarize(length=Length(length))
    assert summary.words <= words
    assert 3 <= len(summary.statements) <= most


def test_nothing_is_said_twice(seeded: Library) -> None:
    statements = [s.text for s in seeded.summarize(words=400).statements]
    assert sum("delegation met" in text for text in statements) == 1
    assert len(set(statements)) == len(statements)


def test_the_same_library_gives_the_same_summary(seeded: Library) -> None:
    assert seeded.summarize().text == seeded.summarize().text


def test_a_topic_is_kept_to(seeded: Library) -> None:
    assert "Stanikzai" in said(seeded.summarize(topic="negotiations"))
    assert "20,000" not in said(seeded.summarize(topic="negotiations"))
    assert "1,000" in said(seeded.summarize(topic="military situation"))
    assert "Mazar-i-Sharif" in said(seeded.summarize(topic="consulates"))


@pytest.mark.parametrize("topic", ["football", "elections in France", "oil in Venezuela", "vaccines"])
def test_a_topic_of_no_article_has_no_statement(seeded: Library, topic: str) -> None:
    summary = seeded.summarize(topic=topic)
    assert (summary.status, summary.reason) == (Status.ABSTAINED, Reason.NOT_IN_ARTICLES)
    assert summary.text == "The articles say nothing on this topic."


def test_a_sentence_that_starts_with_a_pronoun_comes_with_the_one_before(tmp_path: Path) -> None:
    text = "Omar Rahimi governs Herat province. He ordered 3,000 police officers to the airport on 5 August 2021."
    with Library(tmp_path / "library", offline=True) as library:
        library.add(news("herat", "2021-08-06", text, title="Police at the airport of Herat"))
        (statement,) = library.summarize(words=20).statements
    assert statement.text == text
    assert statement.citations[0].quote == text


def test_a_pronoun_after_a_short_opening_needs_the_sentence_before_too(tmp_path: Path) -> None:
    text = (
        "The envoys ended their talks in Doha. In a joint statement they promised to release 5,000 prisoners by March."
    )
    with Library(tmp_path / "library", offline=True) as library:
        library.add(news("doha", "2021-01-06", text, title="Release of prisoners"))
        assert said(library.summarize(words=20)) == text


def test_a_pronoun_after_a_day_of_the_week_needs_the_sentence_before_too(tmp_path: Path) -> None:
    text = "Three envoys landed in Doha. On Tuesday they promised to release 5,000 prisoners by March."
    with Library(tmp_path / "library", offline=True) as library:
        library.add(news("doha", "2021-01-06", text, title="Release of prisoners"))
        assert said(library.summarize(words=20)) == text


def test_a_sentence_that_is_clear_alone_is_preferred(tmp_path: Path) -> None:
    clear = "The governor of Herat ordered 3,000 police officers to the airport."
    vague = "We will send 3,000 police officers from that area of Herat after that."
    with Library(tmp_path / "library", offline=True) as library:
        library.add(news("herat", "2021-08-06", f"{vague} {clear}"))
        assert said(library.summarize(words=14)) == clear


def test_room_is_filled_by_two_short_sentences_instead_of_a_long_one_that_tells_less(tmp_path: Path) -> None:
    long = "Omar Rahimi welcomed guests in the large garden of the old palace in the hills over the town of Herat."
    short = ("Farid Noori lost 40 soldiers in Herat.", "Karim Azizi paid 3,000 police officers.")
    with Library(tmp_path / "library", offline=True) as library:
        library.add(news("herat", "2021-08-06", " ".join((long, *short))))
        assert set(said(library.summarize(words=20)).split(". ")) >= {short[0].rstrip(".")}


def test_a_sentence_is_about_a_topic_by_the_passage_that_it_stands_in(tmp_path: Path) -> None:
    with Library(tmp_path / "library", offline=True) as library:
        library.add(
            news(
                "herat", "2021-08-13", "The Taliban took Herat on Thursday. Ismail Khan was captured with 40 officers."
            ),
            *(news(f"oil{n}", "2021-08-13", f"The price of oil rose to {n} dollars in London.") for n in range(70, 80)),
        )
        assert "Ismail Khan" in said(library.summarize(topic="Herat"))


def test_the_day_that_a_relative_date_means_is_marked(several: Library) -> None:
    shown = " ".join(statement.shown for statement in several.summarize("kunduz").statements)
    assert "on Sunday [8 August 2021]" in shown


def test_articles_are_named_by_id_or_given(several: Library) -> None:
    assert "Doha" in said(several.summarize("doha"))
    assert "Kunduz" not in said(several.summarize("doha"))
    given = news("given", "2021-08-09", "The bazaar of Taloqan burned down on Monday.")
    assert said(several.summarize(given)) == "The bazaar of Taloqan burned down on Monday."
    assert len(several.articles()) == 4
    with pytest.raises(InputError, match="no article has the id 'nowhere'"):
        several.summarize("nowhere")


def test_what_two_articles_say_cites_both(several: Library) -> None:
    summary = several.summarize("kunduz", "herat", topic="Kunduz")
    first = summary.statements[0]
    assert "captured the city of Kunduz" in first.text
    assert {citation.article.id for citation in first.citations} == {"kunduz", "herat"}
    assert [citation.number for citation in summary.citations] == list(range(1, len(summary.citations) + 1))


def test_a_number_that_only_meets_the_bound_of_another_is_no_second_report(tmp_path: Path) -> None:
    told = "At least {} people were killed in the crush at Bala airport on Monday, {} said."
    with Library(tmp_path) as library:
        library.add(news("a", "2021-08-16", told.format("five", "witnesses")))
        library.add(news("b", "2021-08-16", told.format("seven", "officials"), source="Herat Times"))
        library.add(news("c", "2021-08-16", told.format("five", "doctors"), source="Balkh Mail"))
        statements = library.summarize(words=60).statements
    five = next(s for s in statements if "five" in s.text)
    assert {c.article.id for c in five.citations} == {"a", "c"}
    assert "Herat Times" not in five.outlets


@pytest.mark.parametrize("topic", [None, "the city of Kunduz"])
def test_dates_and_sources_are_hard_limits(several: Library, topic: str | None) -> None:
    windows = {
        Window(as_of=date(2021, 8, 8)): {"kunduz"},
        Window(until=date(2021, 8, 10)): {"kunduz", "doha"},
        Window(since=date(2021, 8, 11)): {"herat", "kabul"},
        Window(sources=("herat news",)): {"herat"},
    }
    for window, admitted in windows.items():
        found = several.summarize(topic=topic, window=window)
        assert {citation.article.id for citation in found.citations} <= admitted
        assert found.statements


def test_a_window_without_articles_says_so(several: Library) -> None:
    for ids in ((), ("kunduz",)):
        summary = several.summarize(*ids, window=Window(since=date(2022, 1, 1)))
        assert (summary.status, summary.reason) == (Status.ABSTAINED, Reason.OUTSIDE_DATES)
        assert summary.text == "No article within the given dates and sources says anything on this."


def test_a_library_is_briefed_on_its_themes_its_news_and_what_is_not_known(several: Library) -> None:
    summary = several.summarize()
    *themes, new, _, _ = summary.sections
    titles = {article.title for article in several.articles()}
    assert 1 <= len(themes) <= 5
    assert {section.heading for section in themes} <= titles
    assert all(section.statements for section in themes)
    told = " ".join(statement.text for section in themes for statement in section.statements)
    assert "in Doha" in told
    assert "Kunduz" in told
    assert new.heading.startswith("New on 2021-08-12, compared with what was published until 2021-08-11")
    assert [section.heading for section in summary.sections[-2:]] == ["Open conflicts", "Not known"]
    assert "It is not clear how many people remain there." in " ".join(s.text for s in summary.statements)
    assert [s for section in summary.sections for s in section.statements] == list(summary.statements)
    assert len({s.text for s in summary.statements}) == len(summary.statements)


def test_a_section_of_a_briefing_that_has_nothing_says_so(several: Library) -> None:
    sections = several.summarize(window=Window(until=date(2021, 8, 10))).sections
    assert sections[-1].note == "Nothing was found that the latest articles call unknown."


HELD = "The battle for Panjshir killed 40 fighters on Monday, the National Resistance Front said."
TAKEN = "The battle for Panjshir killed 90 fighters on Monday, the National Resistance Front said."


@pytest.fixture(scope="module")
def disputed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("disputed") / "library", offline=True) as library:
        library.add(
            news("front", "2021-09-06", HELD, "Northgate Times"),
            news("taken", "2021-09-06", TAKEN, "Khyber Courier"),
            news("doha", "2021-09-07", DOHA, "Herat News"),
        )
        yield library


def test_what_sources_say_differently_on_a_topic_is_told_with_the_citations_of_the_statements(
    disputed: Library,
) -> None:
    summary = disputed.summarize(topic="Panjshir")
    (conflict,) = summary.conflicts
    assert {p.citation.article.id for p in conflict.positions} == {"front", "taken"}
    assert {p.citation.number for p in conflict.positions} <= {c.number for c in summary.citations}
    assert "Sources differ" in summary.text
    assert [summary.text.count(f"killed {dead} fighters") for dead in (40, 90)] == [1, 1]
    assert summary.to_dict()["conflicts"][0]["kind"] == "conflict"


def test_a_briefing_has_both_sides_of_what_is_open(disputed: Library) -> None:
    summary = disputed.summarize()
    section = next(s for s in summary.sections if s.heading == "Open conflicts")
    assert {s.text for s in section.statements} == {HELD, TAKEN}
    assert all(s.verdict is Verdict.SUPPORTED for s in section.statements)


THIRD = "The Taliban control 140 districts of Afghanistan, General Omar Rahimi said."
HALF = "The Taliban control 210 districts of Afghanistan, General Omar Rahimi said."


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("counted") / "library", offline=True) as library:
        library.add(
            news("third", "2021-07-06", f"{THIRD} Roads in the north are closed.", "Northgate Times"),
            news("half", "2021-07-21", f"{HALF} Shops in the capital are open.", "Kabul Ledger"),
        )
        yield library


@pytest.mark.parametrize("topic", [None, "districts under Taliban control"])
def test_a_number_that_a_later_article_gives_anew_is_only_what_was_reported_before(
    counted: Library, topic: str | None
) -> None:
    summary = counted.summarize(topic=topic)
    assert HALF in said(summary)
    assert THIRD not in said(summary)
    (conflict,) = summary.conflicts
    assert [p.value for p in conflict.positions] == ["210", "140"]
    assert str(conflict).startswith("Reported before: “The Taliban control 140 districts")


def test_what_is_superseded_after_the_window_is_told_as_it_was(counted: Library) -> None:
    summary = counted.summarize(topic="districts under Taliban control", window=Window(as_of=date(2021, 7, 10)))
    assert THIRD in said(summary)
    assert not summary.conflicts


@pytest.mark.parametrize("words", [16, 18, 40])
def test_what_holds_now_keeps_to_the_words_that_there_are(counted: Library, words: int) -> None:
    summary = counted.summarize(topic="districts under Taliban control", words=words)
    assert sum(len(s.text.split()) for s in summary.statements) <= words


@pytest.mark.parametrize(
    "other",
    [
        "About half of the districts in Helmand are under Taliban control, General Omar Rahimi said on Wednesday.",
        "About half of the soldiers of Afghanistan are under Taliban control, General Omar Rahimi said on Wednesday.",
        "About half of the districts of Afghanistan are held by the army, General Omar Rahimi said on Wednesday.",
    ],
)
def test_shares_of_other_places_things_or_sides_supersede_nothing(tmp_path: Path, other: str) -> None:
    with Library(tmp_path / "library", offline=True) as library:
        library.add(news("third", "2021-07-06", THIRD), news("other", "2021-07-21", other))
        assert library.conflicts() == ()


def test_nothing_is_told_of_conflicts_where_there_are_none(several: Library) -> None:
    summary = several.summarize()
    section = next(s for s in summary.sections if s.heading == "Open conflicts")
    assert (section.statements, summary.conflicts) == ((), ())
    assert "conflicts" not in summary.to_dict()


def test_a_statement_has_the_outlets_that_report_it_and_a_copy_is_none(tmp_path: Path) -> None:
    with Library(tmp_path / "library", offline=True) as library:
        library.add(
            news("a", "2021-08-08", KUNDUZ, "Kabul Post"),
            news(
                "b",
                "2021-08-09",
                "Traders shut their shops in Takhar for fear of looting. Taliban fighters captured the city of Kunduz "
                "on Sunday, 8 August. Roads to the south are full of families with carts, and bread has become scarce.",
                "Herat News",
            ),
        )
        found = {s.text: s.outlets for s in library.summarize(topic="Kunduz", words=60).statements}
        assert ("Kabul Post", "Herat News") in found.values()
    with Library(tmp_path / "copies", offline=True) as library:
        library.add(
            news("a", "2021-08-08", KUNDUZ, "Kabul Post"),
            news("b", "2021-08-09", f"{KUNDUZ} More follows.", "Herat News"),
        )
        assert all(len(s.outlets) == 1 for s in library.summarize(topic="Kunduz", words=30).statements)


def test_the_json_has_its_keys_and_points_to_the_citations(several: Library) -> None:
    record = several.summarize().to_dict()
    keys = (
        "schema topic status reason headline text statements sections citations articles words as_of mode model usage"
    )
    assert {*keys.split(), "timings", "warnings"} <= record.keys()
    numbers = {citation["number"] for citation in record["citations"]}
    assert {n for statement in record["statements"] for n in statement["citations"]} == numbers
    assert record["headline"] == record["statements"][0]["text"]


def test_any_embedding_model_will_do(tmp_path: Path) -> None:
    with Library(tmp_path / "library", embeddings=FakeEmbeddings(), offline=True) as library:
        library.add("seeds")
        assert "Tehran" in said(library.summarize())
        assert "consulates" in said(library.summarize(topic="consulates"))
        assert library.summarize(topic="football").statements == ()


def test_an_empty_library_and_an_empty_topic_are_errors(tmp_path: Path, seeded: Library) -> None:
    with Library(tmp_path / "library") as library, pytest.raises(EmptyLibraryError):
        library.summarize()
    with pytest.raises(InputError, match="has no words in it"):
        seeded.summarize(topic="the")
    with pytest.raises(InputError, match="words is 0"):
        seeded.summarize(words=0)


def test_the_one_liner_summarizes_files() -> None:
    assert "Tehran" in said(rag.summarize("seeds", words=60))


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Meanwhile, Herat fell.", "Herat fell."),
        ("On the other hand, Herat fell.", "Herat fell."),
        ("But in Herat, guns fell silent.", "In Herat, guns fell silent."),
        ("So far, Herat has held.", "So far, Herat has held."),
        (
            "The airport of Herat, the third largest city of Afghanistan, was closed.",
            "The airport of Herat was closed.",
        ),
        ("Zaranj, the capital of Nimroz province, fell on Friday.", "Zaranj fell on Friday."),
        (
            "Panjshir, the last province, their spokesman said, fell.",
            "Panjshir, the last province, their spokesman said, fell.",
        ),
        ("Ismail Khan, a commander, was in Herat.", "Ismail Khan, a commander, was in Herat."),
        ("According to officials, Herat fell.", "According to officials, Herat fell."),
        ("Reportedly, Herat fell.", "Reportedly, Herat fell."),
    ],
)
def test_only_what_joins_a_sentence_to_others_is_left_out(sentence: str, shown: str) -> None:
    assert trimmed(sentence) == shown
