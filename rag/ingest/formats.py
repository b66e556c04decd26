"""Reads the articles out of the bytes of one file, by its format."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any
from xml.sax import SAXException

from rag.errors import LoadError
from rag.ingest.document import Document, Loaded, refuse_entities, whole_body, xml_tree
from rag.ingest.exports import exported
from rag.ingest.html import html_text, pages, refuse_attributes, unescaped
from rag.ingest.mail import read_mail, read_mbox, saved_page
from rag.ingest.metadata import article, from_fields, headed, is_field
from rag.ingest.office import read_docx, read_epub, read_odt, read_rtf
from rag.ingest.pdf import read_pdf
from rag.ingest.records import noted, read_json, read_lines, read_table, record_articles
from rag.schema import Article, Failure
from rag.store.tables import PART
from rag.text.clean import clean, decode, one_line

_FEED_TAGS = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf|cdf|channel|item|entry)\b", re.I)
_NO_POSTS = ("attachment", "nav_menu_item", "custom_css", "wp_global_styles")  # in what WordPress exports
# feedparser takes the description of a picture or video for that of the entry.
_CAPTION = re.compile(rb"<(/?)media:description\b[^>]{0,200}(?<!/)>")
_APPEARED = re.compile(
    r"\s{0,4}\bThe post .{1,300} (?:appeared first|first appeared) on .{1,120}\Z"
)  # WordPress adds it
# What feedparser lets out on damaged files, besides its own errors.
_BROKEN = (
    *(ValueError, TypeError, AttributeError, LookupError, ArithmeticError, AssertionError, NotImplementedError),
    *(RecursionError, MemoryError, OSError),
)

_NEWS_ROOTS = re.compile(
    rb"(?>\s|<!--.*?-->|<\?[^>]*>|<!DOCTYPE[^>\[]*(?:\[[^\]]*\])?[^>]*>)*+<(?:\w+:)?(nitf|newsItem|newsMessage|NewsML)\b",
    re.S,
)
_NEWS_BLOCKS = frozenset({"p", "hl2", "li", "dt", "dd", "h1", "h2", "h3", "h4", "pre", "blockquote"})
_NEWS_ASIDES = frozenset({"media", "body.end", "script", "style", "figure", "aside"})
# Where an item of NewsML-G2, NewsML 1 or NITF has its text and each field, as XPath; NITF may be inside of the others.
_NITF = "descendant-or-self::nitf"
_NEWS_TEXT = (
    *(
        f"{place}{inner}"
        for place in (".//inlineXML", ".//DataContent", ".//contentSet")
        for inner in ("//body.content", "")
    ),
    *(f"{_NITF}//body.content", f"{_NITF}/body"),
)
_NEWS_FIELDS = {
    "title": (
        *(".//contentMeta/headline", ".//HeadLine", ".//itemMeta/title"),
        *(".//hl1", ".//hedline", f"{_NITF}/head/title"),
    ),
    "author": (".//contentMeta/by", ".//ByLine", ".//byline"),
    "source": (
        *(".//itemMeta/provider/name", ".//itemMeta/provider/@literal", ".//itemMeta/provider/@qcode"),
        *(".//contentMeta/creditline", ".//CreditLine", ".//pubdata/@name", ".//distributor", ".//doc.rights"),
    ),
    "published": (
        *(".//itemMeta/firstCreated", ".//contentMeta/contentCreated", ".//itemMeta/versionCreated", ".//FirstCreated"),
        *(".//date.issue/@norm", ".//story.date/@norm"),
    ),
    "id": ("@guid", ".//PublicIdentifier", ".//doc-id/@id-string"),
    "url": (".//pubdata/@ex-ref",),
}


def read_plain_text(document: Document) -> Loaded:
    """One article, whose front matter or header lines are its fields, or those of a LexisNexis or Factiva export."""
    decoded = decode(whole_body(document), document.charset)
    text = clean(decoded.text)
    if exports := exported(text, document):
        yield from (noted(item, decoded.note) for item in exports)
        return
    found = headed(text)
    if not found.text.strip():
        raise LoadError("has no text after its header; wanted an article")
    yield noted(from_fields(found.text, {"url": document.url, **found.fields}, document.name), decoded.note)


_CUE = re.compile(  # its number, or behind a blank line its name, and its times
    r"(?:(?<=\n\n)[^\n]+\n|^[ \t]*\d+[ \t]*\n)?^[ \t]*(?:\d{1,4}:)?\d\d:\d\d[.,]\d{1,3}[ \t]*-->.*\n?", re.M
)
_SPEAKER = re.compile(r"<v(?:\.[\w.]+)?[ \t]+([^>\n]{1,100})>")
_DASH = re.compile(r"(?:[-–]|>>)\s*(?=[^\W\d])")  # before what another person says
_CUE_TAG = re.compile(r"</?[\w:.]{1,40}[^>\n]{0,100}>|\{\\an\d\}")


def read_subtitles(document: Document) -> Loaded:
    """One article of the words of SubRip or WebVTT subtitles, a paragraph for each change of speaker."""
    decoded = decode(whole_body(document), document.charset)
    parts: list[str] = []
    speaker, last = "", ""
    head, *cues = _CUE.split(clean(decoded.text))
    for cue in cues:
        spoken = cue.partition("\n\n")[0] if head.startswith("WEBVTT") else cue  # comments are between those of WebVTT
        for line in spoken.split("\n"):
            named = _SPEAKER.search(line)
            words = " ".join(unescaped(_CUE_TAG.sub("", line)).split())
            if not words or words == last:  # what rolls up is there twice
                continue
            last, dash = words, _DASH.match(words)
            if named and named[1] != speaker:
                speaker = named[1]
                parts.append(f"\n\n{speaker}: {words}")
            else:
                parts.append(f"\n\n{words[dash.end() :]}" if dash else f" {words}")
    if not parts:
        raise LoadError("has no subtitles; wanted SubRip or WebVTT, with times such as 00:00:01,000 --> 00:00:04,000")
    yield noted(article("".join(parts).strip(), name=document.name), decoded.note)


_RIS = re.compile(r"^([A-Z][A-Z0-9])  ?-[ \t]?(.*(?:\n(?![A-Z][A-Z0-9]  ?-).*)*)", re.M)
_RIS_ENDS = re.compile(r"^(?:ER  ?-.*$|(?=TY  ?-))", re.M)
_RIS_FIELDS = {
    **dict.fromkeys(("TI", "T1"), "title"),
    **dict.fromkeys(("AU", "A1"), "author"),
    **dict.fromkeys(("JO", "JF", "T2"), "source"),
    "DA": "published",
    **dict.fromkeys(("PY", "Y1"), "date"),  # often only the year
    **dict.fromkeys(("AB", "N2"), "summary"),
    **dict.fromkeys(("ID", "AN"), "id"),
    "UR": "url",
}


def read_ris(document: Document) -> Loaded:
    """An article for each reference of EBSCO, ProQuest or Zotero; its abstract stands for its text."""
    decoded = decode(whole_body(document), document.charset)
    for number, reference in enumerate(_RIS_ENDS.split(clean(decoded.text)), 1):
        fields: dict[str, Any] = {}
        for tag, value in _RIS.findall(reference):
            name, words = _RIS_FIELDS.get(tag), " ".join(value.split()).rstrip("/")
            if name and words:
                given = fields.setdefault(name, words)
                fields[name] = f"{given}; {words}" if name == "author" and given != words else given
        if fields:
            for found in record_articles(f"{document.origin}:reference {number}", fields):
                yield noted(found, decoded.note)


def read_html(document: Document) -> Loaded:
    """The main text of a web page, or the articles of a Factiva export; of a live blog, an article for each post."""
    body = whole_body(document)
    if b"articleParagraph" in body:  # as Factiva calls it
        exports = exported(html_text(decode(body, document.charset).text), document)
        yield from exports
        if exports:
            return
    for page in pages(body, document.charset, document.url):
        found = article(
            page.text,
            title=page.title,
            source=page.source,
            published=page.published,
            url=page.url,
            author=page.author,
            name=document.name,
        )
        yield noted(found, page.note)


def read_saved_page(document: Document) -> Loaded:
    """The article of a web page that a browser saved in one file."""
    return read_html(saved_page(document))


def read_xml(document: Document) -> Loaded:
    """The items of an agency's XML, or the entries of a feed."""
    body = whole_body(document)
    read = read_news_xml if _NEWS_ROOTS.match(body[:4096].removeprefix(b"\xef\xbb\xbf")) else read_feed
    return read(replace(document, stream=io.BytesIO(body)))


