"""Reads the text of PDFs in reading order; sole owner of pypdfium2."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import median
from typing import Any

from rag.errors import LoadError
from rag.ingest.document import MAX_FILE, Document, Loaded, whole_body
from rag.ingest.exports import exported, is_of_header
from rag.ingest.metadata import from_fields
from rag.models.embeddings import is_word
from rag.text.clean import clean, one_line
from rag.text.words import stem

MAX_PAGES = 5000
_ENCRYPTED = "is an encrypted PDF; save it without a password"
_SCANNED = "scanned; needs OCR, for example: ocrmypdf OLD.pdf NEW.pdf"
_HYPHEN = "\x02"
_MADE_UP = re.compile(
    r"untitled.*|anonymous|unknown|unspecified|user|admin|.*\.(?:docx?|indd|pdf|odt|rtf|qxp)|microsoft word.*", re.I
)
_BAR = " | "  # between the cells of a row
_NUMBER_CELL = re.compile(r"\W{0,3}\d")
_PAGE_NUMBER = re.compile(r"\W*(?:page\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.I)
_SENTENCE_END = re.compile(r"[.!?:][\"'”’»)]*$")
_BROKEN_WORD = re.compile(r"([^\W\d_]+)[\x02\u2010-]$")
_BROKEN_NUMBER = re.compile(r"\d[\x02\u2010-]$")
_FIRST_WORD = re.compile(r"([^\W\d_]+)")
_EDGE = 0.12
"""The share of a page's height, at its top and bottom, where running heads and page numbers are."""
_OCR_SECONDS, _OCR_PAGES, _OCR_SIDE = 120, 200, 3000


@dataclass(frozen=True, slots=True)
class _Line:
    """Text between `left` and `right`, `bottom` and `top`, in points from the lower left corner of its page."""

    text: str
    left: float
    right: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class _Page:
    lines: tuple[_Line, ...]
    height: float
    has_image: bool


def read_pdf(document: Document) -> Loaded:
    """The text of all pages, column by column; dates in its metadata say when the file was made and are not read.

    Line ends are joined, running heads and page numbers left out. Pages that are pictures are read by tesseract if it
    is installed, and named in a note if not.
    """
    import pypdfium2

    body = whole_body(document)
    try:
        pdf = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise LoadError(_ENCRYPTED) from None
        raise LoadError(f"is a broken PDF ({one_line(str(error), 100)}); open it and save it anew") from None
    try:
        yield from _article(pdf, document)
    finally:
        pdf.close()


def _article(pdf: Any, document: Document) -> Loaded:
    if len(pdf) > MAX_PAGES:
        raise LoadError(f"has {len(pdf)} pages, wanted at most {MAX_PAGES}; split it")
    pages, size = [], 0
    for number in range(len(pdf)):
        page = _page(pdf, number)
        size += sum(len(line.text) for line in page.lines)
        if size > MAX_FILE:
            raise LoadError(f"has over {MAX_FILE // 10**6} million characters of text; split it")
        pages.append(page)
    scanned = [n for n, page in enumerate(pages) if not page.lines and page.has_image]
    seen = _ocr(pdf, scanned)
    text = clean(_joined(_without_furniture(pages), seen))
    if not text.strip():
        raise LoadError(f"is a PDF without text: {_SCANNED}")
    told = {key: value for key, value in pdf.get_metadata_dict().items() if not _MADE_UP.fullmatch(value.strip())}
    if exports := exported(text, document):
        yield from exports
        return
    found = from_fields(
        text, {"title": told.get("Title"), "author": told.get("Author"), "url": document.url}, document.name
    )
    yield replace(found, notes=tuple(_notes([n + 1 for n in scanned], seen)))


def _notes(scanned: Sequence[int], seen: dict[int, str]) -> Iterator[str]:
    unread = [n for n in scanned if not seen.get(n - 1, "").strip()]
    if unread:
        named = one_line(", ".join(map(str, unread)), 60)
        yield f"has no text on page {named}: {_SCANNED}"
    if len(unread) < len(scanned):
        yield "was read from pictures of its pages, and may have misread letters and numbers"


