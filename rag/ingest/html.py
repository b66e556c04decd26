"""Turns HTML into plain text; sole owner of trafilatura."""

from __future__ import annotations

import html
import logging
import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from rag.errors import LoadError
from rag.ingest.declared import (
    Post,
    cut_to_article,
    drop_pointers,
    forget_changes,
    json_ld,
    names,
    original,
    posts,
    shown_date,
)
from rag.schema import Published
from rag.text.calendar import parse_published
from rag.text.clean import Decoded, clean, decode, one_line

_PARAGRAPHS = re.compile(r"<(?:p|div|br|article|section)\b[^<>]{0,500}>", re.I)
_TAG = re.compile(r"</?(?:a|b|br|cite|em|i|p|s|span|strong|sub|sup|u)\b[^<>]{0,500}>", re.I)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_ANY_TAG = re.compile(r"<[a-z](?:[^<>\"']+|\"[^\"]*\"|'[^']*')+", re.I)
_MOST_ATTRIBUTES = 1000  # the parsers take the square of their number
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});", re.I)
_BLOCK = re.compile(r"<(?=/?(?:p|div|br|li|ul|ol|h[1-6]|blockquote|figure|table|tr|section|article|hr)\b)", re.I)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})|encoding=["']([\w.:-]{1,40})""", re.I)
_STAMP = re.compile(r"(?:published_time|datePublished)[\"'][^<>{}]{0,20}?[=:]\s*[\"']([^\"'<>]{8,40})[\"']")
_TOOLBAR = re.compile(r"<!-- BEGIN WAYBACK TOOLBAR INSERT -->.*?<!-- END WAYBACK TOOLBAR INSERT -->", re.S)
_JOINER = "\ufffc"  # stands for it while a page is read
_HIDDEN = "//*[contains(translate(@style, ' ', ''), 'display:none') or contains(@class, 'calibre_navbar')]"
_RULE = re.compile(r"\|?[\s:|-]*-{3}[\s:|-]*\|?")
_ROW = re.compile(r"^\|\s*(.*?)\s*\|$")
_SAVED = re.compile(r"<!-- saved from url=\(\d{4}\)(https?://\S{4,2000}) -->")  # as browsers save a page
_LABEL = re.compile(
    r"(?:first )?(?:published|posted|updated|last (?:updated|modified))\b[^.!?]{4,90}\b\d{4}\b[^.!?]{0,30}|"
    r"(?:skip )?advertisement|your browser does not support.*|sponsored(?: content)?|"
    r"anzeige|werbung|publicité|publicidad|pubblicità|реклама|إعلان",
    re.I,
)
_CHANGED = "has no day of publication, only that of its last change ({})"
_WALLED = "is the part that is not for subscribers, and not whole"
# What its parsers let out on damaged pages, besides ValueError.
_BROKEN = (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError, OverflowError, RecursionError)
# No date from the page's prose or footer: only what the page declares as its date.
_DATE_RULES = {"original_date": True, "extensive_search": False, "min_date": "1800-01-01"}


@dataclass(frozen=True, slots=True)
class Page:
    """The article of an HTML page, with what the page says of it; None is unknown."""

    text: str
    title: str | None = None
    published: Published | None = None
    source: str | None = None
    author: str | None = None
    url: str | None = None
    note: str | None = None


def is_html(text: str) -> bool:
    """Whether a text is laid out by HTML tags; a stray `<u>` in plain text does not make it HTML."""
    return bool(_PARAGRAPHS.search(text))


def html_text(fragment: str, without: str | None = None) -> str:
    """The text of an HTML fragment, a blank line between its paragraphs; nothing is loaded from anywhere.

    What the XPath `without` finds is left out.
    """
    spaced = _BLOCK.sub("\n\n<", clean(fragment))
    tree = _tree(f"<html><body><div>{spaced}</div></body></html>")
    if tree is None:
        return ""
    shut = tree.xpath(f"{_HIDDEN} | {without}" if without else _HIDDEN)
    for hidden in [*tree.iter("script", "style", "template", "noscript", "iframe", "object"), *shut]:
        if hidden.getparent() is not None:
            hidden.drop_tree()
    drop_pointers(tree)
    lines = (" ".join(part.split()) for part in re.split(r"\n\s*\n", str(tree.text_content())))
    return "\n\n".join(line for line in lines if line)


def unescaped(line: str) -> str:
    """A title or name without tags and character references."""
    bare = _TAG.sub("", line)
    return html.unescape(bare) if _ENTITY.search(bare) else bare


