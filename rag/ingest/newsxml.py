"""Reads articles out of the XML of news agencies: NITF, NewsML-G2, NewsML 1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.errors import LoadError
from rag.ingest.document import Document, Loaded, whole_body, xml_tree
from rag.ingest.html import html_text
from rag.ingest.records import record_articles

NEWS_ROOTS = re.compile(
    rb"(?>\s|<!--.*?-->|<\?[^>]*>|<!DOCTYPE[^>\[]*(?:\[[^\]]*\])?[^>]*>)*+<(?:\w+:)?(nitf|newsItem|newsMessage|NewsML)\b",
    re.S,
)
_BLOCKS = frozenset({"p", "hl2", "li", "dt", "dd", "h1", "h2", "h3", "h4", "pre", "blockquote"})
_LEFT_OUT = frozenset({"media", "body.end", "script", "style", "figure", "aside"})


def read_news_xml(document: Document) -> Loaded:
    """An article for each item of an agency's file; what its DTD would add is not loaded."""
    root = xml_tree(whole_body(document))
    items = [root] if root.tag in ("nitf", "newsItem") else list(root.iter("newsItem", "NewsItem"))
    if not items:
        raise LoadError(f"is a {root.tag} without news items; wanted at least one")
    for number, item in enumerate(items, 1):
        fields = _nitf(item) if item.tag == "nitf" else _item(item)
        yield from record_articles(
            f"{document.origin}:item {number}", {**fields, "url": fields.get("url") or document.url}
        )


def _nitf(root: Any) -> dict[str, Any]:
    return {
        "text": _flow(root.find(".//body.content") if root.find(".//body.content") is not None else root.find("body")),
        "title": _line(root, ".//hl1") or _line(root, ".//hedline") or _line(root, "head/title"),
        "author": _line(root, ".//byline"),
        "source": _attribute(root, ".//pubdata", "name")
        or _line(root, ".//distributor")
        or _line(root, ".//doc.rights"),
        "published": _attribute(root, ".//date.issue", "norm") or _attribute(root, ".//story.date", "norm"),
        "id": _attribute(root, ".//doc-id", "id-string"),
        "url": _attribute(root, ".//pubdata", "ex-ref"),
    }


def _item(item: Any) -> dict[str, Any]:
    """A NewsML item: its own fields, or those of the NITF in it."""
    inner = item.find(".//nitf")
    own = {
        "text": _content(item),
        "title": _line(item, ".//contentMeta/headline")
        or _line(item, ".//HeadLine")
        or _line(item, ".//itemMeta/title"),
        "author": _line(item, ".//contentMeta/by") or _line(item, ".//ByLine"),
        "source": _provider(item),
        "published": _line(item, ".//itemMeta/firstCreated")
        or _line(item, ".//contentMeta/contentCreated")
        or _line(item, ".//itemMeta/versionCreated")
        or _line(item, ".//FirstCreated"),
        "id": item.get("guid") or _line(item, ".//PublicIdentifier"),
    }
    found = _nitf(inner) if inner is not None else {}
    return {**found, **{key: value for key, value in own.items() if value}}


def _content(item: Any) -> str:
    for path in (".//inlineXML", ".//DataContent", ".//contentSet"):
        part = item.find(path)
        if part is not None and (
            text := _flow(part.find(".//body.content") if part.find(".//body.content") is not None else part)
        ):
            return text
    data = item.find(".//inlineData")
    return html_text(data.text) if data is not None and data.text else ""


def _provider(item: Any) -> str | None:
    provider = item.find(".//itemMeta/provider")
    if provider is None:
        return _line(item, ".//contentMeta/creditline") or _line(item, ".//CreditLine")
    return _line(provider, "name") or provider.get("literal") or (provider.get("qcode") or "").split(":")[-1] or None


def _flow(node: Any) -> str:
    """The paragraphs below a node, a blank line between them, the cells of a table row on one line."""
    return "\n\n".join(filter(None, map(str.strip, _paragraphs(node)))) if node is not None else ""


def _paragraphs(node: Any) -> Iterator[str]:
    if node.tag in _LEFT_OUT:
        return
    if node.tag == "tr":
        yield " | ".join(" ".join("".join(cell.itertext()).split()) for cell in node)
    elif node.tag in _BLOCKS or len(node) == 0:
        yield " ".join("".join(node.itertext()).split())
    else:
        for child in node:
            yield from _paragraphs(child)


def _line(node: Any, path: str) -> str | None:
    found = node.find(path)
    return " ".join("".join(found.itertext()).split()) or None if found is not None else None


def _attribute(node: Any, path: str, name: str) -> str | None:
    found = node.find(path)
    return found.get(name) if found is not None else None