def _page(pdf: Any, number: int) -> _Page:
    import pypdfium2

    try:
        page = pdf[number]
        text = page.get_textpage()
        has_image = any(o.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE for o in page.get_objects(max_depth=2))
        found = _Page(tuple(_tabled(list(_lines(text)))), page.get_height(), has_image)
        text.close()
        page.close()
    except pypdfium2.PdfiumError as error:
        raise LoadError(f"is a broken PDF ({one_line(str(error), 100)} on page {number + 1}); save it anew") from None
    return found


def _lines(page: Any) -> Iterator[_Line]:
    """The lines of a page, those of columns beside one another apart."""
    import ctypes

    from pypdfium2 import raw

    box = [ctypes.c_double() for _ in range(4)]
    line: _Line | None = None
    for i in range(page.count_chars()):
        sign = chr(raw.FPDFText_GetUnicode(page, i))
        if raw.FPDFText_IsHyphen(page, i) == 1:
            sign = _HYPHEN
        if sign in "\r\n\0":
            if line:
                yield line
            line = None
            continue
        if sign.isspace() or not raw.FPDFText_GetCharBox(page, i, *box):
            line = replace(line, text=line.text + " ") if line and sign.isspace() else line
            continue
        left, right, bottom, top = (value.value for value in box)
        if line and (left - line.right > max(2.0 * line.height, 10) or left < line.right - 2 * line.height):
            yield line
            line = None
        whole = _Line(sign, left, right, bottom, top)
        line = _together(line.text + sign, line, whole) if line else whole
        if sign == _HYPHEN:
            yield line
            line = None
    if line:
        yield line


def _together(text: str, a: _Line, b: _Line) -> _Line:
    """The text in the place of two parts of a line, of which the first one is on the left."""
    return _Line(text, a.left, max(a.right, b.right), min(a.bottom, b.bottom), max(a.top, b.top))


def _without_furniture(pages: Sequence[_Page]) -> list[_Page]:
    """The pages without the lines at their edges that are page numbers, or are repeated with other numbers."""
    repeated = Counter(key for page in pages for key in {_plain(line) for line in page.lines if _at_edge(line, page)})

    def is_kept(line: _Line, page: _Page) -> bool:
        if not _at_edge(line, page):
            return True
        return not _PAGE_NUMBER.fullmatch(line.text.strip()) and repeated[_plain(line)] < max(2, len(pages) / 3)

    return [replace(page, lines=tuple(line for line in page.lines if is_kept(line, page))) for page in pages]


def _at_edge(line: _Line, page: _Page) -> bool:
    return line.bottom > page.height * (1 - _EDGE) or line.top < page.height * _EDGE


def _plain(line: _Line) -> str:
    return re.sub(r"\d+", "#", " ".join(line.text.split())).lower()


def _joined(pages: Sequence[_Page], seen: dict[int, str]) -> str:
    """The text of the pages; a sentence goes on over the end of a column or page."""
    usual = next((gutter for page in pages if (gutter := _gutter(page.lines))), None)
    blocks = [block for page in pages for block in _columns(list(page.lines), usual)]
    words = Counter(
        word.lower()
        for block in blocks
        for line in block
        for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text)
    )
    is_export = any(line.text.strip() == "End of Document" for block in blocks for line in block)
    paragraphs: list[str] = []
    for block in blocks:
        for n, paragraph in enumerate(_paragraphs(block, is_export)):
            text = _flowed(paragraph, words)
            if n == 0 and paragraphs and _goes_on(paragraphs[-1], text):
                paragraphs[-1] = _appended(paragraphs[-1], text, words)
            else:
                paragraphs.append(text)
    texts = [text.replace(_HYPHEN, "-") for text in paragraphs]
    return "\n\n".join([*texts, *(text.strip() for _, text in sorted(seen.items()))])


def _goes_on(before: str, text: str) -> bool:
    """Whether a paragraph goes on in the next column: it is no heading, and its sentence has not ended."""
    return len(before.split()) > 5 and not _SENTENCE_END.search(before.strip()) and text[:1].islower()


