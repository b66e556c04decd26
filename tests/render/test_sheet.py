"""The sheet of a checked draft, as a browser, a spreadsheet and Word read it."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

import rag
from rag.cli.app import app
from rag.errors import InputError
from rag.render.sheet import sheet_path, write_sheet
from rag.schema import Answer, Article, Precision, Published, Verdict

WIRE = (
    "The Taliban captured the city of Herat on Friday. Officials said 17 soldiers were killed in the fighting, and "
    "that the governor had been flown to Kabul before the last lines of defence around the airport broke. Some "
    "shops in the centre were closed, and few people went out. The army has not commented on the loss of the garrison."
)
DRAFT = (
    "The Taliban captured the city of Herat on Friday.\nThe Taliban killed 40 soldiers.\n=1+1 banks closed in Farah."
)


def article(id: str, source: str, text: str) -> Article:
    published = Published(date(2021, 8, 13), Precision.DAY)
    return Article(id, f"Herat, {id}", text, "", source, published, f"https://{id}.example/herat#top")


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    library = rag.Library(tmp_path_factory.mktemp("sheet") / "library")
    library.add(
        article("a", "Harirud Post", WIRE),
        article("b", "Kabul Daily", f"KABUL — {WIRE}"),
        article("c", "Farah Radio", "Residents said the Taliban captured the city of Herat on Friday. Roads are open."),
    )
    return library.check(DRAFT)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


def test_copies_of_a_report_are_one_origin(checked: Answer) -> None:
    first = checked.statements[0]
    assert first.verdict is Verdict.SUPPORTED
    assert set(first.outlets) & {"Harirud Post", "Kabul Daily"}
    assert "Farah Radio" in first.outlets
    assert len(first.outlets) == 2
    assert all(not s.outlets for s in checked.statements if s.verdict is not Verdict.SUPPORTED)


def test_a_table_has_a_row_for_each_quote(checked: Answer, tmp_path: Path) -> None:
    told = write_sheet(checked, tmp_path / "out.csv", "draft.md")
    found = rows(tmp_path / "out.csv")
    assert told.startswith(f"wrote {tmp_path / 'out.csv'}: 3 claims, 1 supported")
    assert [row["claim number"] for row in found] == sorted(row["claim number"] for row in found)
    assert found[0]["verdict"] == "supported"
    assert found[0]["role"] == "evidence"
    assert found[0]["independent origins"] == "2"
    assert found[0]["date"] == "2021-08-13"
    assert found[0]["initials"] == found[0]["notes"] == ""
    assert {row["role"] for row in found if row["verdict"] == "not supported"} <= {"nearest", ""}
    links = [row["link"] for row in found if row["quote"]]
    assert links
    assert all(".example/herat#top:~:text=" in link for link in links)


def test_no_cell_of_a_table_is_a_formula(checked: Answer, tmp_path: Path) -> None:
    write_sheet(checked, tmp_path / "out.csv", "draft.md")
    found = rows(tmp_path / "out.csv")
    assert found[-1]["claim"].startswith("'=1+1 banks")
    assert not any(re.match(r"[=+\-@\t\r\n]", cell) for row in found for cell in row.values())


def test_a_page_shows_each_claim_with_links_that_mark_the_quote(checked: Answer, tmp_path: Path) -> None:
    write_sheet(checked, tmp_path / "out.html", "<b>.md")
    page = (tmp_path / "out.html").read_text()
    assert "Verification of &lt;b&gt;.md" in page
    assert "<script" not in page
    assert page.count("<tr id=") == 3
    assert ".example/herat#top:~:text=" in page
    assert page.count("contenteditable") == 6


def test_word_reads_the_same_with_links(checked: Answer, tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    write_sheet(checked, tmp_path / "out.docx", "draft.md")
    document = docx.Document(str(tmp_path / "out.docx"))
    table = document.tables[0]
    assert [cell.text for cell in table.columns[0].cells] == ["", "1", "2", "3"]
    assert table.cell(1, 2).text.startswith("supported")
    assert table.cell(1, 4).text.startswith("2: ")
    targets = [rel.target_ref for rel in document.part.rels.values() if "hyperlink" in rel.reltype]
    assert any(":~:text=" in target for target in targets)


@pytest.mark.parametrize("name", ["out.pdf", "out", "out.html.gz"])
def test_a_sheet_of_an_unknown_form_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"wanted \.html, \.csv or \.docx"):
        sheet_path(name)


def test_a_sheet_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("my notes")
    (tmp_path / "draft.txt").write_text(DRAFT)
    ran = CliRunner().invoke(app, ["check", str(tmp_path / "draft.txt"), "--sheet", str(tmp_path / "out.csv")])
    assert ran.exit_code == 2
    assert "is there already" in ran.stderr
    assert (tmp_path / "out.csv").read_text() == "my notes"
