"""`rag timeline --format csv` and `ics`."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli.app import app
from rag.ingest.metadata import article
from rag.render.tables import csv_timeline, ics_timeline
from rag.schema import Citation, Conflict, Dispute, Event, Position, Precision, Statement, Timeline, Verdict


def event(text: str, day: str = "2021-08-08", precision: Precision = Precision.DAY, *, stated: bool = True) -> Event:
    source = article(text, id="a", title="Report; part 1", source="Pamir, Wire", published="2021-08-09")
    source = replace(source, url="https://example.org/a")
    citation = Citation(1, source, "p", 0, len(source.text), source.text)
    return Event(date.fromisoformat(day), precision, Statement(text, (citation,), Verdict.SUPPORTED), stated)


def timeline(*events: Event, topic: str | None = None) -> Timeline:
    return Timeline(topic, (), events, citations=tuple(c for e in events for c in e.statement.citations))


def entries(calendar: bytes) -> list[dict[str, str]]:
    """The properties of each event, unfolded and still escaped."""
    found: list[dict[str, str]] = []
    for line in calendar.decode().replace("\r\n ", "").split("\r\n"):
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            found[-1].setdefault(name, value)
    return found


def table(content: bytes) -> list[dict[str, str]]:
    assert content.startswith("\ufeff".encode())
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_calendar_has_an_entry_of_whole_days_for_each_event() -> None:
    calendar = ics_timeline(timeline(event("Kunduz fell."), topic="the war"))
    assert calendar.startswith(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert calendar.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")
    assert b"X-WR-CALNAME:Timeline: the war\r\n" in calendar
    (entry,) = entries(calendar)
    assert (entry["DTSTART;VALUE=DATE"], entry["DTEND;VALUE=DATE"]) == ("20210808", "20210809")
    assert entry["DTSTAMP"] == "20210809T000000Z"
    assert entry["SUMMARY"] == "Kunduz fell."
    assert entry["DESCRIPTION"] == "“Kunduz fell.” Report\\; part 1 — Pamir\\, Wire\\, 2021-08-09"
    assert entry["URL"] == "https://example.org/a#:~:text=Kunduz%20fell."


def test_text_is_escaped_and_cannot_begin_a_line_of_its_own() -> None:
    hostile = "A; b, c\\d\r\nEND:VEVENT\r\nX:1\x1b[31m\u2028fell."
    (entry,) = entries(ics_timeline(timeline(event(hostile), topic="a\nEND:VCALENDAR")))
    assert entry["SUMMARY"] == "A\\; b\\, c\\\\d END:VEVENT X:1 fell."
    assert "X" not in entry


def test_lines_are_folded_at_75_octets_and_never_inside_a_character() -> None:
    calendar = ics_timeline(timeline(event("Ghazni " + "é你😀" * 60 + " fell.")))
    lines = calendar.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert max(map(len, lines)) > 70
    assert all(line.decode() is not None for line in lines)
    assert entries(calendar)[0]["SUMMARY"] == "Ghazni " + "é你😀" * 60 + " fell."


@pytest.mark.parametrize(
    ("day", "precision", "start", "end", "told"),
    [
        ("2021-07-01", Precision.MONTH, "20210701", "20210801", "Only the month is known: 2021-07."),
        ("2018-01-01", Precision.YEAR, "20180101", "20190101", "Only the year is known: 2018."),
    ],
)
def test_a_month_stays_a_month(day: str, precision: Precision, start: str, end: str, told: str) -> None:
    (entry,) = entries(ics_timeline(timeline(event("Kunduz fell.", day, precision))))
    assert (entry["DTSTART;VALUE=DATE"], entry["DTEND;VALUE=DATE"]) == (start, end)
    assert entry["DESCRIPTION"].startswith(f"{told}\\n")


def test_doubts_the_day_of_publication_and_other_sides_are_in_the_entry() -> None:
    told = event("Ten men died.", stated=False)
    doubtful = replace(told, statement=replace(told.statement, verdict=Verdict.UNSUPPORTED))
    position = Position("Ten", told.statement.citations[0])
    other = Position("Nine", replace(event("Nine men died.").statement.citations[0], number=2))
    conflict = Conflict(Dispute.CONFLICT, "", (position, other))
    (entry,) = entries(ics_timeline(replace(timeline(doubtful), conflicts=(conflict,))))
    assert entry["SUMMARY"] == "Ten men died. (not supported by what it cites)"
    assert "this is the day of its publication" in entry["DESCRIPTION"]
    assert entry["DESCRIPTION"].count("“Nine men died.” [2] Pamir\\, Wire\\, 9 August 2021") == 1


def test_the_same_event_has_the_same_id_in_every_calendar_and_others_have_other_ones() -> None:
    days = ("2021-08-08", "2021-08-08", "2021-08-09")
    first, again, other = (entries(ics_timeline(timeline(event("A fell.", day))))[0]["UID"] for day in days)
    assert first == again != other


def test_a_table_has_a_row_for_each_source_and_computes_nothing() -> None:
    told = event("=1+1 fell, “so”\nthey say.")
    more = replace(told.statement.citations[0], number=2)
    both = replace(told, statement=replace(told.statement, citations=(*told.statement.citations, more)))
    found = table(csv_timeline(timeline(both)))
    assert [row["citation"] for row in found] == ["1", "2"]
    assert found[0]["statement"] == "'=1+1 fell, “so” they say."
    assert (found[0]["date"], found[0]["stated"], found[0]["importance"]) == ("2021-08-08", "True", "1")
    assert (found[0]["source"], found[0]["published"], found[0]["speaker"]) == ("Pamir, Wire", "2021-08-09", "")


def test_the_commands_write_a_table_and_a_calendar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "library"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    arguments = ["timeline", "-q", "-a", "seeds", "--format"]
    rows = table(CliRunner().invoke(app, [*arguments, "csv"]).stdout_bytes)
    assert len({row["date"] + row["statement"] for row in rows}) == 10
    assert len(entries(CliRunner().invoke(app, [*arguments, "ics"]).stdout_bytes)) == 10


def test_a_table_of_nothing_has_its_columns_and_says_why_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "library"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found = CliRunner().invoke(app, ["timeline", "-a", "seeds", "--topic", "football", "--format", "csv"])
    assert table(found.stdout_bytes) == []
    assert found.stderr.endswith("The articles say nothing on this topic.\n")