def read_news_xml(document: Document) -> Loaded:
    """An article for each item of NITF, NewsML-G2 or NewsML 1; what its DTD would add is not loaded."""
    root = xml_tree(whole_body(document))
    for job in list(root.iter("byttl")):
        job.clear(keep_tail=True)
    items = [root] if root.tag in ("nitf", "newsItem") else list(root.iter("newsItem", "NewsItem"))
    if not items:
        raise LoadError(f"is a {root.tag} without news items; wanted at least one")
    for number, item in enumerate(items, 1):
        fields = {name: _news_field(item, places) for name, places in _NEWS_FIELDS.items()}
        fields |= {"text": _news_text(item), "url": fields["url"] or document.url}
        yield from record_articles(f"{document.origin}:item {number}", fields)


def _news_field(item: Any, places: Sequence[str]) -> str | None:
    """The first of these places that holds text; of a code such as `nprov:AFP`, what is behind the colon."""
    for place in places:
        for found in item.xpath(place)[:1]:
            line = " ".join((found if isinstance(found, str) else "".join(found.itertext())).split())
            if line:
                return line.rpartition(":")[2] if place.endswith("/@qcode") else line
    return None


def _news_text(item: Any) -> str:
    """Its paragraphs, a blank line between them, the cells of a table row on one line."""
    for node in (found for place in _NEWS_TEXT for found in item.xpath(place)[:1]):
        if text := "\n\n".join(filter(None, map(str.strip, _paragraphs(node)))):
            return text
    data = item.find(".//inlineData")
    return html_text(data.text) if data is not None and data.text else ""


