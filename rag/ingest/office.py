"""Reads the text of documents and books: .docx, .odt, .rtf, .epub."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from rag.errors import LoadError
from rag.ingest.document import Container, Document, Loaded, whole_body
from rag.ingest.exports import exported
from rag.ingest.html import html_text
from rag.ingest.metadata import from_fields
from rag.ingest.records import record_articles
from rag.text.clean import clean, decode

_DELETED = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "pict"})
_ASIDE = frozenset({"tracked-changes", "annotation", "annotation-end", "note", "sequence-decls", "forms", "script"})
_BODY = re.compile(r"<body\b[^>]*>(.*)</body>", re.S | re.I)
_HEADING = re.compile(r"<(h[1-3])\b[^>]*>(.*?)</\1>", re.S | re.I)
_HTML_TITLE = re.compile(r"<(title)\b[^>]*>(.*?)</\1>", re.S | re.I)
_RTF_DELETED = re.compile(r"(?<!\\)\{(?>[^{}]*?\\deleted(?![a-z0-9]))[^{}]*\}")
_SHORTEST_CHAPTER = 200  # characters; a cover or a title page has fewer, and no sentence
_SENTENCE_ENDS = (".", "!", "?", "”", '"')


def read_docx(document: Document) -> Loaded:
    """The text of a Word document, its notes last, or the articles of an export; no deletions or macros."""
    container = Container.opened(document)
    notes = (name for name in ("word/footnotes.xml", "word/endnotes.xml") if name in container.names)
    paragraphs = [text for name in ("word/document.xml", *notes) for text in _word(container.tree(name))]
    return _written("\n\n".join(paragraphs), _core_title(container, "docProps/core.xml"), document)


def read_odt(document: Document) -> Loaded:
    """The text of an OpenDocument text, its notes last; deletions, comments and macros are not read."""
    container = Container.opened(document)
    body = container.tree("content.xml").find(".//body/text")
    if body is None:
        raise LoadError("has no text in its content.xml; wanted an OpenDocument text")
    paragraphs = [text for part in (body, *body.iter("note-body")) for text in _open_document(part)]
    return _written("\n\n".join(paragraphs), _core_title(container, "meta.xml"), document)


def read_rtf(document: Document) -> Loaded:
    """The text of a Rich Text document, or the articles of an export; pictures and objects in it are not read."""
    from striprtf.striprtf import rtf_to_text

    body = whole_body(document)
    if not body.lstrip().startswith(b"{\\rtf"):
        raise LoadError("is no Rich Text: it does not start with {\\rtf; save it anew")
    try:
        kept = _RTF_DELETED.sub("", body.decode("windows-1252", "replace"))
        text = rtf_to_text(kept, errors="replace")  # type: ignore[no-untyped-call]  # its maker has no types
    except (ValueError, LookupError, RecursionError, ArithmeticError) as error:
        raise LoadError(f"is broken Rich Text ({type(error).__name__}); save it anew") from error
    lines = (line.strip() for line in clean(text).split("\n"))
    return _written("\n\n".join(line for line in lines if line), None, document)


def read_epub(document: Document) -> Loaded:
    """An article for each chapter of a book or a newspaper; links in it are not followed."""
    container = Container.opened(document)
    place = container.tree("META-INF/container.xml").find(".//rootfile")
    path = unquote(place.get("full-path") or "") if place is not None else ""
    package = container.tree(path)
    dates = (node.text for node in package.iter("date") if "modification" not in node.attrib.values())
    shared = {"source": _first(package, "title"), "published": next(dates, None)}
    for number, part in enumerate(_spine(package), 1):
        body = container.part(posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(part))))
        page = decode(body).text if body else ""
        text = html_text((_BODY.search(page) or ["", page])[1])
        if len(text) >= _SHORTEST_CHAPTER or text.endswith(_SENTENCE_ENDS):
            titled = _HEADING.search(page) or _HTML_TITLE.search(page)
            fields = {**shared, "title": html_text(titled[2]) if titled else None, "text": text}
            yield from record_articles(f"{document.origin}:chapter {number}", fields)


def _written(text: str, title: str | None, document: Document) -> Loaded:
    """The articles of an export, else the one article; its title is the heading that it starts with."""
    if found := exported(clean(text), document):
        yield from found
        return
    if not text.strip():
        raise LoadError("has no text; if it holds pictures of pages, it needs OCR")
    first = text.strip().partition("\n")[0]
    own = None if len(first) <= 120 and not first.endswith((".", "!", "?", ":")) else title
    yield from_fields(text, {"title": own, "url": document.url}, document.name)


def _word(node: Any) -> Iterator[str]:
    """The paragraphs of a Word document, a row of a table as one, its cells on one line."""
    if node.tag in _DELETED:
        return
    if node.tag == "tr":
        cells = (" ".join(_word(cell)) for cell in node.iterchildren("tc"))
        yield " | ".join(cells)
    elif node.tag == "p":
        yield from filter(None, [clean("".join(_runs(node))).strip()])
        for box in node.iter("txbxContent"):
            if not any(parent.tag in _DELETED for parent in box.iterancestors()):
                yield from (text for child in box for text in _word(child))
    else:
        for child in node:
            yield from _word(child)


def _runs(node: Any) -> Iterator[str]:
    signs = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
    for child in node:
        if child.tag == "t":
            yield child.text or ""
        elif child.tag in signs:
            yield signs[child.tag]
        elif child.tag not in _DELETED and child.tag not in ("txbxContent", "pPr", "rPr"):
            yield from _runs(child)


def _open_document(node: Any) -> Iterator[str]:
    if node.tag in _ASIDE:
        return
    if node.tag in ("p", "h"):
        yield from filter(None, [clean("".join(_pieces(node))).strip()])
    elif node.tag == "table-row":
        yield " | ".join(" ".join(_open_document(cell)) for cell in node.iterchildren("table-cell"))
    else:
        for child in node:
            yield from _open_document(child)


def _pieces(node: Any) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        if child.tag == "s":
            yield " "
        elif child.tag in ("tab", "line-break"):
            yield "\t" if child.tag == "tab" else "\n"
        elif child.tag not in _ASIDE:
            yield from _pieces(child)
        yield child.tail or ""


def _core_title(container: Container, name: str) -> str | None:
    return _first(container.tree(name), "title") if name in container.names else None


def _first(node: Any, tag: str) -> str | None:
    return next((found.text for found in node.iter(tag) if found.text), None)


def _spine(package: Any) -> Iterator[str]:
    """The files of a book in reading order, without its table of contents."""
    manifest = {item.get("id"): item for item in package.iter("item")}
    for reference in package.iter("itemref"):
        item = manifest.get(reference.get("idref"))
        if (
            item is not None
            and "html" in (item.get("media-type") or "")
            and "nav" not in (item.get("properties") or "")
        ):
            yield item.get("href") or ""
