"""The ledger of figures: what each counts, its bounds, its day, its speaker and its independent outlets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rag
from rag.cli.app import app
from rag.digest.excerpts import Excerpt
from rag.digest.figures import figures_of
from rag.errors import EmptyLibraryError, InputError
from rag.ingest.metadata import article
from rag.news import Interests, since
from rag.render.digest_lines import figure_lines
from rag.render.tables import csv_text
from rag.schema import Figures, Reason, Span, Status

FIRST = article(
    "At least 60 Afghans were killed in an attack outside Kabul airport on Thursday, health officials said. Twelve "
    "American service members were killed, the Pentagon said. The road has four lanes.\n\nSome 20 others were hurt.",
    title="Bombs at Kabul airport",
    source="Pamir Wire",
    published="2021-08-26",
)
COPY = article(
    "At least 60 Afghans were killed in an attack outside Kabul airport on Thursday, health officials said. Twelve "
    "American service members were killed, the Pentagon said.",
    title="Dozens die at airport gate",
    source="Khyber Courier",
    published="2021-08-26",
)
LATER = article(
    "At least 170 Afghans were killed in Thursday's attack outside Kabul airport, health officials said. "
    "An attack on the airport in 2014 killed 5 soldiers.",
    title="Death toll of airport attack rises",
    source="Northgate Times",
    published="2021-08-27",
)
OTHER = article(
    "Seven people were killed in a flood near Herat on Monday, the governor, Ali Shams, said.",
    title="Flood near Herat",
    source="Harirud Post",
    published="2021-08-24",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rag.Library]:
    with rag.Library(tmp_path_factory.mktemp("library"), offline=True) as made:
        made.add(FIRST, COPY, LATER, OTHER)
        yield made


def counted(text: str) -> list[tuple[str, str, float | None, float | None]]:
    """What the figures of a sentence count, as written, with their bounds."""
    excerpt = Excerpt(article(text, title="A report", published="2021-08-26"), "", Span(0, len(text)), 0, len(text))
    return [(r.counts.text, r.figure.text, r.figure.low, r.figure.high) for r in figures_of(excerpt)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("At least 60 Afghans were killed on Thursday.", ("Afghans killed", "At least 60", 60, None)),
        ("The quake killed 1,246 people, it said.", ("people killed", "1,246", 1246, 1246)),
        ("Up to 40 houses were destroyed.", ("houses destroyed", "Up to 40", None, 40)),
        ("Between 180 and 220 villages were destroyed.", ("villages destroyed", "Between 180 and 220", 180, 220)),
        ("Five to seven people were killed.", ("people killed", "Five to seven", 5, 7)),
        ("The death toll of the quake rose to 1,180, the ministry said.", ("death toll", "1,180", 1180, 1180)),
        ("Some 45,000 people have lost their homes.", ("people lost their homes", "Some 45,000", 45000, 45000)),
        ("He said that 1,037 soldiers crossed the border.", ("soldiers crossed the border", "1,037", 1037, 1037)),
        ("They captured 10% of the districts of the country.", ("districts captured", "10%", 10, 10)),
        ("More than 70,700 people were flown out since then.", ("people flown out", "More than 70,700", 70700, None)),
        ("Boats have taken 312 people to safety.", ("people taken to safety", "312", 312, 312)),
        ("They arrested 11 guards and two officials.", ("guards arrested", "11", 11, 11)),
        ("Thieves stole 340 coins on Thursday night.", ("coins stolen", "340", 340, 340)),
        ("The number of people killed by it rose from 29 to 34.", ("number of people killed", "34", 34, 34)),
        ("The number of dead was lowered from six to five.", ("number of dead", "five", 5, 5)),
        ("The number of deaths remains four.", ("number of deaths", "four", 4, 4)),
        ("The fire has burned 1,900 hectares.", ("hectares burned", "1,900", 1900, 1900)),
        ("The bomb killed 30 people and wounded 12.", ("people killed", "30", 30, 30)),
        ("At least 16 people are now known to have died in it.", ("people died", "At least 16", 16, None)),
        ("Shells fell on the market, killing at least six people.", ("people killed", "at least six", 6, None)),
        ("Twelve people died when the dam broke, the police said.", ("people died", "Twelve", 12, 12)),
        ("Nine people are still missing.", ("people missing", "Nine", 9, 9)),
        (
            "The number of people killed when the dam broke rose to nine on Thursday.",
            ("number of people killed", "nine", 9, 9),
        ),
    ],
)
def test_what_a_figure_counts_is_read(text: str, found: tuple[str, str, float | None, float | None]) -> None:
    assert counted(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "Trucks with 30 soldiers were hit near the river.",
        "Some 20 others were wounded in the attack.",
        "He denied that 100 civilians had been killed there.",
        "The ministry will send 3,000 soldiers to the border.",
        "Up to 40 people were feared dead after the storm.",
        "The strike appears to have killed 7 children.",
        "About 30 people could have been killed in the raid.",
        "At least 16 people are feared to have died in it.",
        "At least 16 people were said to have died in it.",
        "They met the families of the dead, including 12 children.",
        "Dozens of attackers were killed in the fighting.",
        "The number of the wounded rose from 24 to 37 soldiers.",
        "The number of beds at 12 hospitals fell again.",
        "The number of dead could rise to 400 by Friday.",
        "They killed 30 police and wounded soldiers.",
        "He was killed 30 kilometres from the border.",
        "It trained over three hu- — nearly 300,000 men.",
        "More than 2,000 were injured in the quake there.",
        "The town beat the leaders 2-1 on Sunday afternoon.",
        "It broke out on 15 October and was put out at 5:30.",
        "Honduras sent 7,000 police and soldiers to the border.",
        "Officials gave over 100 radio, television and podcast interviews.",
        "About 19 million appointments were changed, cancelled or moved.",
        "Some 30 people were hurt or killed in the raid.",
        "Nearly 90% of the jobs created there are for builders.",
        "The vaccine for COVID-19 vaccines was made there.",
        "In the city 19 states have red flag laws.",
        "He was paid 36 times as much as they are.",
        "Some 70 fighters had been taken before that.",
        "In all 28 military flights evacuated the wounded and others.",
        "It would have killed people if they had kept 2,500 troops there.",
        "A disease that killed 600,000 people qualifies as a risk.",
        "It took 6,000 troops to protect the airport.",
        "Prices fell 10 cents within a week.",
        "The $578 million yacht was seized in Italy.",
        "They fought over House-passed 500 pages of laws.",
        "We need 50 votes in order to do that.",
        "The firm is to shed 127 jobs this year.",
        "They were leaked to the organisation 38 degrees.",
        "More than 32 rebels joined Tory and Whig ranks.",
        "Stocks had fallen 10 million barrels to 294 million.",
        'It drove four of the detainees to "madness" there.',
        'They found nine schools "inadequate" last year.',
        "It prompted three agencies - A, B and C - to downgrade it.",
        "Silva required eight minutes of treatment there.",
        "About 12,000 teachers went on strike in Meria.",
        "They cleaned 215 living ones.",
        "They found a bomb that weighed 250 kilograms.",
    ],
)
def test_what_is_not_clear_is_left_out(text: str) -> None:
    assert counted(text) == []


def test_a_series_has_days_bounds_speakers_and_citations(library: rag.Library) -> None:
    found = library.figures("airport attack")
    afghans, americans = found.series
    assert (afghans.counts, americans.counts) == ("Afghans killed", "American service members killed")
    rows = [(f.day, f.text, f.speaker) for f in afghans.figures]
    assert rows == [
        ("2021-08-26", "At least 60", "health officials"),
        ("2021-08-27", "At least 170", "health officials"),
    ]
    assert (afghans.minimum.text, afghans.maximum.text) == ("At least 60", "At least 170")
    for figure in (*afghans.figures, *americans.figures):
        assert figure.text in figure.citation.quote
        assert figure.citation in found.citations


def test_copies_of_one_report_are_one_origin(library: rag.Library) -> None:
    first = library.figures("airport attack").series[0].figures[0]
    assert first.outlets == ("Pamir Wire",)


def test_an_independent_report_of_the_same_value_is_a_row_of_its_own(library: rag.Library) -> None:
    with rag.Library(library.path / "second", offline=True) as other:
        other.add(
            FIRST,
            article(
                "Hospitals in the capital were full on Friday. At least 60 Afghans were killed in the attack at Kabul "
                "airport, doctors said.",
                title="Full wards",
                source="Bamiyan Bulletin",
                published="2021-08-27",
            ),
        )
        series = other.figures("airport attack").series[0]
    assert [figure.outlets for figure in series.figures] == [("Pamir Wire", "Bamiyan Bulletin")] * 2


def test_history_and_other_topics_are_left_out(library: rag.Library) -> None:
    counts = [series.counts for series in library.figures("airport attack").series]
    assert "soldiers killed" not in counts
    assert "people killed" not in counts
    assert [s.counts for s in library.figures("flood").series] == ["people killed"]


@pytest.mark.parametrize(
    ("text", "happened"),
    [
        ("On Thursday, 60 people were killed in the attack there.", "2021-08-26"),
        ("The attack of 24 August killed 60 people.", "2021-08-24"),
        ("Today's report had news: 60 people were killed.", None),
        ("60 people were killed, the ministry said on Thursday.", None),
        ("After it began on Monday, 60 people were killed.", None),
        ("The death toll of the quake rose to 60 on Wednesday.", None),
    ],
)
def test_only_a_day_in_its_clause_is_the_day_of_an_event(text: str, happened: str | None) -> None:
    excerpt = Excerpt(article(text, title="A report", published="2021-08-26"), "", Span(0, len(text)), 0, len(text))
    (reported,) = figures_of(excerpt)
    assert [when.date.isoformat() for when in reported.event.days] == ([happened] if happened else [])


def test_a_rising_toll_is_one_series_and_a_revision_for_news(tmp_path: Path) -> None:
    reports = (
        ("The Orrin dam broke. At least four people were killed at the Orrin dam, police said.", "2023-10-04"),
        ("The number of people killed when the Orrin dam broke rose to nine on Thursday.", "2023-10-05"),
        ("The head of the Orrin dam stepped down.\n\nThe toll stood at fourteen on Monday.", "2023-10-09"),
        ("Seventeen people are now known to have died when the Orrin dam broke, police said.", "2023-10-13"),
        ("Eighteen people died in the flood after the Orrin dam broke, police said.", "2023-10-14"),
        ("A bus hit the rail of the Orrin dam. Twenty cars were damaged.", "2023-10-15"),
    )
    with rag.Library(tmp_path, offline=True) as library:
        library.add(*(article(text, title="At the dam", source=day, published=day) for text, day in reports))
        (series,) = [s for s in library.figures("Orrin dam").series if "people" in s.counts]
        (revision,) = [c for c in library.conflicts(topic="Orrin dam") if c.positions[0].value == "Eighteen"]
        (news,) = [c for c in since(library, date(2023, 10, 14), Interests()) if c.kind == "revised"]
    assert [f.low for f in series.figures] == [4, 9, 14, 17, 18]
    assert [p.value for p in revision.positions] == ["Eighteen", "Seventeen", "fourteen", "nine", "At least four"]
    assert "now “Eighteen people died" in news.text


def test_figures_of_two_events_are_two_series(tmp_path: Path) -> None:
    with rag.Library(tmp_path, offline=True) as other:
        reports = (
            ("Five people were killed in a crush at Kabul airport on Monday, witnesses said.", "2021-08-16"),
            ("Seven people were killed in a crush at Kabul airport on Monday, officials said.", "2021-08-17"),
            ("Eight people were killed in an attack at Kabul airport on Tuesday, officials said.", "2021-08-25"),
            ("Three people were killed in a crush at Herat airport on Monday, witnesses said.", "2021-08-16"),
            ("A guard said at the airport that nine people were killed.", "2021-08-18"),
        )
        other.add(*(article(text, title="At an airport", source=day, published=day) for text, day in reports))
        found = {(s.happened, s.minimum.least, s.maximum.most) for s in other.figures("airport").series}
    assert found == {("2021-08-16", 5, 7), ("2021-08-24", 8, 8), ("2021-08-16", 3, 3), (None, 9, 9)}


def test_an_article_on_the_topic_counts_with_sentences_that_do_not_name_it(tmp_path: Path) -> None:
    text = (
        "A ferry sank on Lake Maro late on Monday. At least 31 people drowned, the coast guard said. "
        "In 2011, 140 people were killed on the lake. At Torben 12 people were killed.\n\n"
        "Divers recovered 27 bodies from the lower deck."
    )
    other = "A bus fell into a river. Nine people drowned. The ferry is near."
    with rag.Library(tmp_path, offline=True) as library:
        library.add(article(text, title="Ferry sinks", source="Lake Tribune", published="2023-04-11"))
        library.add(article(other, title="Bus accident", source="Radio Delta", published="2023-04-11"))
        found = {(s.counts, s.span) for s in library.figures("ferry").series}
    assert found == {("people drowned", "At least 31"), ("bodies recovered from the lower deck", "27")}


def test_another_word_for_the_topic_is_enough_at_the_beginning_of_an_article(tmp_path: Path) -> None:
    text = (
        "A wildfire has crossed the Sall, police said. Eleven people were injured, said Ida Marne, a doctor.\n\n"
        "The fire began on Thursday."
    )
    with rag.Library(tmp_path, offline=True) as library:
        library.add(article(text, title="Orrin blaze spreads", source="Lake Tribune", published="2023-04-11"))
        assert [s.counts for s in library.figures("Orrin fire").series] == ["people injured"]


def test_a_narrow_terminal_shows_each_figure_once(library: rag.Library) -> None:
    lines = [line.text for line in figure_lines(library.figures("airport attack"), width=40)]
    (row,) = [place for place, line in enumerate(lines) if line.startswith("  2021-08-27  At least 170")]
    assert lines[row + 1].startswith(" " * 28)
    assert lines[row + 1].strip()


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("An estimated 60 houses were destroyed in the flood.", None),
        ("The state is one of the few, and 600 workers were employed in it.", None),
        ("Seven states have taken this step; 60 of the houses were destroyed.", None),
        ("The World Labour Office (WLO) said that 60 houses were destroyed.", None),
        ("60 houses were destroyed, the governor, Ali Shams, said.", "Ali Shams"),
    ],
)
def test_only_a_name_is_a_speaker(text: str, speaker: str | None) -> None:
    excerpt = Excerpt(article(text, title="A report", published="2021-08-26"), "", Span(0, len(text)), 0, len(text))
    assert [r.figure.speaker for r in figures_of(excerpt)] == [speaker]


def test_only_what_is_asked_for_is_counted(library: rag.Library) -> None:
    assert [s.counts for s in library.figures("airport attack", counting="Afghans").series] == ["Afghans killed"]
    assert library.figures("airport attack", counting="arrested").status is Status.ABSTAINED


def test_an_earlier_day_knows_only_the_earlier_figure(library: rag.Library) -> None:
    (afghans, *_) = library.figures("airport attack", as_of="2021-08-26").series
    assert [f.text for f in afghans.figures] == ["At least 60"]
    assert library.figures("airport", until="2021-01").reason is Reason.OUTSIDE_DATES


def test_a_topic_without_words_is_an_error(library: rag.Library) -> None:
    for wrong in ({"topic": "the"}, {"topic": "flood", "counting": "of the"}):
        with pytest.raises(InputError, match="has no words to look for"):
            library.figures(**wrong)


def test_an_empty_library_is_an_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    with rag.Library(tmp_path_factory.mktemp("none"), offline=True) as empty, pytest.raises(EmptyLibraryError):
        empty.figures("flood")


def test_it_comes_back_from_its_record_and_is_shown(library: rag.Library) -> None:
    found = library.figures("airport attack")
    assert Figures.from_dict(found.to_dict()).to_dict() == json.loads(json.dumps(found.to_dict()))
    assert "| 2021-08-27 | At least 170" in found.to_markdown()
    assert "<td>At least 170" in found._repr_html_()
    assert len(repr(found)) < 300
    shown = [line.text for line in figure_lines(found)]
    assert shown[0] == "Afghans killed (2021-08-26): lowest At least 60, highest At least 170"
    assert shown[1].startswith("  2021-08-26  At least 60   [1] Pamir Wire")


def test_csv_has_a_row_for_each_figure_and_no_formula(library: rag.Library) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(library.figures("airport attack")))))
    assert [(row["counts"], row["figure"], row["low"], row["high"]) for row in rows][:2] == [
        ("Afghans killed", "At least 60", "60", ""),
        ("Afghans killed", "At least 170", "170", ""),
    ]
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row.values())


def test_the_command_prints_each_form(library: rag.Library) -> None:
    def run(*arguments: str) -> str:
        found = CliRunner().invoke(app, ["figures", "--library", str(library.path), *arguments])
        assert found.exit_code == 0, found.output
        return found.stdout

    assert "highest At least 170" in run("--topic", "airport attack")
    assert json.loads(run("--topic", "airport attack", "--json"))["series"][0]["counts"] == "Afghans killed"
    assert run("--topic", "airport attack", "--counting", "Afghans", "--format", "csv").count("\n") == 3
    assert "[^1]" in run("--topic", "airport attack", "--format", "markdown")


def test_the_command_wants_a_topic(library: rag.Library) -> None:
    found = CliRunner().invoke(app, ["figures", "--library", str(library.path)])
    assert (found.exit_code, found.stdout) == (2, "")
    assert "no topic was given" in found.stderr