def _paragraphs(node: Any) -> Iterator[str]:
    if node.tag in _NEWS_ASIDES:
        return
    if node.tag == "tr":
        yield " | ".join(" ".join("".join(cell.itertext()).split()) for cell in node)
    elif node.tag in _NEWS_BLOCKS or len(node) == 0:
        yield " ".join("".join(node.itertext()).split())
    else:
        for child in node:
            yield from _paragraphs(child)


def read_feed(document: Document) -> Loaded:
    """An article an entry, of its full content or else its summary; what is wrong with the XML is a Failure besides."""
    body = whole_body(document)
    feed = _feed(body, document) if _FEED_TAGS.search(body.replace(b"\0", b"")) else None
    if feed is None or not (feed.entries or feed.version):
        yield from _own_xml(document, xml_tree(body))
        return
    if not feed.entries:
        raise LoadError(f"is {feed.version} without entries; wanted a feed with entries")
    for number, entry in enumerate(feed.entries, 1):
        if entry.get("wp_post_type") in _NO_POSTS:
            continue
        for found in record_articles(f"{document.origin}:entry {number}", _entry(entry, feed)):
            yield found if isinstance(found, Failure) else _in_feed(found, entry, feed, document)
    fault = feed.get("bozo_exception")
    if isinstance(fault, SAXException):
        raise LoadError(f"is broken XML ({one_line(str(fault), 100)}): read as far as that goes; get it whole")


def _own_xml(document: Document, root: Any) -> Loaded:
    """An article for each element with a title or date and a text in it, of XML that an archive made for itself."""
    texts = {node.tag for node in root.iter() if is_field(str(node.tag), "text")} - {root.tag}
    found = [node for node in root.iter(*texts) if next(node.iterdescendants(*texts), None) is None] if texts else []
    whole = [(parent, list(parts)) for parent, parts in groupby(found, key=lambda node: node.getparent())]
    records = [_own_fields(parent) | {"text": "\n\n".join(_own_text(parts))} for parent, parts in whole]
    records = [fields for fields in records if any(is_field(k, "title") or is_field(k, "published") for k in fields)]
    if root.tag == "mediawiki" or not records:
        seen = one_line(str(root.tag), 40)
        raise LoadError(f"is XML ({seen}), but no RSS or Atom, NITF or NewsML, with no elements such as title and text")
    for number, fields in enumerate(records, 1):
        yield from record_articles(f"{document.origin}:record {number}", fields)