def _columns(lines: list[_Line], usual: float | None = None) -> list[list[_Line]]:
    """The lines in reading order, in blocks: a column, or what is above, below or between columns.

    Columns of few lines are known by what is `usual` on other pages.
    """
    gutter = _gutter(lines) or (usual if usual and _are_parted(lines, usual) else None)
    if gutter is None:
        return [_rows(lines)] if lines else []
    across = sorted((x for x in lines if x.left < gutter < x.right), key=lambda x: -x.top)
    bounds = [float("inf"), *(x.bottom for x in across), float("-inf")]
    blocks: list[list[_Line]] = []
    for n, (high, low) in enumerate(pairwise(bounds)):
        band = [x for x in lines if x not in across and low <= x.bottom < high]
        blocks += _columns([x for x in band if x.right <= gutter])
        blocks += _columns([x for x in band if x.left >= gutter])
        if n < len(across):
            blocks = _with_across(blocks, across[n], n > 0 and not band)
    return blocks


def _with_across(blocks: list[list[_Line]], line: _Line, follows: bool) -> list[list[_Line]]:
    """The blocks with a line over all columns after them, in the block of the one before it if nothing is between."""
    return [*blocks[:-1], [*blocks[-1], line]] if follows and blocks else [*blocks, [line]]


def _gutter(lines: Sequence[_Line]) -> float | None:
    """The middle of the white space between two columns of prose; None if there is none."""
    lines = [line for line in lines if _BAR not in line.text]
    if len(lines) < 6:
        return None
    best: tuple[int, float] | None = None
    for start in sorted({round(line.right, 1) for line in lines}):
        right = [line for line in lines if line.left > start + 4]
        end = min((line.left for line in right), default=None)
        left = [line for line in lines if line.right <= start + 0.1]
        crossing = len(lines) - len(left) - len(right)
        if end is None or crossing > len(lines) / 3 or not (_is_prose(left) and _is_prose(right)):
            continue
        if _beside(left, right) and (best is None or crossing < best[0]):
            best = (crossing, (start + end) / 2)
    return best[1] if best else None


def _are_parted(lines: Sequence[_Line], gutter: float) -> bool:
    sides = [line for line in lines if line.right <= gutter], [line for line in lines if line.left >= gutter]
    return sum(map(len, sides)) == len(lines) and all(_is_prose(side, 1) for side in sides)


def _is_prose(lines: Sequence[_Line], least: int = 3) -> bool:
    return len(lines) >= least and median(len(line.text.split()) for line in lines) >= 3


def _beside(left: Sequence[_Line], right: Sequence[_Line]) -> bool:
    """Whether most of the shorter side is beside the other."""
    shared = min(max(x.top for x in side) for side in (left, right)) - max(
        min(x.bottom for x in side) for side in (left, right)
    )
    shortest = min(max(x.top for x in side) - min(x.bottom for x in side) for side in (left, right))
    return shared > shortest / 2


def _rows(lines: Sequence[_Line]) -> list[_Line]:
    """The lines from top to bottom, those at one height as one, with a bar where cells of a table are apart."""
    rows: list[list[_Line]] = []
    for line in sorted(lines, key=lambda x: -(x.top + x.bottom) / 2):
        middle = (line.top + line.bottom) / 2
        last = rows[-1] if rows and min(x.bottom for x in rows[-1]) < middle < max(x.top for x in rows[-1]) else None
        if last and all(line.left >= x.right or line.right <= x.left for x in last):
            last.append(line)
        else:
            rows.append([line])
    return [_row(sorted(row, key=lambda x: x.left)) for row in rows]


def _row(cells: Sequence[_Line]) -> _Line:
    text = cells[0].text.strip() if len(cells) > 1 else cells[0].text
    for first, second in pairwise(cells):
        text += (_BAR if second.left - first.right > 2 * first.height else " ") + second.text.strip()
    bottom, top = min(x.bottom for x in cells), max(x.top for x in cells)
    return _Line(text, cells[0].left, cells[-1].right, bottom, top)