def pages(body: bytes, charset: str | None, url: str | None) -> list[Page]:
    """The article of an HTML page with what its meta elements and JSON-LD say of it, or the posts of a live blog.

    Raises LoadError if it has no text that can be told from its menus.
    """
    decoded = _decoded(body, charset)
    source = _TOOLBAR.sub("", clean(decoded.text).replace(_JOINER, "").replace("\u200c", _JOINER))
    tree = _tree(source)
    objects = json_ld(tree) if tree is not None else []
    walled = cut_to_article(tree, objects) if tree is not None else False
    changed = forget_changes(tree) if tree is not None else None
    shown = shown_date(tree) if tree is not None else None
    live = posts(tree, objects) if tree is not None else []
    found = _extracted(tree, url) if tree is not None else None
    if live:
        return [_post(post, found, url) for post in live]
    if found is None or not (found.text or "").strip():
        raise LoadError("has no article text that can be told from its menus; save the text as .txt or .md")
    saved = _SAVED.search(source[:5000])
    address = _own_url(original(found.url or (saved[1] if saved else None)), original(url))
    whole = Page(
        text=_laid_out(clean(_joined(_by_paragraphs(found.text, tree)))),
        title=_joined(found.title or "") or None,
        published=_published(source, found.date) or parse_published(shown),
        source=_outlet(found, address, names(objects, "publisher")),
        author=found.author or names(objects, "author"),
        url=address,
    )
    only_changed = _CHANGED.format(one_line(changed, 40)) if changed and not whole.published else None
    return [replace(whole, note=_WALLED if walled else decoded.note or only_changed)]


def refuse_attributes(source: str) -> None:
    """Raises LoadError for HTML or XML with a tag of very many attributes."""
    if any(len(_QUOTED.sub("", tag[0]).split()) > _MOST_ATTRIBUTES for tag in _ANY_TAG.finditer(source)):
        raise LoadError(f"has a tag of over {_MOST_ATTRIBUTES} attributes; save its text as .txt")


def _tree(source: str) -> Any:
    """Its tree; trafilatura takes for no page what does not begin like one, though `<html>` may be left out."""
    import trafilatura

    refuse_attributes(source)
    try:
        return trafilatura.load_html(source if "html" in source[:50].lower() else f"<!doctype html>{source}")
    except _BROKEN as error:
        raise LoadError(f"is HTML that cannot be parsed ({type(error).__name__}); save its text as .txt") from error


def _extracted(tree: Any, url: str | None) -> Any:
    import trafilatura

    for noisy in ("trafilatura", "htmldate", "courlan"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)  # what fails is reported once, by us
    try:
        return trafilatura.bare_extraction(
            tree, url=url, with_metadata=True, include_comments=False, date_extraction_params=dict(_DATE_RULES)
        )
    except _BROKEN as error:
        raise LoadError(f"is HTML that cannot be parsed ({type(error).__name__}); save its text as .txt") from error


def _by_paragraphs(text: str, tree: Any) -> str:
    """The text; that of a short article, which trafilatura puts on one line, by its paragraphs."""
    from lxml.html import tostring

    if "\n" not in text.strip():
        for node in islice(tree.iter("article"), 3):
            laid_out = html_text(tostring(node, encoding="unicode", with_tail=False))
            if "".join(laid_out.split()) == "".join(text.split()):
                return laid_out
    return text


def _joined(text: str) -> str:
    """A text with its zero-width non-joiners, which trafilatura drops."""
    return text.replace(_JOINER, "\u200c")


def _laid_out(text: str) -> str:
    """A blank line between paragraphs, the cells of a table's row on one line between bars."""
    lines = (line.strip() for line in text.split("\n") if not _LABEL.fullmatch(line.strip()))
    rows = (_ROW.sub(r"\1", line) for line in lines if not _RULE.fullmatch(line))
    return "\n\n".join(" ".join(row.split()) for row in rows if row)


def _outlet(found: Any, address: str | None, publisher: str | None = None) -> str | None:
    """The outlet that a page names, else its host; that of an archive is not the outlet of what it keeps."""
    host = urlsplit(address or "").hostname
    named = next((n for n in (found.sitename, publisher) if n and n != host), found.sitename or found.hostname)
    return host if host and (not named or "archive." in named) and "archive." not in host else named


def _post(post: Post, blog: Any, url: str | None) -> Page:
    """A post of a live blog, with an address of its own: that of the blog, and its time."""
    address = _own_url(original(blog.url), original(url)) if blog is not None else original(url)
    published = parse_published(post.published)
    at = published.time[:5] if published and published.time else None
    headed = " ".join(filter(None, (at, post.title)))
    title = " – ".join(filter(None, (blog.title if blog is not None else None, headed)))
    return Page(
        text=html_text(post.text) if is_html(post.text) else clean(post.text),
        title=title or None,
        published=published,
        source=_outlet(blog, address) if blog is not None else None,
        author=blog.author if blog is not None else None,
        url=post.url or (f"{address}#{post.published}" if address and post.published else address),
    )


def _published(source: str, day: str | None) -> Published | None:
    """The day that trafilatura found; with its time and zone if a declared time stamp falls on that day."""
    found = parse_published(day) if day else None
    stamps = (parse_published(m[1]) for m in _STAMP.finditer(source))
    return next((s for s in stamps if s and (found is None or s.day == found.day)), found)


def _own_url(declared: str | None, fetched: str | None) -> str | None:
    """The address that the page declares, unless it was fetched from another host: a page may not pose as another."""
    if fetched and urlsplit(declared or "").hostname != urlsplit(fetched).hostname:
        return fetched
    return declared


def _decoded(body: bytes, charset: str | None) -> Decoded:
    declared = _CHARSET.search(body[:4096])
    label = (declared[1] or declared[2]).decode("ascii", "replace") if declared else None
    return decode(body, charset or label)