def _own_fields(parent: Any) -> dict[str, str]:
    return {**parent.attrib, **{part.tag: " ".join("".join(part.itertext()).split()) for part in parent}}


def _own_text(parts: Sequence[Any]) -> Iterator[str]:
    return filter(None, (text.strip() for part in parts for text in _paragraphs(part)))


def _feed(body: bytes, document: Document) -> Any:
    import feedparser

    refuse_entities(body)
    refuse_attributes(body.decode("latin-1"))
    headers = {"content-location": document.url} if document.url else {}
    try:
        return feedparser.parse(io.BytesIO(_CAPTION.sub(rb"<\1media:caption>", body)), response_headers=headers)
    except _BROKEN as error:
        raise LoadError(f"is a broken feed ({type(error).__name__}); save its articles as files") from error


def _entry(entry: Any, feed: Any) -> dict[str, Any]:
    guid = entry.get("id") or ""
    texts = map(_content, [*(entry.get("content") or []), entry.get("summary_detail") or {}])
    return {
        "text": max(texts, key=len).strip() or entry.get("media_caption"),
        "title": entry.get("title"),
        "published": entry.get("published") or (None if _tells_changes(feed) else entry.get("updated")),
        "source": (entry.get("source") or {}).get("title") or feed.feed.get("title"),
        "author": ", ".join(filter(None, (a.get("name") for a in entry.get("authors") or []))) or entry.get("author"),
        "status": entry.get("wp_status"),
        "url": entry.get("link"),
        "id": guid if ":" in guid else None,  # a bare number is an id in its feed only
    }


def _content(part: Mapping[str, str]) -> str:
    text = part.get("value") or ""
    return _APPEARED.sub("", text if part.get("type") == "text/plain" else html_text(text))


def _tells_changes(feed: Any) -> bool:
    """Whether `updated` is the last change of an entry: in Atom; of RSS, feedparser has `dc:date` there."""
    return str(feed.version).startswith("atom")


def _in_feed(found: Article, entry: Any, parsed: Any, document: Document) -> Article:
    """The article with its place, if its entry has a guid; the feed of a file is known by its own address."""
    changed = None if found.published or not _tells_changes(parsed) else dict.get(entry, "updated")
    notes = (f"has no day of publication, only that of its last change ({one_line(changed, 40)})",) if changed else ()
    guid = entry.get("id")
    home = document.url or parsed.feed.get("link") or ""
    return replace(found, notes=(*found.notes, *notes), place=f"{home}{PART}{guid}" if guid else None)


READERS: dict[str, Callable[[Document], Loaded]] = {
    **dict.fromkeys((".txt", ".text", ".md", ".markdown"), read_plain_text),
    **dict.fromkeys((".html", ".htm", ".xhtml"), read_html),
    **dict.fromkeys((".jsonl", ".ndjson"), read_lines),
    **dict.fromkeys((".csv", ".tsv"), read_table),
    **dict.fromkeys((".xml", ".rss", ".atom", ".nitf", ".newsml"), read_xml),
    **dict.fromkeys((".srt", ".vtt"), read_subtitles),
    ".ris": read_ris,
    ".docx": read_docx,
    ".odt": read_odt,
    ".rtf": read_rtf,
    ".epub": read_epub,
    **dict.fromkeys((".mhtml", ".mht"), read_saved_page),
    ".eml": read_mail,
    ".mbox": read_mbox,
    ".json": read_json,
    ".pdf": read_pdf,
}
"""The reader of each file name extension."""

STREAMED = (read_lines, read_table, read_mbox)
"""The readers that hold one record at a time, so that their files may be large."""