def _tabled(lines: list[_Line]) -> list[_Line]:
    """The lines, those of a row of a table as one: rows of three cells and more, all short, many of them numbers."""
    found = lines
    for has_cells, run in groupby(_rows(lines), key=lambda row: row.text.count(_BAR) > 1):
        rows = list(run)
        cells = [cell for row in rows for cell in row.text.split(_BAR)]
        numbers = sum(bool(_NUMBER_CELL.match(cell)) for cell in cells)
        if has_cells and len(rows) > 1 and numbers > len(cells) / 4 and median(len(c.split()) for c in cells) <= 3:
            high, low = rows[0].top, rows[-1].bottom
            found = [x for x in found if not low <= (x.top + x.bottom) / 2 <= high] + rows
    return found


def _paragraphs(lines: Sequence[_Line], is_export: bool) -> list[list[_Line]]:
    """Lines in paragraphs: apart by a wider gap, another size, an indent, or a short line that ends a sentence.

    Those of the header of an export stay apart.
    """
    if not lines:
        return []
    gaps = [a.bottom - b.bottom for a, b in pairwise(lines)]
    usual = median(gaps) if gaps else 0.0
    left, right = min(x.left for x in lines), max(x.right for x in lines)
    height = median(x.height for x in lines)
    found = [[lines[0]]]
    for (before, line), gap in zip(pairwise(lines), gaps, strict=True):
        is_apart = gap > 1.3 * usual + 1 or abs(before.height - line.height) > 0.35 * height
        is_indented = line.left - left > 0.8 * height > before.left - left
        ends = bool(_SENTENCE_END.search(before.text.strip())) and before.right < right - 0.2 * (right - left)
        is_row = _BAR in before.text or _BAR in line.text
        is_field = is_export and any(is_of_header(x.text.strip()) for x in (before, line))
        if is_apart or is_indented or ends or is_row or is_field:
            found.append([line])
        else:
            found[-1].append(line)
    return found


def _flowed(lines: Sequence[_Line], words: Counter[str]) -> str:
    text = ""
    for line in lines:
        text = _appended(text, " ".join(line.text.split()), words) if text else " ".join(line.text.split())
    return text


def _appended(text: str, line: str, words: Counter[str]) -> str:
    """A text with the next line; a word that is broken between them is made whole."""
    broken, rest = _BROKEN_WORD.search(text), _FIRST_WORD.match(line)
    if _BROKEN_NUMBER.search(text) and line[:1].isalnum():
        return f"{text[:-1]}-{line}"
    if not broken or not rest:
        return f"{text} {line}"
    return f"{text[:-1]}{_hyphen(broken[1], rest[1], words)}{line}"


def _hyphen(first: str, second: str, words: Counter[str]) -> str:
    """The hyphen if it belongs to the word, as in long-term; nothing if it only ends the line."""
    whole_word, compound = f"{first}{second}".lower(), f"{first}-{second}".lower()
    if not second[0].islower():
        return "-"
    if words[compound] or words[whole_word] or is_word(whole_word):
        return "-" if words[compound] > words[whole_word] else ""
    if stem(whole_word) == stem(first.lower()):
        return ""
    return "-" if min(len(first), len(second)) > 2 and is_word(first.lower()) and is_word(second.lower()) else ""


def _ocr(pdf: Any, pages: Sequence[int]) -> dict[int, str]:
    """What tesseract reads on pages that are pictures; nothing if it is not installed."""
    program = shutil.which("tesseract")
    if not program:
        return {}
    return {n: _recognized(program, pdf[n]) for n in pages[:_OCR_PAGES]}


def _recognized(program: str, page: Any) -> str:
    scale = min(300 / 72, _OCR_SIDE / max(page.get_width(), page.get_height(), 1))
    picture = page.render(scale=scale, grayscale=True).to_numpy()
    height, width = picture.shape[:2]
    pgm = b"P5 %d %d 255\n" % (width, height) + picture.tobytes()
    try:
        run = subprocess.run([program, "-", "-"], input=pgm, capture_output=True, timeout=_OCR_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return str(run.stdout, "utf-8", "replace").replace("\f", "")
