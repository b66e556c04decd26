"""Writes the claims of a checked draft as a sheet that a fact-checker works through."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import InputError
from rag.files import write_new
from rag.render.lines import VERDICTS, differences, link, origin, safe
from rag.render.page import rendered
from rag.render.tables import csv_bytes
from rag.schema import Answer, Citation, Statement, Verdict

if TYPE_CHECKING:
    from docx.table import _Cell

_FORMS = (".html", ".csv", ".docx")
_COLUMNS = (
    *("claim number", "claim", "verdict", "what differs", "role", "quote", "outlet", "title", "date", "link"),
    *("independent origins", "origins", "initials", "notes"),
)
_HEADINGS = ("", "Claim", "Verdict", "In the articles", "Independent origins", "Initials", "Notes")
_VERDICTS = VERDICTS | {Verdict.SUPPORTED: "supported"}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A sentence of a draft, as a row of the sheet."""

    number: int
    statement: Statement

    @property
    def verdict(self) -> str:
        """Its verdict, in words."""
        return _VERDICTS[self.statement.verdict]

    @property
    def differences(self) -> tuple[str, ...]:
        """What the articles lack, or have instead."""
        return tuple(differences(self.statement))

    @property
    def role(self) -> str:
        """What its quotes are: evidence of the verdict, or only the nearest in the articles."""
        return "evidence" if self.statement.verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED) else "nearest"

    @property
    def outlets(self) -> tuple[str, ...]:
        """The outlets that support it independently of one another."""
        return self.statement.outlets if self.statement.verdict is Verdict.SUPPORTED else ()


def sheet_path(name: str) -> Path:
    """The path of a sheet that can be made; raises InputError if it is of no known form, or is there already."""
    path = Path(name).expanduser()
    if path.suffix.lower() not in _FORMS:
        raise InputError(f"the sheet {name} ends with {path.suffix or 'nothing'!r}; wanted .html, .csv or .docx")
    if path.exists():
        raise InputError(f"{path} is there already, perhaps with notes; choose another name, or remove it")
    if path.suffix.lower() == ".docx":
        _docx()
    return path


def write_sheet(answer: Answer, path: Path, draft: str) -> str:
    """Writes the claims of a check to a new HTML, CSV or Word file; gives what was written, in a line.

    Raises InputError if the file cannot be written. `draft` is the name of what was checked.
    """
    claims = [SheetRow(number, statement) for number, statement in enumerate(answer.statements, start=1)]
    form = {".html": _html, ".csv": _csv, ".docx": _word}[path.suffix.lower()]
    write_new(path, form(claims, answer, draft))
    return f"wrote {path}: {_counted(claims)}"


def _counted(claims: Sequence[SheetRow]) -> str:
    counts = Counter(claim.statement.verdict for claim in claims)
    told = [f"{counts[verdict]} {word}" for verdict, word in _VERDICTS.items() if counts[verdict]]
    return f"{len(claims)} claim{'' if len(claims) == 1 else 's'}, {', '.join(told)}"


def _html(claims: Sequence[SheetRow], answer: Answer, draft: str) -> bytes:
    values = {"claims": claims, "answer": answer, "counted": _counted(claims), "link": link, "origin": origin}
    return rendered("render/sheet.html", title=f"Verification of {draft}", **values).encode()


def _csv(claims: Sequence[SheetRow], answer: Answer, draft: str) -> bytes:
    """A row for each quote of each claim."""
    return csv_bytes(
        _COLUMNS, (_cells(claim, citation) for claim in claims for citation in claim.statement.citations or (None,))
    )


def _cells(claim: SheetRow, citation: Citation | None) -> Sequence[str]:
    said = (str(claim.number), claim.statement.text, claim.verdict, "; ".join(claim.differences))
    article = citation.article if citation else None
    cited = (
        claim.role if citation else "",
        citation.quote if citation else "",
        (article.source if article else None) or "",
        article.title if article else "",
        str(article.published or "") if article else "",
        (link(citation) if citation else None) or "",
    )
    counted = str(len(claim.outlets)) if claim.outlets else ""
    return (*said, *cited, counted, "; ".join(claim.outlets), "", "")


def _word(claims: Sequence[SheetRow], answer: Answer, draft: str) -> bytes:
    document = _docx().Document()
    section = document.sections[0]
    section.page_width, section.page_height = section.page_height, section.page_width
    document.add_heading(_plain(f"Verification of {draft}"), 1)
    document.add_paragraph(_plain(_counted(claims)))
    for told in (f"Only articles {answer.window.limits} were read." if answer.window.limits else "", *answer.warnings):
        if told:
            document.add_paragraph(_plain(told))
    table = document.add_table(rows=1, cols=len(_HEADINGS))
    table.style = "Table Grid"
    for cell, heading in zip(table.rows[0].cells, _HEADINGS, strict=True):
        cell.paragraphs[0].add_run(heading).bold = True
    for claim in claims:
        _fill(table.add_row().cells, claim)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _fill(cells: Sequence[_Cell], claim: SheetRow) -> None:
    number, text, verdict, quotes, outlets, *_ = cells
    number.text, text.text = str(claim.number), _plain(claim.statement.text)
    verdict.paragraphs[0].add_run(claim.verdict).bold = True
    for told in claim.differences:
        verdict.add_paragraph(_plain(told))
    for place, citation in enumerate(claim.statement.citations):
        nearest = "nearest: " if claim.role == "nearest" else ""
        paragraph = quotes.paragraphs[0] if place == 0 else quotes.add_paragraph()
        paragraph.add_run(_plain(f"{nearest}“{citation.quote}” "))
        _link(paragraph, _plain(origin(citation.article)), link(citation))
    outlets.text = _plain(f"{len(claim.outlets)}: {', '.join(claim.outlets)}") if claim.outlets else ""


def _link(paragraph: Any, text: str, url: str | None) -> None:
    """Adds a text that opens an address, for which python-docx has no method of its own."""
    run = paragraph.add_run(text)
    if not url:
        return
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    run.font.underline = True
    anchor = OxmlElement("w:hyperlink")
    anchor.set(qn("r:id"), paragraph.part.relate_to(url, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    anchor.append(run._r)
    paragraph._p.append(anchor)


def _plain(text: str) -> str:
    return " ".join(safe(text).split())


def _docx() -> Any:
    try:
        import docx
    except ModuleNotFoundError:
        raise InputError("python-docx is not installed; install it with `pip install 'dispatches[docx]'`") from None
    return docx
